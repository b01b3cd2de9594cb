"""The time-outs of one call: what renews them, and which of two errors in time a caller sees."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time

from tuppence.upstream.deadlines import COUNTED, UNCOUNTED, Deadlines, OutOfTime
from tuppence.upstream.retry import RetryPolicy

POLICY = RetryPolicy(first_event=30, between_events=20, total=100)


async def waited(deadlines: Deadlines) -> tuple[str, float]:
    """Wait for what never comes; return the part of the call whose time ran out, and after how many seconds."""
    start = asyncio.get_running_loop().time()
    with pytest.raises(OutOfTime) as caught:
        await deadlines.wait(asyncio.get_running_loop().create_future())
    return caught.value.part, round(asyncio.get_running_loop().time() - start, 3)


async def pass_by(deadlines: Deadlines, seconds: float) -> None:
    """Wait for something that comes after so many seconds."""
    await deadlines.wait(asyncio.sleep(seconds))


def test_the_end_is_due_once_however_often_it_is_announced() -> None:
    async def end() -> tuple[str, float]:
        deadlines = Deadlines(POLICY)
        deadlines.ending("mark")
        await pass_by(deadlines, COUNTED - 0.5)
        deadlines.ending("mark")
        return await waited(deadlines)

    assert virtual_time.run(end()) == ("end", 0.5)


def test_what_is_still_awaited_decides_how_long_the_end_is_waited_for() -> None:
    async def end() -> tuple[str, float]:
        deadlines = Deadlines(POLICY)
        deadlines.ending("counts")
        await pass_by(deadlines, UNCOUNTED - 1)
        deadlines.ending("mark")
        return await waited(deadlines)

    assert virtual_time.run(end()) == ("end", COUNTED)


def test_an_answer_that_is_complete_is_not_waited_for_again() -> None:
    async def end() -> tuple[str, float]:
        deadlines = Deadlines(POLICY)
        deadlines.stopped()
        await pass_by(deadlines, 0.06)
        deadlines.stopped()
        return await waited(deadlines)

    assert virtual_time.run(end()) == ("end", 0.04)


def test_a_word_renews_the_time_between_words_but_not_that_of_the_call() -> None:
    async def words() -> tuple[str, float]:
        deadlines = Deadlines(POLICY)
        deadlines.begin()
        for _ in range(6):
            await pass_by(deadlines, 15)
            deadlines.heard()
        return await waited(deadlines)

    assert virtual_time.run(words()) == ("total", 10.0)


def test_a_time_out_of_another_is_not_taken_for_ours() -> None:
    async def theirs() -> None:
        raise TimeoutError("the connection's own")

    async def wait() -> BaseException:
        with pytest.raises(TimeoutError) as caught:
            await Deadlines(POLICY).wait(theirs())
        return caught.value

    error = virtual_time.run(wait())
    assert (type(error), str(error)) == (TimeoutError, "the connection's own")
