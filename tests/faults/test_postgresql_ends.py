"""A team's database that ends amid a run and comes back: the run completes, and its cost is entered once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scenario import FIXED, GOOD, SRC, gated, messages, until
from server import CONFIG, Stage, pick, stage
from tests.engine.test_run import lodging, question, steps

import postgresql
from editor import Buffer
from tuppence.core.events import RunFinished
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.ledger import EDITOR, Ledger

COST = Decimal("0.000042")
"""Of 120 tokens and 40 at the small model's prices, USD."""
BUDGET = "[budget]\nday = 1\n"
GONE = "The ledger postgresql://127.0.0.1:"


@pytest.fixture
def where(postgres: str) -> str:
    return postgresql.emptied(postgres)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a server that is gone tried again at once, and what waits for it only when something else is written."""
    monkeypatch.setattr("tuppence.ledger.postgres.REST", 0)
    monkeypatch.setattr("tuppence.engine.ledger_writer.RETRY", 3600)


def unwritten(ledger: Ledger) -> list[Path]:
    """Return the files of what a ledger could not take."""
    beside = ledger._engine.beside
    return sorted(beside.parent.glob(f"{beside.name}.unwritten-*.jsonl"))


def found(where: str, *, reserved: bool = False) -> list[tuple[str, Decimal | None, bool]]:
    """Return the ledger's entries, read by another program: how each ended, its cost, and whether it is estimated.

    :param reserved: whether something may be reserved beside them.
    """
    other = Ledger(where)
    try:
        spent = sum((each.cost or Decimal(0) for each in other.entries()), Decimal(0))
        assert reserved or other.spent("s", "", datetime.now(UTC)).day == spent
        return [(each.outcome, each.cost, each.estimated) for each in other.entries()]
    finally:
        other.close()


@pytest.mark.fault("life cycle", "a team's database ends amid a run")
@pytest.mark.parametrize("back", ["before the answer's end", "after the run"])
@pytest.mark.parametrize("budget", [False, True])
@pytest.mark.usefixtures("quick")
async def test_the_run_completes_and_is_entered_once(tmp_path: Path, where: str, back: str, *, budget: bool) -> None:
    async with lodging(tmp_path, f"{BUDGET if budget else ''}{CONFIG}") as (session, server):
        session.ledger.close()
        session.ledger_writer = LedgerWriter(Ledger(where, EDITOR), "s", lambda: datetime.now(UTC))
        gate = asyncio.Event()
        server.script(gated(GOOD, gate))
        run = asyncio.create_task(steps(question(bypass_cache=True), session))
        await server.seen(1)
        with postgresql.ended(where):
            if back == "after the run":
                gate.set()
                done = (await run)[-1]
                await asyncio.wrap_future(session.ledger.queue(lambda: None))
                (told,) = session.ledger_writer.take_warnings()
                assert told.startswith(GONE)
                assert len(unwritten(session.ledger)) == 1
        gate.set()
        done = (await run)[-1]
        assert isinstance(done, RunFinished)
        assert done.answer is not None
        assert (done.cost, done.estimated) == (COST, False)
        session.ledger_writer.outcome("another run", "undone")  # Whatever is written next takes along what waits.
        await asyncio.wrap_future(session.ledger.queue(lambda: None))
        assert found(where) == [("kept", COST, False)]
        assert unwritten(session.ledger) == []
        assert session.ledger_writer.take_warnings() == ()


@pytest.mark.fault("life cycle", "a team's database ends amid a run")
@pytest.mark.usefixtures("quick")
async def test_a_budget_that_cannot_be_checked_spends_nothing_until_it_is_back(tmp_path: Path, where: str) -> None:
    async with lodging(tmp_path, BUDGET + CONFIG) as (session, server):
        session.ledger.close()
        session.ledger_writer = LedgerWriter(Ledger(where, EDITOR), "s", lambda: datetime.now(UTC))
        server.says(GOOD)
        await steps(question(), session)
        with postgresql.ended(where):
            refused = (await steps(question(run="second", bypass_cache=True), session))[-1]
            assert isinstance(refused, RunFinished)
            assert "Your budget cannot be checked, so nothing is sent." in refused.why
            assert len(server.requests) == 1
        server.says(GOOD)
        done = (await steps(question(run="third", bypass_cache=True), session))[-1]
        assert isinstance(done, RunFinished)
        assert done.answer is not None
        await asyncio.wrap_future(session.ledger.queue(lambda: None))
        assert [each for each in found(where) if each[1]] == [("kept", COST, False)] * 2


@pytest.mark.long
@pytest.mark.fault("life cycle", "a team's database ends amid a run")
async def test_the_next_server_enters_what_the_last_one_could_not(tmp_path: Path, where: str) -> None:
    async with stage(tmp_path, extra=f'ledger = "{where}"\n') as s:
        await fixed(s, "a.py")
        gate = asyncio.Event()
        buffer, reply = await begun(s, "b.py", gate)
        with postgresql.ended(where):
            gate.set()
            await reply
            assert buffer.text == FIXED
            await until(lambda: [each for each in messages(s) if each.startswith(GONE)])
            assert "Explain `mean`" in (await s.editor.hover(buffer, 4) or "")
            await s.editor.__aexit__()
    assert found(where, reserved=True) == [("kept", COST, False)]
    async with stage(tmp_path, extra=f'ledger = "{where}"\n') as s:
        await until(lambda: len(found(where, reserved=True)) == 2)
        await fixed(s, "c.py")
    assert found(where) == [("kept", COST, False)] * 3


async def begun(s: Stage, name: str, gate: asyncio.Event) -> tuple[Buffer, Any]:
    """Start to fix the example's first function, by an answer that halts; return the document and the reply to come."""
    buffer, asked = s.editor.open(s.write(name, SRC), "python"), len(s.upstream.requests)
    s.upstream.script(gated(GOOD, gate))
    reply = s.editor.start(pick(await s.editor.menu(buffer, 5), "Fix"), name)
    await s.upstream.seen(asked + 1)
    return buffer, reply


async def fixed(s: Stage, name: str) -> None:
    """Fix the example's first function."""
    gate = asyncio.Event()
    gate.set()
    buffer, reply = await begun(s, name, gate)
    await reply
    assert buffer.text == FIXED
