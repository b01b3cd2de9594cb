"""Review findings shown as diagnostics: each on the line that it quotes, moved by edits, removed when the line changes.

A finding whose line is edited is dropped at once, because it concerned other text. Dismissed findings do not return
until the next review. The quick fix of a finding is computed for the current document whenever the menu is opened, and
offered only while its lines are unchanged and the document still parses with it. No model is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from uuid import uuid4

from lsprotocol import types

from tuppence.core.actions import REVIEW
from tuppence.core.answer.reply import Fence, Parts
from tuppence.core.answer.review.findings import Finding
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.structure import check_edit
from tuppence.core.text.document import Document, Edit, Span
from tuppence.lsp.documents import convert
from tuppence.lsp.documents.tracked_span import SpanTracker, TrackedSpan
from tuppence.lsp.output.client import EditorClient

SOURCE = "tuppence"


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding in the current document."""

    id: str
    finding: Finding
    lines: str
    """The whole lines that it quotes; if they change, the finding is dropped."""
    span: Span
    """The current span of the quoted line."""
    fix_span: Span | None
    """The span that its quick fix replaces; None if it has none, or no longer."""
    fix_lines: str = ""
    """The text that its quick fix replaces; if it changes, the fix is dropped and the finding stays."""
    action: str = REVIEW.id
    """The id of the action that found it."""


@dataclass(slots=True, eq=False)
class _PinnedFinding:
    """A shown finding with its tracked spans."""

    shown: ShownFinding
    """The finding at the document's newest version."""
    line: TrackedSpan
    """The tracked span of the quoted line."""
    fix: TrackedSpan
    """The tracked span that the quick fix replaces; lost if there is none."""

    def holds(self, document: Document | None) -> bool:
        """Update ``shown`` after the spans have moved; report whether the document still has the quoted lines.

        If only the lines of the fix differ, the fix is lost and the finding remains.
        """
        line, fix, shown = self.line.span, self.fix.span, self.shown
        if line is None or document is None or document.slice(document.whole_lines(line)) != shown.lines:
            return False
        if fix is not None and document.slice(document.whole_lines(fix)) != shown.fix_lines:
            self.fix.lose()
        self.shown = replace(shown, span=line, fix_span=self.fix.span)
        return True


class ReviewFindings:
    """All shown findings."""

    def __init__(self, client: EditorClient) -> None:
        self._client = client
        self._pinned: dict[str, list[_PinnedFinding]] = {}
        self._trackers: dict[str, SpanTracker] = {}
        self._fits: dict[str, tuple[int | None, bool]] = {}
        """Whether a version of the document parses with a finding's fix, by the finding's id."""

    def pin(self, document: Document, finding: Finding, moved: Iterable[Edit], action: str = REVIEW.id) -> None:
        """Show a finding, in place of an equivalent one on its line.

        :param document: the version that was reviewed.
        :param moved: the edits since then, in order.
        :param action: the id of the action that found it.
        """
        line = document.slice(document.whole_lines(finding.span))
        fix = finding.fix_span if finding.fix is not None else None
        replaced = document.slice(fix) if fix is not None else ""
        asked = ShownFinding(uuid4().hex, finding, line, finding.span, fix, replaced, action)
        edits = tuple(moved)
        pinned = _PinnedFinding(asked, TrackedSpan(finding.span, edits), TrackedSpan(fix, edits))
        if not pinned.holds(self._client.documents.get(document.uri)):
            return
        uri = document.uri
        if uri not in self._trackers:
            self._trackers[uri] = SpanTracker(self._client.documents, uri, lambda now, _edits: self._changed(uri, now))
        before = self._pinned.get(uri, [])
        gone = [each for each in before if _is_repeated(each.shown, pinned.shown)]
        self._untrack(uri, gone)
        self._trackers[uri].add(pinned.line, pinned.fix)
        self._pinned[uri] = [*(each for each in before if each not in gone), pinned]
        self._publish(uri)

    def at(self, uri: str, span: Span) -> tuple[ShownFinding, ...]:
        """Return the findings that a span touches."""
        return tuple(each for each in self.get(uri) if each.span.touches(span))

    def get(self, uri: str) -> tuple[ShownFinding, ...]:
        """Return all findings of a document."""
        return tuple(each.shown for each in self._pinned.get(uri, ()))

    def within(self, uri: str, span: Span) -> tuple[str, ...]:
        """Return the ids of the findings that a span touches."""
        return tuple(each.id for each in self.at(uri, span))

    async def quick_fix(self, document: Document, pinned: ShownFinding) -> Edit | None:
        """Return the edit that the model offered with a finding.

        None if it offered none, if the lines to replace have changed, or if the document would parse worse with it.
        """
        fix, span = pinned.finding.fix, pinned.fix_span
        if fix is None or span is None:
            return None
        edit = Edit(span, fix)
        version, fits = self._fits.get(pinned.id, (None, False))
        if version is None or version != document.version:
            parts = Parts("", (Fence("", fix, closed=True),))
            verdict = await asyncio.to_thread(lambda: check_edit(EditedText(document, (edit,)), parts, "end"))
            fits = verdict.fit
            self._fits[pinned.id] = (document.version, fits)
        return edit if fits else None

    def dismiss(self, uri: str, identities: Collection[str]) -> None:
        """Remove findings; unknown ids are ignored."""
        self._keep(uri, [each for each in self._pinned.get(uri, ()) if each.shown.id not in identities])

    def clear(self, uri: str, only: Iterable[Finding] | None = None) -> None:
        """Remove all findings of a document, or only the given ones."""
        gone = None if only is None else {id(finding) for finding in only}
        pinned = self._pinned.get(uri, ())
        self._keep(uri, [each for each in pinned if gone is not None and id(each.shown.finding) not in gone])

    def _changed(self, uri: str, document: Document | None) -> None:
        if document is None:
            del self._trackers[uri]
            self._forget(self._pinned.pop(uri, []))
            self._client.publish(uri, None, [])
            return
        self._keep(uri, [each for each in self._pinned.get(uri, ()) if each.holds(document)])

    def _keep(self, uri: str, pinned: list[_PinnedFinding]) -> None:
        """Keep only these of a document's findings, and show them."""
        before = self._pinned.get(uri, [])
        if not before:
            return
        gone = [each for each in before if each not in pinned]
        self._forget(gone)
        self._untrack(uri, gone)
        self._pinned[uri] = pinned
        self._publish(uri)

    def _forget(self, gone: Iterable[_PinnedFinding]) -> None:
        """Drop the stored quick-fix checks of findings."""
        for each in gone:
            self._fits.pop(each.shown.id, None)

    def _untrack(self, uri: str, gone: Iterable[_PinnedFinding]) -> None:
        """Stop tracking the spans of findings."""
        self._trackers[uri].discard(*(span for each in gone for span in (each.line, each.fix)))

    def _publish(self, uri: str) -> None:
        document = self._client.documents.get(uri)
        if document is None:
            return
        diagnostics = [self.diagnostic(document, each) for each in self.get(uri)]
        self._client.publish(uri, document.version, diagnostics)

    def diagnostic(self, document: Document, pinned: ShownFinding) -> types.Diagnostic:
        """Return a finding as an LSP diagnostic."""
        return types.Diagnostic(
            range=convert.to_range(document, pinned.span, self._client.encoding),
            message=pinned.finding.message,
            severity=convert.to_severity(pinned.finding.severity),
            source=SOURCE,
            code=pinned.action,
            data={"finding": pinned.id},
        )


def _is_repeated(one: ShownFinding, other: ShownFinding) -> bool:
    return one.span == other.span and one.finding.message == other.finding.message
