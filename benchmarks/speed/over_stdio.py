"""What an editor waits for, over stdio and back: the menu, a fix that needs no model, the end of a cancelled stream."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from lsprotocol import types
from scripted_provider import stall
from server import Stage, pick, stage

from benchmarks.speed.figure import Figure
from benchmarks.speed.requests import arrived, stopped

BODY = "def f{0}(a, b):\n    x = a + b\n    for each in range(x):\n        print(each)\n    return x\n\n\n\n"
TIMES = 15


async def measure(folder: Path) -> AsyncIterator[Figure]:
    """Measure all of it on one server."""
    async with stage(folder, timed=True) as s:
        for part in (_menu, _large_menu, _hover, _tier_0, _cancel):
            async for figure in part(s):
                yield figure


async def _menu(s: Stage) -> AsyncIterator[Figure]:
    text = "".join(BODY.format(number) for number in range(250))
    buffer = s.editor.open(s.write("long.py", text), "python")
    at = text.index("print", len(text) // 2)
    await s.editor.menu(buffer, at)
    asked, typed = [], []
    for _ in range(TIMES):
        asked.append(await _seconds(s.editor.menu(buffer, at)))
        s.editor.type(buffer, at, at, "x")
        typed.append(await _seconds(s.editor.menu(buffer, at)))
    yield Figure("the menu on 2,000 lines", statistics.median(asked) * 1000, "ms")
    yield Figure("  after a keystroke", statistics.median(typed) * 1000, "ms")


async def _large_menu(s: Stage) -> AsyncIterator[Figure]:
    text = "".join(f"def f{number}(a, b):\n    x = a + b\n    return x\n\n\n" for number in range(66_000))
    buffer = s.editor.open("file:///large.py", "python", text)
    at = text.index("x = a", len(text) // 2)
    one = [await _seconds(s.editor.menu(buffer, at)) for _ in range(3)]
    every = [await _seconds(s.editor.menu(buffer, 0, len(text))) for _ in range(3)]
    s.editor.close(buffer)
    yield Figure("the menu on 3 MB", statistics.median(one), "s")
    yield Figure("  all of it selected", statistics.median(every), "s")


async def _hover(s: Stage) -> AsyncIterator[Figure]:
    """Hover on one name after another in a file of 50,000 lines, once its tree is there."""
    text = "".join(f"def f{n}(a):\n  b=a\n  g(b)\n  if b:\n    c=1\n  return\n\n\n" for n in range(6_250))
    buffer = s.editor.open(s.write("lines.py", text), "python")
    await s.editor.hover(buffer, text.index("f0"))
    await asyncio.sleep(2)
    places = [text.index(f"f{number}(") for number in range(100, 6_000, 400)]
    took = [await _seconds(s.editor.hover(buffer, at)) for at in places]
    s.editor.close(buffer)
    yield Figure("a hover on a name, 50,000 lines, p50", statistics.median(took) * 1000, "ms")


async def _tier_0(s: Stage) -> AsyncIterator[Figure]:
    text = "import os\n" + "".join(f"\n\ndef f{number}(x):\n    return x + {number}\n" for number in range(500))
    seconds = []
    for number in range(7):
        buffer = s.editor.open(f"untitled:{number}", "python", text)
        unused = types.Diagnostic(s.editor.range(text, 7, 9), "`os` is unused", code="F401", source="Ruff")
        menu = await s.editor.menu(buffer, 0, diagnostics=[unused])
        seconds.append(await _seconds(s.editor.run(menu[0])))
        assert buffer.text == text.removeprefix("import os\n")
    yield Figure("a linter's own fix on 2,000 lines", statistics.median(seconds) * 1000, "ms")


async def _cancel(s: Stage) -> AsyncIterator[Figure]:
    buffer = s.editor.open(s.write("stats.py", "def mean(xs):\n    return sum(xs) / len(x)\n"), "python")
    seconds = []
    for number in range(TIMES):
        s.upstream.script(stall("```python\n"))
        run = s.editor.start(pick(await s.editor.menu(buffer, 5), "Fix"), f"run-{number}")
        seen = await arrived(s, number + 1, run)
        await asyncio.sleep(0.2)
        began = time.perf_counter()
        s.editor.cancel(f"run-{number}")
        await seen.closed.wait()
        seconds.append(time.perf_counter() - began)
        await asyncio.wait([run])
        run.exception()
        await stopped(s, number + 1)
    yield Figure("from a cancel to the closed connection", statistics.median(seconds) * 1000, "ms")


async def _seconds(work: Any) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began
