"""Loaded by a server's interpreter as it starts: notes each callback of the event loop that does too much.

The environment says where the notes go (``SLOW_CALLBACKS_FILE``) and how much is too much (``SLOW_CALLBACKS_CALLS``,
``SLOW_CALLBACKS_SECONDS``). It is read with the first callback, because a server may be a fork of a process that has
loaded this already. A profiler whose clock is a counter counts the calls and returns of the thread, so a busy machine
makes no callback slow. What one call into C does is not counted: only the thread's processor time shows it. A note is a
line of JSON: calls and returns, milliseconds, and the functions that ran, outermost first.
"""

from __future__ import annotations

import asyncio
import cProfile
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

_DEEPEST = 20
"""Functions of one note."""


def _awaited(awaited: Any) -> list[str]:
    """Return the functions that a task waits in behind a callback, outermost first."""
    names: list[str] = []
    while awaited is not None and len(names) < _DEEPEST:
        code = next((found for kind in ("cr", "ag", "gi") if (found := getattr(awaited, f"{kind}_code", None))), None)
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if code is not None:
            at = f":{frame.f_lineno}" if frame else ""
            names.append(f"{Path(code.co_filename).name}:{getattr(code, 'co_qualname', code.co_name)}{at}")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return names


def _named(callback: Any) -> list[str]:
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return _awaited(task.get_coro())
    return [getattr(callback, "__qualname__", None) or repr(callback)[:100]]


class _Watch:
    """Counts what each callback calls."""

    def __init__(self) -> None:
        self._run = asyncio.Handle._run
        self._notes: Path | None = None
        self._calls = 0
        self._seconds = 0.0
        self._counter = itertools.count()
        self._profile = cProfile.Profile(self._counter.__next__, 1.0, subcalls=False)

    def _begin(self) -> None:
        self._notes = Path(f"{os.environ.pop('SLOW_CALLBACKS_FILE', '')}.{os.getpid()}")
        self._calls = int(os.environ.pop("SLOW_CALLBACKS_CALLS", "0"))
        self._seconds = float(os.environ.pop("SLOW_CALLBACKS_SECONDS", "0"))
        if sys.version_info < (3, 12):  # From 3.12 on the profiler sees all threads; the processor time is left.
            self._profile.enable()

    def run(self, handle: asyncio.Handle) -> None:
        """Run a callback; note it where it did too much."""
        if self._notes is None:
            self._begin()
        callback: Any = handle._callback  # type: ignore[attr-defined]  # gone once it was cancelled
        began, first = time.thread_time(), next(self._counter)
        self._run(handle)
        calls, spent = next(self._counter) - first, time.thread_time() - began
        if calls > self._calls or spent > self._seconds:
            assert self._notes is not None
            with self._notes.open("a", encoding="utf-8") as notes:
                notes.write(json.dumps([calls, round(spent * 1000, 1), _named(callback)]) + "\n")


def _install(watch: _Watch, handles: Any) -> None:
    def run(handle: asyncio.Handle) -> None:
        watch.run(handle)

    handles._run = run


if "SLOW_CALLBACKS_FILE" in os.environ:
    _install(_Watch(), asyncio.Handle)
