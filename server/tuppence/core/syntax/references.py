"""The code in its own file that a piece of code uses: an answer about the code stays true while this is unchanged.

Names are matched as words; they are not resolved as a compiler would. workspace/used_definitions.py covers other files.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from tuppence.core.syntax.tree import Tree, once_per_tree
from tuppence.core.text.document import Span
from tuppence.core.text.nesting import Level, nested

_WORD = re.compile(r"\w+")


def referenced_by(tree: Tree, span: Span) -> tuple[str, ...]:
    """Return the definitions and statements of the file that the code in a span names, in order.

    Definitions are returned whole if their name is used. Of the rest (imports, constants, the headers and other members
    of the definitions around the span), the statements that have a name in common with the code are returned.
    """
    names, lines, blocks = tree.names(span), tree.lines, tree.blocks()
    top = _nesting(tree)
    around = ((index, level) for index, level in top.around(span) if not span.covers(blocks[index].span))
    levels = [_level(tree, index, level) for index, level in ((None, top), *around)]
    found = {
        blocks[index].span
        for level in levels
        for name in names
        for index in level.named.get(name, ())
        if _is_beside(blocks[index].span, span)
    }
    first, end = _lines(tree, span)
    for line in {line for level in levels for name in names for line in level.lines.get(name, ())}:
        if first <= line < end or any(_is_beside(each, span) for level in levels for each in level.at(line)):
            continue
        here = lines.line_span(line)
        statement = tree.statement(here)
        found.add(statement if statement is not None and not statement.touches(span) else here)
    return tuple(lines.slice(each).strip() for each in sorted(found))


class _Level:
    """What is named directly in one definition, or at the top of the file."""

    def __init__(self, tree: Tree, nesting: Level, first: int, end: int) -> None:
        """Read the lines of the definition, from the first one to the end, and the definitions directly inside."""
        blocks = [tree.blocks()[index] for index in nesting.members]
        self.named: dict[str, list[int]] = {}
        """The indexes of the definitions inside, by name."""
        for index, block in zip(nesting.members, blocks, strict=True):
            if block.name:
                self.named.setdefault(block.name, []).append(index)
        self.lines: dict[str, list[int]] = {}
        """The lines outside the definitions inside, by each word that they contain."""
        self._spans = [block.span for block in blocks]
        self._firsts, self._ends = [], []
        at = first
        for span in self._spans:
            begin, stop = _lines(tree, span)
            self._read(tree, at, begin)
            at = max(at, stop)
            self._firsts.append(begin)
            self._ends.append(stop)
        self._read(tree, at, end)

    def at(self, line: int) -> list[Span]:
        """Return the definitions directly inside of which the line holds a part."""
        return self._spans[bisect_right(self._ends, line) : bisect_right(self._firsts, line)]

    def _read(self, tree: Tree, first: int, end: int) -> None:
        if first >= end:
            return
        lines = tree.lines
        stop = lines.full_line_span(end - 1).end
        for word in _WORD.finditer(tree.text, lines.full_line_span(first).start, stop):
            line, here = lines.line_at(word.start()), self.lines.setdefault(word[0], [])
            if not here or here[-1] != line:
                here.append(line)


@once_per_tree
def _levels(_: Tree) -> dict[int | None, _Level]:
    """Return where the levels of a tree are cached, by the index of the definition; None for the file's own."""
    return {}


def _level(tree: Tree, index: int | None, inside: Level) -> _Level:
    cached = _levels(tree)
    if index not in cached:
        first, end = (0, tree.lines.line_count) if index is None else _lines(tree, tree.blocks()[index].span)
        cached[index] = _Level(tree, inside, first, end)
    return cached[index]


@once_per_tree
def _nesting(tree: Tree) -> Level:
    return nested([block.span for block in tree.blocks()])


def _is_beside(block: Span, span: Span) -> bool:
    """Return whether neither contains the other."""
    return not block.covers(span) and not span.covers(block)


def _lines(tree: Tree, span: Span) -> tuple[int, int]:
    """Return the first line of a span and the line after its last one."""
    return tree.lines.line_at(span.start), tree.lines.line_at(max(span.start, span.end - 1)) + 1
