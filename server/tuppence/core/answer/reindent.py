"""Decide whether a reply is indented as the code that it replaces, and move it if not.

A model that is shown an indented block often answers with the block at the left margin, or with only its first line
there; a model that answers inside a list indents the fence and its content. A fix may itself consist of moving a line,
so a reply is moved only on evidence:

- *all*: the reply begins exactly the block's common indentation short, and so does the next line that it shares with
  the block (or it shares none, begins at the margin, and has a line similar to one of the block): every line gets the
  common indentation.
- *first*: the reply begins at the margin with the block's first line, and the next shared line is at its old depth:
  only the first line is moved.
- *fence*: every line is deeper than the block by exactly the indentation of its fence: that indentation is removed.
- *none*: in all other cases, if tabs and spaces would be mixed, or if moving would undo every change except blank
  lines.

All lines move by one amount; blank lines do not move. Relative depths change only in *first*.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tuppence.core.text.diff import common_ends

_COMPARED = 60
"""Number of lines of each side that are compared if no line is shared."""
Shift = Literal["none", "all", "first", "fence"]


class Indentation:
    """Decides, from the lines of a streaming reply, how they are moved."""

    def __init__(self, block: Sequence[str], fence: str = "") -> None:
        filled = _filled(block)
        self._block = block
        self._fence = fence
        self._shared = frozenset(line for line in filled if _telling(line))
        self._first = filled[0] if filled else ""
        self._common = _common(filled)
        self._begun = False
        self._bare = False
        self._began_alike = False
        self.shift: Shift | None = None
        """The decision; None while it is open."""

    def feed(self, line: str) -> None:
        """Take the reply's next line into account."""
        if self.shift is not None or not line.strip():
            return
        if not self._begun:
            self._begun = True
            self._begin(line)
            return
        short, exact = self._common + line in self._shared, line in self._shared
        if short and not exact:
            self.shift = "all"
        elif exact and not short:
            self.shift = "first" if self._bare and self._began_alike else "none"

    def move(self, lines: Sequence[str]) -> list[str]:
        """Return all lines of the reply, moved as decided; this decides if that is still open."""
        for line in lines:
            self.feed(line)
        if self.shift is None:
            self.shift = "all" if self._bare and self._resembles(lines) else "none"
        if not self._allowed(lines):
            self.shift = "none"
        moved = self.moved(lines)
        if self.shift != "none" and _filled(moved) == _filled(self._block):
            self.shift = "none"
            return list(lines)
        return moved

    def moved(self, lines: Sequence[str], begun: int = 0) -> list[str]:
        """Return lines moved as decided.

        :param begun: the number of the reply's filled lines before these.
        """
        result: list[str] = []
        for line in lines:
            filled = bool(line.strip())
            result.append(self._place(line, begun) if filled else line)
            begun += filled
        return result

    def _begin(self, line: str) -> None:
        here, there = leading(line), leading(self._first)
        self._began_alike = line.strip() == self._first.strip()
        if self._fence and here == self._fence + there:
            self.shift = "fence"
        elif not self._common or there != self._common + here:
            self.shift = "none"
        else:
            self._bare = not here

    def _place(self, line: str, begun: int) -> str:
        match self.shift:
            case "all":
                return self._common + line
            case "first":
                return line if begun else self._common + line
            case "fence":
                return line.removeprefix(self._fence)
            case _:
                return line

    def _resembles(self, lines: Sequence[str]) -> bool:
        """Report whether a line of the reply resembles a line of the block, among the first 60 of each."""
        block = _filled(self._block)[:_COMPARED]
        return any(alike(line, other) for line in _filled(lines)[:_COMPARED] for other in block if _telling(other))

    def _allowed(self, lines: Sequence[str]) -> bool:
        filled = _filled(lines)
        if self.shift == "fence":
            return all(line.startswith(self._fence) for line in filled)
        if self.shift == "all":
            kinds = set(self._common)
            return all(set(leading(line)) <= kinds for line in filled)
        return True


def alike(one: str, other: str) -> bool:
    """Report whether the common prefix and suffix of two lines are at least half of the longer line."""
    one, other = one.strip(), other.strip()
    return 2 * sum(common_ends(one, other)) >= max(len(one), len(other)) > 0


def leading(line: str) -> str:
    """Return the spaces and tabs at the start of a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def _common(filled: Sequence[str]) -> str:
    if not filled:
        return ""
    low, high = min(filled), max(filled)
    return leading(low[: common_ends(low, high)[0]])


def _filled(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip()]


def _telling(line: str) -> bool:
    return any(character.isalnum() for character in line)
