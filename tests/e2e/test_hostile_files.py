"""A hostile file in the editor: its menu opens, the user sees the reason, and no other file is delayed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from scenario import messages
from server import pick, stage, titles

SRC = "def mean(xs):\n    return sum(xs) / len(x)\n"
FIXED = SRC.replace("len(x)", "len(xs)")


@pytest.mark.attack("hostile sizes", "a file that occupies the server")
@pytest.mark.parametrize(("name", "language", "text"), [("bad.js", "javascript", "def f():0\n" * 30_000)])
async def test_no_file_waits_for_a_hostile_one(tmp_path: Path, name: str, language: str, text: str) -> None:
    async with stage(tmp_path, extra='hover = "offer"\n') as s:
        good = s.editor.open(s.write("good.py", SRC), "python")
        assert await s.editor.menu(good, SRC.index("sum"))
        bad = s.editor.open(s.write(name, text), language)
        waiting = [asyncio.create_task(s.editor.menu(bad, at)) for at in range(0, 80, 10)]
        hovers = [asyncio.create_task(s.editor.hover(bad, at)) for at in range(5)]
        await asyncio.sleep(0)
        s.editor.type(good, 0, 0, "\n")
        menu = await s.editor.menu(good, good.text.index("sum"))
        hover = await s.editor.hover(good, good.text.index("mean"))
        assert not any(task.done() for task in (*waiting, *hovers)), "the other file's replies come first"
        assert any("Fix" in each for each in titles(menu))
        assert hover is not None
        s.upstream.says("```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```")
        await s.editor.run(pick(menu, "Fix"))
        assert good.text == "\n" + FIXED
        assert all([await task for task in waiting]), "the hostile file has its menu too"
        await asyncio.gather(*hovers)


@pytest.mark.attack("hostile sizes", "a file that is too deep or too wide")
async def test_a_deep_file_keeps_its_actions_and_the_person_is_told_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        text = "x = " + "-" * 3_000 + "1\n\n\n" + SRC
        buffer = s.editor.open(s.write("deep file.py", text), "python")
        for _ in range(2):
            found = titles(await s.editor.menu(buffer, buffer.text.index("sum")))
            assert any("`mean`" in each for each in found), found
        told = [each for each in messages(s) if "indentation" in each]
        assert told == ["deep file.py is nested more than 1,000 deep; it is read by indentation."]
        s.upstream.says("```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```")
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("sum")), "Fix"))
        assert buffer.text == text.replace(SRC, FIXED)
