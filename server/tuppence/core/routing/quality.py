"""How good a model's answer can be expected to be, and how long: from measurements, with a doubt.

What was measured on public data is in weights.json, which benchmarks/routing fits and config/shipped.py reads. A model
that was not measured takes the figures of the one that it follows, or is placed by core/routing/unmeasured_models.py.
What a piece of code adds to a model counts as far as the code is like the code that was measured. Which model answers
is decided in core/routing/router.py.
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
from tuppence.core.models.model import Effort, Model
from tuppence.core.models.usage import Tokens
from tuppence.core.routing.difficulty import UNKNOWN as UNRATED
from tuppence.core.routing.difficulty import UNSEEN, Difficulty, rate
from tuppence.core.routing.features import READ, features, profile
from tuppence.core.routing.feedback import Outcomes, learned
from tuppence.core.routing.regression import FeatureWeights, LinearFit, through
from tuppence.core.routing.unmeasured_models import Published
from tuppence.core.routing.worth import Bar, Preset, bar, is_plain, stake
from tuppence.core.text.diagnostic import Diagnostic

_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")
_WIDE, _USUAL = 0.06, 0.02
"""The doubt of a model that nobody measured, and of a figure that somebody states as measured."""
_EDGE = 0.1
"""How far from 0 and 1 an estimate is taken as it is."""
_IN_PART = f"models compared by its first {READ:,} characters"
"""Said where there is more code than features are made of."""
_BEFORE = "its predecessor"
_NONE = Outcomes()
RUN = "tests, run"
"""The check of tests that are run, on the code and on mutants of it."""
_UNLIKE, _LIKE = 0.8, 0.9
"""Up to which likeness code is taken for unlike the measured code, and from which on for like it. Of the measured code,
99 % reaches 0.8 when it is left out; of 400 functions of Python's library none does."""
LIKENESS = "likeness"
"""The row of the weights that says how like the measured code a piece of code is."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What to expect of one model's answer."""

    quality: float
    """0 to 1."""
    doubt: float
    """One standard deviation of ``quality``: how far the estimate itself may be off."""
    source: str
    """Where it comes from, as a person reads it: "measured", "its row", "its benchmarks", "its tier"."""
    unproven: float = 0.0
    """Quality to subtract in comparisons, because the row states no ability for the chosen effort."""

    @property
    def compared(self) -> float:
        """The quality that models are compared by, above 0: the better is still the better."""
        return _share(self.quality - self.unproven) if self.unproven else self.quality


