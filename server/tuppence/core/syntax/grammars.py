"""tree-sitter's grammars and compiled queries, each loaded when it is first needed.

A grammar is a wheel of its own, named in the language's row. Nothing is downloaded; where a platform has no wheel, the
answer is None and the language is read by indentation.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tree_sitter


@cache
def load(path: str) -> tree_sitter.Language | None:
    """Return the grammar that a dotted path names, None where it is not installed."""
    module, _, function = path.rpartition(".")
    try:
        from tree_sitter import Language

        return Language(getattr(import_module(module), function)())
    except ImportError:
        return None


@cache
def query(path: str, source: str) -> tree_sitter.Query:
    """Return a compiled query for a grammar that is installed."""
    from tree_sitter import Query

    grammar = load(path)
    assert grammar is not None, path
    return Query(grammar, source)


def parse(path: str, data: bytes, old: tree_sitter.Tree | None = None) -> tree_sitter.Tree | None:
    """Parse UTF-8; an edited old tree makes it incremental; None where the grammar is not installed.

    A parser of its own for each call costs microseconds and lets two threads parse at once.
    """
    from tree_sitter import Parser

    grammar = load(path)
    if grammar is None:
        return None
    return Parser(grammar).parse(data) if old is None else Parser(grammar).parse(data, old)


def captures(
    node: tree_sitter.Node, found: tree_sitter.Query, start: int, end: int
) -> dict[str, list[tree_sitter.Node]]:
    """Return the nodes that a query captures below a node, among those that touch a range of bytes."""
    from tree_sitter import QueryCursor

    cursor = QueryCursor(found)
    cursor.set_byte_range(start, end)
    return cursor.captures(node)
