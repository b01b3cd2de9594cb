"""Which model is called next if a provider cannot answer, or if an answer fails its checks.

Another model is called in two cases, and the user is told in both:

- The provider cannot answer now (a limit, an overload, a timeout, no connection) and no text arrived: the next adequate
  model is called, up to ``FALLBACKS`` times.
- The answer fails its checks (empty, cut off, refused by the model, not parsing, broken off): the next better model
  gets one attempt.

A model that the user picked is replaced only in the second case: if its provider cannot answer, the run ends.

A provider that rejects the request itself (a wrong key, no credit, an unknown model) is neither case: the user must
know, and calling another provider would hide the problem.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

from tuppence.core.events import Event, ModelChosen, StatusLine
from tuppence.core.models.model import Model
from tuppence.core.routing.router import Route
from tuppence.engine.approval import approval_reason, approve_model
from tuppence.engine.attempt import ProviderUnavailable, Rejected
from tuppence.engine.request import PreparedRequest, RunContext
from tuppence.errors import OverBudget

FALLBACKS = 3
"""Maximum number of other models that are called while providers cannot answer."""


class Fallbacks:
    """The models of one run, one after another; a stage between two attempts."""

    current: Route | None
    """The route of the next call, with the reason for its model; None if no model is left."""

    def __init__(self, prepared: PreparedRequest, context: RunContext) -> None:
        self.current = prepared.route
        self._prepared = prepared
        self._context = context
        self._last = prepared.route.model
        self._tried: list[Model] = []
        self._failed: Model | None = None
        """The model whose answer failed its checks: afterwards only better ones are called."""
        self._unavailable: ProviderUnavailable | None = None
        self._refused: list[Model] = []
        """The models that the user did not approve since the last call."""
        self._next: Model | None = None
        self._reason = ""
        self._reasons: list[str] = []
        """A sentence for each model on why it gave no answer."""
        self._remedy = ""

    @property
    def why(self) -> str:
        """Sentences on why there is no answer, and what the user can do."""
        return " ".join((*self._reasons, self._remedy)).strip()

    def explained(self, over: OverBudget) -> OverBudget:
        """Return a budget error that also says why the earlier models were not enough."""
        return OverBudget(" ".join((*self._reasons, over.message)), over.remedy)

    def escalate(self, rejected: Rejected) -> None:
        """Select the model for the single attempt after a failed check."""
        model = self._last
        self._reasons.append(f"{model.id}: {rejected.why}")
        self._reason = f"asked after {model.id}, whose answer was rejected: {rejected.why}"
        self._remedy = rejected.remedy
        self._next = None
        if self._failed is None:
            self._unavailable = None
            self._failed = model
            self._tried.append(model)
            self._next = self._better(model)

    def next_provider(self, unavailable: ProviderUnavailable) -> None:
        """Select the next model while a provider cannot answer, preferably from another provider."""
        self._reasons.append(unavailable.error.message)
        self._reason = f"asked instead of {self._last.id}: {unavailable.error.message}"
        self._remedy = unavailable.error.remedy
        self._unavailable = unavailable
        self._tried.append(self._last)
        if self._prepared.request.model and self._failed is None:
            self._remedy = f"No other model was asked, because {self._last.title} was picked. {self._remedy}".strip()
            self._next = None
            return
        self._next = self._other(unavailable) if len(self._tried) <= FALLBACKS else None

    async def events(self) -> AsyncGenerator[Event, None]:
        """Ask the user to approve the next model if the configuration requires it, and make its route current."""
        self._refused.clear()
        while self._next is not None and (why := approval_reason(self._next, self._prepared, self._context)):
            yield StatusLine(f"Waiting for your answer: {why}")
            if await approve_model(self._next, why, self._context.session):
                break
            self._after_refusal(self._next)
        self.current = None
        if self._next is not None:
            reason = "; ".join(
                (self._reason.rstrip("."), *(f"there was no consent to {each.title}" for each in self._refused))
            )
            self._last = self._next
            self.current = replace(self._prepared.route, model=self._next, expected_cost=None, reason=reason, told="")
            yield ModelChosen(self.current, ())

    def _after_refusal(self, model: Model) -> None:
        self._reasons.append(f"There was no consent to {model.title}.")
        self._refused.append(model)
        self._tried.append(model)
        if self._unavailable is not None:
            self._next = self._other(self._unavailable)
        else:
            self._next = self._better(self._failed) if self._failed else None

    def _other(self, unavailable: ProviderUnavailable) -> Model | None:
        adequate = () if self._failed else self._prepared.route.spare
        candidates = (*adequate, *self._above(self._failed or self._last))
        untried = [model for model in candidates if model not in self._tried]
        breakers = self._context.session.providers.breakers
        ready = [model for model in untried if not breakers.rests(model)]
        elsewhere = [model for model in ready if model.provider != self._last.provider]
        # A server that rejected one model's request may accept another model's.
        here = [model for model in ready if model.provider == self._last.provider and unavailable.at_fault == "model"]
        return next(iter((*elsewhere, *here)), None)

    def _better(self, failed: Model) -> Model | None:
        breakers = self._context.session.providers.breakers
        above = (model for model in self._above(failed) if model not in self._tried)
        return next((model for model in above if not breakers.rests(model)), None)

    def _above(self, model: Model) -> Iterator[Model]:
        """Yield the models of the route's ladder that are better than a model, cheapest first."""
        quality = {row.model.name: row.quality for row in self._prepared.route.table}
        for rung in self._prepared.route.ladder[1:]:
            if quality.get(rung.name, 1.0) > quality.get(model.name, 0.0):
                yield rung
