"""Outcomes of earlier answers on this machine, and the expected quality adjusted by them.

The adjustment begins with the tenth outcome and is shrunk toward what was expected, so that few answers change little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tuppence.core.billing.entry import Entry

_WEIGHT = 60
"""Outcomes that weigh as much as what was expected."""
_FIRST = 10
"""Below so many outcomes an estimate does not move."""
_FEW = 30
"""Below so many, an estimate moves by its doubt at most: an order that was held clearly is never reversed."""
_LOOSER = 0.02
"""What each further outcome adds to how far it may move."""
_SUPPOSED = 20
"""Answers, of a usual fate, that are supposed beside those that there were: the first few say little."""


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


Learned = Mapping[str, Mapping[str, Outcomes]]
"""By action, then by the model's name (``provider/id``)."""


def learned(quality: float, doubt: float, outcomes: Outcomes) -> tuple[float, float]:
    """Return an expected quality and its doubt after what happened.

    A person keeps most of what a benchmark would call a failure, so it is not the share of kept answers that counts,
    but how far it lies from the usual one.
    """
    number = outcomes.number
    if number < _FIRST:
        return quality, doubt
    share = number / (number + _WEIGHT)
    move = share * (outcomes.kept / number - outcomes.usual)
    furthest = doubt + _LOOSER * max(0, number - _FEW + 1)
    moved = quality + min(furthest, max(-furthest, move))
    # Until there are enough, the doubt is as wide as before.
    left = doubt if number < _FEW else doubt * (1 - share)
    return min(0.99, max(0.01, moved)), left


def learn(entries: Iterable[Entry]) -> Learned:
    """Return what the entries say."""
    counts = Counter((entry.action, f"{entry.provider}/{entry.model}", entry.outcome) for entry in entries)
    found: dict[str, dict[str, Outcomes]] = {}
    for action, model, _ in counts:
        kept, undone, failed = (counts[action, model, outcome] for outcome in ("kept", "undone", "failed check"))
        if kept + undone + failed:
            found.setdefault(action, {})[model] = Outcomes(kept, undone, failed)
    return {action: _compared(rows) for action, rows in found.items()}


def _compared(rows: Mapping[str, Outcomes]) -> Mapping[str, Outcomes]:
    """Return an action's outcomes, each with the share that is usually kept of the other models' answers here."""
    kept, number = (sum(getattr(each, name) for each in rows.values()) for name in ("kept", "number"))
    before = _SUPPOSED * Outcomes().usual
    return {
        model: replace(each, usual=(kept - each.kept + before) / (number - each.number + _SUPPOSED))
        for model, each in rows.items()
    }
