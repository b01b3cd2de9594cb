"""A text, the edits to it and the text that they make: what several checks need of the three, each found out once.

The old tree is the one that the menu was made from; the new one is parsed from it, incrementally. Python is parsed by
Python's own parser too, but no more of it than the statements that the edits touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from tuppence.core.checks.hunks import Hunk, hunks
from tuppence.core.syntax.languages import Language, language
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.syntax.python_ast import PythonEdit
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.diff import backwards
from tuppence.core.text.document import Document, Edit, Span, apply

_LEAVES = frozenset({"return_statement", "raise_statement", "break_statement", "continue_statement"})
"""What the Python grammar calls the statements after which none of their block is reached."""


class EditedText:
    """A document before and after edits, which all refer to the document before."""

    def __init__(
        self, before: Document, edits: Sequence[Edit], tree: Tree | None = None, new: Tree | None = None
    ) -> None:
        """Take the edits to a document.

        :param tree: the parse of the document before, where there is one already.
        :param new: a parse of the text after, if there is one already; of another text it is passed over.
        :raises ValueError: two edits overlap, or one lies outside the text.
        """
        self.before = before
        self.edits = tuple(edits)
        self.after = replace(before, text=apply(before.text, edits))
        self.language: Language = tree.language if tree else language(before.language)
        self._tree = tree
        self._new = new if new is not None and new.text == self.after.text else None

    @cached_property
    def old(self) -> Tree:
        """The parse of the text before."""
        # How many faults are found in a text depends on where a parse began: only fresh ones can be compared.
        if self._tree is None or (isinstance(self._tree, SyntaxTree) and not self._tree.sound()):
            return parse(self.before.text, self.language)
        return self._tree

    @cached_property
    def new(self) -> Tree:
        """The parse of the text after; a fresh one where it has faults."""
        if not self.old.sound():
            return parse(self.after.text, self.language)
        tree = self._new or parse(self.after.text, self.language, self.old, backwards(self.edits))
        return tree if tree.sound() or not isinstance(tree, SyntaxTree) else parse(self.after.text, self.language)

    @cached_property
    def hunks(self) -> tuple[Hunk, ...]:
        """The lines that change."""
        return hunks(self.before, self.edits)

    @cached_property
    def lines(self) -> tuple[str, str]:
        """The whole lines that the edits touch, as they were and as they are, with their endings."""
        parts = self._parts([_full_lines(self.before, edit.span) for edit in self.edits])
        return "".join(old for old, _ in parts), "".join(new for _, new in parts)

    @cached_property
    def python(self) -> PythonEdit:
        """Both texts as Python's own parser reads them."""
        places = [self.old.separable(edit.span) for edit in self.edits]
        known = [place for place in places if place is not None]
        whole = len(known) < len(places)
        return PythonEdit(self.before.text, self.after.text, None if whole else self._parts(known))

    def hides_code(self) -> bool:
        """Report whether more of Python's statements than before lie behind one that always leaves their block."""
        leaves = isinstance(self.old, SyntaxTree) and not _LEAVES.isdisjoint(self.old.top_types())
        return self.python.hides(whole=leaves)

    def place(self, target: Span) -> Span:
        """Return where the text of a target lies after the edits."""
        above = sum(len(edit.text) - len(edit.span) for edit in self.edits if edit.span.end < target.start)
        inside = sum(len(edit.text) - len(edit.span) for edit in self.edits if edit.span.touches(target))
        return Span(target.start + above, max(target.start + above, target.end + above + inside))

    def _parts(self, places: Sequence[Span]) -> list[tuple[str, str]]:
        """Return the text of these places, of which each edit lies in one, before and after the edits."""
        parts: list[tuple[str, str]] = []
        for place in _joined(places):
            inside = [edit for edit in self.edits if place.covers(edit.span)]
            moved = [Edit(_within(edit.span, place), edit.text) for edit in inside]
            old = self.before.slice(place)
            parts.append((old, apply(old, moved)))
        return parts


def _full_lines(document: Document, span: Span) -> Span:
    """Return the lines that a span touches, with the last one's ending."""
    first, last = document.line_at(span.start), document.line_at(span.end)
    return Span(document.full_line_span(first).start, document.full_line_span(last).end)


def _joined(places: Sequence[Span]) -> list[Span]:
    """Return the places in order, those that touch as one, so that no edit lies in two."""
    found: list[Span] = []
    for place in sorted(places):
        if found and found[-1].touches(place):
            found[-1] = Span(found[-1].start, max(found[-1].end, place.end))
        else:
            found.append(place)
    return found


def _within(span: Span, place: Span) -> Span:
    return Span(span.start - place.start, span.end - place.start)
