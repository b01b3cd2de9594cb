"""The queue before one provider: so many requests at the same time, the others in the order of their coming."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tuppence.core.models.model import Model

AT_ONCE = 4
"""Requests that one provider is asked at the same time, where its settings do not say; further ones queue."""
AT_ONCE_LOCAL = 1
"""A model on the user's own machine serves one at a time: two would both be slower than one after the other."""


def width(model: Model) -> int:
    """Return how many requests a model's provider is asked at the same time."""
    return model.provider.at_once or (AT_ONCE_LOCAL if model.tier == "local" else AT_ONCE)


@dataclass(eq=False, slots=True)
class _Turn:
    title: str
    is_free: asyncio.Event = field(default_factory=asyncio.Event)


class ProviderQueue:
    """The queue before one provider; its width may change at any time."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._running: list[_Turn] = []
        self._waiting: deque[_Turn] = deque()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The titles of those who have to finish before a newcomer's turn, empty where it is free."""
        if not self._waiting and len(self._running) < self._width:
            return ()
        return tuple(each.title for each in (*self._running, *self._waiting))

    def widen(self, width: int) -> None:
        """Let so many through at the same time from now on; those under way beyond that end in peace."""
        self._width = width
        self._advance()

    @asynccontextmanager
    async def turn(self, title: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while the block runs.

        :param title: what those behind read about the wait.
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
