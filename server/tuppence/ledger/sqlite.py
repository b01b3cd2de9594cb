"""A single user's ledger: one SQLite file, shared by all editors of the user.

A damaged file is moved aside, never deleted. The caller chooses how long to wait for a locked file.
"""

from __future__ import annotations

import errno
import logging
import math
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import TypeVar, cast

from tuppence.errors import TuppenceError
from tuppence.ledger import schema
from tuppence.ledger.schema import Connection
from tuppence.ledger.unwritable import is_of_change, unwritable
from tuppence.sqlite_file import connect, damaged, transaction, version

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

WAIT = 10.0
"""Seconds to wait for another process that writes; a write locks the file for about a millisecond."""
_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.05)
"""Seconds between attempts to use a locked file; the last value is repeated."""
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NEVER_USED = 60.0
"""Seconds after which an empty file is no longer a ledger in creation."""


class Damaged(TuppenceError):
    """The file is damaged, and a reader may not move it."""


class Sqlite:
    """A connection to one file; used by one thread at a time."""

    def __init__(
        self,
        path: Path | None = None,
        wait: float | None = None,
        held_up: Callable[[], None] = lambda: None,
        patience: float = math.inf,
    ) -> None:
        """Use the ledger at ``path``, or in the platform's data folder.

        :param wait: seconds to wait while another process has the file locked; None for ``WAIT``.
        :param held_up: called when that has taken more than ``patience`` seconds.
        """
        self._path = path
        self._wait = wait
        self._held_up = held_up
        self._patience = patience
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._warnings: list[str] = []

    @property
    def path(self) -> Path:
        """Path of the file."""
        if self._path is None:
            from platformdirs import user_data_path

            self._path = user_data_path("tuppence", appauthor=False) / "ledger.sqlite3"
        return self._path

    @property
    def place(self) -> str:
        """The ledger's location for display."""
        return str(self.path)

    @property
    def beside(self) -> Path:
        """The path from which the names of this ledger's other files are derived."""
        return self.path

    def warnings(self) -> tuple[str, ...]:
        """Return the warnings not shown to the user yet; each is returned once."""
        told, self._warnings = tuple(self._warnings), []
        return told

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def transact(self, way: str, work: Callable[[Connection], _T]) -> _T:
        """Run ``work`` in one transaction.

        :raises Damaged: the file is damaged; ``begin_again`` moves it aside.
        :raises Unwritable: what is wrong is in what was to be written.
        :raises TuppenceError: it failed.
        """
        begin = "BEGIN IMMEDIATE" if way == "write" else "BEGIN"
        try:
            return self._when_free(lambda: self._once(begin, work))
        except Exception as error:
            connection = self._connection
            if way == "write" and connection is not None and is_of_change(error, cast("Connection", connection)):
                raise unwritable(self.place, error) from error
            if isinstance(error, sqlite3.Error | OSError):
                raise self._failure(error) from error
            raise

    def begin_again(self) -> None:
        """Move a damaged file aside, so that the next use creates a new one.

        :raises TuppenceError: it could not be moved.
        """
        try:
            self._set_aside()
        except OSError as error:
            raise self._failure(error) from error

    def _when_free(self, work: Callable[[], _T]) -> _T:
        """Run ``work``, and repeat it while another process has the file locked.

        SQLite's own wait does not report that it waits, which callers that need a quick answer must know.
        """
        waited, limit, said = 0.0, WAIT if self._wait is None else self._wait, False
        pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
        while True:
            try:
                return work()
            except sqlite3.OperationalError as error:
                if _kind(error) not in _LOCKED or waited >= limit:
                    raise
            if waited >= self._patience and not said:
                said = True
                self._held_up()
            pause = next(pauses)
            time.sleep(pause)
            waited += pause

    def _once(self, begin: str, work: Callable[[Connection], _T]) -> _T:
        connection = self._open()
        with transaction(connection, begin):
            return work(cast("Connection", connection))

    def _open(self) -> sqlite3.Connection:
        # If the file was moved or deleted since, writes to the open connection would be lost.
        if self._connection is not None and self._present() == self._inode:
            return self._connection
        self.close()
        emptied = self._is_emptied()
        connection = connect(self.path, 0)
        self._inode = self._present()
        try:
            _prepare(connection, self.path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        if emptied:
            self._warn(f"The ledger {self.path} was empty: a new one was begun in it, from zero.")
        return connection

    def _present(self) -> int:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return 0

    def _is_emptied(self) -> bool:
        """Report whether there is an empty file that was not just created."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return found.st_size == 0 and self.path.is_file() and time.time() - found.st_mtime > _NEVER_USED

    def _set_aside(self) -> None:
        """Move a damaged file and its journal aside."""
        damaged = self._inode
        self.close()
        if self._present() != damaged:
            return  # Another process has just moved it.
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        self.path.rename(aside)
        for suffix in ("-wal", "-shm"):
            companion = self.path.with_name(self.path.name + suffix)
            if companion.exists():
                companion.rename(aside.with_name(aside.name + suffix))
        self._warn(f"The ledger was damaged: it is kept as {aside}, and a new one was begun, from zero.")

    def _warn(self, sentence: str) -> None:
        self._warnings.append(sentence)
        _log.warning(sentence)

    def _failure(self, error: Exception) -> TuppenceError:
        if isinstance(error, sqlite3.Error) and damaged(error):
            return Damaged(f"The ledger {self.path} is damaged.", "Move the file away; a new one is begun then.")
        if _kind(error) in _LOCKED:
            return locked(self.place)
        if self.path.is_dir():
            return TuppenceError(f"The ledger {self.path} could not be used: it is a folder.", "Move it away.")
        reason = getattr(error, "strerror", None) or error
        full = _kind(error) == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) in (errno.ENOSPC, errno.EDQUOT)
        remedy = "Free some space on the disk." if full else "Check that the folder and the file can be written."
        if _kind(error) == sqlite3.SQLITE_IOERR:
            remedy = "Check that the disk is neither full nor failing."
        return TuppenceError(f"The ledger {self.path} could not be used: {reason}.", remedy)


def locked(place: str) -> TuppenceError:
    """Return the error for a ledger that another program has locked."""
    return TuppenceError(
        f"Another program has the ledger {place} locked.",
        "Close what has it open; what waits to be entered is entered then.",
    )


def _kind(error: Exception) -> int:
    """Return the primary code of an SQLite error; 0 for any other error."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # The low byte is the primary code.


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Configure and migrate a connection.

    :raises TuppenceError: a newer version made the file; nothing was changed.
    """
    if version(connection) > len(schema.MIGRATIONS):
        raise _newer(path)
    # If a process is killed, NORMAL loses no more than FULL. A power cut may lose the latest writes, but does not
    # damage the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_mode = WAL")
    _migrate(connection, path)


def _newer(path: Path) -> TuppenceError:
    return TuppenceError(f"A newer tuppence wrote the ledger {path}.", "Update this one; nothing was changed.")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if version(connection) == len(schema.MIGRATIONS):
        return
    with transaction(connection):
        found = version(connection)  # Another process may have migrated it in the meantime.
        if found > len(schema.MIGRATIONS):
            raise _newer(path)
        for step in chain.from_iterable(schema.MIGRATIONS[found:]):
            if isinstance(step, str):
                connection.execute(step)
            else:
                step(cast("Connection", connection))
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
