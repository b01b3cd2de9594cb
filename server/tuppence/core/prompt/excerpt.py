"""A file cut down to a budget around a target: definitions become headers, then far lines go.

Each gap is one comment line in the file's own language that says how many lines are missing. The target's lines are
never touched.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from heapq import merge
from itertools import accumulate, pairwise

from tuppence.core.models.usage import estimate, estimate_length
from tuppence.core.syntax.tree import Block, Tree, once_per_tree
from tuppence.core.text.document import Document, Span
from tuppence.core.text.nesting import Level, nested

_LEAST = 3
"""Lines that a definition's body must have for leaving it out to be worth its comment."""
WHOLE = frozenset({"struct", "interface", "type", "enum", "macro", "prototype"})
"""Kinds whose body is what they say."""
_LINES = 40
"""The longest signature; more lines than these are left out."""
_LEAD = re.compile(r"(?:^|(?<=[\r\n]))[^\S\r\n]+")
"""The indentation of the first line that has one."""


def excerpt(document: Document, tree: Tree, target: Span, budget: int) -> tuple[str, int]:
    """Return the text, in at most about so many tokens, and how many lines were left out."""
    size = estimate(document.text)
    if size <= budget:
        return document.text, 0
    gone = bytearray(document.line_count)
    mark = _mark_size(tree)
    far = _far(tree, target)
    if estimate_length(len(document.text) - sum(body.length for body in far)) <= budget:
        for body in far:
            gone[body.first : body.end] = b"\1" * (body.end - body.first)
            size -= body.tokens - mark
            if size <= budget:
                break
        text = _without(document, tree, gone)
        if estimate(text) <= budget:
            return text, gone.count(1)
    imports = _imports(document, tree, budget)
    totals = _totals(tree)
    spent = totals[imports.stop] - totals[imports.start]
    gone = _beyond(document, target, budget - spent - 3 * mark, totals)
    gone[imports.start : imports.stop] = bytes(len(imports))
    return _without(document, tree, gone), gone.count(1)


@dataclass(frozen=True, slots=True)
class _Body:
    """The lines of a definition's body that are worth leaving out."""

    span: Span
    """The whole definition."""
    first: int
    end: int
    """The end of the lines, exclusive."""
    tokens: int
    """About how many tokens the lines are, each rounded up."""
    length: int
    """How many code points the lines are."""


@once_per_tree
def _totals(tree: Tree) -> list[int]:
    """Return for each line, and for the end, about how many tokens all lines before it are, each rounded up."""
    starts = (*tree.lines.line_starts, len(tree.text))
    return [0, *accumulate(estimate_length(end - start) for start, end in pairwise(starts))]


@once_per_tree
def _bodies(tree: Tree) -> tuple[_Body, ...]:
    """Return the bodies that are longer than the comment in their place, in the order of the definitions."""
    totals, mark, starts = _totals(tree), _mark_size(tree), (*tree.lines.line_starts, len(tree.text))
    lines = ((block, _body(tree.lines, block)) for block in tree.blocks())
    bodies = (
        _Body(
            span=block.span,
            first=body.start,
            end=body.stop,
            tokens=totals[body.stop] - totals[body.start],
            length=starts[body.stop] - starts[body.start],
        )
        for block, body in lines
        if body
    )
    return tuple(body for body in bodies if body.tokens > mark)


@once_per_tree
def _nesting(tree: Tree) -> Level:
    return nested([body.span for body in _bodies(tree)])


def _far(tree: Tree, target: Span) -> list[_Body]:
    """Return the bodies of the outermost definitions that hold nothing of the target, the farthest first."""
    bodies = _bodies(tree)
    found = [bodies[index] for index in _nesting(tree).apart(target)]
    behind = bisect_right(found, target.end, key=lambda body: body.span.start)
    return list(
        merge(
            found[:behind],
            reversed(found[behind:]),
            key=lambda body: -max(target.start - body.span.end, body.span.start - target.end),
        )
    )


