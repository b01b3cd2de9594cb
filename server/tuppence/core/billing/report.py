"""The cost report: sums over requests by day, action, model and other dimensions.

This module only computes: reporting/ writes the report as a page or a spreadsheet, cli/cost.py to a terminal.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from operator import attrgetter
from typing import Literal, get_args

from tuppence.core.billing.entry import add
from tuppence.core.billing.totals import EntrySummary, Totals, runs, saving
from tuppence.core.models.model import TIERS, Model

Dimension = Literal["action", "model", "tier", "language", "project", "outcome"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
GUIDE: Mapping[str, tuple[int, int]] = {"premium": (5, 10), "workhorse": (60, 70), "budget": (20, 30)}
"""Percentage of requests for each tier, from and to, according to the project's founding documents."""
GUIDED = "The guide is the share of requests that tuppence's founding documents would give to each tier."
"""The sentence shown with the guide."""
STALE = timedelta(days=60)
"""Age from which a price is reported as old."""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """The sums for one action, model or other value of a dimension."""

    name: str
    spent: Decimal | None
    """USD; None if no request has a known cost."""
    requests: int
    unknown: int
    """Number of requests with an unknown cost."""


@dataclass(frozen=True, slots=True)
class Day:
    """The sums of one day in the user's time zone."""

    day: date
    spent: Decimal
    best: Decimal
    """USD that the best model would have cost for every question; a run counts on the day of its last request."""
    requests: int
    read: int
    """Prompt tokens that providers read from their caches."""
    told: int
    """Prompt tokens of all requests whose provider reports cache reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Parts of the total."""

    questions: int
    """Number of runs: questions of the user."""
    kept: int
    """Number of questions answered from the answer cache, at no cost."""
    tier0: int
    """Number of questions that needed no model."""
    climbed: int
    """Number of questions that were sent to a better model after an answer failed its check."""
    read: int
    """Prompt tokens that providers read from their caches."""
    told: int
    """Prompt tokens of all requests whose provider reports cache reads."""
    failed_checks: Decimal
    """USD of answers that failed their check."""
    climbs: Decimal
    """USD of the requests after them."""
    estimated: Decimal
    """USD that are estimates."""
    reported: Decimal
    """USD charged according to the provider, instead of the tier table."""


@dataclass(frozen=True, slots=True)
class Report:
    """The sums over a range of days."""

    days: tuple[Day, ...]
    """Every day of the range, oldest first, including days without requests."""
    whole: Totals
    tables: Mapping[Dimension, tuple[ReportLine, ...]]
    """Lines by dimension, highest cost first."""
    shares: Shares
    tiers: Mapping[str, float]
    """Percentage of model requests by tier; empty if no model was asked."""


def report(slips: Sequence[EntrySummary], first: date, last: date, zone: tzinfo) -> Report:
    """Return the report on some requests.

    :param zone: the time zone in which the user's days begin; each day uses the zone's offset on that day.
    """
    asked = tuple(runs(slips))
    saved = [(run[-1].at, saving(run)) for run in asked]
    tables = {dimension: _lines(slips, name) for dimension, name in _NAMES.items()}
    shares = _shares(slips, asked)
    return Report(
        days=_days(slips, saved, _dawns(slips, first, last, zone)),
        whole=Totals(
            spent=add(each.cost for each in slips),
            saved=add(amount for _, amount in saved),
            requests=len(slips),
            estimated=shares.estimated,
            unknown=sum(each.cost is None for each in slips),
            by_model={line.name: line.spent for line in tables["model"]},
            by_tier={line.name: line.spent for line in tables["tier"]},
        ),
        tables=tables,
        shares=shares,
        tiers=_tiers(slips),
    )


def share(part: Decimal | int, whole: Decimal | int) -> str:
    """Format a part of a whole as a percentage; empty if the whole is zero."""
    if not whole:
        return ""
    percent = 100 * Decimal(part) / Decimal(whole)
    return f"{percent:.1f} %" if 0 < percent < 10 else f"{percent:.0f} %"  # noqa: PLR2004 - of small ones a digit more


def old_rows(models: Iterable[Model], used: Iterable[str], today: date) -> tuple[str, ...]:
    """Return a sentence for each used model that is retired or has an old price, and one on all other old prices."""
    names, found, others = set(used), [], 0
    for model in models:
        age = None if model.as_of is None or model.price is None else today - model.as_of
        if model.name in names and model.retired(today):
            found.append(f"{model.name} retired on {model.retires_on}; nothing is sent to it any more.")
        elif age is not None and age > STALE:
            if model.name in names:
                found.append(f"The price of {model.name} is of {model.as_of}, {age.days} days ago: check it.")
            else:
                others += 1
    if others:
        found.append(f"Other rows of the tier table whose prices are older than {STALE.days} days: {others}.")
    return tuple(found)


