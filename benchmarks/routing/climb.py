"""What climbing is worth: a weak model's answer is checked, and a stronger one asked where it fails.

Played on who passed which edit of EDIT-Bench, with a check that finds a given share of the wrong answers and no right
one. Both answers are taken to be of one length, so that a try costs what its model's price says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.routing.measure import interval

CATCHES = (0.0, 0.07, 0.2, 0.35, 0.5, 0.75, 1.0)
"""Shares of wrong answers that a check finds; 0.07 is what a look at the syntax finds of these."""
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
    catches: float
    quality: float
    """Share of the strong model's passes."""
    low: float
    high: float
    cost: float
    """Share of always asking the strong one."""
    mixed: float
    """What sending the same share of requests to the strong one at random would give."""


def simulate(edits: Mapping[str, Mapping[str, bool]], groups: Mapping[str, int]) -> Sequence[Climb]:
    """Return the outcome for every weak model and check, over groups of near-twins."""
    strong, dear = STRONG
    found = []
    for weak, cheap in WEAK:
        names = sorted(set(edits[weak]) & set(edits[strong]))
        by_group: dict[int, list[str]] = {}
        for name in names:
            by_group.setdefault(groups[name], []).append(name)
        for catches in CATCHES:
            rows = [
                tuple(sum(each) for each in zip(*(_row(edits, weak, name, catches) for name in own), strict=True))
                for own in by_group.values()
            ]
            quality = _share(rows)
            climbs = sum(row[2] for row in rows) / len(names)
            alone = sum(edits[weak][name] for name in names) / sum(edits[strong][name] for name in names)
            low, high = interval(rows, _share)
            found.append(Climb(weak, catches, quality, low, high, cheap / dear + climbs, alone + climbs * (1 - alone)))
    return found


def _row(edits: Mapping[str, Mapping[str, bool]], weak: str, name: str, catches: float) -> tuple[float, ...]:
    """Return the passes with climbing, the strong model's, and the climbs of one edit."""
    right, other = float(edits[weak][name]), float(edits[STRONG[0]][name])
    climbs = (1 - right) * catches
    return right + climbs * other, other, climbs


def _share(rows: Sequence[tuple[float, ...]]) -> float:
    return sum(row[0] for row in rows) / sum(row[1] for row in rows)
