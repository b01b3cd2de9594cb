"""What climbing is worth: a weak model's answer is checked, and a stronger one asked where it fails.

Played on who passed which edit of EDIT-Bench, with a check that finds a given share of the wrong answers and sends up a
given share of the right ones. Both answers are taken to be of one length, so that a try costs what its model's price
says. What is sent up at random at the same cost is the measure: climbing pays where it does better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.routing.checks import Sharpness
from benchmarks.routing.measure import interval

PLAYED = ((0.07, 0.1), (0.2, 0.0), (0.2, 0.1), (0.5, 0.0), (0.5, 0.1), (0.75, 0.0), (1.0, 0.0))
"""Shares of wrong and of right answers that a check sends up, beside no check and the product's own."""
STRONG = ("claude-sonnet-4", 15.0)
WEAK = (
    ("gpt-4o-mini", 0.60),
    ("llama-3.3-70b-instruct", 0.32),
    ("qwen3-coder", 1.00),
    ("kimi-k2-0905", 2.50),
    ("gpt-o3-mini", 4.40),
)
"""Models and their list prices, USD per million tokens of output."""


@dataclass(frozen=True, slots=True)
class Climb:
    """One weak model, one check."""

    weak: str
    finds: float
    """The share of wrong answers that is sent up."""
    alarms: float
    """The share of right answers that is sent up."""
    quality: float
    """Share of the strong model's passes."""
    cost: float
    """Share of always asking the strong one."""
    above: float
    """How far ``quality`` lies above sending as many up at random."""
    low: float
    """The bootstrap's 95 % interval of ``better_than``, over groups of near-twins."""
    high: float

    @property
    def pays(self) -> bool:
        """Whether it is better than sending up at random, beyond doubt."""
        return self.low > 0


def simulate(edits: Mapping[str, Mapping[str, bool]], groups: Mapping[str, int], own: Sharpness) -> Sequence[Climb]:
    """Return the outcome for every weak model and check.

    :param own: the product's own check of an edit.
    """
    strong, dear = STRONG
    found = []
    for weak, cheap in WEAK:
        by_group: dict[int, list[tuple[bool, bool]]] = {}
        for name in sorted(set(edits[weak]) & set(edits[strong])):
            by_group.setdefault(groups[name], []).append((edits[weak][name], edits[strong][name]))
        for finds, alarms in ((0.0, 0.0), (own.finds, own.alarms), *PLAYED):
            rows = [_summed(pairs, finds, alarms) for pairs in by_group.values()]
            passes, other, _, climbs, count = (sum(part) for part in zip(*rows, strict=True))
            low, high = interval(rows, _above)
            cost = cheap / dear + climbs / count
            found.append(Climb(weak, finds, alarms, passes / other, cost, _above(rows), low, high))
    return found


def _summed(pairs: Sequence[tuple[bool, bool]], finds: float, alarms: float) -> tuple[float, ...]:
    """Return a group's passes with climbing, the strong model's, the weak one's, the climbs and the edits."""
    rows = []
    for right, other in pairs:
        climbs = alarms if right else finds
        rows.append((right * (1 - climbs) + other * climbs, other, right, climbs, 1))
    return tuple(float(sum(part)) for part in zip(*rows, strict=True))


def _above(rows: Sequence[tuple[float, ...]]) -> float:
    passes, strong, weak, climbs, count = (sum(part) for part in zip(*rows, strict=True))
    share = climbs / count
    return float((passes - (1 - share) * weak - share * strong) / strong)
