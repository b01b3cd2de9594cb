"""Differences between two texts: what both begin and end with, and the fewest edits of lines.

The fewest edits are found in bounded time (Myers for a few edits).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tuppence.core.text.document import Edit, Span, together
from tuppence.core.text.lines import split

if TYPE_CHECKING:
    from difflib import SequenceMatcher

_Range = tuple[int, int, int, int]
"""The first old line and the end of the old lines (exclusive), then the first and the end of the new lines."""
_FEW = 64
"""The largest number of differing lines for which the fewest differences are searched exactly."""
_PAIRS = 10_000
"""The largest number of pairs of equal lines, one from each text, for which all pairs are considered."""
_FIRST = 64
"""Characters that are compared first where texts are hardly equal beyond what is known."""
_RARE = 16
"""Above ``_PAIRS``, the largest number of pairs that one line may form and still be considered."""


def common_ends(old: Sequence[object], new: Sequence[object]) -> tuple[int, int]:
    """Return how many items two sequences share at their starts, and how many at their ends.

    The two do not overlap in either sequence: an item that could count for both counts for the start.
    """
    if type(old) is not type(new):
        old, new = tuple(old), tuple(new)  # A list and a tuple of equal items are not equal.
    shorter = min(len(old), len(new))
    head = _longest(shorter, lambda low, high: old[low:high] == new[low:high])
    tail = _longest(
        shorter - head,
        lambda low, high: old[len(old) - high : len(old) - low] == new[len(new) - high : len(new) - low],
    )
    return head, tail


def longer_ends(old: str, span: Span, new: str, known: tuple[int, int]) -> tuple[int, int]:
    """Return the common ends of a part of one text and another text, of which some is known already.

    The steps grow with what is found beyond the known ends, and not with the texts.

    :param span: the part of ``old``.
    :param known: so many characters are equal at the starts, and so many at the ends; the two may overlap.
    """
    shorter = min(len(span), len(new))
    head = min(known[0], shorter)
    first = span.start + head
    head += _reached(shorter - head, lambda low, high: old[first + low : first + high] == new[head + low : head + high])
    tail = min(known[1], shorter - head)
    last, end = span.end - tail, len(new) - tail
    tail += _reached(
        shorter - head - tail, lambda low, high: old[last - high : last - low] == new[end - high : end - low]
    )
    return head, tail


def _reached(limit: int, is_equal: Callable[[int, int], bool]) -> int:
    """Return the greatest length, up to a limit, at which two sequences are equal; a short one is found soon."""
    low, step = 0, _FIRST
    while low < limit and is_equal(low, min(low + step, limit)):
        low, step = min(low + step, limit), 2 * step
    return low + _longest(min(step, limit - low), lambda first, last: is_equal(low + first, low + last))


def _longest(limit: int, is_equal: Callable[[int, int], bool]) -> int:
    """Return the greatest length, up to a limit, at which two sequences are equal.

    The binary search compares whole slices, which is far faster than comparing item by item.
    """
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if is_equal(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def single_edit(old: str, new: str) -> tuple[Edit, ...]:
    """Return the single edit between the common start and end of two texts, or none if the texts are equal."""
    if old == new:
        return ()
    head, tail = common_ends(old, new)
    return (Edit(Span(head, len(old) - tail), new[head : len(new) - tail]),)


def line_edits(old: str, new: Sequence[str], newline: str) -> tuple[Edit, ...]:
    """Return the fewest edits of whole lines that make ``old`` the lines of ``is_new``.

    Lines that stay keep their own line endings; ``newline`` goes between new ones. ``is_new`` has at least one line.
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


def differences(old: Sequence[str], new: Sequence[str]) -> list[_Range]:
    """Return the ranges of lines that differ. The common lines at the start and the end are not searched.

    If frequent lines would make the search quadratic, a small number of differences is still found exactly. With many,
    the rare lines are matched first and the rest between them: less minimal in a text of mostly braces, but never slow.
    """
    head, tail = common_ends(old, new)
    middle, other = old[head : len(old) - tail], new[head : len(new) - tail]
    found = _sought(middle, other)
    return [(head + first, head + last, head + low, head + high) for first, last, low, high in found]


