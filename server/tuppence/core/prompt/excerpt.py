"""A file cut down to a budget around a target: definitions become headers, then far lines go.

Each gap is one comment line in the file's own language that says how many lines are missing. The target's lines are
never touched.
"""

from __future__ import annotations

from itertools import accumulate

from tuppence.core.models.usage import estimate
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Document, Span

_LEAST = 3
"""Lines that a definition's body must have for leaving it out to be worth its comment."""
WHOLE = frozenset({"struct", "interface", "type", "enum", "macro", "prototype"})
"""Kinds whose body is what they say."""
_LINES = 40
"""The longest signature; more lines than these are left out."""


def excerpt(document: Document, tree: Tree, target: Span, budget: int) -> tuple[str, int]:
    """Return the text, in at most about so many tokens, and how many lines were left out."""
    if estimate(document.text) <= budget:
        return document.text, 0
    gone: set[int] = set()
    size = estimate(document.text)
    for block in _far(document, tree, target):
        body = _body(document, block)
        saved = sum(estimate(document.slice(document.full_line_span(line))) for line in body) - _mark_size(tree)
        if saved > 0:
            gone.update(body)
            size -= saved
        if size <= budget:
            break
    text = _without(document, tree, gone)
    if estimate(text) <= budget:
        return text, len(gone)
    imports = _imports(document, tree, budget)
    spent = sum(estimate(document.slice(document.full_line_span(line))) for line in imports)
    gone = _beyond(document, target, budget - spent - 3 * _mark_size(tree)) - imports
    return _without(document, tree, gone), len(gone)


def _far(document: Document, tree: Tree, target: Span) -> list[Block]:
    """Return the outermost definitions that hold nothing of the target, the farthest first."""
    apart = [block for block in tree.blocks() if not block.span.touches(target) and len(_body(document, block)) > 0]
    outermost: list[Block] = []
    for block in apart:
        if not outermost or not outermost[-1].span.covers(block.span):
            outermost.append(block)
    return sorted(outermost, key=lambda block: -max(target.start - block.span.end, block.span.start - target.end))


def _body(document: Document, block: Block) -> range:
    """Return the lines of a definition's body; none where it is too short to be worth cutting."""
    first = document.line_at(max(block.header.start, block.header.end - 1)) + 1
    last = document.line_at(block.span.end)
    closing = document.slice(document.line_span(last)).strip()
    if closing[:1] in {"}", ")", "]"} or closing.startswith("end"):
        last -= 1
    if document.slice(document.line_span(min(first, last))).strip() == "{":
        first += 1
    return range(first, last + 1) if last + 1 - first >= _LEAST else range(0)


def _imports(document: Document, tree: Tree, budget: int) -> frozenset[int]:
    """Return the lines of the import block, which stay where they take little of the budget."""
    span = tree.imports()
    if span is None or estimate(document.slice(span)) > budget // 8:
        return frozenset()
    return frozenset(range(document.line_at(span.start), document.line_at(span.end) + 1))


def _beyond(document: Document, target: Span, budget: int) -> set[int]:
    """Return the lines that are too far from the target: as many stay on either side as the budget allows."""
    first, last = document.line_at(target.start), document.line_at(target.end)
    sizes = [estimate(document.slice(document.full_line_span(line))) for line in range(document.line_count)]
    room = max(0, budget - sum(sizes[first : last + 1]))
    before = _count(sizes[:first][::-1], room // 2)
    after = _count(sizes[last + 1 :], room - sum(sizes[first - before : first]))
    return {*range(first - before), *range(last + 1 + after, document.line_count)}


def _count(sizes: list[int], room: int) -> int:
    """Return how many of the first sizes fit."""
    return sum(1 for total in accumulate(sizes) if total <= room)


def _without(document: Document, tree: Tree, gone: set[int]) -> str:
    pieces: list[str] = []
    missing = 0
    lead = ""
    for line in range(document.line_count):
        text = document.slice(document.full_line_span(line))
        if line in gone:
            missing += 1
            lead = lead or text[: len(text) - len(text.lstrip())].strip("\r\n")
            continue
        if missing:
            pieces.append(_mark(tree, lead, missing) + document.newline)
        pieces.append(text)
        missing, lead = 0, ""
    if missing:
        pieces.append(_mark(tree, lead, missing) + document.newline)
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
    for each in tree.blocks():  # Outer before inner, so that only the last one taken may hold the next.
        is_inner = each.span != block.span and block.span.covers(each.span)
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
