"""What stands above a model, and what asking it costs with the climb that may follow.

A run asks the first model, and where its answer fails the check, the next better one once. So the cost to expect is
that of the first try, and the chance of a failed check times that of the next. Unknown prices are last, never free.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tuppence.core.candidates import Candidate

CATCHES = 0.35
"""The share of bad answers that a check finds, and so sends up the ladder; parse checks find few, test runs most."""
_NOTHING = Decimal(0)


def above(first: Candidate, fit: Sequence[Candidate]) -> list[Candidate]:
    """Return the rungs above a model: by rising cost, each of higher quality than all before it."""
    rungs: list[Candidate] = []
    best = first.quality
    priced = (row for row in fit if row.cost is not None and row.quality > first.quality)
    for row in sorted(priced, key=lambda row: (row.cost or _NOTHING, -row.quality, row.model.name)):
        if row.quality > best:
            best = row.quality
            rungs.append(row)
    return rungs


def expected(row: Candidate, fit: Sequence[Candidate]) -> tuple[int, Decimal]:
    """Return a sort key: 1 where the price is unknown, then the cost of the first try and of the climb, USD."""
    if row.cost is None:
        return (1, _NOTHING)
    better = (each for each in fit if each.cost is not None and each.quality > row.quality)
    # The first rung is the cheapest of the better ones: the rest of the ladder need not be built for its price.
    climb = min((each.cost or _NOTHING for each in better), default=_NOTHING)
    fails = Decimal(repr(round((1 - row.quality) * CATCHES, 6)))
    return (0, row.cost + fails * climb)
