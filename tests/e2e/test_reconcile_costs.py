"""Reconciling estimates: a provider that can report the charge later is asked, and its figure replaces the estimate."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scenario import GOOD, SRC, until
from scripted_provider import Reply, ScriptedUpstream, Seen, answer, error, raw, redirect, stall
from server import CONFIG, Stage, pick, stage

from tuppence.core.billing.entry import Entry, exact
from tuppence.core.models.model import Model, Provider
from tuppence.core.models.usage import Usage
from tuppence.ledger import Ledger
from tuppence.providers import UsageReport
from tuppence.upstream import ModelClient

TELLING = CONFIG.replace('wire = "{wire}"', 'wire = "{wire}"\nbill = "generation?id={{id}}"\nkey_env = "MINE_API_KEY"')
TOLD: dict[str, Any] = {
    "id": "chatcmpl-1", "total_cost": 0.00123456, "cancelled": True, "streamed": True, "tokens_prompt": 1,
    "tokens_completion": 1, "native_tokens_prompt": 1000, "native_tokens_completion": 70,
    "native_tokens_reasoning": 20, "native_tokens_cached": 400,
}  # fmt: skip
COUNTED = Usage(fresh=600, cache_read=400, output=50, thinking=20)


def told(**other: Any) -> Reply:
    """Return what the provider says of an answer."""
    return raw([json.dumps({"data": {**TOLD, **other}}).encode()], headers={"content-type": "application/json"})


def desk(chat: Reply, *bills: Reply) -> Callable[[Seen], Reply]:
    """Answer questions about code in one way, and questions about what that cost in turn."""
    turn: Iterator[Reply] = iter(bills)
    return lambda seen: next(turn) if seen.path.startswith("/v1/generation") else chat


def bills(upstream: ScriptedUpstream) -> list[Seen]:
    """Return the questions about the cost of an answer."""
    return [each for each in upstream.requests if "generation" in each.path]


def identities(s: Stage) -> list[str | None]:
    """Return the provider's name of each answer that the ledger holds money for."""
    with closing(sqlite3.connect(s.home / "data" / "tuppence" / "ledger.sqlite3")) as connection:
        return [identity for (identity,) in connection.execute("SELECT identity FROM hold")]


async def cancel(s: Stage) -> Entry:
    """Ask for a fix, stop it in the middle of the answer, and return its estimate."""
    buffer = s.editor.open(s.write("stats.py", SRC), "python")
    asked = s.editor.start(pick(await s.editor.menu(buffer, 5), "Fix"), "run")
    await until(lambda: any("is answering" in str(each) for each in s.editor.seen.progress))
    s.editor.start((await s.editor.menu(buffer, 5))[0], "stop")
    await asked
    (entry,) = s.entries()
    assert (entry.outcome, entry.estimated) == ("cancelled", True)
    return entry


async def better(s: Stage) -> Entry:
    """Wait until the estimate has given way, and return what is there now."""
    async with asyncio.timeout(60):
        while (found := s.entries())[0].estimated:  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.05)
    assert len(found) == 1
    return found[0]


async def test_an_estimate_gives_way_to_what_the_provider_charged(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TELLING, keys={"MINE_API_KEY": "sk-secret"}) as s:
        s.upstream.always(desk(stall(GOOD[:40]), error(404), told()))
        estimate = await cancel(s)
        true = await better(s)
        assert [each.path for each in bills(s.upstream)] == ["/v1/generation?id=chatcmpl-1"] * 2
        assert {each.headers["authorization"] for each in bills(s.upstream)} == {"Bearer sk-secret"}
        # 600 x 0.15 + 400 x 0.015 + 70 x 0.60 = 138
        assert (true.usage, true.listed) == (COUNTED, Decimal("0.000138"))
        assert (true.cost, true.charged, true.outcome) == (Decimal("0.00123456"), Decimal("0.00123456"), "cancelled")
        assert estimate.cost is not None
        assert true.reason == (
            f"{estimate.reason}; estimated at ${exact(estimate.cost)} until its provider was asked"
        ), "both figures are kept"
        # 1,000 x 5 + 70 x 25 = 6,750 at the best model
        assert true.best_cost == Decimal("0.00675")
        ledger = Ledger(s.home / "data" / "tuppence" / "ledger.sqlite3")
        now = true.at.astimezone()
        assert ledger.spent("", true.run, now).day == ledger.summary("", now).today == true.cost
        assert ledger.summary("", now).estimated == 0
        ledger.close()


