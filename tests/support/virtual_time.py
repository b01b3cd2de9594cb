"""An event loop whose clock goes at once to the next thing that is due: a second of waiting takes no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")
_TICK = 1e-6


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
