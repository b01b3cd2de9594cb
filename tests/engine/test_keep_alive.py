"""Keep-alive and pre-warm: when a renewal pays, and a session that makes it, or not, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fault_bench import in_virtual_time
from hypothesis import given
from hypothesis import strategies as st
from scripted_provider import Reply, ScriptedUpstream, Seen, answer, error, raw
from server import CONFIG
from tests.engine.test_run import lodging, question, steps

from tuppence.cache import Traces
from tuppence.core.actions import EXPLAIN
from tuppence.core.billing.entry import Entry
from tuppence.core.models.model import CacheRules, Model, Provider
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.models.usage import Usage
from tuppence.core.prompt_cache import forecast
from tuppence.core.prompt_cache.prefix import Link
from tuppence.core.prompt_cache.renewal import Prefix, Renewal, weigh
from tuppence.core.prompt_cache.state import Trace
from tuppence.core.text.document import Document
from tuppence.engine.keep_alive import MARGIN, MOST, KeepAlive, why_not
from tuppence.engine.prompt_cache import PromptCache
from tuppence.engine.session import Session

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


LIFE = 300.0
"""Seconds that the played cache keeps an entry."""
EXPLICIT = 'context = 128000\ncache = {{ mode = "explicit", minimum = 10, ttl = ["5m"], renew = true }}\n'
RENEWED = CONFIG.replace("cache_write = 0.19 }}", "cache_write = 0.1875 }}").replace("context = 128000\n", EXPLICIT)
ASKED = Usage(fresh=20, cache_read=0, cache_write=1000, output=40)
KEPT = f"keep_alive = 0.01\n{RENEWED}"


def play(seen: Seen) -> Reply:
    """Answer a question with a stream, and a request for no answer with its counts in one object."""
    if seen.body["max_tokens"] > 0:
        return answer("It divides the sum by the count.", usage=ASKED)
    counts = {"input_tokens": 0, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 0, "output_tokens": 0}
    return whole({"type": "message", "content": [], "stop_reason": "max_tokens", "usage": counts})


def whole(body: Mapping[str, Any]) -> Reply:
    return raw([json.dumps(body).encode()], headers={"content-type": "application/json"})


def coming_back(seconds: float) -> Traces:
    """Return traces of somebody who comes back after half a minute, or after so many seconds."""
    traces, at = Traces(), NOW - timedelta(hours=14)
    for number in range(61):
        traces.add(replace(trace(0, "other"), at=at, model="mine/small"))
        at += timedelta(seconds=seconds if number % 5 < 2 else 30)
    return traces


@dataclass
class Desk:
    """A session whose provider keeps prefixes for five minutes, and the document that is asked about."""

    session: Session
    server: ScriptedUpstream
    keeper: KeepAlive
    document: Document | None = field(default_factory=lambda: question().document)
    """As it is open; None where it was closed."""

    async def explain(self, run: str = "r") -> None:
        """Have a function explained."""
        await steps(question(action=EXPLAIN, run=run, bypass_cache=True), self.session)

    def renewals(self) -> list[Seen]:
        """Return the requests that asked for no answer."""
        return [seen for seen in self.server.requests if seen.body["max_tokens"] == 0]

    async def entries(self) -> tuple[Entry, ...]:
        """Return the ledger's entries."""
        ledger = self.session.ledger
        return await asyncio.wrap_future(ledger.read(ledger.entries))


@asynccontextmanager
async def desk(tmp_path: Path, config: str = KEPT, *, seconds: float = LIFE + 60) -> AsyncIterator[Desk]:
    """Open a session on the loop's clock, for somebody who comes back after so many seconds."""
    async with lodging(tmp_path, config, "anthropic") as (session, server):
        server.always(play)
        clock = asyncio.get_running_loop().time
        began = clock()
        session.now = lambda: NOW + timedelta(seconds=clock() - began)
        session.prompt_cache = PromptCache(coming_back(seconds))
        made = Desk(session, server, KeepAlive(session, lambda _uri: made.document))
        try:
            yield made
        finally:
            await made.keeper.close()


