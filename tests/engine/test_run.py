"""A run without an editor: the order of its steps, the queue before a provider, messages that appear once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from engine_run import engine
from scenario import GOOD, SRC
from scripted_provider import ScriptedUpstream, WireName, answer, error, stall
from server import CONFIG

from tuppence.core.actions import EXPLAIN, FIX
from tuppence.core.answer.earlier import without
from tuppence.core.billing.budget import Grant
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer, EditsDrafted, Event, ModelChosen, Retracted, RunFinished, StatusLine
from tuppence.core.models.model import Model
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span, apply
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import Request
from tuppence.engine.run import run
from tuppence.engine.session import Session
from tuppence.errors import TuppenceError
from tuppence.ledger import Reservation


@asynccontextmanager
async def lodging(
    tmp_path: Path, config: str = CONFIG, wire: WireName = "openai"
) -> AsyncIterator[tuple[Session, ScriptedUpstream]]:
    """Open a session whose models are scripted."""
    async with engine(tmp_path, config, wire) as e:
        yield e.session, e.server


async def _nobody() -> tuple[Model, ...]:
    return ()


def question(**how: Any) -> Request:
    """Ask to fix the example's first function."""
    document = Document("file:///stats.py", "python", 1, SRC)
    tree = parse(SRC, language("python"))
    target = find_target(document, tree, Span(5, 5))
    assert target is not None
    ask = Request(run="r", action=FIX, document=document, tree=tree, target=target, path=None)
    return replace(ask, **how)


async def steps(ask: Request, session: Session, account: Receipt | None = None) -> list[Event]:
    """Return all steps of a run."""
    account = account or Receipt(run=ask.run, session="s", action=ask.action.id, language="python")
    return [step async for step in run(ask, session, account)]


