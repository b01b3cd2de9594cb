"""Totals over requests: what was spent, on what, and what was saved.

A busy team makes a hundred thousand requests a month. So totals are computed from entry summaries, which hold only what
a sum needs, and each summary is visited once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tuppence.core.billing.entry import Entry, Outcome, add

_ZERO = Decimal(0)


class EntrySummary(NamedTuple):
    """The fields of an entry that sums need, unchanged unless described otherwise."""

    run: str
    at: datetime
    action: str
    language: str
    provider: str
    model: str
    tier: str
    outcome: Outcome
    project: str
    cost: Decimal | None
    best_cost: Decimal | None
    charged: Decimal | None
    estimated: bool
    prompt: int | None
    """Number of prompt tokens; None if the entry has no usage."""
    read: int | None
    """Number of those read from the provider's cache; None if not reported."""

    @property
    def name(self) -> str:
        """The model's name, ``provider/id``."""
        return f"{self.provider}/{self.model}" if self.model else "no model"


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of some requests."""

    spent: Decimal = _ZERO
    """USD of all requests with a known cost."""
    saved: Decimal = _ZERO
    """USD saved compared to always using the best model, over the runs where both costs are known; may be negative."""
    requests: int = 0
    estimated: Decimal = _ZERO
    """The estimated part of ``spent``, in USD."""
    unknown: int = 0
    """Number of requests with an unknown cost, which no sum includes."""
    by_model: Mapping[str, Decimal | None] = field(default_factory=dict)
    """USD by ``provider/id``, highest first; None if no request has a known cost."""
    by_tier: Mapping[str, Decimal | None] = field(default_factory=dict)
    """USD by tier, highest first; None if no request has a known cost."""


def summarize_entry(entry: Entry) -> EntrySummary:
    """Return the summary of an entry."""
    usage = entry.usage
    return EntrySummary(
        run=entry.run,
        at=entry.at,
        action=entry.action,
        language=entry.language,
        provider=entry.provider,
        model=entry.model,
        tier=entry.tier,
        outcome=entry.outcome,
        project=entry.project,
        cost=entry.cost,
        best_cost=entry.best_cost,
        charged=entry.charged,
        estimated=entry.estimated,
        prompt=None if usage is None else usage.prompt,
        read=None if usage is None else usage.cache_read,
    )


class RunningTotals:
    """Adds up requests incrementally."""

    def __init__(self) -> None:
        self._spent = self._estimated = _ZERO
        self._requests = self._unknown = 0
        self._by_model: dict[str, Decimal | None] = {}
        self._by_tier: dict[str, Decimal | None] = {}
        self._runs: dict[str, list[EntrySummary]] = {}
        self._saved = _ZERO

    def take(self, slip: EntrySummary) -> None:
        """Add one request."""
        run = self._runs.setdefault(slip.run, [])
        before = saving(run) if run else _ZERO
        run.append(slip)
        self._saved = add((self._saved, before.copy_negate(), saving(run)))
        self._requests += 1
        self._spent = add((self._spent, slip.cost))
        self._estimated = add((self._estimated, slip.cost if slip.estimated else None))
        self._unknown += slip.cost is None
        for sums, name in ((self._by_model, slip.name), (self._by_tier, slip.tier)):
            former = sums.get(name)
            sums[name] = former if slip.cost is None else add((former, slip.cost))

    def totals(self) -> Totals:
        """Return the totals so far."""
        return Totals(
            spent=self._spent,
            saved=self._saved,
            requests=self._requests,
            estimated=self._estimated,
            unknown=self._unknown,
            by_model=_ranked(self._by_model),
            by_tier=_ranked(self._by_tier),
        )


def totals(slips: Iterable[EntrySummary]) -> Totals:
    """Return the totals of some requests."""
    register = RunningTotals()
    for each in slips:
        register.take(each)
    return register.totals()


def runs(slips: Iterable[EntrySummary]) -> Iterable[Sequence[EntrySummary]]:
    """Return the requests grouped by run, each run in the order of its requests."""
    found: dict[str, list[EntrySummary]] = {}
    for each in slips:
        found.setdefault(each.run, []).append(each)
    return found.values()


def saving(run: Sequence[EntrySummary]) -> Decimal:
    """Return what a run saved compared to asking the best model once; negative if it cost more.

    A run counts only if the cost of each of its requests is known, and that of the best model for its answer. A run
    without a kept answer saved nothing, however cheap it was; it counts only if it cost more than the best model would
    have.
    """
    kept = next((each for each in reversed(run) if each.outcome == "kept"), None)
    best = (kept or run[-1]).best_cost
    costs = [each.cost for each in run]
    if best is None or None in costs:
        return _ZERO
    difference = add((best, add(costs).copy_negate()))
    return difference if kept else min(_ZERO, difference)


def _ranked(sums: Mapping[str, Decimal | None]) -> dict[str, Decimal | None]:
    """Return the sums in descending order, unknown ones last."""
    return dict(sorted(sums.items(), key=lambda row: (row[1] is None, -(row[1] or _ZERO), row[0])))
