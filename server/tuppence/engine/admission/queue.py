"""The queue of one provider: a limited number of concurrent requests, the others in order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tuppence.core.models.model import Model

AT_ONCE = 4
"""Concurrent requests to one provider, if its settings do not say; further ones queue."""
AT_ONCE_LOCAL = 1
"""Concurrent requests to a model on this machine: two at a time would both be slower than in sequence."""


def width(model: Model) -> int:
    """Return the number of concurrent requests to a model's provider."""
    return model.provider.at_once or (AT_ONCE_LOCAL if model.tier == "local" else AT_ONCE)


@dataclass(eq=False, slots=True)
class _Turn:
    title: str
    is_free: asyncio.Event = field(default_factory=asyncio.Event)


class ProviderQueue:
    """The queue of one provider; its width may change at any time."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._running: list[_Turn] = []
        self._waiting: deque[_Turn] = deque()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The titles of the requests that must finish before a new one's turn; empty if a place is free."""
        if not self._waiting and len(self._running) < self._width:
            return ()
        return tuple(each.title for each in (*self._running, *self._waiting))

    def widen(self, width: int) -> None:
        """Set the number of concurrent requests; active requests beyond it are not interrupted."""
        self._width = width
        self._advance()

    @asynccontextmanager
    async def turn(self, title: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it during the block.

        :param title: shown to the requests that wait behind it.
        """
        place = _Turn(title)
        self._waiting.append(place)
        self._advance()
        try:
            await place.is_free.wait()
            yield
        finally:
            (self._running if place in self._running else self._waiting).remove(place)
            self._advance()

    def _advance(self) -> None:
        while self._waiting and len(self._running) < self._width:
            place = self._waiting.popleft()
            self._running.append(place)
            place.is_free.set()
