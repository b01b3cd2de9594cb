"""The answer cache: a repeated question about unchanged code is answered immediately and at no cost.

A key is a digest of what the question is about (engine/answer_cache.py), never of a time, so code that moved within its
project is found, and code that changed is not. The newest answers are in memory and more are on disk; both are bounded
and evict the least recently used. The last answer of each definition is also recorded, so that code edited since then
can be distinguished from code that was never explained.

A failing cache is a miss: only ``clear``, which the user requests, raises. Savings by a *provider's* prompt cache
(cache/traces.py) are counted separately.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from cachetools import LRUCache

from tuppence.cache.file import File
from tuppence.cache.traces import Traces
from tuppence.errors import TuppenceError
from tuppence.sqlite_file import transaction

__all__ = ["AnswerStore", "File", "StoredAnswer", "Traces", "key"]

_VERSION = 3
"""Version of the keys. Answers under older keys are never found, and are evicted as least recently used. Keys of
version 2 did not contain the project."""
_PAGE = 4096
_MOST_SUBJECTS = 5000
"""Maximum number of definitions whose last answer is recorded."""
_PUT = """INSERT OR REPLACE INTO answer (key, text, model, at, cost, used)
    VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(used), 0) + 1 FROM answer))"""
_TOUCH = "UPDATE answer SET used = (SELECT max(used) + 1 FROM answer) WHERE key = ?"
_TRIM = """DELETE FROM answer WHERE key IN (
    SELECT key FROM answer ORDER BY used LIMIT (SELECT 1 + count(*) / 10 FROM answer))"""
_NOTE = "INSERT OR REPLACE INTO latest (subject, key) VALUES (?, ?)"
_FORGET = "DELETE FROM latest WHERE rowid <= (SELECT max(rowid) FROM latest) - ?"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An earlier answer."""

    text: str
    """The Markdown as it was shown."""
    model: str
    """The name of the model that gave it."""
    at: datetime
    """The time of the answer, with a time zone."""
    cost: Decimal | None
    """Its cost in USD at that time; None if unknown."""


def key(*parts: str) -> str:
    """Return the key of a question in hex; equal parts give equal keys on every machine and day."""
    digest = hashlib.sha256(b"tuppence answer %d" % _VERSION)
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(content))  # The length distinguishes ("ab", "c") from ("a", "bc").
        digest.update(content)
    return digest.hexdigest()


class AnswerStore:
    """The cached answers; safe to share between threads, and its file between processes."""

    def __init__(self, path: Path | None = None, *, entries: int = 500, bytes_on_disk: int = 20_000_000) -> None:
        """Hold ``entries`` answers in memory and at most ``bytes_on_disk`` in a file; None for the cache folder's."""
        self.file = File(path)
        self._bytes = bytes_on_disk
        self._memory: LRUCache[str, StoredAnswer] = LRUCache(entries)
        self._state = (0, 0)

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self.file.path

    def get(self, key: str) -> StoredAnswer | None:
        """Return the answer stored under the key, or None."""
        with self.file.lock:
            return self.file.quietly(lambda connection: self._get(connection, key)) or self._memory.get(key)

    def put(self, key: str, kept: StoredAnswer, subject: str = "") -> None:
        """Store an answer, unless it would fill the cache by itself.

        :param subject: identifies the definition, independent of its code.
        """
        if len(kept.text.encode("utf-8", "surrogatepass")) > self._bytes / 2:
            return
        with self.file.lock:
            self.file.quietly(lambda connection: self._put(connection, key, kept, subject))
            self._memory[key] = kept

    def latest(self, subject: str) -> StoredAnswer | None:
        """Return the last answer about a definition, whatever its code was then; None if there is none."""
        found = self.file.quietly(
            lambda connection: connection.execute("SELECT key FROM latest WHERE subject = ?", (subject,)).fetchone()
        )
        return self.get(found[0]) if found else None

    def size(self) -> tuple[int, int]:
        """Return the number of answers on disk, and the size of their file in bytes."""
        count = self.file.quietly(lambda connection: connection.execute("SELECT count(*) FROM answer").fetchone())
        return (int(count[0]), self.path.stat().st_size) if count else (0, 0)

    def clear(self) -> int:
        """Delete every answer and trace, also on disk, and return the number of answers.

        :raises TuppenceError: the file could not be cleared.
        """
        with self.file.lock:
            self._memory.clear()
            try:
                return self.file.do(_clear)
            except (sqlite3.Error, OSError) as error:
                reason = getattr(error, "strerror", None) or error
                raise TuppenceError(
                    f"The kept answers in {self.path} could not be cleared: {reason}.", "Delete that file."
                ) from error

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        self.file.close()

    def _get(self, connection: sqlite3.Connection, key: str) -> StoredAnswer | None:
        # Another process may have cleared what this one has in memory.
        self._heed(connection)
        if key in self._memory:
            return self._memory[key]
        row = connection.execute("SELECT text, model, at, cost FROM answer WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        text, model, at, cost = row
        kept = StoredAnswer(
            text.decode("utf-8", "surrogatepass"),
            model,
            datetime.fromisoformat(at),
            None if cost is None else Decimal(cost),
        )
        self._memory[key] = kept
        connection.execute(_TOUCH, (key,))
        return kept

    def _heed(self, connection: sqlite3.Connection) -> None:
        """Clear the memory if another process has written to the file."""
        state = self.file.state(connection)
        if state != self._state:
            self._state = state
            self._memory.clear()

    def _put(self, connection: sqlite3.Connection, key: str, kept: StoredAnswer, subject: str) -> None:
        self._heed(connection)
        text = kept.text.encode("utf-8", "surrogatepass")
        cost = None if kept.cost is None else str(kept.cost)
        with transaction(connection):
            # In addition to its text, a row may need four pages in the tree and in the two indexes.
            while _pages(connection) + len(text) // _PAGE + 4 > self._bytes // _PAGE:
                if not connection.execute(_TRIM).rowcount:
                    return
            connection.execute(_PUT, (key, text, kept.model, kept.at.astimezone(UTC).isoformat(), cost))
            if subject:
                connection.execute(_NOTE, (subject, key))
                connection.execute(_FORGET, (_MOST_SUBJECTS,))


def _clear(connection: sqlite3.Connection) -> int:
    count = connection.execute("DELETE FROM answer").rowcount
    connection.execute("DELETE FROM latest")
    connection.execute("DELETE FROM trace")
    connection.execute("VACUUM")
    return count


def _pages(connection: sqlite3.Connection) -> int:
    """Return the number of used pages of the file."""
    (count,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(count) - int(free)
