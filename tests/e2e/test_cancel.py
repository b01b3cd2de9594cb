"""Cancel, by each of its three ways, in each phase: the connection closes, one entry, no further request, no trace."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from scenario import GOOD, SRC, gated, lines, said, stopped, until
from scripted_provider import Reply, Talk, answer, error, events, stall
from server import CONFIG, Stage, pick, stage, titles

from editor import Buffer
from tuppence.core.billing.entry import Entry

LOCAL = CONFIG.replace('tier = "budget"', 'tier = "local"')
CANCELLED = -32800
Way = Literal["stop", "progress", "request"]
WAYS: tuple[Way, ...] = ("stop", "progress", "request")


class Rehearsal:
    """One server, in which one run after another is cancelled."""

    def __init__(self, s: Stage) -> None:
        self.s = s
        self.replies: list[tuple[Any, Any, Any]] = []
        self.runs = 0
        handle = s.editor.client.protocol._handle_response

        def counted(msg_id: Any, result: Any = None, error: Any = None) -> None:
            self.replies.append((msg_id, result, error))
            handle(msg_id, result, error)

        s.editor.client.protocol._handle_response = counted  # type: ignore[method-assign]  # to count the replies

    async def start(self, buffer: Buffer, offset: int = 5) -> tuple[str, Any]:
        """Start a fix; return its request's id and the future of the reply."""
        self.runs += 1
        entry = pick(await self.s.editor.menu(buffer, offset), "Fix")
        identity = f"run-{self.runs}"
        return identity, self.s.editor.start(entry, identity)

    async def stop_entry(self, buffer: Buffer) -> Any:
        """Return the menu's Stop, which has to be the first entry."""
        menu = await self.s.editor.menu(buffer, 5)
        assert menu[0].title.startswith("Stop: Fix `mean`"), titles(menu)
        return menu[0]

    def press(self, way: Way, identity: str, stop: Any) -> None:
        """Cancel a run."""
        match way:
            case "stop":
                self.s.editor.start(stop, f"stop-{identity}")
            case "progress":
                self.s.editor.cancel_progress(self.s.editor.seen.tokens[-1])
            case "request":
                self.s.editor.cancel(identity)

    async def ended(self, way: Way, identity: str, count: int) -> None:
        """Wait for the end of the count-th cancelled run, and check what the editor was told."""
        closings = await until(lambda: stopped(self.s) if len(stopped(self.s)) >= count else None)
        assert len(closings) == count
        assert closings[-1].startswith("Stopped: Fix `mean`")
        await until(lambda: [each for each in self.replies if each[0] == identity])
        [(_, result, problem)] = [each for each in self.replies if each[0] == identity]
        assert result is None
        assert (problem.code if problem else None) == (CANCELLED if way == "request" else None)


@asynccontextmanager
async def rehearsal(tmp_path: Path, **how: Any) -> AsyncIterator[tuple[Rehearsal, Buffer]]:
    """Open a file in a server of its own."""
    async with stage(tmp_path, **how) as s:
        yield Rehearsal(s), s.editor.open(s.write("stats.py", SRC), "python")
        assert "Traceback" not in s.editor.seen.errors


def thinking() -> Reply:
    """Think for ever."""

    async def play(talk: Talk) -> None:
        await talk.head()
        for event in events(talk.seen.wire, "", thinking="let me see, what is mean")[:4]:
            await talk.chunk(event)
        await asyncio.Event().wait()

    return Reply(play)


STREAMING: dict[str, tuple[Callable[[], Reply], str]] = {
    "request sent": (stall, "Asking small"),
    "headers only": (lambda: stall(headers=True), "Asking small"),
    "thinking": (thinking, "small is thinking"),
    "mid-stream": (lambda: stall(GOOD[:40]), "small is answering"),
}


