"""Which providers may be called now: those cooling down after a failure, and a queue for each of the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tuppence.core.models.model import Model

AT_ONCE = 4
"""Requests that one provider is asked at the same time; further ones queue."""
AT_ONCE_LOCAL = 1
"""A model on the user's own machine serves one at a time: two would both be slower than one after the other."""
REST = 30.0
"""Seconds for which a provider that just failed is not asked again."""


class ProviderHealth:
    """Which providers just failed, and so are left in peace for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def failed(self, provider: str, rest: float | None = None) -> None:
        """Note a failure; ``rest`` is the wait in seconds that the provider asked for."""
        self._until[provider] = self._clock() + max(rest or 0.0, REST)

    def works(self, provider: str) -> None:
        """Note an answer."""
        self._until.pop(provider, None)

    def cooling_down(self) -> frozenset[str]:
        """Return the names of those that are still left in peace."""
        now = self._clock()
        return frozenset(provider for provider, until in self._until.items() if until > now)


class ProviderQueue:
    """The queue before one provider: so many at once, the others in the order of their coming."""

    def __init__(self, width: int) -> None:
        self._free = asyncio.Semaphore(width)
        self._ahead: list[str] = []

    @property
    def waiting(self) -> tuple[str, ...]:
        """The titles of those who have to finish before a newcomer's turn, empty where it is free."""
        return tuple(self._ahead) if self._free.locked() else ()

    @asynccontextmanager
    async def turn(self, title: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while the block runs.

        :param title: what those behind are told about the wait.
        """
        self._ahead.append(title)
        try:
            async with self._free:
                yield
        finally:
            self._ahead.remove(title)


class Providers:
    """The state of all providers: which ones cool down, and a queue for each."""

    def __init__(self) -> None:
        self.health = ProviderHealth()
        self._queues: dict[str, ProviderQueue] = {}

    def queue(self, model: Model) -> ProviderQueue:
        """Return the queue of a model's provider."""
        width = AT_ONCE_LOCAL if model.tier == "local" else AT_ONCE
        return self._queues.setdefault(model.provider.name, ProviderQueue(width))
