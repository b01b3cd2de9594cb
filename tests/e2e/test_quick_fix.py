"""Tier 0: if the diagnostic's own linter has a safe fix, no model is called and nothing is paid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from scenario import messages
from server import Stage, pick, stage
from work import parses

from editor import Buffer
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.linters import lint, ready_fix, safe_fix
from tuppence.lsp.features import attached_fixes

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = "import os\n" + "".join(f"\n\ndef f{number}(x):\n    return x + {number}\n" for number in range(500))
"""2,000 lines with one unused import."""


def document(text: str, language: str = "python") -> Document:
    return Document("file:///a.py", language, 1, text)


def said(text: str, part: str, code: str, source: str = "Ruff") -> Diagnostic:
    start = text.index(part)
    return Diagnostic(Span(start, start + len(part)), "what it said", "error", source, code)


async def check(text: str, diagnostic: Diagnostic, expected: str, path: Path | None = None) -> None:
    edits = await safe_fix(document(text), diagnostic, path)
    assert apply(text, edits) == expected


UNUSED = "import os\nimport re\n\nprint(re)\n"


@pytest.mark.parametrize(
    ("text", "part", "code", "expected"),
    [
        (UNUSED, "os", "F401", "import re\n\nprint(re)\n"),
        ("import os, re\nimport sys\n\nprint(re)\n", "sys", "F401", "import os, re\n\nprint(re)\n"),
        ("import os, re\nimport sys\n\nprint(re)\n", "os", "F401", "import re\nimport sys\n\nprint(re)\n"),
        ("import re\r\nimport os\r\n\r\nprint(re)\r\n", "os", "F401", "import re\r\n\r\nprint(re)\r\n"),
        ("x = '😀'; import os\nprint(x)\n", "os", "F401", "x = '😀'; \nprint(x)\n"),
        ("# 😀😀\r\nx = ['😀', f'é']\r\n", "f'é'", "F541", "# 😀😀\r\nx = ['😀', 'é']\r\n"),
        ("\ufeffimport os\nprint(1)\n", "os", "F401", "\ufeffprint(1)\n"),
        ("# a\x0cb\u2028c\nprint(f'x')\n", "f'x'", "F541", "# a\x0cb\u2028c\nprint('x')\n"),
        ("print(f'x')", "f'x'", "F541", "print('x')"),
    ],
)
async def test_exactly_the_chosen_one_is_fixed(text: str, part: str, code: str, expected: str) -> None:
    await check(text, said(text, part, code), expected)


@pytest.mark.parametrize(
    ("text", "diagnostic"),
    [
        # A fix that ruff itself calls unsafe.
        ("def f(x):\n    y = 1\n    return x\n", said("def f(x):\n    y = 1", "y", "F841")),
        # No fix at all, and a place where ruff says nothing.
        ("print(foo)\n", said("print(foo)\n", "foo", "F821")),
        (UNUSED, said(UNUSED, "print", "F401")),
        # Another tool's diagnostic, whatever its code.
        (UNUSED, said(UNUSED, "os", "F401", "Pyflakes")),
        (UNUSED, said(UNUSED, "os", "F401", "tuppence")),
        # What ruff cannot know or read.
        (UNUSED, said(UNUSED, "os", "NOSUCH1")),
        (UNUSED, said(UNUSED, "os", "--fix")),
        (UNUSED, said(UNUSED, "os", "")),
        ("import os\nx = '\ud800'\n", said("import os\n", "os", "F401")),
        ("import os\ndef (\n", said("import os\n", "os", "E999")),
    ],
)
async def test_nothing_else_is(text: str, diagnostic: Diagnostic) -> None:
    assert await safe_fix(document(text), diagnostic, None) == ()


async def test_other_languages_have_no_tier_0() -> None:
    assert await safe_fix(document(UNUSED, "go"), said(UNUSED, "os", "F401"), None) == ()
    assert await lint(document(UNUSED, "go"), None) == ()


async def test_the_project_s_own_settings_hold(tmp_path: Path) -> None:
    text = "def f(x):\n    y = x()\n    return x\n"
    await check(text, said(text, "y", "F841"), text, tmp_path / "a.py")
    (tmp_path / "pyproject.toml").write_text('[tool.ruff.lint]\nextend-safe-fixes = ["F841"]\n')
    await check(text, said(text, "y", "F841"), "def f(x):\n    x()\n    return x\n", tmp_path / "a.py")
    (tmp_path / "pyproject.toml").write_text('[tool.ruff.lint]\nunfixable = ["F401"]\n')
    assert await safe_fix(document(UNUSED), said(UNUSED, "os", "F401"), tmp_path / "a.py") == ()
    (tmp_path / "pyproject.toml").write_text("[tool.ruff.lint]\nunsafe-fixes = true\n")
    assert await safe_fix(document(text), said(text, "y", "F841"), tmp_path / "a.py") == ()
    # A project whose settings make no sense has a linter with nothing to say.
    (tmp_path / "pyproject.toml").write_text("[tool.ruff\n")
    assert await safe_fix(document(UNUSED), said(UNUSED, "os", "F401"), tmp_path / "a.py") == ()


async def test_the_linter_tells_of_undefined_names_where_the_editor_does_not() -> None:
    found = await lint(document("# 😀\nprint(foo)\n"), None)
    assert [(each.span, each.code, each.source, each.severity) for each in found] == [
        (Span(10, 13), "F821", "ruff", "error")
    ]
    assert Edit(found[0].span, "").span == Span(10, 13)


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="s")
async def _shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for all tests that need nothing special of theirs."""
    async with stage(tmp_path_factory.mktemp("tier0")) as s:
        yield s


