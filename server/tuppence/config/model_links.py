"""The order in which rows of the tier table are read that refer to each other, and which of them lead in a circle.

``like`` names the row of the same model under another name, ``follows`` that of a predecessor. A row may hold both, and
the row that it names may refer to others in turn. What a row takes from another is decided by config/model_table.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from tuppence.core.text.shown_text import quoted

KEYS = ("like", "follows")
LONGEST = 20
"""Rows in a chain of references, the first and the last included."""
_BACK = "Name a row that does not lead back here, or remove the key."
_FAR = "Name a row nearer to the end of the chain, or remove the key."
_SHOWN = 4
"""Rows of a circle that a sentence names."""

Links = Mapping[str, str]
"""The name of a row by the key that refers to it."""


class LinkFault(NamedTuple):
    """What is wrong with a reference."""

    key: str
    """One of KEYS."""
    what: str
    """A sentence."""
    remedy: str
    """What to do about it."""


class RowNames:
    """The names of rows: a name is found as it is written, or else in upper or lower case."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._folded = {name.casefold(): name for name in names}

    def find(self, name: str) -> str | None:
        """Return the name of the row that is meant, or None."""
        return name if name in self._names else self._folded.get(name.casefold())


def in_order(
    links: Mapping[str, Links], written: Mapping[str, Collection[str]], most: int
) -> tuple[tuple[str, LinkFault | None], ...]:
    """Return all rows, each after those to which it refers, with what is wrong with its references.

    :param links: every row with its references; one that names no row is passed over.
    :param written: the rows that may be at fault, in the order of the file, with the keys that are written in each.
    :param most: circles after which no more are looked for; then the rows that lead in one are returned alone.
    """
    names = RowNames(links)
    graph: dict[str, dict[str, str]] = {
        name: {key: found for key, target in each.items() if (found := names.find(target)) is not None}
        for name, each in links.items()
    }
    faults: dict[str, LinkFault] = {}
    while len(faults) <= most:
        try:
            order = tuple(TopologicalSorter({name: each.values() for name, each in graph.items()}).static_order())
        except CycleError as error:
            circle: Sequence[str] = error.args[1][::-1][:-1]
            row, key = _closing(circle, graph, written)
            faults[row] = LinkFault(key, _sentence(key, row, circle), _BACK)
            graph[row] = {}
        else:
            faults |= _too_long(order, graph, written)
            return tuple((name, faults.get(name)) for name in order)
    return tuple(faults.items())


def _too_long(
    names: Sequence[str], graph: Mapping[str, Links], written: Mapping[str, Collection[str]]
) -> dict[str, LinkFault]:
    """Return what is wrong with the rows from which too many references lead on; the names are in order."""
    faults: dict[str, LinkFault] = {}
    length: dict[str, int] = {}
    for name in names:
        length[name] = 1 + max((length[each] for each in graph[name].values()), default=0)
        key = next((key for key in graph[name] if key in written.get(name, ())), None)
        if length[name] > LONGEST and key is not None:
            faults[name] = LinkFault(key, f'"{key}" begins a chain of more than {LONGEST} rows.', _FAR)
            length[name] = -len(names)  # What refers to it is left out with it, and is no fault of its own.
    return faults


def _closing(
    circle: Sequence[str], graph: Mapping[str, Links], written: Mapping[str, Collection[str]]
) -> tuple[str, str]:
    """Return the row of a circle whose reference is blamed, the last in the file, and the key of that reference."""
    after = dict(zip(circle, (*circle[1:], circle[0]), strict=True))
    blamed = [
        (row, key)
        for row, keys in written.items()
        if row in after
        for key, target in graph[row].items()
        if key in keys and target == after[row]
    ]
    return blamed[-1]


def _sentence(key: str, row: str, circle: Sequence[str]) -> str:
    if len(circle) == 1:
        return f'"{key}" names its own row.'
    start = circle.index(row)
    turned = [*circle[start:], *circle[:start]]
    shown = [quoted(each, 80) for each in turned[:_SHOWN]]
    if len(turned) > _SHOWN:
        shown.append("...")
    return f'"{key}" leads in a circle: {", ".join(shown)} and back to {quoted(row, 80)}.'
