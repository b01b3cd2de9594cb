"""Work that has begun: nothing is lost between its first wait and its end, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tuppence.upstream.started import Started


async def test_what_needs_no_wait_is_there_at_once() -> None:
    async def work() -> int:
        await asyncio.sleep(0)  # To let others go first is no wait.
        return 7

    started = Started(work())
    assert not started.waits
    assert await started == 7


async def test_what_waits_goes_on_where_it_was_whatever_happened_meanwhile() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        await first.wait()
        await second.wait()
        return "done"

    started = Started(work())
    assert started.waits
    first.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second.set()
    assert await started == "done"


async def test_what_is_raised_is_raised_where_it_is_awaited() -> None:
    gate = asyncio.Event()

    async def at_once() -> None:
        raise OSError("at once")

    async def later() -> None:
        await gate.wait()
        raise OSError("later")

    with pytest.raises(OSError, match="at once"):
        Started(at_once())
    started = Started(later())
    gate.set()
    with pytest.raises(OSError, match="later"):
        await started


async def test_a_time_out_reaches_the_work_and_its_clean_up() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    started = Started(work())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await started
    assert cleaned == ["up"]


async def test_what_is_abandoned_is_cancelled_and_cleaned_up() -> None:
    cleaned: list[str] = []

    async def pieces() -> AsyncGenerator[bytes, None]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    source = pieces()
    assert await Started(anext(source, b"")) == b"first"
    waiting = Started(anext(source, b""))
    assert waiting.waits
    await waiting.abandon()
    await waiting.abandon()
    assert cleaned == ["up"]
    await source.aclose()
    assert len(asyncio.all_tasks()) == 1


async def test_work_that_turns_again_and_again_is_a_wait() -> None:
    async def work() -> None:
        for _ in range(1_000):
            await asyncio.sleep(0)

    started = Started(work())
    assert started.waits
    await started.abandon()
