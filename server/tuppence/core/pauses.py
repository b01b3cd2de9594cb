"""Points in a long computation at which a thread lets more urgent work run first.

A thread that computes holds Python's lock most of the time. Only its own code knows where it can stop for a moment.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

_hook: ContextVar[Callable[[], None] | None] = ContextVar("pause", default=None)


def pause() -> None:
    """Call the current context's hook, if it has one; a thread started by ``asyncio.to_thread`` has its task's hook."""
    hook = _hook.get()
    if hook is not None:
        hook()


def pause_with(hook: Callable[[], None]) -> None:
    """Set the hook of the current context, and of the tasks and threads that it starts from now on."""
    _hook.set(hook)
