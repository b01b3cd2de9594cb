"""The definitions of a new version of a text, from those of an earlier one where the text is the same.

To find the definitions of 2,000 lines takes longer than anything else about a new version, and a person changes a few
lines at a time. So only the top-level statements around the changes are read again, those in whose place they stand
and a neighbor on either side; what is behind them is moved. It is done only where both versions fall into the same
parts: each parses without a fault, and a top-level statement begins in both where the part that is read again begins
and ends. Else there is no answer, and all of the text is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tuppence.core.syntax.tree import Block
from tuppence.core.text.document import Document, Edit, Span


class DividedTree(Protocol):
    """What is asked of a version."""

    text: str
    lines: Document

    def separable(self, span: Span) -> Span | None:
        """Return whole statements around a span that parse apart from the rest; None where that is not sure."""
        ...

    def begins_statement(self, offset: int) -> bool:
        """Report whether the text can be divided at an offset; never where it has a fault."""
        ...

    def meeting(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that share a code point or a boundary with a span, outer before inner."""
        ...


@dataclass(frozen=True, slots=True)
class FormerBlocks:
    """The definitions of an earlier version, and what has changed since."""

    tree: DividedTree
    """That version."""
    blocks: tuple[Block, ...]
    """All its definitions, in order of their start."""
    changed: Span | None = None
    """The part of the newer text outside of which both are the same; None where all of it is."""
    moved: int = 0
    """By how many code points what is behind that part has moved."""

    def after(self, edits: Sequence[Edit]) -> FormerBlocks:
        """Return what has changed after further edits, each span in the text after the one before."""
        changed, moved = self.changed, self.moved
        for edit in edits:
            by = len(edit.text) - len(edit.span)
            start, end = edit.span.start, edit.span.end
            if changed is not None:
                start, end = min(start, changed.start), max(end, changed.end)
            changed, moved = Span(start, end + by), moved + by
        return FormerBlocks(self.tree, self.blocks, changed, moved)


def found_again(former: FormerBlocks, tree: DividedTree, line_comment: str) -> tuple[Block, ...] | None:
    """Return the definitions of a version in order of their start, outer before inner; None where all is to be read.

    :param former: an earlier version, and what has changed since.
    :param line_comment: what a comment to the end of its line begins with.
    """
    if former.changed is None:
        return former.blocks
    # The statement behind the changes is read again with them: the comment above it may be what was changed.
    near = tree.separable(former.changed)
    area = None if near is None else tree.separable(near)
    if near is None or area is None or not _is_divided_alike(former, tree, area):
        return None
    start, end, old_end = area.start, area.end, area.end - former.moved
    before = [each for each in former.blocks if each.span.end <= start]
    behind = [each for each in former.blocks if each.span.start >= old_end]
    between = [each for each in former.blocks if each.span.end > start and each.span.start < old_end]
    again = [each for each in tree.meeting(area) if each.span.end > start and each.span.start < end]
    inside = Span(start, old_end)
    if not all(inside.covers(each.span) for each in between) or not all(area.covers(each.span) for each in again):
        return None
    if behind and not _has_own_comments(behind, former.moved, tree, near.end, line_comment):
        return None
    return (*before, *again, *(_moved(each, former.moved) for each in behind))


def _is_divided_alike(former: FormerBlocks, tree: DividedTree, area: Span) -> bool:
    """Report whether an area's boundaries are boundaries in both versions, and there is something outside of it."""
    old_end = area.end - former.moved
    is_part = len(area) < len(tree.text)
    return is_part and former.tree.begins_statement(area.start) and former.tree.begins_statement(old_end)


def _has_own_comments(blocks: Sequence[Block], by: int, tree: DividedTree, first: int, line_comment: str) -> bool:
    """Report whether no comment above one of the blocks can reach, or could have reached, above an unchanged statement.

    :param by: by how many code points the blocks have moved.
    :param first: where that statement begins now.
    """
    text = tree.text
    if text.startswith(line_comment, first):  # pragma: no cover - no grammar's part ends before a comment
        return False
    if any(block.doc is not None and block.doc.start + by < first for block in blocks):
        return False
    # Where such a comment begins is looked for upward, over other lines too.
    undocumented = (block.span.start + by for block in blocks if block.doc is None)
    return "*/" not in text or not any(_is_behind_comment(tree.lines, each) for each in undocumented)


def _is_behind_comment(lines: Document, offset: int) -> bool:
    """Report whether the line above the one of an offset ends a comment over lines."""
    line = lines.line_at(offset)
    return line > 0 and lines.slice(lines.full_line_span(line - 1)).rstrip().endswith("*/")


def _moved(block: Block, by: int) -> Block:
    if not by:
        return block
    doc, named = block.doc, block.named
    return Block(
        _shifted(block.span, by),
        block.name,
        block.kind,
        _shifted(block.header, by),
        None if doc is None else _shifted(doc, by),
        None if named is None else _shifted(named, by),
    )


def _shifted(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)
