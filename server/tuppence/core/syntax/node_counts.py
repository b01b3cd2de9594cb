"""How often each type of node occurs in a syntax tree, and what only its shape shows: nesting, operators, prose.

Each named node is visited once and nothing calls itself; below a depth that no person's code has, nothing is followed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuppence.core.syntax.languages import Language

if TYPE_CHECKING:
    import tree_sitter

_BITS = 16
_MASK = (1 << _BITS) - 1
"""A grammar numbers its types with so many bits."""
_DEEPEST = 400
"""Levels of nodes that are followed."""
_ON_BITS = frozenset({"&", "|", "^", "~", "<<", ">>", ">>>", "&^", "&=", "|=", "^=", "<<=", ">>=", ">>>=", "&^="})
_JOINING = frozenset({"&&", "||", "??", "and", "or"})
_COMPLEMENTS = frozenset({"~", "^"})
"""The operators on bits that have one operand; in front of one, the others take an address."""
_SHIFTS = frozenset({"<<", ">>"})
_OPERATE = ("binary_", "boolean_op", "unary_", "augmented_", "compound_assign", "assignment_")
"""How the types of nodes begin that may have an operator."""


@dataclass(slots=True)
class NodeCounts:
    """What one walk over a syntax tree counted."""

    nodes: Counter[str] = field(default_factory=Counter)
    """Named nodes by type, and by their parent's type, ``>`` and their own."""
    depth: int = 0
    """How deep those nest that ``loops`` and ``nest`` of the language's row name."""
    bits: int = 0
    """Operators on bits; a shift whose value is dropped, as in ``out << x;``, is output and none."""
    conditions: int = 0
    """Operators that join conditions."""
    is_cut: bool = False
    """Whether it is deeper than was followed."""
    prose: list[tuple[int, int]] = field(default_factory=list)
    """Where strings and comments are, in bytes, in no order."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What has to be known of a type of nodes."""

    name: str
    nests: bool
    operates: bool
    is_prose: bool
    is_plain: bool
    """Whether nothing else has to be asked of it."""


class _Walk:
    """A walk over one tree."""

    def __init__(self, root: tree_sitter.Node, row: Language) -> None:
        self.found = NodeCounts()
        self._nesting = frozenset(f"{row.features.get('loops', '')} {row.features.get('nest', '')}".split())
        self._prose = frozenset(f"{row.strings} {row.comments}".split())
        self._kinds: dict[int, _Kind] = {}
        # A pair is one number, parent first: numbers are nothing that Python's collector would have to go through.
        self._pairs: list[int] = []
        self._run(root)

    def _run(self, root: tree_sitter.Node) -> None:
        kinds, pairs = self._kinds, self._pairs
        kinds[root.kind_id] = self._kind(root)
        waiting = [(root, root.kind_id, 0, 0, False)]
        while waiting:
            node, parent, depth, nested, dropped = waiting.pop()
            for child in node.named_children:
                number = child.kind_id
                kind = kinds.get(number)
                if kind is None:
                    # A type's name is made each time that it is asked for, its number is not.
                    kind = kinds[number] = self._kind(child)
                pairs.append(parent << _BITS | number)
                inner, drops = nested, False
                if not kind.is_plain:
                    if kind.nests:
                        inner += self._is_level(number, parent)
                        self.found.depth = max(self.found.depth, inner)
                    elif kind.operates:
                        drops = self._operator(child, dropped or kinds[parent].name == "expression_statement")
                    else:
                        self.found.prose.append((child.start_byte, child.end_byte))
                if child.named_child_count:
                    if depth < _DEEPEST:
                        waiting.append((child, number, depth + 1, inner, drops))
                    else:
                        self.found.is_cut = True

    def tally(self) -> NodeCounts:
        """Return what was counted."""
        for pair, count in Counter(self._pairs).items():
            over, name = self._kinds[pair >> _BITS].name, self._kinds[pair & _MASK].name
            self.found.nodes[name] += count
            self.found.nodes[f"{over}>{name}"] += count
        return self.found

    def _kind(self, node: tree_sitter.Node) -> _Kind:
        name = node.type
        marks = name in self._nesting, name.startswith(_OPERATE), name in self._prose
        return _Kind(name, *marks, is_plain=not any(marks))

    def _is_level(self, number: int, parent: int) -> bool:
        """Report whether a node that nests makes what is in it one level deeper; an "else if" does not."""
        is_else_if = self._kinds[parent].name == "else_clause" and self._kinds[number].name.startswith("if_")
        return number != parent and not is_else_if

    def _operator(self, node: tree_sitter.Node, dropped: bool) -> bool:  # noqa: FBT001 - called in one place
        """Count a node's operator; return whether it is a shift whose value is dropped."""
        operator = node.child_by_field_name("operator")
        sign = operator.type if operator is not None else ""
        if sign in _JOINING:
            self.found.conditions += 1
        elif sign in _SHIFTS and dropped:
            return True
        elif sign in _ON_BITS and (sign in _COMPLEMENTS or not node.type.startswith("unary_")):
            self.found.bits += 1
        return False


def count_nodes(root: tree_sitter.Node, row: Language) -> NodeCounts:
    """Return the counts of a tree."""
    return _Walk(root, row).tally()


def summed(nodes: Mapping[str, int], types: str) -> int:
    """Return how many nodes have one of some types, which a string holds with spaces between them."""
    return sum(nodes.get(each, 0) for each in types.split())
