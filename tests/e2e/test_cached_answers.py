"""Cached answers: shown as stale once the code was edited, deleted by a command, disabled by a setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from scenario import messages
from server import Stage, pick, stage

SRC = "import os\n\n\ndef mean(xs):\n    return sum(xs) / len(xs)\n\n\ndef other(ys):\n    return ys\n"
STALE = "**Explained before the last edit: this may no longer be true.**\n\n`mean` averages.\n\n---\n"
TWINS = "def one(xs):\n    return xs\n\n\ndef one(ys):\n    return ys\n"


async def explain(s: Stage, part: str, said: str = "`mean` averages.") -> None:
    (buffer,) = s.editor.buffers.values()
    s.upstream.says(said)
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index(part)), "Explain"))


def change(s: Stage, old: str, new: str) -> None:
    (buffer,) = s.editor.buffers.values()
    at = buffer.text.index(old)
    s.editor.type(buffer, at, at + len(old), new)


@pytest.mark.parametrize(("mode", "rest"), [("kept", "small, kept"), ("offer", "2 lines, ")])
async def test_edited_code_shows_its_explanation_as_stale(tmp_path: Path, mode: str, rest: str) -> None:
    async with stage(tmp_path, extra=f'hover = "{mode}"\n') as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        await explain(s, "mean")
        change(s, "len(xs)", "len(ys)")
        shown = await s.editor.hover(buffer, buffer.text.index("mean"))
        assert shown is not None
        assert shown.startswith(STALE + rest)
        # What was explained anew is true again, and so is the old code.
        await explain(s, "mean", "`mean` averages otherwise.")
        shown = await s.editor.hover(buffer, buffer.text.index("mean"))
        assert shown == "`mean` averages otherwise.\n\n---\nsmall, kept: asking again is free"
        change(s, "len(ys)", "len(xs)")
        shown = await s.editor.hover(buffer, buffer.text.index("mean"))
        assert shown == "`mean` averages.\n\n---\nsmall, kept: asking again is free"
        # A new definition of another name was never explained.
        change(s, "def mean", "def median")
        shown = await s.editor.hover(buffer, buffer.text.index("median"))
        assert "averages" not in (shown or "")
        assert len(s.upstream.requests) == 2

    async with stage(tmp_path, extra=f'hover = "{mode}"\n') as s:
        buffer = s.editor.open(s.write("a.py", SRC.replace("len(xs)", "len(zs)")), "python")
        shown = await s.editor.hover(buffer, SRC.index("mean"))
        assert shown is not None, "it outlives the server"
        assert "averages otherwise" in shown


async def test_of_two_definitions_of_one_name_neither_is_shown_what_was_said_of_the_other(tmp_path: Path) -> None:
    async with stage(tmp_path, extra='hover = "kept"\n') as s:
        buffer = s.editor.open(s.write("a.py", TWINS), "python")
        await explain(s, "one(xs)", "`one` returns **xs**.")
        change(s, "return xs", "return xs or None")
        assert await s.editor.hover(buffer, buffer.text.index("one(xs)")) is None
        assert await s.editor.hover(buffer, buffer.text.index("one(ys)")) is None


async def forget(s: Stage) -> None:
    await s.editor.client.workspace_execute_command_async(types.ExecuteCommandParams("tuppence.forget", []))


async def test_an_editor_can_have_them_forgotten(tmp_path: Path) -> None:
    async with stage(tmp_path, extra='hover = "kept"\n') as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        await explain(s, "mean")
        await forget(s)
        assert messages(s)[-1] == "Forgot 1 kept answer."
        assert await s.editor.hover(buffer, SRC.index("mean")) is None
        change(s, "len(xs)", "len(ys)")
        assert await s.editor.hover(buffer, SRC.index("mean")) is None
        await forget(s)
        assert messages(s)[-1] == "Forgot 0 kept answers."


async def test_none_is_kept_or_shown_where_the_setting_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path, extra='hover = "kept"\n') as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        await explain(s, "mean")
        assert await s.editor.hover(buffer, SRC.index("mean")) is not None
        s.config.write_text("keep_answers = false\n" + s.config.read_text("utf-8"), encoding="utf-8")
        await explain(s, "mean")
        assert len(s.upstream.requests) == 2, "it was asked for although it had been kept"
        assert await s.editor.hover(buffer, SRC.index("mean")) is None
        assert [entry.tier for entry in s.entries()] == ["budget", "budget"]
