"""What can be asked of a parsed text, however it was parsed.

core/syntax/parser.py answers with a grammar, core/syntax/indentation.py by indentation and brackets; who asks need not
know which.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from tuppence.core.syntax.languages import Language
from tuppence.core.text.document import Document, Span

_T = TypeVar("_T")
CONTAINERS = frozenset({"class", "interface", "impl", "trait", "struct", "enum", "module"})
"""Kinds of block that hold other blocks."""


@dataclass(frozen=True, slots=True)
class Block:
    """One definition."""

    span: Span
    """All of it, with its decorators or attributes, without a comment above it."""
    name: str
    """As the code calls it; empty where it has no name."""
    kind: str
    """``function``, ``method``, ``class``, ``interface``, ``struct``, ...; ``block`` where nobody can tell."""
    header: Span
    """From its start to where its body starts, the opening brace and white space left out."""
    doc: Span | None = None
    """Its docstring, or the comment that stands right above it."""
    named: Span | None = None
    """Where its name stands in it; None where it has none."""


class Tree(ABC):
    """One parsed version of one text."""

    def __init__(self, text: str, language: Language, excess: str = "") -> None:
        self.text = text
        self.excess = excess
        """Why it is not read by its language's grammar, as a clause; empty where it is, or where there is none."""
        self.language = language
        self.lines = Document("", language.id, None, text)
        """Where the lines of the text are."""
        self.answers: dict[Callable[..., Any], Any] = {}
        """What functions said of this tree that are asked once for each tree (``once_per_tree``)."""

    @abstractmethod
    def faults(self) -> int:
        """Return how many places do not parse."""

    @abstractmethod
    def sound(self, span: Span | None = None) -> bool:
        """Report whether everything parses, inside the span or, with None, in the whole text."""

    @abstractmethod
    def enclosing(self, span: Span) -> Block | None:
        """Return the innermost definition that covers the span.

        A bare cursor in a line's indentation or behind its last character stands on that line's code; in the comment
        right above a definition, or on its decorators, it stands in the definition; on a blank line between
        definitions it stands in neither.
        """

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """Return every definition in order of its start, outer before inner."""

    def definitions(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that lie wholly inside a span, in order of their start, outer before inner."""
        return tuple(block for block in self.blocks() if span.covers(block.span))

    def meeting(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that share a code point or a boundary with a span, outer before inner."""
        return tuple(block for block in self.blocks() if block.span.touches(span))

    def around(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that cover a span and are larger than it, outermost first."""
        return tuple(block for block in self.blocks() if block.span != span and block.span.covers(span))

    @abstractmethod
    def import_statements(self) -> tuple[Span, ...]:
        """Return the top-level import statements that stand before the first definition (all, if none does)."""

    @abstractmethod
    def import_place(self) -> int:
        """Return the offset, at the start of a line or at the text's end, where a first import belongs."""

    @abstractmethod
    def statement(self, span: Span) -> Span | None:
        """Return the top-level statement that covers the span, None where there is none."""

    def separable(self, span: Span) -> Span | None:  # noqa: ARG002 - a tree without a grammar cannot tell
        """Return whole lines around a span that can be parsed apart from the rest of the text.

        They are top-level statements, one at least on either side of what the span touches: what is before them, they
        and what is behind them parse each for itself if the text does. None where the tree cannot tell.
        """
        return None

    @abstractmethod
    def names(self, span: Span) -> frozenset[str]:
        """Return the identifiers used inside the span."""

    @abstractmethod
    def strings(self, span: Span) -> tuple[Span, ...]:
        """Return the string literals that meet the span, in order; one inside of another counts to the outer one."""

    @abstractmethod
    def comments(self, span: Span) -> tuple[Span, ...]:
        """Return the comments that meet the span, in order, and the text of a page such as that between JSX tags."""

    @abstractmethod
    def counts(self, span: Span) -> Mapping[str, int]:
        """Return what makes the code inside the span hard, by feature; an absent feature is zero.

        ``lines`` (that are not blank), ``loops``, ``branches``, ``depth`` (the deepest nesting), ``async``, ``try``,
        ``closures``, ``calls``, ``types`` (generics, lifetimes), and in some languages ``unsafe``, ``pointers`` and
        ``jumps``.
        """

    def imports(self) -> Span | None:
        """Return the file's import block, from the first to the last import statement."""
        statements = self.import_statements()
        return Span(statements[0].start, statements[-1].end) if statements else None


def once_per_tree(work: Callable[[Tree], _T]) -> Callable[[Tree], _T]:
    """Make a function of a tree answer each tree once; its answer lasts as long as the tree, which never changes.

    Two threads that ask at the same moment may both do the work.
    """

    @wraps(work)
    def asked(tree: Tree) -> _T:
        if work not in tree.answers:
            tree.answers[work] = work(tree)
        return cast("_T", tree.answers[work])

    return asked
