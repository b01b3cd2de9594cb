"""What another file's reader must know of a definition: its signature and documentation, without its body."""

from __future__ import annotations

from tuppence.core.syntax.tree import Block, Tree

WHOLE = frozenset({"struct", "interface", "type", "enum", "macro", "prototype"})
"""Kinds whose body is what they say."""
_LINES = 40
"""The longest signature; more lines than these are left out."""


def signature(tree: Tree, block: Block) -> str:
    """Return a definition's signature and documentation; a class also shows the signatures of its members."""
    if block.kind in WHOLE:
        return _documented(tree, block, _lines(tree, block.span.start, block.span.end))
    text = _documented(tree, block, _lines(tree, block.header.start, block.header.end))
    inner = [each for each in tree.blocks() if each.span != block.span and block.span.covers(each.span)]
    if block.kind in {"function", "method", "block"}:
        return _capped(tree, text)
    members = [each for each in inner if not any(_between(block, other, each) for other in inner)]
    lines = [_lines(tree, each.header.start, each.header.end) for each in members]
    return _capped(tree, "\n".join((text, *lines)))


def _between(outer: Block, middle: Block, inner: Block) -> bool:
    return middle.span != inner.span and middle.span.covers(inner.span) and outer.span != middle.span


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
