"""How a server ends amid an answer: killed, hung up, asked to, or left; each cost is entered exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import GOOD, SRC, gated, messages, until
from scripted_provider import Seen, answer
from server import Stage, pick, stage

from tuppence.core.billing.entry import Entry
from tuppence.core.models.usage import Usage

USAGE = Usage(fresh=130, cache_read=0, output=45)
PRICE = (USAGE.fresh * Decimal("0.15") + USAGE.output * Decimal("0.60")) / 1_000_000
"""What the scripted provider bills for an answer."""


async def begin(s: Stage, name: str) -> Seen:
    """Start a fix whose answer never ends, and return its request once the answer has begun."""
    buffer = s.editor.open(s.write(name, SRC), "python")
    entry = pick(await s.editor.menu(buffer, 5), "Fix")
    s.upstream.script(gated(GOOD, asyncio.Event(), halt=4))
    reply = s.editor.start(entry, name)
    reply.add_done_callback(lambda done: done.cancelled() or done.exception())
    seen = await s.upstream.seen(len(s.upstream.requests) + 1)
    await until(lambda: any("Asking" in str(each) for each in s.editor.seen.progress))
    return seen


async def asked_to(s: Stage) -> None:
    await s.editor.client.shutdown_async(None)
    s.editor.client.exit(None)


async def exit_alone(s: Stage) -> None:
    s.editor.client.exit(None)


async def stdin_closed(s: Stage) -> None:
    assert s.editor.process.stdin is not None
    s.editor.process.stdin.close()


async def terminated(s: Stage) -> None:
    s.editor.process.send_signal(signal.SIGTERM)


async def interrupted(s: Stage) -> None:
    s.editor.process.send_signal(signal.SIGINT)


async def hung_up(s: Stage) -> None:
    s.editor.process.send_signal(signal.SIGHUP)


async def asked_and_left(s: Stage) -> None:
    """Ask for the end, and close the pipe without waiting for the reply."""
    reply = asyncio.ensure_future(s.editor.client.shutdown_async(None))
    await asyncio.sleep(0)
    await stdin_closed(s)
    reply.cancel()


End = Callable[[Stage], Any]
ENDS: dict[End, int] = {asked_to: 0, exit_alone: 1, stdin_closed: 1, hung_up: 1}
"""Ways to end, with the exit code of each."""
MORE: dict[End, int] = {terminated: 1, interrupted: 1, asked_and_left: 0}


@pytest.mark.fault("life cycle", "the server ends amid an answer")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("ends", [ENDS, pytest.param(MORE, marks=pytest.mark.long)], ids=["usual", "more"])
async def test_a_server_that_ends_amid_an_answer_hangs_up_and_enters_its_cost(
    tmp_path: Path, ends: dict[End, int], record_property: Any
) -> None:
    for number, (end, code) in enumerate(ends.items()):
        async with stage(tmp_path) as s:
            seen = await begin(s, f"a{number}.py")
            await end(s)
            assert await asyncio.wait_for(s.editor.process.wait(), 60) == code, end.__name__
            await asyncio.wait_for(seen.closed.wait(), 60)
            entries = s.entries()
            assert [(each.outcome, each.estimated) for each in entries] == [("cancelled", True)] * (number + 1)
            assert entries[-1].cost
            errors = s.editor.seen.errors
            assert "Traceback" not in errors, (end.__name__, errors)
            assert next(iter(s.editor.buffers.values())).text == SRC
    record_property("cases", len(ends))


@pytest.mark.fault("life cycle", "a client that never reads")
async def test_a_client_that_never_reads_neither_stops_the_server_nor_fills_it(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        entry = pick(await s.editor.menu(buffer, 5), "Explain")
        pipe = s.editor.process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]  # asyncio has no other way
        pipe.pause_reading()
        words = " ".join(f"Step {number} adds {number * number}." for number in range(200))
        # In pieces so small that the messages about them are more than a pipe holds.
        s.upstream.script(answer(f"`mean` divides the `sum` of `xs` by their number. {words}", size=1))
        before = resident(s.pid)
        reply = s.editor.start(entry, "unread")
        await s.upstream.seen(1)
        # Whatever the client does, the answer is read to its end, and its cost entered.
        await until(s.entries)
        assert resident(s.pid) - before < 40 << 20
        # It still hears what the client says.
        s.editor.type(buffer, 0, 0, "# a\n")
        pipe.resume_reading()
        await reply
        assert (await s.editor.hover(buffer, 4 + 4)) is not None
        assert len(s.entries()) == 1
        assert "Traceback" not in s.editor.seen.errors
        pipe.pause_reading()
        s.editor.process.send_signal(signal.SIGTERM)
        # It ends with its words unread; asyncio's own wait would wait for those.
        await until(lambda: s.editor.process.returncode is not None)
        assert s.editor.process.returncode == 1
        pipe.resume_reading()


def resident(pid: int) -> int:
    """Return the bytes of memory that a process has; 0 where the system does not say."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    return 0