def given(s: Stage, buffer: Buffer, part: str, **more: Any) -> types.Diagnostic:
    start = buffer.text.index(part)
    what = types.Diagnostic(s.editor.range(buffer.text, start, start + len(part)), f"`{part}` is unused")
    for name, value in more.items():
        setattr(what, name, value)
    return what


async def fixed(s: Stage, buffer: Buffer, what: types.Diagnostic) -> None:
    menu = await s.editor.menu(buffer, 0, diagnostics=[what])
    await s.editor.run(pick(menu, "Fix: `"))


async def test_a_person_gets_the_fix_at_once_and_for_nothing(s: Stage) -> None:
    text = "x = '😀'; import os\r\nimport re\r\n\r\nprint(x, re)\r\n"
    buffer = s.editor.open(s.write("a.py", text), "python")
    await fixed(s, buffer, given(s, buffer, "os", code="F401", source="Ruff"))
    assert buffer.text == text.replace("import os", "")
    assert messages(s)[-1] == "Fixed the selection: ruff, $0 (the linter's own safe fix)."
    entry = s.entries()[-1]
    assert (entry.model, entry.outcome, entry.usage) == ("ruff", "kept", None)
    assert entry.cost == 0
    assert s.editor.seen.costs[-1].last.model == "ruff"
    assert buffer.undo == [text]
    assert s.upstream.requests == []


async def test_it_takes_milliseconds(s: Stage) -> None:
    text = LONG
    for number in range(7):
        buffer = s.editor.open(f"untitled:{number}", "python", text)
        menu = await s.editor.menu(buffer, 0, diagnostics=[given(s, buffer, "os", code="F401", source="Ruff")])
        await s.editor.run(menu[0])
        assert buffer.text == text.removeprefix("import os\n")
    assert s.upstream.requests == []