def matches(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Yield the runs of equal lines in order: the start in the old lines, the start in the new lines, and the length.

    If frequent lines would make the search quadratic or worse, the runs between the ``differences`` are used.
    """
    from difflib import SequenceMatcher

    if sum(_pairs(old, new).values()) <= _PAIRS:
        yield from (
            block for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks() if block[2]
        )
        return
    first = low = 0
    for begin, end, _, stop in (*differences(old, new), (len(old), len(old), len(new), len(new))):
        if begin > first:
            yield first, low, begin - first
        first, low = end, stop


def _bounds(lines: list[tuple[str, str]]) -> tuple[list[int], list[int]]:
    start = 0
    starts: list[int] = []
    ends: list[int] = []
    for text, ending in lines:
        starts.append(start)
        ends.append(start + len(text))
        start += len(text) + len(ending)
    return starts, ends


def _sought(old: Sequence[str], new: Sequence[str]) -> list[_Range]:
    if not old or not new:  # As with nearly every draft of an answer that streams.
        return [(0, len(old), 0, len(new))] if old or new else []
    from difflib import SequenceMatcher  # Only a search needs it; the store of documents, at the start, does not.

    pairs = _pairs(old, new)
    if sum(pairs.values()) <= _PAIRS:
        return _opcodes(SequenceMatcher(None, old, new, autojunk=False))
    if (few := _few(old, new)) is not None:
        return few
    found = _opcodes(SequenceMatcher(lambda line: pairs[line] > _RARE, old, new, autojunk=False))
    if found == [(0, len(old), 0, len(new))]:
        return found
    return [inner for gap in found for inner in _inside(gap, old, new)]


def _opcodes(matcher: SequenceMatcher[str]) -> list[_Range]:
    return [opcode[1:] for opcode in matcher.get_opcodes() if opcode[0] != "equal"]


def _few(old: Sequence[str], new: Sequence[str]) -> list[_Range] | None:
    """Return the fewest lines that differ where they are at most ``_FEW`` (Myers 1986), None where they are more."""
    reached, steps = {1: 0}, []
    for many in range(_FEW + 1):
        steps.append(dict(reached))
        for k in range(-many, many + 1, 2):
            down = k == -many or (k != many and reached[k - 1] < reached[k + 1])
            x = reached[k + 1] if down else reached[k - 1] + 1
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            reached[k] = x
            if x >= len(old) and x - k >= len(new):
                return _retraced(steps, len(old), len(new))
    return None


def _retraced(steps: list[dict[int, int]], x: int, y: int) -> list[_Range]:
    """Return the ranges on the way to the end of both texts, given how far each number of differences reached."""
    found: list[_Range] = []
    for many in range(len(steps) - 1, 0, -1):
        reached, k = steps[many], x - y
        down = k == -many or (k != many and reached[k - 1] < reached[k + 1])
        before = k + 1 if down else k - 1
        first, low = reached[before], reached[before] - before
        last, high = (first, low + 1) if down else (first + 1, low)
        if found and (found[-1][0], found[-1][2]) == (last, high):
            last, high = found[-1][1], found.pop()[3]
        found.append((first, last, low, high))
        x, y = first, low
    return found[::-1]


def _pairs(old: Sequence[str], new: Sequence[str]) -> Counter[str]:
    """Return, for each line, in how many ways one of the old could be taken for one of the new."""
    olds, news = Counter(old), Counter(new)
    return Counter({line: olds[line] * many for line, many in news.items()})


def _inside(gap: _Range, old: Sequence[str], new: Sequence[str]) -> Iterator[_Range]:
    """Yield the ranges that differ between two lines that are certain."""
    first, last, low, high = gap
    for one, two, three, four in differences(old[first:last], new[low:high]):
        yield first + one, first + two, low + three, low + four
