"""A long answer is read in turns: other work goes on in between, and what a person waits for goes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from virtual_time import run

from tuppence.core.checks.repetition import RepetitionDetector
from tuppence.core.models.usage import Usage
from tuppence.engine.admission.fair_share import FairShare
from tuppence.engine.attempt import AT_ONCE, Repetitive, _pieces, _Turns
from tuppence.providers import ProviderEvent, Stop, Text, Thinking, UsageReport
from tuppence.upstream import Piece, RetryScheduled


async def turns(pieces: list[ProviderEvent]) -> tuple[str, int, int]:
    """Return what was read, how many turns other work had meanwhile, and the longest part that was read."""
    reading, other = _Turns(RepetitionDetector()), 0
    read: list[str] = []
    done = False

    async def work() -> None:
        nonlocal other
        while not done:
            other += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(work())
    for piece in pieces:
        read += [part async for part in reading.parts(piece)]
    done = True
    await task
    return "".join(read), other, max(map(len, read), default=0)


def words(count: int) -> str:
    return " ".join(str(number) for number in range(count))


@pytest.mark.attack("hostile sizes", "a long answer in one piece")
async def test_one_long_piece_is_read_in_parts() -> None:
    text = words(40_000)
    read, other, longest = await turns([Text(text)])
    assert read == text
    assert longest <= AT_ONCE
    assert other >= len(text) // AT_ONCE


@pytest.mark.attack("hostile sizes", "a long answer in pieces that come at once")
async def test_many_small_pieces_leave_turns_too() -> None:
    text = words(40_000)
    pieces: list[ProviderEvent] = [Thinking(text[at : at + 50]) for at in range(0, len(text), 50)]
    read, other, _ = await turns(pieces)
    assert read == text
    assert other >= len(text) // AT_ONCE


async def test_a_part_that_repeats_itself_ends_the_reading() -> None:
    with pytest.raises(Repetitive):
        await turns([Text("again and again " * 5_000)])


async def batches(*come: tuple[Piece, ...]) -> AsyncGenerator[tuple[Piece, ...], None]:
    for batch in come:
        yield batch


async def test_what_one_read_brought_is_one_piece_of_each_kind_in_a_row() -> None:
    counts, stop = UsageReport(Usage()), Stop("end")
    batch = (Thinking("a"), Thinking("b"), Text("c"), Text("d"), counts, counts, Text("e"), stop)
    read = [piece async for piece in _pieces(batches(batch, (Text("f"),)), FairShare())]
    assert read == [Thinking("ab"), Text("cd"), counts, counts, Text("e"), stop, Text("f")]


def test_a_request_that_waits_for_its_first_word_is_no_answer_that_streams() -> None:
    async def work() -> None:
        shared, words, end = FairShare(), asyncio.Event(), asyncio.Event()

        async def answer() -> AsyncGenerator[tuple[Piece, ...], None]:
            yield (RetryScheduled(1, "why"),)
            await words.wait()
            yield (Text("word"),)
            await end.wait()

        async def stream() -> list[Piece]:
            return [piece async for piece in _pieces(answer(), shared)]

        tasks = [asyncio.create_task(stream()) for _ in range(3)]
        await asyncio.sleep(10)  # In virtual time: each has come as far as it can.
        assert shared.gap == 0
        words.set()
        await asyncio.sleep(10)
        assert shared.gap > 0
        end.set()
        await asyncio.gather(*tasks)
        assert shared.gap == 0

    run(work())


@pytest.mark.parametrize("answers", [2, 4, 20])
def test_beside_any_number_of_answers_a_hover_meets_one_read_of_each_at_most(answers: int) -> None:
    """Each answer has text without end, eight events a read; a hover takes ten hops through the event loop."""
    events = 0

    async def endless() -> AsyncGenerator[tuple[Piece, ...], None]:
        nonlocal events
        while True:
            events += 8
            yield tuple(Text("word ") for _ in range(8))
            await asyncio.sleep(0.0001)

    async def stream(shared: FairShare) -> None:
        async with aclosing(_pieces(endless(), shared)) as pieces:
            async for _ in pieces:
                pass

    async def work() -> None:
        shared = FairShare()
        tasks = [asyncio.create_task(stream(shared)) for _ in range(answers)]
        await asyncio.sleep(0.3)
        assert events > 0
        with shared.in_front():
            before = events
            for _ in range(10):
                await asyncio.sleep(0.004)
            assert events - before <= 8 * answers
        await asyncio.sleep(0.3)
        assert events - before > 8 * answers, "the answers go on"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(work())
