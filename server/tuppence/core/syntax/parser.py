"""Parse a text by its language's grammar: definitions, imports, names, faults.

tree-sitter's byte offsets are not visible outside this module: every returned span counts code points. A query visits
the nodes that it concerns, each once, from the root (core/syntax/shape.py). A text that is too large, too deep or too
wide, takes the parser too much work, or has no grammar, gets an IndentationTree, which has the interface of a
SyntaxTree and a reason.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

from tuppence.core.syntax import grammars, open_marks, shape
from tuppence.core.syntax.byte_offsets import Offsets
from tuppence.core.syntax.definitions import NodeReader
from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.shape import Kinds, NodePath
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.syntax.unchanged_blocks import FormerBlocks, found_again
from tuppence.core.text.document import Edit, Span, apply

if TYPE_CHECKING:
    import tree_sitter

__all__ = ["LARGEST", "Block", "IndentationTree", "SyntaxTree", "Tree", "parse"]

LARGEST = 500_000
"""Number of code points above which a text is parsed only by indentation."""
TOO_MUCH = "takes the parser too much work"
"""The reason why a text whose parse was stopped is parsed by indentation."""
_FEWEST = 200
_STEPS = 1_000
"""Progress steps that any parse may take, plus a tenth of the text's bytes, up to ``_MOST_STEPS``. The densest texts
tried (only brackets, commas and operators) took a fortieth of that. A text that takes more is parsed by indentation."""
_MOST_STEPS = 20_000
"""Maximum number of steps. A step takes about 100 microseconds, and other threads can run after it."""
_SIMPLE = re.compile(r"\[?((?:\s*\(\w+\))+)\s*\]? @it")
"""Matches a query for nodes of some types, which is answered without running a query."""
_QUERIED = 5_000
"""Maximum number of nodes around a span on which a query is run, because it holds Python's global lock until its
end."""
_EDITS = 64
"""Maximum number of edits that are replayed: beyond it a fresh parse is faster."""


def parse(
    text: str,
    language: Language,
    old: Tree | None = None,
    edits: Sequence[Edit] = (),
    budget: Callable[[int], int] | None = None,
) -> Tree:
    """Parse a text, incrementally from an old tree if the edits lead from its text to this one.

    The edits are in order, each span relative to the text after the one before. Edits that do not lead to this text are
    ignored.

    :param budget: returns the progress steps allowed for a number of bytes; ``parse_budget`` by default.
    """
    if language.grammar is None:
        return IndentationTree(text, language)
    if len(text) > LARGEST:
        return IndentationTree(text, language, f"is longer than {LARGEST:,} characters")
    if open_marks.too_many(text, language):
        return IndentationTree(text, language, f"is nested more than {shape.DEEPEST:,} deep")
    offsets = Offsets(text)
    before = None
    if isinstance(old, SyntaxTree) and old.language == language:
        before = old.edited(edits, text)
    if grammars.load(language.grammar) is None:
        return IndentationTree(text, language)
    parsed = grammars.parse(language.grammar, offsets.data, before, (budget or parse_budget)(len(offsets.data)))
    if parsed is None:
        return IndentationTree(text, language, TOO_MUCH)
    excess = shape.excess(parsed.root_node)
    if excess:
        return IndentationTree(text, language, excess)
    former = old.former_blocks(edits) if before is not None and isinstance(old, SyntaxTree) else None
    return SyntaxTree(offsets, language, parsed, former)


def usual_budget(size: int) -> int:
    """Return twice the maximum number of progress steps that a parse of real code with so many bytes takes.

    In real code, a step covers 40 to 130 bytes.
    """
    return _FEWEST + size // 20


def parse_budget(size: int) -> int:
    """Return the number of progress steps that a parse of so many bytes may take."""
    return _STEPS + min(size // 10, _MOST_STEPS)


class SyntaxTree(Tree):
    """A text parsed by a grammar."""

    def __init__(
        self, offsets: Offsets, language: Language, parsed: tree_sitter.Tree, former: FormerBlocks | None = None
    ) -> None:
        super().__init__(offsets.text, language)
        self._offsets = offsets
        self._parsed = parsed
        self._former = former
        self._reader = NodeReader(self.lines, offsets, language)
        self._latest_names: tuple[Span, frozenset[str]] | None = None

    def edited(self, edits: Sequence[Edit], text: str) -> tree_sitter.Tree | None:
        """Return a copy of the parsed tree with the edits applied; None if they do not lead to the text."""
        if len(edits) > _EDITS:
            return None
        tree, offsets = self._parsed.copy(), self._offsets
        for edit in edits:
            if edit.span.end > len(offsets.text):
                return None
            start, end = offsets.to_byte(edit.span.start), offsets.to_byte(edit.span.end)
            after = Offsets(apply(offsets.text, (edit,)))
            end = max(end, shape.next_statement(tree.root_node, start, end))
            new_end = end + len(after.data) - len(offsets.data)
            points = (offsets.to_point(start), offsets.to_point(end), after.to_point(new_end))
            tree.edit(start, end, new_end, *points)
            offsets = after
        return tree if offsets.text == text else None

    def former_blocks(self, edits: Sequence[Edit]) -> FormerBlocks | None:
        """Return definitions that are known of this version, or of one before it, for a version behind the edits."""
        known = FormerBlocks(self, self._blocks) if "_blocks" in vars(self) else self._former
        return None if known is None else known.after(edits)

    def faults(self) -> int:
        """Return the number of ERROR and MISSING nodes."""
        return sum(1 for _ in self._faults)

    def sound(self, span: Span | None = None) -> bool:
        """Report whether no ERROR or MISSING node is inside the span or overlaps it."""
        if span is None or not self._faults:
            return not self._faults
        return not any(_meet(fault, span) for fault in self._faults)

    def enclosing(self, span: Span) -> Block | None:
        """Return the innermost definition that covers the span."""
        target = self._snap(span)
        place: NodePath | None = self._place(target)
        while place is not None:
            for each in self._reader.candidates(place):
                block = self._reader.block(each)
                if block is not None and self._covers(block, target):
                    return block
            place = place.up
        return self._by_indentation(target) if self._faults else None

    def blocks(self) -> tuple[Block, ...]:
        """Return every definition in order of its start, outer before inner."""
        return self._blocks

    def definitions(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions entirely inside a span, in order of their start, outer before inner."""
        return tuple(block for block in self.meeting(span) if span.covers(block.span))

    def meeting(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that share a code point or a boundary with a span, outer before inner."""
        if "_blocks" in vars(self):
            return self._known_to_meet(span)
        kinds, barren = Kinds(" ".join(self.language.definitions.values())), Kinds(self.language.barren)
        found = map(self._reader.block, shape.defining(self._parsed.root_node, *self._bytes(span), kinds, barren))
        once = {(block.span, block.name): block for block in found if block is not None and block.span.touches(span)}
        return tuple(sorted(once.values(), key=lambda block: (block.span.start, -block.span.end)))

    def around(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that cover a span and are larger than it, outermost first."""
        place: NodePath | None = self._place(span)
        found = dict[Span, Block]()
        while place is not None:
            block = self._reader.block(place)
            if block is not None and block.span != span and block.span.covers(span):
                found.setdefault(block.span, block)
            place = place.up
        return tuple(reversed(found.values()))

    def import_statements(self) -> tuple[Span, ...]:
        """Return the top-level import statements before the first definition; if none is before it, all of them."""
        return self._import_statements

    @cached_property
    def _import_statements(self) -> tuple[Span, ...]:
        found = [self._reader.span(node) for node in self._top if self._reader.imports(node)]
        if not found:
            return ()
        # Only definitions that begin above the last import can be before one.
        above = self.definitions(Span(0, found[-1].end))
        first = min((block.span.start for block in above if self._is_code(block)), default=len(self.text))
        return tuple(each for each in found if each.start < first) or tuple(found)

    def import_place(self) -> int:
        """Return the start of the line after the preamble and the comments at the top."""
        place = -1
        for node, following in zip_longest(self._top, self._top[1:]):
            if not self._reader.preamble(node, following):
                break
            place = self.lines.line_at(max(node.start_byte, self._reader.span(node).end - 1))
        return self.lines.full_line_span(place).end if place >= 0 else 0

    def statement(self, span: Span) -> Span | None:
        """Return the top-level statement that covers the span, None if there is none."""
        target = self._snap(span)
        spans = self._statements
        # The statements do not overlap; one may end where the next begins.
        at = bisect_left(spans, target.end, key=lambda each: each.end)
        return next((each for each in spans[at : at + 2] if each.covers(target)), None)

    def separable(self, span: Span) -> Span | None:
        """Return whole lines around a span that can be parsed separately; None if the text has faults."""
        if not self._is_divisible:
            return None
        nodes = self._nodes
        # The first node that ends after the span's start, and the one after its end, each with one more neighbor.
        touched = bisect_right(nodes, self._offsets.to_byte(span.start), key=lambda node: node.end_byte)
        last = bisect_right(nodes, self._offsets.to_byte(span.end), key=lambda node: node.end_byte)
        before = (node.start_byte for node in reversed(nodes[:touched]) if self._is_apart(node))
        behind = (node.start_byte for node in nodes[last + 1 :] if self._is_apart(node))
        begin, end = next(before, 0), next(behind, len(self._offsets.data))
        return Span(self._offsets.to_code_point(begin), self._offsets.to_code_point(end))

    def begins_statement(self, offset: int) -> bool:
        """Report whether the text can be divided at an offset; never where it has a fault."""
        if not self._is_divisible or offset in (0, len(self.text)):
            return self._is_divisible
        nodes, byte = self._nodes, self._offsets.to_byte(offset)
        at = bisect_left(nodes, byte, key=lambda node: node.start_byte)
        return at < len(nodes) and nodes[at].start_byte == byte and self._is_apart(nodes[at])

    @property
    def _is_divisible(self) -> bool:
        return not self._parsed.root_node.has_error and self.lines.lone_cr is None

    def top_types(self) -> frozenset[str]:
        """Return the types of the grammar's top-level nodes."""
        return frozenset(node.type for node in self._nodes)

    def names(self, span: Span) -> frozenset[str]:
        """Return the identifiers used inside the span; those of the span that was asked for last are cached."""
        latest = self._latest_names
        if latest is None or latest[0] != span:
            found = frozenset(self._reader.text(node) for node in self._inside(self.language.identifiers, span))
            latest = self._latest_names = (span, found)
        return latest[1]

    def strings(self, span: Span) -> tuple[Span, ...]:
        """Return the string literals that touch the span."""
        return self._outermost(self.language.strings, span)

    def comments(self, span: Span) -> tuple[Span, ...]:
        """Return the comments that touch the span."""
        return self._outermost(self.language.comments, span)

    def queried(self, source: str, span: Span) -> tuple[Span, ...]:
        """Return the spans that a grammar query captures as ``it`` entirely inside the span."""
        assert self.language.grammar is not None
        if simple := _SIMPLE.fullmatch(source):
            return tuple(
                self._reader.span(node) for node in self._inside(simple[1].replace("(", " ").replace(")", " "), span)
            )
        start, end = self._bytes(span)
        place = self._place(span)
        if place.node.descendant_count > _QUERIED and place.up is not None:
            return ()
        query = grammars.query(self.language.grammar, source)
        found = grammars.captures(self._parsed.root_node, query, start, end).get("it", [])
        return tuple(self._reader.span(each) for each in found if start <= each.start_byte and each.end_byte <= end)

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        former = self._former
        known = None if former is None else found_again(former, self, self.language.line_comment)
        self._former = None  # It holds an earlier version in memory.
        return self.meeting(Span(0, len(self.text))) if known is None else known

    def _known_to_meet(self, span: Span) -> tuple[Block, ...]:
        """Return the definitions that touch a span, once all definitions of the text are known."""
        behind = bisect_right(self._blocks, span.end, key=lambda block: block.span.start)
        return tuple(block for block in self._blocks[:behind] if block.span.end >= span.start)

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

    @cached_property
    def _statements(self) -> list[Span]:
        return [self._reader.span(node) for node in self._top]

    def _outermost(self, types: str, span: Span) -> tuple[Span, ...]:
        """Return the outermost nodes of these types that share a code point with the span."""
        kinds = Kinds(types)
        found: list[Span] = []
        for node in self._touching(span):
            if node in kinds:
                each = self._reader.span(node)
                if each.start < span.end and span.start < each.end and not (found and found[-1].covers(each)):
                    found.append(each)
        return tuple(found)

    def _inside(self, types: str, span: Span) -> Iterator[tree_sitter.Node]:
        """Yield the nodes of these types that are entirely inside the span."""
        kinds = Kinds(types)
        start, end = self._bytes(span)
        for node in self._touching(span):
            if start <= node.start_byte and node.end_byte <= end and node in kinds:
                yield node

    def _touching(self, span: Span) -> Iterator[tree_sitter.Node]:
        return shape.touching(self._parsed.root_node, *self._bytes(span))

    def _bytes(self, span: Span) -> tuple[int, int]:
        return self._offsets.to_byte(span.start), self._offsets.to_byte(span.end)

    @cached_property
    def _nodes(self) -> list[tree_sitter.Node]:
        return self._parsed.root_node.named_children

    @cached_property
    def _top(self) -> list[tree_sitter.Node]:
        """The top-level nodes, with an include guard replaced by its children."""
        found: list[tree_sitter.Node] = []
        waiting = list(reversed(self._nodes))
        transparent = frozenset(self.language.transparent.split())
        while waiting:
            node = waiting.pop()
            if transparent and node.type in transparent:
                waiting += reversed(shape.unnamed(node))
            else:
                found.append(node)
        return found

    def _is_apart(self, node: tree_sitter.Node) -> bool:
        """Report whether a top-level node is a statement whose first line does not continue another one."""
        if "comment" in node.type or node.start_point[1]:
            return False
        start = node.start_byte
        above = self._offsets.data[max(0, start - len(b"\\\r\n")) : start]
        return not above.endswith((b"\\\n", b"\\\r\n"))

    def _place(self, span: Span) -> NodePath:
        return shape.way(self._parsed.root_node, *self._bytes(span))

    def _snap(self, span: Span) -> Span:
        """Move a bare cursor onto its line's code, and trim white space from a selection."""
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
        """Return the definition by indentation if a fault hides it from the grammar."""
        block = IndentationTree(self.text, self.language).enclosing(target)
        return block if block is not None and block.kind != "block" else None

    def _covers(self, block: Block, target: Span) -> bool:
        return block.span.covers(target) or (block.doc is not None and block.doc.covers(target))

    def _is_code(self, block: Block) -> bool:
        """Report whether a definition is more than a forward declaration or an import in the form of one."""
        return block.kind not in {"prototype", "macro"}


def _meet(fault: Span, span: Span) -> bool:
    return fault.touches(span) if not fault else fault.start < span.end and span.start < fault.end
