"""From a command to its request at the provider, the first request of a session, and the memory that the work takes."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from lsprotocol import types
from scripted_provider import ScriptedUpstream, Seen, stall
from server import Stage, stage

from benchmarks.speed.figure import Figure

BODY = "def f{0}(a, b):\n    x = a + b\n    for each in range(x):\n        print(each, {0})\n    return x\n\n\n\n"
"""Eight lines; so many of them make a file of 300 or of 2,000 lines."""
SIZES = {300: 38, 2_000: 250}
TIMES = 25
SESSIONS = 5


async def measure(folder: Path) -> AsyncIterator[Figure]:
    """Measure all of it; the provider is one of this process, on loopback."""
    yield Figure("plain httpx: a request at the provider, p50", await _plain(), "ms")
    first = []
    for _ in range(SESSIONS + 1):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            async with stage(Path(name), timed=True) as s:
                first.append(await _first(s))
    yield Figure("the first request of a session, p50", statistics.median(first[1:]), "ms")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        async with stage(Path(name), timed=True) as s:
            for lines, count in SIZES.items():
                same, typed = await _commands(s, lines, count)
                yield Figure(f"command to request, {lines:,} lines, p50", statistics.median(same), "ms")
                yield Figure("  after a keystroke", statistics.median(typed), "ms")
            yield Figure("memory of the server after this work", _memory(s.pid), "MB")


def text_of(count: int) -> str:
    """Return a Python file of so many definitions of eight lines."""
    return "".join(BODY.format(number) for number in range(count))


async def _plain() -> float:
    """Send a request of the size of a prompt for 300 lines with httpx alone."""
    body = json.dumps({"model": "small", "messages": [{"role": "user", "content": text_of(SIZES[300])}]}).encode()
    took = []
    async with ScriptedUpstream() as upstream, httpx.AsyncClient() as client:
        for number in range(TIMES):
            upstream.script(stall(headers=True))
            began = _now()
            sent = client.build_request("POST", f"{upstream.openai}/chat/completions", content=body)
            asked = asyncio.create_task(client.send(sent, stream=True))
            seen = await upstream.seen(number + 1)
            took.append(seen.at - began)
            await (await asked).aclose()
    return statistics.median(took) * 1000


async def _first(s: Stage) -> float:
    """Ask a second after the first document was opened."""
    text = text_of(SIZES[300])
    s.editor.open(s.write("first.py", text), "python")
    await asyncio.sleep(1)
    return await _command(s, "first.py", text, 0)


async def _commands(s: Stage, lines: int, count: int) -> tuple[list[float], list[float]]:
    """Ask about one definition after another, of one version, and of a version of its own each."""
    name, text = f"of_{lines}.py", text_of(count)
    buffer = s.editor.open(s.write(name, text), "python")
    await _command(s, name, text, 0)
    same = [await _command(s, name, text, number + 1) for number in range(TIMES)]
    typed = []
    for number in range(TIMES):
        at = buffer.text.index("print", len(buffer.text) // 2)
        s.editor.type(buffer, at, at, "x")
        typed.append(await _command(s, name, buffer.text, number + 1, version=buffer.version))
    return same, typed


async def _command(s: Stage, name: str, text: str, number: int, version: int = 1) -> float:
    """Run Fix on a definition and return the milliseconds until its request is at the provider; then cancel it."""
    at = text.index(f"def f{number}(") + len("def ")
    here = s.editor.range(text, at, at)
    place = {"line": here.start.line, "character": here.start.character}
    argument = {
        "action": "fix",
        "uri": (s.root / name).as_uri(),
        "version": version,
        "range": {"start": place, "end": place},
    }
    # Without a diagnostic the linter would be asked first, which is a process of its own.
    argument["diagnostics"] = [{"range": argument["range"], "message": f"undefined name in f{number}", "severity": 1}]
    params = types.ExecuteCommandParams("tuppence.run", [argument])
    before, began, call = len(s.upstream.requests), _now(), f"{name} {version} {number}"
    s.upstream.script(stall("```python\n"))
    asked = asyncio.wrap_future(
        s.editor.client.protocol.send_request(types.WORKSPACE_EXECUTE_COMMAND, params, msg_id=call)
    )
    seen = await arrived(s, before + 1, asked)
    ended = _stops(s)
    s.editor.cancel(call)
    await seen.closed.wait()
    await asyncio.wait([asked])
    asked.exception()
    await stopped(s, ended + 1)
    return (seen.at - began) * 1000


async def arrived(s: Stage, count: int, asked: asyncio.Future[Any]) -> Seen:
    """Return a request once so many have arrived at the provider.

    :raises RuntimeError: the command ended before; the message is what the server said.
    """
    waiting = asyncio.create_task(s.upstream.seen(count))
    await asyncio.wait((waiting, asked), return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done() and len(s.upstream.requests) < count:
        waiting.cancel()
        said = [each.message for each in s.editor.seen.messages]
        raise RuntimeError(f"the command ended without a request: {said[-3:]} {s.editor.seen.errors[-500:]}")
    return await waiting


async def stopped(s: Stage, count: int) -> None:
    """Wait until the server has said of so many runs that they were stopped."""
    async with asyncio.timeout(60):
        while _stops(s) < count:  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.002)


def _stops(s: Stage) -> int:
    return sum(each.message.startswith("Stopped") for each in s.editor.seen.messages)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _memory(pid: int) -> float:
    """Return the megabytes of a process that are in memory; not a number where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000
