"""A run's progress: all lines in order, begun and ended in every case, and the run waits for no reply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import pytest
from virtual_time import run

from tuppence.lsp.output.run_progress import GATHERED, RunProgress
from tuppence.lsp.protocol.lifecycle import Protocol


class FakeProtocol:
    """Notes what goes to the editor, which agrees once ``reply`` is set."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.progress = self

    async def create_async(self, _token: str) -> None:
        self.sent.append("create")
        await asyncio.shield(self.reply)

    def on_progress_cancel(self, _token: str, _cancel: Any) -> None:
        self.sent.append("cancel is heard")

    def begin(self, _token: str, value: Any) -> None:
        self.sent.append(f"begin {value.title}")

    def report(self, _token: str, value: Any) -> None:
        self.sent.append(value.message)

    def end(self, _token: str, _value: Any) -> None:
        self.sent.append("end")


async def is_done(request: Awaitable[object]) -> bool:
    try:
        await asyncio.wait_for(request, 10)
    except (TimeoutError, ValueError):
        return False
    return True


def begun() -> tuple[FakeProtocol, RunProgress]:
    protocol = FakeProtocol()
    return protocol, RunProgress(cast("Protocol", protocol), is_done, "Fix", lambda: None)


BEGUN = ["create", "cancel is heard", "begin Fix"]


def test_lines_are_gathered_at_first_and_then_sent_at_once() -> None:
    async def work() -> None:
        protocol, progress = begun()
        progress.report("one")
        progress.report("two")
        await asyncio.sleep(GATHERED / 2)
        assert protocol.sent == []
        await asyncio.sleep(GATHERED)
        assert protocol.sent == ["create"], "the editor has not agreed yet"
        progress.report("three")
        protocol.reply.set_result(None)
        await asyncio.sleep(GATHERED)
        assert protocol.sent == [*BEGUN, "one", "two", "three"]
        progress.report("four")
        assert protocol.sent[-1] == "four"
        await progress.end()
        assert protocol.sent[-2:] == ["four", "end"]

    run(work())


def test_a_run_that_ends_at_once_has_a_progress_too() -> None:
    async def work() -> None:
        protocol, progress = begun()
        protocol.reply.set_result(None)
        progress.report("one")
        await progress.end()
        assert protocol.sent == [*BEGUN, "one", "end"]
        await asyncio.sleep(1)
        assert protocol.sent[-1] == "end"

    run(work())


@pytest.mark.parametrize("refused", [False, True])
def test_an_editor_that_does_not_agree_holds_nothing_up_but_the_end(*, refused: bool) -> None:
    async def work() -> None:
        protocol, progress = begun()
        if refused:
            protocol.reply.set_exception(ValueError("no"))
        for number in range(100):
            progress.report(str(number))
            await asyncio.sleep(0.001)
        await progress.end()
        assert protocol.sent == ["create"]

    run(work())


def test_what_is_shown_next_comes_after_the_lines_before() -> None:
    async def work() -> None:
        protocol, progress = begun()
        progress.report("one")
        waiting = asyncio.create_task(progress.shown())
        await asyncio.sleep(GATHERED / 2)
        assert protocol.sent == ["create"], "it is not gathered any longer"
        assert not waiting.done()
        protocol.reply.set_result(None)
        await waiting
        assert protocol.sent == [*BEGUN, "one"]
        await progress.end()

    run(work())


def test_a_run_that_is_stopped_while_it_waits_ends_its_progress() -> None:
    async def work() -> None:
        protocol, progress = begun()
        waiting = asyncio.create_task(progress.shown())
        await asyncio.sleep(GATHERED / 2)
        waiting.cancel()
        await asyncio.sleep(GATHERED / 2)
        assert waiting.cancelled()
        protocol.reply.set_result(None)
        await progress.end()
        assert protocol.sent == [*BEGUN, "end"]

    run(work())