# --- killed ---


@pytest.mark.fault("life cycle", "SIGKILL at a random moment")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.long)])
async def test_each_cost_is_entered_exactly_once_whenever_the_server_is_killed(
    tmp_path: Path, kills: int, record_property: Any
) -> None:
    chance = random.Random(kills)  # noqa: S311 - nothing secret
    asked = 0
    entries: tuple[Entry, ...] = ()
    for number in range(kills + 1):
        async with stage(tmp_path) as s:
            s.upstream.always(answer(GOOD, usage=USAGE, delay=0.01))
            buffers = [s.editor.open(s.write(f"a{number}_{each}.py", SRC), "python") for each in range(3)]
            menus = [pick(await s.editor.menu(each, 5), "Fix") for each in buffers]
            replies = [s.editor.start(each, f"run-{number}-{place}") for place, each in enumerate(menus)]
            for each in replies:
                each.add_done_callback(lambda done: done.cancelled() or done.exception())
            if number == kills:
                await asyncio.gather(*replies)
                asked += len(s.upstream.requests)
                entries = s.entries()
                assert "Traceback" not in "".join((*messages(s), s.editor.seen.errors))
                break
            if chance.random() < 0.8:
                await s.upstream.seen(1)
            await asyncio.sleep(chance.uniform(0, 0.5))
            s.editor.process.kill()
            await s.editor.process.wait()
            asked += len(s.upstream.requests)
            assert all(each.text in (SRC, SRC.replace("len(x)", "len(xs)")) for each in buffers)
    assert len({each.run for each in entries}) == len(entries), "each run once"
    assert asked <= len(entries) <= 3 * (kills + 1), "no request without an entry"
    known = [each for each in entries if not each.estimated]
    assert {each.cost for each in known} <= {PRICE, Decimal(0)}
    lost = [each.cost for each in entries if each.estimated]
    assert all(cost is not None and cost >= PRICE / 2 for cost in lost), "an estimate is no less than what was sent"
    record_property("cases", kills)


# --- left unread words ---


@pytest.mark.fault("life cycle", "the editor's process dies")
async def test_a_server_ends_with_its_editor_though_its_pipes_stay_open(tmp_path: Path) -> None:
    editor = await asyncio.create_subprocess_exec("sleep", "600")
    async with stage(tmp_path, before=lambda each: adopt(each, editor.pid)) as s:
        seen = await begin(s, "a.py")
        editor.kill()
        await editor.wait()
        assert await asyncio.wait_for(s.editor.process.wait(), 60) == 1
        await asyncio.wait_for(seen.closed.wait(), 60)
        assert [each.outcome for each in s.entries()] == ["cancelled"]


def adopt(editor: Any, pid: int) -> None:
    """Have an editor say that it is another process."""
    initialize = editor.client.initialize_async

    def as_other(params: types.InitializeParams) -> Any:
        params.process_id = pid
        return initialize(params)

    editor.client.initialize_async = as_other