@pytest.mark.parametrize(("wire", "phases"), [("openai", tuple(STREAMING)), ("anthropic", ("thinking", "mid-stream"))])
async def test_a_cancel_closes_the_stream(tmp_path: Path, wire: str, phases: tuple[str, ...]) -> None:
    async with rehearsal(tmp_path, wire=wire) as (run, buffer):
        for phase in phases:
            for way in WAYS:
                await cancel_streaming(run, buffer, phase, way)
        await asyncio.sleep(0.15)
        assert len(run.s.upstream.requests) == len(WAYS) * len(phases)
        assert buffer.text == SRC
        assert not run.s.editor.seen.edits


async def cancel_streaming(run: Rehearsal, buffer: Buffer, phase: str, way: Way) -> None:
    """Cancel one run while its request is out, and check everything that follows."""
    reply, line = STREAMING[phase]
    run.s.upstream.script(reply())
    identity, _ = await run.start(buffer)
    seen = await run.s.upstream.seen(run.runs)
    await until(lambda: said(run.s, line))
    run.press(way, identity, await run.stop_entry(buffer))
    await until(seen.closed.is_set)  # None of these replies ends by itself.
    await run.ended(way, identity, run.runs)
    entry = run.s.entries()[-1]
    assert (len(run.s.entries()), entry.outcome, entry.estimated) == (run.runs, "cancelled", True)
    check_estimate(entry, phase, seen.wire)
    assert titles(await run.s.editor.menu(buffer, 5))[0] == "Fix `mean`"
    assert "about" in stopped(run.s)[-1]


def check_estimate(entry: Entry, phase: str, wire: str) -> None:
    """Check that what may have been billed is on the account."""
    assert entry.cost is not None
    assert entry.usage is not None
    assert entry.cost > 0
    told = wire == "anthropic" and phase in ("thinking", "mid-stream")
    assert (entry.usage.fresh == 120) if told else (entry.usage.fresh > 120)
    assert (entry.usage.output > 5) == (phase == "mid-stream")
    assert (entry.usage.thinking > 0) == (phase == "thinking")


async def test_a_queued_run_opens_no_connection_when_it_is_cancelled(tmp_path: Path) -> None:
    async with rehearsal(tmp_path, config=LOCAL) as (run, buffer):
        ahead = run.s.editor.open(run.s.write("ahead.py", "def first():\n    return 1\n"), "python")
        run.s.upstream.script(stall())
        await run.start(ahead)
        await run.s.upstream.seen(1)
        for count, way in enumerate(WAYS, 1):
            identity, _ = await run.start(buffer)
            await until(lambda: said(run.s, "Waiting for a turn at mine: Fix `first` is before it"))
            run.press(way, identity, await run.stop_entry(buffer))
            await run.ended(way, identity, count)
            entry = run.s.entries()[-1]
            assert (len(run.s.entries()), entry.outcome, entry.model) == (count, "cancelled", "small")
            assert (entry.usage, entry.cost, entry.estimated) == (None, Decimal(0), False)
            assert stopped(run.s)[-1] == "Stopped: Fix `mean`."
        assert len(run.s.upstream.requests) == 1
        assert buffer.text == SRC


async def test_a_cancel_while_connecting_costs_nothing(tmp_path: Path) -> None:
    closed: list[int] = []
    opened: list[int] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(len(await reader.read(1)))  # The first byte of a handshake that is never answered.
        while await reader.read(4096):
            pass
        closed.append(len(opened))
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, rehearsal(tmp_path, config=CONFIG.replace("{base}", f"https://127.0.0.1:{port}/v1")) as cast:
        run, buffer = cast
        for count, way in enumerate(WAYS, 1):
            identity, _ = await run.start(buffer)
            await until(lambda: len(opened) == count)  # noqa: B023 - awaited at once
            assert len(closed) == count - 1, "the handshake is waited for until it is cancelled"
            run.press(way, identity, await run.stop_entry(buffer))
            await until(lambda: len(closed) == count)  # noqa: B023 - awaited at once
            await run.ended(way, identity, count)
            entry = run.s.entries()[-1]
            assert (len(run.s.entries()), entry.outcome) == (count, "cancelled")
            assert (entry.usage, entry.cost, entry.estimated) == (None, Decimal(0), False)
        assert len(opened) == len(WAYS)
        assert buffer.text == SRC


