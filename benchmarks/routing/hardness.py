"""What the share that is expected to miss is worth: held against the share of the eight models' answers that did."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.routing.measure import interval, spearman
from benchmarks.routing.policy import Offer


@dataclass(frozen=True, slots=True)
class Hardness:
    """What the expected share says of one source's tasks with code."""

    told: float
    """Its mean."""
    came: float
    """The mean share that the eight models' answers missed."""
    order: float
    """Spearman's correlation of the two over tasks."""
    low: float
    """The bootstrap's 95 % interval of ``order``."""
    high: float
    length: float
    """The same correlation for the length of the code alone."""
    tasks: int


def compared(offers: Sequence[Offer]) -> Mapping[str, Hardness]:
    """Return it for each source's tasks with code, and for all of them together."""
    coded = [each for each in offers if each.task.code]
    parts: dict[str, list[Offer]] = {}
    for each in coded:
        parts.setdefault(f"{each.task.action}: {each.task.source}", []).append(each)
    return {name: _compared(own) for name, own in {**dict(sorted(parts.items())), "all of these": coded}.items()}


def _compared(own: Sequence[Offer]) -> Hardness:
    rows = [(_expected(each), 1 - statistics.mean(each.task.scores)) for each in own]
    told, came = zip(*rows, strict=True)
    low, high = interval(rows, _agreement)
    return Hardness(
        told=statistics.mean(told),
        came=statistics.mean(came),
        order=_agreement(rows),
        low=low,
        high=high,
        length=spearman([len(each.task.code or "") for each in own], came),
        tasks=len(own),
    )


def _expected(offer: Offer) -> float:
    gain = offer.need.gain
    return gain.usual if gain.misses is None else gain.misses


def _agreement(rows: Sequence[tuple[float, ...]]) -> float:
    return spearman([row[0] for row in rows], [row[1] for row in rows])
