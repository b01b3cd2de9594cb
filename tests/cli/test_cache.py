"""``tuppence cache`` next to a real server: each request's cache result is listed; cached answers can be cleared."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripted_provider import ScriptedUpstream
from server import CONFIG, Stage, environment, pick, stage

from tuppence import cli
from tuppence.core.models.usage import Usage

CACHED = CONFIG.replace(
    "context = 128000\n", 'context = 128000\ncache = {{ mode = "explicit", minimum = 600, ttl = ["5m"] }}\n'
)
FUNCTION = "def {name}(xs):\n    # {remark}\n    return sum(xs) / len(xs)\n"
SRC = "\n\n".join(FUNCTION.format(name=f"f{each}", remark="why " * 60) for each in range(20))


def command(home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tuppence", "cache", *words],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(home) | {"COLUMNS": "200"},
    )
    return done.stdout


async def explain(s: Stage, name: str, usage: Usage) -> None:
    (buffer,) = s.editor.buffers.values()
    s.upstream.says(f"`{name}` divides.", usage=usage)
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index(f"{name}(")), "Explain"))


def marked(upstream: ScriptedUpstream) -> list[int]:
    """Return which blocks of the last request's message carry a mark."""
    content: Any = upstream.requests[-1].body["messages"][0]["content"]
    return [at for at, block in enumerate(content) if "cache_control" in block]


async def test_each_request_says_what_it_found(tmp_path: Path) -> None:
    async with stage(tmp_path, wire="anthropic", config=CACHED) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        await explain(s, "f1", Usage(fresh=40, cache_read=0, cache_write=3000))
        blocks = len(s.upstream.requests[-1].body["messages"][0]["content"]) - 1
        assert blocks > 4
        assert marked(s.upstream)[-1] == blocks - 1
        await explain(s, "f2", Usage(fresh=40, cache_read=3000))
        s.editor.type(buffer, SRC.index("why", SRC.index("def f10")), SRC.index("why", SRC.index("def f10")) + 3, "how")
        await explain(s, "f3", Usage(fresh=40, cache_read=1000, cache_write=2000))
        found = json.loads(await asyncio.to_thread(command, s.home, "--json"))
        shown = await asyncio.to_thread(command, s.home, "--last", "2")
    whys = [each["why"] for each in found["requests"]]
    assert whys[:2] == ["the first request about a.py to this model", "hit"]
    assert whys[2].startswith("the first block that differs from ")
    assert " the file from line " in whys[2]
    assert int(whys[2].partition("from line ")[2]) <= SRC[: SRC.index("def f10")].count("\n") + 1
    assert found["kept"]["answers"] == 3
    assert "hit" in shown
    assert "3000 of 3040" in shown
    assert "the first request" not in shown
    assert "Kept answers: 3," in shown


async def test_a_file_below_the_minimum_is_said_to_be(tmp_path: Path) -> None:
    async with stage(tmp_path, wire="anthropic", config=CACHED.replace("600", "6000")) as s:
        s.editor.open(s.write("a.py", SRC), "python")
        for name in ("f1", "f2"):
            await explain(s, name, Usage(fresh=3000, cache_read=0))
        assert marked(s.upstream) == []
        found = json.loads(await asyncio.to_thread(command, s.home, "--json"))
    assert all(each["why"].startswith("below the model's minimum: ") for each in found["requests"])


async def test_cleared_answers_are_asked_for_anew(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.editor.open(s.write("a.py", SRC), "python")
        for _ in range(2):
            await explain(s, "f1", Usage(fresh=40))
        assert len(s.upstream.requests) == 1
        assert await asyncio.to_thread(command, s.home, "--clear") == "Forgot 1 kept answer.\n"
        await explain(s, "f1", Usage(fresh=40))
        assert len(s.upstream.requests) == 2


def test_looking_makes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cache"]) == 0
    assert capsys.readouterr().out.startswith("No request is remembered.\nKept answers: 0, 0.0 MB in ")
    assert cli.main(["cache", "--clear"]) == 0
    assert capsys.readouterr().out == "Forgot 0 kept answers.\n"
    assert not list(tmp_path.rglob("answers.sqlite3"))
    assert cli.main(["cache", "--last", "0"]) == 2
