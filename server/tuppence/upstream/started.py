"""Work that has begun: what it gives without a wait is there at once, so that only a real wait costs a time-out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar, cast

_Result = TypeVar("_Result")
_TURNS = 16
"""Turns of the event loop that work may ask for, waiting for nothing, and does not get before its first wait."""


class Started(Generic[_Result]):
    """An awaitable that was run up to its first wait; it must be awaited or abandoned by the task that made it."""

    def __init__(self, work: Awaitable[_Result]) -> None:
        """Run the work up to its first wait; to let others go first, as libraries do around a lock, is none.

        :raises BaseException: what the work raises before that.
        """
        self._steps = work.__await__()
        self.waits = True
        """Whether the work waits for something; if not, awaiting this returns its result at once."""
        try:
            for _ in range(_TURNS):
                self._first: object = next(self._steps)
                if self._first is not None:
                    break
        except StopIteration as end:
            self.waits = False
            self._first = end.value

    def __await__(self) -> Generator[Any, Any, _Result]:
        if not self.waits:
            return cast("_Result", self._first)
        return (yield from self._rest(lambda: self._first))

    async def abandon(self) -> None:
        """Cancel the work where it waits, and wait for its clean-up."""
        if self.waits:
            with suppress(asyncio.CancelledError):
                await _Steps(self._rest(partial(self._steps.throw, asyncio.CancelledError())))

    def _rest(self, advance: Callable[[], object]) -> Generator[Any, Any, _Result]:
        """Pass on what the work waits for, and what comes of it, to its end."""
        while True:
            try:
                awaited = advance()
            except StopIteration as end:
                self.waits = False
                return cast("_Result", end.value)
            except BaseException:
                self.waits = False
                raise
            try:
                given = yield awaited
            except BaseException as error:  # noqa: BLE001 - a cancellation too is the work's to handle
                advance = partial(self._steps.throw, error)
            else:
                advance = partial(self._steps.send, given)


class _Steps(Generic[_Result]):
    """A generator of waits, as an awaitable."""

    def __init__(self, steps: Generator[Any, Any, _Result]) -> None:
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, _Result]:
        return self._steps