async def test_what_one_server_could_not_ask_the_next_one_asks(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TELLING, keys={"MINE_API_KEY": "sk-secret"}) as s:
        s.upstream.always(desk(stall(GOOD[:40]), *[error(503)] * 9))
        await cancel(s)
        await until(lambda: bills(s.upstream))
    async with stage(tmp_path, config=TELLING, keys={"MINE_API_KEY": "sk-secret"}) as s:
        s.upstream.always(desk(answer(GOOD), told()))
        assert s.entries()[0].estimated
        await s.editor.menu(s.editor.open(s.write("other.py", SRC), "python"), 5)
        assert (await better(s)).cost == Decimal("0.00123456")


async def test_a_killed_servers_answer_is_asked_after_by_the_next_one(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TELLING, keys={"MINE_API_KEY": "sk-secret"}) as s:
        s.upstream.always(desk(stall(GOOD[:40])))
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        asked = s.editor.start(pick(await s.editor.menu(buffer, 5), "Fix"), "run")
        await until(lambda: any("is answering" in str(each) for each in s.editor.seen.progress))
        await until(lambda: identities(s) == ["chatcmpl-1"])
        s.editor.process.kill()
        asked.cancel()
    async with stage(tmp_path, config=TELLING, keys={"MINE_API_KEY": "sk-secret"}) as s:
        s.upstream.always(desk(answer(GOOD), told()))
        await s.editor.menu(s.editor.open(s.write("other.py", SRC), "python"), 5)
        await until(s.entries)
        true = await better(s)
        assert (true.cost, true.usage, true.outcome) == (Decimal("0.00123456"), COUNTED, "failed")


async def test_who_says_nothing_of_bills_is_not_asked(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.upstream.always(desk(stall(GOOD[:40])))
        await cancel(s)
        await asyncio.sleep(1)
        assert len(s.upstream.requests) == 1
        assert s.entries()[0].estimated


async def test_an_answer_that_was_counted_is_not_asked_after(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TELLING, keys={"MINE_API_KEY": "sk-secret"}) as s:
        s.upstream.always(desk(answer(GOOD)))
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        await asyncio.sleep(1)
        assert (len(s.upstream.requests), s.entries()[0].estimated) == (1, False)


@pytest.mark.parametrize(
    ("reply", "expected", "asked"),
    [
        (told(), UsageReport(COUNTED, Decimal("0.00123456")), 1),
        (
            told(native_tokens_cached=None),
            UsageReport(Usage(1000, None, output=50, thinking=20), Decimal("0.00123456")),
            1,
        ),
        (
            told(native_tokens_completion=None, native_tokens_reasoning=None, total_cost=0),
            UsageReport(Usage(600, 400), Decimal(0)),
            1,
        ),
        (told(native_tokens_completion=None, cancelled=False), None, 3),
        (told(total_cost=None), None, 3),
        (told(total_cost="free"), None, 3),
        (told(native_tokens_prompt=-1), None, 3),
        (raw([b"[]"]), None, 3),
        (raw([b"<html>"]), None, 3),
        (raw([b"x" * 70_000]), None, 3),
        (error(500), None, 3),
        (error(429), None, 3),
        (error(401), None, 1),
        (error(400), None, 1),
        (redirect("http://127.0.0.1:9/elsewhere"), None, 1),
    ],
)
async def test_what_makes_no_sense_leaves_the_estimate(
    reply: Reply, expected: UsageReport | None, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuppence.upstream.generation_cost.PAUSES", (0.0, 0.01, 0.01))
    async with ScriptedUpstream() as server:
        server.always(reply)
        provider = Provider("mine", "openai", server.openai, "K", bill="generation?id={id}")
        upstream = ModelClient()
        found = await upstream.bill(Model(provider=provider, id="m", tier="budget"), "key", "gen-1")
        await upstream.close()
    assert found == expected
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("identity", "path"),
    [
        ("gen-1", "/v1/generation?id=gen-1"),
        ("../../admin?x=1#y", "/v1/generation?id=..%2F..%2Fadmin%3Fx%3D1%23y"),
        ("ä b", "/v1/generation?id=%C3%A4%20b"),
        ("", None),
        ("x" * 201, None),
    ],
)
async def test_an_id_is_only_ever_an_id(identity: str, path: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuppence.upstream.generation_cost.PAUSES", (0.0,))
    async with ScriptedUpstream() as server:
        provider = Provider("mine", "openai", server.openai, None, bill="generation?id={id}")
        upstream = ModelClient()
        assert await upstream.bill(Model(provider=provider, id="m", tier="budget"), None, identity) is None
        await upstream.close()
    assert [each.path for each in server.requests] == ([] if path is None else [path])


async def test_a_key_is_not_sent_in_the_clear() -> None:
    provider = Provider("mine", "openai", "http://192.0.2.1/v1", "K", bill="generation?id={id}")
    upstream = ModelClient()
    assert await upstream.bill(Model(provider=provider, id="m", tier="budget"), "key", "gen-1") is None
    await upstream.close()
