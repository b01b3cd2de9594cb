"""A text parsed by its language's grammar: definitions, imports, names, faults.

tree-sitter's bytes end here: every span that leaves this file counts code points. Whole-tree questions are put as
queries and everything else climbs from one node, because walking all nodes in Python is slow. A text that is too large,
takes the parser too much work or has no grammar gets an Outline instead, with the same questions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

from tuppence.core.syntax import grammars
from tuppence.core.syntax.byte_offsets import Offsets
from tuppence.core.syntax.definitions import NodeReader
from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Edit, Span, apply

if TYPE_CHECKING:
    import tree_sitter

__all__ = ["LARGEST", "Block", "IndentationTree", "SyntaxTree", "Tree", "parse"]

LARGEST = 500_000
"""Code points above which a text is read by indentation only."""
_STEPS = 1_000
"""Steps of progress that any parse may make, and as many more as a quarter of the text's bytes: the densest texts tried
(brackets, commas and operators alone) took a tenth. A text that takes more is read by indentation."""
_ROWS = frozenset({"block", "module"})
"""What the Python grammar calls the nodes that are rows of statements."""
_EDITS = 64
"""More edits than this are not replayed: a fresh parse is quicker."""


def parse(text: str, language: Language, old: Tree | None = None, edits: Sequence[Edit] = ()) -> Tree:
    """Parse a text, from an old tree where the edits lead from its text to this one.

    The edits are in order, each span in the text after the one before. Edits that do not lead there are passed over.
    """
    if len(text) > LARGEST or language.grammar is None:
        return IndentationTree(text, language)
    offsets = Offsets(text)
    before = None
    if isinstance(old, SyntaxTree) and old.language == language:
        before = old.edited(edits, text)
    parsed = grammars.parse(language.grammar, offsets.data, before, _STEPS + len(offsets.data) // 4)
    return IndentationTree(text, language) if parsed is None else SyntaxTree(offsets, language, parsed)


class SyntaxTree(Tree):
    """A text parsed by a grammar."""

    def __init__(self, offsets: Offsets, language: Language, parsed: tree_sitter.Tree) -> None:
        super().__init__(offsets.text, language)
        self._offsets = offsets
        self._parsed = parsed
        self._reader = NodeReader(self.lines, offsets, language)

    def edited(self, edits: Sequence[Edit], text: str) -> tree_sitter.Tree | None:
        """Return a copy of the parsed tree that knows the edits; None where they do not lead to the text."""
        if len(edits) > _EDITS:
            return None
        tree, offsets = self._parsed.copy(), self._offsets
        for edit in edits:
            if edit.span.end > len(offsets.text):
                return None
            start, end = offsets.to_byte(edit.span.start), offsets.to_byte(edit.span.end)
            after = Offsets(apply(offsets.text, (edit,)))
            end = max(end, _next_statement(tree.root_node, start, end))
            new_end = end + len(after.data) - len(offsets.data)
            points = (offsets.to_point(start), offsets.to_point(end), after.to_point(new_end))
            tree.edit(start, end, new_end, *points)
            offsets = after
        return tree if offsets.text == text else None

    def faults(self) -> int:
        """Return how many ERROR and MISSING nodes there are."""
        return sum(1 for _ in self._faults)

    def sound(self, span: Span | None = None) -> bool:
        """Report whether no ERROR or MISSING node lies inside the span or reaches into it."""
        if span is None or not self._faults:
            return not self._faults
        return not any(_meet(fault, span) for fault in self._faults)

    def enclosing(self, span: Span) -> Block | None:
        """Return the innermost definition that covers the span."""
        target = self._snap(span)
        node = self._node(target)
        while node is not None:
            for each in self._reader.candidates(node):
                block = self._reader.block(each)
                if block is not None and self._covers(block, target):
                    return block
            node = node.parent
        return self._by_indentation(target) if self._faults else None

    def blocks(self) -> tuple[Block, ...]:
        """Return every definition in order of its start, outer before inner."""
        return self._blocks

    def definitions(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that lie wholly inside a span, in order of their start, outer before inner."""
        types = " ".join(self.language.definitions.values())
        blocks = (self._reader.block(node) for node in self._captured("definition", types, span))
        once = {(block.span, block.name): block for block in blocks if block is not None and span.covers(block.span)}
        return tuple(sorted(once.values(), key=lambda block: (block.span.start, -block.span.end)))

    def around(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that cover a span and are larger than it, outermost first."""
        node, found = self._node(span), dict[Span, Block]()
        while node is not None:
            block = self._reader.block(node)
            if block is not None and block.span != span and block.span.covers(span):
                found.setdefault(block.span, block)
            node = node.parent
        return tuple(reversed(found.values()))

    def import_statements(self) -> tuple[Span, ...]:
        """Return the top-level import statements before the first definition; all, if none stands before it."""
        found = [self._reader.span(node) for node in self._top() if self._reader.imports(node)]
        if not found:
            return ()
        # Of the definitions, only those that begin above the last import can be before one.
        above = self._blocks if "_blocks" in vars(self) else self.definitions(Span(0, found[-1].end))
        first = min((block.span.start for block in above if self._is_code(block)), default=len(self.text))
        return tuple(each for each in found if each.start < first) or tuple(found)

    def import_place(self) -> int:
        """Return the start of the line behind the preamble and the comments at the top."""
        place = -1
        nodes = self._top()
        for node, following in zip_longest(nodes, nodes[1:]):
            if not self._reader.preamble(node, following):
                break
            place = self.lines.line_at(max(node.start_byte, self._reader.span(node).end - 1))
        return self.lines.full_line_span(place).end if place >= 0 else 0

    def statement(self, span: Span) -> Span | None:
        """Return the top-level statement that covers the span."""
        target = self._snap(span)
        spans = (self._reader.span(node) for node in self._top())
        return next((each for each in spans if each.covers(target)), None)

    def separable(self, span: Span) -> Span | None:
        """Return whole lines around a span that can be parsed apart from the rest; None where the text has faults."""
        root = self._parsed.root_node
        if root.has_error or self.lines.lone_cr is not None:
            return None
        nodes = root.named_children
        # The first node that ends behind the span's start, and the one behind its end: each with a neighbor.
        touched = bisect_right(nodes, self._offsets.to_byte(span.start), key=lambda node: node.end_byte)
        last = bisect_right(nodes, self._offsets.to_byte(span.end), key=lambda node: node.end_byte)
        before = (node.start_byte for node in reversed(nodes[:touched]) if self._is_apart(node))
        behind = (node.start_byte for node in nodes[last + 1 :] if self._is_apart(node))
        begin, end = next(before, 0), next(behind, len(self._offsets.data))
        return Span(self._offsets.to_code_point(begin), self._offsets.to_code_point(end))

    def top_types(self) -> frozenset[str]:
        """Return the types of the grammar's top-level nodes."""
        return frozenset(node.type for node in self._parsed.root_node.named_children)

    def names(self, span: Span) -> frozenset[str]:
        """Return the identifiers used inside the span."""
        return frozenset(self._reader.text(node) for node in self._captured("name", self.language.identifiers, span))

    def strings(self, span: Span) -> tuple[Span, ...]:
        """Return the string literals that meet the span."""
        return self._outermost(self.language.strings, span)

    def comments(self, span: Span) -> tuple[Span, ...]:
        """Return the comments that meet the span."""
        return self._outermost(self.language.comments, span)

    def queried(self, source: str, span: Span) -> tuple[Span, ...]:
        """Return what a query of the grammar captures as ``it`` wholly inside the span."""
        return tuple(self._reader.span(node) for node in self._queried("it", source, span))

    def counts(self, span: Span) -> Mapping[str, int]:
        """Count node types, and nesting by which of them lie in which."""
        counts: Counter[str] = Counter()
        for feature, types in self.language.features.items():
            if feature != "nest":
                counts[feature] = len(self._captured(feature, types, span))
        nest = f"{self.language.features.get('loops', '')} {self.language.features.get('nest', '')}"
        counts["depth"] = _depth(self._captured("nest", nest, span))
        counts["lines"] = sum(1 for line in self.text[span.start : span.end].splitlines() if line.strip())
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        return self.definitions(Span(0, len(self.text)))

    @cached_property
    def _faults(self) -> tuple[Span, ...]:
        found: list[Span] = []
        stack = [self._parsed.root_node] if self._parsed.root_node.has_error else []
        while stack:
            node = stack.pop()
            if node.is_error or node.is_missing:
                found.append(self._reader.span(node))
            stack += [child for child in node.children if child.has_error]
        return tuple(found)

    def _outermost(self, types: str, span: Span) -> tuple[Span, ...]:
        """Return the outermost nodes of these types that share a code point with the span."""
        start, end = self._offsets.to_byte(span.start), self._offsets.to_byte(span.end)
        nodes = self._touching("it", _alternatives(types, "it"), start, end) if types else []
        found: list[Span] = []
        for each in sorted((self._reader.span(node) for node in nodes), key=lambda each: (each.start, -each.end)):
            if each.start < span.end and span.start < each.end and not (found and found[-1].covers(each)):
                found.append(each)
        return tuple(found)

    def _captured(self, name: str, types: str, span: Span) -> list[tree_sitter.Node]:
        """Return the nodes of these types that lie wholly inside the span."""
        if not types.strip():
            return []
        return self._queried(name, _alternatives(types, name), span)

    def _queried(self, name: str, source: str, span: Span) -> list[tree_sitter.Node]:
        """Return what a query of the grammar captures by that name wholly inside the span."""
        start, end = self._offsets.to_byte(span.start), self._offsets.to_byte(span.end)
        nodes = self._touching(name, source, start, end)
        return [node for node in nodes if start <= node.start_byte and node.end_byte <= end]

    def _touching(self, name: str, source: str, start: int, end: int) -> list[tree_sitter.Node]:
        """Return what a query of the grammar captures by that name among what touches a range of bytes."""
        assert self.language.grammar is not None
        query = grammars.query(self.language.grammar, source)
        return grammars.captures(self._parsed.root_node, query, start, end).get(name, [])

    def _top(self) -> list[tree_sitter.Node]:
        """Return the top-level nodes; an include guard's children stand in its place."""
        found: list[tree_sitter.Node] = []
        waiting = list(reversed(self._parsed.root_node.named_children))
        transparent = self.language.transparent.split()
        while waiting:
            node = waiting.pop()
            if transparent and node.type in transparent:
                fields = (node.field_name_for_named_child(index) for index in range(node.named_child_count))
                inner = zip(node.named_children, fields, strict=True)
                waiting += reversed([child for child, field in inner if field in {None, "body"}])
            else:
                found.append(node)
        return found

    def _is_apart(self, node: tree_sitter.Node) -> bool:
        """Report whether a top-level node is a statement that begins a line which continues none."""
        if "comment" in node.type or node.start_point[1]:
            return False
        start = node.start_byte
        above = self._offsets.data[max(0, start - len(b"\\\r\n")) : start]
        return not above.endswith((b"\\\n", b"\\\r\n"))

    def _node(self, span: Span) -> tree_sitter.Node | None:
        start, end = self._offsets.to_byte(span.start), self._offsets.to_byte(span.end)
        return self._parsed.root_node.descendant_for_byte_range(start, end)

    def _snap(self, span: Span) -> Span:
        """Move a bare cursor onto its line's code, and trim white space off a selection."""
        if span:
            text = self.text[span.start : span.end]
            start = span.start + len(text) - len(text.lstrip())
            return Span(start, start + len(text.strip())) if text.strip() else Span(span.start, span.start)
        line = self.lines.line_span(self.lines.line_at(min(span.start, len(self.text))))
        text = self.text[line.start : line.end]
        if not text.strip():
            return span
        first, last = line.start + len(text) - len(text.lstrip()), line.start + len(text.rstrip()) - 1
        start = min(max(span.start, first), last)
        return Span(start, start + 1)

    def _by_indentation(self, target: Span) -> Block | None:
        """Return the definition that a person still sees where a fault hides it from the grammar."""
        block = IndentationTree(self.text, self.language).enclosing(target)
        return block if block is not None and block.kind != "block" else None

    def _covers(self, block: Block, target: Span) -> bool:
        return block.span.covers(target) or (block.doc is not None and block.doc.covers(target))

    def _is_code(self, block: Block) -> bool:
        """Report whether a definition is more than a forward declaration or an import in the form of one."""
        return block.kind not in {"prototype", "macro"}


def _alternatives(types: str, name: str) -> str:
    """Return the query that captures nodes of these types by a name."""
    alternatives = " ".join(each if each.startswith('"') else f"({each})" for each in types.split())
    return f"[{alternatives}] @{name}"


def _next_statement(root: tree_sitter.Node, start: int, end: int) -> int:
    """Return where the statement begins that follows the one with these bytes; ``end`` where none does.

    An edit is said to reach up to there. At the end of a block of Python, where the tokens that close it have no width,
    tree-sitter compares the old tree's next node with the wrong token, and passes over it: often over the rest of the
    file. A node that begins further down is not looked at before its turn.
    """
    node = root.descendant_for_byte_range(start, end)
    while node is not None and node.parent is not None:
        following = node.next_named_sibling
        if following is not None and node.parent.type in _ROWS and following.start_byte >= end:
            return following.start_byte
        node = node.parent
    return end


def _meet(fault: Span, span: Span) -> bool:
    return fault.touches(span) if not fault else fault.start < span.end and span.start < fault.end


def _depth(nodes: Iterable[tree_sitter.Node]) -> int:
    """Return how deep the nodes nest; ``else if`` is no level of its own."""
    open_ends: list[int] = []
    deepest = 0
    for node in sorted(nodes, key=lambda each: (each.start_byte, -each.end_byte)):
        parent = node.parent
        if parent is not None and node.type.startswith("if_") and parent.type in {"else_clause", node.type}:
            continue
        while open_ends and open_ends[-1] <= node.start_byte:
            open_ends.pop()
        open_ends.append(node.end_byte)
        deepest = max(deepest, len(open_ends))
    return deepest
