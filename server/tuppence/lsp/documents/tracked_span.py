"""Spans that move with the edits of an open document.

A span follows an edit as :func:`tuppence.core.text.document.shift` says: an edit before it, or an insertion exactly at
its start, moves it; an edit behind it, or an insertion exactly at its end, leaves it as it is; any other edit reaches
into it, and the span is lost for good, even if an undo brings its text back.
"""

from __future__ import annotations

from collections.abc import Iterable

from tuppence.core.text.document import Document, Edit, Span, shift
from tuppence.lsp.documents.store import Documents, Listener


def follow(span: Span | None, edits: Iterable[Edit]) -> Span | None:
    """Return where a span lies after successive edits; None once one of them reached into it."""
    for edit in edits:
        span = shift(span, edit) if span is not None else None
    return span


class TrackedSpan:
    """A span that follows the edits of its document."""

    __slots__ = ("span",)

    def __init__(self, span: Span | None, edits: Iterable[Edit] = ()) -> None:
        """:param edits: what was edited since the version that the span refers to, in order."""
        self.span = follow(span, edits)
        """Where it lies now; None once an edit reached into it."""

    def follow(self, edits: Iterable[Edit]) -> None:
        """Move with edits, each relative to the text after the one before."""
        self.span = follow(self.span, edits)

    def lose(self) -> None:
        """Give the span up for another reason than an edit inside it."""
        self.span = None


class SpanTracker:
    """The spans that its owner follows in one document, by one subscription to the document's changes."""

    def __init__(self, documents: Documents, uri: str, changed: Listener) -> None:
        """:param changed: called after each change, when the spans have moved, and after the close.

        The close leaves the spans as they are and ends the subscription. A document that is not open has no changes.
        """
        self._changed = changed
        self._spans: list[TrackedSpan] = []
        self._unwatch = documents.watch(uri, self._move)

    def add(self, *spans: TrackedSpan) -> None:
        """Move spans, which refer to the newest version, with each further edit."""
        self._spans += spans

    def discard(self, *spans: TrackedSpan) -> None:
        """Stop moving spans; a span that was never added is ignored."""
        self._spans = [each for each in self._spans if each not in spans]

    def close(self) -> None:
        """End the subscription; the spans are not moved any more."""
        self._unwatch()

    def _move(self, document: Document | None, edits: tuple[Edit, ...]) -> None:
        for each in self._spans:
            each.follow(edits)
        if document is None:
            self.close()
        self._changed(document, edits)
