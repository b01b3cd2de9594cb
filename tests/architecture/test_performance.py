"""The bars on the server's weight: how long an editor waits for it, and what it takes while it idles."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

from paths import PACKAGE
from sample_code import by_itself, definitions, snippets
from server import environment, stage

from tuppence.config import load
from tuppence.config.shipped import shipped
from tuppence.core.actions import FIX
from tuppence.core.models.model import Model
from tuppence.core.routing.candidates import RoutingRequest
from tuppence.core.routing.router import Route, choose

EMPTY = 'from pygls.lsp.server import LanguageServer; LanguageServer("empty", "1").start_io()'
PAIRS = 5


def test_initialize_costs_little_more_than_an_empty_server(tmp_path: Path) -> None:
    empty, ours = [sys.executable, "-c", EMPTY], [sys.executable, "-m", "tuppence", "serve"]
    seconds_to_initialize(empty, tmp_path), seconds_to_initialize(ours, tmp_path)
    pairs = [(seconds_to_initialize(empty, tmp_path), seconds_to_initialize(ours, tmp_path)) for _ in range(PAIRS)]
    ratio = statistics.median(our / base for base, our in pairs)
    base, our = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"initialize: {our * 1000:.0f} ms against {base * 1000:.0f} ms of an empty pygls server, {ratio:.2f}x")
    assert ratio < 1.3


async def test_an_idle_server_is_small(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", "def f():\n    return 1\n"), "python")
        menu = await s.editor.menu(buffer, 12)
        idle = resident(s.pid)
        s.upstream.says("```python\ndef f():\n    return 2\n```")
        await s.editor.run(next(each for each in menu if each.title.startswith("Fix")))
        assert buffer.text == "def f():\n    return 2\n"
        used = resident(s.pid)
    print(f"resident: {idle:.0f} MB after a menu, {used:.0f} MB once a model was asked")
    assert idle < 70
    assert used < 90


def chosen(models: tuple[Model, ...], code: str) -> Route:
    """Judge the code and choose among all rows of the built-in table, as for a request."""
    gain = shipped().gain("fix", "python", code)
    when = datetime(2026, 11, 21, 12, tzinfo=UTC)
    need = RoutingRequest(action=FIX, gain=gain, prompt_tokens=3000, target_tokens=600, when=when)
    return choose(need, models, {}, shipped())


def test_the_router_adds_little_time_to_a_request() -> None:
    models, codes = load().models, definitions(200)
    chosen(models, codes[0])
    times = []
    with by_itself():
        for code in codes:
            # The processor's time, and the best of five: what else runs on the machine is no matter of ours.
            took = []
            for _ in range(5):
                began = time.process_time()
                chosen(models, code)
                took.append(time.process_time() - began)
            times.append(min(took))
    median, p99 = statistics.median(times), sorted(times)[int(0.99 * len(times))]
    print(f"router: {median * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms, over {len(models)} models and real definitions")
    assert p99 < 0.005


def test_the_router_takes_little_memory() -> None:
    models, [code] = load().models, snippets(1)
    chosen(models, code)
    shipped.cache_clear()
    tracemalloc.start()
    try:
        route = chosen(models, code)
        size, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert route.table
    print(f"router: {size / 1e6:.2f} MB, {peak / 1e6:.2f} MB while it loads")
    assert peak < 5_000_000
    assert (PACKAGE / "weights.json").stat().st_size < 500_000


def seconds_to_initialize(command: list[str], home: Path) -> float:
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(home)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        params: dict[str, object] = {"processId": None, "rootUri": None, "capabilities": {}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
        process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"Content-Length")
        seconds = time.perf_counter() - began
        process.kill()
    return seconds


def resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
