"""How hard a request is, from the code alone: a number between 0 and 1, with the reasons that a person can check.

A first, hand-set model: each feature is a named line with a weight, squashed by a logistic curve. It reads the user's
code and diagnostics, never the prompt around them. Code that cannot be seen is no evidence of ease: then the number
is the middle of the action's range and the reason says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_MEDIUM, _HARD = 0.35, 0.65
"""Where those words begin."""
PLAIN = "short and plain"
"""What is said of code in which nothing counts."""
_BASE = {"explain": -0.9, "fix": -0.5, "tests": -0.4, "review": -0.2}
"""Where an action stands before its code is looked at, in log-odds: reading is easier than changing."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One property of the code that makes a request harder."""

    name: str
    """The key in the counts of core/syntax.py."""
    weight: float
    """Log-odds per unit, after the unit's damping."""
    free: int
    """How many are ordinary and count nothing."""
    words: str
    """How a person reads it; ``{}`` is the count."""
    one: str = ""
    """How a person reads a single one, where ``words`` would read wrong."""

    def told(self, count: int) -> str:
        """Return it as a person reads it."""
        return self.one if self.one and count == 1 else self.words.format(count)


FEATURES = (
    Feature("lines", 0.35, 15, "{} lines"),
    Feature("depth", 0.30, 2, "nested {} deep"),
    Feature("loops", 0.25, 1, "{} loops"),
    Feature("branches", 0.15, 3, "{} branches"),
    Feature("async", 0.45, 0, "async"),
    Feature("try", 0.20, 0, "{} exception handlers", "an exception handler"),
    Feature("closures", 0.25, 0, "{} closures", "a closure"),
    Feature("types", 0.15, 2, "{} generic types"),
    Feature("calls", 0.10, 8, "{} calls"),
    Feature("diagnostics", 0.30, 1, "{} diagnostics"),
)


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard a request is."""

    value: float
    """0 is trivial, 1 is as hard as code gets."""
    reasons: tuple[str, ...]
    """The features that count most, weightiest first."""

    def __str__(self) -> str:
        word = "easy" if self.value < _MEDIUM else "medium" if self.value < _HARD else "hard"
        return f"{word} {self.value:.2f}: {', '.join(self.reasons) or PLAIN}"


def judge(action: str, counts: Mapping[str, int] | None) -> Difficulty:
    """Return how hard an action on code with these counts is.

    :param counts: the counts of core/syntax.py for the target, with ``diagnostics`` added; None where there is no code.
    """
    if counts is None:
        return Difficulty(0.5, ("the code is not known",))
    shares = {feature: _share(feature, counts.get(feature.name, 0)) for feature in FEATURES}
    odds = _BASE.get(action, 0.0) + sum(shares.values())
    telling = sorted((feature for feature in FEATURES if shares[feature] > 0), key=lambda each: -shares[each])
    reasons = tuple(feature.told(counts[feature.name]) for feature in telling[:3])
    return Difficulty(round(1 / (1 + math.exp(-odds)), 4), reasons)


def _share(feature: Feature, count: int) -> float:
    """Return the feature's log-odds; each doubling above the ordinary adds one weight."""
    return feature.weight * math.log2(1 + max(0, count - feature.free) / max(1, feature.free))
