"""A run by itself, without an editor: the order of its steps, the queue before a provider, what is told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scenario import GOOD, SRC
from scripted_provider import ScriptedUpstream, WireName, answer, stall
from server import CONFIG

from tuppence.cache import Answers
from tuppence.config import config as configs
from tuppence.core.actions import EXPLAIN, FIX
from tuppence.core.billing.budget import Offer
from tuppence.core.events import Done, Drafted, Progress, PutBack, Routed, Step
from tuppence.core.models.model import Model
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find
from tuppence.core.text.document import Document, Span, apply
from tuppence.credentials import Keys
from tuppence.engine.provider_queue import Gate, Health
from tuppence.engine.receipt import Account
from tuppence.engine.request import Ask
from tuppence.engine.run import run
from tuppence.engine.session import House
from tuppence.errors import TuppenceError
from tuppence.ledger import Claim, Ledger
from tuppence.upstream import Patience, Upstream
from tuppence.workspace import Workspace


@asynccontextmanager
async def lodging(
    tmp_path: Path, config: str = CONFIG, wire: WireName = "openai"
) -> AsyncIterator[tuple[House, ScriptedUpstream]]:
    """Open a house whose models are scripted."""
    async with ScriptedUpstream() as server:
        path = tmp_path / "config.toml"
        path.write_text(config.format(wire=wire, base=getattr(server, wire)), encoding="utf-8")
        watched = configs.Watched(path)
        house = House(
            config=lambda: watched.current,
            keys=Keys({}, {}),
            upstream=Upstream(Patience(base=0.001)),
            ledger=Ledger(tmp_path / "ledger.sqlite3"),
            answers=Answers(tmp_path / "answers.sqlite3"),
            workspace=Workspace(()),
            neighbours=_nobody,
            embedded=_nobody,
            buffer=lambda _path: None,
            session="session",
            now=lambda: datetime.now(UTC),
        )
        yield house, server
        await house.upstream.close()
        house.ledger.close()
        house.answers.close()


async def _nobody() -> tuple[Model, ...]:
    return ()


def question(**how: Any) -> Ask:
    """Ask to fix the example's first function."""
    document = Document("file:///stats.py", "python", 1, SRC)
    tree = parse(SRC, language("python"))
    target = find(document, tree, Span(5, 5))
    assert target is not None
    ask = Ask(run="r", action=FIX, document=document, tree=tree, target=target, path=None)
    return replace(ask, **how)


async def steps(ask: Ask, house: House, account: Account | None = None) -> list[Step]:
    """Return all steps of a run."""
    account = account or Account(run=ask.run, session="s", action=ask.action.id, language="python")
    return [step async for step in run(ask, house, account)]


