"""A document, edits of it, and the resulting text, with the properties that several checks need, each computed once.

The old tree is the one from which the menu was made; the new one is parsed from it incrementally. Python is also parsed
by Python's own parser, but only the statements that the edits touch.
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
"""The Python grammar's names of statements after which the rest of their block is unreachable."""


class EditedText:
    """A document before and after edits, all of which refer to the document before."""

    def __init__(
        self, before: Document, edits: Sequence[Edit], tree: Tree | None = None, new: Tree | None = None
    ) -> None:
        """Take edits of a document.

        :param tree: the parse of the document before, if there is one.
        :param new: a parse of the text after, if there is one; a parse of another text is ignored.
        :raises ValueError: two edits overlap, or one is outside the text.
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
        # The number of faults depends on where a parse began, so only fresh parses can be compared.
        if self._tree is None or (isinstance(self._tree, SyntaxTree) and not self._tree.sound()):
            return parse(self.before.text, self.language)
        return self._tree

    @cached_property
    def new(self) -> Tree:
        """The parse of the text after; a fresh one if it has faults."""
        if not self.old.sound():
            return parse(self.after.text, self.language)
        tree = self._new or parse(self.after.text, self.language, self.old, backwards(self.edits))
        return tree if tree.sound() or not isinstance(tree, SyntaxTree) else parse(self.after.text, self.language)

    @cached_property
    def hunks(self) -> tuple[Hunk, ...]:
        """The changed lines."""
        return hunks(self.before, self.edits)

    @cached_property
    def lines(self) -> tuple[str, str]:
        """The whole lines that the edits touch, with their endings, before and after."""
        parts = self._parts([_full_lines(self.before, edit.span) for edit in self.edits])
        return "".join(old for old, _ in parts), "".join(new for _, new in parts)

    @cached_property
    def python(self) -> PythonEdit:
        """Both texts as parsed by Python's own parser."""
        places = [self.old.separable(edit.span) for edit in self.edits]
        known = [place for place in places if place is not None]
        whole = len(known) < len(places)
        return PythonEdit(self.before.text, self.after.text, None if whole else self._parts(known))

    def hides_code(self) -> bool:
        """Report whether more Python statements than before are unreachable, after one that always leaves its block."""
        leaves = isinstance(self.old, SyntaxTree) and not _LEAVES.isdisjoint(self.old.top_types())
        return self.python.hides(whole=leaves)

    def place(self, target: Span) -> Span:
        """Return the span of a target after the edits."""
        above = sum(len(edit.text) - len(edit.span) for edit in self.edits if edit.span.end < target.start)
        inside = sum(len(edit.text) - len(edit.span) for edit in self.edits if edit.span.touches(target))
        return Span(target.start + above, max(target.start + above, target.end + above + inside))

    def _parts(self, places: Sequence[Span]) -> list[tuple[str, str]]:
        """Return the text of some places before and after the edits; each edit must be within one place."""
        parts: list[tuple[str, str]] = []
        for place in _joined(places):
            inside = [edit for edit in self.edits if place.covers(edit.span)]
            moved = [Edit(_within(edit.span, place), edit.text) for edit in inside]
            old = self.before.slice(place)
            parts.append((old, apply(old, moved)))
        return parts


def _full_lines(document: Document, span: Span) -> Span:
    """Return the span of the full lines that a span touches, including the last line ending."""
    first, last = document.line_at(span.start), document.line_at(span.end)
    return Span(document.full_line_span(first).start, document.full_line_span(last).end)


def _joined(places: Sequence[Span]) -> list[Span]:
    """Return the places in order, with touching ones merged, so that no edit is in two of them."""
    found: list[Span] = []
    for place in sorted(places):
        if found and found[-1].touches(place):
            found[-1] = Span(found[-1].start, max(found[-1].end, place.end))
        else:
            found.append(place)
    return found


def _within(span: Span, place: Span) -> Span:
    return Span(span.start - place.start, span.end - place.start)
