"""Where a file's text may be cut into blocks, so that an edit spoils the provider's cache only from its block on.

The cuts follow from the text before them alone: whatever changes further down, the blocks above keep their bytes and
their ends. Definitions that stand in no other are cut at first, their members where one is long.
"""

from __future__ import annotations

from tuppence.core.models.usage import estimate
from tuppence.core.syntax.tree import Block, Tree

LEAST = 150
"""Tokens from which on a block may end before a definition that stands in no other."""
MOST = 350
"""Tokens from which on it may end before any definition."""


def breaks(tree: Tree) -> tuple[int, ...]:
    """Return the offsets, each at the start of a line, at which the text may be cut."""
    found: list[int] = []
    last = outer = 0
    for block in tree.blocks():
        start = _line_start(tree, block)
        size = estimate(tree.text[last:start])
        if size >= (LEAST if block.span.start >= outer else MOST):
            found.append(start)
            last = start
        outer = max(outer, block.span.end)
    return tuple(found)


def _line_start(tree: Tree, block: Block) -> int:
    """Return where the lines of a definition begin, the comment above it among them."""
    first = min(block.span.start, block.doc.start) if block.doc else block.span.start
    return tree.lines.line_span(tree.lines.line_at(first)).start
