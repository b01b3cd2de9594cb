"""The time limits of one call: until the first text, between texts, until the end of an answer, and in total.

Only progress extends the time: text, thinking, and growing counts of answer tokens. Pings, comments and empty pieces do
not. Only time spent waiting counts; time that the caller spends between waits does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal, TypeVar

from tuppence.upstream.retry import RetryPolicy

COUNTED, UNCOUNTED = 2.0, 10.0
"""Seconds to wait for the end mark after the reason to stop arrived: with its token counts, and without."""
LINGER = 0.1
"""Seconds to wait for the end of a stream after a complete answer: only a stream that was read to its end leaves a
reusable connection."""
Part = Literal["first word", "idle", "end", "total"]
"""The part of a call whose time ran out."""
_Result = TypeVar("_Result")


class OutOfTime(TimeoutError):
    """A time limit was exceeded; ``part`` names it, ``seconds`` is its length."""

    def __init__(self, part: Part, seconds: float) -> None:
        super().__init__(f"{part}: {seconds:g} s")
        self.part = part
        self.seconds = seconds


class Deadlines:
    """The remaining time of one call, over all its attempts."""

    def __init__(self, patience: RetryPolicy) -> None:
        self.patience = patience
        self._total = patience.total
        self._part: Part = "first word"
        self._seconds = self._left = patience.first_event
        self._awaited = "words"

    def begin(self) -> None:
        """Begin an attempt, whose first text is due within the time for first texts."""
        self._set("first word", self.patience.first_event)
        self._awaited = "words"

    def heard(self) -> None:
        """Record progress of the answer."""
        self._set("idle", self.patience.between_events)
        self._awaited = "words"

    def ending(self, awaited: Literal["counts", "mark"]) -> None:
        """Record that the reason to stop arrived, and what is still awaited; repeating it extends nothing."""
        if awaited != self._awaited:
            self._awaited = awaited
            self._set("end", COUNTED if awaited == "mark" else UNCOUNTED)

    def stopped(self) -> None:
        """Record that the answer is complete."""
        if self._awaited != "nothing":
            self._awaited = "nothing"
            self._set("end", LINGER)

    def _set(self, part: Part, seconds: float) -> None:
        self._part, self._seconds, self._left = part, seconds, seconds

    async def wait(self, work: Awaitable[_Result]) -> _Result:
        """Wait for something within the remaining time.

        :raises OutOfTime: it took longer.
        """
        clock = asyncio.get_running_loop().time
        start = clock()
        try:
            async with asyncio.timeout(min(self._left, self._total)) as limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
            if self._total < self._left:
                raise OutOfTime("total", self.patience.total) from None
            raise OutOfTime(self._part, self._seconds) from None
        finally:
            passed = clock() - start
            self._left -= passed
            self._total -= passed

    def allows(self, pause: float) -> bool:
        """Report whether a pause leaves time for another attempt."""
        return pause < self._total

    async def pause(self, seconds: float) -> None:
        """Wait before another attempt; call this only if ``allows`` returned True."""
        self._total -= seconds
        await asyncio.sleep(seconds)
