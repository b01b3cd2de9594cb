"""Find where a block of lines occurs in a text regardless of indentation, and replace lines of a text.

A model that quotes lines of a file may move all of them in or out by the same indentation, and may lose white space at
the ends of lines. So two blocks match if their lines are equal without that white space, and if adding one prefix to
each filled line of a block, or removing it, gives the indentation of the other block. A blank line matches any blank
line. No other difference is tolerated.

Search and replacement take time linear in the text, even if it is repetitive (Knuth, Morris and Pratt 1977).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tuppence.core.answer.reindent import leading
from tuppence.core.text.diff import common_ends
from tuppence.core.text.lines import split


@dataclass(frozen=True, slots=True)
class LineBlockPlace:
    """A place where a block of lines was found."""

    first: int
    """Index of its first line in the text."""
    last: int
    """Index of the line after its last line."""
    added: str = ""
    """White space that each filled line of the text has in addition to that of the block."""
    removed: str = ""
    """White space that each filled line of the block has in addition to that of the text. One of the two is empty."""

    def move(self, lines: Sequence[str]) -> list[str] | None:
        """Return other lines moved as the block was; None if a line does not start with ``removed``."""
        if any(line.strip() and not line.startswith(self.removed) for line in lines):
            return None
        return [self.added + line.removeprefix(self.removed) if line.strip() else line for line in lines]


@dataclass(frozen=True, slots=True)
class LineChange:
    """A replacement of whole lines of a text; an empty range inserts before ``first``."""

    first: int
    """Index of the first line to remove."""
    last: int
    """Index of the line after the last one to remove."""
    lines: tuple[str, ...]
    """The new lines, without line endings."""


class TextLines:
    """A text in which blocks are searched. A final line ending ends the last line; no blank line follows it."""

    def __init__(self, text: str) -> None:
        self.ended = split(text)
        """Pairs of a line and its ending. The last ending is empty; so is the last line if the text ends with a line
        ending."""
        self.count = len(self.ended) - (not self.ended[-1][0])
        """Number of lines that can be found."""
        self.newline = self.ended[0][1] or "\n"
        """The line ending of the first line; LF if it has none."""
        self._signs = _Signs([line for line, _ in self.ended[: self.count]])

    def find(self, block: Sequence[str]) -> list[LineBlockPlace]:
        """Return every place where a block of lines occurs, in order; none for a block of only blank lines."""
        sought = _Signs(block)
        head = next((at for at, content in enumerate(sought.contents) if content), None)
        if head is None:
            return []
        found: list[LineBlockPlace] = []
        for after in _starts(self._signs.relations, sought.relations[head + 1 :]):
            at = after - 1
            if at < 0 or self._signs.contents[at] != sought.contents[head] or self._signs.blanks[at] < head:
                continue
            place = _shifted(at - head, len(block), self._signs.leads[at], sought.leads[head], sought.common)
            found += [place] if place is not None else []
        return found

    def changed(self, changes: Sequence[LineChange], newline: str = "", *, ending: bool | None = None) -> str | None:
        """Return the text after changes, which must be in order and not overlap.

        Unchanged lines keep their own endings. New lines end with ``newline`` or, if that is empty, with the ending of
        the text's first line. ``ending`` says whether the last line has an ending afterwards; None leaves that
        unchanged.

        :returns: None if a CR would come directly before an LF, which would merge two line endings.
        """
        result: list[tuple[str, str]] = []
        done = 0
        for change in changes:
            result += self.ended[done : change.first]
            result += [(line, newline or self.newline) for line in change.lines]
            done = change.last
        result += self.ended[done : self.count]
        has_ending = self.count < len(self.ended) if ending is None else ending
        if not result or has_ending:
            result.append(("", ""))
        parts = [text + (end or newline or self.newline) for text, end in result[:-1]] + [result[-1][0]]
        whole = "".join(parts)
        return whole if [text for text, _ in split(whole)] == [text for text, _ in result] else None


class _Signs:
    """The properties of lines that are compared."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.leads = [leading(line) for line in lines]
        self.contents = [line[len(lead) :].rstrip() for line, lead in zip(lines, self.leads, strict=True)]
        self.relations: list[Hashable] = []
        """For each line, its content and the indentation that differs from the filled line before it."""
        self.blanks: list[int] = []
        """For each line, the number of blank lines directly before it."""
        before: str | None = None
        least: int | None = None
        run = 0
        for lead, content in zip(self.leads, self.contents, strict=True):
            self.blanks.append(run)
            run = 0 if content else run + 1
            if not content:
                self.relations.append("")
                continue
            shared = common_ends(before, lead)[0] if before is not None else len(lead)
            least = shared if least is None else min(least, shared)
            self.relations.append((content, (before or "")[shared:], lead[shared:]))
            before = lead
        self.common = least or 0
        """Length of the indentation that all filled lines share."""


def _shifted(first: int, count: int, here: str, there: str, common: int) -> LineBlockPlace | None:
    """Return the place of a block, given the indentation of its first filled line in the text and in the block."""
    own, text = there[:common], here[: len(here) - len(there) + common]
    if text.endswith(own):
        return LineBlockPlace(first, first + count, added=text.removesuffix(own))
    if own.endswith(text):
        return LineBlockPlace(first, first + count, removed=own.removesuffix(text))
    return None


def _starts(text: Sequence[Hashable], sought: Sequence[Hashable]) -> list[int]:
    """Return each index at which ``sought`` begins in ``text``, overlaps included; every index if it is empty."""
    if not sought:
        return list(range(len(text) + 1))
    back = [0] * len(sought)
    for at in range(1, len(sought)):
        length = back[at - 1]
        while length and sought[length] != sought[at]:
            length = back[length - 1]
        back[at] = length + (sought[length] == sought[at])
    found: list[int] = []
    length = 0
    for at, sign in enumerate(text):
        while length and (length == len(sought) or sought[length] != sign):
            length = back[length - 1]
        length += sought[length] == sign
        if length == len(sought):
            found.append(at + 1 - length)
    return found
