"""How good a model's answer can be expected to be, and how long: from measurements, with a doubt.

What was measured on public data stands in weights.json, which benchmarks/routing fits and config/shipped.py reads. A
model that nobody measured is placed by its published figures or its tier, with a wide doubt. Which model answers is
core/routing/router.py's affair, and nothing here knows a price.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from statistics import fmean
from typing import Any

from tuppence.core.actions import FIX, measured_ids
from tuppence.core.models.model import Effort, Model, Tier
from tuppence.core.routing.difficulty import UNKNOWN as UNRATED
from tuppence.core.routing.difficulty import UNSEEN, Difficulty, rate
from tuppence.core.routing.features import READ, features, profile
from tuppence.core.routing.feedback import Outcomes, learned
from tuppence.core.routing.regression import FeatureWeights, LinearFit, through
from tuppence.core.text.diagnostic import Diagnostic

_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")
_TIER: Mapping[Tier, float] = {"premium": 0.03, "workhorse": 0.0, "specialised": -0.05, "budget": -0.08, "local": -0.25}
"""Where a tier stands to the measured models' mean; set by hand beside the public edits, small models far below."""
_WIDE, _USUAL = 0.06, 0.02
"""The doubt of a model that nobody measured, and of a figure that somebody states as measured."""
_LOW = 0.01
"""From where on down a quality that may be counted on is drawn in."""
_EDGE = 0.1
"""How far from 0 and 1 an estimate is taken as it is."""
_IN_PART = f"models compared by its first {READ:,} characters"
"""Said where there is more code than features are made of."""
_NONE = Outcomes()
RUN = "tests, run"
"""The check of tests that are run, on the code and on mutants of it."""
_ASIDE = 0.5
"""How much of its standing in one kind of task a model is taken to keep in another; a guess, hence the doubt."""


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
    def lower_bound(self) -> float:
        """The quality that may be counted on: a doubt away from the expected one."""
        return floored(self.quality - self.doubt)

    def supposed(self, usual: float) -> float:
        """Return the quality that others are measured by: no more than a usual doubt away from the expected one."""
        return floored(self.quality - min(self.doubt, usual))


UNKNOWN = Estimate(0.0, 0.0, "")
"""Of whom nothing is expected."""


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
class CodeSignal:
    """What the code says about models: how hard it is, and which it favors."""

    action: str
    misses: float | None
    """The share of the measured models' answers that is expected to miss; None where there is no code to judge."""
    reasons: tuple[str, ...]
    """What can be counted in the code, most telling first, and by how much of it the models were judged."""
    shifts: Mapping[str, float] = field(default_factory=dict)
    """By measured model: what this code adds to its quality for the action."""
    usual: float = 0.5
    """The action's mean share of answers that miss."""
    line: LinearFit | None = None
    """What this code adds for models that were not measured; None where it was not drawn yet."""
    rated: Difficulty = UNRATED
    """How hard the code is."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one model, by action."""

    quality: Mapping[str, float]
    doubt: Mapping[str, float]
    tokens: Mapping[str, Tokens]


@dataclass(frozen=True, slots=True)
class Check:
    """How sharp a check of answers is, as far as anything public shows it; what nothing shows is 0."""

    finds: float = 0.0
    """The share of bad answers that it finds, and so sends up the ladder."""
    alarms: float = 0.0
    """The share of good answers that it sends up too; never more than ``finds``."""

    def fails(self, quality: float) -> float:
        """Return the chance that an answer of an expected quality does not pass."""
        return (1 - quality) * self.finds + quality * self.alarms


@dataclass(frozen=True, slots=True)
class Published:
    """How published figures place a model among the measured ones."""

    edits: Mapping[str, float]
    """The share of public edits that a model got right, by its canonical name."""
    above: float
    """What a measured model's quality for a fix lies above that share; from makers measured in both."""
    slope: float
    """What a point of Aider's polyglot figure adds to that share."""
    middle: float
    """The figure that adds nothing: the mean of those models whose edits are public too."""


