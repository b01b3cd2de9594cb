"""Reverting a kept answer restores the exact old text, whatever was edited elsewhere in the meantime."""

from __future__ import annotations

from pathlib import Path

import pytest
from server import pick, stage, titles

SOURCE = "import os\n\n\ndef one():\n    return 1\n\n\ndef two():\n    return 2  # 😀\n"
REPLY = "```python\ndef two():\n    return math.floor(2.5)\n```\n```imports\nimport math\n```\n"


@pytest.mark.parametrize("streams", [False, True])
async def test_it_restores_target_and_imports_around_later_edits(tmp_path: Path, *, streams: bool) -> None:
    async with stage(tmp_path, streams=streams) as s:
        buffer = s.editor.open(s.write("a.py", SOURCE), "python")
        s.upstream.says(REPLY)
        await s.editor.run(pick(await s.editor.menu(buffer, SOURCE.index("return 2")), "Fix"))
        assert "import math" in buffer.text
        assert "floor" in buffer.text
        s.editor.type(buffer, 0, 0, "# kept by the user\n")
        menu = await s.editor.menu(buffer, buffer.text.index("floor"))
        await s.editor.run(pick(menu, "Put back: Fix `two`"))
        assert buffer.text == "# kept by the user\n" + SOURCE
        assert s.editor.seen.messages[-1].message == "Put back: Fix `two`."
        again = await s.editor.menu(buffer, buffer.text.index("return 2"))
        assert not [title for title in titles(again) if title.startswith(("Put back", "Again"))]
        (entry,) = s.entries()
    assert entry.outcome == "undone"


async def test_a_question_in_between_does_not_take_it_away(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", SOURCE), "python")
        s.upstream.says(REPLY)
        await s.editor.run(pick(await s.editor.menu(buffer, SOURCE.index("return 2")), "Fix"))
        s.upstream.says("`one` returns 1.")
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("return 1")), "Explain"))
        assert "Put back" not in " ".join(titles(await s.editor.menu(buffer, buffer.text.index("return 1"))))
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("floor")), "Put back"))
        assert buffer.text == SOURCE


async def test_what_the_user_changed_since_stays(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", SOURCE), "python")
        s.upstream.says(REPLY)
        await s.editor.run(pick(await s.editor.menu(buffer, SOURCE.index("return 2")), "Fix"))
        action = pick(await s.editor.menu(buffer, buffer.text.index("floor")), "Put back")
        at = buffer.text.index("floor")
        s.editor.type(buffer, at, at + 5, "ceil")
        text = buffer.text
        await s.editor.run(action)
        assert buffer.text == text
        assert "Use your editor's undo." in s.editor.seen.messages[-1].message


async def test_a_client_that_follows_runs_is_told_of_each(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("a.py", SOURCE), "python")
        s.upstream.says(REPLY)
        await s.editor.run(pick(await s.editor.menu(buffer, SOURCE.index("return 2")), "Fix"))
        await s.editor.menu(buffer, 0)
        states = [each.state for each in s.editor.seen.runs]
        assert states[0] == "started"
        assert set(states[1:-1]) == {"working"}
        end = s.editor.seen.runs[-1]
        assert (end.state, end.outcome, end.title) == ("ended", "kept", "Fix `two`")
        assert end.line.startswith("Fixed `two`: small, ")
        assert (end.range.start.line, end.range.end.line) == (8, 9)
