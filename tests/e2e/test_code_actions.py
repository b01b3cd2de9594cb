"""The menu's entries by position, title and kind. Offering them costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from scenario import gated, until
from server import Stage, pick, stage, titles
from work import lines as lines_run
from work import parses

from editor import Buffer, Editor
from tuppence.core.actions import ACTIONS, title
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Span
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.documents.store import Documents

SRC = """\
import os


def mean(xs):
    return sum(xs) / len(foo)


class Shape:
    def area(self):
        return bar

    def name(self):
        return "shape"


LIMIT = 3
"""
pytestmark = pytest.mark.asyncio(loop_scope="module")
AUTOMATIC = types.CodeActionTriggerKind.Automatic
TITLES = [title(each, "mean") for each in ACTIONS]
LLM = (types.CodeActionTag.LlmGenerated,)


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="s")
async def _shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for all tests that need nothing special of theirs."""
    async with stage(tmp_path_factory.mktemp("menu")) as s:
        yield s


def diagnostic(s: Stage, buffer: Buffer, part: str, message: str, **more: Any) -> types.Diagnostic:
    start = buffer.text.index(part)
    return types.Diagnostic(s.editor.range(buffer.text, start, start + len(part)), message, **more)


def kinds(actions: list[types.CodeAction]) -> dict[str, str]:
    return {action.title: str(getattr(action.kind, "value", action.kind)) for action in actions}


async def test_an_asked_for_menu_names_the_thing(s: Stage) -> None:
    buffer = s.editor.open(s.write("a1.py", SRC), "python")
    menu = await s.editor.menu(buffer, SRC.index("sum"))
    assert list(kinds(menu).items()) == [(title(each, "mean"), each.kind) for each in ACTIONS]
    assert all(action.tags == LLM and action.disabled is None for action in menu)

    # The natural target: the member around a cursor, the lines of a selection, the class on its first line.
    assert "Explain `area`" in titles(await s.editor.menu(buffer, SRC.index("return bar")))
    assert "Explain `Shape`" in titles(await s.editor.menu(buffer, SRC.index("Shape")))
    start = SRC.index("class Shape")
    assert "Review `Shape`" in titles(await s.editor.menu(buffer, start, SRC.index("\n\n\nLIMIT")))
    assert "Fix the selection" in titles(await s.editor.menu(buffer, SRC.index("return sum"), SRC.index(" / len")))
    nothing = await s.editor.menu(buffer, SRC.index("\n\nclass") - 0)
    assert [each.disabled is not None for each in nothing] == [True] * len(ACTIONS)
    assert s.upstream.requests == []
    assert s.entries() == ()


async def test_a_diagnostic_gives_a_quick_fix(s: Stage) -> None:
    buffer = s.editor.open(s.write("a2.py", SRC), "python")
    foo = diagnostic(s, buffer, "foo", "undefined name 'foo'.", code="F821", source="pyflakes", data={"any": [1]})
    same = diagnostic(s, buffer, "foo", "undefined name 'foo'.", code="reportUndefined", source="Pyright")
    bar = diagnostic(s, buffer, "bar", "undefined name 'bar'\nsecond line", code=1)
    at = SRC.index("foo")

    automatic = await s.editor.menu(buffer, at, diagnostics=[foo], trigger_kind=AUTOMATIC)
    assert kinds(automatic) == {"Fix: undefined name 'foo'": "quickfix"}
    assert automatic[0].diagnostics == (foo,)
    assert automatic[0].tags == LLM
    assert await s.editor.menu(buffer, at, trigger_kind=AUTOMATIC) == []

    menu = await s.editor.menu(buffer, 0, len(SRC), diagnostics=[foo, same, bar])
    assert titles(menu)[:2] == ["Fix: undefined name 'foo'", "Fix: undefined name 'bar'"]
    assert len(menu) == 2 + len(ACTIONS)
    long = diagnostic(s, buffer, "bar", "x" * 200)
    assert titles(await s.editor.menu(buffer, at, diagnostics=[long]))[0] == f"Fix: {'x' * 71}…"
    empty = diagnostic(s, buffer, "bar", "", code="E999")
    assert titles(await s.editor.menu(buffer, at, diagnostics=[empty]))[0] == "Fix: E999"
    many = [diagnostic(s, buffer, "bar", f"problem {number}") for number in range(40)]
    assert len(await s.editor.menu(buffer, 0, len(SRC), diagnostics=many)) == 12 + len(ACTIONS)

    # What is asked is about the diagnostic's own place, wherever the cursor was.
    s.upstream.says("```python\n    def area(self):\n        return 0\n```")
    await s.editor.run(pick(menu, "Fix: undefined name 'bar'"))
    assert buffer.text == SRC.replace("return bar", "return 0")
    prompt = s.upstream.requests[-1].body["messages"][-1]["content"]
    assert "line 10, error: undefined name 'bar'" in prompt
    assert "undefined name 'foo'" not in prompt
    assert s.entries()[-1].action == "fix"


