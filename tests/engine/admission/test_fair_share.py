"""Answers that stream give way: to one another in turn, and to what a person waits for, but never for long."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from contextvars import copy_context

import pytest
from virtual_time import run

from tuppence.engine.admission import fair_share
from tuppence.engine.admission.fair_share import GAP, HELD, LONGEST_GAP, SWITCH, FairShare


async def _answer(shared: FairShare, name: str, read: list[tuple[float, str]]) -> None:
    """Read without end, as often as the share allows, each read a tenth of a millisecond's work."""
    clock = asyncio.get_running_loop().time
    with shared.stream() as share:
        while True:
            read.append((clock(), name))
            await asyncio.sleep(0.0001)
            await share.turn()


async def _beside(shared: FairShare, answers: int, work: asyncio.Task[None]) -> list[tuple[float, str]]:
    """Have answers read without end until some work is done; return their reads."""
    read: list[tuple[float, str]] = []
    tasks = [asyncio.create_task(_answer(shared, str(number), read)) for number in range(answers)]
    await work
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return read


def test_one_answer_never_waits() -> None:
    async def work() -> None:
        shared, clock = FairShare(), asyncio.get_running_loop().time
        with shared.stream() as share, shared.in_front():
            for _ in range(100):
                await share.turn()
        assert clock() == 0, "not even for a hover: its own work is little"

    run(work())


@pytest.mark.parametrize("answers", [2, 4, 20, 100])
def test_several_are_read_in_turn_and_each_after_its_gap(answers: int) -> None:
    async def work() -> None:
        read = await _beside(FairShare(), answers, asyncio.create_task(asyncio.sleep(2)))
        counts = Counter(name for _, name in read)
        gap = min(GAP * answers, LONGEST_GAP)
        assert len(counts) == answers
        assert 2 / gap - 1 <= min(counts.values())
        assert max(counts.values()) <= 2 / gap + 3, "the first read is not delayed"

    run(work())


def test_an_answer_that_ended_slows_no_other() -> None:
    async def work() -> None:
        shared, clock = FairShare(), asyncio.get_running_loop().time
        await _beside(shared, 5, asyncio.create_task(asyncio.sleep(0.1)))
        before = clock()
        with shared.stream() as share:
            for _ in range(100):
                await share.turn()
        assert clock() == before

    run(work())


@pytest.mark.parametrize("answers", [2, 4, 20])
def test_what_a_person_waits_for_has_few_reads_before_it(answers: int) -> None:
    """A hover hops between the event loop and threads: all its hops together meet one read of each answer at most."""

    async def hover(shared: FairShare, seen: list[float]) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(0.5)
        with shared.in_front():
            seen.append(clock())
            for _ in range(12):
                await asyncio.sleep(0.004)
            seen.append(clock())
        await asyncio.sleep(0.2)

    async def work() -> None:
        shared, seen = FairShare(), list[float]()
        read = await _beside(shared, answers, asyncio.create_task(hover(shared, seen)))
        began, ended = seen
        meanwhile = Counter(name for at, name in read if began < at < ended)
        assert all(times == 1 for times in meanwhile.values())
        assert {name for at, name in read if at > ended} == {str(number) for number in range(answers)}

    run(work())


def test_who_asks_without_a_pause_stops_no_answer() -> None:
    async def hovers(shared: FairShare) -> None:
        for _ in range(300):
            with shared.in_front():
                await asyncio.sleep(0.01)

    async def work() -> None:
        shared = FairShare()
        with shared.in_front():  # From beginning to end.
            read = await _beside(shared, 3, asyncio.create_task(hovers(shared)))
        counts = Counter(name for _, name in read)
        assert min(counts.values()) >= 3 / (HELD + LONGEST_GAP) - 1

    run(work())


def test_what_failed_or_was_stopped_is_in_front_no_more() -> None:
    async def work() -> None:
        shared, clock = FairShare(), asyncio.get_running_loop().time
        with suppress(ValueError), shared.in_front():
            raise ValueError
        await shared.give_way()
        assert clock() == 0

    run(work())


async def test_whole_answers_are_judged_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_share, "BEHIND", 60.0)  # On a busy machine a judgment may take longer than is waited for.
    under_way = most = 0

    def judge(number: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        under_way -= 1
        return number

    shared = FairShare()
    assert await asyncio.gather(*(shared.judged(judge, number) for number in range(20))) == list(range(20))
    assert most == 1


async def test_one_that_takes_long_or_is_stopped_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_share, "BEHIND", 0.01)
    shared, done = FairShare(), threading.Event()
    long = asyncio.create_task(shared.judged(done.wait))
    await asyncio.sleep(0)
    assert await asyncio.gather(*(shared.judged(int, number) for number in "123")) == [1, 2, 3]
    waiting = asyncio.create_task(shared.judged(int, "4"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    done.set()
    assert await long
    assert await shared.judged(int, "5") == 5


def test_the_work_that_a_person_waits_for_does_not_wait_for_itself() -> None:
    async def work() -> None:
        shared, clock = FairShare(), asyncio.get_running_loop().time
        with shared.in_front():
            await shared.give_way()
            await asyncio.create_task(shared.give_way())
            assert clock() == 0

    run(work())


async def test_a_verdict_pauses_between_its_checks_while_a_person_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_share, "HELD", 60.0)
    shared, checked, met, before = FairShare(), list[int](), threading.Event(), copy_context()

    def verdict() -> None:
        for number in range(3):
            checked.append(number)
            met.set()
            shared.pause()

    with shared.in_front():
        # A request's task has been started before, by another message.
        judging = asyncio.create_task(asyncio.to_thread(verdict), context=before)
        await asyncio.to_thread(met.wait)
        for _ in range(100):
            await asyncio.sleep(0)
        assert checked == [0]
    await judging
    assert checked == [0, 1, 2]


async def test_a_hover_that_takes_long_holds_up_a_verdict_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_share, "HELD", 0.001)
    waits, shared = list[float](), FairShare()
    monkeypatch.setattr(shared._may_run, "wait", waits.append)

    def verdict() -> None:
        for _ in range(50):
            time.sleep(0.001)
            shared.pause()

    before = copy_context()
    with shared.in_front():
        await asyncio.create_task(asyncio.to_thread(verdict), context=before)
    assert waits == [0.0] * 50, "the time was over before the first check"


async def test_the_event_loop_and_a_hovers_own_threads_never_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, shared, before = list[float](), FairShare(), copy_context()
    monkeypatch.setattr(shared._may_run, "wait", waits.append)
    with shared.in_front():
        shared.pause()
        await asyncio.to_thread(shared.pause)
        assert waits == []
        await asyncio.create_task(asyncio.to_thread(shared.pause), context=before)
        assert len(waits) == 1, "a request's thread does"


def test_threads_switch_more_often_only_while_a_person_waits() -> None:
    usual, shared = sys.getswitchinterval(), FairShare()
    assert usual > SWITCH
    with suppress(ValueError), shared.in_front():
        with shared.in_front():
            assert sys.getswitchinterval() == pytest.approx(SWITCH)
        assert sys.getswitchinterval() == pytest.approx(SWITCH)
        raise ValueError
    assert sys.getswitchinterval() == pytest.approx(usual)
