"""Which new line of code stands for which old one, so that what is between two of them can be compared.

Lines that are equal but for white space are anchors, those that are only much alike come second. A single short line
that occurs more than once, such as ``else:``, is no anchor inside of what changed: it would tear a gap apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from tuppence.core.syntax.code_lines import CodeLine
from tuppence.core.text.diff import matches

_ALIKE = 0.6
"""The share of two lines that is equal where one is the other, rewritten."""
_SIZE = 20_000
"""Pairs of lines above which no rewritten lines are looked for between two anchors."""
_WIDEST = 300
"""Code points of a line that are compared with another's."""


class Alignment:
    """Old lines of code and new ones, in order, and the pairs of them."""

    def __init__(self, old: Sequence[CodeLine], new: Sequence[CodeLine]) -> None:
        self.old, self.new = tuple(old), tuple(new)
        self._old = [line.key for line in old]
        self._new = [line.key for line in new]
        equal = _equal(self._old, self._new)
        self.pairs = tuple(self._with_rewritten(equal))
        """Indices of an old line and of the new one that stands for it, rising in both."""
        self.equal = frozenset(equal)
        """Those of them whose lines are equal but for white space."""
        left = Counter(self._new)
        left.subtract(self._new[j] for _, j in equal)
        self._left = left

    def around(self, at: int) -> tuple[tuple[CodeLine, ...], int, int]:
        """Return what is gone at a place between new lines, and how many new ones without a pair are above and below.

        :param at: how many new lines are above the place.
        """
        above = max((pair for pair in self.pairs if pair[1] < at), default=(-1, -1))
        below = min((pair for pair in self.pairs if pair[1] >= at), default=(len(self.old), len(self.new)))
        gone = range(above[0] + 1, below[0])
        return self.lost(gone), at - above[1] - 1, below[1] - at

    def lost(self, places: Sequence[int] | range) -> tuple[CodeLine, ...]:
        """Return those of the old lines that were not moved elsewhere."""
        left = Counter(self._left)
        found = []
        for index in places:
            if left[self._old[index]] > 0:
                left[self._old[index]] -= 1
            else:
                found.append(self.old[index])
        return tuple(found)

    def gone(self) -> tuple[int, ...]:
        """Return the indices of the old lines that have no pair."""
        paired = {i for i, _ in self.pairs}
        return tuple(index for index in range(len(self.old)) if index not in paired)

    def come(self) -> tuple[int, ...]:
        """Return the indices of the new lines that have no pair."""
        paired = {j for _, j in self.pairs}
        return tuple(index for index in range(len(self.new)) if index not in paired)

    def _with_rewritten(self, equal: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        i = j = 0
        for pair in (*equal, (len(self.old), len(self.new))):
            if (pair[0] - i) * (pair[1] - j) <= _SIZE:
                yield from self._rewritten(range(i, pair[0]), range(j, pair[1]))
            if pair[0] < len(self.old) or pair[1] < len(self.new):
                yield pair
            i, j = pair[0] + 1, pair[1] + 1

    def _rewritten(self, old: range, new: range) -> Iterator[tuple[int, int]]:
        """Yield the pairs of lines that are much alike, in order."""
        start = old.start
        for j in new:
            best, at = _ALIKE, -1
            for i in range(start, old.stop):
                matcher = SequenceMatcher(None, self._old[i][:_WIDEST], self._new[j][:_WIDEST], autojunk=False)
                if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
                    ratio = matcher.ratio()
                    best, at = (ratio, i) if ratio > best else (best, at)
            if at >= 0:
                yield at, j
                start = at + 1


def _equal(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of equal lines, those that occur more than once and stand alone aside."""
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    pairs = [(index, index) for index in range(first)]
    often, inner_old, inner_new = Counter(old), old[first : len(old) - last], new[first : len(new) - last]
    for at, there, size in matches(inner_old, inner_new):
        if size > 1 or often[inner_old[at]] == 1:
            pairs += [(first + at + by, first + there + by) for by in range(size)]
    pairs += [(len(old) - by, len(new) - by) for by in range(last, 0, -1)]
    return pairs
