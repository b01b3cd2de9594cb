"""The choice of a model: cheapest in expectation among the adequate, explained, and never by position in a list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.actions import EXPLAIN, FIX
from tuppence.core.difficulty import Difficulty
from tuppence.core.models import Model, Provider
from tuppence.core.route import Need, Route, Wish, better, choose, quality
from tuppence.core.usage import Price, Rates
from tuppence.errors import NoModel

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
USUAL = Wish()


def model(name: str, price: tuple[float, float] | None = (1, 5), ability: float | None = 0.5, **more: Any) -> Model:
    rates = Rates(*(Decimal(repr(each)) for each in price)) if price else None
    row = Model(
        provider=Provider(more.pop("provider", "p"), "openai", "https://example.invalid/v1"),
        id=name,
        tier=more.pop("tier", "budget"),
        price=Price(rates) if rates else None,
        context=128_000,
        max_output=16_000,
        ability={"fix": ability, "explain": ability} if ability is not None else {},
    )
    return replace(row, **more)


def need(**more: Any) -> Need:
    given: dict[str, Any] = {
        "action": FIX,
        "difficulty": Difficulty(0.4, ("40 lines",)),
        "prompt_tokens": 2000,
        "target_tokens": 300,
        "when": NOON,
    }
    return Need(**(given | more))


def chosen(*models: Model, wish: Wish = USUAL, **more: Any) -> Route:
    return choose(need(**more), models, {}, wish)


def test_the_cheapest_of_the_adequate_wins_wherever_it_stands() -> None:
    rows = [model("dear", (5, 25), 0.6), model("cheap", (0.1, 0.5), 0.59), model("middle", (1, 5), 0.6)]
    assert {chosen(*order).model.id for order in (rows, rows[::-1], [rows[1], rows[0], rows[2]])} == {"cheap"}


def test_an_inadequate_model_is_not_chosen_however_cheap() -> None:
    route = chosen(model("weak", (0.01, 0.01), 0.2), model("able", (1, 5), 0.6))
    assert route.model.id == "able"
    assert route.table[0].quality < 0.97 * route.table[1].quality


def test_lower_quality_admits_the_cheaper_model() -> None:
    rows = (model("weak", (0.1, 0.1), 0.5), model("able", (1, 5), 0.6))
    assert chosen(*rows).model.id == "able"
    assert chosen(*rows, wish=Wish(quality=0.7)).model.id == "weak"


def test_expected_cost_counts_input_as_well_as_output() -> None:
    long_answers = model("cheap output", (10, 0.1), 0.5)
    long_prompts = model("cheap input", (0.1, 10), 0.5)
    assert chosen(long_answers, long_prompts, prompt_tokens=100_000).model is long_prompts
    assert chosen(long_answers, long_prompts, prompt_tokens=10, target_tokens=10_000).model is long_answers


def test_ties_go_to_the_faster() -> None:
    slow, fast = model("a", tokens_per_second=20.0), model("b", tokens_per_second=200.0)
    assert chosen(slow, fast).model is fast


def test_the_ladder_rises_in_quality_and_leaves_out_what_is_dearer_and_no_better() -> None:
    rows = [model("a", (0.1, 0.5), 0.5), model("c", (5, 25), 0.7), model("b", (1, 5), 0.6), model("fool", (2, 9), 0.55)]
    assert [each.id for each in chosen(*rows, wish=Wish(quality=0.5)).ladder] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (model("m", retires_on=date(2026, 11, 21)), "retired"),
        (model("m", price=None), "price is unknown"),
        (model("m", context=1000), "does not fit"),
        (model("m", max_output=100), "answers end at 100"),
    ],
)
def test_the_ineligible_are_never_chosen_and_the_table_says_why(row: Model, why: str) -> None:
    route = chosen(row, model("other", (50, 250), 0.3))
    assert route.model.id == "other"
    assert why in route.table[0].why_not
    with pytest.raises(NoModel, match=why):
        chosen(row)


def test_a_model_retires_on_the_day_itself() -> None:
    row = model("m", retires_on=date(2026, 11, 22))
    assert chosen(row).model is row


def test_excluded_keyless_and_public_only_models_are_not_asked() -> None:
    row = model("m")
    with pytest.raises(NoModel, match="excluded"):
        chosen(row, wish=Wish(exclude=frozenset({"p/m"})))
    with pytest.raises(NoModel, match="P_KEY is not set"):
        choose(need(), [row], {"p": "P_KEY is not set."})
    with pytest.raises(NoModel, match="public files only"):
        chosen(replace(row, public_only=True), private=True)


def test_a_pin_beats_everything_but_presence() -> None:
    dear, cheap = model("dear", None, 0.1), model("cheap", (0.1, 0.5), 0.9)
    route = chosen(dear, cheap, wish=Wish(pin="p/dear"))
    assert (route.model, route.expected_cost) == (dear, None)
    assert route.reason.startswith("dear is pinned")
    with pytest.raises(NoModel, match="p/gone is not in the tier table"):
        chosen(cheap, wish=Wish(pin="p/gone"))


def test_unknown_is_never_good() -> None:
    assert quality(model("m", ability=None, tier="budget"), "fix", 0.0) < 0.45
    assert quality(model("m", ability=None, tier="local"), "fix", 0.0) < quality(model("m", ability=None), "fix", 0.0)


@pytest.mark.parametrize("ability", [0.2, 0.5, 0.9])
def test_what_is_harder_is_expected_to_go_worse(ability: float) -> None:
    row = model("m", ability=ability)
    assert quality(row, "fix", 0.1) > quality(row, "fix", 0.5) > quality(row, "fix", 0.9)


def test_hard_code_asks_for_the_better_model() -> None:
    weak, strong = model("weak", (0.1, 0.5), 0.50), model("strong", (5, 25), 0.512)
    assert chosen(weak, strong, difficulty=Difficulty(0.0, ())).model is weak
    assert quality(weak, "fix", 0.9) / quality(strong, "fix", 0.9) < quality(weak, "fix", 0) / quality(strong, "fix", 0)


def test_the_reason_is_one_line_with_figures() -> None:
    route = chosen(model("small", (0.1, 0.5), 0.60), model("big", (1, 5), 0.61))
    assert route.reason == "fix rated medium 0.40: 40 lines; big would add 2 % for 10x the price"
    assert chosen(model("only")).reason.endswith("no other model would do better")


def test_a_better_model_is_found_for_a_second_try() -> None:
    small, middle, big = model("small", (0.1, 1), 0.5), model("middle", (1, 5), 0.6), model("big", (5, 25), 0.7)
    route = chosen(small, middle, big, wish=Wish(quality=0.5))
    found = better(route, "p/small")
    assert found is not None
    assert found.model is middle
    assert better(route, "p/big") is None
    assert chosen(small, middle, big, wish=Wish(quality=0.5, above="p/small")).model is middle
    with pytest.raises(NoModel, match="no better model than p/big"):
        chosen(small, middle, big, wish=Wish(above="p/big"))


TASKS = {
    "architecture": ["opus", "turbo"],
    "code_generation": ["coder", "sonnet", "qwen32"],
    "refactoring": ["sonnet", "v3", "4o"],
    "testing": ["haiku", "coder", "4o"],
    "code_review": ["opus", "turbo", "sonnet"],
    "documentation": ["haiku", "3.5", "v3"],
    "debugging": ["sonnet", "coder", "qwen32"],
    "optimization": ["opus", "v3", "turbo"],
    "boilerplate": ["haiku", "3.5", "qwen7"],
    "research": ["opus", "sonnet", "turbo"],
}
"""The founding documents' candidates for each task, in their order: their rule takes the last for the cheapest."""
PRICES = {
    "opus": (15.0, 75.0),
    "sonnet": (3.0, 15.0),
    "haiku": (0.8, 4.0),
    "turbo": (10.0, 30.0),
    "4o": (2.5, 10.0),
    "3.5": (0.5, 1.5),
    "coder": (0.14, 0.28),
    "v3": (0.14, 0.28),
    "qwen32": (0.4, 0.8),
    "qwen7": (0.2, 0.4),
}
"""Their prices, USD per million tokens, the middle of a range."""


