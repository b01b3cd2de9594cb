"""The code in its own file that a piece of code uses: an answer about the code stays true while this is unchanged.

Names are matched as words; they are not resolved as a compiler would. workspace/used_definitions.py covers other files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuppence.core.syntax.tree import Block, Tree, once_per_tree
from tuppence.core.text.document import Span

_WORD = re.compile(r"\w+")


def referenced_by(tree: Tree, span: Span) -> tuple[str, ...]:
    """Return the definitions and statements of the file that the code in a span names, in order.

    Definitions are returned whole if their name is used. Of the rest (imports, constants, the headers and other members
    of the definitions around the span), the statements that have a name in common with the code are returned.
    """
    names, lines = tree.names(span), tree.lines
    found: dict[Span, None] = {}
    covered = bytearray(lines.line_count)
    for block, first, end in (*_apart(tree, span), (None, *_lines(tree, span))):
        covered[first:end] = b"\1" * (end - first)
        if block is not None and block.name in names:
            found[block.span] = None
    for line in _naming(tree, names, covered):
        here = lines.line_span(line)
        statement = tree.statement(here)
        is_small = statement is not None and not statement.touches(span)
        found[statement if statement is not None and is_small else here] = None
    return tuple(lines.slice(each).strip() for each in sorted(found))


def _naming(tree: Tree, names: frozenset[str], covered: bytearray) -> Iterator[int]:
    """Yield the uncovered lines that contain one of the names as a word."""
    lines, at = tree.lines, 0
    starts = (*lines.line_starts, len(tree.text))
    while (first := covered.find(0, at)) >= 0:
        at = covered.find(1, first)
        at = len(covered) if at < 0 else at
        last = -1
        for word in _WORD.finditer(tree.text, starts[first], starts[at]):
            if word[0] in names and (line := lines.line_at(word.start())) != last:
                last = line
                yield line


def _apart(tree: Tree, span: Span) -> list[tuple[Block, int, int]]:
    """Return the outermost definitions that neither contain the span nor are inside it, with their lines."""
    outermost: list[tuple[Block, int, int]] = []
    reached = -1
    for each in _blocks_with_lines(tree):
        start, end = each[0].span.start, each[0].span.end
        is_beside = not (start <= span.start and span.end <= end) and not (span.start <= start and end <= span.end)
        if is_beside and (end > reached or not outermost):
            outermost.append(each)
            reached = end
    return outermost


@once_per_tree
def _blocks_with_lines(tree: Tree) -> tuple[tuple[Block, int, int], ...]:
    """Return the definitions, each with its first line and the line after its last one."""
    return tuple((block, *_lines(tree, block.span)) for block in tree.blocks())


def _lines(tree: Tree, span: Span) -> tuple[int, int]:
    return tree.lines.line_at(span.start), tree.lines.line_at(max(span.start, span.end - 1)) + 1