def _dawns(slips: Sequence[EntrySummary], first: date, last: date, zone: tzinfo) -> tuple[tuple[date, datetime], ...]:
    """Return each day with the UTC time at which it began; if the clock was set back, days may be added."""
    latest = max((each.at for each in slips), default=None)
    if latest is not None:
        last = max(last, latest.astimezone(zone).date())
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return tuple((day, datetime.combine(day, time(), zone).astimezone(UTC)) for day in days)


def _days(
    slips: Iterable[EntrySummary], saved: Iterable[tuple[datetime, Decimal]], dawns: Sequence[tuple[date, datetime]]
) -> tuple[Day, ...]:
    begun = [moment for _, moment in dawns]
    by_day: list[list[EntrySummary]] = [[] for _ in dawns]
    for each in slips:
        by_day[max(bisect_right(begun, each.at) - 1, 0)].append(each)
    best: list[list[Decimal]] = [[] for _ in dawns]
    for at, amount in saved:
        best[max(bisect_right(begun, at) - 1, 0)].append(amount)
    return tuple(_day(day, of_day, more) for (day, _), of_day, more in zip(dawns, by_day, best, strict=True))


def _day(day: date, slips: Sequence[EntrySummary], saved: Iterable[Decimal]) -> Day:
    spent = add(each.cost for each in slips)
    read, told = _cache(slips)
    return Day(day, spent, add((spent, *saved)), len(slips), read, told)


def _lines(slips: Iterable[EntrySummary], name: Callable[[EntrySummary], str]) -> tuple[ReportLine, ...]:
    groups: dict[str, list[EntrySummary]] = {}
    for each in slips:
        groups.setdefault(name(each), []).append(each)
    lines = (_line(key, group) for key, group in groups.items())
    return tuple(sorted(lines, key=lambda line: (line.spent is None, -(line.spent or _ZERO), line.name)))


def _line(name: str, slips: Sequence[EntrySummary]) -> ReportLine:
    unknown = sum(each.cost is None for each in slips)
    spent = None if unknown == len(slips) else add(each.cost for each in slips)
    return ReportLine(name, spent, len(slips), unknown)


def _shares(slips: Sequence[EntrySummary], asked: Sequence[Sequence[EntrySummary]]) -> Shares:
    climbs = [_climb(run) for run in asked]
    read, told = _cache(slips)
    return Shares(
        questions=len(asked),
        kept=sum(run[-1].provider == "kept" for run in asked),
        tier0=sum(_needed_none(run[-1]) for run in asked),
        climbed=sum(bool(each) for each in climbs),
        read=read,
        told=told,
        failed_checks=add(each.cost for each in slips if each.outcome == "failed check"),
        climbs=add(each.cost for climb in climbs for each in climb),
        estimated=add(each.cost for each in slips if each.estimated),
        reported=add(each.charged for each in slips),
    )


def _climb(run: Sequence[EntrySummary]) -> Sequence[EntrySummary]:
    """Return the requests after the first answer that failed its check."""
    failed = next((index for index, each in enumerate(run) if each.outcome == "failed check"), len(run))
    return run[failed + 1 :]


def _needed_none(slip: EntrySummary) -> bool:
    return slip.tier == "none" and slip.provider not in ("", "kept")


def _cache(slips: Iterable[EntrySummary]) -> tuple[int, int]:
    told = [(each.read, each.prompt or 0) for each in slips if each.read is not None]
    return sum(read for read, _ in told), sum(prompt for _, prompt in told)


def _tiers(slips: Iterable[EntrySummary]) -> dict[str, float]:
    asked = Counter(each.tier for each in slips if each.tier != "none" and each.prompt is not None)
    # A tier of the guide that was never used is listed as 0, where it differs most.
    named = [*TIERS, *sorted(set(asked).difference(TIERS))] if asked else []
    return {tier: 100 * asked[tier] / asked.total() for tier in named if tier in asked or tier in GUIDE}


_NAMES: Mapping[Dimension, Callable[[EntrySummary], str]] = {
    "action": attrgetter("action"),
    "model": attrgetter("name"),
    "tier": attrgetter("tier"),
    "language": lambda each: each.language or "unknown",
    "project": lambda each: each.project or "no project",
    "outcome": attrgetter("outcome"),
}
