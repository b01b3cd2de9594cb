"""Derive definitions from a grammar's nodes, by the language's row: which nodes are definitions, their extent and name.

This module reads nodes and returns blocks; it neither parses nor searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tuppence.core.syntax.byte_offsets import Offsets
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.shape import NodePath
from tuppence.core.syntax.tree import CONTAINERS, Block
from tuppence.core.text.document import Document, Span

if TYPE_CHECKING:
    import tree_sitter

_PARENTS = 8
"""Maximum number of levels up to a method's class, with body, declaration list and one or two wrappers in between."""
_WHITE = b" \t\r\n"
_INSIDE = {"compound_statement", "function_definition", "for_statement", "lambda_expression"}
"""Node types inside which a C declaration is a variable, whatever its form."""


class NodeReader:
    """Reads the nodes of one text."""

    def __init__(self, lines: Document, offsets: Offsets, language: Language) -> None:
        self._lines = lines
        self._offsets = offsets
        self._row = language
        self._kinds = {kind: name for name, kinds in language.definitions.items() for kind in kinds.split()}
        self._wrappers = frozenset(language.wrappers.split())
        self._attached = frozenset(language.attached.split())
        self._valued = frozenset(language.valued.split())
        self._functions = frozenset(language.functions.split())
        self._bodied = frozenset(language.bodied.split())
        self._imports = re.compile(language.import_line)
        self._import_types = frozenset(language.imports.split())
        self._comments: dict[int, Span | None] = {}

    def span(self, node: tree_sitter.Node) -> Span:
        """Return a node's span without trailing white space, which some grammars include."""
        start, end = node.start_byte, node.end_byte
        data = self._offsets.data
        if end > start and data[end - 1] in _WHITE:
            end = start + len(data[start:end].rstrip(_WHITE))
        return Span(self._offsets.to_code_point(start), self._offsets.to_code_point(end))

    def text(self, node: tree_sitter.Node) -> str:
        """Return a node's text."""
        return self._offsets.data[node.start_byte : node.end_byte].decode("utf-8", "ignore")

    def candidates(self, place: NodePath) -> Iterator[NodePath]:
        """Yield the definitions to which a node belongs: itself, those that it wraps, and the one that it documents."""
        node = place.node
        if node.type in self._kinds:
            yield place
        elif node.type in self._wrappers:
            yield from self._wrapped(place)
        elif self._leads(node):
            following = next((each for each in place.behind() if not self._leads(each.node)), None)
            if following is not None:
                yield from (following,) if following.node.type in self._kinds else self._wrapped(following)

    def _leads(self, node: tree_sitter.Node) -> bool:
        """Report whether a node belongs to the definition after it: a comment, a decorator."""
        return node.type in self._attached or "comment" in node.type

    def block(self, place: NodePath) -> Block | None:
        """Return the definition at a node, None if it is not one."""
        node = place.node
        kind = self._kinds.get(node.type)
        if kind is None or not self._defines(place, kind):
            return None
        outer = self._outermost(place)
        span = Span(self.span(self._first(outer)).start, self.span(outer.node).end)
        body = self._body(node)
        stop = span.end if body is None else self._offsets.to_code_point(body.start_byte)
        header = stop if body is None else span.start + len(self._lines.text[span.start : stop].rstrip())
        if body is None or header == span.start:
            header = self._lines.line_span(self._lines.line_at(span.start)).end
        held = kind == "function" and self._held(place)
        naming = self._naming(place)
        return Block(
            span=span,
            name="" if naming is None else self.text(naming),
            kind="method" if held else kind,
            header=Span(span.start, max(span.start, min(span.end, header))),
            doc=self._docstring(body) or self._comment_above(span.start),
            named=None if naming is None else self.span(naming),
        )

    def imports(self, node: tree_sitter.Node) -> bool:
        """Report whether a top-level node is an import statement."""
        if node.type not in self._import_types:
            return False
        return self._imports.match(self.text(node)) is not None

    def preamble(self, node: tree_sitter.Node, following: tree_sitter.Node | None) -> bool:
        """Report whether a top-level node must stay above the first import, given the node after it."""
        if "comment" in node.type:
            apart = following is None or following.start_point[0] - self._last_row(node) > 1
            return apart or node.start_byte == 0 or (following is not None and "comment" in following.type)
        if node.type not in self._row.preamble.split():
            return False
        if node.type == "expression_statement":
            return node.named_child_count == 1 and node.named_child(0).type == "string"
        return node.type != "preproc_call" or self.text(node).startswith("#pragma once")

    def _last_row(self, node: tree_sitter.Node) -> int:
        """Return tree-sitter's row in which a node ends, trailing white space excluded."""
        stripped = self._offsets.data[node.start_byte : node.end_byte].rstrip(_WHITE)
        return int(node.start_point[0]) + stripped.count(b"\n")

    def _wrapped(self, place: NodePath) -> Iterator[NodePath]:
        """Yield the definitions in a wrapper and in its nested wrappers, in order."""
        waiting = [place]
        while waiting:
            wrapper = waiting.pop()
            if wrapper.node.type in self._kinds:
                yield wrapper
            elif wrapper.node.type in self._wrappers:
                waiting.extend(NodePath(child, wrapper) for child in reversed(wrapper.named()))

    def _defines(self, place: NodePath, kind: str) -> bool:
        node = place.node
        if node.type in self._valued:
            value = node.child_by_field_name("value") or node.child_by_field_name("right")
            return value is not None and value.type in self._functions
        if node.type in self._bodied:
            return node.child_by_field_name("body") is not None
        return kind != "prototype" or self._is_prototype(place)

    def _is_prototype(self, place: NodePath) -> bool:
        """Report whether a C declaration declares a function; function pointers and ``Foo x(1)`` in a body do not."""
        node, parent = place.node, place.parent
        if parent is not None and parent.type in _INSIDE:
            return False
        declarator = node.child_by_field_name("declarator")
        while declarator is not None and declarator.type in {"pointer_declarator", "reference_declarator"}:
            declarator = declarator.child_by_field_name("declarator") or next(iter(declarator.named_children), None)
        if declarator is None or declarator.type != "function_declarator":
            return False
        called = declarator.child_by_field_name("declarator")
        return called is not None and called.type != "parenthesized_declarator"

    def _outermost(self, place: NodePath) -> NodePath:
        """Return the wrapper around a definition, unless it wraps several."""
        while (up := place.up) is not None and up.node.type in self._wrappers:
            if up.count(self._kinds) > 1:
                break
            place = up
        return place

    def _first(self, place: NodePath) -> tree_sitter.Node:
        """Return the first of the attributes and decorators directly before a node."""
        first = place.node
        for before in place.before() if self._attached else ():
            if before.node.type not in self._attached:
                break
            first = before.node
        return first

    def _body(self, node: tree_sitter.Node) -> tree_sitter.Node | None:
        if not self._functions:
            return node.child_by_field_name("body")
        value = node.child_by_field_name("value") or node.child_by_field_name("right")
        holder = value if value is not None and value.type in self._functions else node
        return holder.child_by_field_name("body")

    def _held(self, place: NodePath) -> bool:
        """Report whether the nearest definition around a function contains methods."""
        around = place.up
        for _ in range(_PARENTS):
            if around is None:
                return False
            kind = self._kinds.get(around.node.type)
            if kind is not None and around.node.type not in self._valued:
                return kind in CONTAINERS and kind != "module"
            around = around.up
        return False

    def _naming(self, place: NodePath) -> tree_sitter.Node | None:
        """Return the node with a definition's name, None if there is none."""
        node, parent = place.node, place.parent
        for field in ("name", "left", "key", "property", "type"):
            found = node.child_by_field_name(field)
            if found is not None and (field != "type" or node.type == "impl_item"):
                return found
        named = parent if parent is not None and parent.type == "type_definition" else node
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
        """Return the comment whose last line is directly above, found as text: grammars differ on where it ends."""
        line = self._lines.line_at(start)
        if line not in self._comments:
            self._comments[line] = self._comment_before(line)
        return self._comments[line]

    def _comment_before(self, line: int) -> Span | None:
        lines, above = self._lines, line - 1
        mark = self._row.line_comment
        if above < 0:
            return None
        text = lines.slice(lines.full_line_span(above)).strip()
        block = text.endswith("*/")
        if not block and not text.startswith(mark):  # This holds for most definitions.
            return None
        last = first = above
        while first >= 0:
            text = lines.slice(lines.line_span(first)).strip()
            if block:
                if text.startswith("/*"):
                    return Span(self._indented(first), lines.line_span(last).end)
                if first < last and "*/" in text:  # This is the end of another comment.
                    return None
            elif not text.startswith(mark) or text.startswith("#!"):
                break
            first -= 1
        if block or first == last:
            return None
        return Span(self._indented(first + 1), lines.line_span(last).end)

    def _indented(self, line: int) -> int:
        """Return the offset at which a line's text starts, after its indentation."""
        span = self._lines.line_span(line)
        text = self._lines.slice(span)
        return span.start + len(text) - len(text.lstrip())
