"""What tokens cost, to the last digit: each bucket at its own rate, steps above their size, peaks at their hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from tuppence.core.models.pricing import Peak, Price, PriceTier, Rates, batched, cost, weekdays
from tuppence.core.models.usage import Usage, merge, split

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
EACH = Rates(Decimal(1), Decimal(10), Decimal(100), Decimal(1_000), Decimal(10_000), Decimal(100_000))
BUCKETS = ("fresh", "output", "cache_read", "cache_write", "cache_write_1h", "thinking")
PLAIN = Rates(Decimal(3), Decimal(7))


def test_each_bucket_has_its_own_rate() -> None:
    usage = Usage(fresh=1, output=2, cache_read=3, cache_write=4, cache_write_1h=5, thinking=6)
    assert cost(usage, Price(EACH), MONDAY) == Decimal("0.654321")
    for power, bucket in enumerate(BUCKETS):
        one = Usage(**{bucket: 1})
        assert cost(one, Price(EACH), MONDAY) == Decimal(10**power) / 1_000_000, bucket


def test_a_bucket_without_a_rate_costs_what_stands_in_for_it() -> None:
    for bucket, rate in zip(BUCKETS, (3, 7, 3, 3, 3, 7), strict=True):
        assert cost(Usage(**{bucket: 1_000_000}), Price(PLAIN), MONDAY) == rate, bucket
    short = Rates(Decimal(3), Decimal(7), cache_write=Decimal(5))
    assert cost(Usage(cache_write_1h=1_000_000), Price(short), MONDAY) == 5


def test_a_rate_of_zero_is_a_rate() -> None:
    free = Rates(Decimal(3), Decimal(7), Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    for bucket in BUCKETS[2:]:
        assert cost(Usage(**{bucket: 9}), Price(free), MONDAY) == 0, bucket
    long = Rates(Decimal(3), Decimal(7), cache_write=Decimal(5), cache_write_1h=Decimal(0))
    assert cost(Usage(cache_write_1h=9), Price(long), MONDAY) == 0
    assert not Price(free).free
    assert Price(Rates(Decimal(0), Decimal(0))).free
    assert not Price(Rates(Decimal(0), Decimal(0)), peaks=(_peak(PLAIN),)).free
    assert not Price(Rates(Decimal(0), Decimal(0)), (PriceTier(9, PLAIN),)).free


def _peak(rates: Rates) -> Peak:
    return Peak(frozenset({0}), time(10), time(12), rates)


def test_a_step_holds_above_its_size_for_the_whole_request() -> None:
    price = Price(Rates(Decimal(1), Decimal(1)), (PriceTier(100, EACH), PriceTier(200, PLAIN)))
    assert cost(Usage(fresh=100), price, MONDAY) == Decimal(100) / 1_000_000
    assert cost(Usage(fresh=98, cache_read=1, cache_write=1, cache_write_1h=1), price, MONDAY) == Decimal("0.011198")
    assert cost(Usage(fresh=201, output=1), price, MONDAY) == Decimal(201 * 3 + 7) / 1_000_000
    assert cost(Usage(fresh=100, output=500), price, MONDAY) == Decimal(600) / 1_000_000, "an answer is no prompt"


@pytest.mark.parametrize(
    ("hour", "minute", "day", "holds"),
    [(10, 0, 0, True), (9, 59, 0, False), (11, 59, 0, True), (12, 0, 0, False), (11, 0, 1, False)],
)
def test_a_peak_holds_from_its_first_moment_to_its_end(hour: int, minute: int, day: int, *, holds: bool) -> None:
    price = Price(Rates(Decimal(1), Decimal(1)), peaks=(_peak(PLAIN),))
    when = MONDAY.replace(hour=hour, minute=minute) + timedelta(days=day)
    for moment in (when, when.astimezone(timezone(timedelta(hours=9)))):
        assert cost(Usage(fresh=1_000_000), price, moment) == (3 if holds else 1)


def test_a_step_wins_over_a_peak() -> None:
    price = Price(Rates(Decimal(1), Decimal(1)), (PriceTier(9, PLAIN),), (_peak(EACH),))
    assert price.rates(10, MONDAY.replace(hour=11)) == PLAIN
    assert price.rates(9, MONDAY.replace(hour=11)) == EACH


def test_a_batch_costs_its_share_of_every_rate() -> None:
    half = batched(Price(EACH, (PriceTier(9, PLAIN),), (_peak(EACH),), Decimal("0.5")))
    assert cost(Usage(fresh=1, thinking=2), half, MONDAY) == Decimal("0.1000005")
    assert half.steps[0] == PriceTier(9, Rates(Decimal("1.5"), Decimal("3.5")))
    assert half.peaks[0].rates.cache_write_1h == 5_000
    assert half.batch == 1


def test_weekdays_are_named_alone_in_a_row_and_over_the_weeks_end() -> None:
    assert weekdays("mon-fri") == {0, 1, 2, 3, 4}
    assert weekdays("Sat, mon") == {5, 0}
    assert weekdays("sun") == {6}
    assert weekdays("sat-mon") == {5, 6, 0}
    with pytest.raises(ValueError, match="not in tuple"):
        weekdays("day")


def test_a_prompt_is_split_into_what_is_read_written_and_fresh() -> None:
    written = Usage(cache_write=20, cache_write_1h=30)
    assert split(100, 10, written) == Usage(40, 10, 20, 30)
    assert split(100, 10) == Usage(90, 10)
    assert split(100, 0) == Usage(100, None)
    assert split(100, 200, written) == Usage(0, 100, 0, 0)
    assert split(100, 90, written) == Usage(0, 90, 10, 0)
    assert split(100, 60, written) == Usage(0, 60, 20, 20)
    assert split(100, 10, written).prompt == 100


def test_two_requests_are_merged_bucket_by_bucket() -> None:
    first, second = Usage(1, 20, 300, 4_000, 50_000, 600_000), Usage(2, 30, 400, 5_000, 60_000, 700_000)
    assert merge(first, second) == Usage(3, 50, 700, 9_000, 110_000, 1_300_000)
    assert merge(Usage(), Usage()).cache_read is None
    assert merge(Usage(cache_read=7), Usage()).cache_read == 7
    assert merge(Usage(), Usage(cache_read=7)).cache_read == 7
    assert merge(Usage(cache_read=0), Usage()).cache_read == 0
