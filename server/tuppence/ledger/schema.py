"""The schema of the ledger: tables, migrations of older ledgers, and conversion of entries to rows and back.

SQLite and PostgreSQL have equal tables. Money is decimal text in SQLite and NUMERIC in PostgreSQL, both exact: a price,
or a cost reported by a provider, may have any number of digits, so no integer unit is small enough and floats are never
exact. Sums are computed in Python.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from tuppence.core.billing.entry import Entry, add, exact
from tuppence.core.billing.totals import EntrySummary
from tuppence.core.models.usage import Usage


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """Number of rows that the statement changed."""
        ...

    def fetchone(self) -> Sequence[Any] | None:
        """Return the next row."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""
        ...


class Connection(Protocol):
    """A database inside a transaction; parameters are written ``?``."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        """Run one statement."""
        ...


QUARTER = 15
"""Minutes of a running total: midnight in every time zone is a multiple of it."""
Migration = tuple[str | Callable[[Connection], None], ...]


def begin_tallies(connection: Connection) -> None:
    """Create the running totals of a ledger that has none."""
    sums: dict[str, list[Decimal]] = {}
    for session, at, cost in connection.execute("SELECT session, at, cost FROM request").fetchall():
        if cost is not None:
            for name in tallies(session, datetime.fromisoformat(at)):
                sums.setdefault(name, []).append(Decimal(cost))
    for name, costs in sums.items():
        connection.execute("INSERT INTO tally (name, spent) VALUES (?, ?)", (name, exact(add(costs))))


MIGRATIONS: tuple[Migration, ...] = (
    (
        """CREATE TABLE request (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run TEXT NOT NULL, session TEXT NOT NULL, at TEXT NOT NULL,
            action TEXT NOT NULL, language TEXT NOT NULL,
            provider TEXT NOT NULL, model TEXT NOT NULL, tier TEXT NOT NULL,
            fresh INTEGER, cache_read INTEGER, cache_write INTEGER, cache_write_1h INTEGER,
            output INTEGER, thinking INTEGER,
            cost TEXT, estimated INTEGER NOT NULL, difficulty REAL, outcome TEXT NOT NULL,
            best_cost TEXT, reason TEXT NOT NULL, seconds REAL NOT NULL)""",
        "CREATE INDEX request_at ON request (at, cost)",
        "CREATE INDEX request_session ON request (session, cost)",
        "CREATE INDEX request_run ON request (run)",
    ),
    (
        "ALTER TABLE request ADD COLUMN project TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE request ADD COLUMN charged TEXT",
        "ALTER TABLE request ADD COLUMN listed TEXT",
        "ALTER TABLE request ADD COLUMN characters INTEGER",
        "ALTER TABLE request ADD COLUMN hold TEXT",
        "CREATE UNIQUE INDEX request_hold ON request (hold)",
        """CREATE TABLE hold (
            id TEXT PRIMARY KEY, run TEXT NOT NULL, session TEXT NOT NULL, at TEXT NOT NULL, bound TEXT,
            host TEXT NOT NULL, pid INTEGER NOT NULL, born TEXT NOT NULL, entry TEXT NOT NULL)""",
        "CREATE TABLE tally (name TEXT PRIMARY KEY, spent TEXT NOT NULL)",
        """CREATE TABLE pace (
            provider TEXT NOT NULL, model TEXT NOT NULL, language TEXT NOT NULL,
            characters INTEGER NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (provider, model, language))""",
        begin_tallies,
    ),
    ("DELETE FROM tally", begin_tallies),
    (
        "ALTER TABLE request ADD COLUMN identity TEXT",
        "ALTER TABLE hold ADD COLUMN identity TEXT",
        "ALTER TABLE hold ADD COLUMN received INTEGER",
        "ALTER TABLE hold ADD COLUMN rate TEXT",
        "CREATE INDEX request_owed ON request (at) WHERE identity IS NOT NULL",
    ),
    (
        # Absurd counts were included; the totals are computed again from the entries (core/billing/token_ratio.py).
        "DELETE FROM pace",
        """INSERT INTO pace (provider, model, language, characters, tokens)
            SELECT provider, model, language, sum(characters), sum(prompt) FROM (
                SELECT provider, model, language, characters,
                    fresh + coalesce(cache_read, 0) + cache_write + cache_write_1h AS prompt
                FROM request WHERE estimated = 0 AND characters IS NOT NULL AND fresh IS NOT NULL) AS counted
            WHERE prompt > 0 AND prompt <= 2 * characters AND characters <= 20 * prompt
            GROUP BY provider, model, language""",
    ),
)
"""Migrations: item n upgrades a ledger of version n to n + 1. A published item never changes."""

_TOKENS = tuple(field.name for field in fields(Usage))
_MONEY = ("cost", "best_cost", "charged", "listed")
COLUMNS = (
    "run", "session", "at", "action", "language", "provider", "model", "tier", *_TOKENS,
    "cost", "estimated", "difficulty", "outcome", "best_cost", "reason", "seconds",
    "project", "charged", "listed", "characters",
)  # fmt: skip


def row(entry: Entry) -> tuple[Any, ...]:
    """Return an entry as the values of COLUMNS."""
    values = {name: getattr(entry, name) for name in COLUMNS if name not in _TOKENS}
    values |= {name: getattr(entry.usage, name, None) for name in _TOKENS}
    values |= {"at": moment(entry.at), "estimated": int(entry.estimated)}
    values |= {name: None if values[name] is None else exact(values[name]) for name in _MONEY}
    return tuple(clean(values[name]) if isinstance(values[name], str) else values[name] for name in COLUMNS)


def entry(values: Sequence[Any]) -> Entry:
    """Return the entry with the given values of COLUMNS."""
    found = dict(zip(COLUMNS, values, strict=True))
    tokens = {name: found.pop(name) for name in _TOKENS}
    found["usage"] = None if tokens["fresh"] is None else Usage(**tokens)
    found["at"] = datetime.fromisoformat(found["at"])
    found["estimated"] = bool(found["estimated"])
    found |= {name: None if found[name] is None else Decimal(found[name]) for name in _MONEY}
    return Entry(**found)


ENTRY_SUMMARIES = (
    "SELECT run, at, action, language, provider, model, tier, outcome, project, cost, best_cost, charged, estimated,"
    " fresh + coalesce(cache_read, 0) + cache_write + cache_write_1h, cache_read, id FROM request"
)
"""Selects the columns for ``entry_summary``; the last one is the entry's number."""


