"""The receipts: every request as a row of CSV or as JSON, with all digits of each amount."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from tuppence.core.billing.entry import Entry, amount, exact, rows
from tuppence.core.billing.report import GUIDE, Day, Report, ReportLine
from tuppence.reporting.words import cell

COLUMNS = (
    "at", "run", "project", "action", "language", "model", "tier", "outcome", "cost", "estimated", "charged", "listed",
    "best_cost", "fresh", "cache_read", "cache_write", "cache_write_1h", "output", "thinking", "seconds", "difficulty",
    "reason",
)  # fmt: skip


def as_csv(entries: Iterable[Entry]) -> str:
    """Return the receipts as CSV, oldest first; an unknown amount is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([_cell(each) for each in _row(entry)])
    return out.getvalue()


def as_json(entry: Entry) -> dict[str, Any]:
    """Return one receipt as JSON (docs/protocol.md)."""
    usage = entry.usage
    return {
        "at": entry.at.isoformat(),
        "run": entry.run,
        "project": entry.project,
        "action": entry.action,
        "language": entry.language,
        "model": f"{entry.provider}/{entry.model}",
        "tier": entry.tier,
        "cost": amount(entry.cost),
        "charged": None if entry.charged is None else amount(entry.charged),
        "listed": amount(entry.listed),
        "bestCost": amount(entry.best_cost),
        "estimated": entry.estimated,
        "difficulty": entry.difficulty,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "seconds": entry.seconds,
        "tokens": usage
        and {
            "fresh": usage.fresh,
            "cacheRead": usage.cache_read,
            "cacheWrite": usage.cache_write,
            "cacheWrite1h": usage.cache_write_1h,
            "output": usage.output,
            "thinking": usage.thinking,
        },
    }


def window(report: Report) -> dict[str, Any]:
    """Return the report on a range of days as JSON (docs/protocol.md)."""
    whole, shares = report.whole, report.shares
    return {
        "days": len(report.days),
        "spent": amount(whole.spent),
        "saved": amount(whole.saved),
        "estimated": amount(whole.estimated),
        "requests": whole.requests,
        "unknown": whole.unknown,
        "byModel": rows(whole.by_model),
        "byTier": rows(whole.by_tier),
        "by": {dimension: [_line(line) for line in lines] for dimension, lines in report.tables.items()},
        "byDay": [_day(day) for day in report.days],
        "shares": {
            "questions": shares.questions,
            "kept": shares.kept,
            "tier0": shares.tier0,
            "climbed": shares.climbed,
            "cacheRead": shares.read,
            "cacheTold": shares.told,
            "failedChecks": amount(shares.failed_checks),
            "climbs": amount(shares.climbs),
            "estimated": amount(shares.estimated),
            "charged": amount(shares.reported),
            "tiers": {tier: round(percent, 2) for tier, percent in report.tiers.items()},
            "guide": {tier: list(percent) for tier, percent in GUIDE.items()},
        },
    }


def _line(line: ReportLine) -> dict[str, Any]:
    return {"name": line.name, **amount(line.spent), "requests": line.requests, "unknown": line.unknown}


def _day(day: Day) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "spent": amount(day.spent),
        "best": amount(day.best),
        "requests": day.requests,
        "cacheRead": day.read,
        "cacheTold": day.told,
    }


def _row(entry: Entry) -> list[Any]:
    usage = entry.usage
    sums = (entry.cost, entry.estimated, entry.charged, entry.listed, entry.best_cost)
    tokens = (
        (usage.fresh, usage.cache_read, usage.cache_write, usage.cache_write_1h, usage.output, usage.thinking)
        if usage
        else (None,) * 6
    )
    names = (entry.project, entry.action, entry.language, f"{entry.provider}/{entry.model}", entry.tier, entry.outcome)
    cost, estimated, *others = sums
    costs = (_exact(cost), "yes" if estimated else "no", *map(_exact, others))
    return [entry.at.isoformat(), entry.run, *names, *costs, *tokens, entry.seconds, entry.difficulty, entry.reason]


def _exact(usd: Any) -> str:
    return "" if usd is None else exact(usd)


def _cell(value: Any) -> Any:
    """Return a cell value that no spreadsheet takes for a formula; numbers are unchanged."""
    return cell(value) if isinstance(value, str) else value
