"""Line starts after edits are those that a count of the whole text gives, and one edit costs the same in any text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.text import line_index
from tuppence.core.text.line_index import MovedLines, replaced

EDITS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 5), st.lists(st.integers(1, 9), max_size=6)), min_size=1, max_size=12
)
"""Each takes so many lines at a place and puts lines of these lengths there."""


def _edited(lengths: list[int], at: int, gone: int, come: list[int]) -> tuple[list[int], int, int]:
    """Return the lengths of lines after an edit, with the first line and the one behind the last that were replaced."""
    first = min(at, len(lengths) - 1)
    last = min(first + gone, len(lengths) - 1)
    return lengths[:first] + come + lengths[last:], first, last


def _starts(lengths: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(lengths[:at]) for at in range(len(lengths)))


@pytest.mark.parametrize("most", [0, 4, 512])
@given(edits=EDITS, lines=st.integers(1, 60))
def test_any_edits_lead_to_the_starts_that_a_count_gives(
    edits: list[tuple[int, int, list[int]]], lines: int, most: int
) -> None:
    lengths = [3] * lines
    starts: tuple[int, ...] | MovedLines = _starts(lengths)
    before, line_index._MOST = line_index._MOST, most
    try:
        for at, gone, come in edits:
            old = sum(lengths)
            lengths, first, last = _edited(lengths, at, gone, come)
            expected = _starts(lengths)
            moved = sum(lengths) - old
            starts = replaced(starts, first, expected[first : first + len(come)], last, moved)
            assert tuple(starts) == tuple(starts[each] for each in range(len(starts))) == expected
            assert len(starts) == len(expected)
            assert starts[-1] == expected[-1]
            for part in (slice(1, 3), slice(first, last + 2), slice(-3, None), slice(None, None, -2), slice(9, 2)):
                assert starts[part] == expected[part]
            if isinstance(starts, MovedLines):
                found = list(map(starts.line_at, range(-1, sum(lengths) + 2)))
                assert found == [bisect_right(expected, offset) - 1 for offset in range(-1, sum(lengths) + 2)]
            for outside in (len(expected), -len(expected) - 1):
                with pytest.raises(IndexError):
                    starts[outside]
    finally:
        line_index._MOST = before


@pytest.mark.parametrize("lines", [1_000, 100_000])
def test_edits_of_one_place_after_another_copy_few_starts(lines: int) -> None:
    """An answer that streams inserts a line below the one before."""
    starts: tuple[int, ...] | MovedLines = tuple(range(0, 10 * lines, 10))
    copied = whole = 0
    for number in range(2_000):
        line = 500 + number
        starts = replaced(starts, line, (starts[line], starts[line] + 10), line + 1, 10)
        whole += not isinstance(starts, MovedLines)
        copied += len(starts._fresh) if isinstance(starts, MovedLines) else 0
        assert starts[line + 1] == 10 * (line + 1)
    assert len(starts) == lines + 2_000
    assert copied <= 2_000 * line_index._MOST
    assert whole <= 2_000 // line_index._MOST, "so often the starts of the whole text are written down"
