"""A run's progress: all lines in order, begun and ended in every case, and the run waits for no reply."""

from __future__ import annotations

import asyncio

import pytest
from virtual_time import run

from tuppence.lsp.output.run_progress import GATHERED, RunProgress


class FakeChannel:
    """Notes what goes to the editor, which agrees or refuses once ``reply`` is set."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.reply: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def open(self) -> bool:
        self.sent.append("asked")
        try:
            agreed = await asyncio.wait_for(asyncio.shield(self.reply), 10)
        except TimeoutError:
            return False
        if agreed:
            self.sent.append("begun")
        return agreed

    def send(self, line: str) -> None:
        self.sent.append(line)

    def close(self) -> None:
        self.sent.append("end")


def begun() -> tuple[FakeChannel, RunProgress]:
    channel = FakeChannel()
    return channel, RunProgress(channel)


BEGUN = ["asked", "begun"]


def test_lines_are_gathered_at_first_and_then_sent_at_once() -> None:
    async def work() -> None:
        channel, progress = begun()
        progress.report("one")
        progress.report("two")
        await asyncio.sleep(GATHERED / 2)
        assert channel.sent == []
        await asyncio.sleep(GATHERED)
        assert channel.sent == ["asked"], "the editor has not agreed yet"
        progress.report("three")
        channel.reply.set_result(True)
        await asyncio.sleep(GATHERED)
        assert channel.sent == [*BEGUN, "one", "two", "three"]
        progress.report("four")
        assert channel.sent[-1] == "four"
        await progress.end()
        assert channel.sent[-2:] == ["four", "end"]

    run(work())


def test_a_run_that_ends_at_once_has_a_progress_too() -> None:
    async def work() -> None:
        channel, progress = begun()
        channel.reply.set_result(True)
        progress.report("one")
        await progress.end()
        assert channel.sent == [*BEGUN, "one", "end"]
        await asyncio.sleep(1)
        assert channel.sent[-1] == "end"

    run(work())


@pytest.mark.parametrize("refused", [False, True])
def test_an_editor_that_does_not_agree_holds_nothing_up_but_the_end(*, refused: bool) -> None:
    async def work() -> None:
        channel, progress = begun()
        if refused:
            channel.reply.set_result(False)
        for number in range(100):
            progress.report(str(number))
            await asyncio.sleep(0.001)
        await progress.end()
        assert channel.sent == ["asked"]

    run(work())


def test_what_is_shown_next_comes_after_the_lines_before() -> None:
    async def work() -> None:
        channel, progress = begun()
        progress.report("one")
        waiting = asyncio.create_task(progress.shown())
        await asyncio.sleep(GATHERED / 2)
        assert channel.sent == ["asked"], "it is not gathered any longer"
        assert not waiting.done()
        channel.reply.set_result(True)
        await waiting
        assert channel.sent == [*BEGUN, "one"]
        await progress.end()

    run(work())


def test_a_run_that_is_stopped_while_it_waits_ends_its_progress() -> None:
    async def work() -> None:
        channel, progress = begun()
        waiting = asyncio.create_task(progress.shown())
        await asyncio.sleep(GATHERED / 2)
        waiting.cancel()
        await asyncio.sleep(GATHERED / 2)
        assert waiting.cancelled()
        channel.reply.set_result(True)
        await progress.end()
        assert channel.sent == [*BEGUN, "end"]

    run(work())