async def test_a_cancel_while_waiting_for_a_retry_asks_no_more(tmp_path: Path) -> None:
    async with rehearsal(tmp_path) as (run, buffer):
        for count, way in enumerate(WAYS, 1):
            run.s.upstream.script(error(429, retry_after="1"))
            identity, _ = await run.start(buffer)
            await until(lambda: said(run.s, "Trying again in 1 s"))
            run.press(way, identity, await run.stop_entry(buffer))
            await run.ended(way, identity, count)
            entry = run.s.entries()[-1]
            assert (len(run.s.entries()), entry.outcome) == (count, "cancelled")
            # The one request that went out was turned away: nobody bills that.
            assert (entry.usage, entry.cost, entry.estimated) == (None, Decimal(0), False)
        await asyncio.sleep(1.1)
        assert len(run.s.upstream.requests) == len(WAYS)
        assert buffer.text == SRC


async def test_a_cancel_while_the_answer_is_checked_counts_what_was_paid(tmp_path: Path) -> None:
    filler = "\n".join(f"def f{number}(a, b):\n    return [a + {number}, b]\n" for number in range(4000))
    async with rehearsal(tmp_path) as (run, _):
        text = f"{SRC}\n{filler}"
        buffer = run.s.editor.open(run.s.write("large.py", text), "python")
        for count, way in enumerate(WAYS, 1):
            gate = asyncio.Event()
            run.s.upstream.script(gated(GOOD, gate))
            identity, _ = await run.start(buffer)
            await run.s.upstream.seen(count)
            stop = await run.stop_entry(buffer)
            gate.set()
            await until(lambda: said(run.s, "Checking the answer"))
            run.press(way, identity, stop)
            await run.ended(way, identity, count)
            await until(lambda: len(run.s.entries()) >= count)  # noqa: B023 - it is over before the next round
            entry = run.s.entries()[-1]
            assert (len(run.s.entries()), entry.outcome) == (count, "cancelled")
            assert (entry.cost, entry.estimated) == (Decimal("0.000042"), False)
        assert buffer.text == text
        assert not run.s.editor.seen.edits
        assert len(run.s.upstream.requests) == len(WAYS)
        for each in run.s.upstream.requests:
            await asyncio.wait_for(each.closed.wait(), 60)


async def test_a_cancel_between_the_first_try_and_the_climb_asks_no_more(tmp_path: Path) -> None:
    async with rehearsal(tmp_path, streams=True) as (run, buffer):
        editor = run.s.editor
        for count, way in enumerate(WAYS, 1):
            gate = asyncio.Event()
            run.s.upstream.script(gated("```python\ndef mean(values):\n    total = 0\n    for", gate))
            identity, _ = await run.start(buffer)
            await run.s.upstream.seen(count)
            stop = await run.stop_entry(buffer)
            before = len(editor.seen.drafts)

            def on_draft(method: str, _params: Any) -> None:
                # The draft after the answer's is the one that takes it back.
                back = method == "tuppence/edit" and buffer.text != SRC and said(run.s, "code block")
                if back:
                    editor.on_shown = lambda _method, _params: None
                    run.press(way, identity, stop)  # noqa: B023 - called before the loop goes on

            editor.on_shown = on_draft
            gate.set()
            await run.ended(way, identity, count)
            assert len(editor.seen.drafts) > before + 1
            assert [each.outcome for each in run.s.entries()] == ["failed check"] * count
            assert buffer.text == SRC
        assert len(run.s.upstream.requests) == len(WAYS)


