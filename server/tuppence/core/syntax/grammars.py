"""tree-sitter's grammars and compiled queries, each loaded when it is first needed.

A grammar is a wheel of its own, named in the language's row. Nothing is downloaded; where a platform has no wheel, the
answer is None and the language is read by indentation.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tree_sitter

_PIECE = 4096
"""Bytes of a text that a parser gets at a time."""
_spare: list[bytearray] = []
"""Pieces that no parse uses now. py-tree-sitter never releases the objects that a source returns, so the same few are
returned again and again."""


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


@cache
def known_types(path: str, types: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the types of named nodes that an installed grammar has."""
    grammar = load(path)
    assert grammar is not None, path
    return tuple(each for each in types if grammar.id_for_node_kind(each, True))  # noqa: FBT003 - the binding takes no names


def parse(
    path: str, data: bytes, old: tree_sitter.Tree | None = None, budget: int | None = None
) -> tree_sitter.Tree | None:
    """Parse UTF-8; an edited old tree makes it incremental.

    None where the grammar is not installed, or the parse took more work than the budget allows. A parser of its own for
    each call costs microseconds and lets two threads parse at once. A parse of bytes holds Python's lock to its end;
    here the parser asks for a piece of the text at a time and reports its progress, and other threads get their turn at
    each of these calls.

    :param budget: steps of progress, each of a hundred or so operations of the parser; None is no limit.
    """
    from tree_sitter import Parser

    grammar = load(path)
    if grammar is None:
        return None
    source = Pieces(data, budget)
    # Arguments by their names, because the binding takes no None for the old tree.
    parse_pieces = partial(Parser(grammar).parse, source.read, progress_callback=source.is_over)
    try:
        return parse_pieces() if old is None else parse_pieces(old_tree=old)
    except ValueError:
        if source.steps_left < 0:
            return None
        raise
    finally:
        source.close()


class Pieces:
    """A text handed to a parser piece by piece, and the work that the parser may do on it."""

    def __init__(self, data: bytes, budget: int | None = None) -> None:
        self._data = data
        self._piece: bytearray | None = _spare.pop() if _spare else bytearray(_PIECE)
        self.steps_left = sys.maxsize if budget is None else budget
        """Steps of progress that the parser may still make; below 0 where it was stopped."""

    def read(self, at: int, _point: object) -> bytes | bytearray:
        """Return the text from a byte on, as much of it as a piece holds; it is good until the next call."""
        wanted = self._data[at : at + _PIECE]
        if self._piece is None:
            return wanted
        self._piece[:] = wanted
        return self._piece

    def is_over(self, *_: object) -> bool:
        """Count a step; report whether the parser is to stop."""
        self.steps_left -= 1
        return self.steps_left < 0

    def close(self) -> None:
        """Give the piece back. A tree keeps its source, which from now on gives copies."""
        if self._piece is not None:
            _spare.append(self._piece)
            self._piece = None


def captures(
    node: tree_sitter.Node, found: tree_sitter.Query, start: int, end: int
) -> dict[str, list[tree_sitter.Node]]:
    """Return the nodes that a query captures below a node, among those that touch a range of bytes."""
    from tree_sitter import QueryCursor

    cursor = QueryCursor(found)
    cursor.set_byte_range(start, end)
    return cursor.captures(node)
