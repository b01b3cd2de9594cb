"""A document that contains an earlier answer, and the document without that answer.

Asking again with a better model works on the text before the first answer, while the editor holds the text with it.
This module provides both texts and maps spans between them. Changes around the answer since then are in both texts.
What the answer wrote outside its target (imports) is left out of the original too, unless the document was changed
elsewhere since: the user may have written code that needs those imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuppence.core.text.document import Document, Edit, Span, apply


@dataclass(frozen=True, slots=True)
class EarlierPart:
    """A part of a document that an answer wrote."""

    span: Span
    """Its span in the document with the answer."""
    text: str
    """Its text in that document."""
    before: str
    """The text at this place before any answer; Put back restores it."""
    place: Span
    """Its span in the original."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierAnswer:
    """A document with an answer in it, and the document without that answer."""

    runs: tuple[str, ...]
    """The ids of the runs whose answers replaced one another here, the latest last."""
    document: Document
    """The document with the answer, as it is in the editor."""
    original: Document
    """The document without the answer. It is in no editor, so it has no version."""
    target: EarlierPart
    others: tuple[EarlierPart, ...]
    """The parts that the answer wrote outside its target, in order."""
    has_imports: bool
    """Whether the original includes what the answer wrote outside its target."""

    def is_repeated_by(self, edits: Sequence[Edit]) -> bool:
        """Report whether edits of the original produce text that the document already has.

        A repeated answer need not name the imports again, because they may be present since the first answer.
        """
        if apply(self.original.text, edits) == self.document.text:
            return True
        place = self.target.place
        if not all(place.covers(edit.span) for edit in edits):
            return False
        inside = (Edit(Span(each.span.start - place.start, each.span.end - place.start), each.text) for each in edits)
        return apply(self.original.slice(place), inside) == self.target.text

    def landing(self, span: Span) -> Span:
        """Return the span in the document that corresponds to a span of the original that touches no part."""
        parts = (part for part in (self.target, *self.others) if part.place.end <= span.start)
        by = sum(len(part.span) - len(part.place) for part in parts)
        return Span(span.start + by, span.end + by)


def without(
    document: Document,
    target: tuple[Span, str],
    others: Sequence[tuple[Span, str]],
    *,
    runs: tuple[str, ...],
    has_imports: bool,
) -> EarlierAnswer:
    """Return a document with an answer, and the document without it.

    :param target: the span of the answer's target, and the text that was there before any answer.
    :param others: spans and earlier texts of what the answer wrote outside its target; no two overlap.
    :param has_imports: whether the original includes ``others``.
    """
    placed: dict[tuple[Span, str], EarlierPart] = {}
    edits: list[Edit] = []
    moved = 0
    for each in sorted((target, *others), key=lambda part: part[0]):
        span, before = each
        text = document.slice(span)
        put = text if has_imports and each is not target else before
        start = span.start + moved
        placed[each] = EarlierPart(span, text, before, Span(start, start + len(put)))
        edits.append(Edit(span, put))
        moved += len(put) - len(span)
    original = replace(document, version=None, text=apply(document.text, edits))
    return EarlierAnswer(
        runs=runs,
        document=document,
        original=original,
        target=placed[target],
        others=tuple(placed[each] for each in sorted(others)),
        has_imports=has_imports,
    )
