"""The file in the user's cache folder: cached answers, and the traces of requests.

A failing cache is a miss: it must not stop a request, so failures are logged, and only what the user requested raises.
A damaged file is deleted and created again, because everything in it can be recomputed.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import TypeVar

from tuppence.sqlite_file import connect, damaged, transaction, version

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

VERSION = 3
"""Version of the file; a file of another version is replaced. Version 2 held answers of unknown projects."""
_WAIT = 0.2
"""Seconds to wait for another process that writes: a miss costs less than a hover that waits."""
_SCHEMA = (
    "DROP TABLE IF EXISTS answer",
    "DROP TABLE IF EXISTS latest",
    "DROP TABLE IF EXISTS trace",
    """CREATE TABLE answer (
        key TEXT PRIMARY KEY, text BLOB NOT NULL, model TEXT NOT NULL, at TEXT NOT NULL, cost TEXT,
        used INTEGER NOT NULL)""",
    "CREATE INDEX answer_used ON answer (used)",
    "CREATE TABLE latest (subject TEXT PRIMARY KEY, key TEXT NOT NULL)",
    "CREATE TABLE trace (id INTEGER PRIMARY KEY, data TEXT NOT NULL)",
    f"PRAGMA user_version = {VERSION}",
)


class File:
    """The file; safe to share between threads, and between processes."""

    def __init__(self, path: Path | None = None) -> None:
        """Set the path; None for the file in the user's cache folder. Nothing is opened before it is needed."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._opened = 0
        self.lock = RLock()

    @property
    def path(self) -> Path:
        """Path of the file."""
        if self._path is None:
            from platformdirs import user_cache_path

            self._path = user_cache_path("tuppence", appauthor=False) / "answers.sqlite3"
        return self._path

    def quietly(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Run ``work`` on the file; return None if it fails."""
        try:
            return self.do(work)
        except (sqlite3.Error, OSError, ValueError) as error:
            _log.warning("The kept answers in %s could not be used: %s", self.path, error)
            return None

    def do(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run ``work`` on the file, which is replaced by a new one if it was damaged.

        :raises sqlite3.Error: it failed.
        :raises OSError: the file cannot be opened.
        """
        with self.lock:
            try:
                return work(self._open())
            except sqlite3.DatabaseError as error:
                if not damaged(error):
                    raise
            _log.warning("The kept answers in %s were damaged: begun again.", self.path)
            self._drop()
            for suffix in ("", "-journal"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return work(self._open())

    def state(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Return a value that changes when the file is opened again or another process has written to it."""
        return self._opened, int(connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self.lock:
            self._drop()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        connection = connect(self.path, _WAIT)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._opened += 1
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _prepare(connection: sqlite3.Connection) -> None:
    # Do not wait for the disk: a power cut may damage the file, which is then created again.
    connection.execute("PRAGMA synchronous = OFF")
    if version(connection) == VERSION:
        return
    with transaction(connection):
        if version(connection) == VERSION:  # Another process has just created it.
            return
        for statement in _SCHEMA:
            connection.execute(statement)
