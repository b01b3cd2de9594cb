"""Loaded by a server's interpreter as it starts: notes each callback of the event loop that takes too long.

The environment says where the notes go (``SLOW_CALLBACKS_FILE``) and what is too long (``SLOW_CALLBACKS_BOUND``,
seconds). It is read with the first callback, because a server may be a fork of a process that has loaded this already.
What counts is the processor time of the thread, not the time on the clock, so a busy machine makes no callback slow. A
note is a line of JSON: milliseconds, and the functions that ran, outermost first.
"""

from __future__ import annotations

import asyncio
import json
import os
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
    """Takes the time of each callback."""

    def __init__(self) -> None:
        self._run = asyncio.Handle._run
        self._notes: Path | None = None
        self._bound = 0.0

    def run(self, handle: asyncio.Handle) -> None:
        """Run a callback; note it where it took long."""
        if self._notes is None:
            self._notes = Path(f"{os.environ.pop('SLOW_CALLBACKS_FILE', '')}.{os.getpid()}")
            self._bound = float(os.environ.pop("SLOW_CALLBACKS_BOUND", "inf"))
        callback: Any = handle._callback  # type: ignore[attr-defined]  # gone once it was cancelled
        began = time.thread_time()
        self._run(handle)
        if (spent := time.thread_time() - began) > self._bound:
            with self._notes.open("a", encoding="utf-8") as notes:
                notes.write(json.dumps([round(spent * 1000, 1), _named(callback)]) + "\n")


def _install(watch: _Watch, handles: Any) -> None:
    def run(handle: asyncio.Handle) -> None:
        watch.run(handle)

    handles._run = run


if "SLOW_CALLBACKS_FILE" in os.environ:
    _install(_Watch(), asyncio.Handle)
