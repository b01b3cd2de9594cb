"""Whether an answer keeps to its target: it must not write again what stands elsewhere in the file.

That an edit changes no other lines is so by its making (core/answer/patch.py, core/answer/merge_imports.py). What is
left is an answer that
gives back more than it was shown: the target and its neighbour, which would then stand there twice. Two definitions are
the same where their headers are, word for word, inside the same outer ones: overloads differ in that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Span

_Header = tuple[str, ...]


def written_again(before: Tree, after: Tree, target: Span) -> str:
    """Return the name of a definition that stands outside the target and was written again, empty where none was."""
    if not isinstance(after, type(before)):
        return ""
    was = Counter(header for _, header in _headers(before))
    elsewhere = {header for block, header in _headers(before) if not target.covers(block.span)}
    now = list(_headers(after))
    counts = Counter(header for _, header in now)
    return next((block.name for block, each in now if each in elsewhere and counts[each] > was[each]), "")


def _headers(tree: Tree) -> Iterator[tuple[Block, _Header]]:
    """Yield each definition that has a name, with its header and the headers around it."""
    around: list[tuple[int, _Header]] = []
    for block in tree.blocks():
        while around and around[-1][0] <= block.span.start:
            around.pop()
        outer = around[-1][1] if around else ()
        header = (*outer, " ".join(tree.text[block.span.start : block.header.end].split()))
        around.append((block.span.end, header))
        if block.name and block.kind != "block":
            yield block, header
