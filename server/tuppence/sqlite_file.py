"""A SQLite file of the user's own, opened for him alone: what the ledger and the kept answers have in common.

What stands in the file, how long one waits for others and what is done with a damaged one is theirs to say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_OF_VALUES = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.NotSupportedError,
    sqlite3.ProgrammingError,
)
Blame = Literal["values", "unsaid", "file", "elsewhere"]
"""What an error is about: the values that were to be written, SQLite does not say, the file, or no error of SQLite."""


def connect(path: Path, wait: float) -> sqlite3.Connection:
    """Open a file, made with its folder where it is not there; transactions are the caller's.

    :param wait: seconds to wait for another process that is writing.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # SQLite gives its own companions (-wal, -shm, -journal) the mode that it finds here.
    path.touch(mode=0o600)
    return sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Do what is in the block wholly or not at all."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def version(connection: sqlite3.Connection) -> int:
    """Return the number that its writer gave to the tables in it; 0 in a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def damaged(error: sqlite3.Error) -> bool:
    """Report whether an error says that the file is damaged."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED  # The low byte tells the kind.


def blame(error: Exception) -> Blame:
    """Return what an error is about."""
    if not isinstance(error, sqlite3.Error):
        return "elsewhere"
    if isinstance(error, _OF_VALUES):
        return "values"
    return "unsaid" if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR else "file"
