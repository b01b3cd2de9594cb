"""Single flight and the traces of requests, by themselves and in a real run against a scripted provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
import virtual_time
from fault_bench import in_virtual_time
from scenario import gated
from scripted_provider import ScriptedUpstream, answer, cut, error
from server import CONFIG
from tests.engine.test_run import lodging, question, steps

from tuppence.cache import File, Traces
from tuppence.cache.traces import REMEMBERED
from tuppence.core.actions import EXPLAIN, FIX, REVIEW
from tuppence.core.events import RunFinished, StatusLine
from tuppence.core.models.usage import Usage
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.engine import prepare
from tuppence.engine.prompt_cache import LONGEST, PromptCache, SingleFlight
from tuppence.engine.session import Session

CACHED = CONFIG.replace("context = 128000\n", 'context = 128000\ncache = {{ mode = "automatic", {more} }}\n')
SAID = "The function `mean` divides by what it counted."


@asynccontextmanager
async def cached(tmp_path: Path, more: str = "minimum = 10") -> AsyncIterator[tuple[Session, ScriptedUpstream]]:
    """Open a session whose cheap model has a prompt cache."""
    async with lodging(tmp_path, CACHED.replace("{more}", more)) as made:
        yield made


async def flown(flights: SingleFlight, landing: str) -> list[str]:
    """Let three requests with one prefix board, of which some land if they lead; return who led and who followed."""
    order: list[str] = []

    async def fly(name: str) -> None:
        leader = await flights.board("k", 5)
        order.append(f"{name} {'leads' if leader else 'follows'}")
        await asyncio.sleep(0.01)
        if leader:
            if name in landing:
                flights.land("k", leader)
            flights.leave("k", leader)

    await asyncio.gather(*(fly(name) for name in "abc"))
    return order


def test_those_behind_go_when_the_leader_has_landed() -> None:
    flights = SingleFlight()
    assert virtual_time.run(flown(flights, landing="abc")) == ["a leads", "b follows", "c follows"]
    assert not flights.led("k")


def test_who_fails_makes_room_for_the_next() -> None:
    assert virtual_time.run(flown(SingleFlight(), landing="bc")) == ["a leads", "b leads", "c follows"]


def test_nobody_waits_for_ever_and_other_prefixes_do_not_wait() -> None:
    async def work() -> None:
        clock = asyncio.get_running_loop().time
        flights = SingleFlight()
        first = await flights.board("k", 5)
        assert first is not None
        assert await flights.board("k", 60) is None
        assert clock() == 60
        assert await flights.board("other", 5) is not None
        flights.leave("k", first)
        assert await flights.board("k", 5) is not None
        assert clock() == 60

    virtual_time.run(work())


def test_a_cancelled_leader_lets_the_next_go() -> None:
    async def work() -> None:
        flights = SingleFlight()

        async def lead() -> None:
            leader = await flights.board("k", 5)
            assert leader is not None
            try:
                await asyncio.Event().wait()
            finally:
                flights.leave("k", leader)

        task = asyncio.create_task(lead())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(flights.board("k", 5))
        await asyncio.sleep(0)
        task.cancel()
        assert await waiting is not None
        assert asyncio.get_running_loop().time() == 0

    virtual_time.run(work())


@pytest.mark.parametrize(("ready", "halt"), [("start", 1), ("end", 3)])
def test_twins_wait_for_the_first_ones_sign(tmp_path: Path, ready: Literal["start", "end"], halt: int) -> None:
    async def work() -> None:
        async with cached(tmp_path, f'minimum = 10, ready = "{ready}"') as (session, server):
            gate = asyncio.Event()
            server.script(gated(SAID, gate, halt=halt))
            server.always(answer(SAID))
            first = asyncio.create_task(steps(question(action=EXPLAIN), session))
            await server.seen(1)
            second = asyncio.create_task(steps(question(action=REVIEW, run="second"), session))
            await asyncio.sleep(0.9 * LONGEST[ready])
            assert len(server.requests) == 1, "the second waits"
            gate.set()
            made = await second
            await first
            assert any(isinstance(step, StatusLine) and "has read the same file" in step.text for step in made)

    in_virtual_time(work())


def test_a_twin_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def work() -> None:
        async with cached(tmp_path) as (session, server):
            gate = asyncio.Event()
            server.script(gated(SAID, gate, halt=1))
            server.always(answer(SAID))
            first = asyncio.create_task(steps(question(action=EXPLAIN), session))
            await server.seen(1)
            await steps(question(action=EXPLAIN, run="second", bypass_cache=True), session)
            assert not first.done()
            assert len(server.requests) == 2
            gate.set()
            await first

    in_virtual_time(work())


async def test_the_second_does_not_wait_for_the_end_where_the_start_is_enough(tmp_path: Path) -> None:
    async with cached(tmp_path) as (session, server):
        gate = asyncio.Event()
        server.script(gated(SAID, gate, halt=3))
        server.always(answer(SAID))
        first = asyncio.create_task(steps(question(action=EXPLAIN), session))
        await server.seen(1)
        await steps(question(action=REVIEW, run="second"), session)
        assert not first.done()
        gate.set()
        await first


async def test_what_broke_off_is_estimated_as_the_cache_will_have_served_it(tmp_path: Path) -> None:
    async with cached(tmp_path) as (session, server):
        server.script(answer(SAID), cut(SAID, after=2))
        server.always(answer(SAID))
        await steps(question(action=EXPLAIN, run="first"), session)
        await steps(question(action=EXPLAIN, run="second", bypass_cache=True), session)
        first, second, *_ = session.ledger.entries()
        assert first.usage is not None
        assert second.usage is not None
        assert second.estimated
        assert (second.usage.cache_read or 0) > 0.8 * second.usage.prompt > 0


async def test_where_the_first_fails_the_next_one_asks(tmp_path: Path) -> None:
    async with cached(tmp_path) as (session, server):
        server.script(error(401))
        server.always(answer(SAID))
        made = await asyncio.gather(
            *(steps(question(action=EXPLAIN, run=run, bypass_cache=True), session) for run in ("first", "second"))
        )
        ends = [each[-1] for each in made]
        assert sorted(isinstance(end, RunFinished) and end.answer is not None for end in ends) == [False, True]


@pytest.mark.parametrize("more", ["minimum = 1000000", "minimum = 10, uses = 2"])
async def test_nobody_waits_where_nothing_would_be_read(tmp_path: Path, more: str) -> None:
    async with cached(tmp_path, more) as (session, server):
        gate = asyncio.Event()
        server.always(gated(SAID, gate, halt=1))
        asked = [question(action=EXPLAIN, run=f"r{n}", bypass_cache=True) for n in range(2)]
        runs = [asyncio.create_task(steps(each, session)) for each in asked]
        await server.seen(2)
        gate.set()
        await asyncio.gather(*runs)


async def test_a_request_leaves_a_trace_and_warms_its_model(tmp_path: Path) -> None:
    async with cached(tmp_path) as (session, server):
        server.always(answer(SAID, usage=Usage(fresh=100, cache_read=900, output=5)))
        await steps(question(action=EXPLAIN), session)
        (trace,) = session.prompt_cache.traces
        assert (trace.run, trace.action, trace.name, trace.model) == ("r", "explain", "stats.py", "mine/small")
        assert (trace.prompt, trace.read, trace.written, trace.expected) == (1000, 900, 0, 0)
        await steps(question(action=REVIEW, run="second"), session)
        second = session.prompt_cache.traces[1]
        assert (second.model, second.links) == (trace.model, trace.links)
        assert second.expected == trace.links[-1].tokens


async def test_traces_are_known_to_the_next_server_and_to_the_one_beside(tmp_path: Path) -> None:
    async with cached(tmp_path) as (session, server):
        server.always(answer(SAID, usage=Usage(fresh=100, cache_read=900, output=5)))
        mine, other = (PromptCache(Traces(File(tmp_path / "answers.sqlite3"))) for _ in range(2))
        assert list(other.traces) == []
        session.prompt_cache = mine
        await steps(question(action=EXPLAIN), session)
        (trace,) = mine.traces
        assert other.traces == mine.traces == Traces(File(tmp_path / "answers.sqlite3")).all()
        assert trace.why == "hit"
        session.prompt_cache = other
        await steps(question(action=FIX, run="second"), session)
        assert [known.run for known in mine.traces][:2] == ["r", "second"]


async def test_the_route_counts_with_what_is_warm(tmp_path: Path) -> None:
    async with cached(tmp_path) as (session, server):
        server.always(answer(SAID, usage=Usage(fresh=700, cache_read=0, output=5)))
        cold = await prepare.prepare(question(action=EXPLAIN), session)
        assert cold.need.warm == {}
        await steps(question(action=EXPLAIN), session)
        warm = await prepare.prepare(question(action=REVIEW), session)
        (trace,) = session.prompt_cache.traces
        assert warm.need.warm == {"mine/small": trace.links[-1].tokens}
        edited = question(action=REVIEW)
        text = edited.document.text + "\nx = 1\n"
        tree = parse(text, language("python"))
        changed = replace(edited, document=replace(edited.document, text=text), tree=tree)
        assert (await prepare.prepare(changed, session)).need.warm == {"mine/small": trace.links[0].tokens}


async def test_the_route_counts_with_what_its_marks_write(tmp_path: Path) -> None:
    explicit = CACHED.replace('"automatic"', '"explicit"').replace("{more}", 'minimum = 10, ttl = ["5m"]')
    async with lodging(tmp_path, explicit) as (session, server):
        server.always(answer(SAID, usage=Usage(fresh=20, cache_read=0, cache_write=700, output=5)))
        cold = await prepare.prepare(question(action=EXPLAIN), session)
        await steps(question(action=EXPLAIN), session)
        (trace,) = session.prompt_cache.traces
        assert cold.need.written["mine/small"] == Usage(cache_read=0, cache_write=trace.links[-1].tokens)
        assert "mine/big" not in cold.need.written, "a row without a cache writes nothing"
        warm = await prepare.prepare(question(action=REVIEW), session)
        assert "mine/small" not in warm.need.written
        first, then = (made.route.row("mine/small") for made in (cold, warm))
        assert first is not None
        assert then is not None
        assert first.cost is not None
        assert then.cost is not None
        assert then.cost < first.cost
        gone = session.now() + timedelta(minutes=6)
        session.now = lambda: gone
        again = await prepare.prepare(question(action=REVIEW), session)
        assert again.need.written["mine/small"].cache_write == trace.links[-1].tokens


@pytest.mark.parametrize("data", ["", "no json", "[]", "{}", '{"at": 1}', '{"at": "2026-11-21", "links": [{}]}'])
def test_a_trace_of_another_version_is_passed_over(tmp_path: Path, data: str) -> None:
    file = File(tmp_path / "answers.sqlite3")
    file.do(lambda connection: connection.execute("INSERT INTO trace (data) VALUES (?)", (data,)))
    assert Traces(file).all() == ()
    file.close()


async def test_no_more_traces_are_kept_than_are_used(tmp_path: Path) -> None:
    async with cached(tmp_path) as (session, server):
        server.always(answer(SAID))
        await steps(question(action=EXPLAIN), session)
        (trace,) = session.prompt_cache.traces
    file = File(tmp_path / "many.sqlite3")
    traces = Traces(file)
    for number in range(REMEMBERED + 30):
        traces.add(replace(trace, run=str(number), at=trace.at + timedelta(seconds=number)))
    for known in (traces, Traces(File(file.path))):
        assert [found.run for found in known.all()] == [str(number) for number in range(30, REMEMBERED + 30)]
    assert file.path.stat().st_size < 200_000


async def test_a_trace_holds_no_word_of_the_prompt_but_first_lines(tmp_path: Path) -> None:
    async with cached(tmp_path) as (session, server):
        server.always(answer(SAID))
        await steps(question(action=EXPLAIN), session)
        assert "len(x)" not in repr(session.prompt_cache.traces)
