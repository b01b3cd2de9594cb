"""The cost report: what a number of entries come to, by day, action, model and so on; each figure a sum of entries.

Nothing is shown here: reporting/ writes the report as a page or a sheet, cli/cost.py to a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from decimal import Decimal
from itertools import groupby
from typing import Literal, get_args

from tuppence.core.accounts import Entry, Totals, add, saved, totals
from tuppence.core.models import Model

Dimension = Literal["action", "model", "tier", "language", "project", "outcome"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
GUIDE: Mapping[str, tuple[int, int]] = {"premium": (5, 10), "workhorse": (60, 70), "budget": (20, 30)}
"""Percent of requests that the project's founding documents would give to each tier, from and to."""
STALE = timedelta(days=60)
"""From this age on a price is reported as old."""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """What one action, model and so on comes to."""

    name: str
    spent: Decimal | None
    """USD; None where no request of it has a known cost."""
    requests: int
    unknown: int
    """Requests whose cost nobody knows."""


@dataclass(frozen=True, slots=True)
class Day:
    """What one of the user's days comes to."""

    day: date
    spent: Decimal
    best: Decimal
    """USD that asking the best model every time would have cost."""
    requests: int
    read: int
    """Prompt tokens that providers read from their caches."""
    told: int
    """Prompt tokens of all requests whose provider says what its cache held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What part of the whole was what."""

    questions: int
    """Runs: what a person asked for."""
    kept: int
    """Questions answered by an answer that was kept; at no cost."""
    tier0: int
    """Questions that no model was needed for."""
    climbed: int
    """Questions that went to a better model after an answer that failed its check."""
    read: int
    """Prompt tokens that providers read from their caches."""
    told: int
    """Prompt tokens of all requests whose provider says what its cache held."""
    failed_checks: Decimal
    """USD of answers that failed their check."""
    climbs: Decimal
    """USD of what was asked after them."""
    estimated: Decimal
    """USD that is an estimate."""
    reported: Decimal
    """USD that a provider itself charged, rather than the tier table."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a number of days come to."""

    days: tuple[Day, ...]
    """Each day, also one on which nothing was asked; oldest first."""
    whole: Totals
    tables: Mapping[Dimension, tuple[Line, ...]]
    """Dearest first."""
    shares: Shares
    tiers: Mapping[str, float]
    """Percent of the requests to models that went to each tier."""


def report(entries: Sequence[Entry], first: date, last: date, zone: tzinfo) -> Report:
    """Return what the entries come to.

    :param zone: where the user's days begin.
    """
    return Report(
        days=_days(entries, first, last, zone),
        whole=totals(entries),
        tables={dimension: _lines(entries, name) for dimension, name in _NAMES.items()},
        shares=_shares(entries),
        tiers=_tiers(entries),
    )


def share(part: Decimal | int, whole: Decimal | int) -> str:
    """Write a part of a whole as percent; empty where there is no whole."""
    if not whole:
        return ""
    percent = 100 * Decimal(part) / Decimal(whole)
    return f"{percent:.1f} %" if 0 < percent < 10 else f"{percent:.0f} %"  # noqa: PLR2004 - of small ones a digit more


def old_rows(models: Iterable[Model], used: Iterable[str], today: date) -> tuple[str, ...]:
    """Return a sentence for each model that was used and has an old price or is retired, and one for all the others."""
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


def _days(entries: Iterable[Entry], first: date, last: date, zone: tzinfo) -> tuple[Day, ...]:
    by_day: dict[date, list[Entry]] = {first + timedelta(days=n): [] for n in range((last - first).days + 1)}
    for entry in entries:
        by_day.setdefault(entry.at.astimezone(zone).date(), []).append(entry)
    return tuple(_day(day, of_day) for day, of_day in sorted(by_day.items()))


def _day(day: date, entries: Sequence[Entry]) -> Day:
    spent = add(entry.cost for entry in entries)
    read, told = _cache(entries)
    return Day(day, spent, add((spent, saved(entries))), len(entries), read, told)


def _lines(entries: Iterable[Entry], name: Callable[[Entry], str]) -> tuple[Line, ...]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(name(entry), []).append(entry)
    lines = (_line(key, group) for key, group in groups.items())
    return tuple(sorted(lines, key=lambda line: (line.spent is None, -(line.spent or _ZERO), line.name)))


def _line(name: str, entries: Sequence[Entry]) -> Line:
    unknown = sum(entry.cost is None for entry in entries)
    spent = None if unknown == len(entries) else add(entry.cost for entry in entries)
    return Line(name, spent, len(entries), unknown)


def _shares(entries: Sequence[Entry]) -> Shares:
    runs = [tuple(run) for _, run in groupby(sorted(entries, key=lambda entry: entry.run), key=lambda entry: entry.run)]
    climbs = [_climb(run) for run in runs]
    read, told = _cache(entries)
    return Shares(
        questions=len(runs),
        kept=sum(run[-1].provider == "kept" for run in runs),
        tier0=sum(_needed_none(run[-1]) for run in runs),
        climbed=sum(bool(each) for each in climbs),
        read=read,
        told=told,
        failed_checks=add(entry.cost for entry in entries if entry.outcome == "failed check"),
        climbs=add(entry.cost for climb in climbs for entry in climb),
        estimated=add(entry.cost for entry in entries if entry.estimated),
        reported=add(entry.charged for entry in entries),
    )


def _climb(run: Sequence[Entry]) -> Sequence[Entry]:
    """Return what was asked after the first answer that failed its check."""
    failed = next((index for index, entry in enumerate(run) if entry.outcome == "failed check"), len(run))
    return run[failed + 1 :]


def _needed_none(entry: Entry) -> bool:
    return entry.tier == "none" and entry.provider not in ("", "kept")


def _cache(entries: Iterable[Entry]) -> tuple[int, int]:
    told = [entry.usage for entry in entries if entry.usage is not None and entry.usage.cache_read is not None]
    return sum(usage.cache_read or 0 for usage in told), sum(usage.prompt for usage in told)


def _tiers(entries: Iterable[Entry]) -> dict[str, float]:
    asked = [entry.tier for entry in entries if entry.tier != "none" and entry.usage is not None]
    return {tier: 100 * asked.count(tier) / len(asked) for tier in sorted(set(asked))}


def _model(entry: Entry) -> str:
    return f"{entry.provider}/{entry.model}" if entry.model else "no model"


_NAMES: Mapping[Dimension, Callable[[Entry], str]] = {
    "action": lambda entry: entry.action,
    "model": _model,
    "tier": lambda entry: entry.tier,
    "language": lambda entry: entry.language or "unknown",
    "project": lambda entry: entry.project or "no project",
    "outcome": lambda entry: entry.outcome,
}
