"""tree-sitter grammars and compiled queries, each loaded when it is first needed.

A grammar is a separate wheel, named in the language's row. Nothing is downloaded; if a platform has no wheel, the
result is None and the language is parsed by indentation.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tree_sitter

_PIECE = 4096
"""Number of bytes that a parser receives at a time."""
_spare: list[bytearray] = []
"""Unused buffers. py-tree-sitter never releases the objects that a read callback returns, so a few are reused."""


@cache
def load(path: str) -> tree_sitter.Language | None:
    """Return the grammar at a dotted path, None if it is not installed."""
    module, _, function = path.rpartition(".")
    try:
        from tree_sitter import Language

        return Language(getattr(import_module(module), function)())
    except ImportError:
        return None


@cache
def query(path: str, source: str) -> tree_sitter.Query:
    """Return a compiled query for an installed grammar."""
    from tree_sitter import Query

    grammar = load(path)
    assert grammar is not None, path
    return Query(grammar, source)


@cache
def known_types(path: str, types: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the named node types that an installed grammar has."""
    grammar = load(path)
    assert grammar is not None, path
    return tuple(each for each in types if grammar.id_for_node_kind(each, True))  # noqa: FBT003 - the binding takes no names


def parse(
    path: str, data: bytes, old: tree_sitter.Tree | None = None, budget: int | None = None
) -> tree_sitter.Tree | None:
    """Parse UTF-8; with an edited old tree, incrementally.

    None if the grammar is not installed, or if the parse exceeded its budget. Creating a parser for each call costs
    microseconds and lets two threads parse at the same time. Parsing bytes holds Python's global lock until the end;
    here the parser requests the text in pieces and reports progress, and other threads can run at each of these calls.

    :param budget: maximum number of progress steps, each of about a hundred parser operations; None for no limit.
    """
    from tree_sitter import Parser

    grammar = load(path)
    if grammar is None:
        return None
    source = Pieces(data, budget)
    # Keyword arguments, because the binding does not accept None for the old tree.
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
    """A text passed to a parser in pieces, and the work that the parser may do on it."""

    def __init__(self, data: bytes, budget: int | None = None) -> None:
        self._data = data
        self._piece: bytearray | None = _spare.pop() if _spare else bytearray(_PIECE)
        self.steps_left = sys.maxsize if budget is None else budget
        """Number of progress steps left; below 0 if the parse was stopped."""

    def read(self, at: int, _point: object) -> bytes | bytearray:
        """Return the text from a byte on, at most one piece; it is valid until the next call."""
        wanted = self._data[at : at + _PIECE]
        if self._piece is None:
            return wanted
        self._piece[:] = wanted
        return self._piece

    def is_over(self, *_: object) -> bool:
        """Count a step; report whether the parser must stop."""
        self.steps_left -= 1
        return self.steps_left < 0

    def close(self) -> None:
        """Release the buffer. A tree holds its source, which returns copies from now on."""
        if self._piece is not None:
            _spare.append(self._piece)
            self._piece = None


def captures(
    node: tree_sitter.Node, found: tree_sitter.Query, start: int, end: int
) -> dict[str, list[tree_sitter.Node]]:
    """Return the nodes that a query captures below a node, by capture name, if they touch a range of bytes."""
    from tree_sitter import QueryCursor

    cursor = QueryCursor(found)
    cursor.set_byte_range(start, end)
    return cursor.captures(node)
