"""Counts of the work that code does: the same on a fast, a slow and a busy machine, so that tests may bound them."""

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
    """Return what the work returns, and how many lines of this package it ran in this thread.

    Lines of comprehensions count once for each round; what C code does inside a line does not count.
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
    """Return what the work returns, and how many bytes more than before it held at once: a copy of a text shows."""
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
    """Report whether a task is done after so many turns of the event loop, none of which waits for anything."""
    for _ in range(most):
        if task.done():
            return True
        await asyncio.sleep(0)
    return task.done()


def parses(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return a list that gets an item for each parse by a grammar: whether it began from an old tree."""
    found: list[bool] = []
    parse = grammars.parse

    def counted(path: str, data: bytes, old: Any = None, *rest: Any) -> Any:
        found.append(old is not None)
        return parse(path, data, old, *rest)

    monkeypatch.setattr(grammars, "parse", counted)
    return found


@dataclass(slots=True)
class Progress:
    """What grammars did to parse."""

    steps: int = 0
    """Calls by which a parser reported its progress."""
    reads: int = 0
    """Pieces of texts that it took."""
    bytes_read: int = 0
    """How long they were together."""
    longest: int = 0
    """Bytes of the longest of them."""


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
    """Return what the work returns, and how many instructions SQLite ran for it: each row that is read takes some."""
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
