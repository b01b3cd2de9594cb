"""A tracked span is where its characters are, and is lost once one of them goes or something comes between them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.lsp.documents.convert import Encoding, to_range
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.documents.tracked_span import SpanTracker, TrackedSpan, follow

URI = "file:///a.py"
TEXT = "ab\ncd🐍e\r\nfg"
LETTERS = st.text("x\n🐛", max_size=3)


@dataclass(frozen=True)
class Typing:
    """A document and what is typed in it, some edits in one change."""

    text: str
    spans: tuple[Span, ...]
    changes: tuple[tuple[Edit, ...], ...]

    @property
    def edits(self) -> tuple[Edit, ...]:
        return tuple(edit for change in self.changes for edit in change)


@st.composite
def typings(draw: st.DrawFn) -> Typing:
    """Draw spans, and edits that are often at their boundaries or over all of them."""
    text = draw(st.text("ab\n🐍", min_size=1, max_size=12))
    places = st.integers(0, len(text) - 1)
    spans = tuple(
        Span(start, draw(st.integers(start + 1, len(text)))) for start in draw(st.lists(places, min_size=1, max_size=3))
    )
    now, near, changes = text, list(spans), []
    for _ in range(draw(st.integers(0, 4))):
        change = []
        for _ in range(draw(st.integers(1, 3))):
            bounds = sorted({0, len(now), *(at for each in near for at in (each.start, each.end) if at <= len(now))})
            ends = st.sampled_from(bounds) | st.integers(0, len(now))
            start, end = sorted((draw(ends), draw(ends)))
            # An edit that changes nothing leaves no mark on the characters; it has a test of its own.
            written = draw(LETTERS.filter(bool) if start == end else LETTERS)
            edit = Edit(Span(start, end), written)
            now = apply(now, (edit,))
            near = [moved for each in near if (moved := follow(each, (edit,))) is not None]
            change.append(edit)
        changes.append(tuple(change))
    return Typing(text, spans, tuple(changes))


def marked(text: str, span: Span, edits: tuple[Edit, ...]) -> Span | None:
    """Return where the characters of a span are after edits; None once they are not all there, one after the other."""
    characters: list[object] = [object() for _ in text]
    wanted = characters[span.start : span.end]
    for edit in edits:
        characters[edit.span.start : edit.span.end] = [object() for _ in edit.text]
        if wanted[0] not in characters:
            return None
        at = characters.index(wanted[0])
        if characters[at : at + len(wanted)] != wanted:
            return None
    at = characters.index(wanted[0])
    return Span(at, at + len(wanted))


def change(documents: Documents, edits: tuple[Edit, ...]) -> None:
    """Let the editor tell of edits in one change."""
    document = documents.get(URI)
    assert document is not None
    version, events = (document.version or 0) + 1, []
    for edit in edits:
        events.append(types.TextDocumentContentChangePartial(to_range(document, edit.span, Encoding.Utf16), edit.text))
        document = Document(URI, "python", None, apply(document.text, (edit,)))
    documents.change(URI, version, events, Encoding.Utf16)
    assert documents.get(URI) == Document(URI, "python", version, document.text)


def opened(text: str) -> Documents:
    documents = Documents()
    documents.open(URI, "python", 1, text)
    return documents


@given(typings())
def test_a_span_is_where_its_characters_are(typing: Typing) -> None:
    for span in typing.spans:
        tracked = TrackedSpan(span)
        tracked.follow(typing.edits)
        assert tracked.span == marked(typing.text, span, typing.edits)
        assert TrackedSpan(span, typing.edits).span == tracked.span


@given(typings())
def test_a_tracker_moves_all_its_spans_before_it_tells_of_a_change(typing: Typing) -> None:
    documents, told = opened(typing.text), []
    spans = [TrackedSpan(span) for span in typing.spans]
    tracker = SpanTracker(documents, URI, lambda _document, edits: told.append((edits, [each.span for each in spans])))
    tracker.add(*spans)
    before: tuple[Edit, ...] = ()
    for edits in typing.changes:
        change(documents, edits)
        before += edits
        assert told[-1] == (edits, [marked(typing.text, span, before) for span in typing.spans])
    assert len(told) == len(typing.changes)


@given(typings())
def test_what_an_undo_brings_back_is_followed_only_if_it_was_never_lost(typing: Typing) -> None:
    documents = opened(typing.text)
    spans = [TrackedSpan(span) for span in typing.spans]
    SpanTracker(documents, URI, lambda _document, _edits: None).add(*spans)
    lost = [marked(typing.text, span, typing.edits) is None for span in typing.spans]
    undo: list[Edit] = []
    text = typing.text
    for edit in typing.edits:
        undo.insert(
            0, Edit(Span(edit.span.start, edit.span.start + len(edit.text)), text[edit.span.start : edit.span.end])
        )
        text = apply(text, (edit,))
    for edits in typing.changes:
        change(documents, edits)
    change(documents, tuple(undo))
    document = documents.get(URI)
    assert document is not None
    assert document.text == typing.text
    for tracked, span, is_lost in zip(spans, typing.spans, lost, strict=True):
        assert tracked.span == (None if is_lost else marked(typing.text, span, (*typing.edits, *undo)))
        # Text that was deleted beside the span comes back at its boundary, and does not become a part of it.
        assert is_lost or tracked.span in {span, None}


@pytest.mark.parametrize(
    ("edit", "span"),
    [
        (Edit(Span(0, 0), "xx"), Span(5, 8)),
        (Edit(Span(3, 3), "xx"), Span(5, 8)),
        (Edit(Span(1, 3), "x"), Span(2, 5)),
        (Edit(Span(6, 6), "xx"), Span(3, 6)),
        (Edit(Span(6, 7), ""), Span(3, 6)),
        (Edit(Span(4, 4), "x"), None),
        (Edit(Span(4, 4), ""), None),
        (Edit(Span(4, 5), ""), None),
        (Edit(Span(2, 4), "x"), None),
        (Edit(Span(5, 7), "x"), None),
        (Edit(Span(3, 6), ""), None),
        (Edit(Span(3, 6), "cd🐍"), None),
        (Edit(Span(0, 9), ""), None),
    ],
    ids=[
        "before", "at the start", "up to the start", "at the end", "from the end", "inside", "nothing, inside",
        "a part goes", "over the start", "over the end", "all of it goes", "replaced by itself", "far over it",
    ],
)  # fmt: skip
def test_an_edit_at_each_place(edit: Edit, span: Span | None) -> None:
    documents, tracked = opened(TEXT), TrackedSpan(Span(3, 6))
    SpanTracker(documents, URI, lambda _document, _edits: None).add(tracked)
    change(documents, (edit,))
    assert tracked.span == span


@pytest.mark.parametrize(
    ("edit", "at"),
    [
        (Edit(Span(4, 4), "xx"), 6),
        (Edit(Span(3, 4), "xx"), 5),
        (Edit(Span(4, 5), "xx"), 4),
        (Edit(Span(5, 5), "xx"), 4),
        (Edit(Span(3, 5), "xx"), None),
    ],
    ids=["at it", "up to it", "from it", "behind it", "over it"],
)
def test_an_edit_at_an_empty_span(edit: Edit, at: int | None) -> None:
    tracked = TrackedSpan(Span(4, 4), (edit,))
    assert tracked.span == (None if at is None else Span(at, at))


def test_a_span_that_is_given_up_or_discarded_or_closed_is_not_moved() -> None:
    documents = opened(TEXT)
    lost, stays, moves = TrackedSpan(Span(3, 6)), TrackedSpan(Span(3, 6)), TrackedSpan(Span(3, 6))
    tracker = SpanTracker(documents, URI, lambda _document, _edits: None)
    tracker.add(lost, stays, moves)
    lost.lose()
    tracker.discard(stays, TrackedSpan(None))
    change(documents, (Edit(Span(0, 0), "x"),))
    assert (lost.span, stays.span, moves.span) == (None, Span(3, 6), Span(4, 7))
    tracker.close()
    tracker.close()
    change(documents, (Edit(Span(0, 0), "x"),))
    assert moves.span == Span(4, 7)


def test_the_close_is_told_and_ends_it() -> None:
    documents, told, tracked = opened(TEXT), [], TrackedSpan(Span(3, 6))
    tracker = SpanTracker(documents, URI, lambda document, edits: told.append((document, edits)))
    tracker.add(tracked)
    documents.close(URI)
    documents.open(URI, "python", 1, TEXT)
    change(documents, (Edit(Span(0, 0), "x"),))
    assert told == [(None, ())]
    assert tracked.span == Span(3, 6)
