"""Keep-alive and pre-warm: when a renewal pays, and the real server making it, or not, against a scripted provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from scenario import SRC, messages, until
from scripted_provider import Reply, Seen, answer, error, raw
from server import CONFIG, Stage, pick, stage
from tests.engine.test_run import lodging, question, steps

from tuppence.cache import File, Traces
from tuppence.core.actions import EXPLAIN
from tuppence.core.models.model import CacheRules, Model, Provider
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.models.usage import Usage
from tuppence.core.prompt_cache import forecast
from tuppence.core.prompt_cache.prefix import Link
from tuppence.core.prompt_cache.renewal import Prefix, Renewal, weigh
from tuppence.core.prompt_cache.state import Trace
from tuppence.engine import keep_alive
from tuppence.engine.keep_alive import KeepAlive, why_not
from tuppence.engine.prompt_cache import PromptCache

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PRICE = Price(Rates(Decimal(2), Decimal(10), Decimal("0.2"), Decimal("2.5"), Decimal(4)))
RULES = CacheRules("explicit", 1000, ("5m", "1h"), renew=True)
MODEL = Model(
    provider=Provider("p", "anthropic", "http://127.0.0.1:1"), id="m", tier="budget", cache=RULES, price=PRICE
)
LINKS = (Link("a", 2000, "a"), Link("b", 8000, "b"))


def trace(minutes: float, place: str = "a", **how: Any) -> Trace:
    """Return what is left of a request that was sent so many minutes ago."""
    known: dict[str, Any] = {
        "run": "r",
        "action": "explain",
        "name": "a.py",
        "place": place,
        "model": "p/m",
        "at": NOW - timedelta(minutes=minutes),
        "links": LINKS,
        "size": 8100,
        "held": (0, 1),
        "life": "",
        "expected": 0,
    }
    return Trace(**known | how)


def habit(*gaps: float, start: float = 300) -> list[Trace]:
    """Return requests about another document with such gaps between them, in minutes, long ago."""
    found, ago = [trace(start, "other")], start
    for gap in gaps:
        ago -= gap
        found.append(trace(ago, "other"))
    return found


def renewal(*traces: Trace, links: tuple[Link, ...] = LINKS) -> Renewal:
    return weigh(Prefix(links, "", MODEL, PRICE, "a"), traces, NOW)


def test_a_warm_prefix_is_renewed_where_people_come_back_a_little_late() -> None:
    late = renewal(*habit(*[7] * 40), trace(4.8))
    assert (late.warm, late.tokens, late.cost) == (8000, 8000, Decimal("0.0016"))
    assert late.pays
    assert Decimal("0.01") < late.saving < Decimal("0.0184"), "never more than all of it, written instead of read"
    assert not renewal(*habit(*[1] * 40), trace(4.8)).pays, "who comes back at once has come by now"
    assert not renewal(*habit(*[90] * 3), trace(4.8)).pays, "who comes back in an hour and a half comes too late"
    assert not renewal(trace(4.8)).pays, "before any habit is known"


def test_what_is_cold_is_never_warmed() -> None:
    often = habit(*[1] * 60)
    for cold in (renewal(*often), renewal(*often, trace(6)), renewal(*often, trace(1, model="p/other"))):
        assert (cold.warm, cold.cost) == (0, Decimal("0.02"))
        assert not cold.pays


@given(
    st.lists(st.floats(0.1, 200), max_size=60),
    st.floats(0, 12),
    st.decimals(0, 1, places=3),
    st.decimals(1, 2, places=3),
)
def test_a_cold_one_pays_at_no_price_and_no_habit(
    gaps: list[float], minutes: float, read: Decimal, write: Decimal
) -> None:
    price = Price(Rates(Decimal(1), Decimal(5), read, write))
    prefix = Prefix(LINKS, "", MODEL, price, "a")
    found = weigh(prefix, [*habit(*gaps, start=sum(gaps) + 20), trace(minutes, model="p/other")], NOW)
    assert found.warm == 0
    assert not found.pays


def test_renewals_are_no_sign_that_a_person_comes_back() -> None:
    alive = [trace(minutes, action="keep-alive") for minutes in (20, 16, 12, 8, 4.8)]
    assert forecast.gaps([trace(25), *alive], NOW) == []
    assert forecast.gaps([trace(25), *alive, trace(1)], NOW) == [timedelta(minutes=24)]
    assert not renewal(*habit(*[7] * 40), trace(25), *alive).pays, "it is too late for the usual gap of seven minutes"


@given(st.lists(st.floats(0, 5000), max_size=60), st.floats(0, 5000), st.floats(0, 5000), st.floats(0, 5000))
def test_chances_are_chances(gaps: list[float], first: float, second: float, third: float) -> None:
    found = [timedelta(seconds=gap) for gap in gaps]
    after, middle, late = (timedelta(seconds=each) for each in sorted((first, second, third)))
    near, far = (forecast.chance(found, after, each) for each in (middle, late))
    assert 0 <= near <= far <= 1


def test_only_some_caches_can_be_warmed() -> None:
    assert why_not(MODEL) == ""
    assert "cannot be warmed" in why_not(replace(MODEL, cache=replace(RULES, renew=False)))
    assert "no words" in why_not(replace(MODEL, provider=Provider("p", "openai", "http://127.0.0.1:1")))
    thinks = replace(MODEL.quirks, thinking_off={"thinking": {"type": "enabled", "budget_tokens": 1024}})
    assert "while it thinks" in why_not(replace(MODEL, quirks=thinks))


LIFE = 3.0
"""Seconds that the played cache keeps an entry."""
RENEWED = CONFIG.replace("cache_write = 0.19 }}", "cache_write = 0.1875 }}").replace(
    "context = 128000\n",
    'context = 128000\ncache = {{ mode = "explicit", minimum = 10, ttl = ["3s"], renew = true }}\n',
)
ASKED = Usage(fresh=20, cache_read=0, cache_write=1000, output=40)


def play(seen: Seen) -> Reply:
    """Answer a question with a stream, and a request for no answer with its counts in one object."""
    if seen.body["max_tokens"] > 0:
        return answer("It divides the sum by the count.", usage=ASKED)
    counts = {"input_tokens": 0, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 0, "output_tokens": 0}
    return whole({"type": "message", "content": [], "stop_reason": "max_tokens", "usage": counts})


def whole(body: Mapping[str, Any]) -> Reply:
    return raw([json.dumps(body).encode()], headers={"content-type": "application/json"})


def coming_back(tmp_path: Path, seconds: float) -> None:
    """Leave traces of somebody who comes back after half a second, or after so many seconds."""
    file = File(tmp_path / "home" / "cache" / "tuppence" / "answers.sqlite3")
    remember(Traces(file), seconds)
    file.close()


def remember(traces: Traces, seconds: float) -> Traces:
    at = datetime.now(UTC) - timedelta(minutes=55)
    for number in range(61):
        traces.add(replace(trace(0, "other"), at=at, model="mine/small"))
        at += timedelta(seconds=seconds if number % 5 < 2 else 0.5)
    return traces


async def explain(s: Stage, name: str = "stats.py") -> Any:
    """Have a function explained; return the buffer."""
    buffer = s.editor.open(s.write(name, SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, 20), "Explain"))
    return buffer


def renewals(s: Stage) -> list[Seen]:
    return [seen for seen in s.upstream.requests if seen.body["max_tokens"] == 0]


async def test_a_prefix_is_kept_alive_just_before_it_expires(tmp_path: Path) -> None:
    coming_back(tmp_path, LIFE + 1)
    async with stage(tmp_path, wire="anthropic", config=RENEWED, extra="keep_alive = 0.01\n") as s:
        s.upstream.always(play)
        await explain(s)
        (asked,) = s.upstream.requests
        await until(lambda: len(s.upstream.requests) > 1)
        (alive,) = renewals(s)
        assert 0.7 * LIFE < alive.at - asked.at < LIFE
        assert alive.body["stream"] is False
        assert alive.body["system"] == asked.body["system"]
        blocks, tail = asked.body["messages"][0]["content"][:-1], asked.body["messages"][0]["content"][-1]
        assert [each["text"] for each in alive.body["messages"][0]["content"]] == [each["text"] for each in blocks]
        assert "cache_control" in alive.body["messages"][0]["content"][-1]
        assert "cache_control" not in tail
        await asyncio.sleep(1.5 * LIFE)
        assert len(renewals(s)) == 1, "after that it would come too late to pay"
        first, entry = s.entries()
    assert (entry.action, entry.outcome, entry.model, entry.estimated) == ("keep-alive", "warmed", "small", False)
    assert entry.usage == Usage(cache_read=1000)
    assert entry.cost == entry.best_cost == Decimal("0.000015")
    assert entry.run != first.run
    assert "expected to save" in entry.reason


@pytest.mark.parametrize("what", ["off", "spent", "changed", "closed", "not usual", "refused"])
async def test_a_prefix_is_left_to_expire(what: str, tmp_path: Path) -> None:
    coming_back(tmp_path, 20 if what == "not usual" else LIFE + 1)
    extra = {"off": "", "spent": "keep_alive = 0.000001\n"}.get(what, "keep_alive = 0.01\n")
    async with stage(tmp_path, wire="anthropic", config=RENEWED, extra=extra) as s:
        refusal = error(400, {"error": {"message": "no", "type": "invalid_request_error"}})
        s.upstream.always(lambda seen: refusal if what == "refused" and not seen.body["max_tokens"] else play(seen))
        buffer = await explain(s)
        if what == "changed":
            s.editor.type(buffer, 0, 0, "# changed\n")
        if what == "closed":
            s.editor.close(buffer)
        await asyncio.sleep(1.4 * LIFE)
        assert len(renewals(s)) == (1 if what == "refused" else 0)
        entries = s.entries()
    assert [(entry.action, entry.outcome) for entry in entries[1:]] == (
        [("keep-alive", "failed")] if what == "refused" else []
    )
    assert all(entry.cost == 0 for entry in entries[1:])


async def test_nobody_is_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "MOST", 3)
    config = RENEWED.replace('"3s"', '"1s"').replace("cache_read = 0.015", "cache_read = 0.0000001")
    config = f"keep_alive = 1\n{config}"
    async with lodging(tmp_path, config, "anthropic") as (session, server):
        server.always(play)
        ask = question(action=EXPLAIN)
        session.prompt_cache = PromptCache(remember(Traces(), 20))
        keeper = KeepAlive(session, lambda _uri: ask.document)
        await steps(ask, session)
        await asyncio.sleep(6)
        assert len([seen for seen in server.requests if not seen.body["max_tokens"]]) == 3
        await steps(replace(ask, bypass_cache=True, run="again"), session)
        await asyncio.sleep(0.3)
        await keeper.close()
        await asyncio.sleep(1)
        assert len([seen for seen in server.requests if not seen.body["max_tokens"]]) == 3, "it was closed"


async def test_a_new_question_begins_the_wait_anew(tmp_path: Path) -> None:
    coming_back(tmp_path, LIFE + 1)
    async with stage(tmp_path, wire="anthropic", config=RENEWED, extra="keep_alive = 0.01\n") as s:
        s.upstream.always(play)
        buffer = await explain(s)
        await asyncio.sleep(0.6 * LIFE)
        await s.editor.run(pick(await s.editor.menu(buffer, 20), "Review"))
        await asyncio.sleep(0.6 * LIFE)
        assert renewals(s) == []
        await until(lambda: renewals(s))
        assert renewals(s)[0].at - s.upstream.requests[1].at > 0.7 * LIFE


async def test_a_budget_holds_for_renewals_too(tmp_path: Path) -> None:
    coming_back(tmp_path, LIFE + 1)
    extra = "keep_alive = 0.01\n"
    config = RENEWED + "[budget]\nsession = 0.0004\n"
    async with stage(tmp_path, wire="anthropic", config=config, extra=extra) as s:
        s.upstream.always(play)
        await explain(s)
        await asyncio.sleep(1.4 * LIFE)
        assert renewals(s) == []
        first, refused = s.entries()
    assert [first.outcome, refused.action, refused.outcome] == ["kept", "keep-alive", "failed"]
    assert refused.cost == 0


async def warm(s: Stage, buffer: Any) -> str:
    """Ask for a pre-warm; return what is said."""
    before = len(s.editor.seen.messages)
    cursor = {"line": 0, "character": 4}
    await s.editor.run(command({"uri": buffer.uri, "range": {"start": cursor, "end": cursor}}))
    await until(lambda: len(s.editor.seen.messages) > before)
    return messages(s)[-1]


def command(*arguments: object) -> types.CodeAction:
    return types.CodeAction("Warm", command=types.Command("Warm", "tuppence.prewarm", arguments=list(arguments)))


async def test_a_pre_warm_is_made_only_where_it_pays(tmp_path: Path) -> None:
    coming_back(tmp_path, LIFE + 0.5)
    async with stage(tmp_path, wire="anthropic", config=RENEWED) as s:
        s.upstream.always(play)
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        cold = await warm(s, buffer)
        assert cold.startswith("stats.py was not warmed: it would cost $0.0001 at small, and may be expected to save")
        assert cold.endswith("What is cold costs as much to warm as to ask.")
        assert s.upstream.requests == []
        await explain(s, "stats.py")
        await asyncio.sleep(0.8 * LIFE)
        assert (await warm(s, buffer)).startswith("stats.py is warm at small: about ")
        assert len(renewals(s)) == 1
        assert (await warm(s, buffer)).startswith("stats.py was not warmed")
        assert len(renewals(s)) == 1
        entries = s.entries()
    assert [(entry.action, entry.outcome) for entry in entries] == [("explain", "kept"), ("pre-warm", "warmed")]


async def test_a_pre_warm_says_why_it_can_not_be(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        said = await warm(s, buffer)
        assert said == "stats.py was not warmed: the cache of small cannot be warmed without asking for an answer."
        await s.editor.run(command())
        await until(lambda: len(s.editor.seen.messages) > 1)
        assert "The document is not open any more." in messages(s)[-1]
        assert s.upstream.requests == []
