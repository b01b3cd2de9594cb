"""``tuppence cost``: requests and their cost as text, as JSON, as CSV receipts, or as a page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuppence import clock
from tuppence.cli._terminal import console, safe, say, say_json, say_lines
from tuppence.config import Config, load
from tuppence.core.billing import budget
from tuppence.core.billing.entry import Entry, last, money, payload
from tuppence.core.billing.report import DIMENSIONS, GUIDE, GUIDED, Day, Report, ReportLine, share
from tuppence.engine import cost_report
from tuppence.engine.cost_report import CostReport
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger
from tuppence.reporting import export

HELP = "show what was asked and what it cost"
RECENT = 10
"""Number of the latest requests that are listed."""
_RUN = 100
"""More requests than any run has."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--days", type=_days, default=30, metavar="N", help="the report is of N days (default 30)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration that names the ledger")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the same as JSON, amounts exact")
    form.add_argument("--csv", action="store_true", help="print every request of those days as CSV, amounts exact")
    form.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page with plots")


def run(arguments: argparse.Namespace) -> int:
    """Print the report and return the exit code."""
    config = load(arguments.config)
    ledger = Ledger(config.ledger)
    try:
        now = clock.now()
        ledger.recover(now)
        if arguments.csv:
            say_lines(export.as_csv(ledger.entries(cost_report.begin(now, arguments.days))))
        else:
            _tell(cost_report.read_report(ledger, config, now, arguments.days), ledger, config, arguments)
        warnings = ledger.warnings()
    finally:
        ledger.close()
    for warning in warnings:
        say(f"tuppence: {warning}", errors=True)
    return 0


def _tell(drawn: CostReport, ledger: Ledger, config: Config, arguments: argparse.Namespace) -> None:
    lately = ledger.entries(limit=_RUN)
    if arguments.json:
        say_json(as_json(drawn, lately, ledger, config))
    elif arguments.html is not None:
        try:
            arguments.html.write_text(cost_report.page(drawn), encoding="utf-8")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise TuppenceError(f"{arguments.html} could not be written: {reason}.", "Name another file.") from None
    else:
        show(drawn, lately, console())


def as_json(drawn: CostReport, lately: Sequence[Entry], ledger: Ledger, config: Config) -> dict[str, object]:
    """Return the report as JSON: the fields of the ``tuppence/cost`` notification, and those of the range of days."""
    run = [entry for entry in lately if entry.run == lately[-1].run]
    spent = ledger.spent("", "", drawn.now)
    return {
        **payload(replace(ledger.summary("", drawn.now), last=last(run))),
        "session": None,
        "budget": budget.payload(replace(config.budget, session=None), spent),
        "window": export.window(drawn.report),
        "notes": list(drawn.notes),
        "recent": [export.as_json(entry) for entry in lately[-RECENT:]],
    }


def show(drawn: CostReport, lately: Sequence[Entry], console: Console) -> None:
    """Print the report as text."""
    if not lately:
        console.print("Nothing has been asked yet, so nothing was spent.")
        return
    report, days = drawn.report, len(drawn.report.days)
    console.print(_sums(drawn))
    for dimension in DIMENSIONS:
        if lines := report.tables[dimension]:
            console.print(_lines(f"By {dimension}, {days} days", lines, report.whole.spent))
    if busy := [day for day in report.days if day.requests]:
        console.print(_by_day(busy))
        console.print(_parts(report))
    console.print(_requests(lately[-RECENT:]))
    for line in _remarks(drawn, lately[-RECENT:]):
        console.print(line)


def _sums(drawn: CostReport) -> Table:
    today, whole = drawn.today, drawn.report.whole
    table = _table("Spent", ("", "spent", "of it estimated", "saved", "requests", "unknown price"))
    for name, of in (("today", today), (f"{len(drawn.report.days)} days", whole)):
        estimated = f"~{money(of.estimated)}" if of.estimated else ""
        table.add_row(name, money(of.spent), estimated, money(of.saved), str(of.requests), str(of.unknown))
    table.add_row("this month", money(drawn.month), "", "", "", "")
    for left in drawn.left:
        table.add_row(f"budget left {budget.WHEN[left.period]}", money(max(left.amount, Decimal(0))), "", "", "", "")
    return table


def _lines(title: str, lines: Sequence[ReportLine], spent: Decimal) -> Table:
    table = _table(title, ("", "spent", "share", "requests"))
    for line in lines:
        part = share(line.spent, spent) if line.spent is not None else ""
        table.add_row(safe(line.name), money(line.spent), part, str(line.requests))
    return table


def _by_day(days: Sequence[Day]) -> Table:
    table = _table("By day", ("", "spent", "always best", "requests", "cached"))
    for day in days:
        cached = share(day.read, day.told)
        table.add_row(f"{day.day:%d %b %Y}", money(day.spent), money(day.best), str(day.requests), cached)
    return table


def _parts(report: Report) -> Table:
    shares, spent = report.shares, report.whole.spent
    table = _table("Shares", ("", "count", "share", "guide", "cost"))
    asked = shares.questions
    table.add_row("prompt tokens from providers' caches", "", share(shares.read, shares.told), "", "")
    table.add_row("questions with a kept answer", str(shares.kept), share(shares.kept, asked), "", "")
    table.add_row("questions without a model (tier 0)", str(shares.tier0), share(shares.tier0, asked), "", "")
    table.add_row("questions that climbed", str(shares.climbed), share(shares.climbed, asked), "", money(shares.climbs))
    table.add_row("failed checks", "", share(shares.failed_checks, spent), "", money(shares.failed_checks))
    table.add_row("estimated", "", share(shares.estimated, spent), "", money(shares.estimated))
    for tier, percent in report.tiers.items():
        guide = "{}-{} %".format(*GUIDE[tier]) if tier in GUIDE else ""
        table.add_row(f"requests to {tier} models", "", f"{percent:.0f} %", guide, "")
    return table


def _remarks(drawn: CostReport, lately: Sequence[Entry]) -> list[str]:
    whole = drawn.report.whole
    lines = ["Saved is against asking the best model of your table every time; a negative figure cost more."]
    if drawn.today.estimated or whole.estimated or any(entry.estimated for entry in lately):
        lines.append("~ is an estimate: the answer was cut or cancelled, or came without counts.")
    if whole.unknown:
        lines.append(f"Requests of unknown price, which are in no sum: {whole.unknown}.")
    if drawn.report.tiers:
        lines.append(GUIDED)
    return [*lines, *drawn.notes]


def _requests(entries: Sequence[Entry]) -> Table:
    table = Table(title="Last requests", title_justify="left", box=None, pad_edge=False)
    for name in ("when", "action", "model", "cost", "outcome"):
        table.add_column(name, justify="right" if name == "cost" else "left", no_wrap=name != "model")
    table.add_column("why")  # Only this column may shrink in a narrow terminal, so only its cells wrap.
    for entry in reversed(entries):
        cost = f"{'~' if entry.estimated else ''}{money(entry.cost)}"
        why = Text(safe(entry.reason), no_wrap=True, overflow="ellipsis")
        table.add_row(
            f"{entry.at.astimezone():%d %b %H:%M}", safe(entry.action), safe(entry.model), cost, entry.outcome, why
        )
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index else "left")
    return table


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 36_500:  # noqa: PLR2004 - a century; dates end at year 1
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of days: write a whole number from 1 up')
    return int(text)
