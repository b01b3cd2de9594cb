from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from tests.lsp.documents.test_convert import ENCODINGS, TEXTS, UnitEditor
from work import lines, memory

from tuppence.core.text.document import Document, Edit, apply, line_starts
from tuppence.errors import Stale
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.documents.store import Documents

URI = "file:///a.py"


def opened(text: str, version: int = 1) -> Documents:
    documents = Documents()
    documents.open(URI, "python", version, text)
    return documents


def now(documents: Documents) -> Document:
    document = documents.get(URI)
    assert document is not None
    return document


def part(start: types.Position, end: types.Position, text: str) -> types.TextDocumentContentChangePartial:
    return types.TextDocumentContentChangePartial(types.Range(start, end), text)


def at(line: int, character: int, text: str) -> types.TextDocumentContentChangePartial:
    return part(types.Position(line, character), types.Position(line, character), text)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS, data=st.data())
def test_the_text_stays_the_editors_text(encoding: Encoding, text: str, data: st.DataObject) -> None:
    editor, documents, replayed = UnitEditor(text, encoding), opened(text), text
    for version in range(2, data.draw(st.integers(2, 6))):
        changes: list[types.TextDocumentContentChangeEvent] = []
        for _ in range(data.draw(st.integers(1, 4))):
            changes.append(change := data.draw(change_of(editor)))
            if isinstance(change, types.TextDocumentContentChangePartial):
                editor.apply(types.TextEdit(change.range, change.text))
            else:
                editor.units = editor.encode(change.text)
        for edit in documents.change(URI, version, changes, encoding):
            replayed = apply(replayed, [edit])
        assert now(documents).text == editor.text == replayed
        assert now(documents).version == version
        assert now(documents).line_starts == line_starts(editor.text)


@st.composite
def change_of(draw: st.DrawFn, editor: UnitEditor) -> types.TextDocumentContentChangeEvent:
    if draw(st.integers(0, 4)) == 0:
        return types.TextDocumentContentChangeWholeDocument(draw(TEXTS))
    text = editor.text
    ends = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    return part(editor.position(ends[0]), editor.position(ends[1]), draw(TEXTS))


def test_a_form_feed_is_no_line() -> None:
    documents = opened("a\x0cb\u2028c\nd\n")
    documents.change(URI, 2, [at(1, 0, "X")], Encoding.Utf16)
    assert now(documents).text == "a\x0cb\u2028c\nXd\n"


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("a\rb", at(1, 0, "\n"), "a\r\nb"),  # CR and LF become one line ending
        ("a\nb", at(0, 1, "\r"), "a\r\nb"),
        ("a\r\nb\nc", part(types.Position(0, 1), types.Position(1, 0), ""), "ab\nc"),
        ("a\rx\nb", part(types.Position(1, 0), types.Position(1, 1), ""), "a\r\nb"),
        ("a\r\nb", at(0, 9, "!"), "a!\r\nb"),  # beyond the end of the line
        ("a\r\nb", at(9, 0, "!"), "a\r\nb!"),  # beyond the last line
        ("", at(0, 0, "\r\n\r\n"), "\r\n\r\n"),
    ],
)
def test_line_endings_that_join_and_part(
    text: str, change: types.TextDocumentContentChangePartial, expected: str
) -> None:
    documents = opened(text)
    documents.change(URI, 2, [change], Encoding.Utf16)
    assert now(documents).text == expected
    assert now(documents).line_starts == line_starts(expected)


@given(old=TEXTS, new=TEXTS)
def test_a_change_of_all_is_the_one_edit_between_what_stays(old: str, new: str) -> None:
    documents = opened(old)
    edits = documents.change(URI, 2, [types.TextDocumentContentChangeWholeDocument(new)], Encoding.Utf16)
    assert apply(old, edits) == new
    assert len(edits) == (old != new)
    for edit in edits:
        gone = old[edit.span.start : edit.span.end]
        assert not gone or not edit.text or (gone[0] != edit.text[0] and gone[-1] != edit.text[-1])


def test_a_document_that_is_not_open_takes_no_change() -> None:
    documents = Documents()
    assert documents.change(URI, 2, [at(0, 0, "x")], Encoding.Utf16) == ()
    assert documents.get(URI) is None


def test_a_change_in_a_long_file_is_fast() -> None:
    line = "    value = compute(alpha, beta)  # and so on\n"
    documents = opened(line * 10_000)

    def change() -> None:
        documents.change(URI, 2, [at(3, 4, "x\n"), at(9_000, 4, "😀")], Encoding.Utf16)

    change()
    _, ran = lines(change)
    _, held = memory(change)
    print(f"{ran} lines of code, {held / len(line * 10_000):.1f} bytes a character")
    assert ran < 20_000
    assert held < 20 * len(line * 10_000), "a few copies of the text, at four bytes a character"


def test_those_who_watch_are_told_of_each_change_and_of_the_close() -> None:
    documents, told = opened("ab"), list[tuple[str | None, int]]()
    documents.watch(URI, lambda document, edits: told.append((document.text if document else None, len(edits))))
    documents.change(URI, 2, [at(0, 1, "x"), at(0, 1, "y")], Encoding.Utf16)
    documents.open(URI, "python", 3, "new")
    documents.close(URI)
    documents.open(URI, "python", 1, "again")
    assert told == [("ayxb", 2), ("new", 1), (None, 0)]


