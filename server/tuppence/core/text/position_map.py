"""Where a place of a text lies after edits, also inside of them.

An edit often writes a whole definition anew and leaves most of its lines as they were. So the lines that went and those
that came are held against each other, and then the words of the lines that differ. A place in a line that stayed is
told exactly, white space aside; one in words that were written anew as near as can be told.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

from tuppence.core.text.document import Edit

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_WORD = re.compile(r"\w+|[^\w\s]|\s+")
_MOST = 4_000
"""Words of a rewritten piece that are still held against others; in a longer one the share of the way tells."""


def landing(text: str, edits: Sequence[Edit]) -> Callable[[int], int]:
    """Return a function that tells where an offset of the text lies after the edits."""
    ordered = sorted(edits, key=lambda each: (each.span.start, each.span.end))
    inner = [_between(text[each.span.start : each.span.end], each.text) for each in ordered]

    def land(offset: int) -> int:
        grown = 0
        for edit, within in zip(ordered, inner, strict=True):
            start = edit.span.start
            if start <= offset < edit.span.end:
                return start + grown + within(offset - start)
            if edit.span.end <= offset:
                grown += len(edit.text) - len(edit.span)
        return offset + grown

    return land


def _between(old: str, new: str) -> Callable[[int], int]:
    """Return the same for one text that another took the place of, lines first."""
    was, now = _LINE.findall(old), _LINE.findall(new)
    blocks = _opcodes([_bare(line) for line in was], [_bare(line) for line in now])
    old_starts, new_starts = _starts(was), _starts(now)

    def land(offset: int) -> int:
        line = min(bisect_right(old_starts, offset) - 1, len(was) - 1)
        what, i1, i2, j1, j2 = next(each for each in blocks if each[1] <= line < each[2])
        if what == "equal":
            same = j1 + line - i1
            return new_starts[same] + _same_place(was[line], now[same], offset - old_starts[line])
        first = new_starts[j1]
        return first + _among_words("".join(was[i1:i2]), "".join(now[j1:j2]), offset - old_starts[i1])

    return land


def _same_place(old: str, new: str, offset: int) -> int:
    """Return where a place of a line is in another that differs in white space only."""
    ahead = len(_bare(old[:offset]))
    places = [at for at, character in enumerate(new) if not character.isspace()]
    return places[ahead] if ahead < len(places) else len(new)


def _among_words(old: str, new: str, offset: int) -> int:
    was, now = _WORD.findall(old), _WORD.findall(new)
    if len(was) + len(now) > _MOST:
        return len(new) * offset // max(1, len(old))
    old_starts, new_starts = _starts(was), _starts(now)
    word = bisect_right(old_starts, offset) - 1
    what, i1, _, j1, j2 = next(each for each in _opcodes(was, now) if each[1] <= word < each[2])
    stays = what == "equal"
    return new_starts[j1 + word - i1] + offset - old_starts[word] if stays else new_starts[min(j1 + word - i1, j2)]


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _starts(pieces: Sequence[str]) -> list[int]:
    """Return the offset of each piece in all of them together, and the end."""
    return [0, *accumulate(len(piece) for piece in pieces)]


def _bare(line: str) -> str:
    return "".join(line.split())
