"""How good a model's answer can be expected to be, and how long: from measurements, with a doubt.

What was measured on public data stands in weights.json, which benchmarks/routing fits and prior.py reads. A model that
nobody measured is placed by its published figures and its tier, with a wide doubt. Which model answers is route.py's
affair, and nothing here knows a price.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tuppence.core.diagnostic import Diagnostic
from tuppence.core.difficulty import judge
from tuppence.core.languages import language as find_language
from tuppence.core.models import Model, Tier
from tuppence.core.syntax import parse
from tuppence.core.text import Span

READ = 4000
"""Characters of the code that are looked at."""
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")
_TIER: Mapping[Tier, float] = {"premium": 0.62, "workhorse": 0.56, "specialised": 0.50, "budget": 0.45, "local": 0.30}
_WIDE = 0.12
_NARROW = 0.02
_WEIGHT = 60
"""Outcomes on this machine that weigh as much as the prior."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What to expect of one model's answer."""

    quality: float
    """0 to 1."""
    doubt: float
    """One standard deviation of ``quality``: how far the estimate itself may be off."""
    source: str
    """Where it comes from, as a person reads it: "measured", "its row", "its benchmarks", "its tier"."""

    @property
    def cautious(self) -> float:
        """The quality that may be counted on: a doubt away from the expected one."""
        return max(0.0, self.quality - self.doubt)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of a model's answers for an action on this machine."""

    kept: int = 0
    undone: int = 0
    """Put back by the person."""
    failed: int = 0
    """Did not pass their check."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The usual size of a request."""

    input: int
    """Of the whole prompt."""
    output: int
    """Of the answer that is shown."""
    thinking: int = 0
    """Spent before the answer, and billed as output."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What the code says about models: how hard it is, and whom it favours."""

    action: str
    difficulty: float | None
    """0 to 1; None where there is no code to judge."""
    reasons: tuple[str, ...]
    """What counts most, weightiest first."""
    shifts: Mapping[str, float] = field(default_factory=dict)
    """By measured model: what this code adds to the mean quality for the action."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one model."""

    quality: Mapping[str, float]
    """By action."""
    tokens: Mapping[str, Tokens]
    """By action."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known before anything happened on this machine."""

    models: Mapping[str, Measured]
    """By the models' canonical names."""
    usual: Mapping[str, Tokens]
    """By action, for a model that nobody measured."""

    def gain(self, action: str, language: str, code: str | None, diagnostics: Sequence[Diagnostic] = ()) -> Gain:
        """Return what a piece of code says, for an action and an editor's name of the language."""
        if not code:
            return Gain(action, None, ("the code is not known",))
        text = code[:READ]
        counts = parse(text, find_language(language)).counts(Span(0, len(text)))
        found = judge(action, {**counts, "diagnostics": len(diagnostics)})
        return Gain(action, found.value, found.reasons)

    def estimate(
        self, model: Model, action: str, gain: Gain | None = None, outcomes: Outcomes = Outcomes()
    ) -> Estimate:
        """Return what to expect of a model's answer for an action, on the code of ``gain`` if there is any."""
        return _learned(self._before(model, action, gain), outcomes)

    def tokens(self, model: Model, action: str, target: int | None = None) -> Tokens:
        """Return the usual size of a model's request for an action; ``target`` is the code's, in tokens, if known."""
        measured = self.models.get(canonical(model.id))
        usual = self.usual[action] if measured is None else measured.tokens[action]
        if target is None:
            return usual
        # Longer code makes a longer answer, but not in proportion: the root is what the measured answers come near.
        factor = math.sqrt(max(1, target) / usual.input)
        return Tokens(usual.input, round(usual.output * factor), round(usual.thinking * factor))

    def _before(self, model: Model, action: str, gain: Gain | None) -> Estimate:
        name = canonical(model.id)
        measured = self.models.get(name)
        shift = gain.shifts.get(name, 0.0) if gain else 0.0
        if action in model.ability:
            return Estimate(_share(model.ability[action] + shift), _NARROW, "its row")
        if measured is not None:
            return Estimate(_share(measured.quality[action] + shift), _NARROW, "measured")
        figures = [model.benchmarks[each] for each in ("aider_polyglot", "swe_bench") if each in model.benchmarks]
        base = _TIER[model.tier]
        if figures:
            return Estimate(0.75 * base + 0.25 * max(figures) / 100, _WIDE, "its benchmarks")
        return Estimate(base, _WIDE, "its tier")


def from_json(data: Mapping[str, Any]) -> Prior:
    """Return what a file of weights says."""
    models = {
        canonical(name): Measured(
            quality=row["quality"], tokens={action: Tokens(*each) for action, each in row["tokens"].items()}
        )
        for name, row in data["models"].items()
    }
    return Prior(models=models, usual={action: Tokens(*each) for action, each in data["usual"].items()})


def canonical(model_id: str) -> str:
    """Return a model's name whoever serves it: without the vendor's prefix, a date and the case."""
    last = model_id.rpartition("/")[2].partition(":")[0].lower().replace(".", "-")
    return _DATED.sub("", last)


def _learned(prior: Estimate, outcomes: Outcomes) -> Estimate:
    """Fold in what happened on this machine."""
    number = outcomes.kept + outcomes.undone + outcomes.failed
    if not number:
        return prior
    share = number / (number + _WEIGHT)
    quality = (1 - share) * prior.quality + share * outcomes.kept / number
    return Estimate(_share(quality), prior.doubt * (1 - share), f"{prior.source}, {number} answers here")


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