ONLY = {
    "quickfix": ["Fix: undefined name 'foo'"],
    "refactor": [title(each, "mean") for each in ACTIONS if each.kind.startswith("refactor.")],
    "refactor.rewrite": [title(each, "mean") for each in ACTIONS if f"{each.kind}.".startswith("refactor.rewrite.")],
    "source": [title(each, "mean") for each in ACTIONS if each.kind.startswith("source.")],
    "source.review": ["Review `mean`"],
    "source.organizeImports": [],
    "refactor.extract": [],
    "": ["Fix: undefined name 'foo'", *TITLES],
}


async def test_only_the_kinds_that_were_asked_for(s: Stage) -> None:
    buffer = s.editor.open(s.write("a3.py", SRC), "python")
    foo = diagnostic(s, buffer, "foo", "undefined name 'foo'")
    for only, expected in ONLY.items():
        menu = await s.editor.menu(buffer, SRC.index("foo"), diagnostics=[foo], only=[only])
        assert titles(menu) == expected, only


async def test_an_editor_that_hides_source_gets_refactor(tmp_path: Path) -> None:
    async with stage(tmp_path, name="Visual Studio Code") as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        at = SRC.index("sum")
        menu = await s.editor.menu(buffer, at)
        assert list(kinds(menu).values()) == [each.kind.replace("source.", "refactor.") for each in ACTIONS]
        source = await s.editor.menu(buffer, at, only=["source"])
        assert kinds(source)["Review `mean`"] == "source.review"
        assert s.editor.initialized is not None
        offered = s.editor.initialized.capabilities.code_action_provider
        assert isinstance(offered, types.CodeActionOptions)
        assert set(offered.code_action_kinds or ()) == {"quickfix", "refactor", "source"}


async def test_what_cannot_be_done_is_shown_with_its_reason(s: Stage) -> None:
    def reasons(menu: list[types.CodeAction]) -> set[str]:
        return {each.disabled.reason for each in menu if each.disabled is not None}

    editor = s.editor
    untitled = editor.open("untitled:Untitled-1", "python", SRC)
    menu = await editor.menu(untitled, SRC.index("sum"))
    assert [(each.title, each.disabled is None) for each in menu] == [
        (title(each, "mean"), each.shape != "tests") for each in ACTIONS
    ]
    assert reasons(menu) == {"Save the document first: its tests need a place."}
    cell = editor.open("vscode-notebook-cell:/work/book.ipynb#W0sZmlsZQ%3D%3D", "python", SRC)
    assert reasons(await editor.menu(cell, SRC.index("sum"))) == {
        "This document is not a file, so there is no place for its tests."
    }
    for name, text, why in (
        ("b.bin", "a\0b", "This is a binary file, and no model can read it."),
        ("empty.py", "\n \n", "The document is empty."),
        (".env", "KEY=1", ".env is never sent to a model: a file named .env may hold secrets."),
    ):
        buffer = editor.open(s.write(name, text), "plaintext")
        assert reasons(await editor.menu(buffer, 0)) == {why}
        assert len(await editor.menu(buffer, 0)) == len(ACTIONS)
        assert await editor.menu(buffer, 0, trigger_kind=AUTOMATIC) == []
    old = editor.open("git:/work/.env?%7B%22ref%22%3A%22HEAD%22%7D", "properties", "KEY=1")
    assert reasons(await editor.menu(old, 0)) == {".env is never sent to a model: a file named .env may hold secrets."}


async def test_an_old_editor_gets_plain_commands_and_no_reasons(tmp_path: Path) -> None:
    def poor(editor: Editor) -> None:
        document = editor.capabilities.text_document
        assert document is not None
        document.code_action = None

    async with stage(tmp_path, before=poor) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        foo = diagnostic(s, buffer, "foo", "undefined name 'foo'")
        at = s.editor.range(SRC, SRC.index("foo"), SRC.index("foo"))
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(buffer.uri), at, types.CodeActionContext(diagnostics=[foo])
        )
        menu = await s.editor.client.text_document_code_action_async(params)
        assert menu is not None
        assert {type(each) for each in menu} == {types.Command}
        assert titles(list(menu)) == ["Fix: undefined name 'foo'", *TITLES]
        s.upstream.says("```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```")
        command = menu[0]
        assert isinstance(command, types.Command)
        await s.editor.client.workspace_execute_command_async(
            types.ExecuteCommandParams(command.command, command.arguments)
        )
        assert buffer.text == SRC.replace("foo", "xs")
        empty = s.editor.open("untitled:1", "python", "\n")
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(empty.uri), s.editor.range("", 0, 0), types.CodeActionContext([])
        )
        assert await s.editor.client.text_document_code_action_async(params) == ()


