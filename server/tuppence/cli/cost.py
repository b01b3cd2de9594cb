"""``tuppence cost``: what was asked and what it cost, for a person or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuppence.core.accounts import Entry, Summary, Totals, amount, last, money, payload, rows, totals
from tuppence.ledger import Ledger

HELP = "show what was asked and what it cost"
RECENT = 10
"""How many of the last requests are listed."""
_RUN = 100
"""More requests than any run has."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the ledger says at a moment."""

    summary: Summary
    """Today's accounts; ``last`` is the last run of any session."""
    days: int
    """How many calendar days ``window`` covers, today included."""
    window: Totals
    recent: tuple[Entry, ...]
    """The last requests, oldest first."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--days", type=_days, default=30, metavar="N", help="by model and tier, for N days (default 30)"
    )
    parser.add_argument("--json", action="store_true", help="print the same as JSON, amounts exact")


def run(arguments: argparse.Namespace) -> int:
    """Print the report and return the exit code."""
    ledger = Ledger()
    try:
        report = gather(ledger, arguments.days, datetime.now(UTC).astimezone())
        warnings = ledger.warnings()
    finally:
        ledger.close()
    for warning in warnings:
        print(f"tuppence: {warning}", file=sys.stderr)  # noqa: T201 - a terminal is where this command speaks
    if arguments.json:
        print(json.dumps(as_json(report), indent=2, ensure_ascii=False))  # noqa: T201 - likewise
    else:
        show(report, Console(markup=False, highlight=False, emoji=False))
    return 0


def gather(ledger: Ledger, days: int, now: datetime) -> Report:
    """Read the report; the moment's time zone says where a day begins."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    lately = ledger.entries(limit=_RUN)
    run = [entry for entry in lately if entry.run == lately[-1].run]
    return Report(
        summary=replace(ledger.summary("", now), last=last(run)),
        days=days,
        window=totals(ledger.entries(midnight - timedelta(days=days - 1))),
        recent=lately[-RECENT:],
    )


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON: the ``tuppence/cost`` notification's fields, and the window's beside them."""
    window = report.window
    return {
        **payload(report.summary),
        "session": None,
        "window": {
            "days": report.days,
            "spent": amount(window.spent),
            "saved": amount(window.saved),
            "estimated": amount(window.estimated),
            "requests": window.requests,
            "unknown": window.unknown,
            "byModel": rows(window.by_model),
            "byTier": rows(window.by_tier),
        },
        "recent": [_entry(entry) for entry in report.recent],
    }


def show(report: Report, console: Console) -> None:
    """Print the report for a person."""
    if not report.recent:
        console.print("Nothing has been asked yet, so nothing was spent.")
        return
    summary, window = report.summary, report.window
    console.print(_sums(report))
    if window.by_model:
        console.print(_shares(f"By model, {report.days} days", window.by_model, window.spent))
        console.print(_shares(f"By tier, {report.days} days", window.by_tier, window.spent))
    console.print(_requests(report.recent))
    console.print("Saved is against asking the best model of your table every time; a negative figure cost more.")
    if summary.estimated or window.estimated or any(entry.estimated for entry in report.recent):
        console.print("~ is an estimate: the answer was cut or cancelled, or came without counts.")
    if window.unknown:
        console.print(f"Requests of unknown price, which are in no sum: {window.unknown}.")


def _sums(report: Report) -> Table:
    summary, window = report.summary, report.window
    table = _table("Spent", ("", "spent", "of it estimated", "saved", "requests", "unknown price"))
    table.add_row("today", *_row(summary.today, summary.estimated, summary.saved, summary.requests, summary.unknown))
    table.add_row("this month", money(summary.month), "", "", "", "")
    table.add_row(
        f"{report.days} days", *_row(window.spent, window.estimated, window.saved, window.requests, window.unknown)
    )
    return table


def _row(spent: Decimal, estimated: Decimal, saved: Decimal, *counts: int) -> tuple[str, ...]:
    return (money(spent), f"~{money(estimated)}" if estimated else "", money(saved), *(str(count) for count in counts))


def _shares(title: str, sums: Mapping[str, Decimal | None], spent: Decimal) -> Table:
    table = _table(title, ("", "spent", "share"))
    for name, usd in sums.items():
        table.add_row(name, money(usd), f"{100 * usd / spent:.0f} %" if usd is not None and spent else "")
    return table


def _requests(entries: Sequence[Entry]) -> Table:
    table = Table(title="Last requests", title_justify="left", box=None, pad_edge=False)
    for name in ("when", "action", "model", "cost", "outcome"):
        table.add_column(name, justify="right" if name == "cost" else "left", no_wrap=name != "model")
    table.add_column("why")  # Only this column may give way in a narrow terminal, so it is its cells that do not wrap.
    for entry in reversed(entries):
        cost = f"{'~' if entry.estimated else ''}{money(entry.cost)}"
        why = Text(entry.reason, no_wrap=True, overflow="ellipsis")
        table.add_row(f"{entry.at.astimezone():%d %b %H:%M}", entry.action, entry.model, cost, entry.outcome, why)
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index else "left")
    return table


def _entry(entry: Entry) -> dict[str, Any]:
    usage = entry.usage
    return {
        "at": entry.at.isoformat(),
        "run": entry.run,
        "action": entry.action,
        "language": entry.language,
        "model": f"{entry.provider}/{entry.model}",
        "tier": entry.tier,
        "cost": amount(entry.cost),
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


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 36_500:  # noqa: PLR2004 - a century; dates end at year 1
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of days: write a whole number from 1 up')
    return int(text)
