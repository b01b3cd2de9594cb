"""A parsed text as a tree: whether it is too deep or too wide to ask, its nodes in order, the way to a place.

A file may be anybody's. A query of tree-sitter holds Python's lock to its end, and looks through the neighbors of each
node for one with a name; a node's parent and its neighbors are searched from the root. Of 200 KB of brackets each of
these takes the square of the size. So nodes are visited here one by one, each once and with what is above it at hand,
nothing calls itself, and a tree that is deeper or wider than code is read by indentation instead.
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
"""Levels of nodes above which a text is read by indentation."""
WIDEST = 50_000
"""Nodes in one node above which it is."""
_SIZE = attrgetter("descendant_count")
_LEAST = 3
"""Nodes of the smallest definition: what it is, its name and what the name means."""


def excess(root: tree_sitter.Node) -> str:
    """Return what makes a tree one that is not to be asked about, as a clause; empty where nothing does."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            return f"is nested more than {DEEPEST:,} deep"
        if node.child_count > WIDEST:
            return f"has more than {WIDEST:,} parts in one place"
        # What has fewer nodes in it than levels are left is not too deep: of code, nearly all.
        children, least = node.children, DEEPEST - depth
        large = compress(children, map(least.__lt__, map(_SIZE, children)))
        waiting += zip(large, repeat(depth + 1))
    return ""


@dataclass(slots=True, eq=False)
class NodePath:
    """A node and the nodes around it."""

    node: tree_sitter.Node
    up: NodePath | None = None
    """Where its parent is; None for the root."""
    _named: list[tree_sitter.Node] | None = None
    _numbers: dict[int, int] | None = None
    _count: int | None = None

    @property
    def parent(self) -> tree_sitter.Node | None:
        """The node around it."""
        return self.up.node if self.up is not None else None

    def named(self) -> list[tree_sitter.Node]:
        """Return the named nodes in it."""
        if self._named is None:
            self._named = self.node.named_children
        return self._named

    def count(self, kinds: Mapping[str, str]) -> int:
        """Return how many of the named nodes in it have one of some types, always of the same ones."""
        if self._count is None:
            self._count = sum(child.type in kinds for child in self.named())
        return self._count

    def behind(self) -> Iterator[NodePath]:
        """Yield the named nodes that follow it in its parent."""
        if self.up is not None:
            siblings = self.up.named()
            yield from (NodePath(siblings[at], self.up) for at in range(self._at() + 1, len(siblings)))

    def before(self) -> Iterator[NodePath]:
        """Yield the named nodes before it in its parent, the nearest first."""
        if self.up is not None:
            siblings = self.up.named()
            yield from (NodePath(siblings[at], self.up) for at in range(self._at() - 1, -1, -1))

    def _at(self) -> int:
        """Return which of its parent's named nodes it is."""
        assert self.up is not None
        return self.up.number(self.node)

    def number(self, node: tree_sitter.Node) -> int:
        """Return which of the named nodes in it a node is; their count for one that is none of them."""
        if self._numbers is None:
            self._numbers = {each.id: at for at, each in enumerate(self.named())}
        return self._numbers.get(node.id, len(self._numbers))


def way(root: tree_sitter.Node, start: int, end: int) -> NodePath:
    """Return the innermost node that covers a range of bytes, by its way from the root."""
    innermost = root.descendant_for_byte_range(start, end)
    place = NodePath(root)
    while innermost is not None and place.node.id != innermost.id:
        inner = place.node.child_with_descendant(innermost)
        if inner is None:  # pragma: no cover - the innermost node lies below each node on the way to it
            break
        place = NodePath(inner, place)
    return place


def touching(root: tree_sitter.Node, start: int, end: int) -> Iterator[tuple[tree_sitter.Node, NodePath | None]]:
    """Yield the nodes that touch a range of bytes, each with its parent's place: outer ones first, in order."""
    waiting: list[tuple[tree_sitter.Node, NodePath | None]] = [(root, None)]
    while waiting:
        node, up = waiting.pop()
        yield node, up
        if node.child_count:
            here = NodePath(node, up)
            children = node.children
            if node.start_byte < start or node.end_byte > end:
                # Nodes lie behind one another, so that the first and the last are found by halving.
                first = bisect_left(children, start, key=_end)
                children = children[first : bisect_right(children, end, lo=first, key=_start)]
            waiting.extend((child, here) for child in reversed(children))


def defining(root: tree_sitter.Node, start: int, end: int, kinds: Kinds, barren: Kinds) -> Iterator[NodePath]:
    """Yield the nodes of some kinds that touch a range of bytes, outer ones first, in order.

    Most nodes of code are passed over: those that are too small to define anything, and those in which nothing is
    defined.

    :param barren: kinds of nodes in which there is no node of ``kinds``, unless a fault is in them.
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


def _start(node: tree_sitter.Node) -> int:
    return node.start_byte


def _end(node: tree_sitter.Node) -> int:
    return node.end_byte


class Kinds:
    """A set of types of nodes, as a row of the table of languages writes them; ``"async"`` in quotes is a keyword."""

    def __init__(self, types: str) -> None:
        self._named = frozenset(each for each in types.split() if not each.startswith('"'))
        self._signs = frozenset(each.strip('"') for each in types.split() if each.startswith('"'))
        self._known: dict[int, bool] = {}

    def __contains__(self, node: tree_sitter.Node) -> bool:
        kind = node.kind_id  # A type's name is made at each question, its number is not.
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = node.type in (self._named if node.is_named else self._signs)
        return found


class Depth:
    """How deep nodes nest, given in order; ``else if`` is no level of its own."""

    def __init__(self) -> None:
        self.deepest = 0
        """The most levels so far."""
        self._open_ends: list[int] = []

    def enter(self, node: tree_sitter.Node, parent: tree_sitter.Node | None) -> None:
        """Take a node in."""
        if parent is not None and node.type.startswith("if_") and parent.type in {"else_clause", node.type}:
            return
        while self._open_ends and self._open_ends[-1] <= node.start_byte:
            self._open_ends.pop()
        self._open_ends.append(node.end_byte)
        self.deepest = max(self.deepest, len(self._open_ends))
