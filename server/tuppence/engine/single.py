"""Single flight: of requests with one prefix that start together, one goes ahead and the others read what it wrote.

A provider's cache can be read only once the first answer has begun (Qwen's: ended), so that twins sent together would
each pay for the whole prompt. Who fails makes room for the next; nobody waits longer than ``longest``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Leader:
    """The one that went ahead."""

    def __init__(self) -> None:
        self.landed = False
        """Whether what it wrote can be read."""
        self.over = asyncio.Event()
        """Set when it landed, and when it ended without."""


class Flights:
    """Who is ahead, by prefix."""

    def __init__(self) -> None:
        self._leaders: dict[str, Leader] = {}

    def led(self, key: str) -> bool:
        """Report whether somebody is ahead with this prefix."""
        return key in self._leaders

    async def board(self, key: str, longest: float) -> Leader | None:
        """Wait for who is ahead, so many seconds at most; return a leader of one's own, None where none is needed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest):
                while (ahead := self._leaders.get(key)) is not None:
                    await ahead.over.wait()
                    if ahead.landed:
                        return None
        if key in self._leaders:
            return None
        self._leaders[key] = Leader()
        return self._leaders[key]

    def land(self, key: str, leader: Leader) -> None:
        """Let the others go: what the leader wrote can be read."""
        leader.landed = True
        self.leave(key, leader)

    def leave(self, key: str, leader: Leader) -> None:
        """Let the next one go ahead, if the leader has not landed."""
        leader.over.set()
        if self._leaders.get(key) is leader:
            del self._leaders[key]