async def test_an_editor_that_takes_no_edits_is_offered_none(tmp_path: Path) -> None:
    def reader(editor: Editor) -> None:
        assert editor.capabilities.workspace is not None
        editor.capabilities.workspace.apply_edit = False

    async with stage(tmp_path, before=reader) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        foo = diagnostic(s, buffer, "foo", "undefined name 'foo'")
        menu = await s.editor.menu(buffer, SRC.index("foo"), diagnostics=[foo])
        assert [(each.title, each.disabled is None) for each in menu] == [
            (title(each, "mean"), each.shape in ("markdown", "findings")) for each in ACTIONS
        ]


async def test_stop_comes_first_while_a_run_is_under_way(s: Stage) -> None:
    buffer = s.editor.open(s.write("a5.py", SRC), "python")
    other = s.editor.open(s.write("b.py", SRC), "python")
    gate, before = asyncio.Event(), len(s.upstream.requests)
    s.upstream.script(gated("`mean` divides the sum of `xs`.", gate))
    running = asyncio.create_task(s.editor.run(pick(await s.editor.menu(buffer, SRC.index("sum")), "Explain")))
    await s.upstream.seen(before + 1)
    menu = await s.editor.menu(buffer, SRC.index("bar"))
    assert titles(menu)[0] == "Stop: Explain `mean`"
    assert menu[0].tags is None
    assert titles(await s.editor.menu(buffer, 0, trigger_kind=AUTOMATIC)) == ["Stop: Explain `mean`"]
    assert "Stop" not in titles(await s.editor.menu(other, SRC.index("bar")))[0]
    await s.editor.run(menu[0])
    await running
    assert titles(await s.editor.menu(buffer, 0, trigger_kind=AUTOMATIC)) == []
    await until(s.upstream.requests[-1].closed.is_set)


LARGE = "".join(f"def f{number}(a, b):\n    x = a + b\n    return x\n\n\n" for number in range(66_000))
"""3 MB."""
BODY = "def f{0}(a, b):\n    x = a + b\n    for each in range(x):\n        print(each)\n    return x\n\n\n\n"
LONG = "".join(BODY.format(number) for number in range(250))
"""2,000 lines."""


async def test_offering_takes_milliseconds(s: Stage) -> None:
    buffer = s.editor.open(s.write("long.py", LONG), "python")
    assert LONG.count("\n") == 2000
    at = LONG.index("print", len(LONG) // 2)
    await s.editor.menu(buffer, at)
    for _ in range(15):
        await s.editor.menu(buffer, at)
        s.editor.type(buffer, at, at, "x")
        menu = await s.editor.menu(buffer, at)
    assert "Explain `f125`" in titles(menu)


async def test_a_keystroke_costs_one_parse_that_begins_from_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    documents, parsed = Documents(), parses(monkeypatch)
    documents.open("file:///long.py", "python", 1, LONG)
    at = LONG.index("print", len(LONG) // 2)
    typed = types.TextDocumentContentChangePartial(
        range=types.Range(types.Position(1003, 8), types.Position(1003, 8)), text="x"
    )
    for version in range(2, 17):
        for _ in range(2):
            tree = await documents.tree("file:///long.py")
            document = documents.get("file:///long.py")
            assert document is not None
            target, ran = lines_run(lambda: find_target(document, tree, Span(at, at)))  # noqa: B023 - called at once
            assert target is not None
            assert target.name == "f125"
            print(f"version {version}: {ran} lines of code to find the target")
            assert ran < 8000
        documents.change("file:///long.py", version, [typed], Encoding.Utf16)
    assert parsed == [False, *[True] * 14], "a menu without a keystroke before it parses nothing"


async def test_a_text_of_3_mb_is_parsed_by_no_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    documents, parsed = Documents(), parses(monkeypatch, len(LARGE))
    documents.open("file:///large.py", "python", 1, LARGE)
    tree, document = await documents.tree("file:///large.py"), documents.get("file:///large.py")
    assert document is not None
    at = LARGE.index("x = a", len(LARGE) // 2)
    _, first = lines_run(lambda: find_target(document, tree, Span(at, at)))
    _, every = lines_run(lambda: find_target(document, tree, Span(0, len(LARGE))))
    size = LARGE.count("\n")
    print(f"{first / size:.1f} lines of code a line, all of it selected {every / size:.1f}")
    assert parsed == []
    assert first / size < 6
    assert every / size < 50


async def test_a_text_of_3_mb_is_read_by_its_indentation(s: Stage) -> None:
    text = LARGE
    assert len(text) > 3_000_000
    buffer = s.editor.open("file:///large.py", "python", text)
    at = text.index("x = a", len(text) // 2)
    first = await s.editor.menu(buffer, at)
    assert "Explain `f" in titles(first)[1]
    assert "Fix the selection" in titles(await s.editor.menu(buffer, 0, len(text)))
    s.editor.close(buffer)
