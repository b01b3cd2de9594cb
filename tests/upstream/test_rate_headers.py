"""Rate limits in headers: every format, and nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.upstream.rate_headers import KINDS, RateReading, read

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("12", 12.0),
        ("1.5", 1.5),
        ("1s", 1.0),
        ("20ms", 0.02),
        ("6m0s", 360.0),
        ("1m7.5s", 67.5),
        ("1h2m3s", 3723.0),
        ("1d", 86_400.0),
        ("500us", 0.0005),
        ("500µs", 0.0005),
        ("2026-10-21T07:28:30Z", 30.0),
        ("2026-10-21T07:28:30.500+00:00", 30.5),
        ("2026-10-21T09:28:30+02:00", 30.0),
        ("2026-10-21T07:27:00Z", 0.0),
        ("Wed, 21 Oct 2026 07:29:00 GMT", 60.0),
        ("1792567690", 10.0),
        ("1792567690000", 10.0),
        ("1000000001", 0.0),
    ],
)
@pytest.mark.parametrize("form", ["anthropic-ratelimit-tokens-{}", "x-ratelimit-{}-tokens"])
def test_each_form_of_a_reset(form: str, value: str, seconds: float) -> None:
    headers = {form.format("remaining"): "5", form.format("limit"): "100", form.format("reset"): value, "date": DATE}
    (found,) = read(headers)
    assert (found.kind, found.remaining, found.limit) == ("tokens", 5, 100)
    assert found.reset == pytest.approx(seconds)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(kind: str) -> None:
    headers = {f"anthropic-ratelimit-{kind}-{name}": "7" for name in ("remaining", "limit", "reset")}
    (found,) = read(headers)
    assert (found.kind, found.remaining, found.limit, found.reset) == (kind, 7, 7, 7.0)


def test_a_header_without_a_kind_is_of_requests() -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3", "x-ratelimit-limit": "20"}
    assert read(headers) == (RateReading("requests", 0, 20, 3.0),)


@pytest.mark.parametrize(
    "value", ["", "soon", "-1", "1e9", "nan", "inf", "1_0", "\u0665", "5, 10", "9" * 400, "1x", "s", "..s", "1..5s"]
)
def test_nonsense_is_left_out(value: str) -> None:
    assert read({"x-ratelimit-remaining-requests": value, "x-ratelimit-reset-requests": "1s"}) == ()
    assert read({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": value}) == ()
    (found,) = read(
        {
            "x-ratelimit-remaining-requests": "1",
            "x-ratelimit-reset-requests": "1s",
            "x-ratelimit-limit-requests": value,
        }
    )
    assert found.limit is None


NAMES = [
    form.format(kind=kind, what=what)
    for form in ("anthropic-ratelimit-{kind}-{what}", "x-ratelimit-{what}-{kind}", "x-ratelimit-{what}")
    for kind in KINDS
    for what in ("remaining", "limit", "reset")
]
VALUES = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"[0-9]{1,20}(\.[0-9]{1,20})?(ms|s|m|h|d)?([0-9]{1,20}s)?", fullmatch=True),
    st.datetimes().map(lambda each: each.isoformat()),
    st.datetimes(timezones=st.timezones()).map(lambda each: each.isoformat()),
)


@given(st.dictionaries(st.sampled_from([*NAMES, "date"]), VALUES))
def test_no_header_is_an_error(headers: dict[str, str]) -> None:
    for each in read(headers):
        assert each.remaining >= 0
        assert each.reset >= 0
        assert each.limit is None or each.limit > 0
