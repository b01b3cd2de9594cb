"""The target of an action: the lines of a selection, the definition around a cursor, or the code of a diagnostic.

A target is always whole lines. Other files are not examined.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuppence.core.syntax.tree import CONTAINERS, Block, Tree
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span

_LONG = 80
"""Number of lines above which a class is too large as the target of a cursor outside its members."""
_AROUND = 3
"""Number of lines on each side of a diagnostic that is neither in a definition nor in a paragraph of moderate size."""


@dataclass(frozen=True, slots=True)
class Target:
    """The code that an action works on."""

    span: Span
    """Whole lines from column 0, without the last line ending."""
    name: str
    """The name if the target is a definition; else empty."""
    kind: str
    """``function``, ``method``, ``class``, ... for a definition; else ``lines``."""
    within: str = ""
    """The name of the definition that contains the lines; empty if there is none or they are a definition
    themselves."""


def find_target(document: Document, tree: Tree, selection: Span, diagnostic: Diagnostic | None = None) -> Target | None:
    """Return the target of an action on a selection or a diagnostic; None if there is none.

    A selection gives exactly its lines. A bare cursor gives the innermost definition around it; at the top level the
    statement or paragraph, or None on a blank line. A diagnostic is treated like a cursor, but always has a target.
    """
    if not document.text.strip():
        return None
    if diagnostic is not None:
        return _around(document, tree, _within(document, diagnostic.span)) or _near(document, diagnostic.span)
    selection = _within(document, selection)
    if document.slice(selection).strip():
        return _selected(document, tree, selection)
    return _around(document, tree, Span(selection.start, selection.start))


def _within(document: Document, span: Span) -> Span:
    """Clip a span to the text, because diagnostics of an older version may extend past its end."""
    size = len(document.text)
    return Span(min(span.start, size), min(span.end, size))


def _selected(document: Document, tree: Tree, selection: Span) -> Target:
    lines = document.whole_lines(selection)
    inside = [block for block in tree.definitions(lines) if block.name]
    outermost: list[Block] = []
    for each in inside:  # Outer before inner, so only the last one found may contain the next.
        if not outermost or not _holds(outermost[-1], each):
            outermost.append(each)
    if len(outermost) == 1:
        only = outermost[0]
        covered = only.span if only.doc is None else Span(min(only.span.start, only.doc.start), only.span.end)
        rest = document.text[lines.start : covered.start] + document.text[covered.end : lines.end]
        if not rest.strip():
            return Target(lines, only.name, only.kind)
    around = tree.enclosing(lines)
    return Target(lines, "", "lines", around.name if around else "")


def _holds(outer: Block, inner: Block) -> bool:
    return outer.span != inner.span and outer.span.covers(inner.span)


def _around(document: Document, tree: Tree, span: Span) -> Target | None:
    block = tree.enclosing(span)
    if block is None:
        block = tree.enclosing(Span(span.start, span.start))
    if block is not None and not _too_much(document, block, span):
        return Target(document.whole_lines(block.span), block.name, block.kind)
    statement = tree.statement(span) if block is None else None
    if statement is not None and _height(document, statement) > 1 and not _is_comment(document, tree, statement):
        lines = document.whole_lines(statement)
        return Target(lines, "", "lines") if _height(document, lines) <= _LONG else _near(document, span)
    paragraph = _paragraph(document, tree, span.start, block)
    return None if paragraph is None else Target(paragraph, "", "lines", block.name if block else "")


def _too_much(document: Document, block: Block, span: Span) -> bool:
    """Report whether the block is a long container and the span is in its body, outside its members."""
    in_header = document.line_at(span.start) <= document.line_at(block.header.end)
    return block.kind in {*CONTAINERS, "block"} and not in_header and _height(document, block.span) > _LONG


def _paragraph(document: Document, tree: Tree, offset: int, around: Block | None) -> Span | None:
    """Return the lines up to the next blank lines, cut where a definition starts or ends."""
    line = document.line_at(offset)
    lowest, highest = max(0, line - _LONG), min(document.line_count - 1, line + _LONG)
    near = Span(document.line_starts[lowest], document.line_span(highest).end)
    blocked = _lines_of_others(document, tree, around, near)
    if not _says(document, line) or line in blocked:
        return None
    first = last = line
    while first > lowest and _says(document, first - 1) and first - 1 not in blocked:
        first -= 1
    while last < highest and _says(document, last + 1) and last + 1 not in blocked:
        last += 1
    if last - first >= _LONG:
        first, last = max(first, line - _AROUND), min(last, line + _AROUND)
    return Span(document.line_span(first).start, document.line_span(last).end)


def _lines_of_others(document: Document, tree: Tree, around: Block | None, near: Span) -> frozenset[int]:
    """Return the lines of definitions other than those that contain the place.

    :param near: the only lines that matter.
    """
    lines: set[int] = set()
    if around is not None:
        lines.update(range(document.line_at(around.span.start), document.line_at(around.header.end) + 1))
    outer: Block | None = None
    for block in tree.meeting(near):
        if around is not None and not around.span.covers(block.span):
            continue
        # A nested definition's lines were already counted.
        beside = outer is None or not outer.span.covers(block.span)
        if beside and (around is None or block.span != around.span):
            lines.update(range(document.line_at(block.span.start), document.line_at(block.span.end) + 1))
            outer = block
    return frozenset(lines)


def _near(document: Document, span: Span) -> Target:
    """Return the diagnostic's lines and a few on either side, without blank lines at the ends."""
    span = _within(document, span)
    first = max(0, document.line_at(span.start) - _AROUND)
    last = min(document.line_count - 1, document.line_at(span.end) + _AROUND)
    while first < last and not _says(document, first):
        first += 1
    while last > first and not _says(document, last):
        last -= 1
    return Target(Span(document.line_span(first).start, document.line_span(last).end), "", "lines")


def _says(document: Document, line: int) -> bool:
    return bool(document.slice(document.line_span(line)).strip())


def _height(document: Document, span: Span) -> int:
    return document.line_at(span.end) - document.line_at(span.start) + 1


def _is_comment(document: Document, tree: Tree, span: Span) -> bool:
    return document.text.startswith(tree.language.line_comment, span.start)
