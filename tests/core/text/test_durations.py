"""A length of time in words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.text.durations import spoken


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a second"),
        (0.9, "less than a second"),
        (1, "1 s"),
        (20, "20 s"),
        (90, "90 s"),
        (91, "about 2 minutes"),
        (300, "about 5 minutes"),
        (3_400, "about 57 minutes"),
        (3_600, "about an hour"),
        (5_400, "about 2 hours"),
        (82_000, "about 23 hours"),
        (86_400, "about a day"),
        (3 * 86_400, "about 3 days"),
        (7 * 86_400, "about 7 days"),
        (8 * 86_400, "more than a week"),
        (math.inf, "more than a week"),
    ],
)
def test_a_length_of_time_is_said_in_words(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


@given(st.floats(0, allow_nan=False))
def test_any_length_is_short_to_read(seconds: float) -> None:
    assert len(spoken(seconds)) <= 20
