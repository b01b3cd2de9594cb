"""The way from a tree's root to a node, and what is beside it."""

from __future__ import annotations

from tuppence.core.syntax import grammars
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.shape import NodePath, way

CODE = b"a = 1\nb = 2\nc = 3\n"


def test_the_root_has_nothing_beside_it_and_a_statement_has_the_others() -> None:
    path = language("python").grammar
    assert path is not None
    parsed = grammars.parse(path, CODE)
    assert parsed is not None
    root = NodePath(parsed.root_node)
    assert (list(root.behind()), list(root.before())) == ([], [])
    middle = root.named()[1]
    place = NodePath(middle, root)
    assert [each.node.text for each in place.behind()] == [b"c = 3"]
    assert [each.node.text for each in place.before()] == [b"a = 1"]
    assert root.number(middle) == 1
    assert root.number(parsed.root_node) == 3, "a node that is none of them"
    assert root.count({"expression_statement": ""}) == root.count({"expression_statement": ""}) == 3


def test_the_way_to_a_node_ends_at_it() -> None:
    path = language("python").grammar
    assert path is not None
    parsed = grammars.parse(path, CODE)
    assert parsed is not None
    place = way(parsed.root_node, 6, 7)
    assert place.node.text == b"b"
    assert way(parsed.root_node, 0, len(CODE)).node.type == "module"
