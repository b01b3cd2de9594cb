"""The cost report as one self-contained HTML page, with its style and plots and without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from tuppence.core.billing.entry import Entry, money
from tuppence.core.billing.report import DIMENSIONS, GUIDE, GUIDED, Report, ReportLine, share
from tuppence.reporting import svg
from tuppence.reporting.words import escape

RECEIPTS = 40
"""Number of the latest requests that the page lists; the CSV has all of them."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The content of the page."""

    report: Report
    receipts: Sequence[Entry]
    """The latest requests of those days, oldest first; at most RECEIPTS are shown."""
    notes: Sequence[str]
    """Remarks on the tier table."""
    now: datetime
    """The current time, in the user's time zone."""


def write(page: Page) -> str:
    """Return the page."""
    style = files(__package__).joinpath("style.css").read_text("utf-8")
    report = page.report
    first, last = report.days[0].day, report.days[-1].day
    head = (
        f"<header><h1>What tuppence cost</h1>"
        f'<p class="faint">{first:%d %B %Y} to {last:%d %B %Y}, as of {page.now:%H:%M}</p></header>'
    )
    body = "".join((head, _cards(report), _spending(report), _tables(report), _quality(report), *_rest(page)))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>What tuppence cost</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body><main>{body}</main></body>\n</html>\n"
    )


def _cards(report: Report) -> str:
    whole, shares = report.whole, report.shares
    free = shares.kept + shares.tier0
    cards = (
        (money(whole.spent), f"spent in {whole.requests:,} requests"),
        (money(whole.saved), "saved against always asking the best model"),
        (share(shares.read, shares.told) or "unknown", "of prompt tokens came from providers' caches"),
        (share(free, shares.questions) or "none", f"of {shares.questions:,} questions needed no model"),
        (share(shares.climbed, shares.questions) or "none", "of questions climbed to a better model"),
        (share(whole.estimated, whole.spent) or "none", "of the spending is an estimate"),
    )
    shown = "".join(f'<div class="card"><b>{escape(figure)}</b><span>{what}</span></div>' for figure, what in cards)
    return f'<div class="cards">{shown}</div>'


def _spending(report: Report) -> str:
    legend = (
        '<p class="legend"><span><i style="background:var(--spent)"></i>spent</span>'
        '<span><i style="background:var(--best)"></i>always the best model</span></p>'
    )
    actions = report.tables["action"]
    return (
        _section("Spend by day", legend + svg.spending(report.days))
        + _section("Cost by action", svg.bars("Cost by action", actions))
        + _section("Cache hits over time", svg.caching(report.days))
    )


def _tables(report: Report) -> str:
    shown = "".join(
        _section(f"By {dimension}", _lines(report.tables[dimension], report))
        for dimension in DIMENSIONS
        if report.tables[dimension]
    )
    return f'<div class="two">{shown}</div>'


def _lines(lines: Iterable[ReportLine], report: Report) -> str:
    spent = report.whole.spent
    rows = (
        (line.name, money(line.spent), "" if line.spent is None else share(line.spent, spent), f"{line.requests:,}")
        for line in lines
    )
    return _table(("", "spent", "share", "requests"), rows)


def _quality(report: Report) -> str:
    shares = report.shares
    tiers = (
        (tier, f"{percent:.0f} %", "{} to {} %".format(*GUIDE[tier]) if tier in GUIDE else "")
        for tier, percent in report.tiers.items()
    )
    parts = (
        ("questions answered by a kept answer", f"{shares.kept:,}", ""),
        ("questions that no model was needed for", f"{shares.tier0:,}", ""),
        ("questions that climbed", f"{shares.climbed:,}", ""),
        ("answers that failed their check", "", money(shares.failed_checks)),
        ("what was asked after them", "", money(shares.climbs)),
        ("what is an estimate", "", money(shares.estimated)),
        ("what providers themselves charged", "", money(shares.reported)),
    )
    return (
        '<div class="two">'
        + _section("Requests by tier, and the guide", _table(("", "requests", "guide"), tiers) + f"<p>{GUIDED}</p>")
        + _section("What was what", _table(("", "count", "cost"), parts))
        + "</div>"
    )


def _rest(page: Page) -> tuple[str, str, str]:
    notes = "".join(f"<li>{escape(note)}</li>" for note in page.notes)
    report, lately = page.report, page.receipts[-RECEIPTS:][::-1]
    title = f"The last {len(lately)} of {report.whole.requests:,} requests" if lately else "Requests"
    unknown = report.whole.unknown
    foot = (
        "Saved is against asking the best model of your table every time; a negative figure cost more. "
        "~ is an estimate: the answer was cut or cancelled, or came without counts."
        + (f" Requests of unknown price, which are in no sum: {unknown}." if unknown else "")
    )
    return (
        _section("Prices to look at", f"<ul>{notes}</ul>") if notes else "",
        _section(title, _receipts(lately)) if lately else "",
        f"<footer>{foot}</footer>",
    )


def _receipts(entries: Iterable[Entry]) -> str:
    head = '<th>when</th><th class="text">action</th><th class="text">model</th><th>cost</th>'
    rows = "".join(
        f'<tr><td>{entry.at.astimezone():%d %b %H:%M}</td><td class="text">{escape(entry.action)}</td>'
        f'<td class="text">{escape(entry.model)}</td><td>{"~" if entry.estimated else ""}{money(entry.cost)}</td>'
        f'<td class="text">{escape(entry.outcome)}</td><td class="why">{escape(entry.reason)}</td></tr>'
        for entry in entries
    )
    return f'<table><tr>{head}<th class="text">outcome</th><th class="text">why</th></tr>{rows}</table>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    shown = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>{shown}</table>"


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inner}</section>"
