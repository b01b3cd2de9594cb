"""How hard a request is, and what stands out in its code.

The number is the share of the measured models' answers that is expected to miss on this code; core/routing/quality.py
reckons it.
The reasons are what a person can check: named counts of the code, with what is ordinary left out; the number does not
follow from them. How far it can be trusted stands in benchmarks/routing/RESULTS.md. Code that cannot be seen is no
evidence of ease: then the number is the action's mean, and the reason says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

PLAIN = "short and plain"
"""What is said of code in which nothing stands out."""
UNSEEN = "the code is not known"
"""What is said where there is no code."""
_TOLD = 3
"""Reasons that are told."""
_MOST_SALIENT = 2.0
"""The sum of weights from which on code is taken for as hard as any."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One property of code that a person would name."""

    name: str
    """The key in the counts of core/syntax/parser.py."""
    weight: float
    """How much each doubling above the ordinary stands out beside other properties; set by hand."""
    free: int
    """How many are ordinary and do not stand out."""
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
    """The share of the measured models' answers that is expected to miss, 0 to 1."""
    reasons: tuple[str, ...]
    """What stands out in the code, most of all first."""

    def __str__(self) -> str:
        return f"{self.value:.2f}: {', '.join(self.reasons) or PLAIN}"


def outstanding(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return what stands out in code with these counts, most of all first.

    :param counts: the counts of core/syntax/parser.py for the target, with ``diagnostics`` added.
    """
    shares = {feature: _share(feature, counts.get(feature.name, 0)) for feature in FEATURES}
    telling = sorted((feature for feature in FEATURES if shares[feature] > 0), key=lambda each: -shares[each])
    return tuple(feature.told(counts[feature.name]) for feature in telling[:_TOLD])


def salience(counts: Mapping[str, int]) -> float:
    """Return how much stands out in code with these counts, 0 to 1; it scales what a better answer is worth."""
    parts = (_share(feature, counts.get(feature.name, 0)) for feature in FEATURES if feature.name != "calls")
    return min(1.0, sum(parts) / _MOST_SALIENT)


def _share(feature: Feature, count: int) -> float:
    return feature.weight * math.log2(1 + max(0, count - feature.free) / max(1, feature.free))
