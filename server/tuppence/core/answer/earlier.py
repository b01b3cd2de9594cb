"""An answer that is in a document already, and the document without it.

Asking again with a better model is about the text before the first answer. The text in the editor is another one: it
holds that answer. Both are here, with what lies where in each of them. The text around the answer is as it is now in
both. What the answer brought outside its target, its imports, is left out of the original too, unless the document was
changed elsewhere since: the user may have written code that needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuppence.core.text.document import Document, Edit, Span, apply


@dataclass(frozen=True, slots=True)
class EarlierPart:
    """A part of a document that an answer wrote."""

    span: Span
    """Where it lies in the document with the answer."""
    text: str
    """What it holds there."""
    before: str
    """What it held before any answer: what Put back restores."""
    place: Span
    """Where it lies in the original."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierAnswer:
    """A document with an answer in it, and without it."""

    runs: tuple[str, ...]
    """The runs whose answers replaced one another here, the latest last."""
    document: Document
    """With the answer: as it is in the editor."""
    original: Document
    """Without it; no editor has it, so it has no version."""
    target: EarlierPart
    others: tuple[EarlierPart, ...]
    """What the answer wrote outside its target, in order."""
    has_imports: bool
    """Whether the original keeps what the answer wrote outside its target."""

    def is_repeated_by(self, edits: Sequence[Edit]) -> bool:
        """Report whether edits of the original say what the document holds already.

        An answer with the same code that names no import says so too: the imports may be there since the first answer.
        """
        if apply(self.original.text, edits) == self.document.text:
            return True
        place = self.target.place
        if not all(place.covers(edit.span) for edit in edits):
            return False
        inside = (Edit(Span(each.span.start - place.start, each.span.end - place.start), each.text) for each in edits)
        return apply(self.original.slice(place), inside) == self.target.text

    def landing(self, span: Span) -> Span:
        """Return where a span of the original that touches no part lies in the document."""
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
    """Return a document with an answer, and without it.

    :param target: where the answer's target lies, and the text that was there before any answer.
    :param others: the same for what the answer wrote outside it; no two overlap.
    :param has_imports: whether the original keeps the others.
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
