"""What a person waits for beside answers that stream: the next line, a hover, the menu.

``python -m benchmarks.speed.streams`` prints this part alone, in about a minute. The provider, the server and the
client are a process each, so on a machine with two processors they wait for one another.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.speed.figure import Figure
from benchmarks.speed.live_client import LiveClient

RATE = 200
"""Lines a second of one answer."""
LINES = 600
"""Lines of one answer, and of the function that it replaces."""
ROUNDS = 3
"""Number of times that all answers stream, so that the 99th percentile is not the slowest of fifty."""
FUNCTION = "def f{0}(a, b):\n{1}    return a + b\n\n\n"
TEXT = FUNCTION.format(0, "    x = a\n") + FUNCTION.format(1, "".join(f"    x{at} = a\n" for at in range(LINES)))
CURSOR = {"line": 5, "character": 5}
"""On the name of the long function."""
CONFIG = """
[providers.plain]
wire = "openai"
base_url = "http://127.0.0.1:{port}/v1"
at_once = 20
[[models]]
id = "plain"
provider = "plain"
tier = "budget"
price = {{ input = 0.15, output = 0.60 }}
context = 128000
max_output = 32000
ability = {{ explain = 0.8, fix = 0.8, tests = 0.8, review = 0.8 }}
"""


async def measure(folder: Path) -> AsyncIterator[Figure]:
    """Measure one stream, then four, then twenty, each time with a server of its own."""
    for streams in (1, 4, 20):
        with tempfile.TemporaryDirectory(prefix=f"{streams}-streams-", dir=folder) as name:
            async for figure in _beside(Path(name), streams):
                yield figure


async def _beside(folder: Path, streams: int) -> AsyncIterator[Figure]:
    from server import environment

    with _provider(LINES, RATE) as port:
        config = folder / "config.toml"
        config.write_text(CONFIG.format(port=port), encoding="utf-8")
        command = [sys.executable, "-m", "tuppence", "serve", "--config", str(config)]
        async with LiveClient(command, folder, environment(folder / "home")) as client:
            uris = [(folder / f"m{number}.py").as_uri() for number in range(streams + 1)]
            for uri in uris:
                client.open(uri, TEXT)
            await _ask_once(client, uris[-1])
            before, loop = _processor_seconds(client.pid), _loop_seconds(client.pid)
            began = time.monotonic()
            hovers, menus = list[float](), list[float]()
            for _ in range(ROUNDS):
                runs = [client.ask("workspace/executeCommand", _fix(uri)) for uri in uris[:-1]]
                seconds = await _waited(client, uris[-1], asyncio.gather(*runs))
                hovers += seconds[0]
                menus += seconds[1]
            busy = (_processor_seconds(client.pid) - before) / (time.monotonic() - began)
            a_line = (_loop_seconds(client.pid) - loop) / (streams * LINES * ROUNDS)
    if client.outcomes != ["kept"] * (streams * ROUNDS + 1):
        raise RuntimeError(f"the runs ended as {client.outcomes}")
    name = f"{streams} answers of {RATE} lines a second" if streams > 1 else f"an answer of {RATE} lines a second"
    timed = ((f"{name}: line to edit", client.delays, 0.95), ("  a hover", hovers, 0.99), ("  the menu", menus, 0.99))
    for figure in itertools.chain.from_iterable(itertools.starmap(_two, timed)):
        yield figure
    yield Figure("  the server's use of one processor", busy * 100, "%")
    yield Figure("  processor time of its event loop for each line, all else included", a_line * 1e6, "µs")


async def _ask_once(client: LiveClient, uri: str) -> None:
    """Have everything loaded that the first question loads."""
    await client.ask("textDocument/hover", _at(uri))
    await client.ask("textDocument/codeAction", _menu(uri))
    await client.ask("workspace/executeCommand", _fix(uri))
    client.delays.clear()


async def _waited(client: LiveClient, uri: str, runs: asyncio.Future[Any]) -> tuple[list[float], list[float]]:
    """Hover and ask for the menu in turn until the runs are over; return the seconds that each took."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in itertools.count():
        began = time.monotonic()
        await client.ask(*(("textDocument/hover", _at(uri)), ("textDocument/codeAction", _menu(uri)))[turn % 2])
        seconds[turn % 2].append(time.monotonic() - began)
        done, _ = await asyncio.wait([runs], timeout=0.02)
        if done:
            runs.result()
            return seconds
    raise AssertionError


def _two(name: str, seconds: Sequence[float], share: float) -> Iterator[Figure]:
    """Return the median, and what so large a share of all stays below."""
    ranked = sorted(seconds)
    yield Figure(f"{name}, half of {len(ranked):,}", statistics.median(ranked) * 1000, "ms")
    yield Figure(f"    {share:.0%} of them", ranked[min(int(len(ranked) * share), len(ranked) - 1)] * 1000, "ms")


@contextmanager
def _provider(lines: int, rate: float) -> Iterator[int]:
    """Start a provider; give its port."""
    command = [sys.executable, "-m", "benchmarks.speed.plain_provider", str(lines), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).resolve().parents[2]) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _processor_seconds(pid: int) -> float:
    """Return how many seconds of a processor a process has used; 0 where the system does not show it."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _loop_seconds(pid: int) -> float:
    """Return how many seconds of a processor a process's first thread has used; 0 where the system does not show it."""
    spent = Path(f"/proc/{pid}/task/{pid}/schedstat")
    return int(spent.read_text(encoding="utf-8").split()[0]) / 1e9 if spent.exists() else 0.0


def _at(uri: str) -> dict[str, object]:
    return {"textDocument": {"uri": uri}, "position": CURSOR}


def _menu(uri: str) -> dict[str, object]:
    context = {"diagnostics": [], "triggerKind": 1}
    return {"textDocument": {"uri": uri}, "range": {"start": CURSOR, "end": CURSOR}, "context": context}


def _fix(uri: str) -> dict[str, object]:
    where = {"start": CURSOR, "end": CURSOR}
    return {"command": "tuppence.run", "arguments": [{"action": "fix", "uri": uri, "range": where}]}


async def _main() -> None:
    from benchmarks.speed.__main__ import HELPERS, ROOT

    sys.path[:0] = [str(ROOT / each) for each in HELPERS]
    with tempfile.TemporaryDirectory(prefix="tuppence-streams-") as name:
        async for figure in measure(Path(name)):
            print(f"{figure.name:<70}{figure.value:>10.2f} {figure.unit}", flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
