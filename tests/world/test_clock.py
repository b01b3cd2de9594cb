"""The user's days: each begins at its own midnight, also on the other side of a change of the clocks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from tests.ledger.test_ledger import entry

from tuppence import clock
from tuppence.config import load
from tuppence.engine import cost_report
from tuppence.ledger import Ledger, midnight

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "UTC")


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Let this machine stand in a time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    os.environ.pop("TZ", None)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ZONES, indirect=True)
def test_it_is_the_systems_zone_at_every_moment_of_a_year(zone: str) -> None:
    true, moment = ZoneInfo(zone), datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    for _ in range(366 * 24):
        moment += timedelta(hours=1)
        here, there = moment.astimezone(clock.HERE), moment.astimezone(true)
        assert (here.replace(tzinfo=None), here.fold, here.utcoffset(), here.tzname()) == (
            there.replace(tzinfo=None),
            there.fold,
            there.utcoffset(),
            there.tzname(),
        )
        assert here.astimezone(UTC) == moment
        assert midnight(here).astimezone(UTC) == midnight(there).astimezone(UTC)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_midnight_that_comes_twice_is_the_first_one() -> None:
    late = datetime(2026, 11, 1, 0, 30, fold=1, tzinfo=ZoneInfo("America/Havana"))
    assert midnight(late).astimezone(UTC) == datetime(2026, 11, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
def test_money_falls_on_the_day_on_which_it_was_spent(zone: str, ledger: Ledger) -> None:
    assert zone == "Europe/Berlin"
    for cost, at in {  # Clocks went back on 25 October 2026, at 01:00 UTC.
        "1": datetime(2026, 10, 22, 21, 59, 59, tzinfo=UTC),  # 23:59:59 on the 22nd
        "2": datetime(2026, 10, 22, 22, tzinfo=UTC),  # midnight of the 23rd, in summer time
        "4": datetime(2026, 10, 24, 22, 30, tzinfo=UTC),  # 00:30 on the 25th
        "8": datetime(2026, 10, 25, 22, 30, tzinfo=UTC),  # 23:30 on the 25th, a day of 25 hours
        "16": datetime(2026, 10, 25, 23, tzinfo=UTC),  # midnight of the 26th
    }.items():
        ledger.add(entry(cost, at=at, run=cost))
    now = datetime(2026, 10, 26, 12, tzinfo=clock.HERE)
    drawn = cost_report.read_report(ledger, load(), now, 5)
    assert {day.day: day.spent for day in drawn.report.days} == {
        date(2026, 10, 22): Decimal(1),
        date(2026, 10, 23): Decimal(2),
        date(2026, 10, 24): Decimal(0),
        date(2026, 10, 25): Decimal(12),
        date(2026, 10, 26): Decimal(16),
    }
    assert drawn.today.spent == Decimal(16)
    four = cost_report.read_report(ledger, load(), now, 4).report
    assert (len(four.days), four.whole.spent) == (4, Decimal(30)), "the first day begins at its own midnight"
    on_the_25th = datetime(2026, 10, 25, 12, tzinfo=clock.HERE)
    assert ledger.spent("", "", on_the_25th).day == Decimal(28), "what is later counts too"
    assert ledger.summary("", on_the_25th).today == Decimal(28)


@pytest.mark.parametrize("zone", ["America/New_York"], indirect=True)
def test_a_month_begins_by_the_clock_of_its_first_day(zone: str, ledger: Ledger) -> None:
    assert zone == "America/New_York"
    ledger.add(entry("1", at=datetime(2026, 11, 1, 3, 59, tzinfo=UTC)))  # 23:59 on 31 October
    ledger.add(entry("2", at=datetime(2026, 11, 1, 4, 1, tzinfo=UTC)))  # 00:01 on 1 November, the day of the change
    assert ledger.spent("", "", datetime(2026, 11, 20, 9, tzinfo=clock.HERE)).month == Decimal(2)
