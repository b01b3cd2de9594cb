"""A lone CR inside a line: most editors count no line there, so no edit of ours would be sure to hit its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from scenario import messages
from server import pick, stage

from tuppence.core.text.document import Document
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.documents.store import Documents

SRC = "SEP = 'a\rb'\n\n\ndef mean(xs):\n    return sum(xs) / len(x)\n"
WHY = (
    "Line 1 holds a lone carriage return, and editors count lines differently there: "
    "take it out, or write it as an escape."
)


def at(line: int, start: int, end: int, text: str) -> types.TextDocumentContentChangeEvent:
    return types.TextDocumentContentChangePartial(
        types.Range(types.Position(line, start), types.Position(line, end)), text
    )


@pytest.mark.parametrize("name", ["nvim", "helix", "Emacs (eglot)", "Some Editor"])
async def test_such_a_file_is_refused_before_anything_is_spent(tmp_path: Path, name: str) -> None:
    async with stage(tmp_path, name=name) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        menu = await s.editor.menu(buffer, SRC.index("mean"))
        assert {each.disabled.reason for each in menu if each.disabled} == {WHY}
        assert all(each.disabled for each in menu)
        sent = {
            "action": "fix",
            "uri": buffer.uri,
            "version": buffer.version,
            "range": {"start": {"line": 3, "character": 4}, "end": {"line": 3, "character": 4}},
        }
        await s.editor.run(types.CodeAction("Fix", command=types.Command("Fix", "tuppence.run", arguments=[sent])))
        assert messages(s)[-1].endswith(WHY)
        assert buffer.text == SRC
        assert not s.upstream.requests


async def test_it_is_not_where_the_editor_ends_a_line_there(tmp_path: Path) -> None:
    async with stage(tmp_path, name="Visual Studio Code") as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.says("```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```")
        await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("mean")), "Fix"))
        assert buffer.text == SRC.replace("len(x)", "len(xs)")


def test_what_is_typed_below_it_is_taken_in_where_it_was_typed() -> None:
    documents = Documents()
    documents.breaks_at_cr = False
    documents.open("u", "python", 1, SRC)
    documents.change("u", 2, [at(4, 19, 20, "//"), at(0, 8, 9, "")], Encoding.Utf16)
    document = documents.get("u")
    assert document is not None
    assert document.text == SRC.replace("\r", "").replace(" / ", " // ")
    assert not documents.doubtful(document)
    documents.change("u", 3, [at(4, 0, 0, "#")], Encoding.Utf16)
    again = documents.get("u")
    assert again is not None
    assert again.text.endswith("#    return sum(xs) // len(x)\n")


def test_only_a_cr_that_no_lf_follows_is_in_doubt() -> None:
    documents = Documents()
    assert not documents.doubtful(Document("", "python", 1, "a\rb\n"))
    documents.breaks_at_cr = False
    for text, is_doubtful in (("a\r\nb\r\n", False), ("a\n", False), ("a\r", True), ("a\r\r\n", True), ("", False)):
        assert bool(documents.doubtful(Document("", "python", 1, text))) is is_doubtful