def test_who_stops_watching_is_told_no_more_even_from_within() -> None:
    documents, told = opened(""), list[str]()

    def once(_document: Document | None, _edits: tuple[Edit, ...]) -> None:
        told.append("once")
        unwatch()

    unwatch = documents.watch(URI, once)
    documents.watch(URI, lambda _document, _edits: told.append("always"))
    for version in (2, 3):
        documents.change(URI, version, [at(0, 0, "x")], Encoding.Utf16)
    unwatch()
    assert told == ["once", "always", "always"]


def test_one_that_fails_does_not_keep_the_change_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    documents, told = opened(""), list[int]()

    def fails(_document: Document | None, _edits: tuple[Edit, ...]) -> None:
        raise RuntimeError

    documents.watch(URI, fails)
    documents.watch(URI, lambda _document, edits: told.append(len(edits)))
    documents.change(URI, 2, [at(0, 0, "x")], Encoding.Utf16)
    assert told == [1]
    assert "RuntimeError" in caplog.text


async def test_a_version_is_waited_for() -> None:
    documents = opened("", version=0)
    waiting = asyncio.create_task(documents.wait_version(URI, 2, 5))
    for version in (1, 2):
        await asyncio.sleep(0)
        assert not waiting.done()
        documents.change(URI, version, [at(0, 0, "x")], Encoding.Utf16)
    assert await waiting


async def test_waiting_for_a_version_ends() -> None:
    documents = opened("")
    assert await documents.wait_version(URI, 1, 0)
    assert not await documents.wait_version(URI, 2, 0.01)
    waiting = asyncio.create_task(documents.wait_version(URI, 2, 5))
    await asyncio.sleep(0)
    documents.close(URI)
    assert not await asyncio.wait_for(waiting, 60)


async def test_the_tree_is_the_newest_documents() -> None:
    documents = opened("def one():\n    pass\n")
    assert (await documents.tree(URI)).text == now(documents).text
    documents.change(URI, 2, [at(0, 4, "n"), at(0, 4, "\u2028😀")], Encoding.Utf16)
    waiting = asyncio.create_task(documents.tree(URI))
    await asyncio.sleep(0)
    documents.change(URI, 3, [at(2, 0, "def two():\n    pass\n")], Encoding.Utf16)
    tree = await waiting
    assert tree.text == now(documents).text
    assert [block.name for block in tree.blocks()][-1] == "two"
    assert await documents.tree(URI) is tree


async def test_one_parse_serves_all_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    from tuppence.core.syntax import parser

    parsed, running, most, parse = list[str](), 0, 0, parser.parse
    begun, changed = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(text: str, *rest: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        loop.call_soon_threadsafe(begun.set)
        assert changed.wait(60)
        parsed.append(text)
        running -= 1
        return parse(text, *rest)

    monkeypatch.setattr(parser, "parse", slow)
    documents = opened("a = 1\n")
    waiting = [asyncio.create_task(documents.tree(URI)) for _ in range(3)]
    await begun.wait()
    waiting.pop().cancel()
    for version in range(2, 6):
        documents.change(URI, version, [at(0, 0, "x")], Encoding.Utf16)
    changed.set()
    trees = await asyncio.gather(*waiting)
    assert {tree.text for tree in trees} == {"xxxxa = 1\n"}
    assert parsed == ["a = 1\n", "xxxxa = 1\n"]
    assert most == 1


async def test_a_parse_that_fails_is_followed_by_a_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from tuppence.core.syntax import parser

    documents, parse = opened("a = 1\n"), parser.parse
    await documents.tree(URI)
    documents.change(URI, 2, [at(0, 0, "x")], Encoding.Utf16)

    def fails(*_: Any) -> Any:
        raise RuntimeError("no parse")

    monkeypatch.setattr(parser, "parse", fails)
    with pytest.raises(RuntimeError, match="no parse"):
        await documents.tree(URI)
    monkeypatch.setattr(parser, "parse", parse)
    assert (await documents.tree(URI)).text == "xa = 1\n"


async def test_a_closed_document_has_no_tree() -> None:
    documents = opened("a = 1\n")
    waiting = asyncio.create_task(documents.tree(URI))
    await asyncio.sleep(0)
    documents.close(URI)
    with pytest.raises(Stale):
        await waiting
    with pytest.raises(Stale):
        await documents.tree(URI)


@pytest.mark.parametrize("uri", ["file:///p/a%20%40(b).py", "file:///p/a%20@%28b%29.py", "file:///p/a%20%40%28b%29.py"])
def test_a_stored_document_is_found_however_its_path_is_encoded(uri: str) -> None:
    documents = Documents()
    documents.open(uri, "python", 1, "x = 1\n")
    documents.open("untitled:/p/a @(b).py", "python", 1, "y = 1\n")
    assert documents.at("/p/a @(b).py") == documents.get(uri)
    assert documents.at("/p/other.py") is None
