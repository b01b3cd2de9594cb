"""Real code to measure on: sixty lines at a time from the standard library of the Python that runs the tests."""

from __future__ import annotations

import gc
import random
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LINES = 60


@contextmanager
def by_itself() -> Iterator[None]:
    """Keep what other tests left behind from Python's collector, as it is in a process that does nothing else."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def snippets(number: int) -> list[str]:
    """Return so many pieces, from wherever sixty lines begin: the same ones each time."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        lines = path.read_text("utf-8", errors="replace").splitlines(keepends=True)
        found += ["".join(lines[start : start + LINES]) for start in range(0, len(lines) - LINES, LINES)]
    random.Random(0).shuffle(found)  # noqa: S311 - a draw that can be repeated
    assert len(found) >= number
    return found[:number]