@dataclass(frozen=True)
class QualityModel:
    """What is known before anything happened on this machine.

    Each method takes the id of any action of the table; where that action was not measured itself, the measurements of
    the one that it names, or that has its shape, are used (``measured_id``).
    """

    models: Mapping[str, Measured]
    """By the models' canonical names."""
    usual: Mapping[str, Tokens]
    """By action, for a model that nobody measured."""
    published: Published
    weights: Mapping[str, FeatureWeights]
    """What code adds, by action; an action that is not here is judged without its code."""
    checks: Mapping[str, Check] = field(default_factory=dict)
    """By action, and for tests that are run as RUN."""

    def measured_id(self, action: str) -> str:
        """Return the id of the action whose measurements are used for an action."""
        found = self._measured_ids.get(action)
        if found is None:
            found = next((each for each in measured_ids(action) if each in self.usual), action)
            self._measured_ids[action] = found
        return found

    def gain(self, action: str, language: str, code: str | None, diagnostics: Sequence[Diagnostic] = ()) -> CodeSignal:
        """Return what a piece of code says, for an action and an editor's name of the language."""
        usual = 1 - self._level(action)
        if not code:
            return CodeSignal(action, None, (UNSEEN,), usual=usual)
        seen = profile(language, code)
        rated = rate(seen, action, len(diagnostics))
        reasons = rated.reasons
        if len(code) > READ:
            reasons = (*reasons, _IN_PART)
        measured = self.measured_id(action)
        weights = self.weights.get(measured)
        if weights is None:
            return CodeSignal(action, usual, reasons, usual=usual, rated=rated)
        errors = sum(each.severity == "error" for each in diagnostics)
        shifts = weights.apply(features(seen, errors))
        expected = fmean(_share(each.quality[measured] + shifts.get(name, 0.0)) for name, each in self.models.items())
        return CodeSignal(action, 1 - expected, reasons, shifts, usual, self._line(action, shifts), rated)

    def estimate(
        self, model: Model, action: str, gain: CodeSignal | None = None, outcomes: Outcomes = _NONE
    ) -> Estimate:
        """Return what to expect of a model's answer for an action, on the code of ``gain`` if there is any."""
        name = canonical(model.id)
        base = self._base(model, name, action)
        if chosen := model.at_effort.get(model.chosen_effort):
            base = _at_effort(base, chosen, self._stated(model, action) or action)
        quality = base.quality
        if gain is not None and gain.shifts:
            shift = gain.shifts.get(name)
            if shift is None:
                shift = (gain.line or self._line(gain.action, gain.shifts)).at(quality)
            quality = _share(quality + shift)
        return Estimate(*learned(quality, base.doubt, outcomes), base.source)

    def tokens(self, model: Model, action: str, target: int | None = None) -> Tokens:
        """Return the usual size of a model's request for an action; ``target`` is the code's, in tokens, if known."""
        measured = self.models.get(canonical(model.id))
        usual = self.usual_tokens(action) if measured is None else measured.tokens[self.measured_id(action)]
        if target is None:
            return usual
        # Longer code makes a longer answer, but not in proportion: the root is what the measured answers come near.
        factor = math.sqrt(max(1, target) / usual.input)
        return Tokens(usual.input, round(usual.output * factor), round(usual.thinking * factor))

    def usual_tokens(self, action: str) -> Tokens:
        """Return the usual size of a request for an action, whichever model answers."""
        return self.usual[self.measured_id(action)]

    def doubt(self, action: str) -> float:
        """Return the most that a figure is doubted which somebody measured, for an action."""
        return self._doubts[self.measured_id(action)]

    def check(self, name: str) -> Check:
        """Return the check of that name, an action's id or RUN; one that was never measured finds nothing."""
        return self.checks.get(self.measured_id(name), _BLIND)

    def _base(self, model: Model, name: str, action: str) -> Estimate:
        measured = self.models.get(name)
        if stated := self._stated(model, action):
            return Estimate(model.ability[stated], _narrow(measured, self.measured_id(action)), "its row")
        if measured is not None:
            known = self.measured_id(action)
            return Estimate(measured.quality[known], measured.doubt[known], "measured")
        standing, source = self._standing(model, name, action)
        return Estimate(_share(self._level(action) + standing), _WIDE, source)

    def _stated(self, model: Model, action: str) -> str:
        """Return the id under which a model's row states its ability for an action; empty where it states none."""
        if action in model.ability:
            return action
        measured = self.measured_id(action)
        return measured if measured in model.ability else ""

    def _standing(self, model: Model, name: str, action: str) -> tuple[float, str]:
        """Return where a model that was not measured stands to the mean of those that were."""
        published, figure = self.published, model.benchmarks.get("aider_polyglot")
        # What is known of edits says most about a fix.
        part = 1.0 if self.measured_id(action) == FIX.id else _ASIDE
        if name in published.edits:
            return part * (published.edits[name] + published.above - self._level(FIX.id)), "its public edits"
        tier = _TIER[model.tier]
        if figure is None:
            return tier, "its tier"
        # Aider's figure says little of public edits: it moves a model within its tier, and a good one never down.
        return tier + part * published.slope * (figure - published.middle), "its benchmarks"

    def _level(self, action: str) -> float:
        return self._levels[self.measured_id(action)]

    @cached_property
    def _measured_ids(self) -> dict[str, str]:
        """The answers of ``measured_id``: asked for with every row of every table, of a table that never changes."""
        return {}

    @cached_property
    def _levels(self) -> Mapping[str, float]:
        """The measured models' mean by action: asked for with every row of every table."""
        every = list(self.models.values())
        return {action: fmean(each.quality[action] for each in every) for action in every[0].quality}

    @cached_property
    def _doubts(self) -> Mapping[str, float]:
        every = list(self.models.values())
        return {action: max(_USUAL, *(each.doubt[action] for each in every)) for action in every[0].doubt}

    def _line(self, action: str, shifts: Mapping[str, float]) -> LinearFit:
        measured = self.measured_id(action)
        return through([(self.models[each].quality[measured], shift) for each, shift in shifts.items()])


