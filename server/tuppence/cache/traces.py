"""The traces of the last requests on disk, so that the next server, or another editor's, knows which prompts are warm.

A trace holds digests, sizes, line numbers and the document's name, and no text of a prompt.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from tuppence.cache.file import File
from tuppence.core.prompt_cache.prefix import Link
from tuppence.core.prompt_cache.state import Trace
from tuppence.sqlite_file import transaction

REMEMBERED = 120
"""Maximum number of requests remembered."""
_TRIM = "DELETE FROM trace WHERE id <= (SELECT max(id) FROM trace) - ?"


class Traces:
    """The last requests, oldest first; without a file, those of this process."""

    def __init__(self, file: File | None = None, hide: Callable[[str], str] = str) -> None:
        """Use a file; ``hide`` removes the keys in use from a text."""
        self._file = file
        self._hide = hide
        self._arrived: tuple[Trace, ...] = ()
        """The last requests in order of arrival, which setting the clock back does not change."""
        self._state = (-1, 0)

    def all(self) -> tuple[Trace, ...]:
        """Return the last requests, oldest first."""
        if self._file is not None:
            self._file.quietly(self._read)
        return tuple(sorted(self._arrived, key=lambda trace: trace.at))

    def add(self, trace: Trace) -> None:
        """Store a request."""
        links = tuple(replace(link, name=self._hide(link.name)) for link in trace.links)
        trace = replace(trace, name=self._hide(trace.name), links=links)
        self.all()
        self._arrived = (*self._arrived, trace)[-REMEMBERED:]
        if self._file is not None:
            self._file.quietly(lambda connection: _write(connection, trace))

    def _read(self, connection: sqlite3.Connection) -> None:
        assert self._file is not None
        state = self._file.state(connection)
        if state == self._state:
            return
        rows = connection.execute("SELECT data FROM trace ORDER BY id").fetchall()
        self._state = state
        self._arrived = tuple(trace for (data,) in rows if (trace := _load(data)) is not None)[-REMEMBERED:]


def _write(connection: sqlite3.Connection, trace: Trace) -> None:
    data = asdict(trace) | {"at": trace.at.astimezone(UTC).isoformat()}
    with transaction(connection):
        connection.execute("INSERT INTO trace (data) VALUES (?)", (json.dumps(data),))
        connection.execute(_TRIM, (REMEMBERED,))


def _load(text: str) -> Trace | None:
    """Return a trace; None for the format of another version of tuppence."""
    try:
        data: dict[str, Any] = json.loads(text)
        at, links = datetime.fromisoformat(data["at"]), tuple(Link(**link) for link in data["links"])
        return Trace(**data | {"at": at, "links": links, "held": tuple(data["held"])})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
