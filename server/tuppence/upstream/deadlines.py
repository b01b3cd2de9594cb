"""The time-outs of one call: for the first word, between words, for the end of an answer, and for all of it.

Only words renew the time: text, thinking, and counts of the answer's tokens that grow. Pings, comments and empty
pieces do not. Time is counted while something is waited for; what the caller does in between costs none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal, TypeVar

from tuppence.upstream.retry import RetryPolicy

COUNTED, UNCOUNTED = 2.0, 10.0
"""Seconds that are waited for the end mark of an answer whose reason to stop came: with its counts, and without."""
LINGER = 0.1
"""Seconds allowed for the end of a stream whose answer is complete: read to its end, a connection can be used again."""
Part = Literal["first word", "idle", "end", "total"]
"""The part of a call whose time ran out."""
_Result = TypeVar("_Result")


class OutOfTime(TimeoutError):
    """A time-out of ours; ``part`` names it, ``seconds`` is how long it was."""

    def __init__(self, part: Part, seconds: float) -> None:
        super().__init__(f"{part}: {seconds:g} s")
        self.part = part
        self.seconds = seconds


class Deadlines:
    """What is left of the time of one call, over all its tries."""

    def __init__(self, patience: RetryPolicy) -> None:
        self.patience = patience
        self._total = patience.total
        self._part: Part = "first word"
        self._seconds = self._left = patience.first_event
        self._awaited = "words"

    def begin(self) -> None:
        """Begin a try: its first word is due within the time for first words."""
        self._set("first word", self.patience.first_event)
        self._awaited = "words"

    def heard(self) -> None:
        """Note a word of the answer."""
        self._set("idle", self.patience.between_events)
        self._awaited = "words"

    def ending(self, awaited: Literal["counts", "mark"]) -> None:
        """Note that the reason to stop came, and what is still awaited; said again, it renews nothing."""
        if awaited != self._awaited:
            self._awaited = awaited
            self._set("end", COUNTED if awaited == "mark" else UNCOUNTED)

    def stopped(self) -> None:
        """Note that the answer is complete."""
        if self._awaited != "nothing":
            self._awaited = "nothing"
            self._set("end", LINGER)

    def _set(self, part: Part, seconds: float) -> None:
        self._part, self._seconds, self._left = part, seconds, seconds

    async def wait(self, work: Awaitable[_Result]) -> _Result:
        """Wait for something within the time that is left.

        :raises OutOfTime: it did not come.
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
        """Report whether so many seconds can be waited, and something asked after them."""
        return pause < self._total

    async def pause(self, seconds: float) -> None:
        """Wait before another try; to be asked only where ``allows`` says yes."""
        self._total -= seconds
        await asyncio.sleep(seconds)
