"""How the answers that stream at once and what a person waits for share the event loop.

All that is done for an answer that streams follows from a read of it, so an answer gives way before its next read. What
comes meanwhile waits in the socket and is read, checked, patched and sent together. One answer alone never waits, and
the first words of an answer never do. Whole answers are judged in a thread, one after the other: threads
that compute at once take Python's lock from one another, and from a hover's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import TypeVar

GAP = 0.002
"""Seconds between two reads, of whichever answers, where several stream: four are read each 8 milliseconds."""
LONGEST_GAP = 0.1
"""Seconds between two reads of one answer, however many stream."""
HELD = 0.1
"""Seconds for which a read waits for what a person waits for: one who asks without a pause stops no answer."""
BEHIND = 0.5
"""Seconds for which an answer that is complete waits for others to be judged: one that takes long stops no other."""
_Result = TypeVar("_Result")


class FairShare:
    """The share of each; to be used on the event loop's thread only."""

    def __init__(self) -> None:
        self._streams: set[StreamShare] = set()
        self._in_front = 0
        self._is_free: asyncio.Event | None = None
        self._judging = asyncio.Lock()

    @contextmanager
    def in_front(self) -> Iterator[None]:
        """Go before the answers that stream: a person waits for what the block does."""
        self._in_front += 1
        try:
            yield
        finally:
            self._in_front -= 1
            if not self._in_front and self._is_free is not None:
                self._is_free.set()
                self._is_free = None

    @contextmanager
    def stream(self) -> Iterator[StreamShare]:
        """Give what an answer waits at before each read; from its first words to the block's end it streams."""
        share = StreamShare(self)
        try:
            yield share
        finally:
            self._streams.discard(share)

    def began(self, share: StreamShare) -> None:
        """Count an answer as one that streams."""
        self._streams.add(share)

    @property
    def gap(self) -> float:
        """Seconds between two reads of one answer now."""
        return min(GAP * len(self._streams), LONGEST_GAP) if len(self._streams) > 1 else 0.0

    async def give_way(self) -> None:
        """Wait for what a person waits for, at most for ``HELD`` seconds."""
        if not self._in_front:
            return
        if self._is_free is None:
            self._is_free = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(HELD):
                await self._is_free.wait()

    async def judged(self, work: Callable[..., _Result], *arguments: object) -> _Result:
        """Return what some work gives that takes a thread long; others of the kind before it go first, for a moment."""
        async with AsyncExitStack() as held:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEHIND):
                    await held.enter_async_context(self._judging)
            await self.give_way()
            return await asyncio.to_thread(work, *arguments)


class StreamShare:
    """The turns of one answer."""

    def __init__(self, shared: FairShare) -> None:
        self._shared = shared
        self._last = 0.0

    async def turn(self) -> None:
        """Wait until the answer may be read on, having handed on all that was read."""
        self._shared.began(self)
        clock = asyncio.get_running_loop().time
        if gap := self._shared.gap:
            if (rest := self._last + gap - clock()) > 0:
                await asyncio.sleep(rest)
            await self._shared.give_way()
        self._last = clock()