UNKNOWN = Estimate(0.0, 0.0, "")
"""Of whom nothing is expected."""
Judged = dict[int, Estimate]
"""What is expected of rows in one decision, before local outcomes, by the row's ``id``; variants are not in it."""


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
    stake: float = 1.0
    """The factor on what a better answer is worth (core/routing/worth.py)."""
    plain: bool = False
    """Whether the code is a few plain lines, for which the top tier is not asked by itself."""

    @property
    def shift(self) -> float:
        """What the code adds to the measured models' mean quality."""
        return fmean(self.shifts.values()) if self.shifts else 0.0


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
    presets: Mapping[str, Sequence[Preset]] = field(default_factory=dict)
    """By action, what a better answer is worth at each preset, by rising ``quality``."""

    def measured_id(self, action: str) -> str:
        """Return the id of the action whose measurements are used for an action."""
        return self._measured_ids[action]

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
        plain = is_plain(code, seen.counts)
        measured = self.measured_id(action)
        weights = self.weights.get(measured)
        if weights is None:
            worth = stake(rated.level, 0.0, plain=plain)
            return CodeSignal(action, usual, reasons, usual=usual, rated=rated, stake=worth, plain=plain)
        errors = sum(each.severity == "error" for each in diagnostics)
        added = dict(weights.apply(features(seen, errors)))
        like = min(1.0, max(0.0, (added.pop(LIKENESS, 1.0) - _UNLIKE) / (_LIKE - _UNLIKE)))
        shifts = {name: like * shift for name, shift in added.items()}
        expected = fmean(_share(each.quality[measured] + shifts.get(name, 0.0)) for name, each in self.models.items())
        return CodeSignal(
            action,
            1 - expected,
            reasons,
            shifts,
            usual,
            self._line(action, shifts),
            rated,
            stake(rated.level, like, plain=plain),
            plain,
        )

    def bar(self, action: str, quality: float) -> Bar:
        """Return how models are weighed for an action at a ``quality``, whatever the code."""
        return bar(self.presets.get(self.measured_id(action), ()), quality)

    def estimate(
        self,
        model: Model,
        action: str,
        gain: CodeSignal | None = None,
        outcomes: Outcomes = _NONE,
        judged: Judged | None = None,
    ) -> Estimate:
        """Return what to expect of a model's answer for an action, on the code of ``gain`` if there is any.

        :param judged: one dict for all rows of a decision, in which each row is judged once, also as a predecessor.
        """
        found = self._expected(model, action, gain, {} if judged is None else judged)
        if not outcomes.number:
            return found
        return Estimate(*learned(found.quality, found.doubt, outcomes), found.source, found.unproven)

    def tokens(self, model: Model, action: str, target: int | None = None) -> Tokens:
        """Return the usual size of a model's request for an action; ``target`` is the code's, in tokens, if known."""
        measured = self._measured(model)
        usual = self.usual_tokens(action) if measured is None else measured.tokens[self.measured_id(action)]
        return usual if target is None else usual.for_code(target)

    def usual_tokens(self, action: str) -> Tokens:
        """Return the usual size of a request for an action, whichever model answers."""
        return self.usual[self.measured_id(action)]

    def check(self, name: str) -> Check:
        """Return the check of that name, an action's id or RUN; one that was never measured finds nothing."""
        return self.checks.get(self.measured_id(name), _BLIND)

    def _measured(self, model: Model) -> Measured | None:
        """Return what was measured of a model, or else of the nearest one before it."""
        each: Model | None = model
        while each is not None:
            if found := self.models.get(canonical(each.figures_id)):
                return found
            each = each.predecessor
        return None

    def _expected(self, model: Model, action: str, gain: CodeSignal | None, judged: Judged) -> Estimate:
        """Return what to expect before anything happened here: never less than of the predecessor, unless stated."""
        if known := judged.get(id(model)):
            return known
        stated = self._stated(model, action)
        name = canonical(model.figures_id)
        if stated or model.predecessor is None:
            found = self._own(model, name, action, gain, stated)
        else:
            found = self._before(model, model.predecessor, action, gain, judged)
            if name in self.models or name in self.published.edits:
                own = self._own(model, name, action, gain, stated)
                found = own if own.quality >= found.quality else found
        if chosen := model.at_effort.get(model.chosen_effort):
            return _at_effort(found, chosen, stated or action)
        judged[id(model)] = found
        return found

    def _before(self, model: Model, former: Model, action: str, gain: CodeSignal | None, judged: Judged) -> Estimate:
        """Return what the predecessor gives a model: of the same effort, where the predecessor offers it."""
        if model.chosen_effort in former.at_effort:
            former = next(each for each in former.variants() if each.chosen_effort == model.chosen_effort)
        found = self._expected(former, action, gain, judged)
        return Estimate(found.quality, max(found.doubt, _WIDE), _BEFORE, found.unproven)

    def _own(self, model: Model, name: str, action: str, gain: CodeSignal | None, stated: str) -> Estimate:
        """Return the estimate for a model itself, with the effect of the code.

        :param stated: the id under which its row states its ability for the action; empty if it states none.
        """
        base = self._base(model, name, action, stated)
        if gain is None or not gain.shifts:
            return base
        shift = gain.shifts.get(name)
        if shift is None:
            shift = (gain.line or self._line(gain.action, gain.shifts)).at(base.quality)
        quality = _share(base.quality + shift)
        if (heir := self._heir(name)) and not stated:
            # A guess at a predecessor is never above what was measured of its successor on such code.
            above = gain.shifts.get(self.published.heirs[name], 0.0)
            quality = min(quality, _share(heir.quality[self.measured_id(action)] + above))
        return Estimate(quality, base.doubt, base.source)

    def _heir(self, name: str) -> Measured | None:
        """Return what was measured of the model that followed one which was not measured itself."""
        return None if name in self.models else self.models.get(self.published.heirs.get(name, ""))

    def _base(self, model: Model, name: str, action: str, stated: str) -> Estimate:
        measured, known = self.models.get(name), self.measured_id(action)
        if stated:
            return Estimate(model.ability[stated], _narrow(measured, known), "its row")
        if measured is not None:
            return Estimate(measured.quality[known], measured.doubt[known], "measured")
        standing, source = self.published.standing(model, name, self._level(FIX.id), is_fix=known == FIX.id)
        quality = _share(self._level(action) + standing)
        if heir := self._heir(name):
            quality = min(quality, heir.quality[known])
        return Estimate(quality, _WIDE, source)

    def _stated(self, model: Model, action: str) -> str:
        """Return the id under which a model's row states its ability for an action; empty where it states none."""
        if action in model.ability:
            return action
        measured = self.measured_id(action)
        return measured if measured in model.ability else ""

    def _level(self, action: str) -> float:
        return self._levels[self.measured_id(action)]

    @cached_property
    def _measured_ids(self) -> _MeasuredIds:
        """The results of ``measured_id``, which is called for every row of every table."""
        return _MeasuredIds(self.usual)

    @cached_property
    def _levels(self) -> Mapping[str, float]:
        """The measured models' mean by action: asked for with every row of every table."""
        every = list(self.models.values())
        return {action: fmean(each.quality[action] for each in every) for action in every[0].quality}

    def _line(self, action: str, shifts: Mapping[str, float]) -> LinearFit:
        measured = self.measured_id(action)
        return through([(self.models[each].quality[measured], shift) for each, shift in shifts.items()])