def entry_summary(values: Sequence[Any]) -> EntrySummary:
    """Return the summary in a row of ENTRY_SUMMARIES."""
    run, at, action, language, provider, model, tier, outcome, project, *sums, estimated, prompt, read, _ = values
    cost, best, charged = (None if each is None else Decimal(each) for each in sums)
    when, names = datetime.fromisoformat(at), (action, language, provider, model, tier, outcome, project)
    return EntrySummary(run, when, *names, cost, best, charged, bool(estimated), prompt, read)


def packed(of: Entry) -> str:
    """Serialize an entry to text."""
    return json.dumps(row(of))


def unpacked(text: str) -> Entry:
    """Return the entry in a text made by ``packed``."""
    return entry(json.loads(text))


def moment(when: datetime) -> str:
    """Format a moment so that text order is time order."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def quarter(when: datetime) -> str:
    """Return the name of a moment's quarter of an hour; names are in time order."""
    utc = when.astimezone(UTC)
    return "q/" + moment(utc.replace(minute=utc.minute - utc.minute % QUARTER, second=0, microsecond=0))


def day(when: datetime) -> str:
    """Return the name of a moment's UTC day; names are in time order."""
    return f"d/{when.astimezone(UTC).date()}"


def tallies(session: str, at: datetime) -> tuple[str, str, str]:
    """Return the names of the running totals to which a cost belongs."""
    return quarter(at), day(at), f"s/{session}"


def clean(text: str) -> str:
    """Return the text without characters that a database cannot store: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
