"""Keep-alive and pre-warm through the real server; when they pay is tested in tests/engine/test_keep_alive.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import SRC, messages, until
from server import Stage, pick, stage
from tests.engine.test_keep_alive import RENEWED, play, trace

from tuppence.cache import File, Traces


def coming_back(tmp_path: Path, seconds: float) -> None:
    """Leave traces of somebody who comes back after half a second, or after so many seconds."""
    file = File(tmp_path / "home" / "cache" / "tuppence" / "answers.sqlite3")
    traces, at = Traces(file), datetime.now(UTC) - timedelta(minutes=55)
    for number in range(61):
        traces.add(replace(trace(0, "other"), at=at, model="mine/small"))
        at += timedelta(seconds=seconds if number % 5 < 2 else 0.5)
    file.close()


@pytest.mark.long
async def test_the_server_keeps_a_prefix_alive(tmp_path: Path) -> None:
    """It waits for the life of an entry by the real clock."""
    coming_back(tmp_path, 21)
    config = RENEWED.replace('"5m"', '"20s"')
    async with stage(tmp_path, wire="anthropic", config=config, extra="keep_alive = 0.01\n") as s:
        s.upstream.always(play)
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, 20), "Explain"))
        await until(lambda: len(s.upstream.requests) > 1)
        assert [each.body["max_tokens"] > 0 for each in s.upstream.requests] == [True, False]
        await until(lambda: len(s.entries()) == 2)


async def warm(s: Stage, buffer: Any) -> str:
    """Ask for a pre-warm; return what is said."""
    before = len(s.editor.seen.messages)
    cursor = {"line": 0, "character": 4}
    await s.editor.run(command({"uri": buffer.uri, "range": {"start": cursor, "end": cursor}}))
    await until(lambda: len(s.editor.seen.messages) > before)
    return messages(s)[-1]


def command(*arguments: object) -> types.CodeAction:
    return types.CodeAction("Warm", command=types.Command("Warm", "tuppence.prewarm", arguments=list(arguments)))


async def test_a_pre_warm_says_why_it_can_not_be(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        said = await warm(s, buffer)
        assert said == "stats.py was not warmed: the cache of small cannot be warmed without asking for an answer."
        await s.editor.run(command())
        await until(lambda: len(s.editor.seen.messages) > 1)
        assert "The document is not open any more." in messages(s)[-1]
        assert s.upstream.requests == []


async def test_a_pre_warm_of_what_is_cold_costs_too_much(tmp_path: Path) -> None:
    async with stage(tmp_path, wire="anthropic", config=RENEWED) as s:
        s.upstream.always(play)
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        assert (await warm(s, buffer)).startswith("stats.py was not warmed: it would cost $0.0001 at small")
        assert s.upstream.requests == []
