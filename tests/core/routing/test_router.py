"""The choice of a model: the best value among the adequate, explained, and never by position in a list."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.config.shipped import shipped
from tuppence.core.actions import EXPLAIN, FIX, TESTS
from tuppence.core.billing.budget import THRIFTY
from tuppence.core.billing.entry import money
from tuppence.core.models.model import Model, Provider
from tuppence.core.models.pricing import Peak, Price, PriceTier, Rates
from tuppence.core.models.usage import Usage
from tuppence.core.routing.candidates import (
    THINKING,
    Candidate,
    RoutingPolicy,
    RoutingRequest,
    allowance,
    bound,
    least_output,
)
from tuppence.core.routing.difficulty import Difficulty
from tuppence.core.routing.no_model import NoEligibleModel
from tuppence.core.routing.quality import RUN, CodeSignal, Estimate, QualityModel
from tuppence.core.routing.router import Route, better, choose
from tuppence.errors import NoModel

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
USUAL = RoutingPolicy()


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


def need(**more: Any) -> RoutingRequest:
    given: dict[str, Any] = {
        "action": FIX,
        "gain": CodeSignal("fix", 0.4, ("40 lines",), rated=Difficulty(0.4, "moderate", ("40 lines",))),
        "prompt_tokens": 2000,
        "target_tokens": 300,
        "when": NOON,
    }
    return RoutingRequest(**(given | more))


def chosen(*models: Model, wish: RoutingPolicy = USUAL, **more: Any) -> Route:
    return choose(need(**more), models, {}, shipped(), wish)


def test_the_cheapest_of_the_adequate_wins_wherever_it_stands() -> None:
    rows = [model("dear", (5, 25), 0.6), model("cheap", (0.1, 0.5), 0.59), model("middle", (1, 5), 0.6)]
    assert {chosen(*order).model.id for order in (rows, rows[::-1], [rows[1], rows[0], rows[2]])} == {"cheap"}


def test_an_inadequate_model_is_not_chosen_however_cheap() -> None:
    route = chosen(model("weak", (0.01, 0.01), 0.2), model("able", (1, 5), 0.6))
    assert route.model.id == "able"
    assert route.table[0].quality < route.weighing.bar.floor < route.table[1].quality


def test_lower_quality_admits_the_cheaper_model() -> None:
    rows = (model("weak", (0.1, 0.1), 0.5), model("able", (1, 5), 0.7))
    assert chosen(*rows).model.id == "able"
    assert chosen(*rows, wish=RoutingPolicy(quality=0.3)).model.id == "weak"


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
    assert [each.id for each in chosen(*rows, wish=RoutingPolicy(quality=0.5)).ladder] == ["a", "b", "c"]


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
        chosen(row, wish=RoutingPolicy(exclude=frozenset({"p/m"})))
    with pytest.raises(NoModel, match="P_KEY is not set"):
        choose(need(), [row], {"p": "P_KEY is not set."}, shipped())
    with pytest.raises(NoModel, match="public files only"):
        chosen(replace(row, public_only=True), private=True)


def test_a_pin_beats_everything_but_presence() -> None:
    dear, cheap = model("dear", None, 0.1), model("cheap", (0.1, 0.5), 0.9)
    route = chosen(dear, cheap, wish=RoutingPolicy(pin="p/dear"))
    assert (route.model, route.expected_cost) == (dear, None)
    assert route.reason.startswith("dear is pinned")
    with pytest.raises(NoModel, match="p/gone is not in the tier table"):
        chosen(cheap, wish=RoutingPolicy(pin="p/gone"))


def counted_on(row: Model) -> float:
    return shipped().estimate(row, "fix").quality


def test_unknown_is_never_good() -> None:
    measured = model("m", ability=0.55)
    for tier, figure in (("budget", 0.53), ("workhorse", 0.6), ("local", 0.35)):
        unknown = model("m", ability=None, tier=tier)
        assert counted_on(unknown) < figure
    assert (
        chosen(model("who", ability=None, tier="budget"), measured, wish=RoutingPolicy(quality=0.9)).model is measured
    )


def test_the_code_itself_can_ask_for_the_better_model() -> None:
    weak, strong = model("Qwen3-Max", (0.1, 0.5), None), model("claude-opus-4-6", (5, 25), None)
    assert counted_on(weak) < counted_on(strong)
    assert chosen(weak, strong).model is weak
    for_it = CodeSignal("fix", 0.8, (), {"qwen3-max": -0.2, "claude-opus-4-6": 0.2})
    assert chosen(weak, strong, gain=for_it).model is strong
    assert chosen(weak, strong, gain=CodeSignal("fix", 0.8, (), stake=30.0)).model is strong, "or be worth more"


def test_the_reason_is_one_line_with_figures() -> None:
    route = chosen(model("small", (0.1, 0.5), 0.60), model("big", (1, 5), 0.61))
    assert (
        route.reason == "small is good enough here; big would cost 10x for about 2 % more; fix rated moderate: 40 lines"
    )
    assert route.expected_cost is not None
    assert route.line == f"small, {money(route.expected_cost)}: {route.reason}"
    pinned = chosen(model("small", None), wish=RoutingPolicy(pin="p/small"))
    assert pinned.line == "small: small is pinned; fix rated moderate: 40 lines"
    assert chosen(model("only")).reason.startswith("no other model would do better; ")


@pytest.mark.parametrize(
    ("dear", "said"),
    [
        ((2, 10), "2.0x"),
        ((2.96, 14.8), "3.0x"),
        ((3, 15), "3x"),
        ((14.2, 71), "14x"),
    ],
)
def test_the_best_models_price_is_told_in_whole_numbers_from_three_on(dear: tuple[float, float], said: str) -> None:
    route = chosen(model("small", (1, 5), 0.6), model("best", dear, 0.7), wish=RoutingPolicy(quality=0.5))
    assert f"; best would cost {said} for about 17 % more; " in route.reason
    free = chosen(model("small", (0, 0), 0.6), model("best", dear, 0.7), wish=RoutingPolicy(quality=0.1))
    assert f"; best would cost {money(free.table[1].cost)} for about 17 % more; " in free.reason


def test_a_model_of_unknown_speed_is_taken_for_an_ordinary_one() -> None:
    plain = model("plain")
    for seconds, first in ((0.9, "other"), (1.1, "plain")):
        assert chosen(plain, model("other", seconds_to_first_token=seconds)).model.id == first
    for speed, first in ((70.0, "other"), (50.0, "plain")):
        assert chosen(plain, model("other", tokens_per_second=speed)).model.id == first


def test_one_that_is_only_as_good_is_no_better() -> None:
    route = chosen(model("first", (1, 5), 0.6), model("same", (2, 10), 0.6))
    assert better(route, route.model.name) is None
    above = chosen(model("first", (1, 5), 0.6), model("same", (2, 10), 0.6), model("more", (9, 45), 0.61))
    found = better(above, "p/first")
    assert found is not None
    assert found.model.id == "more"


def test_a_model_for_public_files_may_answer_about_one() -> None:
    assert chosen(model("a", public_only=True), private=False).model.id == "a"
    with pytest.raises(NoModel):
        chosen(model("a", public_only=True), private=True)


def test_a_better_model_is_found_for_a_second_try() -> None:
    small, middle, big = model("small", (0.1, 1), 0.5), model("middle", (1, 5), 0.6), model("big", (5, 25), 0.7)
    route = chosen(small, middle, big, wish=RoutingPolicy(quality=0.5))
    found = better(route, "p/small")
    assert found is not None
    assert found.model is middle
    assert better(route, "p/big") is None
    assert chosen(small, middle, big, wish=RoutingPolicy(quality=0.5, above="p/small")).model is middle
    with pytest.raises(NoModel, match="no better model than p/big"):
        chosen(small, middle, big, wish=RoutingPolicy(above="p/big"))


# The expected cost of the whole ladder


def test_a_better_model_that_may_not_be_asked_is_no_better_model() -> None:
    rows, wish = (model("small", (1, 5), 0.5), model("big", (9, 45), 0.9)), RoutingPolicy(above="p/small")
    assert chosen(*rows, wish=wish).model.id == "big"
    with pytest.raises(NoModel, match=r"^There is no better model than p/small that may be asked\."):
        chosen(*rows, wish=replace(wish, exclude=frozenset({"p/big"})))


def test_the_model_that_was_picked_is_the_first_and_the_better_ones_are_above_it() -> None:
    small, middle, other, big = (
        model(name, price, ability)
        for name, price, ability in (
            ("small", (0.1, 0.5), 0.3),
            ("middle", (1, 5), 0.5),
            ("other", (0.9, 4), 0.51),
            ("big", (5, 25), 0.6),
        )
    )
    table = (small, middle, other, big)
    for quality in (0.1, 0.5, 1.0):
        route = chosen(*table, wish=RoutingPolicy(quality=quality, above="p/small", only="p/middle"))
        assert route.model is middle
        assert route.spare == (), "no other one is asked instead"
        assert middle not in route.ladder[1:]
        assert route.ladder[1:] == (other, big)
        assert route.reason.startswith("middle was picked; ")
    # One that the router would never call better: the menu's word counts.
    assert chosen(*table, wish=RoutingPolicy(above="p/big", only="p/small")).model is small


@pytest.mark.parametrize(
    ("row", "wish", "why"),
    [
        (model("one", retires_on=date(2026, 11, 1)), USUAL, "retired on 2026-11-01"),
        (model("one"), RoutingPolicy(exclude=frozenset({"p/one"})), "excluded in the configuration"),
        (model("one", tier="premium"), RoutingPolicy(premium="never"), "premium models are switched off"),
        (model("one", price=None), USUAL, "its price is unknown"),
        (model("two"), USUAL, "it is not in the tier table"),
    ],
)
def test_a_picked_model_that_may_not_answer_is_no_reason_to_ask_another(
    row: Model, wish: RoutingPolicy, why: str
) -> None:
    with pytest.raises(NoEligibleModel) as failure:
        chosen(row, model("good", (0.1, 0.5), 0.9), wish=replace(wish, only="p/one"))
    assert failure.value.message.startswith(f"p/one may not answer now: {why}")
    assert failure.value.remedy == "Open the menu again: it shows who may."


def run(*models: Model, wish: RoutingPolicy = USUAL) -> Route:
    """Return the route of tests that are run, for models whose ability for a fix is that for tests."""
    rows = [replace(each, ability={"tests": each.ability["fix"]}) for each in models]
    return chosen(*rows, wish=wish, action=TESTS, check=RUN)


def test_the_climb_that_may_follow_is_in_the_price_of_tests_that_are_run_and_in_no_other() -> None:
    small, big = model("small", (0.1, 0.5), 0.5), model("big", (5, 25), 0.6)
    alone, both = run(small), run(small, big)
    assert both.model.id == "small"
    assert alone.expected_cost is not None
    expensive = both.table[1].cost
    assert expensive is not None
    fails = Decimal(repr(round(shipped().check(RUN).fails(0.5), 6)))
    assert fails > 0
    assert both.expected_cost == alone.expected_cost + fails * expensive
    unrun = chosen(small, big)
    assert unrun.expected_cost == unrun.table[0].cost == chosen(small).expected_cost


def test_a_climb_is_reckoned_to_the_cheapest_of_the_better_ones() -> None:
    small, next_up = model("small", (0.1, 0.5), 0.6), model("next", (1, 5), 0.61)
    best = model("best", (5, 25), 0.62)
    cheap, expensive = run(small, next_up).expected_cost, run(small, best).expected_cost
    assert run(best, next_up, small).expected_cost == cheap
    assert cheap is not None
    assert expensive is not None
    assert cheap < expensive


def test_tests_that_are_run_are_tried_at_the_cheapest_adequate_model_first() -> None:
    cheap, middle, best = model("cheap", (0.1, 0.5), 0.4), model("middle", (1, 5), 0.7), model("best", (2, 9), 0.95)
    route = run(best, middle, cheap)
    assert [each.id for each in route.ladder] == ["cheap", "middle", "best"]
    assert route.reason.startswith("cheap is tried first, and its tests are run; best would cost ")
    assert run(best, middle, replace(cheap, ability={"fix": 0.1})).model.id == "middle"
    assert run(best, middle, cheap, wish=RoutingPolicy(quality=1.0)).model.id == "best"


def test_every_check_is_of_an_action_or_of_a_run() -> None:
    checks = shipped().checks
    assert set(checks) == {"explain", "fix", "tests", "review", RUN}
    assert all(0 <= each.alarms <= each.finds <= 1 for each in checks.values())


def test_what_marks_write_is_expected_at_the_price_of_writing() -> None:
    rates = Rates(
        Decimal(1), Decimal(5), cache_read=Decimal("0.1"), cache_write=Decimal("1.25"), cache_write_1h=Decimal(2)
    )
    marked, plain = model("marked", ability=0.6, price=None), model("plain", (1.1, 5.5), 0.6)
    marked = replace(marked, price=Price(rates))
    answer = chosen(marked, prompt_tokens=0).expected_cost
    assert answer is not None

    def cost(**more: Any) -> Decimal:
        found = chosen(marked, prompt_tokens=20_000, **more).expected_cost
        assert found is not None
        return (found - answer) * 1_000_000

    assert cost() == 20_000
    assert cost(written={"p/marked": Usage(cache_write=18_000)}) == 18_000 * Decimal("1.25") + 2000
    assert cost(written={"p/marked": Usage(cache_write_1h=18_000)}) == 18_000 * 2 + 2000
    both = {"warm": {"p/marked": 15_000}, "written": {"p/marked": Usage(cache_write=3000)}}
    assert cost(**both) == 1500 + 3000 * Decimal("1.25") + 2000
    more_than_there_is = {"p/marked": Usage(cache_write=90_000, cache_write_1h=90_000)}
    assert cost(written=more_than_there_is) == 25_000
    assert chosen(marked, plain, prompt_tokens=20_000).model is marked
    assert chosen(marked, plain, prompt_tokens=20_000, written={"p/marked": Usage(cache_write=19_000)}).model is plain


def test_a_warm_dear_model_beats_a_cold_cheap_one() -> None:
    warm = Price(Rates(Decimal(3), Decimal(5), cache_read=Decimal("0.03")))
    dear, cheap = model("dear", ability=0.6), model("cheap", (1, 5), 0.6)
    dear = replace(dear, price=warm)
    assert chosen(dear, cheap, prompt_tokens=20_000).model is cheap
    assert chosen(dear, cheap, prompt_tokens=20_000, warm={"p/dear": 19_000}).model is dear
    lukewarm = chosen(dear, cheap, prompt_tokens=20_000, warm={"p/dear": 100})
    assert lukewarm.model is cheap
    more_than_there_is = chosen(dear, prompt_tokens=100, warm={"p/dear": 5000}).expected_cost
    assert more_than_there_is is not None
    assert more_than_there_is > 0


def test_prices_hold_for_the_prompts_size_and_the_hour() -> None:
    steep = replace(
        model("steep", (0.1, 0.5), 0.6),
        price=Price(Rates(Decimal("0.1"), Decimal("0.5")), (PriceTier(10_000, Rates(Decimal(9), Decimal(45))),)),
    )
    peak = Peak(frozenset(range(7)), time(9), time(17), Rates(Decimal(9), Decimal(45)))
    hourly = replace(steep, id="hourly", price=Price(Rates(Decimal("0.1"), Decimal("0.5")), peaks=(peak,)))
    even = model("even", (1, 5), 0.6)
    assert chosen(steep, even).model is steep
    assert chosen(steep, even, prompt_tokens=20_000).model is even
    assert chosen(hourly, even).model is even
    assert chosen(hourly, even, when=NOON.replace(hour=20)).model is hourly


def test_expected_answers_are_as_long_as_the_model_writes_them() -> None:
    """glm-5 was measured to think for long before it answers; kimi-k2.5 is brief."""
    brief, long = model("kimi-k2.5", (1, 5), 0.6), model("glm-5", (1, 5), 0.6)
    assert chosen(long, brief).model is brief


# What the person allows


def test_an_answer_may_be_three_times_the_usual_within_the_models_limits() -> None:
    usual = FIX.usual_output + round(FIX.echo * 300)
    roomy = allowance(model("a"), need(), shipped())
    assert roomy >= 3 * usual + 256
    thinks = replace(model("a"), effort=("high",))
    assert allowance(thinks, need(), shipped()) == roomy + THINKING
    silenced = replace(thinks, quirks=replace(thinks.quirks, thinking_off={"thinking": False}))
    assert allowance(silenced, need(), shipped()) == roomy
    assert allowance(replace(thinks, chosen_effort="high"), need(), shipped()) == roomy + THINKING
    assert allowance(replace(model("a"), max_output=900), need(), shipped()) == 900
    # The count of a prompt is an estimate, so a tenth more of it is kept free, and some.
    assert allowance(replace(model("a"), context=3000), need(), shipped()) == 3000 - 2200 - 16
    assert allowance(replace(model("a"), context=10), need(), shipped()) == FIX.least_output


def test_code_that_is_not_known_is_moderate() -> None:
    unknown = need(gain=CodeSignal("fix", None, ("no code",), usual=0.41)).difficulty
    assert (unknown.value, unknown.level, unknown.counts) == (0.5, "moderate", {})
    assert need().difficulty.value == 0.4


@pytest.mark.parametrize(("quality", "wanted"), [(0.97, THRIFTY), (0.5, 0.5)])
def test_a_budget_that_is_mostly_used_lowers_what_is_wanted(quality: float, wanted: float) -> None:
    assert RoutingPolicy(quality=quality).wanted == quality
    assert RoutingPolicy(quality=quality, thrifty=True).wanted == wanted


def test_premium_models_can_be_switched_off() -> None:
    top, small = model("top", (5, 25), 0.9, tier="premium"), model("small", (0.1, 0.5), 0.3)
    assert chosen(top, small).model is top
    assert chosen(top, small, wish=RoutingPolicy(premium="ask")).model is top
    never = chosen(top, small, wish=RoutingPolicy(premium="never"))
    assert never.model is small
    assert top not in never.ladder
    assert chosen(top, small, wish=RoutingPolicy(premium="never", pin="p/top")).model is top


def test_a_request_keeps_within_what_was_agreed_to() -> None:
    dear, cheap = model("dear", (50, 250), 0.9), model("cheap", (0.1, 0.5), 0.3)
    route = chosen(dear, cheap, wish=RoutingPolicy(within=Decimal("0.05")))
    assert route.model is cheap
    assert route.ladder == (cheap,)
    assert route.table[0].why_not.startswith("would cost about $")


def test_the_most_that_a_request_may_cost_is_never_passed() -> None:
    written = Price(Rates(Decimal(1), Decimal(5), cache_write=Decimal(2), thinking=Decimal(9)))
    row = replace(model("m"), price=written)
    asked = need()
    output = allowance(row, asked, shipped())
    assert bound(row, asked, output) == (2 * 2000 + 9 * Decimal(output)) / 1_000_000


def test_what_the_budget_leaves_must_pay_the_least_answer() -> None:
    dear, cheap = model("dear", (50, 250), 0.9), model("cheap", (0.1, 0.5), 0.3)
    assert chosen(dear, cheap, left=Decimal(1)).model is dear
    assert chosen(dear, cheap, left=Decimal("0.01")).model is cheap
    with pytest.raises(NoModel, match=r"the budget leaves \$0\.0000"):
        chosen(dear, cheap, left=Decimal(0))
    free = model("free", (0, 0), 0.1)
    assert chosen(dear, free, left=Decimal(0)).model is free
    with pytest.raises(NoModel, match="its price is unknown, and there is a budget"):
        chosen(model("dear", None), left=Decimal(1), wish=RoutingPolicy(pin="p/dear"))


def test_what_keeps_the_users_own_provider_from_answering_is_said_first() -> None:
    others = [model("a", provider="x"), model("b", provider="x"), model("c", provider="y"), model("d", provider="z")]
    ready = {"mine": "MINE_KEY is not set.", "x": "X_KEY is not set.", "y": "Y_KEY is not set.", "z": "none"}
    with pytest.raises(NoModel, match=r"No model may answer this: MINE_KEY is not set; X_KEY is not set; "):
        choose(need(), [*others, model("m", provider="mine")], ready, shipped(), RoutingPolicy(own=frozenset({"mine"})))


def test_what_could_be_asked_is_said_before_what_has_no_key() -> None:
    rows = [model(name, provider=name) for name in "abc"] + [model("m", provider="ready", context=1000)]
    ready = {name: f"{name.upper()}_KEY is not set." for name in "abc"}
    with pytest.raises(
        NoModel, match="this: the prompt of about 2000 tokens does not fit the longest context, of 1000; A_"
    ):
        choose(need(), rows, ready, shipped())


@pytest.mark.parametrize(
    ("row", "wish", "remedy"),
    [
        (model("m", context=1000), USUAL, "Select less code, or set the key of a provider with a longer context"),
        (model("m", max_output=10), USUAL, "Select less code, or name a model with a higher `max_output`."),
        (model("m"), RoutingPolicy(exclude=frozenset({"p/m"})), "Take a model out of `exclude`"),
        (model("m", tier="premium"), RoutingPolicy(premium="never"), 'Set premium = "ask"'),
        (model("m", None), USUAL, "State its price in config.toml, or pin it."),
        (model("m", (1e6, 1e6)), USUAL, "Raise the budget"),
        (model("m", retires_on=date(2026, 1, 1)), USUAL, "Name a model that is still served"),
        (model("m", provider="keyless"), USUAL, "Set a provider's key, or run `tuppence local install`"),
    ],
)
def test_what_to_do_about_it_fits_the_reason(row: Model, wish: RoutingPolicy, remedy: str) -> None:
    with pytest.raises(NoEligibleModel) as caught:
        choose(need(left=Decimal(1)), [row], {"keyless": "KEY is not set."}, shipped(), wish)
    assert caught.value.remedy.startswith(remedy)
    assert [each.model for each in caught.value.table] == [row]


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
alike = st.builds(
    model,
    st.text("abcdef", min_size=1, max_size=3),
    st.sampled_from([None, (0.01, 0.05), (0.1, 0.5), (1.0, 5.0), (1.05, 5.25), (100.0, 500.0), (0.0, 0.0)]),
    st.sampled_from([None, 0.5, 0.52, 0.55, 0.6, 0.61]),
    tier=st.sampled_from(["premium", "workhorse", "budget"]),
    retires_on=st.sampled_from([None, None, None, *(NOON.date() + timedelta(days=each) for each in (-1, 0, 1))]),
)
"""Rows of which several are good enough, many equal, and some a little worse than a cheaper one."""
tables = st.lists(st.one_of(rows, alike), min_size=1, max_size=8, unique_by=lambda row: row.id)


@settings(deadline=None)
@given(tables, st.floats(0.5, 1), st.floats(0.5, 1), st.floats(0, 1))
def test_more_quality_never_picks_a_worse_model(table: list[Model], one: float, other: float, hard: float) -> None:
    low, high = sorted((one, other))
    rated = CodeSignal("fix", hard, ())
    try:
        first = chosen(*table, wish=RoutingPolicy(quality=low), gain=rated)
    except NoModel:
        return
    assert chosen(*table, wish=RoutingPolicy(quality=high), gain=rated).quality >= first.quality


@settings(deadline=None)
@given(tables)
def test_only_the_eligible_are_picked_and_the_ladder_only_rises(table: list[Model]) -> None:
    try:
        route = chosen(*table)
    except NoModel:
        return
    for each in (*route.ladder, *route.spare):
        assert each.price is not None
        assert not each.retired(NOON.date())
    rises = [row.quality for each in route.ladder for row in route.table if row.model.name == each.name]
    assert len(rises) == len(route.ladder)
    assert all(before < after for before, after in pairwise(rises))


@settings(deadline=None)
@given(tables, st.integers(0, 7), st.floats(1, 3), st.floats(0.1, 1), st.sampled_from([0.01, 0.7, 0.92, 1.0]))
def test_a_dominated_model_changes_nothing(
    table: list[Model], which: int, dearer: float, worse: float, wanted: float
) -> None:
    """Whichever eligible row it is dominated by: dearer or worse or both, and neither better nor cheaper."""
    try:
        route = chosen(*table, wish=RoutingPolicy(quality=wanted))
    except NoModel:
        return
    fit = [each for each in route.table if not each.why_not]
    over = fit[which % len(fit)].model
    assert over.price is not None
    rates = Rates(*(figure * Decimal(repr(dearer)) for figure in (over.price.base.input, over.price.base.output)))
    quality = shipped().estimate(over, "fix").quality
    ability = {"fix": quality * worse}
    dominated = replace(over, id="zzzz", price=Price(rates), ability=ability, benchmarks={})
    if (dearer, worse) == (1, 1):
        return
    again = chosen(*table, dominated, wish=RoutingPolicy(quality=wanted))
    assert (again.model, again.ladder, again.expected_cost) == (route.model, route.ladder, route.expected_cost)
    assert again.best is route.best


@settings(deadline=None)
@given(tables, st.sampled_from([0.01, 0.7, 0.92, 1.0]))
def test_nobody_dominated_is_picked_or_in_the_ladder(table: list[Model], wanted: float) -> None:
    try:
        route = chosen(*table, wish=RoutingPolicy(quality=wanted))
    except NoModel:
        return
    fit = [each for each in route.table if not each.why_not]
    for each in route.ladder:
        mine = route.row(each.name)
        assert mine is not None
        assert mine.cost is not None
        for other in fit:
            assert other.cost is not None
            beats = other.quality >= mine.quality and other.cost <= mine.cost
            assert not beats or (other.quality, other.cost) == (mine.quality, mine.cost)


@settings(deadline=None)
@given(tables, st.integers(0, 7))
def test_an_unknown_price_is_never_free(table: list[Model], which: int) -> None:
    """Unpinned it is not asked; pinned it is, and neither it nor its ladder has a cost."""
    unknown = replace(table[which % len(table)], price=None, retires_on=None, context=128_000)
    rest = [each for each in table if each.id != unknown.id]
    try:
        route = chosen(*rest, unknown)
    except NoModel:
        route = chosen(*rest, unknown, model("other"))
    assert unknown not in (*route.ladder, *route.spare, route.best)
    row = route.row(unknown.name)
    assert row is not None
    assert row.cost is None
    pinned = chosen(*rest, unknown, wish=RoutingPolicy(pin=unknown.name))
    assert (pinned.model, pinned.expected_cost, pinned.ladder) == (unknown, None, (unknown,))
    with pytest.raises(NoModel, match="its price is unknown, and there is a budget"):
        chosen(*rest, unknown, wish=RoutingPolicy(pin=unknown.name), left=Decimal(1000))


@settings(deadline=None)
@given(tables, st.frozensets(st.sampled_from(["p", "q"])), st.one_of(st.none(), st.floats(0, 0.2)), st.floats(0.01, 1))
def test_nobody_is_picked_who_is_keyless_unaffordable_retired_or_of_unknown_price(
    table: list[Model], keyless: frozenset[str], left: float | None, wanted: float
) -> None:
    """Two providers, any of them without a key; any budget; any quality: who is picked may be asked and can be paid."""
    rows = [replace(each, provider=replace(each.provider, name="pq"[n % 2])) for n, each in enumerate(table)]
    asked = need(left=None if left is None else Decimal(repr(left)))
    try:
        route = choose(asked, rows, dict.fromkeys(keyless, "no key"), shipped(), RoutingPolicy(quality=wanted))
    except NoModel:
        return
    for each in (*route.ladder, *route.spare, route.best):
        assert each.provider.name not in keyless
        assert not each.retired(NOON.date())
        least = bound(each, asked, least_output(asked))
        assert least is not None
        assert asked.left is None or least <= asked.left


@settings(deadline=None)
@given(tables, st.sampled_from([0.3, 0.85, 0.9, 0.92, 0.99]))
def test_no_other_adequate_model_is_worth_more_for_its_cost(table: list[Model], wanted: float) -> None:
    try:
        route = chosen(*table, wish=RoutingPolicy(quality=wanted))
    except NoModel:
        return
    fit = [each for each in route.table if not each.why_not]
    bar = shipped().bar("fix", wanted)
    first = route.row(route.model.name)
    assert first is not None
    if all(each.quality < bar.floor for each in fit):
        assert first.quality == max(each.quality for each in fit)
        return
    assert first.quality >= bar.floor

    def value(row: Candidate) -> Fraction:
        assert row.cost is not None
        assert bar.worth is not None
        return Fraction(row.quality) - Fraction(row.cost) / bar.worth

    assert value(first) == max(value(each) for each in fit if each.quality >= bar.floor)


@settings(deadline=None)
@given(table=tables, other=rows, wanted=st.sampled_from([0.01, 0.5, 0.85, 0.92, 0.97]), plain=st.booleans())
def test_a_model_that_is_not_picked_makes_no_request_dearer(
    table: list[Model], other: Model, wanted: float, *, plain: bool
) -> None:
    rated = CodeSignal("fix", 0.4, (), plain=plain)
    try:
        before = chosen(*table, wish=RoutingPolicy(quality=wanted), gain=rated)
    except NoModel:
        return
    added = replace(other, id="zzzz")
    after = chosen(*table, added, wish=RoutingPolicy(quality=wanted), gain=rated)
    assert before.expected_cost is not None
    assert after.expected_cost is not None
    assert after.model is added or after.expected_cost <= before.expected_cost
    assert plain or after.model in (before.model, added)


class Stated(QualityModel):
    """What was measured, but for the quality and the doubt of a model, which its row states as its figures."""

    def estimate(self, model: Model, *_: object) -> Estimate:
        return Estimate(model.benchmarks["quality"], model.benchmarks["doubt"], "stated")


STATED = Stated(*(getattr(shipped(), each.name) for each in fields(QualityModel)))
doubted = st.lists(
    st.builds(
        lambda name, price, quality, doubt: model(name, price, benchmarks={"quality": quality, "doubt": doubt}),
        st.text("abcdef", min_size=1, max_size=3),
        st.one_of(st.tuples(st.floats(0, 20), st.floats(0, 90)), st.sampled_from([(0.1, 0.5), (1.0, 5.0)])),
        st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 0.55, 0.6])),
        st.one_of(st.floats(0, 0.3), st.sampled_from([0.0, 0.01, 0.06])),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda row: row.id,
)
"""Rows of any quality and any doubt."""
wishes = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.8, 0.92, 1.0]))


def stated(table: list[Model], wanted: float) -> Route:
    return choose(need(), table, {}, STATED, RoutingPolicy(quality=wanted))


@settings(deadline=None, max_examples=300)
@given(doubted, wishes, wishes)
def test_more_quality_never_picks_a_worse_model_whatever_is_doubted(
    table: list[Model], one: float, other: float
) -> None:
    low, high = (stated(table, each) for each in sorted((one, other)))
    assert high.quality >= low.quality


@settings(deadline=None, max_examples=300)
@given(doubted, st.integers(0, 5), st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(1, 3)), wishes)
def test_what_is_worse_more_doubtful_and_dearer_changes_nothing(
    table: list[Model], which: int, by: tuple[float, float, float], wanted: float
) -> None:
    """Each by nothing or by something, but not by so little that it cannot be told from nothing."""
    route, over = stated(table, wanted), table[which % len(table)]
    assert over.price is not None
    worse, doubt, dearer = (round(each, 3) for each in by)
    base = over.price.base
    rates = Rates(*(figure * Decimal(repr(dearer)) for figure in (base.input, base.output)))
    quality = over.benchmarks["quality"]
    figures = {"quality": quality - worse, "doubt": over.benchmarks["doubt"] + doubt}
    if (figures, rates) == (over.benchmarks, base):
        return
    dominated = replace(over, id="zzzz", price=Price(rates), benchmarks=figures)
    again = stated([*table, dominated], wanted)
    assert (again.model, again.ladder, again.expected_cost) == (route.model, route.ladder, route.expected_cost)
    assert (again.best, again.quality) == (route.best, route.quality)


def test_doubt_breaks_a_tie_and_decides_nothing_else() -> None:
    sure, doubtful = (
        model(name, (1, 5), benchmarks={"quality": 0.6, "doubt": doubt}) for name, doubt in (("z", 0.01), ("a", 0.2))
    )
    for table in ([sure, doubtful], [doubtful, sure]):
        assert stated(table, 0.92).model is sure
    better_by_little = replace(doubtful, benchmarks={"quality": 0.601, "doubt": 0.2})
    assert stated([sure, better_by_little], 0.92).model is better_by_little


def test_models_are_compared_by_the_quality_that_is_expected() -> None:
    rows = [model(name, (1, 5), None) for name in (*shipped().models, "new")]
    for action in (EXPLAIN, FIX, TESTS):
        table = chosen(*rows, action=action, gain=CodeSignal(action.id, None, ())).table
        assert [each.quality for each in table] == [each.estimate.quality for each in table]


def test_a_model_is_not_chosen_for_the_cheap_climb_from_it() -> None:
    """From the beaten one a climb would be cheap, from the one that beats it dear: that makes it no better."""
    first, top = model("first", (1, 5), 0.6), model("top", (200, 900), 0.61)
    beaten = model("beaten", (1.02, 5.1), 0.594)
    assert chosen(first, top).model is first
    assert chosen(first, top, beaten).model is first
    assert beaten in chosen(first, top, beaten).spare


@settings(deadline=None)
@given(tables)
def test_the_order_of_the_table_decides_nothing(table: list[Model]) -> None:
    try:
        route = chosen(*table)
    except NoModel:
        return
    again = chosen(*table[::-1])
    assert (again.model, again.ladder, again.expected_cost) == (route.model, route.ladder, route.expected_cost)
