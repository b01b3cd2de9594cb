"""Locate a finding in the target: by the code that it quotes, or by a line number that fits its message.

Models copy well and count badly. A quotation is enough to place a finding; a line number is used only if the message
names something on that line or on an adjacent one. White space is ignored.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tuppence.core.text.document import Document, Span

_NUMBER = re.compile(r"\(?(?:line\s+|L)?(\d+)\)?\s*(?:[:|.)-]\s*|$)", re.IGNORECASE)
_PARTIAL = 6
"""Minimum number of characters, white space excluded, for a piece of a line to identify it."""
_WIDEST = 60
"""Maximum number of lines of a range that are examined."""
_NAME = re.compile(r"[^\W\d]\w*")
_ASCII_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SPAN = re.compile(r"`([^`\n]{2,200})`")
_PART = 4
"""Minimum length of a part of a name that counts as a mention."""
_IDLE = frozenset(
    {
        *(each.lower() for each in keyword.kwlist),
        *[
            "self",
            "this",
            "the",
            "that",
            "an",
            "to",
            "of",
            "it",
            "at",
            "on",
            "be",
            "do",
            "by",
            "we",
            "you",
            "its",
            "are",
            "was",
            "function",
            "func",
            "fn",
            "const",
            "let",
            "var",
            "new",
        ],
        *[
            "public",
            "private",
            "static",
            "void",
            "value",
            "values",
            "line",
            "code",
            "will",
            "can",
            "may",
            "should",
            "never",
            "when",
        ],
    }
)
"""Words that identify no line, wherever they occur."""


@dataclass(frozen=True, slots=True)
class QuotePlace:
    """The place of a quotation."""

    line: int
    """Index of its first line in the document."""
    count: int
    """Number of lines."""
    whole: bool
    """True if whole lines were quoted, False for a piece of one."""


class Quotable:
    """The lines of a target, searched by quotation and by number."""

    def __init__(self, document: Document, target: Span) -> None:
        self._first = document.line_at(target.start)
        last = document.line_at(max(target.start, target.end - 1))
        self._texts = [document.slice(document.line_span(line)) for line in range(self._first, last + 1)]
        self._lines = [_squeeze(text) for text in self._texts]
        self._known: dict[tuple[str, ...], QuotePlace | None] = {}

    def locate(self, quote: Sequence[str]) -> QuotePlace | None:
        """Return the place where the lines are consecutive, else the one line that contains the first, else None."""
        filled = tuple(line for line in quote if line.strip())
        if filled not in self._known:
            self._known[filled] = self._locate(filled) if filled else None
        return self._known[filled]

    def numbered(self, ranges: Iterable[tuple[int, int]], message: str) -> QuotePlace | None:
        """Return the line that a message means by line numbers, None if it names nothing on those lines.

        :param ranges: the first and the last line of each range, from 1.
        """
        said = {word.lower() for word in _ASCII_NAME.findall(message)}
        pieces = [_squeeze(piece) for piece in _SPAN.findall(message)]
        for first, last in ranges:
            inside = range(first, min(last, first + _WIDEST) + 1)
            for number in (*inside, first - 1, inside.stop):
                at = number - 1 - self._first
                if 0 <= at < len(self._lines) and self._is_named(at, said, pieces, message):
                    return QuotePlace(number - 1, 1, whole=False)
        return None

    def _is_named(self, at: int, said: set[str], pieces: Sequence[str], message: str) -> bool:
        """Report whether a message names something on a line."""
        if any(len(piece) > 1 and piece in self._lines[at] for piece in pieces):
            return True
        for name in _NAME.findall(self._texts[at]):
            low = name.lower()
            if len(name) > 1 and low not in _IDLE and (low in said or (not name.isascii() and name in message)):
                return True
            parts = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")
            if len(parts) > 1 and any(len(part) >= _PART and part in said and part not in _IDLE for part in parts):
                return True
        return False

    def _locate(self, filled: Sequence[str]) -> QuotePlace | None:
        readings = _readings(filled[0])
        for number, first in readings:
            wanted = [_squeeze(line) for line in (first, *filled[1:])]
            if places := self._whole(wanted):
                near = min(places, key=lambda line: (abs(line + 1 - number) if number else 0, line))
                return QuotePlace(near, len(wanted), whole=True)
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

    def _partial(self, number: int, text: str) -> QuotePlace | None:
        piece = _squeeze(text.strip(".… "))
        inside = [self._first + at for at, line in enumerate(self._lines) if piece and piece in line]
        if number and number - 1 in inside:
            return QuotePlace(number - 1, 1, whole=False)
        if len(inside) == 1 and len(piece) >= _PARTIAL:
            return QuotePlace(inside[0], 1, whole=False)
        return None


def is_telling(quote: str) -> bool:
    """Report whether a piece of code is long enough to identify a line."""
    return len(_squeeze(quote)) >= _PARTIAL


def _readings(quote: str) -> list[tuple[int, str]]:
    """Return the possible meanings of a quotation, likeliest first: its line number (0 for none) and its code."""
    quote = quote.strip()
    inner = _unquoted(quote)
    readings = [(0, inner), (0, quote)]
    if (found := _NUMBER.match(quote)) and found.end() < len(quote):
        rest = quote[found.end() :]
        readings = [(_int(found[1]), _unquoted(rest)), *readings, (_int(found[1]), rest)]
    if inner != quote and (found := _NUMBER.match(inner)) and found.end() < len(inner):
        readings.append((_int(found[1]), inner[found.end() :]))
    return readings


def _int(digits: str) -> int:
    """Return the number, or 0 if it has too many digits for a line number."""
    return int(digits) if len(digits) < len("10000000") else 0


def _unquoted(quote: str) -> str:
    run = len(quote) - len(quote.lstrip("`"))
    if run and quote.endswith("`" * run) and len(quote) > 2 * run:
        return quote[run:-run].strip()
    return quote


def _squeeze(text: str) -> str:
    return "".join(text.split())
