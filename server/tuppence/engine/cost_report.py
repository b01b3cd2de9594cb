"""The cost report of the last days, read from the ledger, for a terminal, a page or an editor.

For an editor, it is written as a page into the cache folder.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from platformdirs import user_cache_path

from tuppence.config import Config
from tuppence.core.billing.budget import Remaining, left
from tuppence.core.billing.entry import Entry
from tuppence.core.billing.report import Report, old_rows, report
from tuppence.core.billing.totals import Totals, totals
from tuppence.engine.session import Session
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger, midnight
from tuppence.reporting.html import RECEIPTS, Page, write

DAYS = 30
"""Number of days on the page, including today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """The content of the ledger at one time."""

    now: datetime
    """The time of the report, in the user's time zone."""
    today: Totals
    month: Decimal
    """USD since the first of the user's month."""
    left: tuple[Remaining, ...]
    """What is left of the daily and monthly limits."""
    report: Report
    receipts: tuple[Entry, ...]
    """The last requests of those days, oldest first."""
    notes: tuple[str, ...]
    """Remarks on the tier table."""


def begin(now: datetime, days: int) -> datetime:
    """Return the start of the first of ``days`` days, of which today is the last."""
    return midnight(now) - timedelta(days=days - 1)


def read_report(ledger: Ledger, config: Config, now: datetime, days: int) -> CostReport:
    """Read the report of a number of days.

    :param now: the current time, whose time zone determines the days.
    :raises TuppenceError: the ledger could not be read.
    """
    first = begin(now, days)
    slips = ledger.entry_summaries(first)
    assert now.tzinfo is not None
    spent = ledger.spent("", "", now)
    limits = tuple(each for each in left(config.budget, spent) if each.period in ("day", "month"))
    used = {each.name for each in slips}
    return CostReport(
        now=now,
        today=totals([each for each in slips if each.at >= midnight(now)]),
        month=spent.month,
        left=limits,
        report=report(slips, first.date(), now.date(), now.tzinfo),
        receipts=tuple(each for each in ledger.entries(limit=RECEIPTS) if each.at >= first),
        notes=old_rows(config.models, used, now.date()),
    )


def page(drawn: CostReport) -> str:
    """Return the report as a page."""
    return write(Page(report=drawn.report, receipts=drawn.receipts, notes=drawn.notes, now=drawn.now))


async def write_page(session: Session) -> Path:
    """Write the report of the last days as a page and return its path.

    :raises TuppenceError: the ledger could not be read, or the page could not be written.
    """
    config, now = session.config(), session.now()
    drawing = session.ledger.read(lambda: read_report(session.ledger, config, now, DAYS))
    return await asyncio.to_thread(_put, page(await asyncio.wrap_future(drawing)))


def _put(text: str) -> Path:
    """Write the page atomically, readable only by the user."""
    path = user_cache_path("tuppence", appauthor=False) / "cost.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(part).replace(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TuppenceError(f"The page {path} could not be written: {reason}.", "Check the folder.") from None
    return path
