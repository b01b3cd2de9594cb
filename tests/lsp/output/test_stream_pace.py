"""The pace of drafts: one answer never waits, and of several none is left out and none comes too often."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

import pytest
from virtual_time import run

from tuppence.lsp.output.stream_pace import GAP, RECENT, StreamPace


async def _stream(pace: StreamPace, name: str, until: float, sent: list[tuple[float, str]]) -> None:
    """Send drafts as often as the pace allows, each a tenth of a millisecond's work."""
    clock = asyncio.get_running_loop().time
    while clock() < until:
        await pace.turn(name)
        sent.append((clock(), name))
        await asyncio.sleep(0.0001)


def test_one_answer_never_waits() -> None:
    async def work() -> None:
        pace, clock = StreamPace(), asyncio.get_running_loop().time
        for _ in range(100):
            assert not await pace.turn("a")
        assert clock() == 0

    run(work())


@pytest.mark.parametrize("streams", [2, 4, 20, 100])
def test_several_share_the_drafts_in_turn(streams: int) -> None:
    sent: list[tuple[float, str]] = []

    async def work() -> None:
        pace = StreamPace()
        await asyncio.gather(*(_stream(pace, str(number), 2.0, sent) for number in range(streams)))

    run(work())
    spaced = sent[1:]  # The first came before there was another.
    assert len(spaced) <= 2.0 / GAP + streams
    assert all(late[0] - early[0] >= GAP / 2 for early, late in pairwise(spaced))
    counts = Counter(name for _, name in sent)
    assert len(counts) == streams
    assert max(counts.values()) - min(counts.values()) <= 2


def test_an_answer_that_ended_holds_up_nothing() -> None:
    async def work() -> None:
        pace, clock = StreamPace(), asyncio.get_running_loop().time
        sent: list[tuple[float, str]] = []
        await asyncio.gather(*(_stream(pace, name, 0.5, sent) for name in "ab"))
        await asyncio.sleep(RECENT)
        before = clock()
        for _ in range(100):
            assert not await pace.turn("a")
        assert clock() == before

    run(work())


def test_who_was_cancelled_while_it_waited_takes_no_turn_of_another() -> None:
    async def work() -> None:
        pace = StreamPace()
        await pace.turn("a")
        await pace.turn("b")
        waiting = asyncio.create_task(pace.turn("a"))
        await asyncio.sleep(0)
        waiting.cancel()
        assert await pace.turn("b")
        assert asyncio.get_running_loop().time() <= 3 * GAP

    run(work())


def test_a_single_stream_among_slow_ones_is_not_slowed() -> None:
    """Two answers with a draft every 100 milliseconds leave room for all of them."""

    async def work() -> None:
        pace = StreamPace()
        waited = []
        for number in range(50):
            waited.append(await pace.turn("ab"[number % 2]))
            await asyncio.sleep(0.05)
        assert not any(waited)

    run(work())
