"""How hard a piece of code is, from what a person can count in it, and a level that a choice of a model can follow.

Each count adds its weight for every doubling, lines and the cases of a switch up to a bound: so neither a long table
nor a generated file becomes hard by its length, and more of anything never makes code easier. The weights and the two
bounds were set by hand, by one part of the labeled functions in benchmarks/difficulty; how well they order the other
part is in benchmarks/difficulty/RESULTS.md. Code that cannot be seen is no evidence of ease: it is rated moderate, what
was counted in part no lower, and the reasons say so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tuppence.core.actions import find_action
from tuppence.core.routing.features import CodeProfile

Level = Literal["simple", "moderate", "hard"]
UNSEEN = "the code is not known"
"""The reason where there is no code."""
CUT = "counted in part"
"""Said where code is longer or deeper than was counted."""
_SHOWN = 3
"""Counts that are shown beside the lines."""
_MODERATE, _HARD = 3.3, 4.8
"""The sums from which code is moderate, and hard."""
_THIRD = 1 / 3


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that a person would count."""

    name: str
    """The key in the counts of a CodeProfile, or ``diagnostics``."""
    weight: float
    """What each doubling of one more than the count adds."""
    one: str
    """How a person reads a single one; ``{}`` is the count."""
    many: str
    """How a person reads several."""
    most: int = 10**9
    """The count from which on more adds nothing."""

    def shown(self, count: int) -> str:
        """Return it as a person reads it."""
        return (self.one if count == 1 else self.many).format(count)

    def part(self, counts: Mapping[str, int]) -> float:
        """Return what it adds to the sum."""
        return self.weight * math.log2(1 + min(self.most, counts.get(self.name, 0)))


LINES = Feature("lines", 0.3, "{} line", "{} lines", most=250)
DIAGNOSTICS = Feature("diagnostics", 0.5, "{} diagnostic", "{} diagnostics")
FEATURES = (
    Feature("atomics", 2.0, "atomic memory access", "atomic memory accesses"),
    Feature("unsafe", 1.5, "{} unsafe block", "{} unsafe blocks"),
    Feature("concurrency", 1.0, "concurrency", "concurrency"),
    Feature("awaits", 0.8, "{} await", "{} awaits"),
    Feature("recursion", 0.8, "recursion", "recursion"),
    Feature("loops", 0.7, "{} loop", "{} loops"),
    Feature("bits", 0.7, "{} bit operation", "{} bit operations"),
    Feature("depth", 0.6, "nested {} deep", "nested {} deep"),
    Feature("indices", 0.6, "{} computed index", "{} computed indices"),
    Feature("branches", 0.5, "{} branch", "{} branches"),
    Feature("jumps", 0.5, "{} goto", "{} gotos"),
    Feature("yields", 0.5, "{} yield", "{} yields"),
    Feature("conditions", 0.3, "{} joined condition", "{} joined conditions"),
    Feature("try", 0.3, "{} exception handler", "{} exception handlers"),
    Feature("types", 0.3, "{} generic type", "{} generic types"),
    Feature("pointers", 0.3, "{} pointer", "{} pointers"),
    Feature("closures", 0.2, "{} closure", "{} closures"),
    Feature("cases", 0.2, "{} case", "{} cases", most=15),
)
"""Every count but the lines and the diagnostics."""


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard a request is."""

    value: float
    """0 to 1: below a third is simple, below two thirds moderate, else hard."""
    level: Level
    reasons: tuple[str, ...]
    """The counts that add most, in words, most of all first; the lines at the end."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """By the names of FEATURES, ``lines`` and ``diagnostics``; absent is none. Empty where the code is not known."""

    def __str__(self) -> str:
        return f"{self.level}: {', '.join(self.reasons)}"


UNKNOWN = Difficulty(0.5, "moderate", (UNSEEN,))
"""Of code that is not known."""


def rate(seen: CodeProfile | None, action: str, diagnostics: int = 0) -> Difficulty:
    """Return how hard a piece of code is for an action.

    The code is as hard for every action, but for one that corrects what diagnostics report: there each of them counts.

    :param seen: the code as core/routing/features.py read it; None where it is not known.
    :param action: the action's id.
    :param diagnostics: how many are reported in the code.
    """
    if seen is None or not seen.counts.get("lines"):
        return UNKNOWN
    counts = {name: count for name, count in seen.counts.items() if count}
    row = find_action(action)
    if diagnostics and row is not None and row.fixes_diagnostics:
        counts["diagnostics"] = diagnostics
    ranked = sorted((*FEATURES, DIAGNOSTICS), key=lambda each: -each.part(counts))
    shown = [each.shown(counts[each.name]) for each in ranked if counts.get(each.name)][:_SHOWN]
    reasons = (*shown, LINES.shown(counts["lines"]), *((CUT,) if seen.is_cut else ()))
    value = _value(sum(each.part(counts) for each in (*FEATURES, LINES, DIAGNOSTICS)))
    value = max(value, UNKNOWN.value) if seen.is_cut else value
    return Difficulty(value, level(value), reasons, counts)


def level(value: float) -> Level:
    """Return the level of a number from 0 to 1."""
    if value < _THIRD:
        return "simple"
    return "moderate" if value < 2 * _THIRD else "hard"


def _value(total: float) -> float:
    """Return a sum as a number below 1, so that each level has a third."""
    if total < _MODERATE:
        return _THIRD * total / _MODERATE
    if total < _HARD:
        return _THIRD * (1 + (total - _MODERATE) / (_HARD - _MODERATE))
    return 1 - _THIRD * _HARD / total
