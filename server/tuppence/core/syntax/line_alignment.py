"""Pair new lines of code with old ones, so that the code between pairs can be compared.

Lines that are equal except for white space are anchors; similar lines are paired afterwards. A single short line that
occurs more than once, such as ``else:``, is not an anchor inside a changed part, because it would split that part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from tuppence.core.syntax.code_lines import CodeLine
from tuppence.core.text.diff import matches

_ALIKE = 0.6
"""Minimum similarity of two lines for one to count as the other, rewritten."""
_SIZE = 20_000
"""Maximum number of line pairs between two anchors for which rewritten lines are searched."""
_WIDEST = 300
"""Maximum number of code points of a line that are compared."""


class Alignment:
    """Old and new lines of code, in order, and their pairs."""

    def __init__(self, old: Sequence[CodeLine], new: Sequence[CodeLine]) -> None:
        self.old, self.new = tuple(old), tuple(new)
        self._old = [line.key for line in old]
        self._new = [line.key for line in new]
        equal = _equal(self._old, self._new)
        self.pairs = tuple(self._with_rewritten(equal))
        """Pairs of indexes of an old line and the corresponding new line, ascending in both."""
        self.equal = frozenset(equal)
        """The pairs whose lines are equal except for white space."""
        left = Counter(self._new)
        left.subtract(self._new[j] for _, j in equal)
        self._left = left

    def around(self, at: int) -> tuple[tuple[CodeLine, ...], int, int]:
        """Return the lines removed at a place between new lines, and the numbers of unpaired new lines above and below.

        :param at: the number of new lines above the place.
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
        """Return the indexes of the old lines without a pair."""
        paired = {i for i, _ in self.pairs}
        return tuple(index for index in range(len(self.old)) if index not in paired)

    def come(self) -> tuple[int, ...]:
        """Return the indexes of the new lines without a pair."""
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
        """Yield pairs of similar lines, in order."""
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
    """Return the pairs of equal lines, without single lines that occur more than once."""
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