async def test_a_cancel_while_the_edit_is_delivered_takes_it_back(tmp_path: Path) -> None:
    async with rehearsal(tmp_path) as (run, buffer):
        editor = run.s.editor
        imported = f"{GOOD}\n```imports\nimport math\n```"
        for count, way in enumerate(WAYS, 1):
            gate = asyncio.Event()
            run.s.upstream.script(gated(imported, gate))
            identity, _ = await run.start(buffer)
            await run.s.upstream.seen(count)
            stop = await run.stop_entry(buffer)

            def on_edit() -> None:
                editor.before_apply = lambda: None
                run.press(way, identity, stop)  # noqa: B023 - called before the loop goes on

            editor.before_apply = on_edit
            gate.set()
            await run.ended(way, identity, count)
            assert buffer.text == SRC
            assert "import math" in buffer.undo[-1]
            entry = run.s.entries()[-1]
            assert (len(run.s.entries()), entry.outcome) == (count, "cancelled")
            assert (entry.cost, entry.estimated) == (Decimal("0.000042"), False)
        assert len(run.s.upstream.requests) == len(WAYS)


async def test_a_second_cancel_does_not_break_off_the_first(tmp_path: Path) -> None:
    async with rehearsal(tmp_path, streams=True) as (run, buffer):
        run.s.upstream.script(stall("```python\ndef mean(xs):\n    total = sum(xs)\n    count"))
        identity, _ = await run.start(buffer)
        await until(lambda: buffer.text != SRC)
        stop = await run.stop_entry(buffer)

        def press_again(method: str, _params: Any) -> None:
            if method == "tuppence/edit":  # It takes the draft back.
                run.press("stop", identity, stop)
                run.press("request", identity, stop)

        run.s.editor.on_shown = press_again
        run.press("stop", identity, stop)
        await until(lambda: stopped(run.s))
        assert buffer.text == SRC
        assert [each.outcome for each in run.s.entries()] == ["cancelled"]


@pytest.mark.parametrize(
    ("end", "name"),
    [("stdin closed", "demo"), ("stdin closed", "Emacs"), ("shutdown", "Emacs"), ("terminated", "demo")],
)
async def test_the_end_of_the_conversation_ends_the_run(tmp_path: Path, end: str, name: str) -> None:
    async with rehearsal(tmp_path, name=name) as (run, buffer):
        run.s.upstream.script(stall(GOOD[:40]))
        _, reply = await run.start(buffer)
        reply.add_done_callback(lambda future: future.cancelled() or future.exception())
        seen = await run.s.upstream.seen(1)
        await until(lambda: said(run.s, "answering"))
        match end:
            case "stdin closed":
                assert run.s.editor.process.stdin is not None
                run.s.editor.process.stdin.close()
            case "shutdown":
                await run.s.editor.client.shutdown_async(None)
                run.s.editor.client.exit(None)
            case "terminated":
                run.s.editor.process.terminate()
        await until(seen.closed.is_set)  # The reply does not end by itself.
        await asyncio.wait_for(run.s.editor.process.wait(), 60)
        [entry] = run.s.entries()
        assert (entry.outcome, entry.estimated) == ("cancelled", True)
        assert buffer.text == SRC


async def test_the_progress_names_the_model_and_what_it_does(tmp_path: Path) -> None:
    async with rehearsal(tmp_path) as (run, buffer):
        run.s.upstream.script(answer(GOOD, thinking="hm"))
        _, reply = await run.start(buffer)
        await reply
        begin, *between, end = run.s.editor.seen.progress
        assert begin == {"kind": "begin", "title": "Fix `mean`", "cancellable": True}
        assert end == {"kind": "end"}
        assert len(between) == len(lines(run.s))
        expected = ["Asking small", "small is thinking", "small is answering", "Checking the answer"]
        assert [line for line in lines(run.s) if line in expected] == expected
        chosen = r"small, \$0\.000\d: small is good enough here; big would cost \d+x for about 2 % more; fix rated "
        assert any(re.match(chosen, line) for line in lines(run.s))
