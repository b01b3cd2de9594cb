"""The findings of reviews, as diagnostics: each on the line that it quotes, moving with edits, gone when it changes.

A finding whose line is edited is dropped at once: it spoke of other text. Dismissed findings do not come back until
the next review. The quick fix of a finding is made anew for the document as it stands whenever the menu is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from uuid import uuid4

from lsprotocol import types

from tuppence.core.findings import Finding
from tuppence.core.text import Document, Edit, Span, shift
from tuppence.editor import convert
from tuppence.editor.desk import Desk

SOURCE = "tuppence"


@dataclass(frozen=True, slots=True)
class Pinned:
    """A finding on a document as it stands now."""

    id: str
    finding: Finding
    lines: str
    """The whole lines that it quotes; where they change, it falls."""
    span: Span
    """Where the quoted line lies now."""
    fix_span: Span | None
    """What its quick fix replaces now."""


class Board:
    """All findings that are shown."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pinned: dict[str, list[Pinned]] = {}
        self._unwatch: dict[str, Callable[[], None]] = {}

    def pin(self, document: Document, finding: Finding, moved: Iterable[Edit]) -> None:
        """Show a finding.

        :param document: the version that was reviewed.
        :param moved: what was edited since, in order.
        """
        line = document.slice(document.whole_lines(finding.span))
        asked = Pinned(uuid4().hex, finding, line, finding.span, finding.fix_span)
        pinned = _after(asked, tuple(moved), self._desk.documents.get(document.uri))
        if pinned is None or any(_same(each, pinned) for each in self._pinned.get(document.uri, ())):
            return
        if document.uri not in self._unwatch:
            uri = document.uri
            watcher = self._desk.documents.watch(uri, lambda now, edits: self._changed(uri, now, edits))
            self._unwatch[uri] = watcher
        self._pinned.setdefault(document.uri, []).append(pinned)
        self._publish(document.uri)

    def at(self, uri: str, span: Span) -> tuple[Pinned, ...]:
        """Return the findings that a span touches."""
        return tuple(each for each in self._pinned.get(uri, ()) if each.span.touches(span))

    def get(self, uri: str) -> tuple[Pinned, ...]:
        """Return all findings of a document."""
        return tuple(self._pinned.get(uri, ()))

    def dismiss(self, uri: str, identity: str) -> None:
        """Take one finding down."""
        self._pinned[uri] = [each for each in self._pinned.get(uri, ()) if each.id != identity]
        self._publish(uri)

    def clear(self, uri: str, only: Iterable[Finding] | None = None) -> None:
        """Take down all findings of a document, or only those given."""
        gone = None if only is None else {id(finding) for finding in only}
        self._pinned[uri] = [
            each for each in self._pinned.get(uri, ()) if gone is not None and id(each.finding) not in gone
        ]
        self._publish(uri)

    def _changed(self, uri: str, document: Document | None, edits: tuple[Edit, ...]) -> None:
        if document is None:
            self._unwatch.pop(uri)()
            self._pinned.pop(uri, None)
            self._desk.publish(uri, None, [])
            return
        before = self._pinned.get(uri, [])
        self._pinned[uri] = [moved for each in before if (moved := _after(each, edits, document)) is not None]
        if before:
            self._publish(uri)

    def _publish(self, uri: str) -> None:
        document = self._desk.documents.get(uri)
        if document is None:
            return
        diagnostics = [self._diagnostic(document, each) for each in self._pinned.get(uri, ())]
        self._desk.publish(uri, document.version, diagnostics)

    def _diagnostic(self, document: Document, pinned: Pinned) -> types.Diagnostic:
        return types.Diagnostic(
            range=convert.to_range(document, pinned.span, self._desk.encoding),
            message=pinned.finding.message,
            severity=convert.to_severity(pinned.finding.severity),
            source=SOURCE,
            code="review",
            data={"finding": pinned.id},
        )


def _after(pinned: Pinned, edits: tuple[Edit, ...], document: Document | None) -> Pinned | None:
    """Return a finding after edits that led to a document, None where its lines are not what they were."""
    span: Span | None = pinned.span
    fix = pinned.fix_span
    for edit in edits:
        span = shift(span, edit) if span is not None else None
        fix = shift(fix, edit) if fix is not None else None
    if span is None or document is None or document.slice(document.whole_lines(span)) != pinned.lines:
        return None
    return replace(pinned, span=span, fix_span=fix)


def _same(one: Pinned, other: Pinned) -> bool:
    return one.span == other.span and one.finding.message == other.finding.message
