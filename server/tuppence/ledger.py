"""The ledger: what every request cost, kept in SQLite.

All editors of a user share one file, so each addition is one transaction and several processes may write at once.
Money is stored as decimal text and summed in Python: a price may have any number of digits, and so may a cost that a
provider reports, so no integer unit is small enough to be exact and a float never is (PostgreSQL's NUMERIC reads and
writes the same text). Entries are never changed, but for their outcome.

A damaged file is moved aside, never deleted. Whatever fails here raises one sentence; the caller shows it and keeps
the answer. This file does not decide what a request costs or saves (core/accounts.py and core/usage.py do).
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from tuppence.core.accounts import Entry, Outcome, Summary, add, exact, last, totals
from tuppence.core.usage import Usage
from tuppence.errors import TuppenceError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

WAIT = 10.0
"""Seconds to wait for another process that is writing; each holds the file for about a millisecond."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
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
)
"""What brings a file of version n, its ``user_version``, to n + 1. A published row never changes."""

_TOKENS = tuple(field.name for field in fields(Usage))
_COLUMNS = (
    "run", "session", "at", "action", "language", "provider", "model", "tier", *_TOKENS,
    "cost", "estimated", "difficulty", "outcome", "best_cost", "reason", "seconds",
)  # fmt: skip
_INSERT = f"INSERT INTO request ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - names of our own
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM request"  # noqa: S608 - names of our own
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Ledger:
    """The ledger of one user; opened at its first use, safe to share between threads and processes."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep the ledger at ``path``, or in the platform's data folder."""
        self._path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._warnings: list[str] = []

    @property
    def path(self) -> Path:
        """Where the file is."""
        if self._path is None:
            from platformdirs import user_data_path

            self._path = user_data_path("tuppence", appauthor=False) / "ledger.sqlite3"
        return self._path

    def add(self, entry: Entry) -> int:
        """Write an entry and return its number.

        :raises TuppenceError: it could not be written.
        """
        return self._do("BEGIN IMMEDIATE", lambda connection: connection.execute(_INSERT, _row(entry)).lastrowid or 0)

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Change how a run's last request ended, as when a kept answer is undone; an unknown run is left alone.

        :raises TuppenceError: it could not be written.
        """
        statement = "UPDATE request SET outcome = ? WHERE id = (SELECT max(id) FROM request WHERE run = ?)"
        self._do("BEGIN IMMEDIATE", lambda connection: connection.execute(statement, (outcome, _clean(run))))

    def summary(self, session: str, now: datetime) -> Summary:
        """Return the accounts at a moment; its time zone says where the user's day and month begin.

        :raises TuppenceError: the ledger could not be read.
        """
        if now.tzinfo is None:
            raise ValueError("the moment needs a time zone")
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return self._do("BEGIN", lambda connection: _summary(connection, _clean(session), midnight))

    def entries(self, since: datetime | None = None, limit: int | None = None) -> tuple[Entry, ...]:
        """Return the latest ``limit`` entries that began at ``since`` or later, oldest first.

        :raises TuppenceError: the ledger could not be read.
        """
        condition, values = ("TRUE", ()) if since is None else ("at >= ?", (_moment(since),))
        where = f"{condition} ORDER BY id DESC LIMIT ?"
        count = -1 if limit is None else limit
        return self._do("BEGIN", lambda connection: _entries(connection, where, (*values, count)))[::-1]

    def warnings(self) -> tuple[str, ...]:
        """Return what the user is yet to be told, each sentence once."""
        told, self._warnings = tuple(self._warnings), []
        return told

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            self._drop()

    def _do(self, begin: str, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do one piece of work in one transaction; begin a new file once where the present one is damaged."""
        with self._lock:
            try:
                try:
                    return self._transact(begin, work)
                except sqlite3.DatabaseError as error:
                    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:  # The low byte tells the kind.
                        raise
                    self._set_aside()
                    return self._transact(begin, work)
            except (sqlite3.Error, OSError) as error:
                raise self._failure(error) from error

    def _transact(self, begin: str, work: Callable[[sqlite3.Connection], _T]) -> _T:
        connection = self._open()
        with _transaction(connection, begin):
            return work(connection)

    def _open(self) -> sqlite3.Connection:
        # Somebody may have moved or deleted the file since: what went on being written to it would be seen by nobody.
        if self._connection is not None and self._present() == self._inode:
            return self._connection
        self._drop()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its own companions (-wal, -shm) the mode that it finds here.
        self.path.touch(mode=0o600)
        self._inode = self._present()
        connection = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
            _migrate(connection, self.path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _present(self) -> int:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return 0

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _set_aside(self) -> None:
        """Move a damaged file, and the journal that belongs to it, out of the way."""
        damaged = self._inode
        self._drop()
        if self._present() != damaged:
            return  # Another process has just done it.
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        self.path.rename(aside)
        for suffix in ("-wal", "-shm"):
            companion = self.path.with_name(self.path.name + suffix)
            if companion.exists():
                companion.rename(aside.with_name(aside.name + suffix))
        self._warnings.append(f"The ledger was damaged: it is kept as {aside}, and a new one was begun, from zero.")
        _log.warning(self._warnings[-1])

    def _failure(self, error: Exception) -> TuppenceError:
        reason = getattr(error, "strerror", None) or error
        full = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
        remedy = "Free some space on the disk." if full else "Check that the folder and the file can be written."
        return TuppenceError(f"The ledger {self.path} could not be used: {reason}.", remedy)


def _prepare(connection: sqlite3.Connection) -> None:
    # The switch to WAL takes the whole file for itself and does not wait as other statements do. NORMAL writes no
    # less than FULL when a process is killed; only a power cut may take the last moments, and never damages the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    deadline = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    with _transaction(connection, "BEGIN IMMEDIATE"):
        version = _version(connection)  # Another process may have migrated it since.
        if version > len(MIGRATIONS):
            raise TuppenceError(f"A newer tuppence wrote the ledger {path}.", "Update this one; nothing was changed.")
        for statement in chain.from_iterable(MIGRATIONS[version:]):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _summary(connection: sqlite3.Connection, session: str, midnight: datetime) -> Summary:
    today = totals(_entries(connection, "at >= ? ORDER BY id", (_moment(midnight),)))
    run = "run = (SELECT run FROM request WHERE session = ? ORDER BY id DESC LIMIT 1) ORDER BY id"
    return Summary(
        session=_sum(connection, "session = ?", session),
        today=today.spent,
        month=_sum(connection, "at >= ?", _moment(midnight.replace(day=1))),
        saved=today.saved,
        requests=today.requests,
        estimated=today.estimated,
        unknown=today.unknown,
        by_model=today.by_model,
        by_tier=today.by_tier,
        last=last(_entries(connection, run, (session,))),
    )


def _sum(connection: sqlite3.Connection, where: str, value: str) -> Decimal:
    found = connection.execute(f"SELECT cost FROM request WHERE {where}", (value,))  # noqa: S608 - conditions of our own
    return add(Decimal(cost) for (cost,) in found if cost is not None)


def _entries(connection: sqlite3.Connection, where: str, values: tuple[str | int, ...]) -> tuple[Entry, ...]:
    return tuple(_entry(row) for row in connection.execute(f"{_SELECT} WHERE {where}", values))


def _row(entry: Entry) -> tuple[Any, ...]:
    row = {name: getattr(entry, name) for name in _COLUMNS if name not in _TOKENS}
    row |= {name: getattr(entry.usage, name, None) for name in _TOKENS}
    row |= {"at": _moment(entry.at), "cost": _text(entry.cost), "best_cost": _text(entry.best_cost)}
    return tuple(_clean(row[name]) if isinstance(row[name], str) else row[name] for name in _COLUMNS)


def _entry(values: tuple[Any, ...]) -> Entry:
    row = dict(zip(_COLUMNS, values, strict=True))
    tokens = {name: row.pop(name) for name in _TOKENS}
    row["usage"] = None if tokens["fresh"] is None else Usage(**tokens)
    row["at"] = datetime.fromisoformat(row["at"])
    row["estimated"] = bool(row["estimated"])
    row |= {name: None if row[name] is None else Decimal(row[name]) for name in ("cost", "best_cost")}
    return Entry(**row)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else exact(amount)


def _moment(when: datetime) -> str:
    """Write a moment so that the order of the texts is the order of time."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def _clean(text: str) -> str:
    """Return the text without lone surrogates, which SQLite cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
