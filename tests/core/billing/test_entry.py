"""Money: exact when summed, rounded when shown, and an honest figure for what was saved."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.billing.entry import Entry, Last, Summary, about, add, exact, last, money, payload
from tuppence.core.billing.totals import Totals, summarize_entry
from tuppence.core.billing.totals import totals as sums
from tuppence.core.models.usage import Usage
from tuppence.lsp.features.messages import price

AMOUNTS = st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False)


def entry(cost: str | None = "0", best: str | None = None, **fields: Any) -> Entry:
    usual: dict[str, Any] = {
        "run": "run", "session": "session", "at": datetime(2026, 3, 4, 12, tzinfo=UTC), "action": "fix",
        "language": "python", "provider": "mine", "model": "small", "tier": "budget", "usage": Usage(fresh=10),
        "estimated": False, "difficulty": 0.3, "outcome": "kept", "reason": "easy 0.30", "seconds": 1.5,
    }  # fmt: skip
    amounts = {
        "cost": None if cost is None else Decimal(cost),
        "best_cost": None if best is None else Decimal(best),
    }
    return Entry(**{**usual, **amounts, **fields})


def totals(entries: list[Entry]) -> Totals:
    return sums([summarize_entry(each) for each in entries])


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (None, "unknown"),
        ("0", "$0"),
        ("-0.00", "$0"),
        ("0.0011", "$0.0011"),
        ("0.00114", "$0.0011"),
        ("0.00115", "$0.0012"),
        ("0.0001", "$0.0001"),
        ("0.0000999", "<$0.0001"),
        ("1E-30", "<$0.0001"),
        ("-1E-30", ">-$0.0001"),
        ("-0.0042", "-$0.0042"),
        ("1", "$1.0000"),
        ("1234567.89", "$1,234,567.8900"),
        ("1E+30", "$1,000,000,000,000,000,000,000,000,000,000.0000"),
    ],
)
def test_money_is_shown_to_a_hundredth_of_a_cent(amount: str | None, expected: str) -> None:
    assert money(None if amount is None else Decimal(amount)) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0.00123", "about $0.0012"),
        ("-1.5", "about -$1.5000"),
        ("0", "$0"),
        ("0.00001", "<$0.0001"),
        ("-0.00001", ">-$0.0001"),
        (None, "unknown"),
    ],
)
def test_an_estimate_is_about_an_amount_unless_it_is_exact_unknown_or_bounded(
    amount: str | None, expected: str
) -> None:
    assert about(None if amount is None else Decimal(amount)) == expected


@given(AMOUNTS)
def test_only_an_exact_zero_is_shown_as_zero(amount: Decimal) -> None:
    assert (money(amount) == "$0") == (amount == 0)


@given(AMOUNTS)
def test_the_exact_text_is_plain_and_the_same_amount(amount: Decimal) -> None:
    text = exact(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert not ("." in text and text.endswith(("0", ".")))


@given(st.lists(AMOUNTS))
def test_a_sum_is_exact(amounts: list[Decimal]) -> None:
    assert Fraction(add(amounts)) == sum(map(Fraction, amounts))


def test_a_sum_keeps_what_the_usual_precision_would_round_away() -> None:
    assert add([Decimal("1E+20"), Decimal("1E-20")]) == Decimal("100000000000000000000.00000000000000000001")


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ([entry("0.01", "0.05")], "0.04"),
        ([entry("0.01", "0.02", outcome="failed check"), entry("0.04", "0.05")], "0.00"),
        ([entry("0.01", "0.02", outcome="failed check"), entry("0.05", "0.05")], "-0.01"),
        ([entry("0.01", "0.05", outcome="failed check")], "0"),
        ([entry("0.05", "0.05", outcome="cancelled")], "0"),
        ([entry("0.01", "0.05", outcome="failed"), entry("0.05", "0.05", outcome="failed check")], "-0.01"),
        ([entry(None, "0.05")], "0"),
        ([entry("0.01", None)], "0"),
        ([entry(None, "0.05", outcome="failed check"), entry("0.01", "0.05")], "0"),
        ([entry("0.01", "0.05", run="a"), entry("0.03", "0.02", run="b"), entry("0.01", "0.01", run="a")], "-0.02"),
        ([], "0"),
    ],
    ids=[
        "kept at once",
        "kept after a climb, all costs count",
        "climbed to the best itself",
        "nothing kept, nothing saved",
        "cancelled at the best",
        "nothing kept, and dearer than the best",
        "unknown cost",
        "unknown best",
        "part of the run unknown",
        "two runs interleaved",
        "none",
    ],
)
def test_saved_flatters_nobody(run: list[Entry], expected: str) -> None:
    assert totals(run).saved == Decimal(expected)


def test_totals_tell_estimates_and_unknown_prices_apart() -> None:
    result = totals([
        entry("0.01"),
        entry("0.002", estimated=True, outcome="cancelled"),
        entry("0.5", model="large", tier="premium"),
        entry(None, model="mystery", tier="specialised"),
        entry(None),
    ])  # fmt: skip
    assert (result.spent, result.estimated, result.unknown, result.requests) == (
        Decimal("0.512"),
        Decimal("0.002"),
        2,
        5,
    )
    assert list(result.by_model.items()) == [
        ("mine/large", Decimal("0.5")), ("mine/small", Decimal("0.012")), ("mine/mystery", None)
    ]  # fmt: skip
    assert list(result.by_tier) == ["premium", "budget", "specialised"]


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(["a", "b", "c"]), st.sampled_from(["budget", "premium"]))))
def test_every_table_sums_to_what_was_spent(rows: list[tuple[Decimal, str, str]]) -> None:
    result = totals([entry(str(cost), model=model, tier=tier) for cost, model, tier in rows])
    assert add(result.by_model.values()) == add(result.by_tier.values()) == result.spent


def test_the_last_run_is_its_final_answer_at_the_whole_price() -> None:
    run = (
        entry("0.01", outcome="failed check", usage=Usage(fresh=1, cache_read=100), estimated=True),
        entry("0.04", model="large", tier="premium", usage=Usage(fresh=1, cache_read=20), reason="climbed"),
    )
    assert last(run) == Last("fix", "large", "premium", Decimal("0.05"), 120, "climbed", "kept", estimated=True)


@pytest.mark.parametrize(
    ("run", "cost", "cached", "text"),
    [
        ([entry("0.0011", usage=None)], Decimal("0.0011"), None, "$0.0011"),
        ([entry("0.0011", usage=Usage(cache_read=0))], Decimal("0.0011"), 0, "$0.0011"),
        ([entry("0.0011", estimated=True)], Decimal("0.0011"), None, "about $0.0011"),
        ([entry("0.0011"), entry(None)], None, None, "price unknown"),
        ([entry("0", estimated=True)], Decimal(0), None, "$0"),
    ],
)
def test_a_price_says_what_is_known(run: list[Entry], cost: Decimal | None, cached: int | None, text: str) -> None:
    result = last(run)
    assert result is not None
    assert (result.cost, result.cached_tokens, price(result.cost, estimated=result.estimated)) == (cost, cached, text)


def test_no_requests_have_no_last_run() -> None:
    assert last(()) is None


def test_the_notification_holds_exact_and_readable_amounts() -> None:
    summary = Summary(
        session=Decimal("0.00105"),
        today=Decimal("1E-7"),
        month=Decimal("12.500"),
        saved=Decimal("-0.25"),
        requests=3,
        estimated=Decimal(0),
        unknown=1,
        by_model={"mine/small": Decimal("0.1"), "mine/mystery": None},
        by_tier={"budget": Decimal("0.1")},
        last=Last("fix", "small", "budget", None, None, "easy", "kept", estimated=False),
    )
    assert json.loads(json.dumps(payload(summary))) == {
        "schema": 1,
        "session": {"usd": "0.00105", "display": "$0.0011"},
        "today": {"usd": "0.0000001", "display": "<$0.0001"},
        "month": {"usd": "12.5", "display": "$12.5000"},
        "saved": {"usd": "-0.25", "display": "-$0.2500"},
        "estimated": {"usd": "0", "display": "$0"},
        "requests": 3,
        "unknown": 1,
        "byModel": [
            {"name": "mine/small", "usd": "0.1", "display": "$0.1000"},
            {"name": "mine/mystery", "usd": None, "display": "unknown"},
        ],
        "byTier": [{"name": "budget", "usd": "0.1", "display": "$0.1000"}],
        "last": {
            "action": "fix",
            "model": "small",
            "tier": "budget",
            "cost": {"usd": None, "display": "unknown"},
            "cachedTokens": None,
            "reason": "easy",
            "outcome": "kept",
            "estimated": False,
        },
    }


@pytest.mark.parametrize("fields", [{"at": datetime(2026, 3, 4)}, {"cost": Decimal(-1)}, {"cost": Decimal("nan")}])  # noqa: DTZ001 - the mistake under test
def test_an_entry_without_a_time_zone_or_with_no_amount_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"time zone|amount"):
        entry(**fields)


def test_what_never_reached_a_model_is_not_called_by_a_models_name() -> None:
    assert set(totals([entry("0", provider="", model="")]).by_model) == {"no model"}
