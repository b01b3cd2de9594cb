"""The interface of a parsed text, independent of how it was parsed.

core/syntax/parser.py implements it with a grammar, core/syntax/indentation.py by indentation and brackets; callers need
not know which.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from tuppence.core.syntax.languages import Language
from tuppence.core.text.document import Document, Span

_T = TypeVar("_T")
CONTAINERS = frozenset({"class", "interface", "impl", "trait", "struct", "enum", "module"})
"""Kinds of blocks that contain other blocks."""


@dataclass(frozen=True, slots=True)
class Block:
    """One definition."""

    span: Span
    """The whole definition, with its decorators or attributes, without a comment above it."""
    name: str
    """Its name in the code; empty if it has none."""
    kind: str
    """``function``, ``method``, ``class``, ``interface``, ``struct``, ...; ``block`` if unknown."""
    header: Span
    """From its start to the start of its body, without the opening brace and white space."""
    doc: Span | None = None
    """Its docstring, or the comment directly above it."""
    named: Span | None = None
    """The span of its name; None if it has none."""


class Tree(ABC):
    """One parsed version of one text."""

    def __init__(self, text: str, language: Language, excess: str = "") -> None:
        self.text = text
        self.excess = excess
        """A clause on why the language's grammar was not used; empty if it was used or there is none."""
        self.language = language
        self.lines = Document("", language.id, None, text)
        """The line structure of the text."""
        self.answers: dict[Callable[..., Any], Any] = {}
        """Results of functions that are computed once per tree (``once_per_tree``)."""

    @abstractmethod
    def faults(self) -> int:
        """Return the number of places that do not parse."""

    @abstractmethod
    def sound(self, span: Span | None = None) -> bool:
        """Report whether everything in the span, or by default in the whole text, parses."""

    @abstractmethod
    def enclosing(self, span: Span) -> Block | None:
        """Return the innermost definition that covers the span.

        A bare cursor in a line's indentation or after its last character counts as on that line's code. In the comment
        directly above a definition, or on its decorators, it counts as in the definition; on a blank line between
        definitions, as in neither.
        """

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """Return every definition in order of its start, outer before inner."""

    def definitions(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions entirely inside a span, in order of their start, outer before inner."""
        return tuple(block for block in self.blocks() if span.covers(block.span))

    def meeting(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that share a code point or a boundary with a span, outer before inner."""
        return tuple(block for block in self.blocks() if block.span.touches(span))

    def around(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that cover a span and are larger than it, outermost first."""
        return tuple(block for block in self.blocks() if block.span != span and block.span.covers(span))

    @abstractmethod
    def import_statements(self) -> tuple[Span, ...]:
        """Return the top-level import statements before the first definition; if none is before it, all of them."""

    @abstractmethod
    def import_place(self) -> int:
        """Return the offset, at the start of a line or at the text's end, for a file's first import."""

    @abstractmethod
    def statement(self, span: Span) -> Span | None:
        """Return the top-level statement that covers the span, None if there is none."""

    def separable(self, span: Span) -> Span | None:  # noqa: ARG002 - a tree without a grammar cannot tell
        """Return whole lines around a span that can be parsed separately from the rest of the text.

        They are top-level statements, with at least one on either side of those that the span touches: the text before
        them, they themselves, and the text after them parse separately if the whole text parses. None if unknown.
        """
        return None

    @abstractmethod
    def names(self, span: Span) -> frozenset[str]:
        """Return the identifiers used inside the span."""

    @abstractmethod
    def strings(self, span: Span) -> tuple[Span, ...]:
        """Return the string literals that touch the span, in order; a nested one counts as part of the outer one."""

    @abstractmethod
    def comments(self, span: Span) -> tuple[Span, ...]:
        """Return the comments that touch the span, in order, and the text of a page such as that between JSX tags."""

    def imports(self) -> Span | None:
        """Return the span from the first to the last import statement, None without imports."""
        statements = self.import_statements()
        return Span(statements[0].start, statements[-1].end) if statements else None


def once_per_tree(work: Callable[[Tree], _T]) -> Callable[[Tree], _T]:
    """Decorate a function of a tree to compute its result once per tree; a tree never changes.

    Two threads that call it at the same moment may both compute the result.
    """

    @wraps(work)
    def asked(tree: Tree) -> _T:
        if work not in tree.answers:
            tree.answers[work] = work(tree)
        return cast("_T", tree.answers[work])

    return asked