def test_a_prefix_is_kept_alive_just_before_it_expires(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as d:
            await d.explain()
            (asked,) = d.server.requests
            await asyncio.sleep(LIFE)
            (alive,) = d.renewals()
            assert LIFE - MARGIN.total_seconds() - 1 < alive.at - asked.at < LIFE
            assert alive.body["stream"] is False
            assert alive.body["system"] == asked.body["system"]
            blocks, tail = asked.body["messages"][0]["content"][:-1], asked.body["messages"][0]["content"][-1]
            assert [each["text"] for each in alive.body["messages"][0]["content"]] == [each["text"] for each in blocks]
            assert "cache_control" in alive.body["messages"][0]["content"][-1]
            assert "cache_control" not in tail
            await asyncio.sleep(3 * LIFE)
            assert len(d.renewals()) == 1, "after that it would come too late to pay"
            first, entry = await d.entries()
            assert (entry.action, entry.outcome, entry.model) == ("keep-alive", "warmed", "small")
            assert not entry.estimated
            assert entry.usage == Usage(cache_read=1000)
            assert entry.cost == entry.best_cost == Decimal("0.000015")
            assert entry.run != first.run
            assert "expected to save" in entry.reason

    in_virtual_time(work())


@pytest.mark.parametrize("what", ["off", "spent", "changed", "closed", "not usual", "refused"])
def test_a_prefix_is_left_to_expire(what: str, tmp_path: Path) -> None:
    async def work() -> None:
        config = {"off": RENEWED, "spent": f"keep_alive = 0.000001\n{RENEWED}"}.get(what, KEPT)
        async with desk(tmp_path, config, seconds=8 * LIFE if what == "not usual" else LIFE + 60) as d:
            refusal = error(400, {"error": {"message": "no", "type": "invalid_request_error"}})
            d.server.always(lambda seen: refusal if what == "refused" and not seen.body["max_tokens"] else play(seen))
            await d.explain()
            if what == "changed":
                d.document = replace(question().document, version=2)
            if what == "closed":
                d.document = None
            await asyncio.sleep(3 * LIFE)
            assert len(d.renewals()) == (1 if what == "refused" else 0)
            rest = (await d.entries())[1:]
            assert [(each.action, each.outcome) for each in rest] == (
                [("keep-alive", "failed")] if what == "refused" else []
            )
            assert all(each.cost == 0 for each in rest)

    in_virtual_time(work())


def test_nobody_is_waited_for_for_ever(tmp_path: Path) -> None:
    async def work() -> None:
        config = f"keep_alive = 1\n{RENEWED.replace('cache_read = 0.015', 'cache_read = 0.0000001')}"
        async with desk(tmp_path, config, seconds=20 * LIFE) as d:
            await d.explain()
            await asyncio.sleep(2 * MOST * LIFE)
            assert len(d.renewals()) == MOST
            await d.explain("again")
            await asyncio.sleep(LIFE / 2)
            await d.keeper.close()
            await asyncio.sleep(3 * LIFE)
            assert len(d.renewals()) == MOST, "it was closed"

    in_virtual_time(work())


def test_a_new_question_begins_the_wait_anew(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as d:
            await d.explain()
            await asyncio.sleep(0.6 * LIFE)
            await d.explain("second")
            await asyncio.sleep(0.6 * LIFE)
            assert d.renewals() == []
            await asyncio.sleep(0.4 * LIFE)
            (alive,) = d.renewals()
            assert LIFE - MARGIN.total_seconds() - 1 < alive.at - d.server.requests[1].at < LIFE

    in_virtual_time(work())


def test_a_budget_holds_for_renewals_too(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path, f"{KEPT}[budget]\nday = 0.0004\n") as d:
            await d.explain()
            await asyncio.sleep(2 * LIFE)
            assert d.renewals() == []
            first, refused = await d.entries()
            assert [first.outcome, refused.action, refused.outcome] == ["kept", "keep-alive", "failed"]
            assert refused.cost == 0

    in_virtual_time(work())


def test_a_pre_warm_is_made_only_where_it_pays(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path, RENEWED) as d:
            ask = question(action=EXPLAIN)
            cold = await d.keeper.warm(ask)
            assert cold.startswith("stats.py was not warmed: it would cost $0.0001 at small, and may be expected to")
            assert cold.endswith("What is cold costs as much to warm as to ask.")
            assert d.server.requests == []
            await d.explain()
            await asyncio.sleep(LIFE - 20)
            assert (await d.keeper.warm(ask)).startswith("stats.py is warm at small: about ")
            assert len(d.renewals()) == 1
            assert (await d.keeper.warm(ask)).startswith("stats.py was not warmed")
            assert len(d.renewals()) == 1
            found = [(each.action, each.outcome) for each in await d.entries()]
            assert found == [("explain", "kept"), ("pre-warm", "warmed")]

    in_virtual_time(work())
