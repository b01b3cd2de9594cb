"""The findings of reviews, as diagnostics: each on the line that it quotes, moving with edits, gone when it changes.

A finding whose line is edited is dropped at once: it spoke of other text. Dismissed findings do not come back until
the next review. The quick fix of a finding is made anew for the document as it stands whenever the menu is opened, and
given only while its lines are as they were quoted and the document still parses with it. Nothing is asked of a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from uuid import uuid4

from lsprotocol import types

from tuppence.core.actions import REVIEW
from tuppence.core.answer.findings import Finding
from tuppence.core.answer.reply import Fence, Parts
from tuppence.core.checks.structure import check_edit
from tuppence.core.text.document import Document, Edit, Span, shift
from tuppence.lsp.documents import convert
from tuppence.lsp.output.client import EditorClient

SOURCE = "tuppence"


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding on a document as it stands now."""

    id: str
    finding: Finding
    lines: str
    """The whole lines that it quotes; where they change, it falls."""
    span: Span
    """Where the quoted line lies now."""
    fix_span: Span | None
    """What its quick fix replaces now; None where it has none, or not any more."""
    fix_lines: str = ""
    """The text that its quick fix replaces; where it changes, the fix falls and the finding stays."""
    action: str = REVIEW.id
    """The id of the action that found it."""


class ReviewFindings:
    """All findings that are shown."""

    def __init__(self, client: EditorClient) -> None:
        self._client = client
        self._pinned: dict[str, list[ShownFinding]] = {}
        self._unwatch: dict[str, Callable[[], None]] = {}
        self._fits: dict[str, tuple[int | None, bool]] = {}
        """Whether the document, in that version, parses with a finding's fix; by the finding's id."""

    def pin(self, document: Document, finding: Finding, moved: Iterable[Edit], action: str = REVIEW.id) -> None:
        """Show a finding, in place of one that says the same of the same line.

        :param document: the version that was reviewed.
        :param moved: what was edited since, in order.
        :param action: the id of the action that found it.
        """
        line = document.slice(document.whole_lines(finding.span))
        fix = finding.fix_span if finding.fix is not None else None
        replaced = document.slice(fix) if fix is not None else ""
        asked = ShownFinding(uuid4().hex, finding, line, finding.span, fix, replaced, action)
        pinned = _after(asked, tuple(moved), self._client.documents.get(document.uri))
        if pinned is None:
            return
        if document.uri not in self._unwatch:
            uri = document.uri
            watcher = self._client.documents.watch(uri, lambda now, edits: self._changed(uri, now, edits))
            self._unwatch[uri] = watcher
        others = [each for each in self.get(document.uri) if not _same(each, pinned)]
        self._pinned[document.uri] = [*others, pinned]
        self._publish(document.uri)

    def at(self, uri: str, span: Span) -> tuple[ShownFinding, ...]:
        """Return the findings that a span touches."""
        return tuple(each for each in self._pinned.get(uri, ()) if each.span.touches(span))

    def get(self, uri: str) -> tuple[ShownFinding, ...]:
        """Return all findings of a document."""
        return tuple(self._pinned.get(uri, ()))

    def within(self, uri: str, span: Span) -> tuple[str, ...]:
        """Return the ids of the findings that a span touches."""
        return tuple(each.id for each in self.at(uri, span))

    async def quick_fix(self, document: Document, pinned: ShownFinding) -> Edit | None:
        """Return the edit that the model offered with a finding.

        None where it offered none, where the lines that it replaces are not what they were, and where the document
        would not parse with it as it does now.
        """
        fix, span = pinned.finding.fix, pinned.fix_span
        if fix is None or span is None:
            return None
        edit = Edit(span, fix)
        version, fits = self._fits.get(pinned.id, (None, False))
        if version is None or version != document.version:
            parts = Parts("", (Fence("", fix, closed=True),))
            verdict = await asyncio.to_thread(check_edit, document, (edit,), parts, "end")
            fits = verdict.fit
            self._fits[pinned.id] = (document.version, fits)
        return edit if fits else None

    def dismiss(self, uri: str, identities: Collection[str]) -> None:
        """Take findings down; those that are gone already are no mistake."""
        self._keep(uri, [each for each in self.get(uri) if each.id not in identities])

    def clear(self, uri: str, only: Iterable[Finding] | None = None) -> None:
        """Take down all findings of a document, or only those given."""
        gone = None if only is None else {id(finding) for finding in only}
        self._keep(uri, [each for each in self.get(uri) if gone is not None and id(each.finding) not in gone])

    def _changed(self, uri: str, document: Document | None, edits: tuple[Edit, ...]) -> None:
        if document is None:
            self._unwatch.pop(uri)()
            self._forget(self._pinned.pop(uri, []))
            self._client.publish(uri, None, [])
            return
        self._keep(uri, [moved for each in self.get(uri) if (moved := _after(each, edits, document)) is not None])

    def _keep(self, uri: str, pinned: list[ShownFinding]) -> None:
        """Show these of a document's findings from now on."""
        before = self._pinned.get(uri, [])
        if not before:
            return
        kept = {each.id for each in pinned}
        self._forget([each for each in before if each.id not in kept])
        self._pinned[uri] = pinned
        self._publish(uri)

    def _forget(self, gone: Iterable[ShownFinding]) -> None:
        for each in gone:
            self._fits.pop(each.id, None)

    def _publish(self, uri: str) -> None:
        document = self._client.documents.get(uri)
        if document is None:
            return
        diagnostics = [self.diagnostic(document, each) for each in self.get(uri)]
        self._client.publish(uri, document.version, diagnostics)

    def diagnostic(self, document: Document, pinned: ShownFinding) -> types.Diagnostic:
        """Return a finding as the editor shows it."""
        return types.Diagnostic(
            range=convert.to_range(document, pinned.span, self._client.encoding),
            message=pinned.finding.message,
            severity=convert.to_severity(pinned.finding.severity),
            source=SOURCE,
            code=pinned.action,
            data={"finding": pinned.id},
        )


def _after(pinned: ShownFinding, edits: tuple[Edit, ...], document: Document | None) -> ShownFinding | None:
    """Return a finding after edits that led to a document, None where its lines are not what they were."""
    span: Span | None = pinned.span
    fix = pinned.fix_span
    for edit in edits:
        span = shift(span, edit) if span is not None else None
        fix = shift(fix, edit) if fix is not None else None
    if span is None or document is None or document.slice(document.whole_lines(span)) != pinned.lines:
        return None
    if fix is not None and document.slice(document.whole_lines(fix)) != pinned.fix_lines:
        fix = None
    return replace(pinned, span=span, fix_span=fix)


def _same(one: ShownFinding, other: ShownFinding) -> bool:
    return one.span == other.span and one.finding.message == other.finding.message
