"""Measures of work that do not depend on the speed or load of the machine, so that tests can set limits for them."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

import pytest

from tuppence.core.syntax import grammars
from tuppence.ledger import Ledger

_T = TypeVar("_T")


def lines(work: Callable[[], _T]) -> tuple[_T, int]:
    """Return the result of the work, and the number of lines of this package that it ran in this thread.

    A line of a comprehension counts once per iteration. Work that C code does inside a line does not count.
    """
    count = 0

    def local(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return local

    def entered(frame: FrameType, _event: str, _argument: object) -> Any:
        return local if "/tuppence/" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        result = work()
    finally:
        sys.settrace(before)
    return result, count


def memory(work: Callable[[], _T]) -> tuple[_T, int]:
    """Return the result of the work, and its peak memory in bytes above the start, which reveals a copy of a text."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return result, peak - before


async def done_in_turns(task: asyncio.Task[Any], most: int = 50) -> bool:
    """Return whether a task finishes within this many turns of the event loop, without waiting for anything."""
    for _ in range(most):
        if task.done():
            return True
        await asyncio.sleep(0)
    return task.done()


def parses(monkeypatch: pytest.MonkeyPatch, least: int = 0) -> list[bool]:
    """Return a list that receives an item for each parse by a grammar: whether it started from an old tree.

    :param least: bytes; shorter texts do not count, such as one that a thread of an earlier test still reads.
    """
    found: list[bool] = []
    parse = grammars.parse

    def counted(path: str, data: bytes, old: Any = None, *rest: Any) -> Any:
        if len(data) >= least:
            found.append(old is not None)
        return parse(path, data, old, *rest)

    monkeypatch.setattr(grammars, "parse", counted)
    return found


@dataclass(slots=True)
class Progress:
    """Counts of the work of grammars while they parse."""

    steps: int = 0
    """The number of progress reports of a parser."""
    reads: int = 0
    """The number of pieces of text that it read."""
    bytes_read: int = 0
    """The total size of these pieces in bytes."""
    longest: int = 0
    """The size of the largest piece in bytes."""


def progress(monkeypatch: pytest.MonkeyPatch) -> Progress:
    """Return counts that grow with each parse by a grammar."""
    found = Progress()

    class Counted(grammars.Pieces):
        def read(self, at: int, point: object) -> bytes | bytearray:
            piece = super().read(at, point)
            found.reads += 1
            found.bytes_read += len(piece)
            found.longest = max(found.longest, len(piece))
            return piece

        def is_over(self, *_: object) -> bool:
            found.steps += 1
            return super().is_over()

    monkeypatch.setattr(grammars, "Pieces", Counted)
    return found


def database_steps(ledger: Ledger, work: Callable[[], _T]) -> tuple[_T, int]:
    """Return the result of the work, and the number of SQLite instructions it ran. Reading a row takes several."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    for way in ("read", "write"):
        ledger._do(way, lambda connection: connection.set_progress_handler(step, 1))  # type: ignore[attr-defined]
    before = count
    try:
        result = work()
        count -= before
    finally:
        for way in ("read", "write"):
            ledger._do(way, lambda connection: connection.set_progress_handler(None, 0))  # type: ignore[arg-type, attr-defined]
    return result, count
