"""Where a block of lines occurs in a text, white space around lines aside, and the text with some lines changed.

A model that quotes lines of a file may move all of them in or out by the same indentation, and may lose white space at
the ends of lines. So two blocks match where their lines are equal without that white space, and where one prefix, put
before each filled line of one of them or taken off, gives the indentation of the other. A blank line matches any blank
line. Nothing else is forgiven.

Both searches and edits take time in proportion to the text, whatever it repeats (Knuth, Morris and Pratt 1977).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tuppence.core.answer.reindent import leading
from tuppence.core.text.diff import common_ends
from tuppence.core.text.lines import split


@dataclass(frozen=True, slots=True)
class LineBlockPlace:
    """Where a block of lines was found."""

    first: int
    """Its first line in the text, from 0."""
    last: int
    """The line after its last one."""
    added: str = ""
    """White space that each filled line has in the text before what the block says."""
    removed: str = ""
    """White space that each filled line of the block has before what the text says; one of the two is empty."""

    def move(self, lines: Sequence[str]) -> list[str] | None:
        """Return other lines moved in the way in which the block was; None where one is not indented enough for it."""
        if any(line.strip() and not line.startswith(self.removed) for line in lines):
            return None
        return [self.added + line.removeprefix(self.removed) if line.strip() else line for line in lines]


@dataclass(frozen=True, slots=True)
class LineChange:
    """Replace some whole lines of a text; an empty range inserts before ``first``."""

    first: int
    """The first line that goes, from 0."""
    last: int
    """The line after the last that goes."""
    lines: tuple[str, ...]
    """What comes, without line endings."""


class TextLines:
    """A text in which blocks are sought; what a last line ending ends is the last line, and no blank line follows."""

    def __init__(self, text: str) -> None:
        self.ended = split(text)
        """Each line with its ending apart; the last one has none and is empty where the text ends with one."""
        self.count = len(self.ended) - (not self.ended[-1][0])
        """How many lines there are to be found."""
        self.newline = self.ended[0][1] or "\n"
        """The line ending of the first line, a line feed where there is none."""
        self._signs = _Signs([line for line, _ in self.ended[: self.count]])

    def find(self, block: Sequence[str]) -> list[LineBlockPlace]:
        """Return every place where a block of lines occurs, in order; a block of blank lines is found nowhere."""
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
        """Return the text after changes that are in order and do not overlap.

        Lines that stay keep their own endings; ``newline``, else that of the first line, is between new ones. The last
        line has an ending afterwards if ``ending`` says so, with None if it had one before. None where a CR would come
        to stand before an LF, which makes one line ending of two.
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
    """What is compared of some lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.leads = [leading(line) for line in lines]
        self.contents = [line[len(lead) :].rstrip() for line, lead in zip(lines, self.leads, strict=True)]
        self.relations: list[Hashable] = []
        """Of each line its content, and the indentation that it does not share with the filled line before it."""
        self.blanks: list[int] = []
        """How many blank lines stand right before each line."""
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
        """How much indentation all filled lines share."""


def _shifted(first: int, count: int, here: str, there: str, common: int) -> LineBlockPlace | None:
    """Return the place of a block whose first filled line is indented so in the text and so in the block."""
    own, text = there[:common], here[: len(here) - len(there) + common]
    if text.endswith(own):
        return LineBlockPlace(first, first + count, added=text.removesuffix(own))
    if own.endswith(text):
        return LineBlockPlace(first, first + count, removed=own.removesuffix(text))
    return None


def _starts(text: Sequence[Hashable], sought: Sequence[Hashable]) -> list[int]:
    """Return where a sequence begins in another one, overlaps too; an empty one begins everywhere."""
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
