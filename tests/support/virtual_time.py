"""An event loop whose clock goes at once to the next thing that is due: a second of waiting takes no time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_TICK = 1e-6
_SETTLED = 0.003
"""Seconds of real time without an event after which the clock of ``Sockets`` leaps."""


class _Leaping(selectors.SelectSelector):
    """Waits for nothing; what it would have waited is added to its clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nothing will ever happen"
            self.now += timeout
        return ready


class Clockwork(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


class _Settling(selectors.DefaultSelector):
    """Waits for sockets and threads as usual, but for what is only due later it does not wait long."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0
        self.at_work: set[object] = set()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout is None or timeout <= 0:
            return ready or super().select(timeout)
        if self.at_work:
            return super().select(None)
        if not (ready := super().select(min(timeout, _SETTLED))):
            self.ahead += timeout
        return ready


class Sockets(asyncio.SelectorEventLoop):
    """An event loop with real sockets and threads, on which a time-out of a minute passes at once.

    Its clock stands still while anything happens, and leaps to the next timer if nothing has happened for some
    milliseconds and no thread is at work, neither in the loop's executor nor for a future that was passed to
    ``waits_for``: a busy machine makes nothing late. Both ends of a connection must be on the
    loop, so that what one end has sent arrives before the other's time-out. No process may be waited for with one.
    """

    def __init__(self) -> None:
        self._settling = _Settling()
        super().__init__(self._settling)

    def time(self) -> float:
        return self._settling.ahead

    def waits_for(self, work: concurrent.futures.Future[Any]) -> None:
        """Let the clock wait until a thread that is not of the loop's executor has done something."""
        self._settling.at_work.add(work)

        def done(work: concurrent.futures.Future[Any]) -> None:
            self._settling.at_work.discard(work)
            with contextlib.suppress(RuntimeError):  # The loop is closed.
                self.call_soon_threadsafe(lambda: None)

        work.add_done_callback(done)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Run in a thread, for which the clock waits."""
        work = super().run_in_executor(executor, func, *args)
        self._settling.at_work.add(work)
        work.add_done_callback(self._settling.at_work.discard)
        return work


class Line:
    """A wire: what is sent comes out later, in the order in which it went in."""

    def __init__(self) -> None:
        self._last = 0.0

    def send(self, delay: float, deliver: Callable[[], None]) -> None:
        """Deliver after a delay, but after everything that was sent before."""
        loop = asyncio.get_running_loop()
        self._last = max(self._last + _TICK, loop.time() + delay)
        loop.call_at(self._last, deliver)


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run to the end, or to the first thing that goes wrong anywhere.

    :raises Exception: what went wrong.
    """
    wrong: list[Exception] = []

    async def guarded() -> _T:
        task = asyncio.ensure_future(coroutine)

        def stop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            wrong.append(context.get("exception") or AssertionError(context["message"]))
            task.cancel()

        asyncio.get_running_loop().set_exception_handler(stop)
        return await task

    try:
        with asyncio.Runner(loop_factory=Clockwork) as runner:
            return runner.run(guarded())
    finally:
        if wrong:
            raise wrong[0]
