"""A ledger of one's own: one SQLite file, shared by all editors of a user.

A damaged file is moved aside, never deleted.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TypeVar, cast

from tuppence.errors import TuppenceError
from tuppence.ledger import schema
from tuppence.ledger.schema import Connection
from tuppence.sqlite_file import connect, damaged, transaction, version

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

WAIT = 10.0
"""Seconds to wait for another process that is writing; each holds the file for about a millisecond."""


class Sqlite:
    """One file; used by one thread at a time."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep the ledger at ``path``, or in the platform's data folder."""
        self._path = path
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

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return str(self.path)

    def warnings(self) -> tuple[str, ...]:
        """Return what the user is yet to be told, each sentence once."""
        told, self._warnings = tuple(self._warnings), []
        return told

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def transact(self, way: str, work: Callable[[Connection], _T]) -> _T:
        """Do one piece of work in one transaction; begin a new file once where the present one is damaged.

        :raises TuppenceError: it could not be done.
        """
        begin = "BEGIN IMMEDIATE" if way == "write" else "BEGIN"
        try:
            try:
                return self._once(begin, work)
            except sqlite3.DatabaseError as error:
                if not damaged(error):
                    raise
                self._set_aside()
                return self._once(begin, work)
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error

    def _once(self, begin: str, work: Callable[[Connection], _T]) -> _T:
        connection = self._open()
        with transaction(connection, begin):
            return work(cast("Connection", connection))

    def _open(self) -> sqlite3.Connection:
        # Somebody may have moved or deleted the file since: what went on being written to it would be seen by nobody.
        if self._connection is not None and self._present() == self._inode:
            return self._connection
        self.close()
        connection = connect(self.path, WAIT)
        self._inode = self._present()
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

    def _set_aside(self) -> None:
        """Move a damaged file, and the journal that belongs to it, out of the way."""
        damaged = self._inode
        self.close()
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
    if version(connection) == len(schema.MIGRATIONS):
        return
    with transaction(connection):
        found = version(connection)  # Another process may have migrated it since.
        if found > len(schema.MIGRATIONS):
            raise TuppenceError(f"A newer tuppence wrote the ledger {path}.", "Update this one; nothing was changed.")
        for step in chain.from_iterable(schema.MIGRATIONS[found:]):
            if isinstance(step, str):
                connection.execute(step)
            else:
                step(cast("Connection", connection))
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