async def test_it_is_one_run_of_the_linter(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, commands = asyncio.create_subprocess_exec, list[str]()

    async def counted(*command: Any, **options: Any) -> asyncio.subprocess.Process:
        commands.append("check" if "check" in command else str(command))
        return await begin(*command, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)
    parsed = parses(monkeypatch)
    fix = await ready_fix(document(LONG), said(LONG, "os", "F401"), None)
    assert fix is not None
    assert apply(LONG, fix.edits) == LONG.removeprefix("import os\n")
    assert (commands, parsed) == (["check"], [])


async def test_a_linter_without_a_safe_fix_leaves_it_to_a_model(s: Stage) -> None:
    buffer = s.editor.open(s.write("b.py", "def f(x):\n    yy = 1\n    return x\n"), "python")
    s.upstream.says("```python\ndef f(x):\n    return x\n```")
    await fixed(s, buffer, given(s, buffer, "yy", code="F841", source="Ruff"))
    assert buffer.text == "def f(x):\n    return x\n"
    assert len(s.upstream.requests) == 1
    assert s.entries()[-1].model == "small"


LAYOUT = "def f( a):\n    x = [1,2 ]\n    y = 'q'+ str(x)\n    return  a, y\n"


@pytest.mark.parametrize(
    ("part", "code", "expected"),
    [
        # Ruff's own fix of that one complaint, on trial there.
        (",2", "E231", LAYOUT.replace("1,2", "1, 2")),
        (" a", "E201", LAYOUT.replace("f( a)", "f(a)")),
        ("  a, y", "E271", LAYOUT.replace("return  a", "return a")),
        # What ruff has no rule for is laid out as it formats the lines; quotes are no matter of layout.
        ("+ str", "E129", LAYOUT.replace("'q'+ str", "'q' + str")),
    ],
)
@pytest.mark.parametrize("source", ["flake8", "pycodestyle", "Ruff"])
async def test_a_complaint_of_white_space_is_met_by_white_space(
    part: str, code: str, expected: str, source: str
) -> None:
    found = await ready_fix(document(LAYOUT), said(LAYOUT, part, code, source), None)
    assert found is not None
    assert apply(LAYOUT, found.edits) == expected


@pytest.mark.parametrize(
    ("text", "part", "code", "source"),
    [
        # Not of layout, not of a linter that is known, in another language, more than white space, or all is well.
        (LAYOUT, "x)", "F821", "flake8"),
        (LAYOUT, ",2", "E231", "Pylance"),
        (
            "x = f(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, ccccccccc)\n",
            "x",
            "E501",
            "ruff",
        ),
        ("x = 1\n", "x", "E225", "flake8"),
        ("x = (\n", "x", "E225", "flake8"),
    ],
)
async def test_no_other_complaint_is(text: str, part: str, code: str, source: str) -> None:
    assert await ready_fix(document(text), said(text, part, code, source), None) is None


def sent(text: str, part: str, new: str, **more: Any) -> Diagnostic:
    """Return a diagnostic on a part with a fix that came along; ``at`` names another place for that."""
    diagnostic = said(text, part, "R1", more.get("source", "a linter"))
    start = text.index(more.get("at", part))
    return replace(diagnostic, fix=(Edit(Span(start, start + len(more.get("at", part))), new),))


async def test_a_fix_that_came_with_the_diagnostic_is_taken() -> None:
    text = "package a\n\nfunc f() int {\n\treturn g()\n}\n"
    found = await ready_fix(document(text, "go"), sent(text, "g()", "1"), None)
    assert found is not None
    assert (apply(text, found.edits), found.tool) == (text.replace("g()", "1"), "a linter")


@pytest.mark.parametrize(
    ("language", "text", "diagnostic"),
    [
        ("go", "func f() {}\n", sent("func f() {}\n", "f()", "f(")),  # It would not parse.
        ("python", "x = y\n", sent("x = y\n", "y", "z")),  # It brings an error.
        ("python", "x = y\n", sent("x = y\n", "y", "y  # noqa")),  # It silences.
        ("python", "import os\n", sent("import os\n", "import os", "", source="Ruff")),  # Perhaps not safe.
        ("go", "func f() {}\n", sent("func f() {}\n", "f()", "f()")),  # It changes nothing.
        (
            "go",
            "func f() {}\n" + "\n" * 60 + "var x = 1\n",
            sent("func f() {}\n" + "\n" * 60 + "var x = 1\n", "f()", "2", at="1"),
        ),
    ],
)
async def test_unless_something_speaks_against_it(language: str, text: str, diagnostic: Diagnostic) -> None:
    assert await ready_fix(document(text, language), diagnostic, None) is None


RANGE = {"start": {"line": 1, "character": 7}, "end": {"line": 1, "character": 8}}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"title": "t", "edits": [{"range": RANGE, "newText": "d"}]}, [(7, 8, "d")]),
        ({"fixed": "d"}, [(0, 3, "d")]),
        ({"fixers": [{"title": None, "fixed": "d"}]}, [(0, 3, "d")]),
        ({"fixers": [{"fixed": "d"}, {"fixed": "e"}]}, []),
        ({"edits": [{"range": {"start": {"line": 0, "character": 0}}}]}, []),
        (
            {
                "edits": [
                    {"range": {"start": {"line": 9, "character": 0}, "end": {"line": 9, "character": 1}}, "newText": ""}
                ]
            },
            [],
        ),
        (
            {
                "edits": [
                    {"range": {"start": {"line": 2, "character": 0}, "end": {"line": 2, "character": 1}}, "newText": ""}
                ]
            },
            [],
        ),
        ({"edits": "all"}, []),
        ({"fixed": 1}, []),
        (["fixed"], []),
        (None, []),
    ],
)
async def test_what_tools_send_along(data: Any, expected: list[tuple[int, int, str]]) -> None:
    where = types.Range(types.Position(1, 0), types.Position(1, 3))
    diagnostic = types.Diagnostic(where, "m", data=data)
    text = "one\nabc abcd\né\n"
    found = attached_fixes.edits(document(text), diagnostic, types.PositionEncodingKind.Utf16)
    assert [(each.span.start - 4, each.span.end - 4, each.text) for each in found] == expected


