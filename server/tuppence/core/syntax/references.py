"""The code in its own file that a piece of code uses: an answer about the code stays true while this is unchanged.

Names are matched as words; they are not resolved as a compiler would. workspace/used_definitions.py covers other files.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

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
    scopes = [_scope(tree, index, level) for index, level in ((None, top), *around)]
    found: set[Span] = set()
    naming: dict[int, int] = {}
    for depth, scope in enumerate(scopes):
        for name in scope.named.keys() & names:
            found.update(each for index in scope.named[name] if _is_beside(each := blocks[index].span, span))
        for name in scope.lines.keys() & names:
            naming |= dict.fromkeys(scope.lines[name], depth)
    first, end = _lines(tree, span)
    for line, depth in naming.items():
        if first <= line < end or _is_shared(line, scopes, depth, span):
            continue
        here = lines.line_span(line)
        statement = tree.statement(here)
        found.add(statement if statement is not None and not statement.touches(span) else here)
    return tuple(lines.slice(each).strip() for each in sorted(found))


def _is_shared(line: int, scopes: Sequence[_Scope], depth: int, span: Span) -> bool:
    """Return whether a line of a scope also holds a part of a definition beside the span.

    Only the first and the last line of a scope can, in the scopes around it.
    """
    while depth and line in (scopes[depth].first, scopes[depth].last):
        depth -= 1
        if any(_is_beside(each, span) for each in scopes[depth].at(line)):
            return True
    return False


class _Scope:
    """What is named directly in one definition, or at the top of the file."""

    def __init__(self, tree: Tree, nesting: Level, first: int, end: int) -> None:
        """Read the lines of the definition, from the first one to the end, and the definitions directly inside."""
        blocks = [tree.blocks()[index] for index in nesting.members]
        self.first, self.last = first, end - 1
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
def _scopes(_: Tree) -> dict[int | None, _Scope]:
    """Return the cache of a tree's scopes by the index of the definition; the file's own scope has the key None."""
    return {}


def _scope(tree: Tree, index: int | None, inside: Level) -> _Scope:
    cached = _scopes(tree)
    if index not in cached:
        first, end = (0, tree.lines.line_count) if index is None else _lines(tree, tree.blocks()[index].span)
        cached[index] = _Scope(tree, inside, first, end)
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
