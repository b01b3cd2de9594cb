"""The ledger at ten thousand entries and at a million."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from benchmarks.speed.figure import Figure, milliseconds
from tuppence.config import load
from tuppence.core.billing.budget import CallEstimate, Limits
from tuppence.core.billing.entry import Entry
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.models.usage import Usage
from tuppence.engine import cost_report
from tuppence.ledger import Ledger, Reservation, midnight
from tuppence.ledger.schema import Connection

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SIZES = (10_000, 1_000_000)
_PRICE = Price(Rates(Decimal(1), Decimal(5)))
_LIMITS = Limits(request=Decimal(1), session=Decimal(1), day=Decimal(100), month=Decimal(1000))


def fill(connection: Connection, count: int) -> None:
    """Enter so many requests, one each thirty seconds, at a tenth of a cent, up to noon."""
    first = int(NOON.timestamp()) - 30 * count
    connection.execute(
        "WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
        " INSERT INTO request (run, session, at, action, language, provider, model, tier, cost, estimated, outcome,"
        " reason, seconds, fresh, cache_write, cache_write_1h, output, thinking) SELECT 'old' || n, 's' || (n / 1000),"
        " strftime('%Y-%m-%dT%H:%M:%S', ? + 30 * n, 'unixepoch') || '.000000+00:00', 'fix', 'go', 'mine', 'small',"
        " 'budget', '0.001', 0, 'kept', 'easy', 1.0, 100, 0, 0, 10, 0 FROM number",
        (count - 1, first),
    )
    hour, minute = "'q/' || substr(at, 1, 14)", "printf('%02d', substr(at, 15, 2) / 15 * 15)"
    for name in (f"{hour} || {minute} || ':00.000000+00:00'", "'d/' || substr(at, 1, 10)", "'s/' || session"):
        spent = "printf('%d.%03d', count(*) / 1000, count(*) % 1000)"
        connection.execute(f"INSERT INTO tally (name, spent) SELECT {name}, {spent} FROM request GROUP BY 1")  # noqa: S608 - names of our own


def pay(ledger: Ledger, number: int) -> None:
    """Reserve what a request costs at most, and settle it."""
    bid = CallEstimate(model="small", price=_PRICE, prompt=1000, least=10, most=100, when=NOON)
    hold, run = str(number), f"new{number}"
    ledger.reserve(Reservation(id=hold, bid=bid, limits=_LIMITS, lost=_entry(None, run), midnight=midnight(NOON)))
    ledger.settle(hold, _entry(Decimal("0.0001"), run))


def measure(folder: Path) -> Iterator[Figure]:
    """Fill a ledger of each size and measure what is asked of it at each request, and for a report."""
    for size in SIZES:
        ledger = Ledger(folder / f"{size}.sqlite3")
        ledger.entries(limit=1)
        ledger._do("write", lambda connection, size=size: fill(connection, size))  # type: ignore[misc]  # noqa: SLF001
        seconds = []
        for number in range(100):
            began = time.perf_counter()
            pay(ledger, number)
            seconds.append(time.perf_counter() - began)
        at = f"ledger of {size:,} entries: "
        yield Figure(f"{at}reserve and settle", statistics.median(seconds) * 1000, "ms")
        yield Figure(f"{at}the status", milliseconds(lambda ledger=ledger: _status(ledger)), "ms")  # type: ignore[misc]
        drawn = milliseconds(lambda ledger=ledger: cost_report.read_report(ledger, load(), NOON, 30), 3)  # type: ignore[misc]
        yield Figure(f"{at}the report of 30 days", drawn / 1000, "s")
        ledger.close()


def _status(ledger: Ledger) -> None:
    ledger.add(_entry(Decimal("0.0001"), "more"))
    ledger.spent("mine", "", NOON)
    ledger.summary("nobody", NOON)


def _entry(cost: Decimal | None, run: str) -> Entry:
    usage = Usage(fresh=10, output=5)
    return Entry(
        run=run, session="mine", at=NOON, action="fix", language="python", provider="mine", model="small",
        tier="budget", usage=usage, cost=cost, estimated=False, difficulty=0.3, outcome="kept", best_cost=None,
        reason="easy 0.30", seconds=1.5,
    )  # fmt: skip