async def test_the_steps_come_in_their_order(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (house, server):
        server.says(GOOD)
        made = await steps(question(), house)
        kinds = [type(step) for step in made]
        assert kinds[:2] == [Progress, Routed]
        assert kinds[-1] is Done
        assert kinds.count(Routed) == kinds.count(Done) == 1
        assert Drafted in kinds
        assert PutBack not in kinds
        done = made[-1]
        assert isinstance(done, Done)
        assert done.answer is not None
        assert apply(SRC, done.answer.edits) == SRC.replace("len(x)", "len(xs)")
        assert (done.model, done.tier, done.estimated, done.kept) == ("small", "budget", False, False)
        assert [each.outcome for each in house.ledger.entries()] == ["kept"]


async def test_nothing_is_put_back_where_nothing_was_shown(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (house, server):
        server.script(answer(""), answer(GOOD))
        made = await steps(question(), house)
        assert not [step for step in made if isinstance(step, PutBack)]
        assert [step.route.model.id for step in made if isinstance(step, Routed)] == ["small", "big"]


async def test_a_kept_answer_asks_nobody(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (house, server):
        server.says("The function `mean` divides.")
        await steps(question(action=EXPLAIN), house)
        [*_, done] = await steps(question(action=EXPLAIN, run="again"), house)
        assert isinstance(done, Done)
        assert (done.kept, done.cost, done.model) == (True, Decimal(0), "small")
        assert len(server.requests) == 1
        assert [each.tier for each in house.ledger.entries()] == ["budget", "none"]


async def test_a_reservation_of_which_the_word_was_lost_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lodging(tmp_path) as (house, server):
        server.says(GOOD)
        reserve = house.ledger.reserve

        def lost(claim: Claim) -> Offer:
            reserve(claim)
            raise TuppenceError("The connection was lost.")

        monkeypatch.setattr(house.ledger, "reserve", lost)
        await steps(question(), house)
        [entry] = house.ledger.entries()
        assert entry.outcome == "kept"
        assert house.ledger.spent("s", "", house.now()).session == entry.cost, "nothing is held any more"


async def test_a_run_that_nobody_reads_on_is_entered_as_cancelled(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (house, server):
        server.script(stall(GOOD[:40]))
        account = Account(run="r", session="s", action="fix", language="python")
        async with aclosing(run(question(), house, account)) as left:
            async for step in left:
                if isinstance(step, Progress) and step.text == "small is answering":
                    break
        await asyncio.wait_for(server.requests[0].closed.wait(), 60)
        assert [(each.outcome, each.estimated) for each in house.ledger.entries()] == [("cancelled", True)]
        assert [each.outcome for each in account.entries] == ["cancelled"]


async def test_a_question_that_nobody_may_answer_ends_in_a_sentence_and_an_entry(tmp_path: Path) -> None:
    async with lodging(tmp_path, CONFIG.replace('base_url = "{base}"', 'base_url = "{base}"\nkey_env = "NO_KEY"')) as (
        house,
        server,
    ):
        [*_, done] = await steps(question(), house)
        assert isinstance(done, Done)
        assert (done.answer, done.cost) == (None, Decimal(0))
        assert "No model may answer this" in done.why
        assert not server.requests
        assert [(each.outcome, each.model) for each in house.ledger.entries()] == [("failed", "")]


async def test_a_gate_lets_so_many_through_and_names_those_before() -> None:
    gate = Gate(2)
    order: list[str] = []
    leave = {name: asyncio.Event() for name in "abc"}

    async def pass_through(name: str) -> None:
        async with gate.turn(name):
            order.append(name)
            await leave[name].wait()

    a, b, c = (asyncio.create_task(pass_through(name)) for name in "abc")
    assert not gate.ahead
    await asyncio.sleep(0)
    assert order == ["a", "b"]
    assert ", ".join(gate.ahead) == "a, b, c"
    c.cancel()
    await asyncio.gather(c, return_exceptions=True)
    assert ", ".join(gate.ahead) == "a, b"
    leave["a"].set()
    await a
    assert not gate.ahead
    leave["b"].set()
    await b


def test_a_provider_rests_as_long_as_it_asks_and_not_less_than_usual() -> None:
    now = 0.0
    health = Health(lambda: now)
    health.failed("one", 100)
    health.failed("two")
    assert health.resting() == {"one", "two"}
    now = 31.0
    assert health.resting() == {"one"}
    health.works("one")
    assert health.resting() == frozenset()


async def test_trouble_with_the_ledger_is_told_once_until_it_works_again(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (house, _):
        account = Account(run="r", session="s", action="fix", language="python")
        entry = account.enter_free("", "", house.now(), "failed")
        add = house.ledger.add

        def fail(_entry: object) -> int:
            raise TuppenceError("The ledger is full.")

        house.ledger.add = fail  # type: ignore[method-assign, assignment]  # a disk that is full
        house.record(entry)
        house.record(entry)
        house.ledger.entries()
        assert house.troubles() == ("The ledger is full.",)
        house.record(entry)
        house.ledger.entries()
        assert house.troubles() == ()
        house.ledger.add = add  # type: ignore[method-assign]  # it has room again
        house.record(entry)
        house.ledger.entries()
        house.ledger.add = fail  # type: ignore[method-assign, assignment]  # and is full once more
        house.record(entry)
        house.ledger.entries()
        assert house.troubles() == ("The ledger is full.",)
