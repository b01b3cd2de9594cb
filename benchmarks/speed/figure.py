"""One figure of the table."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and how much of what it came to."""

    name: str
    value: float
    unit: str


@contextmanager
def collected() -> Iterator[None]:
    """Keep what was imported and built before from Python's collector while something is measured."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def milliseconds(work: Callable[[], object], times: int = 15) -> float:
    """Return the median of so many runs, after one that is not counted."""
    return statistics.median(each_run(work, times)) * 1000


def each_run(work: Callable[[], object], times: int) -> Iterable[float]:
    """Return the seconds of each of so many runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds
