"""What one walk over a syntax tree counts: nodes and pairs, levels, operators, and where prose is."""

from __future__ import annotations

import pytest

from tuppence.core.syntax import grammars
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.node_counts import NodeCounts, count_nodes, summed


def counted(language_id: str, code: str) -> NodeCounts:
    row = language(language_id)
    assert row.grammar is not None
    tree = grammars.parse(row.grammar, code.encode())
    assert tree is not None
    return count_nodes(tree.root_node, row)


def test_nodes_are_counted_alone_and_under_their_parents() -> None:
    nodes = counted("python", "a = b\na = c\n").nodes
    assert (nodes["assignment"], nodes["expression_statement>assignment"], nodes["assignment>identifier"]) == (2, 2, 4)
    assert summed(nodes, "assignment identifier nothing") == 6


@pytest.mark.parametrize(
    ("language_id", "code", "depth"),
    [
        ("javascript", "if (a) { b } else if (c) { d } else if (e) { f }", 1),
        ("javascript", "if (a) { if (b) { while (c) { } } }", 3),
        ("javascript", "if (a) { for (;;) { if (b) { } } }", 3),
        ("python", "if a:\n    b\nelif c:\n    for d in e:\n        f\n", 2),
        ("go", "func f() { if a { } else if b { } else { for { } } }", 2),
        ("c", "int x = 1;", 0),
    ],
)
def test_an_else_if_is_no_level(language_id: str, code: str, depth: int) -> None:
    assert counted(language_id, code).depth == depth


def test_a_shift_is_output_where_its_value_is_dropped() -> None:
    assert counted("cpp", "void f() { out << a << (b << 2); }").bits == 1
    assert counted("cpp", "int f() { return a << 2; }").bits == 1
    assert counted("cpp", "void f() { a <<= 2; }").bits == 1


def test_prose_is_where_strings_and_comments_are() -> None:
    code = 'é = "x" # y\n'
    found = counted("python", code)
    assert sorted(code.encode()[start:end] for start, end in found.prose) == [b'"x"', b"# y"]


def test_what_is_deeper_than_code_is_said_to_be_cut() -> None:
    assert not counted("python", "x = " + "(" * 300 + "1" + ")" * 300).is_cut
    assert counted("python", "x = " + "(" * 500 + "1" + ")" * 500).is_cut
