"""Spans arranged by how they are nested, so that those beside a place are found by bisection."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from tuppence.core.text.document import Span


class Level:
    """The spans that lie directly in one span, or in none; both their starts and their ends are in ascending order."""

    __slots__ = ("_ends", "_starts", "inner", "members")

    def __init__(self) -> None:
        self.members: list[int] = []
        """Their indexes in the sequence of all spans."""
        self.inner: dict[int, Level] = {}
        """The level inside a span, by the span's index, where there is one."""
        self._starts: list[int] = []
        self._ends: list[int] = []

    def touching(self, span: Span) -> range:
        """Return the positions in ``members`` of the spans that share a code point or a boundary with this one."""
        first = bisect_left(self._ends, span.start)
        return range(first, max(first, bisect_right(self._starts, span.end)))

    def containing(self, span: Span) -> list[int]:
        """Return the indexes of the spans on this level that contain this one."""
        touched = self.touching(span)
        return [self.members[at] for at in touched if self._starts[at] <= span.start and span.end <= self._ends[at]]

    def apart(self, span: Span) -> list[int]:
        """Return the indexes of the outermost spans that do not touch this one, in ascending order.

        A span that touches it is replaced by the spans inside that do not.
        """
        found: list[int] = []
        waiting: list[Level | list[int]] = [self]
        while waiting:
            each = waiting.pop()
            if isinstance(each, Level):
                here = each.touching(span)
                waiting.append(each.members[here.stop :])
                touched = each.members[here.start : here.stop]
                waiting += [each.inner[index] for index in reversed(touched) if index in each.inner]
                each = each.members[: here.start]
            found += each
        return found

    def around(self, span: Span) -> Iterator[tuple[int, Level]]:
        """Yield the index of each span that contains this one, an outer one first, and the level inside, if any."""
        waiting = [self]
        while waiting:
            level = waiting.pop()
            for index in level.containing(span):
                inside = level.inner.get(index, _NONE)
                yield index, inside
                waiting.append(inside)

    def add(self, index: int, span: Span) -> None:
        """Add a span behind the others."""
        self.members.append(index)
        self._starts.append(span.start)
        self._ends.append(span.end)


_NONE = Level()


def nested(spans: Sequence[Span]) -> Level:
    """Return the level of the outermost spans.

    A span that overlaps the one before it without lying in it counts as beside it.

    :param spans: in ascending order of their starts, an outer span before those inside it.
    """
    levels = [Level()]
    enclosing: list[tuple[int, int]] = []
    for index, span in enumerate(spans):
        while enclosing and span.end > enclosing[-1][1]:
            enclosing.pop()
        del levels[len(enclosing) + 1 :]
        if len(levels) == len(enclosing):
            levels.append(levels[-1].inner.setdefault(enclosing[-1][0], Level()))
        levels[-1].add(index, span)
        enclosing.append((index, span.end))
    return levels[0]
