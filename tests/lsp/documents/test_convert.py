from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from tuppence.core.text.diagnostic import Severity
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.lsp.documents import convert
from tuppence.lsp.documents.capabilities import ClientCapabilities
from tuppence.lsp.documents.convert import Encoding

ENCODINGS = [Encoding.Utf16, Encoding.Utf8, Encoding.Utf32]
# Of each length in each encoding; and what Python, but not the protocol, takes for the end of a line.
TEXTS = st.text(st.sampled_from("ab \té€😀\U0001d4b3\n\r\u2028\u2029\x0b\x0c\x1c\x85\u0301"), max_size=40)


def document(text: str, version: int | None = 3) -> Document:
    return Document("file:///a.py", "python", version, text)


class UnitEditor:
    """An editor of its own kind: it holds code units, counts lines by itself and applies what it is sent."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.codec, self.width = {
            Encoding.Utf8: ("utf-8", 1),
            Encoding.Utf16: ("utf-16-le", 2),
            Encoding.Utf32: ("utf-32-le", 4),
        }[encoding]
        self.units = self.encode(text)

    def encode(self, text: str) -> list[bytes]:
        data = text.encode(self.codec)
        return [data[at : at + self.width] for at in range(0, len(data), self.width)]

    @property
    def text(self) -> str:
        return b"".join(self.units).decode(self.codec)

    def lines(self) -> list[tuple[int, int]]:
        """Where each line starts, and where its ending starts."""
        cr, lf = self.encode("\r\n")
        found, start, at = [], 0, 0
        while at < len(self.units):
            length = 2 if self.units[at : at + 2] == [cr, lf] else 1 if self.units[at] in (cr, lf) else 0
            if length:
                found.append((start, at))
                start = at + length
            at += length or 1
        return [*found, (start, len(self.units))]

    def index(self, position: types.Position) -> int:
        start, end = self.lines()[position.line]
        assert start + position.character <= end, "outside the line"
        return start + position.character

    def position(self, offset: int) -> types.Position:
        """Return the position of a code point of the text."""
        index = len(self.encode(self.text[:offset]))
        line = max(number for number, (start, _) in enumerate(self.lines()) if start <= index)
        start, end = self.lines()[line]
        return types.Position(line, min(index, end) - start)

    def apply(self, edit: types.TextEdit) -> None:
        start, end = self.index(edit.range.start), self.index(edit.range.end)
        self.units[start:end] = self.encode(edit.new_text)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, Edit]:
    text = draw(TEXTS)
    ends = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    return text, Edit(Span(*ends), draw(TEXTS))


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(case=edited())
def test_an_edit_does_in_the_editor_what_it_does_here(encoding: Encoding, case: tuple[str, Edit]) -> None:
    text, edit = case
    editor = UnitEditor(text, encoding)
    editor.apply(convert.to_text_edit(document(text), edit, encoding))
    assert editor.text == apply(text, [edit])


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(case=edited())
def test_positions_agree_with_the_editor(encoding: Encoding, case: tuple[str, Edit]) -> None:
    text, edit = case
    editor = UnitEditor(text, encoding)
    for offset in (edit.span.start, edit.span.end):
        position = editor.position(offset)
        assert convert.to_position(document(text), offset, encoding) == position
        inside_ending = text[max(0, offset - 1) : offset + 1] == "\r\n"
        assert convert.from_position(document(text), position, encoding) == offset - inside_ending


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS, line=st.integers(0, 50), character=st.integers(0, 90))
def test_any_position_is_a_place_in_the_text(encoding: Encoding, text: str, line: int, character: int) -> None:
    offset = convert.from_position(document(text), types.Position(line, character), encoding)
    assert 0 <= offset <= len(text)
    if line < document(text).line_count:
        span = document(text).line_span(line)
        assert span.start <= offset <= span.end
    else:
        assert offset == len(text)


@pytest.mark.parametrize(
    ("encoding", "character", "expected"),
    [
        (Encoding.Utf16, 4, 4),  # before the emoji
        (Encoding.Utf16, 5, 4),  # inside it
        (Encoding.Utf16, 6, 5),  # behind it
        (Encoding.Utf8, 5, 4),
        (Encoding.Utf8, 8, 4),
        (Encoding.Utf8, 9, 5),
        (Encoding.Utf32, 5, 5),
    ],
)
def test_a_position_inside_a_character_is_its_start(encoding: Encoding, character: int, expected: int) -> None:
    assert convert.from_position(document("é = 😀"), types.Position(0, character), encoding) == expected


def test_half_an_emoji_counts_as_the_editor_counts_it() -> None:
    halves = document("\ud83d!\n")
    assert convert.from_position(halves, types.Position(0, 2), Encoding.Utf16) == 2
    assert convert.to_position(halves, 2, Encoding.Utf8) == types.Position(0, 4)


def test_a_range_given_backwards_is_read_forwards() -> None:
    backwards = types.Range(types.Position(0, 3), types.Position(0, 1))
    assert convert.from_range(document("abcd"), backwards, Encoding.Utf16) == Span(1, 3)


CAN = ClientCapabilities(name="x", document_changes=True, create_files=True)
LATER, EARLIER = Edit(Span(4, 5), "x"), Edit(Span(0, 1), "y")


def test_edits_are_held_to_the_version_where_that_is_possible() -> None:
    made = convert.to_workspace_edit(document("a😀b\nc"), [LATER, EARLIER], Encoding.Utf16, CAN)
    assert made.changes is None
    assert made.document_changes == [
        types.TextDocumentEdit(
            types.OptionalVersionedTextDocumentIdentifier(uri="file:///a.py", version=3),
            [
                types.TextEdit(types.Range(types.Position(0, 0), types.Position(0, 1)), "y"),
                types.TextEdit(types.Range(types.Position(1, 0), types.Position(1, 1)), "x"),
            ],
        )
    ]


def test_an_old_client_gets_plain_changes() -> None:
    made = convert.to_workspace_edit(document("abcd\ne"), [EARLIER], Encoding.Utf16, ClientCapabilities(name="old"))
    assert made.document_changes is None
    assert list(made.changes or {}) == ["file:///a.py"]


def test_a_new_file_is_created_where_the_client_can_do_that() -> None:
    write = [Edit(Span(0, 0), "text")]
    made = convert.to_workspace_edit(document("", version=None), write, Encoding.Utf16, CAN)
    create, change = made.document_changes or ()
    assert create == types.CreateFile(uri="file:///a.py", options=types.CreateFileOptions(ignore_if_exists=True))
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version is None
    cannot = ClientCapabilities(name="x", document_changes=True)
    assert len(convert.to_workspace_edit(document("", None), write, Encoding.Utf16, cannot).document_changes or ()) == 1


@pytest.mark.parametrize("there", [document("", version=1), document("text", version=None)])
def test_a_file_that_is_there_is_not_created(there: Document) -> None:
    made = convert.to_workspace_edit(there, [Edit(Span(0, 0), "x")], Encoding.Utf16, CAN)
    assert [type(each) for each in made.document_changes or ()] == [types.TextDocumentEdit]


def test_a_diagnostic_keeps_its_place_and_its_rule() -> None:
    sent = types.Diagnostic(
        range=types.Range(types.Position(0, 2), types.Position(0, 3)),
        message="undefined",
        severity=types.DiagnosticSeverity.Warning,
        code=821,
        source="ruff",
    )
    found = convert.from_diagnostic(document("😀x"), sent, Encoding.Utf16)
    assert (found.span, found.severity, found.source, found.code) == (Span(1, 2), "warning", "ruff", "821")


def test_severities_go_there_and_back() -> None:
    severities: list[Severity] = ["error", "warning", "information", "hint"]
    assert [convert.from_severity(convert.to_severity(each)) for each in severities] == severities
    assert convert.from_severity(None) == "error"


HELIX = ClientCapabilities("helix", block_cursor=True)


@pytest.mark.parametrize(
    ("selected", "is_cursor"),
    [("d", True), ("\n", True), ("\r\n", True), ("e\u0301", True), ("👍🏽", True), ("de", False), ("\n\n", False)],
)
def test_where_the_cursor_is_a_character_one_character_is_a_cursor(selected: str, *, is_cursor: bool) -> None:
    document = Document("file:///a.py", "python", 1, f"ab{selected}cd")
    where = convert.to_range(document, Span(2, 2 + len(selected)), Encoding.Utf16)
    if selected.endswith(("\n", "\r")):
        where = types.Range(types.Position(0, 2), types.Position(selected.count("\n"), 0))
    found = convert.from_selection(document, where, Encoding.Utf16, HELIX)
    assert found == (Span(2, 2) if is_cursor else Span(2, 2 + len(selected)))
    assert convert.from_selection(document, where, Encoding.Utf16, ClientCapabilities("other")) == Span(
        2, 2 + len(selected)
    )
