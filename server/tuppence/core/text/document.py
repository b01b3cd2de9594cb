"""Text, and edits to it, in code points only.

Positions, everywhere in core: an offset counts Unicode code points from the start of the text, from 0; a span is
half-open; a line counts from 0 and ends at LF, CRLF or CR, the three that the protocol knows (never at a
form feed or U+2028, as ``str.splitlines`` would). UTF-16 and UTF-8 columns exist in lsp/documents/convert.py alone;
lines counted from 1 exist in what people and models read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuppence.core.text.line_index import MovedLines

_NEWLINE = re.compile(r"\r\n|\n|\r")
_LONE = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points."""

    start: int
    """First code point, from 0."""
    end: int
    """One past the last code point; at least ``start``."""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: {self.start} to {self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def __bool__(self) -> bool:
        """Report whether the span holds any text: an empty span is false."""
        return self.end > self.start

    def covers(self, other: Span) -> bool:
        """Report whether ``other`` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end

    def touches(self, other: Span) -> bool:
        """Report whether the two share a code point or a boundary."""
        return self.start <= other.end and other.start <= self.end


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace a span by a text."""

    span: Span
    """The replaced span of the text before the edit."""
    text: str
    """The new text of the span."""


@dataclass(frozen=True)
class Document:
    """One version of one open document."""

    uri: str
    """As the editor gave it."""
    language: str
    """The editor's languageId, such as ``python`` or ``typescriptreact``."""
    version: int | None
    """The editor's version number; None where it gave none (a file that is not open)."""
    text: str
    """The whole text, line endings as they are."""

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The offset of each line's first code point; at least one line."""
        known: tuple[int, ...] | MovedLines | None = vars(self).get("line_index")
        return line_starts(self.text) if known is None else tuple(known)

    @cached_property
    def line_index(self) -> tuple[int, ...] | MovedLines:
        """The same offsets, in a form that an edit changes at little cost where the document comes from an edit."""
        return self.line_starts

    @cached_property
    def newline(self) -> str:
        """The line ending of the first line; a line feed if there is none."""
        found = _NEWLINE.search(self.text)
        return found.group() if found else "\n"

    @cached_property
    def is_mixed(self) -> bool:
        """Whether some lines end at a lone CR and others with LF, so that taking text away can make one of two."""
        return "\n" in self.text and self.lone_cr is not None

    @cached_property
    def lone_cr(self) -> int | None:
        """The offset of the first CR without a following LF, or None."""
        found = _LONE.search(self.text) if "\r" in self.text else None
        return found.start() if found else None

    @property
    def line_count(self) -> int:
        """How many lines there are; an empty text has one."""
        return len(self.line_index)

    def line_at(self, offset: int) -> int:
        """Return the line, from 0, that holds the offset."""
        starts = self.line_index
        return bisect_right(starts, offset) - 1 if isinstance(starts, tuple) else starts.line_at(offset)

    def line_span(self, line: int) -> Span:
        """Return the span of a line without its line ending."""
        start, end = self.full_line_span(line).start, self.full_line_span(line).end
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return Span(start, end)

    def full_line_span(self, line: int) -> Span:
        """Return the span of a line with its line ending."""
        starts = self.line_index
        return Span(starts[line], starts[line + 1] if line + 1 < len(starts) else len(self.text))

    def whole_lines(self, span: Span) -> Span:
        """Widen a span to whole lines, without the last line's ending."""
        last = self.line_at(max(span.start, span.end - 1)) if span else self.line_at(span.start)
        return Span(self.line_span(self.line_at(span.start)).start, self.line_span(last).end)

    def slice(self, span: Span) -> str:
        """Return the text of a span."""
        return self.text[span.start : span.end]


def line_starts(text: str) -> tuple[int, ...]:
    """Return the offset of each line's first code point."""
    return (0, *map(re.Match.end, _NEWLINE.finditer(text)))


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text after the edits, whose spans refer to the text before all of them.

    :raises ValueError: two edits overlap, or one lies outside the text.
    """
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda each: (each.span.start, each.span.end)):
        if edit.span.start < done or edit.span.end > len(text):
            raise ValueError(f"an edit overlaps another or lies outside the text: {edit.span}")
        pieces += (text[done : edit.span.start], edit.text)
        done = edit.span.end
    return "".join((*pieces, text[done:]))


def together(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Return edits of one text in order, an insertion as one with the edit behind it: not every editor keeps the order.

    Insertions at one place keep the order in which they come.
    """
    joined: list[Edit] = []
    for edit in sorted(edits, key=lambda each: (each.span.start, each.span.end)):
        if joined and not joined[-1].span and joined[-1].span.start == edit.span.start:
            edit = Edit(edit.span, joined.pop().text + edit.text)  # noqa: PLW2901 - the same edit, grown
        joined.append(edit)
    return tuple(joined)


def shift(span: Span, edit: Edit) -> Span | None:
    """Return where the span lies after an edit, or None where the edit reaches into it.

    Text inserted exactly at the span's start pushes it along; exactly at its end leaves it as it is.
    """
    if edit.span.end <= span.start:
        moved = len(edit.text) - len(edit.span)
        return Span(span.start + moved, span.end + moved)
    return span if edit.span.start >= span.end else None