async def test_a_person_gets_the_fix_that_came_along(s: Stage) -> None:
    text = "package a\n\nfunc f() int {\n\treturn g()\n}\n"
    buffer = s.editor.open(s.write("a.go", text), "go")
    asked = len(s.upstream.requests)
    given_ = given(s, buffer, "g()", source="ast-grep", code="no-g", data={"fixers": [{"title": "one", "fixed": "1"}]})
    menu = await s.editor.menu(buffer, text.index("g()"), diagnostics=[given_])
    await s.editor.run(pick(menu, "Fix: `"))
    assert buffer.text == text.replace("g()", "1")
    assert messages(s)[-1] == "Fixed `f`: ast-grep, $0 (the fix that came with the diagnostic)."
    assert len(s.upstream.requests) == asked
    entry = s.entries()[-1]
    assert (entry.model, entry.tier) == ("ast-grep", "none")
    assert entry.cost == 0


async def test_a_person_gets_the_layout_for_nothing(s: Stage) -> None:
    buffer = s.editor.open(s.write("layout.py", LAYOUT), "python")
    asked = len(s.upstream.requests)
    given_ = given(s, buffer, "+ str", source="pycodestyle", code="E129")
    menu = await s.editor.menu(buffer, LAYOUT.index("+ str"), diagnostics=[given_])
    await s.editor.run(pick(menu, "Fix: `"))
    assert buffer.text == LAYOUT.replace("'q'+ str", "'q' + str")
    assert messages(s)[-1] == "Fixed `f`: ruff, $0 (layout alone)."
    assert len(s.upstream.requests) == asked
    assert s.entries()[-1].tier == "none"


async def test_what_the_person_did_not_choose_is_left_to_the_model(s: Stage) -> None:
    """The menu's entry for the whole function, with the very diagnostics beside it that tier 0 would be enough for."""
    text = "def f():\n    return f'x', g(1,2 )\n"
    buffer = s.editor.open(s.write("whole.py", text), "python")
    asked = len(s.upstream.requests)
    fixed_ = text.replace("f'x'", "'x'")
    s.upstream.says(f"```python\n{fixed_}```")
    beside = [
        given(s, buffer, "f'x'", source="Ruff", code="F541"),
        given(s, buffer, "1,2", source="flake8", code="E231", data={"fixed": "1, 2"}),
    ]
    await s.editor.run(pick(await s.editor.menu(buffer, text.index("f'x'"), diagnostics=beside), "Fix `f`"))
    assert buffer.text == fixed_
    [request] = s.upstream.requests[asked:]
    assert "F541" in str(request.body["messages"])
    assert s.entries()[-1].model == "small"