def _body(document: Document, block: Block) -> range:
    """Return the lines of a definition's body; none where it is too short to be worth cutting."""
    first = document.line_at(max(block.header.start, block.header.end - 1)) + 1
    last = document.line_at(block.span.end)
    if last + 1 - first < _LEAST:
        return range(0)
    closing = document.slice(document.line_span(last)).strip()
    if closing[:1] in {"}", ")", "]"} or closing.startswith("end"):
        last -= 1
    if document.slice(document.line_span(min(first, last))).strip() == "{":
        first += 1
    return range(first, last + 1) if last + 1 - first >= _LEAST else range(0)


def _imports(document: Document, tree: Tree, budget: int) -> range:
    """Return the lines of the import block, which stay where they take little of the budget."""
    span = tree.imports()
    if span is None or estimate(document.slice(span)) > budget // 8:
        return range(0)
    return range(document.line_at(span.start), document.line_at(span.end) + 1)


def _beyond(document: Document, target: Span, budget: int, totals: list[int]) -> bytearray:
    """Mark the lines that are too far from the target: as many stay on either side as the budget allows."""
    count = document.line_count
    first, last = document.line_at(target.start), document.line_at(target.end)
    room = max(0, budget - (totals[last + 1] - totals[first]))
    begin = bisect_left(totals, totals[first] - room // 2, 0, first)
    room -= totals[first] - totals[begin]
    end = bisect_right(totals, totals[last + 1] + room, last + 2, count + 1) - 1
    return bytearray(b"\1" * begin + bytes(end - begin) + b"\1" * (count - end))


def _without(document: Document, tree: Tree, gone: bytearray) -> str:
    """Return the text with a comment in place of each run of marked lines."""
    starts = (*document.line_starts, len(document.text))
    pieces: list[str] = []
    at, count = 0, len(gone)
    while at < count:
        other = gone.find(not gone[at], at)
        end = count if other < 0 else other
        if gone[at]:
            lead = _LEAD.search(document.text, starts[at], starts[end])
            pieces.append(_mark(tree, lead[0] if lead else "", end - at) + document.newline)
        else:
            pieces.append(document.text[starts[at] : starts[end]])
        at = end
    return "".join(pieces)


def _mark(tree: Tree, lead: str, lines: int) -> str:
    return lead + tree.language.comment(f"... {lines} {'line' if lines == 1 else 'lines'} left out ...")


def _mark_size(tree: Tree) -> int:
    return estimate(_mark(tree, "        ", 1000))


def signature(tree: Tree, block: Block) -> str:
    """Return a definition's signature and documentation; a class also shows the signatures of its members."""
    if block.kind in WHOLE:
        return _documented(tree, block, _lines(tree, block.span.start, block.span.end))
    text = _documented(tree, block, _lines(tree, block.header.start, block.header.end))
    if block.kind in {"function", "method", "block"}:
        return _capped(tree, text)
    members: list[Block] = []
    for each in tree.definitions(block.span):  # Outer before inner: only the last one taken may hold the next.
        is_inner = each.span != block.span
        if is_inner and not (members and members[-1].span != each.span and members[-1].span.covers(each.span)):
            members.append(each)
    lines = [_lines(tree, each.header.start, each.header.end) for each in members[: _LINES + 1]]
    lines += [""] * (len(members) - len(lines))
    return _capped(tree, "\n".join((text, *lines)))


def _documented(tree: Tree, block: Block, text: str) -> str:
    if block.doc is None:
        return _capped(tree, text)
    doc = _lines(tree, block.doc.start, block.doc.end)
    return _capped(tree, f"{text}\n{doc}" if block.doc.start > block.span.start else f"{doc}\n{text}")


def _lines(tree: Tree, start: int, end: int) -> str:
    """Return a span's text with its first line's indentation and with plain line feeds."""
    line = tree.lines.line_span(tree.lines.line_at(start))
    lead = tree.text[line.start : start]
    text = tree.text[start:end].replace("\r\n", "\n").replace("\r", "\n")
    return (lead if not lead.strip() else "") + text


def _capped(tree: Tree, text: str) -> str:
    lines = text.split("\n")
    if len(lines) <= _LINES:
        return text
    left = len(lines) - _LINES
    return "\n".join((*lines[:_LINES], tree.language.comment(f"... {left} lines left out ...")))
