"""Share the event loop and Python's lock between answers that stream and the hovers and menus that a user waits for.

Everything done for a streaming answer follows from a read, so an answer gives way before its next read. Data that
arrives meanwhile waits in the socket and is then read, checked, patched and sent together. A single answer never waits,
nor do the first words of any answer. Complete answers are judged in a thread, one at a time, because computing threads
take Python's lock from one another. While a hover or a menu is computed, a verdict pauses between its checks, other
requests start no new step, and computing threads release the lock more often.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar

GAP = 0.002
"""Seconds between two reads, of whichever answers, where several stream: four are read each 8 milliseconds."""
LONGEST_GAP = 0.1
"""Seconds between two reads of one answer, however many stream."""
HELD = 0.1
"""Maximum number of seconds that a read, a step or a check waits, so that a series of hovers stops no answer."""
SWITCH = 0.0002
"""Seconds after which a computing thread lets other threads run while a person waits. A hover needs Python's lock again
after each access to a file, and waits this long each time."""
BEHIND = 1.0
"""Maximum number of seconds that a complete answer waits for the verdicts on others."""
_goes_before: ContextVar[bool] = ContextVar("goes_before", default=False)
"""Whether the current task computes a hover or a menu."""
_Result = TypeVar("_Result")


class FairShare:
    """The share of each; to be used on the event loop's thread only."""

    def __init__(self) -> None:
        self._streams: set[StreamShare] = set()
        self._in_front = 0
        self._is_free: asyncio.Event | None = None
        self._may_run = threading.Event()
        self._may_run.set()
        self._thread = 0
        self._since = 0.0
        self._usual_switch = sys.getswitchinterval()
        self._judging = asyncio.Lock()

    @contextmanager
    def in_front(self) -> Iterator[None]:
        """Go before the answers that stream: a person waits for what the block does."""
        if not self._in_front:
            self._may_run.clear()
            self._thread, self._since = threading.get_ident(), time.monotonic()
            sys.setswitchinterval(min(SWITCH, self._usual_switch))
        self._in_front += 1
        own = _goes_before.set(True)
        try:
            yield
        finally:
            _goes_before.reset(own)
            self._in_front -= 1
            if not self._in_front:
                sys.setswitchinterval(self._usual_switch)
                self._may_run.set()
                if self._is_free is not None:
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
        """Wait while a hover or a menu is computed, at most ``HELD`` seconds; return at once in their own tasks."""
        if not self._in_front or _goes_before.get():
            return
        if self._is_free is None:
            self._is_free = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(HELD):
                await self._is_free.wait()

    def pause(self) -> None:
        """Wait in a thread while hovers and menus are computed, until ``HELD`` seconds after the first one began.

        This is the hook of ``core/pauses.py`` for requests. On the event loop's thread it returns at once.
        """
        if self._in_front and threading.get_ident() != self._thread and not _goes_before.get():
            self._may_run.wait(max(0.0, self._since + HELD - time.monotonic()))

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
