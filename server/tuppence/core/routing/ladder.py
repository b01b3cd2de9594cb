"""What stands above a model, and what asking it costs with the climb that may follow.

A run asks the first model, and where its answer fails the check, the next better one once. So the cost to expect is
that of the first try, and the chance of a failed check times that of the next. How often a check fails is measured, and
stands in the row. Unknown prices are last, never free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from tuppence.core.routing.candidates import Candidate

_NOTHING = Decimal(0)
_UNKNOWN = 2


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


def expected(row: Candidate, fit: Sequence[Candidate]) -> Decimal:
    """Return the cost of a first try and of the climb that may follow, USD; unknown prices count as nothing here."""
    return _expected(row, _climbs(fit))


def ranking(fit: Sequence[Candidate]) -> Callable[[Candidate], tuple[int, Decimal]]:
    """Return a sort key for who answers first: by expected cost, then those that another beats, then unknown prices."""
    beaten, climbs = _beaten(fit), _climbs(fit)

    def rank(row: Candidate) -> tuple[int, Decimal]:
        group = _UNKNOWN if row.cost is None else int(row.model.name in beaten)
        return group, _expected(row, climbs)

    return rank


def _climbs(fit: Sequence[Candidate]) -> Mapping[float, Decimal]:
    """Return the cost of the first rung above each quality: the cheapest of the better ones; nothing above the best."""
    cheapest: dict[float, Decimal] = {}
    for row in fit:
        if row.cost is not None:
            cheapest[row.quality] = min(row.cost, cheapest.get(row.quality, row.cost))
    found: dict[float, Decimal] = {}
    least: Decimal | None = None
    for quality in sorted({row.quality for row in fit}, reverse=True):
        found[quality] = _NOTHING if least is None else least
        if (here := cheapest.get(quality)) is not None:
            least = here if least is None else min(least, here)
    return found


def _expected(row: Candidate, climbs: Mapping[float, Decimal]) -> Decimal:
    return (row.cost or _NOTHING) + Decimal(repr(round(row.fails, 6))) * climbs[row.quality]


def _beaten(fit: Sequence[Candidate]) -> frozenset[str]:
    """Return the names of those beside whom another is as good for less, or better for no more.

    That the climb from such a one would be to a cheap model must not make it look cheap itself.
    """
    found: set[str] = set()
    best, least = -1.0, _NOTHING
    priced = (row for row in fit if row.cost is not None)
    for row in sorted(priced, key=lambda row: (row.cost or _NOTHING, -row.quality)):
        if row.quality > best:
            best, least = row.quality, row.cost or _NOTHING
        elif (row.quality, row.cost) != (best, least):
            found.add(row.model.name)
    return frozenset(found)
