"""Print the table: ``python -m benchmarks.speed``, about four minutes on a machine that does nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELPERS = ("tests/support", "demo")
"""Folders of modules that the measurements share with the tests: the editor, the scripted provider, real code."""


async def main() -> None:
    """Measure one thing after another and print each figure when it is known."""
    sys.path[:0] = [str(ROOT / each) for each in HELPERS]
    # As where it is installed, modules are compiled once: the first start of each server is not counted.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    from server import environment

    from benchmarks.speed import in_process, initialize, ledger, over_stdio, requests, streams, verdict
    from benchmarks.speed.figure import Figure

    def show(figure: Figure) -> None:
        print(f"{figure.name:<58}{figure.value:>10.2f} {figure.unit}", flush=True)

    with tempfile.TemporaryDirectory(prefix="tuppence-speed-") as name:
        folder = Path(name)
        for figure in initialize.measure(environment(folder)):
            show(figure)
        async for figure in over_stdio.measure(folder):
            show(figure)
        async for figure in requests.measure(folder):
            show(figure)
        async for figure in streams.measure(folder):
            show(figure)
        for figure in in_process.measure(folder):
            show(figure)
        for figure in verdict.measure():
            show(figure)
        for figure in ledger.measure(folder):
            show(figure)


if __name__ == "__main__":
    asyncio.run(main())
