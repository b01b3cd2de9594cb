"""Deviations of real editors from the protocol, simulated by the test's client."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types
from scenario import messages, until
from server import pick, stage

from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.lsp.documents import convert
from tuppence.lsp.documents.capabilities import ClientCapabilities
from tuppence.lsp.documents.change_order import PATIENCE
from tuppence.lsp.output.regions import Change, PendingEdits, Region

SOURCE = "import os\n\n\ndef one():\n    return 1\n\n\ndef two():\n    return 2\n"


def test_neovim_gets_no_edit_for_version_zero() -> None:
    document = Document("file:///a.py", "python", 0, "a\n")
    plain = ClientCapabilities("other", document_changes=True)
    for client, version in ((plain, 0), (ClientCapabilities("nvim", document_changes=True, unchecked_zero=True), 1)):
        edit = convert.to_workspace_edit(document, [Edit(Span(0, 1), "b")], types.PositionEncodingKind.Utf16, client)
        assert edit.document_changes is not None
        change = edit.document_changes[0]
        assert isinstance(change, types.TextDocumentEdit)
        assert change.text_document.version == version


def test_neovims_empty_line_is_replaced_in_a_new_file() -> None:
    document = Document("file:///a.py", "python", None, "")
    client = ClientCapabilities("nvim", document_changes=True, create_files=True, blank_line=True)
    edit = convert.to_workspace_edit(document, [Edit(Span(0, 0), "b\n")], types.PositionEncodingKind.Utf16, client)
    assert edit.document_changes is not None
    change = edit.document_changes[-1]
    assert isinstance(change, types.TextDocumentEdit)
    assert change.edits[0].range == types.Range(types.Position(0, 0), types.Position(1, 0))


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_an_edit_that_arrives_in_two_messages_lands_once_it_is_whole(cut: int) -> None:
    text = "one\ntwo\nthree\nfour\n"
    target, other = Region(Span(4, 13), "two\nthree", "2\nTHREE"), Region(Span(0, 0), "", "zero\n")
    edits = [Edit(Span(0, 0), "zero\n"), Edit(Span(4, 7), "2"), Edit(Span(8, 13), "THREE")]
    changes = [Change(region, edit) for region, edit in zip((other, target, target), edits, strict=True)]
    flight = PendingEdits(changes)
    before, regions = text, (target, other)
    ordered = edits[::-1]
    for part in (ordered[:cut], ordered[cut:]):
        if not part:
            continue
        assert flight.find(before, part) == range(len(part))
        flight.land(regions)
        before = apply(before, part)
    assert flight.landed
    assert before == "zero\none\n2\nTHREE\nfour\n"
    assert target.span is not None
    assert before[target.span.start : target.span.end] == "2\nTHREE"
    assert other.span == Span(0, 5)


async def test_a_fix_with_imports_told_in_two_messages_is_kept(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", SOURCE), "python")
        s.editor.in_pieces = True
        s.upstream.says("```python\ndef two():\n    return math.tau\n```\n```imports\nimport math\n```\n")
        await s.editor.run(pick(await s.editor.menu(buffer, SOURCE.index("return 2")), "Fix"))
        assert buffer.text == SOURCE.replace("import os\n", "import os\nimport math\n").replace("2\n", "math.tau\n")
        assert s.editor.seen.messages[-1].message.startswith("Fixed `two`: small")
        (entry,) = s.entries()
    assert entry.outcome == "kept"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0)])
async def test_helix_keys_that_overtake_one_another_are_taken_in_order(order: tuple[int, ...], tmp_path: Path) -> None:
    async with stage(tmp_path, name="helix") as s:
        buffer = s.editor.open(s.write("a.py", SOURCE), "python")
        line, version = buffer.text.count("\n", 0, buffer.text.index("def two")), buffer.version
        typed = [_insertion(line, column, key) for column, key in ((0, "\n"), (0, "x"), (1, "="), (2, "1"))]
        for at in order:
            identifier = types.VersionedTextDocumentIdentifier(version + 1 + at, buffer.uri)
            s.editor.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [typed[at]]))
        buffer.text, buffer.version = SOURCE.replace("def two", "x=1\ndef two"), version + 4
        s.upstream.says("```python\ndef two():\n    return math.tau\n```\n```imports\nimport math\n```\n")
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("return 2")), "Fix"))
        await until(lambda: any("Fixed `two`" in each for each in messages(s)))
        fixed = SOURCE.replace("import os\n", "import os\nimport math\n").replace("2\n", "math.tau\n")
        assert buffer.text == fixed.replace("def two", "x=1\ndef two")


async def test_a_version_that_helix_skipped_keeps_nothing_waiting(tmp_path: Path) -> None:
    async with stage(tmp_path, name="helix") as s:
        buffer = s.editor.open(s.write("a.py", SOURCE), "python")
        buffer.version += 3
        s.editor.type(buffer, 0, 0, "import re\n")
        s.upstream.says("```python\ndef two():\n    return 3\n```\n")
        await asyncio.sleep(PATIENCE * 2)
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("return 2")), "Fix"))
        await until(lambda: any("Fixed `two`" in each for each in messages(s)))
        assert buffer.text == "import re\n" + SOURCE.replace("return 2", "return 3")


def _insertion(line: int, column: int, text: str) -> types.TextDocumentContentChangePartial:
    place = types.Position(line, column)
    return types.TextDocumentContentChangePartial(types.Range(place, place), text)