class _MeasuredIds(dict[str, str]):
    """The id of the action whose measurements are used, by action; found once for each."""

    def __init__(self, usual: Mapping[str, object]) -> None:
        super().__init__()
        self._usual = usual

    def __missing__(self, action: str) -> str:
        self[action] = next((each for each in measured_ids(action) if each in self._usual), action)
        return self[action]


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
            action: FeatureWeights.unpack([*map(canonical, row["models"]), LIKENESS], row["step"], row["weights"])
            for action, row in data["gain"].items()
        },
        checks={name: Check(each["finds"], each["alarms"]) for name, each in data["checks"].items()},
        presets={action: [Preset(*each) for each in rows] for action, rows in data["presets"].items()},
    )


@cache
def canonical(model_id: str) -> str:
    """Return a model's name whoever serves it: without the vendor's prefix, a date and the case."""
    last = model_id.rpartition("/")[2].partition(":")[0].lower().replace(".", "-")
    return _DATED.sub("", last)


def _at_effort(base: Estimate, chosen: Effort, action: str) -> Estimate:
    """Return the estimate for an effort; without a stated ability, the row's estimate with a wider doubt.

    Less thinking costs less but is not as good, so the doubt is subtracted when models are compared.
    """
    if action in chosen.ability:
        return base
    source = f"{base.source}, at another effort"
    return replace(base, doubt=base.doubt + _WIDE, source=source, unproven=_WIDE)


def _narrow(measured: Measured | None, action: str) -> float:
    return _USUAL if measured is None else measured.doubt[action]


def _share(value: float) -> float:
    """Return a share of 1; what lies outside the measured range is drawn in, never cut: the better stays the better."""
    if value > 1 - _EDGE:
        return 1 - _EDGE * math.exp(-(value - 1 + _EDGE) / _EDGE)
    return _EDGE * math.exp((value - _EDGE) / _EDGE) if value < _EDGE else value
