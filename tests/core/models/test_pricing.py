"""The cost of tokens: each bucket at its own rate, both sides of each size and hour boundary, no rounding."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from tuppence.core.models.pricing import Peak, Price, PriceTier, Rates, batched, cost, weekdays
from tuppence.core.models.usage import Usage

MONDAY = datetime(2026, 11, 30, 12, tzinfo=UTC)
RATES = Rates(*map(Decimal, ("2", "3", "5", "7", "11", "13")))
"""Primes, so that no sum of some is a sum of others."""
ONE = Usage(1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000)
"""Millions of tokens, a power of ten in each bucket: the digits of a cost say which rate each was taken at."""


def rates(figure: int) -> Rates:
    """Return rates that no others share."""
    return Rates(*(Decimal(figure * 10 + at) for at in range(6)))


def test_each_bucket_is_taken_at_its_own_rate() -> None:
    assert cost(ONE, Price(RATES), MONDAY) == 2 + 50 + 700 + 11_000 + 30_000 + 1_300_000


@pytest.mark.parametrize("bucket", [each.name for each in fields(Usage)])
def test_one_token_of_one_bucket_costs_a_millionth_of_its_rate(bucket: str) -> None:
    usage = replace(Usage(), **{bucket: 1})
    rate = getattr(RATES, {"fresh": "input"}.get(bucket, bucket))
    assert cost(usage, Price(RATES), MONDAY) == rate / Decimal(1_000_000)


def test_nothing_costs_nothing_and_an_unknown_cache_read_is_none() -> None:
    assert cost(Usage(), Price(RATES), MONDAY) == 0
    assert cost(replace(ONE, cache_read=None), Price(RATES), MONDAY) == cost(ONE, Price(RATES), MONDAY) - 50


@pytest.mark.parametrize(
    ("missing", "instead"),
    [
        (("cache_read",), {"cache_read": "2"}),
        (("cache_write",), {"cache_write": "2"}),
        (("cache_write_1h",), {"cache_write_1h": "7"}),
        (("cache_write", "cache_write_1h"), {"cache_write": "2", "cache_write_1h": "2"}),
        (("thinking",), {"thinking": "3"}),
    ],
)
def test_a_bucket_without_a_rate_takes_the_one_that_is_documented(
    missing: tuple[str, ...], instead: dict[str, str]
) -> None:
    none: dict[str, Any] = dict.fromkeys(missing)
    lacking = replace(RATES, **none)
    named = replace(RATES, **{name: Decimal(rate) for name, rate in instead.items()})
    assert cost(ONE, Price(lacking), MONDAY) == cost(ONE, Price(named), MONDAY)


@pytest.mark.parametrize("bucket", ["cache_read", "cache_write", "cache_write_1h", "thinking"])
def test_a_rate_of_zero_is_a_rate_and_not_a_missing_one(bucket: str) -> None:
    free = replace(RATES, **{bucket: Decimal(0)})
    assert cost(replace(Usage(), **{bucket: 5}), Price(free), MONDAY) == 0


def test_prices_are_values() -> None:
    def made() -> Price:
        return Price(rates(0), (PriceTier(100, rates(1)),), (Peak(frozenset({0}), time(9), time(17), rates(2)),))

    assert {made(): "kept"}[made()] == "kept", "they are equal and hashed by what they hold"
    for each in (made(), made().base, made().steps[0], made().peaks[0]):
        with pytest.raises(AttributeError):
            setattr(each, fields(each)[0].name, None)


def test_no_sum_is_rounded() -> None:
    odd = Price(Rates(Decimal("0.0000001"), Decimal("0.30")))
    assert cost(Usage(fresh=1, output=1), odd, MONDAY) == Decimal("0.0000003000001")


def test_a_step_begins_above_its_size_and_the_highest_that_is_passed_holds() -> None:
    price = Price(rates(1), (PriceTier(100, rates(2)), PriceTier(300, rates(4)), PriceTier(200, rates(3))))
    found = [price.rates(prompt, MONDAY) for prompt in (0, 100, 101, 200, 201, 300, 301, 10**9)]
    assert found == [rates(each) for each in (1, 1, 2, 2, 3, 3, 4, 4)]


@pytest.mark.parametrize("bucket", ["fresh", "cache_read", "cache_write", "cache_write_1h"])
def test_all_of_a_prompt_counts_for_its_step_and_nothing_else(bucket: str) -> None:
    price = Price(rates(0), (PriceTier(100, rates(9)),))
    below, above = (replace(Usage(output=10**6), **{bucket: size}) for size in (100, 101))
    assert cost(below, price, MONDAY) == cost(below, Price(rates(0)), MONDAY)
    assert cost(above, price, MONDAY) == cost(above, Price(rates(9)), MONDAY)


def test_a_peak_holds_from_its_first_moment_to_before_its_last() -> None:
    peak = Peak(frozenset({0}), time(9), time(17), rates(9))
    price, tick = Price(rates(0), peaks=(peak,)), timedelta(microseconds=1)
    nine, five = MONDAY.replace(hour=9), MONDAY.replace(hour=17)
    moments = (nine - tick, nine, nine + tick, five - tick, five, five + tick)
    assert [peak.holds(each) for each in moments] == [False, True, True, True, False, False]
    assert [price.rates(1, each) for each in moments] == [rates(each) for each in (0, 9, 9, 9, 0, 0)]


def test_a_peaks_day_and_hour_are_those_of_utc() -> None:
    peak = Peak(frozenset({0}), time(0), time(1), RATES)
    assert peak.holds(datetime(2026, 12, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))) is False
    assert peak.holds(datetime(2026, 11, 30, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))))
    assert peak.holds(datetime(2026, 11, 29, 19, 30, tzinfo=timezone(-timedelta(hours=5))))
    assert not peak.holds(datetime(2026, 11, 30, 0, 30, tzinfo=timezone(timedelta(hours=1))))


def test_a_step_wins_over_a_peak_and_the_first_peak_over_the_next() -> None:
    always = [Peak(frozenset(range(7)), time(0), time.max, rates(each)) for each in (5, 6)]
    price = Price(rates(0), (PriceTier(10, rates(2)),), tuple(always))
    assert (price.rates(10, MONDAY), price.rates(11, MONDAY)) == (rates(5), rates(2))


def test_the_price_of_a_batch_is_every_rate_times_the_factor_and_no_other_boundary() -> None:
    peak = Peak(frozenset({0}), time(9), time(17), RATES)
    price = Price(replace(RATES, thinking=None), (PriceTier(100, RATES),), (peak,), batch=Decimal("0.5"))
    halves = Rates(*map(Decimal, ("1.0", "1.5", "2.5", "3.5", "5.5", "6.5")))
    found = batched(price)
    assert found.base == replace(halves, thinking=None)
    assert found.steps == (PriceTier(100, halves),)
    assert found.peaks == (replace(peak, rates=halves),)
    assert batched(found) == found, "a batch of a batch is no cheaper"
    assert batched(Price(RATES)) == Price(RATES), "where there is none, it costs what it costs"


@pytest.mark.parametrize(
    ("step", "peak", "bucket"),
    list(product((False, True), (False, True), [each.name for each in fields(Rates)])),
)
def test_a_price_is_free_only_where_no_rate_of_it_costs_anything(step: bool, peak: bool, bucket: str) -> None:  # noqa: FBT001
    nothing = Rates(*[Decimal(0)] * 6)
    assert Price(nothing).free
    assert Price(Rates(Decimal(0), Decimal(0))).free, "a bucket without a rate costs what another costs"
    dear = replace(nothing, **{bucket: Decimal("0.01")})
    steps = (PriceTier(100, dear if step else nothing),)
    peaks = (Peak(frozenset({0}), time(0), time(1), dear if peak else nothing),)
    base = nothing if step or peak else dear
    assert not Price(base, steps, peaks).free
    assert Price(nothing, (PriceTier(100, nothing),), (replace(peaks[0], rates=nothing),)).free


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", {0}),
        ("sun", {6}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("sat-sun", {5, 6}),
        ("fri-mon", {4, 5, 6, 0}),
        ("sun-sat", set(range(7))),
        ("sun-mon", {6, 0}),
        ("tue-tue", {1}),
        ("Mon, WED ,sat-sun", {0, 2, 5, 6}),
    ],
)
def test_weekdays(text: str, days: set[int]) -> None:
    assert weekdays(text) == days


@pytest.mark.parametrize("text", ["", "day", "mon--fri", "mon,,tue", "mon-xyz", "xyz-mon"])
def test_what_is_no_weekday_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match=r"tuple\.index"):
        weekdays(text)
