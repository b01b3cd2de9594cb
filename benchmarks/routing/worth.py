"""Fit the worth of a better answer, in USD, for each preset and action, and the penalty on what the code adds.

For a preset, each action's worth is chosen so that explain, fix and review with code score most together while they
cost no more than a share of always asking Opus 4.6. It is chosen on tasks that the fit of qualities has not seen (inner
folds), so a benchmark that leaves out a fold leaves it out of both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.routing.data import ACTIONS, BEST, Task
from benchmarks.routing.fit import FITTED
from benchmarks.routing.policy import Fitting, Offer, folds, spent, unseen
from tuppence.config.settings import PRESETS
from tuppence.core.models.model import Model
from tuppence.core.routing.worth import length_factor

CAPS = {"thrifty": 0.2, "balanced": 0.415}
"""The most that a preset may cost, as a share of always asking Opus 4.6."""
FLOORS = {"thrifty": 0.2, "balanced": 0.12}
"""How far below the measured models' mean for an action a model is not asked; a tier of local models is 0.25 below."""
GRID = (0.02, 0.028, 0.04, 0.05, 0.06, 0.08, 0.1, 0.13, 0.16)
"""USD for one unit of score."""
LEAST = {"thrifty": 0.02, "balanced": 0.04}
"""The least worth of a preset, set by hand: for a fix the score hardly depends on the worth until 0.08, so that what is
fitted below is chance."""
INNER = 3
"""Folds within the tasks that are fitted to."""

Sums = Mapping[tuple[str, float], tuple[float, float]]
"""Score and cost by action and worth."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What one penalty comes to on the inner folds."""

    sums: Sums
    """With each action and worth."""
    worth: Mapping[str, float]
    """By action, for the preset balanced."""
    dear: float
    """What always asking Opus 4.6 costs, USD."""

    @property
    def score(self) -> float:
        """The total score at ``worth``."""
        return sum(self.sums[action, worth][0] for action, worth in self.worth.items())


def with_presets(fittings: Mapping[float, Fitting], models: Sequence[Model]) -> Fitting:
    """Return a fit that also says what a better answer is worth.

    The penalty is the one with which the preset balanced scores most, for no more than its cap, on the inner folds.

    :param fittings: by penalty.
    """

    def fitted(tasks: Sequence[Task]) -> dict[str, Any]:
        tried = {penalty: _tried(tasks, fitting, models) for penalty, fitting in fittings.items()}
        penalty = max(tried, key=lambda each: (round(tried[each].score, 6), each))
        found = fittings[penalty](tasks)
        return {**found, "presets": _presets(tried[penalty], found["models"])}

    return fitted


def _tried(tasks: Sequence[Task], fitting: Fitting, models: Sequence[Model]) -> _Tried:
    coded = unseen(
        tasks, folds(tasks, 0, INNER), fitting, models, lambda each: bool(each.code) and each.action in FITTED
    )
    present = [action for action in FITTED if any(each.task.action == action for each in coded)]
    sums = {(action, worth): _sum(coded, action, worth, models) for action in present for worth in GRID}
    dear = sum(spent(each.task, BEST, models) for each in coded)
    return _Tried(
        sums, _best(sums, _allowed("balanced", dict.fromkeys(present, math.inf)), CAPS["balanced"] * dear), dear
    )


def _allowed(name: str, most: Mapping[str, float]) -> Mapping[str, Sequence[float]]:
    """Return, for each action, the numbers that a preset may choose from, least first."""
    return {action: [worth for worth in GRID if LEAST[name] <= worth <= most[action]] for action in most}


def _presets(tried: _Tried, measured: Mapping[str, Any]) -> dict[str, list[list[float]]]:
    """Return, for each action, ``quality``, floor and worth of each preset that has a worth."""
    found: dict[str, list[list[float]]] = {action: [] for action in ACTIONS}
    thrifty = _best(tried.sums, _allowed("thrifty", tried.worth), CAPS["thrifty"] * tried.dear)
    for name, most in (("balanced", tried.worth), ("thrifty", thrifty)):
        # An action whose code is not looked at has no fit of its own: it is worth what the others are worth at most.
        usual = max(most.values())
        for action in ACTIONS:
            level = sum(row["quality"][action] for row in measured.values()) / len(measured)
            floor = max(0.0, round(level - FLOORS[name], 3))
            found[action].insert(0, [PRESETS[name], floor, float(f"{most.get(action, usual):.3g}")])
    return found


def _sum(offers: Sequence[Offer], action: str, worth: float, models: Sequence[Model]) -> tuple[float, float]:
    """Return the total score and cost of an action's tasks with one worth."""
    score, cost = 0.0, 0.0
    for each in offers:
        if each.task.action == action:
            index = _pick(each, worth)
            score += each.task.scores[index]
            cost += spent(each.task, index, models)
    return score, cost


def _pick(each: Offer, worth: float) -> int:
    """Return the index of the row with the largest value; floors do not count among the measured models."""
    gain = each.need.gain
    scaled = worth * gain.stake * length_factor(each.need.target_tokens)
    few = [index for index, row in enumerate(each.rows) if not gain.plain or row.model.tier != "premium"]
    return max(few, key=lambda index: each.rows[index].quality - float(each.rows[index].cost or 0) / scaled)


def _best(sums: Sums, allowed: Mapping[str, Sequence[float]], cap: float) -> dict[str, float]:
    """Return the worth of each action with which they score most together within a cost.

    :param allowed: by action, the numbers to choose from, least first.
    """

    def total(way: Sequence[float], part: int) -> float:
        return sum(sums[action, worth][part] for action, worth in zip(allowed, way, strict=True))

    ways = list(product(*allowed.values()))
    within = [way for way in ways if total(way, 1) <= cap] or ways[:1]
    best = max(within, key=lambda way: (round(total(way, 0), 6), [-each for each in way]))
    return dict(zip(allowed, best, strict=True))
