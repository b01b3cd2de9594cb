"""How long a server asks to be left alone, in which words that is said, and the pauses between tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.models.time_limits import TimeLimits
from tuppence.errors import Busy
from tuppence.upstream import RetryPolicy
from tuppence.upstream.retry import retry_after, with_wait


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after": " 20 "}, 20),
        ({"retry-after": "1_0"}, None),
        ({"retry-after": "\u0665"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "5, 10"}, None),
        ({"retry-after-ms": "-1", "retry-after": "2"}, 0),
        ({"retry-after-ms": "x", "retry-after": "2"}, 2),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:07 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 7),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
    ],
)
def test_what_a_header_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_without_the_servers_clock_is_held_to_ours() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after({"retry-after": header}) == pytest.approx(60, abs=2)


def test_pauses_grow_up_to_a_cap() -> None:
    pauses = [RetryPolicy().delay(tried) for tried in range(8)]
    assert 0.375 <= pauses[0] <= 0.5
    assert 0.75 <= pauses[1] <= 1
    assert max(pauses) <= 8


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text(max_size=40)))
def test_no_header_is_an_error(headers: dict[str, str]) -> None:
    found = retry_after(headers)
    assert found is None or 0 <= found < 10**15


@given(
    st.from_regex(r"(Wed, )?[0-9]{1,3} (Oct|Jan|X) [0-9]{1,5} [0-9]{1,2}:[0-9]{2}(:[0-9]{2})? [-+]?([0-9]{1,7}|GMT)"),
    st.from_regex(r"[0-9]{1,2} Dec [0-9]{4} 00:00:00 [-+][0-9]{4}"),
)
def test_no_date_is_an_error(value: str, date: str) -> None:
    found = retry_after({"retry-after": value, "date": date})
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("after", "remedy"),
    [
        (None, "Try again in a moment, or choose another model."),
        (0, "Try again in a moment, or choose another model."),
        (20, "Try again in 20 s, or choose another model."),
        (300, "Try again in about 5 minutes, or choose another model."),
        (3600, "Try again in about an hour, or choose another model."),
        (10**14, "Try again in more than a week, or choose another model."),
    ],
)
def test_a_wait_is_named(after: float | None, remedy: str) -> None:
    error = with_wait(Busy("acme limits.", "Try again in a moment, or choose another model."), after)
    assert (error.remedy, error.after) == (remedy, after)


def test_limits_that_are_set_go_before_the_policys() -> None:
    changed = RetryPolicy(between_events=7).within(TimeLimits(connect=1, first_word=2, total=3))
    assert changed == RetryPolicy(connect=1, first_event=2, between_events=7, total=3)
    assert RetryPolicy().within(TimeLimits()) == RetryPolicy()
