"""What a piece of code leans on in its own file: what has to be the same for an answer about it to be true still.

Names are matched as words; nothing is resolved as a compiler would. What lies in other files is workspace's affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuppence.core.syntax.tree import Block, Tree, once_per_tree
from tuppence.core.text.document import Span

_WORD = re.compile(r"\w+")


def referenced_by(tree: Tree, span: Span) -> tuple[str, ...]:
    """Return the definitions and statements of the file that the code in a span names, in their order.

    Other definitions count whole, where their name is used; of what is left (imports, constants, the heads and other
    members of the definitions around the span), the statements that share a name with it.
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
    """Yield the lines that are not covered and hold one of the names as a word."""
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
    """Return the outermost definitions of those that neither hold the span nor lie in it, with their lines."""
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
    """Return the definitions, each with its first line and the line behind its last one."""
    return tuple((block, *_lines(tree, block.span)) for block in tree.blocks())


def _lines(tree: Tree, span: Span) -> tuple[int, int]:
    return tree.lines.line_at(span.start), tree.lines.line_at(max(span.start, span.end - 1)) + 1
