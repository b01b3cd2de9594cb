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
"""Maximum number of lines around the place of the edits; above it, all starts are copied."""


class MovedLines(Sequence[int]):
    """The line starts of an earlier version with some replaced and those behind them moved; never changed."""

    __slots__ = ("_base", "_first", "_fresh", "_last", "_moved")

    def __init__(self, base: tuple[int, ...], first: int, fresh: tuple[int, ...], last: int, moved: int) -> None:
        """Replace ``base[first:last]`` by ``fresh``, and add ``moved`` to what is behind it."""
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
            start, stop, step = at.indices(len(self))
            return self._part(start, stop) if step == 1 else tuple(self)[at]
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

    def _part(self, start: int, stop: int) -> tuple[int, ...]:
        """Return the starts of the lines from ``start`` to before ``stop``, both at least 0."""
        first, behind = self._first, self._first + len(self._fresh)
        shift = self._last - behind
        return (
            *self._base[min(start, first) : min(stop, first)],
            *self._fresh[max(start - first, 0) : max(stop - first, 0)],
            *map(self._moved.__add__, self._base[max(start, behind) + shift : max(stop, behind) + shift]),
        )

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

    def replaced(self, first: int, fresh: tuple[int, ...], last: int, moved: int) -> tuple[int, ...] | MovedLines:
        """Return these starts with others in the place of those from ``first`` to ``last``, and the rest moved."""
        end = self._first + len(self._fresh)
        low, high = min(self._first, first), max(end, last)
        if high - low - (last - first) + len(fresh) > _MOST:
            return (*islice(self, first), *fresh, *map(moved.__add__, islice(self, last, None)))
        around = (*self[low:first], *fresh, *map(moved.__add__, self[last:high]))
        return MovedLines(self._base, low, around, high - end + self._last, self._moved + moved)


def replaced(
    starts: tuple[int, ...] | MovedLines, first: int, fresh: tuple[int, ...], last: int, moved: int
) -> tuple[int, ...] | MovedLines:
    """Return line starts with others in the place of those from ``first`` to ``last``, and the rest moved."""
    if isinstance(starts, tuple):
        return MovedLines(starts, first, fresh, last, moved)
    return starts.replaced(first, fresh, last, moved)
