"""A clock that is set back, or an hour of sleep: budgets, days and cache estimates stay correct."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from scenario import GOOD, gated
from scripted_provider import answer
from tests.cache.test_answers import KEPT
from tests.engine.test_prompt_cache import CACHED
from tests.engine.test_run import lodging, question, steps
from tests.ledger.test_reservations import NOON, claim, entry

from tuppence.cache import AnswerStore, File, Traces
from tuppence.cache.traces import REMEMBERED
from tuppence.config import load
from tuppence.core.events import RunFinished
from tuppence.core.prompt_cache import forecast
from tuppence.engine.cost_report import read_report
from tuppence.engine.prompt_cache import PromptCache
from tuppence.engine.session import Session
from tuppence.errors import OverBudget
from tuppence.ledger import Ledger

BACK = [timedelta(seconds=1), timedelta(minutes=3), timedelta(hours=1), timedelta(days=1), timedelta(days=400)]


class Clock:
    """A wall clock that somebody sets."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def rule(self, session: Session) -> None:
        """Let a session go by this clock."""
        session.now = self
        session.ledger_writer._now = self


@pytest.mark.fault("life cycle", "the clock is set back")
@pytest.mark.parametrize("back", BACK, ids=str)
def test_a_budget_holds_after_the_clock_was_set_back(ledger: Ledger, back: timedelta) -> None:
    for number in range(3):
        ledger.settle(f"s{number}", entry("0.3", run=f"r{number}"))
    ledger.reserve(claim("held", day="1"))
    now = NOON - back
    spent = ledger.spent("mine", "", now)
    assert min(spent.day, spent.month, spent.session) == Decimal("0.912"), "what was spent counts"
    assert ledger.recover(now) == 0, "a live process's reservation is not taken for abandoned"
    with pytest.raises(OverBudget):
        ledger.reserve(claim("more", of=entry(None, at=now, estimated=True, outcome="failed"), session="0.9"))
    summary = ledger.summary("mine", now)
    assert (summary.today, summary.requests) == (Decimal("0.9"), 3)
    assert min(summary.saved, summary.estimated, summary.month) >= 0
    ledger.settle("held", entry("0.001", run="late", at=now))
    assert ledger.spent("mine", "", now).session == Decimal("0.901")
    report = read_report(ledger, load(), now, 30)
    assert report.today.spent == report.report.whole.spent == Decimal("0.901")
    assert sum((day.spent for day in report.report.days), Decimal(0)) == Decimal("0.901")


@pytest.mark.fault("life cycle", "asleep for an hour")
def test_a_reservation_that_slept_for_too_long_is_settled_exactly_all_the_same(ledger: Ledger) -> None:
    """Another machine takes it for abandoned, and enters an estimate; the one that wakes up knows the truth."""
    ledger.reserve(claim("a", entry(None, estimated=True, outcome="failed")))
    ledger._do("write", lambda connection: connection.execute("UPDATE hold SET host = 'elsewhere'"))
    assert ledger.recover(NOON + timedelta(minutes=59)) == 0
    assert ledger.recover(NOON + timedelta(hours=2)) == 1
    ledger.note("a", "gen-1", 5)
    ledger.settle("a", entry("0.002"))
    assert [str(each.cost) for each in ledger.entries()] == ["0.002"]
    assert ledger.spent("mine", "", NOON).day == Decimal("0.002")


@pytest.mark.fault("life cycle", "asleep for an hour")
@pytest.mark.parametrize("hours", [1, 960, -1, -24])
async def test_a_run_ends_well_though_the_clock_jumped_amid_its_answer(tmp_path: Path, hours: int) -> None:
    config = CACHED.replace("{more}", "minimum = 10") + "[budget]\nday = 1\n"
    async with lodging(tmp_path, config) as (session, server):
        clock, gate = Clock(), asyncio.Event()
        clock.rule(session)
        server.script(gated(GOOD, gate, halt=3), answer(GOOD))
        running = asyncio.ensure_future(steps(question(), session))
        await server.seen(1)
        clock.now += timedelta(hours=hours)
        gate.set()
        done = (await running)[-1]
        assert isinstance(done, RunFinished)
        assert done.answer is not None
        (first,) = session.ledger.entries()
        assert first.at == NOON, "a cost belongs to the moment when it was asked for"
        assert 0 <= first.seconds < 600, "how long it took is not measured by this clock"
        assert session.ledger.spent("s", "", clock.now).session == first.cost
        # The next run is routed and paid for by the clock as it is now.
        done = (await steps(question(run="next"), session))[-1]
        assert isinstance(done, RunFinished)
        assert done.answer is not None
        entries = session.ledger.entries()
        assert entries[1].at == clock.now
        assert session.ledger.spent("s", "", clock.now).session == sum(each.cost or 0 for each in entries)


@pytest.mark.fault("life cycle", "the clock is set back")
@pytest.mark.parametrize("back", BACK[2:], ids=str)
async def test_nothing_is_believed_of_a_cache_that_was_warmed_in_the_future(tmp_path: Path, back: timedelta) -> None:
    async with lodging(tmp_path, CACHED.replace("{more}", "minimum = 10")) as (session, server):
        clock = Clock()
        clock.rule(session)
        server.script(answer(GOOD), answer(GOOD))
        await steps(question(), session)
        clock.now -= back
        await steps(question(run="next"), session)
        later, _ = session.prompt_cache.traces
        assert (later.run, later.expected) == ("next", 0), "nothing is warm by this clock"
        assert all(each.cost is not None and each.cost >= 0 for each in session.ledger.entries())
        outlook = forecast.outlook(session.prompt_cache.traces, clock.now)
        assert min(outlook.gaps, default=timedelta(0)) >= timedelta(0)


@pytest.mark.fault("life cycle", "the clock is set back")
@pytest.mark.parametrize("on_disk", [True, False], ids=["on disk", "in memory"])
async def test_the_last_requests_are_the_last_by_their_order_and_not_by_the_clock(
    tmp_path: Path, *, on_disk: bool
) -> None:
    async with lodging(tmp_path, CACHED.replace("{more}", "minimum = 10")) as (session, server):
        server.script(answer(GOOD))
        await steps(question(), session)
        (pattern,) = session.prompt_cache.traces
    traces = Traces(File(tmp_path / "traces.sqlite3") if on_disk else None)
    for number in range(REMEMBERED + 5):
        traces.add(replace(pattern, run=f"before{number}", at=NOON + timedelta(days=1, seconds=number)))
    for number in range(10):
        traces.add(replace(pattern, run=f"after{number}", at=NOON + timedelta(seconds=number)))
    known = traces.all()
    assert len(known) == REMEMBERED
    assert [each.run for each in known[:10]] == [f"after{number}" for number in range(10)]
    assert len(PromptCache(traces).traces) == REMEMBERED


@pytest.mark.fault("life cycle", "the clock is set back")
def test_stored_answers_stay_and_go_by_their_use_and_not_by_the_clock(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite3")
    store.put("future", replace(KEPT, text="later", at=datetime(2099, 1, 1, tzinfo=UTC)))
    store.put("past", replace(KEPT, text="earlier", at=datetime(1971, 1, 1, tzinfo=UTC)))
    store.close()
    again = AnswerStore(tmp_path / "answers.sqlite3")
    found = [again.get(each) for each in ("future", "past")]
    assert [each.text for each in found if each] == ["later", "earlier"]
    again.close()
