"""Budgets: a bound that no bill passes, an answer no longer than the money lasts, and a sentence where it does not."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha512
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.billing.budget import (
    CallEstimate,
    Grant,
    Limits,
    Remaining,
    Spent,
    bound,
    left,
    offer,
    payload,
    thrifty,
)
from tuppence.core.models import usage
from tuppence.core.models.pricing import Peak, Price, PriceTier, Rates, batched, cost
from tuppence.core.models.usage import Usage, at_most, estimate
from tuppence.errors import OverBudget

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # A Friday.
PRICE = Price(Rates(Decimal(2), Decimal(10)))
BID = CallEstimate(model="small", price=PRICE, prompt=1000, least=100, most=1000, when=NOON)


def limits(**given: str) -> Limits:
    return Limits(**{name: Decimal(amount) for name, amount in given.items()})


def spent(**given: str) -> Spent:
    return Spent(**{name: Decimal(amount) for name, amount in given.items()})


def test_what_is_left_comes_tightest_first() -> None:
    found = left(limits(day="5", session="1", request="0.5"), spent(day="4.9", session="0.2"))
    assert found == (
        Remaining(Decimal("0.1"), Decimal(5), "day"),
        Remaining(Decimal("0.5"), Decimal("0.5"), "request"),
        Remaining(Decimal("0.8"), Decimal(1), "session"),
    )
    assert left(Limits(), spent(day="9")) == ()


@pytest.mark.parametrize(
    ("given", "by", "expected"),
    [
        ({}, {"day": "9"}, False),
        ({"day": "5"}, {"day": "3.99"}, False),
        ({"day": "5"}, {"day": "4"}, True),
        ({"day": "5", "soft": "0.5"}, {"day": "2.5"}, True),
        ({"request": "1"}, {"request": "1"}, False),
        ({"day": "0"}, {}, True),
    ],
)
def test_past_the_soft_share_it_turns_thrifty(given: dict[str, str], by: dict[str, str], expected: object) -> None:
    assert thrifty(limits(**given), spent(**by)) is expected


@pytest.mark.parametrize(
    ("given", "by", "expected"),
    [
        ({}, {}, Grant(1000, Decimal("0.012"))),
        ({"day": "1"}, {}, Grant(1000, Decimal("0.012"))),
        ({"day": "0.007"}, {}, Grant(500, Decimal("0.007"))),
        ({"day": "1"}, {"day": "0.993"}, Grant(500, Decimal("0.007"))),
        ({"day": "1", "request": "0.0030059"}, {}, Grant(100, Decimal("0.003"))),
        ({"month": "0.003"}, {}, Grant(100, Decimal("0.003"))),
    ],
)
def test_an_answer_is_as_long_as_the_money_lasts(given: dict[str, str], by: dict[str, str], expected: Grant) -> None:
    assert offer(BID, limits(**given), spent(**by)) == expected


def test_below_the_actions_need_it_is_refused_with_the_line_that_allows_it() -> None:
    with pytest.raises(OverBudget) as refused:
        offer(BID, limits(day="1", month="50"), spent(day="0.9975", month="20"))
    assert str(refused.value) == (
        "Your budget of $1.0000 today would be passed: $0.0025 of it is left, and the shortest useful answer of small "
        "may cost $0.0030. To allow it, write `day = 1.1` or more under [budget] in your configuration, "
        "as `tuppence budget day 1.1` does."
    )
    with pytest.raises(OverBudget, match="nothing of it is left"):
        offer(BID, limits(session="0.5"), spent(session="0.6"))


def test_the_line_that_allows_it_does() -> None:
    given, by = limits(day="0.01"), spent(day="0.0097")
    with pytest.raises(OverBudget) as refused:
        offer(BID, given, by)
    raised = refused.value.remedy.split("`")[1].removeprefix("day = ")
    assert offer(BID, limits(day=raised), by).tokens >= BID.least


def test_what_is_free_is_never_refused() -> None:
    free = replace(BID, price=Price(Rates(Decimal(0), Decimal(0))))
    assert offer(free, limits(day="1"), spent(day="2")) == Grant(1000, Decimal(0))


def test_an_unknown_price_is_kept_out_of_a_budget_and_nowhere_else() -> None:
    unknown = replace(BID, price=None)
    assert offer(unknown, Limits(), Spent()) == Grant(1000, None)
    with pytest.raises(OverBudget, match="The price of small is unknown"):
        offer(unknown, limits(month="1000"), Spent())


RATES = st.builds(
    Rates,
    *(st.decimals("0", "100", places=4) for _ in range(2)),
    *(st.none() | st.decimals("0", "100", places=4) for _ in range(4)),
)
PRICES = st.builds(
    Price,
    RATES,
    st.lists(st.builds(PriceTier, st.integers(1, 3000), RATES), max_size=2).map(tuple),
    st.lists(
        st.builds(
            Peak, st.just(frozenset(range(7))), st.just(time(12, 30)), st.sampled_from((time(13), time(20))), RATES
        ),
        max_size=1,
    ).map(tuple),
)


@given(st.data(), PRICES, st.integers(1, 3000), st.integers(0, 2000), st.integers(0, 59))
def test_no_bill_passes_the_bound(data: st.DataObject, price: Price, prompt: int, tokens: int, minutes: int) -> None:
    parts = data.draw(st.lists(st.integers(0, prompt // 4), min_size=4, max_size=4))
    thinking = data.draw(st.integers(0, tokens))
    used = Usage(parts[0], parts[1], parts[2], parts[3], tokens - thinking, thinking)
    bid = replace(BID, price=price, prompt=prompt)
    assert cost(used, price, NOON + timedelta(minutes=minutes)) <= bound(bid, tokens)


@given(PRICES, st.decimals("0", "0.5", places=6), st.integers(1, 400))
def test_what_is_granted_is_never_more_than_what_is_left(price: Price, amount: Decimal, least: int) -> None:
    bid = replace(BID, price=price, least=least)
    try:
        granted = offer(bid, limits(day="1"), spent(day=str(1 - amount)))
    except OverBudget:
        assert bound(bid, least) > amount
        return
    assert granted.bound is not None
    assert granted.bound <= amount or not granted.bound
    assert least <= granted.tokens <= bid.most


def test_a_peak_within_the_hour_counts() -> None:
    dear = Rates(Decimal(4), Decimal(20))
    price = Price(PRICE.base, peaks=(Peak(frozenset(range(7)), time(12, 30), time(14), dear),))
    at = {time(11): "0.012", time(11, 45): "0.024", time(13): "0.024", time(14): "0.012"}
    for when, expected in at.items():
        bid = replace(BID, price=price, when=NOON.replace(hour=when.hour, minute=when.minute))
        assert bound(bid, 1000) == Decimal(expected)


@pytest.mark.parametrize(("prompt", "expected"), [(100, "0.0012"), (1000, "0.003"), (1001, "0.03002")])
def test_a_bound_takes_the_rates_of_the_prompts_size(prompt: int, expected: str) -> None:
    tenfold = replace(PRICE, steps=(PriceTier(1000, Rates(Decimal(20), Decimal(100))),))
    assert bound(replace(BID, price=tenfold, prompt=prompt), 100) == Decimal(expected)


def test_a_bound_of_an_unknown_price_is_none_that_could_be_given() -> None:
    with pytest.raises(ValueError, match="unknown"):
        bound(replace(BID, price=None), 1)


def test_a_peak_begins_for_all_that_is_sent_in_the_hour_before_it() -> None:
    peak = Peak(frozenset({4}), time(14), time(15), Rates(Decimal(20), Decimal(100)))
    dear = replace(BID, price=replace(PRICE, peaks=(peak,)))
    begins = NOON.replace(hour=14)
    costs = {
        minutes: bound(replace(dear, when=begins + timedelta(minutes=minutes)), 0) for minutes in (-61, -60, -1, 0, 60)
    }
    assert costs == {
        minutes: Decimal("0.02") if -60 <= minutes < 60 else Decimal("0.002") for minutes in (-61, -60, -1, 0, 60)
    }


def test_a_workspace_may_only_narrow() -> None:
    mine, theirs = limits(day="5", month="50"), limits(day="9", session="1", soft="0.5")
    assert mine.narrowed(theirs) == limits(day="5", month="50", session="1", soft="0.5")


def test_the_notification_names_the_limit_that_leaves_least() -> None:
    assert payload(Limits(), Spent()) is None
    assert payload(limits(request="1"), Spent()) is None
    assert payload(limits(request="0.01", day="5", month="6"), spent(day="1", month="5.5")) == {
        "left": {"usd": "0.5", "display": "$0.5000"},
        "limit": {"usd": "6", "display": "$6.0000"},
        "period": "this month",
    }
    over = payload(limits(session="1"), spent(session="2"))
    assert over is not None
    assert over["left"]["usd"] == "0"


@given(st.text(max_size=400))
def test_a_prompt_is_never_estimated_higher_than_at_most(text: str) -> None:
    assert estimate(text) <= at_most(text)
    assert at_most(text, 3.0) <= len(text.encode("utf-8", "replace")) + 64
    assert at_most(text) >= at_most(text, 4.0)


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("0," * 4000, 8000),
        ("a b c d e f g " * 500, 3501),
        ("\t \t \t" * 1000, 2000),
        ("|   |\n+---+\n" * 500, 3000),
        ("for(var e=0;e<n.length;e++)r+=(n[e]^i)<<o;" * 100, 2100),
        (b64encode(sha512(b"tuppence").digest() * 90).decode(), 5670),
        (sha512(b"tuppence").hexdigest() * 60, 4140),
        ("\U0001f600\u00e9" * 1000, 3000),
    ],
)
def test_no_prompt_is_denser_than_at_most(text: str, counted: int) -> None:
    """``counted`` is what o200k or cl100k makes of it, whichever makes more, rounded up."""
    assert counted <= at_most(text, 4.1) <= len(text.encode()) + 64
    assert at_most(text, 2.5) >= at_most(text, 4.1)


def test_a_bound_of_plain_code_is_no_more_than_twice_what_it_comes_to() -> None:
    text = Path(at_most.__code__.co_filename).read_text()
    assert estimate(text, 4.1) < at_most(text, 4.1) < 2 * estimate(text, 4.1)


def test_a_batch_costs_its_share() -> None:
    price = Price(PRICE.base, (PriceTier(500, Rates(Decimal(4), Decimal(20), Decimal(1))),), batch=Decimal("0.5"))
    usage = Usage(fresh=100, cache_read=500, output=10)
    assert cost(usage, price, NOON) == Decimal("0.0011")
    assert cost(usage, batched(price), NOON) == Decimal("0.00055")


@given(st.lists(st.text("ab \n\t1é=+/_(\r", max_size=60), max_size=6))
def test_the_parts_of_a_prompt_count_as_the_whole(parts: list[str]) -> None:
    assert at_most(parts) == at_most("".join(parts))


def test_each_part_of_a_prompt_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    pieces = usage._pieces

    def noted(text: str) -> int:
        counted.append(text)
        return pieces(text)

    monkeypatch.setattr(usage, "_pieces", noted)
    blocks = [f"def f{n}(value):\n    return value\n\n" for n in range(40)]
    at_most(["Instructions, only for this test.\n", *blocks, "tail 1"])
    assert len(counted) == 42
    blocks[7] = "def other(value):\n    return value + 1\n\n"
    at_most(["Instructions, only for this test.\n", *blocks, "tail 2"])
    assert counted[42:] == [blocks[7], "tail 2"]
