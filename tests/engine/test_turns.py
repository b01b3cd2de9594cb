"""A long answer is read in turns: the event loop does other work in between, whatever the pieces of the answer are."""

from __future__ import annotations

import asyncio

import pytest

from tuppence.core.checks.repetition import RepetitionDetector
from tuppence.engine.attempt import AT_ONCE, Repetitive, _Turns
from tuppence.providers import ProviderEvent, Text, Thinking


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