async def test_the_steps_come_in_their_order(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (session, server):
        server.says(GOOD)
        made = await steps(question(), session)
        kinds = [type(step) for step in made]
        assert kinds[:2] == [StatusLine, ModelChosen]
        assert kinds[-1] is RunFinished
        assert kinds.count(ModelChosen) == kinds.count(RunFinished) == 1
        assert EditsDrafted in kinds
        assert Retracted not in kinds
        done = made[-1]
        assert isinstance(done, RunFinished)
        assert done.answer is not None
        assert apply(SRC, done.answer.edits) == SRC.replace("len(x)", "len(xs)")
        assert (done.model, done.tier, done.estimated, done.kept) == ("small", "budget", False, False)
        assert [each.outcome for each in session.ledger.entries()] == ["kept"]


def repeated(code: str, **how: Any) -> Request:
    """Ask the example's question again, where an answer with this code is in the file."""
    asked = question()
    old = SRC[asked.target.span.start : asked.target.span.end]
    now = Document(asked.document.uri, "python", 2, SRC.replace(old, code))
    start = asked.target.span.start
    earlier = without(now, (Span(start, start + len(code)), old), [], runs=("r",), has_imports=False)
    return question(
        run="again", document=earlier.original, better_than="mine/small", bypass_cache=True, earlier=earlier, **how
    )


async def _never(_answer: Answer) -> Verdict:
    raise AssertionError("nobody looks at what is there already")


async def test_an_answer_that_is_there_already_is_one_and_nobody_looks_at_it_again(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (session, server):
        server.says(GOOD)
        ask = repeated(GOOD.removeprefix("```python\n").removesuffix("\n```"), model="mine/big")
        receipt = Receipt(run=ask.run, session="s", action="fix", language="python")
        made = [step async for step in run(ask, session, receipt, _never)]
        done = made[-1]
        assert isinstance(done, RunFinished)
        assert done.answer is not None
        assert done.answer.agrees
        assert done.answer.verdict.fit
        assert [each.body["model"] for each in server.requests] == ["big"]
        assert [each.outcome for each in session.ledger.entries()] == ["kept"]


async def test_another_answer_than_the_one_that_is_there_is_looked_at(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (session, server):
        server.says(GOOD)
        [*_, done] = await steps(repeated("def mean(xs):\n    return 0", model="mine/big"), session)
        assert isinstance(done, RunFinished)
        assert done.answer is not None
        assert not done.answer.agrees
        assert apply(SRC, done.answer.edits) == SRC.replace("len(x)", "len(xs)"), "edits are of the original"


async def test_where_the_picked_model_cannot_answer_no_other_does(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (session, server):
        server.script(*[error(503, retry_after="0.01")] * 9)
        [*_, done] = await steps(question(model="mine/small", bypass_cache=True), session)
        assert isinstance(done, RunFinished)
        assert done.answer is None
        assert "No other model was asked, because small was picked." in done.why
        assert {each.body["model"] for each in server.requests} == {"small"}
        # The next better one still gets its try where an answer came and does not hold.
        server.unscript()
        asked = len(server.requests)
        server.script(answer(""), answer(GOOD))
        made = await steps(question(model="mine/small", run="next", bypass_cache=True), session)
        assert [each.body["model"] for each in server.requests[asked:]] == ["small", "big"]
        assert [step.route.model.id for step in made if isinstance(step, ModelChosen)] == ["small", "big"]


async def test_nothing_is_put_back_where_nothing_was_shown(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (session, server):
        server.script(answer(""), answer(GOOD))
        made = await steps(question(), session)
        assert not [step for step in made if isinstance(step, Retracted)]
        assert [step.route.model.id for step in made if isinstance(step, ModelChosen)] == ["small", "big"]


async def test_a_kept_answer_asks_nobody(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (session, server):
        server.says("The function `mean` divides.")
        await steps(question(action=EXPLAIN), session)
        [*_, done] = await steps(question(action=EXPLAIN, run="again"), session)
        assert isinstance(done, RunFinished)
        assert (done.kept, done.cost, done.model) == (True, Decimal(0), "small")
        assert len(server.requests) == 1
        assert [each.tier for each in session.ledger.entries()] == ["budget", "none"]


async def test_a_reservation_of_which_the_word_was_lost_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lodging(tmp_path) as (session, server):
        server.says(GOOD)
        reserve = session.ledger.reserve

        asked: list[str] = []

        def lost(claim: Reservation) -> Grant:
            granted = reserve(claim)
            asked.append(claim.id)
            if len(asked) == 1:
                raise TuppenceError("The connection was lost.")
            return granted

        monkeypatch.setattr(session.ledger, "reserve", lost)
        await steps(question(), session)
        await session.ledger_writer.close()
        assert len(asked) > 1, "it is reserved again, because it is not known whether it was"
        assert len(set(asked)) == 1
        [entry] = session.ledger.entries()
        assert entry.outcome == "kept"
        assert session.ledger.spent("s", "", session.now()).session == entry.cost, "nothing is held any more"


async def test_a_run_that_nobody_reads_on_is_entered_as_cancelled(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (session, server):
        server.script(stall(GOOD[:40]))
        account = Receipt(run="r", session="s", action="fix", language="python")
        async with aclosing(run(question(), session, account)) as left:
            async for step in left:
                if isinstance(step, StatusLine) and step.text == "small is answering":
                    break
        await asyncio.wait_for(server.requests[0].closed.wait(), 60)
        assert [(each.outcome, each.estimated) for each in session.ledger.entries()] == [("cancelled", True)]
        assert [each.outcome for each in account.entries] == ["cancelled"]


async def test_a_question_that_nobody_may_answer_ends_in_a_sentence_and_an_entry(tmp_path: Path) -> None:
    async with lodging(tmp_path, CONFIG.replace('base_url = "{base}"', 'base_url = "{base}"\nkey_env = "NO_KEY"')) as (
        session,
        server,
    ):
        [*_, done] = await steps(question(), session)
        assert isinstance(done, RunFinished)
        assert (done.answer, done.cost) == (None, Decimal(0))
        assert "No model may answer this" in done.why
        assert not server.requests
        assert [(each.outcome, each.model) for each in session.ledger.entries()] == [("failed", "")]


async def test_trouble_with_the_ledger_is_told_once_until_it_works_again(tmp_path: Path) -> None:
    async with lodging(tmp_path) as (session, _):
        account = Receipt(run="r", session="s", action="fix", language="python")
        entry = account.add_free("", "", session.now(), "failed")
        settle = session.ledger.settle

        def fail(_hold: str, _entry: object) -> None:
            raise TuppenceError("The ledger is full.")

        session.ledger.settle = fail  # type: ignore[method-assign, assignment]  # a disk that is full
        session.ledger_writer.record(entry)
        session.ledger_writer.record(entry)
        session.ledger.entries()
        assert session.ledger_writer.take_warnings() == ("The ledger is full.",)
        session.ledger_writer.record(entry)
        session.ledger.entries()
        assert session.ledger_writer.take_warnings() == ()
        session.ledger.settle = settle  # type: ignore[method-assign]  # it has room again
        session.ledger_writer.record(entry)
        session.ledger.entries()
        session.ledger.settle = fail  # type: ignore[method-assign, assignment]  # and is full once more
        session.ledger_writer.record(entry)
        session.ledger.entries()
        assert session.ledger_writer.take_warnings() == ("The ledger is full.",)
