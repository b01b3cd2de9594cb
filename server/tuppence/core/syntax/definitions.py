"""From a grammar's nodes to definitions, by the language's row: which is one, how far it reaches, its name.

It reads nodes and returns blocks; it neither parses nor searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tuppence.core.syntax.byte_offsets import Offsets
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.tree import CONTAINERS, Block
from tuppence.core.text.document import Document, Span

if TYPE_CHECKING:
    import tree_sitter

_PARENTS = 8
"""How far up a method's class is looked for: body, declaration list and a wrapper or two lie between."""
_INSIDE = {"compound_statement", "function_definition", "for_statement", "lambda_expression"}
"""Above a C declaration these mean that it is a variable, whatever it looks like."""


class NodeReader:
    """Reads nodes of one text."""

    def __init__(self, lines: Document, offsets: Offsets, language: Language) -> None:
        self._lines = lines
        self._offsets = offsets
        self._row = language
        self._kinds = {kind: name for name, kinds in language.definitions.items() for kind in kinds.split()}
        self._wrappers = frozenset(language.wrappers.split())
        self._attached = frozenset(language.attached.split())
        self._imports = re.compile(language.import_line)

    def span(self, node: tree_sitter.Node) -> Span:
        """Return a node's span without white space at its end, which some grammars count in."""
        start, end = node.start_byte, node.end_byte
        data = self._offsets.data
        while end > start and data[end - 1] in b" \t\r\n":
            end -= 1
        return Span(self._offsets.to_code_point(start), self._offsets.to_code_point(end))

    def text(self, node: tree_sitter.Node) -> str:
        """Return a node's text."""
        return self._offsets.data[node.start_byte : node.end_byte].decode("utf-8", "ignore")

    def candidates(self, node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
        """Yield the definitions that a cursor on this very node stands in: it, what it wraps, what it documents."""
        if node.type in self._kinds:
            yield node
        elif node.type in self._wrappers:
            yield from self._wrapped(node)
        elif node.type in self._attached or "comment" in node.type:
            following = node.next_named_sibling
            while following is not None and (following.type in self._attached or "comment" in following.type):
                following = following.next_named_sibling
            if following is not None:
                yield from (following,) if following.type in self._kinds else self._wrapped(following)

    def block(self, node: tree_sitter.Node) -> Block | None:
        """Return the definition that a node is, None where it is none after all."""
        kind = self._kinds.get(node.type)
        if kind is None or not self._defines(node, kind):
            return None
        outer = self._outermost(node)
        first = self._first(outer)
        span = Span(self.span(first).start, self.span(outer).end)
        body = self._body(node)
        stop = span.end if body is None else self._offsets.to_code_point(body.start_byte)
        header = self._lines.text[span.start : stop].rstrip()
        if body is None or not header:
            header = self._lines.text[span.start : self._lines.line_span(self._lines.line_at(span.start)).end]
        held = kind == "function" and self._held(node)
        naming = self._naming(node)
        return Block(
            span=span,
            name="" if naming is None else self.text(naming),
            kind="method" if held else kind,
            header=Span(span.start, min(span.end, span.start + len(header))),
            doc=self._docstring(body) or self._comment_above(span.start),
            named=None if naming is None else self.span(naming),
        )

    def imports(self, node: tree_sitter.Node) -> bool:
        """Report whether a top-level node is an import statement."""
        if node.type not in self._row.imports.split():
            return False
        return self._imports.match(self.text(node)) is not None

    def preamble(self, node: tree_sitter.Node, following: tree_sitter.Node | None) -> bool:
        """Report whether a top-level node must stay above the first import, given the node behind it."""
        if "comment" in node.type:
            apart = following is None or following.start_point[0] - self._last_row(node) > 1
            return apart or node.start_byte == 0 or (following is not None and "comment" in following.type)
        if node.type not in self._row.preamble.split():
            return False
        if node.type == "expression_statement":
            return node.named_child_count == 1 and node.named_child(0).type == "string"
        return node.type != "preproc_call" or self.text(node).startswith("#pragma once")

    def _last_row(self, node: tree_sitter.Node) -> int:
        return self._offsets.to_point(self._offsets.to_byte(self.span(node).end))[0]

    def _wrapped(self, node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
        if node.type not in self._wrappers:
            return
        for child in node.named_children:
            if child.type in self._kinds:
                yield child
            else:
                yield from self._wrapped(child)

    def _defines(self, node: tree_sitter.Node, kind: str) -> bool:
        if node.type in self._row.valued.split():
            value = node.child_by_field_name("value") or node.child_by_field_name("right")
            return value is not None and value.type in self._row.functions.split()
        if node.type in self._row.bodied.split():
            return node.child_by_field_name("body") is not None
        return kind != "prototype" or self._is_prototype(node)

    def _is_prototype(self, node: tree_sitter.Node) -> bool:
        """Report whether a C declaration declares a function, not a pointer to one nor ``Foo x(1)`` in a body."""
        parent = node.parent
        if parent is not None and parent.type in _INSIDE:
            return False
        declarator = node.child_by_field_name("declarator")
        while declarator is not None and declarator.type in {"pointer_declarator", "reference_declarator"}:
            declarator = declarator.child_by_field_name("declarator") or next(iter(declarator.named_children), None)
        if declarator is None or declarator.type != "function_declarator":
            return False
        called = declarator.child_by_field_name("declarator")
        return called is not None and called.type != "parenthesized_declarator"

    def _outermost(self, node: tree_sitter.Node) -> tree_sitter.Node:
        """Return the wrapper around a definition, unless it wraps several."""
        while True:
            parent = node.parent
            if parent is None or parent.type not in self._wrappers:
                return node
            if sum(child.type in self._kinds for child in parent.named_children) > 1:
                return node
            node = parent

    def _first(self, node: tree_sitter.Node) -> tree_sitter.Node:
        """Return the first of the attributes and decorators right before a node."""
        while self._attached:
            before = node.prev_named_sibling
            if before is None or before.type not in self._attached:
                return node
            node = before
        return node

    def _body(self, node: tree_sitter.Node) -> tree_sitter.Node | None:
        value = node.child_by_field_name("value") or node.child_by_field_name("right")
        holder = value if value is not None and value.type in self._row.functions.split() else node
        return holder.child_by_field_name("body")

    def _held(self, node: tree_sitter.Node) -> bool:
        """Report whether the nearest definition around a function holds methods."""
        around = node.parent
        for _ in range(_PARENTS):
            if around is None:
                return False
            kind = self._kinds.get(around.type)
            if kind is not None and around.type not in self._row.valued.split():
                return kind in CONTAINERS and kind != "module"
            around = around.parent
        return False

    def _naming(self, node: tree_sitter.Node) -> tree_sitter.Node | None:
        """Return the node that is a definition's name."""
        for field in ("name", "left", "key", "property", "type"):
            found = node.child_by_field_name(field)
            if found is not None and (field != "type" or node.type == "impl_item"):
                return found
        named = node.parent if node.parent is not None and node.parent.type == "type_definition" else node
        declarator = named.child_by_field_name("declarator")
        while declarator is not None:
            inner = declarator.child_by_field_name("declarator")
            if inner is None and declarator.type in {"reference_declarator", "parenthesized_declarator"}:
                inner = next(iter(declarator.named_children), None)
            if inner is None:
                return declarator
            declarator = inner
        return None

    def _docstring(self, body: tree_sitter.Node | None) -> Span | None:
        if not self._row.docstring or body is None or not body.named_child_count:
            return None
        first = body.named_child(0)
        is_string = first.type == "expression_statement" and first.named_child(0).type == self._row.docstring
        return self.span(first) if is_string else None

    def _comment_above(self, start: int) -> Span | None:
        """Return the comment whose last line is right above; read as text, since grammars differ on where one ends."""
        lines, above = self._lines, self._lines.line_at(start) - 1
        mark = self._row.line_comment
        if above < 0:
            return None
        text = lines.slice(lines.full_line_span(above)).strip()
        block = text.endswith("*/")
        if not block and not text.startswith(mark):  # So it is of most definitions.
            return None
        last = first = above
        while first >= 0:
            text = lines.slice(lines.line_span(first)).strip()
            if block:
                if text.startswith("/*"):
                    return Span(self._indented(first), lines.line_span(last).end)
            elif not text.startswith(mark) or text.startswith("#!"):
                break
            first -= 1
        if block or first == last:
            return None
        return Span(self._indented(first + 1), lines.line_span(last).end)

    def _indented(self, line: int) -> int:
        """Return where a line's text starts behind its indentation."""
        span = self._lines.line_span(line)
        text = self._lines.slice(span)
        return span.start + len(text) - len(text.lstrip())
