"""Lines: a text taken apart into them, chunks put together to them, and the fewest edits between two lists of them.

A line ends at LF, CRLF or CR, as in text.py. Nothing here knows what the lines say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from tuppence.core.text import Edit, Span, together

_NEWLINE = re.compile(r"\r\n|\n|\r")
_MANY = 1000


class Splitter:
    """Puts chunks together to complete lines; a chunk without a line ending costs one append."""

    def __init__(self) -> None:
        self._held: list[str] = []

    def feed(self, chunk: str) -> list[tuple[str, str]]:
        """Take the next chunk; return the lines that it completes, each with its ending apart."""
        if not chunk:
            return []
        half = bool(self._held) and self._held[-1].endswith("\r")
        self._held.append(chunk)
        if not half and "\n" not in chunk and "\r" not in chunk:
            return []
        text = "".join(self._held)
        lines: list[tuple[str, str]] = []
        done = 0
        for found in _NEWLINE.finditer(text):
            # A CR that ends the chunk may be the first half of a CRLF.
            if found.group() == "\r" and found.end() == len(text):
                break
            lines.append((text[done : found.start()], found.group()))
            done = found.end()
        self._held = [text[done:]] if done < len(text) else []
        return lines

    def finish(self) -> list[tuple[str, str]]:
        """Take the end; return the last line, if anything of it has come."""
        text = "".join(self._held)
        self._held = []
        if text.endswith("\r"):
            return [(text[:-1], "\r")]
        return [(text, "")] if text else []


def split(text: str) -> list[tuple[str, str]]:
    """Return the lines of a text, each with its ending apart; the last one has none, and there is always one."""
    lines: list[tuple[str, str]] = []
    done = 0
    for found in _NEWLINE.finditer(text):
        lines.append((text[done : found.start()], found.group()))
        done = found.end()
    return [*lines, (text[done:], "")]


def line_edits(old: str, new: Sequence[str], newline: str) -> tuple[Edit, ...]:
    """Return the fewest edits of whole lines that make ``old`` the lines of ``new``.

    Lines that stay keep their own line endings; ``newline`` goes between new ones. ``new`` has at least one line.
    """
    lines = split(old)
    starts, ends = _bounds(lines)
    edits: list[Edit] = []
    for first, last, low, high in differences([text for text, _ in lines], new):
        text = newline.join(new[low:high])
        if first < last and low < high:
            edits.append(Edit(Span(starts[first], ends[last - 1]), text))
        elif low < high and first < len(lines):
            edits.append(Edit(Span(starts[first], starts[first]), text + newline))
        elif low < high:
            edits.append(Edit(Span(ends[-1], ends[-1]), newline + text))
        elif last < len(lines):
            edits.append(Edit(Span(starts[first], starts[last]), ""))
        else:
            edits.append(Edit(Span(ends[first - 1], ends[-1]), ""))
    return tuple(edits)


def backwards(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return edits that all refer to one text in the order in which they can be made one after the other.

    Insertions at one place become one.
    """
    return tuple(reversed(together(edits)))


def _bounds(lines: list[tuple[str, str]]) -> tuple[list[int], list[int]]:
    start = 0
    starts: list[int] = []
    ends: list[int] = []
    for text, ending in lines:
        starts.append(start)
        ends.append(start + len(text))
        start += len(text) + len(ending)
    return starts, ends


def differences(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return the ranges of lines that differ; what both have at the start and the end is not searched."""
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    shorter -= head
    tail = next((at for at in range(shorter) if old[-1 - at] != new[-1 - at]), shorter)
    middle, other = old[head : len(old) - tail], new[head : len(new) - tail]
    # Beyond a thousand lines, difflib may skip lines that occur everywhere: less minimal, but never quadratic.
    matcher = SequenceMatcher(None, middle, other, autojunk=len(middle) + len(other) > _MANY)
    return [
        (head + first, head + last, head + low, head + high)
        for tag, first, last, low, high in matcher.get_opcodes()
        if tag != "equal"
    ]
