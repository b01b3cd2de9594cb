"""What became of answers on this machine, folded into what was expected; with shrinkage, so that few say little."""

from __future__ import annotations

from dataclasses import dataclass

_WEIGHT = 60
"""Outcomes that weigh as much as what was expected."""
_FEW = 30
"""Below so many, an estimate moves by its doubt at most: an order that was held clearly is never reversed."""
_LOOSER = 0.02
"""What each further outcome adds to how far it may move."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of a model's answers for an action on this machine."""

    kept: int = 0
    undone: int = 0
    """Put back by the person."""
    failed: int = 0
    """Did not pass their check."""
    usual: float = 0.8
    """The share that is kept of all models' answers for the action here: what a model is compared with."""

    @property
    def number(self) -> int:
        """How many there are."""
        return self.kept + self.undone + self.failed


def learned(quality: float, doubt: float, outcomes: Outcomes) -> tuple[float, float]:
    """Return an expected quality and its doubt after what happened.

    A person keeps most of what a benchmark would call a failure, so it is not the share of kept answers that counts,
    but how far it lies from the usual one.
    """
    number = outcomes.number
    if not number:
        return quality, doubt
    share = number / (number + _WEIGHT)
    move = share * (outcomes.kept / number - outcomes.usual)
    furthest = doubt + _LOOSER * max(0, number - _FEW + 1)
    moved = quality + min(furthest, max(-furthest, move))
    # Until there are enough, the doubt stays: else few outcomes could lift a model by their number alone.
    left = doubt if number < _FEW else doubt * (1 - share)
    return min(0.99, max(0.01, moved)), left
