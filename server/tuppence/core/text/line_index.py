"""Where the lines of a text start, after edits: what an edit leaves alone is neither counted nor copied again.

An answer that streams edits one place of a document again and again. The starts after such edits are those of an
earlier version, but for the lines around that place, and for a number by which all that follow have moved.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import overload

_MOST = 512
"""Lines around the place of the edits from which all starts are written down anew."""


class MovedLines(Sequence[int]):
    """The line starts of an earlier version with other ones in a place of some, and the rest moved; never changed."""

    __slots__ = ("_base", "_first", "_fresh", "_last", "_moved")

    def __init__(self, base: tuple[int, ...], first: int, fresh: tuple[int, ...], last: int, moved: int) -> None:
        """Put ``fresh`` in the place of ``base[first:last]``, and move what is behind it."""
        self._base = base
        self._first = first
        self._fresh = fresh
        self._last = last
        self._moved = moved

    def __len__(self) -> int:
        return self._first + len(self._fresh) + len(self._base) - self._last

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[int, ...]: ...
    def __getitem__(self, at: int | slice) -> int | tuple[int, ...]:
        if isinstance(at, slice):
            return tuple(self[each] for each in range(*at.indices(len(self))))
        if at < 0:
            at += len(self)
        if 0 <= at < self._first:
            return self._base[at]
        at -= self._first
        if 0 <= at < len(self._fresh):
            return self._fresh[at]
        if at < 0:
            raise IndexError(at)
        return self._base[at - len(self._fresh) + self._last] + self._moved

    def __iter__(self) -> Iterator[int]:
        yield from islice(self._base, self._first)
        yield from self._fresh
        yield from map(self._moved.__add__, islice(self._base, self._last, None))

    def line_at(self, offset: int) -> int:
        """Return the line that holds an offset."""
        base, first, fresh, last = self._base, self._first, self._fresh, self._last
        if last < len(base) and offset >= base[last] + self._moved:
            return bisect_right(base, offset - self._moved, last) - last + first + len(fresh) - 1
        if fresh and offset >= fresh[0]:
            return first + bisect_right(fresh, offset) - 1
        return bisect_right(base, offset, 0, first) - 1

    def replaced(self, first: int, fresh: tuple[int, ...], last: int, moved: int) -> Sequence[int]:
        """Return these starts with others in the place of those from ``first`` to ``last``, and the rest moved."""
        end = self._first + len(self._fresh)
        low, high = min(self._first, first), max(end, last)
        if high - low - (last - first) + len(fresh) > _MOST:
            return (*islice(self, first), *fresh, *map(moved.__add__, islice(self, last, None)))
        around = (*self[low:first], *fresh, *map(moved.__add__, self[last:high]))
        return MovedLines(self._base, low, around, high - end + self._last, self._moved + moved)


def line_at(starts: Sequence[int], offset: int) -> int:
    """Return the line that holds an offset, of a text whose lines start there."""
    return starts.line_at(offset) if isinstance(starts, MovedLines) else bisect_right(starts, offset) - 1


def replaced(starts: Sequence[int], first: int, fresh: tuple[int, ...], last: int, moved: int) -> Sequence[int]:
    """Return line starts with others in the place of those from ``first`` to ``last``, and the rest moved."""
    if isinstance(starts, MovedLines):
        return starts.replaced(first, fresh, last, moved)
    base = starts if isinstance(starts, tuple) else tuple(starts)
    return MovedLines(base, first, fresh, last, moved)
