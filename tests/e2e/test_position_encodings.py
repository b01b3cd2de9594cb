"""Clients that count columns in UTF-16, UTF-8 or UTF-32 get exact edits in files with emoji and CRLF line endings.

The test's editor reckons positions on encoded bytes, in a way of its own (demo/editor.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from server import Stage, pick, stage

from editor import Buffer

# Two, three and four bytes in UTF-8; one and two units in UTF-16; a combining accent and a joined family besides.
ODD = "é€🦀e\u0301👨‍👩‍👧"
SOURCE = (
    f'"""{ODD}"""\r\n'
    f"GREETING = '{ODD}'; import os\r\n"
    "\r\n"
    "\r\n"
    "def greet(name):\r\n"
    f"    prefix = '{ODD}'; name = nme  # {ODD}\r\n"
    f"    return f'{ODD} {{prefix}} {{name}}'  # {ODD}\r\n"
    "\r\n"
    "\r\n"
    f"LAST = '{ODD}'"
)
FIXED = SOURCE.replace("= nme  #", "= sqrt(name)  #").replace("import os\r\n", "import os\r\nfrom math import sqrt\r\n")
REPLY = (
    "```python\n"
    "def greet(name):\n"
    f"    prefix = '{ODD}'; name = sqrt(name)  # {ODD}\n"
    f"    return f'{ODD} {{prefix}} {{name}}'  # {ODD}\n"
    "```\n"
    "```imports\n"
    "from math import sqrt\n"
    "```\n"
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(encoding, way) for encoding in ("utf-16", "utf-8", "utf-32") for way in ("final", "live")],
    ids=" ".join,
)
async def s(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    encoding, way = request.param
    async with stage(tmp_path_factory.mktemp("encodings"), encoding=encoding, streams=way == "live") as running:
        assert running.editor.initialized is not None
        assert running.editor.initialized.capabilities.position_encoding == encoding
        yield running


def opened(s: Stage, name: str, text: str = SOURCE) -> Buffer:
    s.editor.seen.edits.clear()
    s.editor.seen.drafts.clear()
    return s.editor.open(s.write(name, text), "python")


def diagnostic(s: Stage, buffer: Buffer, about: str) -> types.Diagnostic:
    at = buffer.text.index(about)
    return types.Diagnostic(s.editor.range(buffer.text, at, at + len(about)), f"what is {about}", source="someone")


async def fix(s: Stage, buffer: Buffer, about: str, reply: str) -> None:
    """Fix what a diagnostic in the middle of an odd line says."""
    at = buffer.text.index(about)
    menu = await s.editor.menu(buffer, at, at + len(about), diagnostics=[diagnostic(s, buffer, about)])
    s.upstream.says(reply, size=3)
    await s.editor.run(pick(menu, f"Fix: what is {about}"))


async def test_a_fix_and_its_import(s: Stage) -> None:
    buffer = opened(s, "fix.py")
    await fix(s, buffer, "nme", REPLY)
    assert buffer.text == FIXED
    assert bool(s.editor.seen.drafts) == s.editor.streams
    assert len(s.editor.seen.edits) == (0 if s.editor.streams else 1)
    assert buffer.undo == [SOURCE], "one undo takes all of it back"
    assert "line 6, error (someone): what is nme" in s.upstream.requests[-1].body["messages"][1]["content"]


async def test_text_typed_meanwhile_on_other_odd_lines(s: Stage) -> None:
    buffer = opened(s, "typing.py")
    typed: list[bool] = []

    def type_at_once(_value: Any) -> None:
        if not typed:
            typed.append(True)
            s.editor.type(buffer, 5, 6, f"{ODD}\r\n")
            last = len(buffer.text) - 2
            s.editor.type(buffer, last, last + 1, "🎉")

    s.editor.on_progress = type_at_once
    await fix(s, buffer, "nme", REPLY)
    s.editor.on_progress = lambda _value: None
    assert typed
    fixed = FIXED[:5] + f"{ODD}\r\n" + FIXED[6:]
    assert buffer.text == fixed[:-2] + "🎉" + fixed[-1]


async def test_the_last_line_without_a_line_ending(s: Stage) -> None:
    buffer = opened(s, "last.py", f"x = '{ODD}'\r\ny = '{ODD}'; z = w")
    await fix(s, buffer, "w", f"```python\nx = '{ODD}'\ny = '{ODD}🦀'; z = 1\n```")
    assert buffer.text == f"x = '{ODD}'\r\ny = '{ODD}🦀'; z = 1"


async def test_a_finding_and_its_quick_fix(s: Stage) -> None:
    buffer = opened(s, "review.py")
    line = f"prefix = '{ODD}'; name = nme  # {ODD}"
    menu = await s.editor.menu(buffer, buffer.text.index("nme"))
    s.upstream.says(f"severity: error\nline: `{line}`\nproblem: {ODD} no.\n```\n    name = 'ñ'  # {ODD}\n```\n---\n")
    await s.editor.run(pick(menu, "Review `greet`"))
    [found] = s.editor.seen.diagnostics[buffer.uri]
    start, end, _ = s.editor._span(buffer.text, found.range, "")
    assert buffer.text[start:end] == line
    await s.editor.run(pick(await s.editor.menu(buffer, start), "Apply: "))
    assert buffer.text == SOURCE.replace(line, f"name = 'ñ'  # {ODD}")


async def test_tests_are_added_to_an_odd_file(s: Stage) -> None:
    buffer = opened(s, "tested.py")
    before = f"from tested import LAST\r\n\r\n\r\ndef test_last():\r\n    assert LAST == '{ODD}'"
    test = s.editor.open(s.write("tests/test_tested.py", before), "python")
    menu = await s.editor.menu(buffer, buffer.text.index("nme"))
    code = f"def test_greet():\n    assert greet('{ODD}')"
    s.upstream.says(f"```python\n{code}\n```\n```imports\nfrom tested import greet\n```")
    await s.editor.run(pick(menu, "Generate tests for `greet`"))
    added = f"\n\n\n{code}\n".replace("\n", "\r\n")
    assert test.text == before.replace("import LAST", "import LAST, greet") + added


async def test_a_selection_of_a_part_of_a_line_is_that_line(s: Stage) -> None:
    buffer = opened(s, "selection.py")
    start = buffer.text.index("'; name") - len(ODD)
    menu = await s.editor.menu(buffer, start, start + 3)
    s.upstream.says(f"```python\n    prefix = '🎉'; name = name  # {ODD}\n```")
    await s.editor.run(pick(menu, "Fix the selection"))
    assert buffer.text == SOURCE.replace(f"prefix = '{ODD}'; name = nme", "prefix = '🎉'; name = name")
    content = s.upstream.requests[-1].body["messages"][1]["content"]
    assert f"Target: line 6:\n```\n    prefix = '{ODD}'; name = nme  # {ODD}\n```" in content
