"""What a piece of code leans on in its own file: what has to be the same for an answer about it to be true still.

Names are matched as words; nothing is resolved as a compiler would. What lies in other files is workspace's affair.
"""

from __future__ import annotations

import re

from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Span

_WORD = re.compile(r"\w+")


def referenced_by(tree: Tree, span: Span) -> tuple[str, ...]:
    """Return the definitions and statements of the file that the code in a span names, in their order.

    Other definitions count whole, where their name is used; of what is left (imports, constants, the heads and other
    members of the definitions around the span), the statements that share a name with it.
    """
    names, lines = tree.names(span), tree.lines
    apart = _apart(tree, span)
    found = {each.span: None for each in apart if each.name in names}
    covered = {line for each in apart for line in _lines(tree, each.span)} | set(_lines(tree, span))
    for line in range(lines.line_count):
        here = lines.line_span(line)
        if line not in covered and not names.isdisjoint(_WORD.findall(lines.slice(here))):
            statement = tree.statement(here)
            is_small = statement is not None and not statement.touches(span)
            found[statement if statement is not None and is_small else here] = None
    return tuple(lines.slice(each).strip() for each in sorted(found))


def _apart(tree: Tree, span: Span) -> list[Block]:
    """Return the outermost definitions of those that neither hold the span nor lie in it."""
    outermost: list[Block] = []
    for each in tree.blocks():
        is_beside = not each.span.covers(span) and not span.covers(each.span)
        if is_beside and not (outermost and outermost[-1].span.covers(each.span)):
            outermost.append(each)
    return outermost


def _lines(tree: Tree, span: Span) -> range:
    return range(tree.lines.line_at(span.start), tree.lines.line_at(max(span.start, span.end - 1)) + 1)
