"""The bars on the server's weight: what it loads before it answers an editor, and what it takes while it idles.

They are counts and sizes. ``python -m benchmarks.speed`` measures the times.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from benchmarks.speed.initialize import EMPTY, initialize
from paths import PACKAGE
from sample_code import definitions, snippets
from server import environment, stage
from work import lines, parses

from tuppence.config import load
from tuppence.config.shipped import shipped
from tuppence.core.actions import FIX
from tuppence.core.models.model import Model
from tuppence.core.routing.candidates import RoutingRequest
from tuppence.core.routing.quality import QualityModel
from tuppence.core.routing.router import Route, choose

HEAVY = {
    "anyio", "email", "genai_prices", "httpx", "httpx_sse", "platformdirs", "psycopg", "rich", "ruff",
    "sqlite3", "ssl", "tomllib", "tree_sitter", "xllamacpp",
}  # fmt: skip
"""Packages that an answer to `initialize` needs none of."""


@pytest.mark.process
def test_initialize_costs_little_more_than_an_empty_server(tmp_path: Path) -> None:
    more = loaded(["-m", "tuppence", "serve"], tmp_path) - loaded(["-c", EMPTY], tmp_path)
    own = {name for name in more if name.partition(".")[0] == "tuppence"}
    print(f"before `initialize` is answered: {len(own)} modules of tuppence, {len(more - own)} others beyond pygls")
    assert not {name for name in more if name.partition(".")[0] in HEAVY}
    assert len(own) <= 30, sorted(own)
    assert len(more - own) <= 25, sorted(more - own)


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


def test_the_router_adds_little_time_to_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    models, codes = load().models[:60], definitions(200)
    chosen(models, "def warm():\n    return 1\n")
    parsed, asked = parses(monkeypatch), list[str]()
    estimate = QualityModel.estimate

    def counted(self: QualityModel, model: Model, *rest: Any, **more: Any) -> Any:
        asked.append(model.name)
        return estimate(self, model, *rest, **more)

    monkeypatch.setattr(QualityModel, "estimate", counted)
    ran = [lines(lambda: chosen(models, code))[1] for code in codes]  # noqa: B023 - called at once
    print(f"router: {statistics.median(ran):.0f} lines, at most {max(ran)}, over {len(models)} models")
    assert len(parsed) == len(codes), "the code is parsed once for a decision"
    assert len(asked) <= len(codes) * len(models), "no model is judged twice for a decision"
    assert max(ran) < 17_500


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


def loaded(arguments: list[str], home: Path) -> set[str]:
    """Return the modules that a server imports up to its answer to `initialize`, and while it waits after that."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-X", "importtime", *arguments]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(home)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(initialize())
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"Content-Length")
        process.kill()
        _, said = process.communicate()
    lines_said = [line for line in said.decode().splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines_said}


def resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
