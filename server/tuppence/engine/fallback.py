"""The way of one run from model to model: who is asked next when a provider cannot answer, or an answer does not hold.

It only names them; engine/run.py asks them, and engine/approval.py asks the person first where that is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tuppence.core.events import Event, ModelChosen
from tuppence.core.models.model import Model
from tuppence.core.routing.router import Route
from tuppence.engine.request import PreparedRequest
from tuppence.engine.session import Session
from tuppence.engine.verify import EditorCheck
from tuppence.errors import Busy

FALLBACKS = 3
"""How many other models are tried, one after another, while providers cannot answer."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """An attempt ended without a word of an answer: the provider cannot answer now."""

    error: Busy
    at_fault: str
    """``model`` where its server is there and turned the request away, else ``provider``."""


@dataclass
class Fallbacks:
    """The way from model to model, as far as it was gone."""

    prepared: PreparedRequest
    session: Session
    route: Route
    """Why the present model is asked."""
    editor_check: EditorCheck | None = None
    """The last look at an edit; None where nobody looks."""
    tried: list[Model] = field(default_factory=list)
    failed: Model | None = None
    """The model whose answer did not hold: from then on only better ones are asked."""
    reasons: list[str] = field(default_factory=list)
    """Why there is no answer yet, a sentence for each model that was asked."""
    found: Model | None = None
    """Who is to be asked next."""
    refused: list[Model] = field(default_factory=list)
    """Whom the person did not agree to, since the last one was asked."""
    _last: Unavailable | None = None

    def next(self, found: Model, reason: str) -> Event:
        """Turn to another model."""
        told = "; ".join((reason, *(f"nobody agreed to {each.title}" for each in self.refused)))
        self.refused.clear()
        self.route = replace(self.prepared.route, model=found, expected_cost=None, reason=told, told="")
        return ModelChosen(self.route, ())

    def next_provider(self, unavailable: Unavailable) -> Model | None:
        """Return the next model while a provider cannot answer: one of another provider first."""
        self._last = unavailable
        self.tried.append(self.route.model)
        return self._other(unavailable) if len(self.tried) <= FALLBACKS else None

    def escalate(self) -> Model | None:
        """Return the model that gets a try after an answer that did not hold; there is one such try."""
        if self.failed is not None:
            return None
        self._last = None
        self.failed = self.route.model
        self.tried.append(self.failed)
        return self._upper(self.failed)

    def after_refusal(self, found: Model) -> Model | None:
        """Return the next one where the person did not agree to the model that was found."""
        self.reasons.append(f"Nobody agreed to {found.title}.")
        self.refused.append(found)
        self.tried.append(found)
        if self._last is not None:
            return self._other(self._last)
        return self._upper(self.failed) if self.failed else None

    def _other(self, unavailable: Unavailable) -> Model | None:
        now = self.route.model
        adequate = () if self.failed else self.prepared.route.spare
        left = [model for model in (*adequate, *self._above(self.failed or now)) if model not in self.tried]
        resting = self.session.provider_health.cooling_down()
        elsewhere = [model for model in left if model.provider.name not in resting]
        # A server that turned one model's request away may well serve another model.
        here = [model for model in left if model.provider == now.provider and unavailable.at_fault == "model"]
        return next(iter((*elsewhere, *here)), None)

    def _upper(self, failed: Model) -> Model | None:
        resting = self.session.provider_health.cooling_down()
        above = (model for model in self._above(failed) if model not in self.tried)
        return next((model for model in above if model.provider.name not in resting), None)

    def _above(self, model: Model) -> Iterator[Model]:
        """Yield the rungs of the ladder that are better than a model, cheapest first."""
        quality = {row.model.name: row.quality for row in self.prepared.route.table}
        for rung in self.prepared.route.ladder[1:]:
            if quality.get(rung.name, 1.0) > quality.get(model.name, 0.0):
                yield rung
