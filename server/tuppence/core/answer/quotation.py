"""Where in the code a quotation stands.

White space is not compared. A line number, wherever a model wrote it, only chooses between lines that are alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tuppence.core.text.document import Document, Span

_NUMBER = re.compile(r"\(?(?:line\s+|L)?(\d+)\)?\s*(?:[:|.)-]\s*|$)", re.IGNORECASE)
_PARTIAL = 6
"""Characters, white space aside, from which a piece of a line identifies it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quotation stands."""

    line: int
    """Its first line in the document, from 0."""
    count: int
    """How many lines it has."""
    whole: bool
    """Whether whole lines were quoted, and not a piece of one."""


class Quotable:
    """The lines of a target, to be quoted from."""

    def __init__(self, document: Document, target: Span) -> None:
        self._first = document.line_at(target.start)
        last = document.line_at(max(target.start, target.end - 1))
        self._lines = [_squeeze(document.slice(document.line_span(line))) for line in range(self._first, last + 1)]

    def locate(self, quote: Sequence[str]) -> Place | None:
        """Return where the lines stand together, else the one line that the first is a piece of, else None."""
        filled = [line for line in quote if line.strip()]
        if not filled:
            return None
        readings = _readings(filled[0])
        for number, first in readings:
            wanted = [_squeeze(line) for line in (first, *filled[1:])]
            if places := self._whole(wanted):
                near = min(places, key=lambda line: (abs(line + 1 - number) if number else 0, line))
                return Place(near, len(wanted), whole=True)
        return next((place for number, first in readings if (place := self._partial(number, first))), None)

    def _whole(self, wanted: list[str]) -> list[int]:
        if not wanted[0]:
            return []
        count = len(wanted)
        return [
            self._first + at
            for at in range(len(self._lines) - count + 1)
            if self._lines[at] == wanted[0] and self._lines[at : at + count] == wanted
        ]

    def _partial(self, number: int, text: str) -> Place | None:
        piece = _squeeze(text.strip(".… "))
        inside = [self._first + at for at, line in enumerate(self._lines) if piece and piece in line]
        if number and number - 1 in inside:
            return Place(number - 1, 1, whole=False)
        if len(inside) == 1 and len(piece) >= _PARTIAL:
            return Place(inside[0], 1, whole=False)
        return None


def _readings(quote: str) -> list[tuple[int, str]]:
    """Return what a quotation may mean, likeliest first: its line number, 0 for none, and the code."""
    quote = quote.strip()
    inner = _unquoted(quote)
    readings = [(0, inner), (0, quote)]
    if (found := _NUMBER.match(quote)) and found.end() < len(quote):
        rest = quote[found.end() :]
        readings = [(int(found[1]), _unquoted(rest)), *readings, (int(found[1]), rest)]
    if inner != quote and (found := _NUMBER.match(inner)) and found.end() < len(inner):
        readings.append((int(found[1]), inner[found.end() :]))
    return readings


def _unquoted(quote: str) -> str:
    run = len(quote) - len(quote.lstrip("`"))
    if run and quote.endswith("`" * run) and len(quote) > 2 * run:
        return quote[run:-run].strip()
    return quote


def _squeeze(text: str) -> str:
    return "".join(text.split())
