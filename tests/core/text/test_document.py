"""Spans and edits: what is none is refused, and where a span lies after an edit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.text.document import Edit, Span, apply, shift, together

TEXT = "abcdefghij"


@pytest.mark.parametrize(("start", "end"), [(3, 2), (-1, 0), (-2, -1), (1, 0)])
def test_what_is_no_span_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match=f"not a span: {start} to {end}"):
        Span(start, end)


@pytest.mark.parametrize(
    "edits",
    [
        (Edit(Span(0, 3), "x"), Edit(Span(2, 4), "y")),
        (Edit(Span(2, 4), "y"), Edit(Span(0, 3), "x")),
        (Edit(Span(0, 3), "x"), Edit(Span(0, 3), "x")),
        (Edit(Span(1, 5), "x"), Edit(Span(2, 3), "")),
        (Edit(Span(9, 11), ""),),
        (Edit(Span(11, 11), "x"),),
    ],
)
def test_edits_that_overlap_or_lie_outside_change_nothing(edits: tuple[Edit, ...]) -> None:
    with pytest.raises(ValueError, match="overlaps another or lies outside"):
        apply(TEXT, edits)


def test_edits_that_only_touch_are_made() -> None:
    assert apply(TEXT, (Edit(Span(3, 5), "Y"), Edit(Span(0, 3), "X"), Edit(Span(10, 10), "Z"))) == "XYfghijZ"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Edit(Span(0, 2), "xyz"), Span(4, 7)),
        (Edit(Span(0, 2), ""), Span(1, 4)),
        (Edit(Span(3, 3), "xy"), Span(5, 8)),
        (Edit(Span(6, 6), "xy"), Span(3, 6)),
        (Edit(Span(8, 9), ""), Span(3, 6)),
        (Edit(Span(2, 4), "xy"), None),
        (Edit(Span(4, 4), "x"), None),
        (Edit(Span(5, 9), ""), None),
        (Edit(Span(0, 10), TEXT), None),
    ],
)
def test_a_span_is_moved_by_what_is_before_it_and_lost_by_what_reaches_into_it(
    edit: Edit, expected: Span | None
) -> None:
    found = shift(Span(3, 6), edit)
    assert found == expected
    if found is not None:
        assert apply(TEXT, (edit,))[found.start : found.end] == TEXT[3:6]


@given(st.text("ab\n", max_size=12), st.lists(st.tuples(st.integers(0, 12), st.text("xy", min_size=1, max_size=3))))
def test_insertions_at_one_place_keep_their_order_when_they_are_joined(text: str, made: list[tuple[int, str]]) -> None:
    edits = tuple(Edit(Span(at, at), new) for at, new in made if at <= len(text))
    joined = together(edits)
    assert len({each.span.start for each in joined}) == len(joined)
    assert apply(text, joined) == apply(text, edits)
