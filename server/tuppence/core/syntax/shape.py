"""A parsed text as a tree: whether it is too deep or too wide, its nodes in order, the path to a position.

Files may be untrusted. A tree-sitter query holds Python's global lock until its end, and examines the siblings of each
node for one with a name; parents and siblings are searched from the root. For 200 KB of brackets, each of these takes
time quadratic in the size. So nodes are visited one by one here, each once and with its ancestors at hand, without
recursion, and a tree that is deeper or wider than code is parsed by indentation instead.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import compress, repeat
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tree_sitter

DEEPEST = 1_000
"""Maximum nesting depth of nodes; a deeper text is parsed by indentation."""
WIDEST = 50_000
"""Maximum number of children of a node; a wider text is parsed by indentation."""
_SIZE = attrgetter("descendant_count")
_ROWS = frozenset({"block", "module"})
"""The Python grammar's node types that are sequences of statements."""
_LEAST = 3
"""Number of nodes of the smallest definition: itself, its name and its value."""


def excess(root: tree_sitter.Node) -> str:
    """Return a clause on why a tree must not be used; empty if it may be."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            return f"is nested more than {DEEPEST:,} deep"
        if node.child_count > WIDEST:
            return f"has more than {WIDEST:,} parts in one place"
        # A node with fewer descendants than remaining levels is not too deep; in code, this covers nearly all.
        children, least = node.children, DEEPEST - depth
        large = compress(children, map(least.__lt__, map(_SIZE, children)))
        waiting += zip(large, repeat(depth + 1))
    return ""


@dataclass(slots=True, eq=False)
class NodePath:
    """A node with its ancestors."""

    node: tree_sitter.Node
    up: NodePath | None = None
    """The path to its parent; None for the root."""
    _named: list[tree_sitter.Node] | None = None
    _numbers: dict[int, int] | None = None
    _count: int | None = None

    @property
    def parent(self) -> tree_sitter.Node | None:
        """Its parent node."""
        return self.up.node if self.up is not None else None

    def named(self) -> list[tree_sitter.Node]:
        """Return its named children."""
        if self._named is None:
            self._named = self.node.named_children
        return self._named

    def count(self, kinds: Mapping[str, str]) -> int:
        """Return the number of its named children that have one of some types, which are always equal."""
        if self._count is None:
            self._count = sum(child.type in kinds for child in self.named())
        return self._count

    def behind(self) -> Iterator[NodePath]:
        """Yield its following named siblings."""
        if self.up is not None:
            siblings = self.up.named()
            yield from (NodePath(siblings[at], self.up) for at in range(self._at() + 1, len(siblings)))

    def before(self) -> Iterator[NodePath]:
        """Yield its preceding named siblings, nearest first."""
        if self.up is not None:
            siblings = self.up.named()
            yield from (NodePath(siblings[at], self.up) for at in range(self._at() - 1, -1, -1))

    def _at(self) -> int:
        """Return its index among its parent's named children."""
        assert self.up is not None
        return self.up.number(self.node)

    def number(self, node: tree_sitter.Node) -> int:
        """Return the index of a node among its named children; their number if it is none of them."""
        if self._numbers is None:
            self._numbers = {each.id: at for at, each in enumerate(self.named())}
        return self._numbers.get(node.id, len(self._numbers))


def way(root: tree_sitter.Node, start: int, end: int) -> NodePath:
    """Return the innermost node that covers a range of bytes, as a path from the root."""
    innermost = root.descendant_for_byte_range(start, end)
    place = NodePath(root)
    while innermost is not None and place.node.id != innermost.id:
        inner = place.node.child_with_descendant(innermost)
        if inner is None:  # pragma: no cover - the innermost node lies below each node on the way to it
            break
        place = NodePath(inner, place)
    return place


def touching(root: tree_sitter.Node, start: int, end: int) -> Iterator[tree_sitter.Node]:
    """Yield the nodes that touch a range of bytes: outer ones first, in order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if node.child_count:
            children = node.children
            if node.start_byte < start or node.end_byte > end:
                # Siblings do not overlap, so the first and the last are found by binary search.
                first = bisect_left(children, start, key=_end)
                children = children[first : bisect_right(children, end, lo=first, key=_start)]
            waiting.extend(reversed(children))


def defining(root: tree_sitter.Node, start: int, end: int, kinds: Kinds, barren: Kinds) -> Iterator[NodePath]:
    """Yield the nodes of some kinds that touch a range of bytes, outer ones first, in order.

    Most nodes of code are skipped: those that are too small to be a definition, and those that contain none.

    :param barren: kinds of nodes that contain no node of ``kinds``, unless they contain a fault.
    """
    waiting = [NodePath(root)]
    while waiting:
        place = waiting.pop()
        node = place.node
        if node in kinds:
            yield place
        elif node in barren and not node.has_error:
            continue
        children = node.children
        if node.start_byte < start or node.end_byte > end:
            first = bisect_left(children, start, key=_end)
            children = children[first : bisect_right(children, end, lo=first, key=_start)]
        large = list(compress(children, map(_LEAST.__le__, map(_SIZE, children))))
        large.reverse()
        waiting += map(NodePath, large, repeat(place))


def unnamed(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """Return the named children of a node that are in no field except ``body``."""
    found: list[tree_sitter.Node] = []
    cursor = node.walk()
    more = cursor.goto_first_child()
    while more:
        child = cursor.node
        if child is not None and child.is_named and cursor.field_name in {None, "body"}:
            found.append(child)
        more = cursor.goto_next_sibling()
    return found


def next_statement(root: tree_sitter.Node, start: int, end: int) -> int:
    """Return the start of the statement after the one with these bytes; ``end`` if there is none.

    An edit is extended up to there. At the end of a Python block, where the closing tokens have no width, tree-sitter
    compares the old tree's next node to the wrong token and skips it, often with the rest of the file. A node that
    begins further down is not examined before its turn.
    """
    place = way(root, start, end)
    while place.up is not None:
        following = next(place.behind(), None) if place.up.node.type in _ROWS else None
        if following is not None and following.node.start_byte >= end:
            return following.node.start_byte
        place = place.up
    return end


def _start(node: tree_sitter.Node) -> int:
    return node.start_byte


def _end(node: tree_sitter.Node) -> int:
    return node.end_byte


class Kinds:
    """A set of node types as written in the table of languages; ``"async"`` in quotes is a keyword."""

    def __init__(self, types: str) -> None:
        self._named = frozenset(each for each in types.split() if not each.startswith('"'))
        self._signs = frozenset(each.strip('"') for each in types.split() if each.startswith('"'))
        self._known: dict[int, bool] = {}

    def __contains__(self, node: tree_sitter.Node) -> bool:
        kind = node.kind_id  # A type's name is created on each access, its number is not.
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = node.type in (self._named if node.is_named else self._signs)
        return found
