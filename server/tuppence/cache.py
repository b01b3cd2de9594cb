"""Answers kept: the same question about the same code is answered at once, at no cost.

A key is made of content alone, never of a path or a time, so code that moved is still known and code that changed is
not. The newest answers are in memory, more of them on disk, both bounded, least recently used out first.

A cache that fails is a miss: nothing here may stop a request, so failures are logged and only ``clear``, which a
person asked for, raises. A damaged file is deleted and begun again, since nothing in it is lost for good. What it
saves at the *provider's* prompt cache is another matter, and counted elsewhere.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import TypeVar

from cachetools import LRUCache

from tuppence.errors import TuppenceError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_VERSION = 1
"""Of the file and of its keys; a file of another version is begun again."""
_WAIT = 1.0
"""Seconds to wait for another process that is writing."""
_PAGE = 4096
_SCHEMA = (
    "DROP TABLE IF EXISTS answer",
    """CREATE TABLE answer (
        key TEXT PRIMARY KEY, text BLOB NOT NULL, model TEXT NOT NULL, at TEXT NOT NULL, cost TEXT,
        used INTEGER NOT NULL)""",
    "CREATE INDEX answer_used ON answer (used)",
    f"PRAGMA user_version = {_VERSION}",
)
_PUT = """INSERT OR REPLACE INTO answer (key, text, model, at, cost, used)
    VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(used), 0) + 1 FROM answer))"""
_TOUCH = "UPDATE answer SET used = (SELECT max(used) + 1 FROM answer) WHERE key = ?"
_TRIM = """DELETE FROM answer WHERE key IN (
    SELECT key FROM answer ORDER BY used LIMIT (SELECT 1 + count(*) / 10 FROM answer))"""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was given before."""

    text: str
    """Markdown, as it was shown."""
    model: str
    """The model that gave it."""
    at: datetime
    """When, with a time zone."""
    cost: Decimal | None
    """USD that it cost then; None is unknown."""


def key(action: str, language: str, code: str, extra: str = "") -> str:
    """Return the key of a question, in hex: the same for the same content, on every machine and day."""
    digest = hashlib.sha256(b"tuppence answer %d" % _VERSION)
    for part in (action, language, code, extra):
        content = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(content))  # The length keeps ("ab", "c") and ("a", "bc") apart.
        digest.update(content)
    return digest.hexdigest()


class Answers:
    """The answers kept; safe to share between threads, and its file between processes."""

    def __init__(self, path: Path | None = None, *, entries: int = 500, bytes_on_disk: int = 20_000_000) -> None:
        """Keep ``entries`` answers in memory and a file of at most ``bytes_on_disk``; None is the cache folder's."""
        self._path = path
        self._bytes = bytes_on_disk
        self._memory: LRUCache[str, Kept] = LRUCache(entries)
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._seen = 0

    @property
    def path(self) -> Path:
        """Where the file is."""
        if self._path is None:
            from platformdirs import user_cache_path

            self._path = user_cache_path("tuppence", appauthor=False) / "answers.sqlite3"
        return self._path

    def get(self, key: str) -> Kept | None:
        """Return the answer kept under the key, or None."""
        with self._lock:
            return self._quietly(lambda connection: self._get(connection, key)) or self._memory.get(key)

    def put(self, key: str, kept: Kept) -> None:
        """Keep an answer; one that would fill the cache by itself is not kept."""
        if len(kept.text.encode("utf-8", "surrogatepass")) > self._bytes / 2:
            return
        with self._lock:
            self._quietly(lambda connection: self._put(connection, key, kept))
            self._memory[key] = kept

    def clear(self) -> int:
        """Forget every answer, on disk too, and return how many there were.

        :raises TuppenceError: the file could not be cleared.
        """
        with self._lock:
            self._memory.clear()
            try:
                return self._do(_clear)
            except (sqlite3.Error, OSError) as error:
                reason = getattr(error, "strerror", None) or error
                raise TuppenceError(
                    f"The kept answers in {self.path} could not be cleared: {reason}.", "Delete that file."
                ) from error

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            self._drop()

    def _get(self, connection: sqlite3.Connection, key: str) -> Kept | None:
        # The number changes when another process has written: it may have cleared what this one remembers.
        seen = _writes(connection)
        if seen != self._seen:
            self._seen = seen
            self._memory.clear()
        if key in self._memory:
            return self._memory[key]
        row = connection.execute("SELECT text, model, at, cost FROM answer WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        text, model, at, cost = row
        kept = Kept(
            text.decode("utf-8", "surrogatepass"),
            model,
            datetime.fromisoformat(at),
            None if cost is None else Decimal(cost),
        )
        self._memory[key] = kept
        connection.execute(_TOUCH, (key,))
        return kept

    def _put(self, connection: sqlite3.Connection, key: str, kept: Kept) -> None:
        text = kept.text.encode("utf-8", "surrogatepass")
        cost = None if kept.cost is None else str(kept.cost)
        with _transaction(connection):
            # Four pages are what a row may need in the tree and in the two indexes, beside its text.
            while _pages(connection) + len(text) // _PAGE + 4 > self._bytes // _PAGE:
                if not connection.execute(_TRIM).rowcount:
                    return
            connection.execute(_PUT, (key, text, kept.model, kept.at.astimezone(UTC).isoformat(), cost))

    def _quietly(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        try:
            return self._do(work)
        except (sqlite3.Error, OSError, ValueError) as error:
            _log.warning("The kept answers in %s could not be used: %s", self.path, error)
            return None

    def _do(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            return work(self._open())
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:  # The low byte tells the kind.
                raise
        _log.warning("The kept answers in %s were damaged: begun again.", self.path)
        self._drop()
        for suffix in ("", "-journal"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        return work(self._open())

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its own companion (-journal) the mode that it finds here.
        self.path.touch(mode=0o600)
        connection = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._seen = connection, _writes(connection)
        self._memory.clear()
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _prepare(connection: sqlite3.Connection) -> None:
    # Nothing waits for the disk: a power cut may cost the file, which is then begun again.
    connection.execute("PRAGMA synchronous = OFF")
    if _version(connection) == _VERSION:
        return
    with _transaction(connection):
        if _version(connection) == _VERSION:  # Another process has just made it.
            return
        for statement in _SCHEMA:
            connection.execute(statement)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _clear(connection: sqlite3.Connection) -> int:
    count = connection.execute("DELETE FROM answer").rowcount
    connection.execute("VACUUM")
    return count


def _pages(connection: sqlite3.Connection) -> int:
    """Return how many pages of the file hold something."""
    (count,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(count) - int(free)


def _writes(connection: sqlite3.Connection) -> int:
    """Return a number that changes whenever another connection has written."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