def test_the_documents_own_rule_is_wrong_where_ours_is_right() -> None:
    """Six of their ten tasks get a dearer model than the cheapest on the list; we take the cheapest of equals."""
    wrong = set()
    for task, names in TASKS.items():
        rows = [model(name, PRICES[name], 0.5) for name in names]
        cheapest = min(rows, key=lambda row: 3 * PRICES[row.id][0] + PRICES[row.id][1])
        assert chosen(*rows, action=EXPLAIN).model is cheapest
        if rows[-1] is not cheapest:
            wrong.add(task)
    assert wrong == {"code_generation", "refactoring", "testing", "debugging", "optimization", "research"}


rows = st.builds(
    model,
    st.text("abcdef", min_size=1, max_size=3),
    st.one_of(st.none(), st.tuples(st.floats(0, 20), st.floats(0, 90))),
    st.one_of(st.none(), st.floats(0.05, 0.95)),
    tier=st.sampled_from(["premium", "workhorse", "budget", "specialised", "local"]),
    retires_on=st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 12, 31))),
    context=st.integers(1000, 200_000),
)
tables = st.lists(rows, min_size=1, max_size=8, unique_by=lambda row: row.id)


@given(tables, st.floats(0.5, 1), st.floats(0.5, 1), st.floats(0, 1))
def test_more_quality_never_picks_a_worse_model(table: list[Model], one: float, other: float, hard: float) -> None:
    low, high = sorted((one, other))
    rated = Difficulty(hard, ())
    try:
        first = chosen(*table, wish=Wish(quality=low), difficulty=rated)
    except NoModel:
        return
    assert chosen(*table, wish=Wish(quality=high), difficulty=rated).quality >= first.quality


@given(tables)
def test_only_the_eligible_are_picked_and_the_ladder_only_rises(table: list[Model]) -> None:
    try:
        route = chosen(*table)
    except NoModel:
        return
    for each in (*route.ladder, *route.spare):
        assert each.price is not None
        assert not each.retired(NOON.date())
    rises = [quality(each, "fix", 0.4) for each in route.ladder]
    assert all(before < after for before, after in pairwise(rises))


@given(tables, st.floats(1.01, 3), st.floats(0.1, 0.99))
def test_a_dominated_model_changes_nothing(table: list[Model], dearer: float, worse: float) -> None:
    try:
        route = chosen(*table)
    except NoModel:
        return
    first = route.model
    assert first.price is not None
    if not first.price.base.input or not first.price.base.output:
        return
    rates = Rates(*(figure * Decimal(repr(dearer)) for figure in (first.price.base.input, first.price.base.output)))
    ability = {"fix": quality(first, "fix", 0.0) * worse}
    dominated = replace(first, id="zzzz", price=Price(rates), ability=ability)
    again = chosen(*table, dominated)
    assert again.model is first
    assert dominated not in again.ladder