_BLIND = Check()


def from_json(data: Mapping[str, Any]) -> QualityModel:
    """Return what a file of weights says."""
    models = {
        canonical(name): Measured(
            quality=row["quality"],
            doubt=row["doubt"],
            tokens={action: Tokens(*each) for action, each in row["tokens"].items()},
        )
        for name, row in data["models"].items()
    }
    return QualityModel(
        models=models,
        usual={action: Tokens(*each) for action, each in data["usual"].items()},
        published=Published(**data["published"]),
        weights={
            action: FeatureWeights.unpack([canonical(each) for each in row["models"]], row["step"], row["weights"])
            for action, row in data["gain"].items()
        },
        checks={name: Check(each["finds"], each["alarms"]) for name, each in data["checks"].items()},
    )


@cache
def canonical(model_id: str) -> str:
    """Return a model's name whoever serves it: without the vendor's prefix, a date and the case."""
    last = model_id.rpartition("/")[2].partition(":")[0].lower().replace(".", "-")
    return _DATED.sub("", last)


def _at_effort(base: Estimate, chosen: Effort, action: str) -> Estimate:
    """Return the estimate for an effort: where nobody stated what it is worth it is what the row gives, and doubted."""
    if action in chosen.ability:
        return base
    return replace(base, doubt=base.doubt + _WIDE, source=f"{base.source}, at another effort")


def _narrow(measured: Measured | None, action: str) -> float:
    return _USUAL if measured is None else measured.doubt[action]


def floored(quality: float) -> float:
    """Return a quality above 0: what would lie below is drawn in, never cut, so that the better stays the better."""
    return quality if quality > _LOW else _LOW * math.exp((quality - _LOW) / _LOW)


def _share(value: float) -> float:
    """Return a share of 1; what lies outside the measured range is drawn in, never cut: the better stays the better."""
    if value > 1 - _EDGE:
        return 1 - _EDGE * math.exp(-(value - 1 + _EDGE) / _EDGE)
    return _EDGE * math.exp((value - _EDGE) / _EDGE) if value < _EDGE else value
