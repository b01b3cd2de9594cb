"""The person types, closes, saves and undoes while a run is under way; editors answer an edit in their own ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import FIXED, GOOD, SRC, gated, lines, messages, said, stopped, until
from scripted_provider import Seen, answer, stall
from server import Stage, pick, stage, titles

from editor import Buffer, Editor

EMOJI = SRC.replace("\n", "\r\n").replace("def other", "# 🐍 naïve\r\ndef other")


@asynccontextmanager
async def under_way(s: Stage, buffer: Buffer, offset: int = 5, reply: str = GOOD) -> AsyncIterator[Any]:
    """Start a fix and give the future of its reply while the answer halts in its middle; then let it end."""
    gate = asyncio.Event()
    count = len(s.upstream.requests) + 1
    s.upstream.script(gated(reply, gate))
    future = s.editor.start(pick(await s.editor.menu(buffer, offset), "Fix"), f"run-{count}")
    await s.upstream.seen(count)
    await until(lambda: said(s, "Asking"))
    yield future
    gate.set()
    await asyncio.wait_for(future, 60)


def on_apply(editor: Editor, answer: Callable[[types.ApplyWorkspaceEditParams], Any]) -> None:
    """Have the editor answer an edit in another way."""

    def handle(params: types.ApplyWorkspaceEditParams) -> Any:
        editor.seen.edits.append(params)
        return answer(params)

    editor.client.protocol.fm._features[types.WORKSPACE_APPLY_EDIT] = handle


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_typing_elsewhere_moves_the_target(tmp_path: Path, encoding: str) -> None:
    async with stage(tmp_path, encoding=encoding) as s:
        for name, text in (("plain.py", SRC), ("emoji.py", EMOJI)):
            buffer = s.editor.open(s.write(name, text), "python")
            async with under_way(s, buffer):
                s.editor.type(buffer, 0, 0, "import os  # 🐍é\r\n")
                at = buffer.text.index("def other")
                s.editor.type(buffer, at, at + len("def other"), "def autre")
                for _ in range(20):
                    s.editor.type(buffer, 0, 0, "x")
                s.editor.type(buffer, 0, 20, "")
                s.editor.type(buffer, len(buffer.text), len(buffer.text), "# the end 🐍")
                typed = buffer.text
            assert buffer.text == typed.replace("len(x)", "len(xs)")
            assert buffer.text != typed
            assert messages(s)[-1].startswith("Fixed `mean`: small")
        assert [each.outcome for each in s.entries()] == ["kept", "kept"]


async def test_typing_in_the_target_stops_the_run(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.script(stall(GOOD[:40]))
        future = s.editor.start(pick(await s.editor.menu(buffer, 5), "Fix"), "run-1")
        seen = await s.upstream.seen(1)
        await until(lambda: said(s, "answering"))
        at = SRC.index("sum")
        s.editor.type(buffer, at, at, "my_")
        assert await asyncio.wait_for(future, 60) is None
        # The reply may come before the provider sees the end of the connection, which never ends by itself.
        await asyncio.wait_for(seen.closed.wait(), 60)
        assert buffer.text == SRC.replace("sum", "my_sum")
        [message] = stopped(s)
        assert message.startswith("Stopped: Fix `mean` (about ")
        assert message.endswith("Its text changed meanwhile and stays as you left it.")
        assert [(each.outcome, each.estimated) for each in s.entries()] == [("cancelled", True)]
        assert not s.editor.seen.edits


async def test_saving_and_undoing_elsewhere_do_no_harm_and_closing_stops(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        async with under_way(s, buffer):
            s.editor.client.text_document_did_save(
                types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(buffer.uri))
            )
            s.editor.type(buffer, 0, 0, "# above\n")
            s.editor.type(buffer, 0, len("# above\n"), "")  # As an undo does.
        assert buffer.text == FIXED
        count = len(s.upstream.requests)
        for title in ("Fix", "Review"):
            s.upstream.script(stall("```python\n"))
            future = s.editor.start(pick(await s.editor.menu(buffer, 5), title), f"closed-{title}")
            count += 1
            seen = await s.upstream.seen(count)
            await until(lambda: said(s, "answering"))
            s.editor.close(buffer)
            await asyncio.wait_for(future, 60)
            await asyncio.wait_for(seen.closed.wait(), 60)
            assert stopped(s)[-1].endswith("Its document was closed.")
            buffer = s.editor.open(s.write("stats.py", FIXED), "python")
        assert [each.outcome for each in s.entries()] == ["kept", "cancelled", "cancelled"]


async def test_an_edit_that_the_person_overtook_is_made_anew(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        presses = iter(["a", "b", "c"])

        def press() -> None:
            if key := next(presses, None):
                s.editor.type(buffer, 0, 0, f"# {key}\n")

        s.editor.before_apply = press
        s.upstream.says(GOOD)
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == f"# c\n# b\n# a\n{FIXED}"
        assert len(s.editor.seen.edits) == 4
        versions = [each.edit.document_changes[0].text_document.version for each in s.editor.seen.edits]  # type: ignore[index, union-attr]  # one change each
        assert versions == [1, 2, 3, 4]


async def test_what_neovim_says_of_an_edit_is_not_believed(tmp_path: Path) -> None:
    async with stage(tmp_path, name="Neovim") as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")

        def refuse_once(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            if len(s.editor.seen.edits) == 1:
                s.editor.type(buffer, 0, 0, "# above\n")
            s.editor.apply(params.edit)
            return types.ApplyWorkspaceEditResult(applied=True)

        on_apply(s.editor, refuse_once)
        s.upstream.says(GOOD)
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == f"# above\n{FIXED}"
        assert len(s.editor.seen.edits) == 2


async def test_eglot_tells_of_an_edit_after_its_reply(tmp_path: Path) -> None:
    async with stage(tmp_path, name="Emacs") as s:
        for typed in ("nothing", "after", "before"):
            buffer = s.editor.open(s.write(f"{typed}.py", SRC), "python")
            on_apply(s.editor, eglot(s.editor, buffer, typed))
            s.upstream.says(GOOD)
            count = len(messages(s))
            assert await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix")) is None
            await until(lambda: messages(s)[count:])  # noqa: B023 - awaited at once
            assert messages(s)[-1].startswith("Fixed `mean`: small")
            mine = "" if typed == "nothing" else "# mine\n"
            assert buffer.text == FIXED.replace("def other", f"{mine}def other")
        assert len(s.editor.seen.edits) == len(s.entries()) == 3
        assert {each.outcome for each in s.entries()} == {"kept"}


def eglot(editor: Editor, buffer: Buffer, typed: str) -> Callable[[types.ApplyWorkspaceEditParams], Any]:
    """Return what replies at once, and tells of the edit later, together with what was typed before or after it."""

    def apply_quietly(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        [change] = params.edit.document_changes or ()
        assert isinstance(change, types.TextDocumentEdit)
        steps = [(each.range, each.new_text) for each in reversed(change.edits)]  # type: ignore[union-attr]  # no snippets
        end = types.Position(4, 0)
        mine = (types.Range(end, end), "# mine\n")
        together = {"nothing": steps, "after": [*steps, mine], "before": [mine, *steps]}[typed]
        asyncio.get_running_loop().call_later(0.3, tell, editor, buffer, together)
        return types.ApplyWorkspaceEditResult(applied=True)

    return apply_quietly


def tell(editor: Editor, buffer: Buffer, steps: list[tuple[types.Range, str]]) -> None:
    """Tell the server of several steps in one message, as eglot does when its user pauses."""
    events: list[types.TextDocumentContentChangeEvent] = []
    for where, new in steps:
        start, end, _ = editor._span(buffer.text, where, new)
        buffer.text = buffer.text[:start] + new + buffer.text[end:]
        events.append(types.TextDocumentContentChangePartial(range=where, text=new))
    buffer.version += len(steps)
    identifier = types.VersionedTextDocumentIdentifier(uri=buffer.uri, version=buffer.version)
    editor.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, events))


async def test_eglot_refuses_with_an_error_before_it_tells_why(tmp_path: Path) -> None:
    async with stage(tmp_path, name="Emacs") as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")

        def refuse_once(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            if len(s.editor.seen.edits) == 1:
                asyncio.get_running_loop().call_later(0.6, s.editor.type, buffer, 0, 0, "# above\n")
                raise RuntimeError("Edits on 'stats.py' require version 1, you have 2")
            return types.ApplyWorkspaceEditResult(applied=s.editor.apply(params.edit))

        on_apply(s.editor, refuse_once)
        s.upstream.says(GOOD)
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        await until(lambda: [each for each in messages(s) if each.startswith("Fixed")])
        assert buffer.text == f"# above\n{FIXED}"


async def test_a_read_only_document_is_one_sentence(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        on_apply(s.editor, lambda _params: types.ApplyWorkspaceEditResult(applied=False, failure_reason="read-only"))
        s.upstream.says(GOOD)
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        [message] = messages(s)
        assert message.startswith("Could not fix `mean`. The editor did not take the edit. Is the document read-only?")
        assert "It cost" in message
        assert buffer.text == SRC
        assert [each.outcome for each in s.entries()] == ["stale"]
        assert s.editor.seen.costs[-1].last.outcome == "stale"
        assert 'The editor refused an edit: "read-only"' in s.editor.seen.logs


@pytest.mark.parametrize(("name", "waits"), [("demo", True), ("Emacs", False), ("helix", False), ("", False)])
async def test_the_reply_is_pending_only_where_the_editor_can_wait(tmp_path: Path, name: str, waits: bool) -> None:  # noqa: FBT001 - a parameter of the test
    async with stage(tmp_path, name=name) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        async with under_way(s, buffer) as reply:
            await asyncio.sleep(0.2)
            assert reply.done() is not waits
        assert reply.result() is None
        await until(lambda: [each for each in messages(s) if each.startswith("Fixed")])
        assert buffer.text == FIXED


async def test_two_runs_in_one_file_shift_each_other(tmp_path: Path) -> None:
    source = f"{SRC}\n\ndef third(a):\n    return b\n"
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", source), "python")
        third = "```python\ndef third(a):\n    # It gives back what it got.\n    return a\n```"
        first = GOOD.replace("    return", "    # It divides.\n    return")
        gate = asyncio.Event()

        def by_target(seen: Seen) -> Any:
            return gated(third if "function `third`" in seen.body["messages"][-1]["content"] else first, gate)

        s.upstream.script(by_target, by_target)
        menus = [await s.editor.menu(buffer, at) for at in (5, source.index("third"))]
        futures = [s.editor.start(pick(menu, "Fix"), f"run-{number}") for number, menu in enumerate(menus)]
        await s.upstream.seen(2)
        await until(lambda: len([line for line in lines(s) if line == "Asking small"]) == 2)
        assert sorted(titles(await s.editor.menu(buffer, 5))[:2]) == ["Stop: Fix `mean`", "Stop: Fix `third`"]
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix `mean`"))
        assert messages(s) == [
            "Fix `mean` is still at work on this code. Wait for its end, or stop it first.",
        ]
        gate.set()
        await asyncio.wait_for(asyncio.gather(*futures), 60)
        assert buffer.text == source.replace(
            "    return sum(xs) / len(x)", "    # It divides.\n    return sum(xs) / len(xs)"
        ).replace("    return b", "    # It gives back what it got.\n    return a")
        assert [each.outcome for each in s.entries()] == ["kept", "kept"]
        assert len(s.upstream.requests) == 2


async def test_the_message_stays_quiet_where_a_status_item_shows_it(tmp_path: Path) -> None:
    async with stage(tmp_path, before=with_status) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.script(answer(GOOD))
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert not messages(s)
        assert s.editor.seen.logs[-1].startswith("Fixed `mean`: small")
        assert s.editor.seen.costs[-1].last.model == "small"


def with_status(editor: Editor) -> None:
    """Give an editor a status item."""
    editor.capabilities.experimental = {"tuppence": {"status": True}}
