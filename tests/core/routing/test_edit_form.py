"""Blocks are asked for where they are expected to cost less, malformed ones included; the whole of it otherwise."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.core.routing.test_router import chosen, model, need

from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS, FIX
from tuppence.core.models.model import Model, Quirks
from tuppence.core.models.pricing import Price, Rates, cost
from tuppence.core.models.usage import estimate
from tuppence.core.prompt.edit_blocks import BLOCKS
from tuppence.core.routing.candidates import Candidate, RoutingPolicy, allowance, bound, least_output, usage
from tuppence.core.routing.edit_form import block_tokens, whole_tokens
from tuppence.core.routing.planner import pair
from tuppence.core.routing.router import above

CROSSOVER = 138
"""Tokens of a target from which on blocks are the shorter answer, as ``python -m benchmarks.edit_form`` prints it."""
LONG = 2000
lengths = st.integers(0, 14_000)
adherences = st.floats(0.001, 1)
prices = st.tuples(st.floats(0, 20).map(lambda x: round(x, 3)), st.floats(0, 100).map(lambda x: round(x, 3)))


def writer(adherence: float = 0.97, name: str = "writer", price: tuple[float, float] = (1, 5), **more: Any) -> Model:
    """Return a row of a model that may be asked for blocks."""
    return model(name, price, more.pop("ability", 0.6), edit="blocks", edit_adherence=adherence, **more)


def row(*models: Model, wish: RoutingPolicy | None = None, **more: Any) -> Candidate:
    """Return the first model's row in the table of all of them."""
    found = chosen(*models, wish=wish or RoutingPolicy(quality=0.01), **more).row(models[0].name)
    assert found is not None
    return found


def form(*models: Model, target: int | None, **more: Any) -> str:
    return row(*models, target_tokens=target, **more).edit


def test_a_long_target_is_edited_in_blocks_and_a_short_one_whole() -> None:
    assert form(writer(), target=60) == "whole"
    assert form(writer(), target=CROSSOVER) == "whole"
    assert form(writer(), target=LONG) == "blocks"


def test_where_the_two_are_of_one_length_is_where_it_was_measured() -> None:
    assert whole_tokens(CROSSOVER - 2) < block_tokens(CROSSOVER - 2)
    assert whole_tokens(CROSSOVER + 2) > block_tokens(CROSSOVER + 2)


@given(st.integers(0, CROSSOVER - 1), adherences, prices)
def test_never_blocks_where_they_are_the_longer_answer(
    target: int, adherence: float, price: tuple[float, float]
) -> None:
    assert form(writer(adherence, price=price), target=target) == "whole"


@given(lengths, lengths, adherences, st.sampled_from(["writer", "kimi-k2.5", "qwen3-max", "glm-5"]))
def test_a_longer_target_is_not_edited_whole_where_a_shorter_one_is_not(
    one: int, other: int, adherence: float, name: str
) -> None:
    short, long = sorted((one, other))
    asked = writer(adherence, name)
    assert form(asked, target=short) == "whole" or form(asked, target=long) == "blocks"


@given(lengths, adherences, adherences, prices, prices)
def test_more_adherence_never_takes_blocks_away(
    target: int, one: float, other: float, price: tuple[float, float], dear: tuple[float, float]
) -> None:
    low, high = sorted((one, other))
    better = model("better", dear, 0.9)
    assert form(writer(low, price=price), better, target=target) == "whole" or (
        form(writer(high, price=price), better, target=target) == "blocks"
    )


def test_no_adherence_to_speak_of_is_no_reason_for_blocks() -> None:
    assert form(writer(0.02), target=LONG) == "whole"


def test_what_is_asked_after_a_malformed_answer_counts() -> None:
    """With a much more expensive model above, one malformed answer in ten costs more than the nine others save."""
    near, far = model("better", (1.5, 6), 0.7), model("better", (40, 400), 0.7)
    assert form(writer(0.9), near, target=LONG) == "blocks"
    assert form(writer(0.9), far, target=LONG) == "whole"
    assert form(writer(0.999), far, target=LONG) == "blocks"


def test_a_better_model_that_may_not_answer_is_not_what_is_asked() -> None:
    far = model("better", (40, 400), 0.7)
    wish = RoutingPolicy(quality=0.01, exclude=frozenset({far.name}))
    assert form(writer(0.9), far, target=LONG, wish=wish) == "blocks"


@pytest.mark.parametrize("action", [action for action in ACTIONS if action.shape != "replacement"])
def test_only_a_replacement_is_edited_in_blocks(action: Any) -> None:
    assert form(writer(1.0), target=LONG, action=action) == "whole"


@pytest.mark.parametrize(
    "asked",
    [
        model("whole", ability=0.6),
        model("measured, not asked for", ability=0.6, edit_adherence=1.0),
        writer(1.0, quirks=Quirks(brief=True)),
        writer(1.0, price=(0, 0)),
        replace(writer(1.0), price=None),
    ],
    ids=["says nothing", "says whole", "brief", "free", "of unknown price"],
)
def test_who_is_never_asked_for_blocks(asked: Model) -> None:
    assert form(asked, target=LONG, wish=RoutingPolicy(pin=asked.name)) == "whole"


@pytest.mark.parametrize("more", [{"target_tokens": None}, {"target_tokens": LONG, "takes_blocks": False}])
def test_a_target_that_is_not_known_or_holds_marks_is_edited_whole(more: dict[str, Any]) -> None:
    assert row(writer(1.0), **more).edit == "whole"


def test_the_route_counts_the_shorter_answer_and_those_that_are_malformed() -> None:
    better = model("better", (2, 10), 0.8)
    blocks = row(writer(0.9), better, target_tokens=LONG)
    whole = row(model("writer", (1, 5), 0.6), better, target_tokens=LONG)
    assert (blocks.edit, whole.edit) == ("blocks", "whole")
    usual = usage(writer(), need(target_tokens=LONG), shipped())
    assert whole_tokens(LONG) > usual.output > block_tokens(LONG), "what was measured grows with the root of the length"
    asked = replace(usual, fresh=usual.fresh + estimate(BLOCKS), output=block_tokens(LONG))
    price = writer().price
    assert price is not None
    assert blocks.cost == cost(asked, price, need().when)
    assert whole.cost == cost(usual, price, need().when)
    assert blocks.fails == pytest.approx(1 - 0.9 * (1 - whole.fails))
    route = chosen(writer(0.9), better, wish=RoutingPolicy(quality=0.01), target_tokens=LONG)
    assert route.expected_cost == blocks.cost


def test_what_a_model_writes_beside_the_code_it_writes_in_either_form() -> None:
    """qwen3-max was measured to write three times as much as the code that it was shown."""
    target = 200
    asked = writer(1.0, "qwen3-max", price=(0.1, 50))
    blocks, usual = row(asked, target_tokens=target), usage(asked, need(target_tokens=target), shipped())
    assert blocks.edit == "blocks"
    output = usual.output - whole_tokens(target) + block_tokens(target)
    assert asked.price is not None
    expected = replace(usual, fresh=usual.fresh + estimate(BLOCKS), output=output)
    assert blocks.cost == cost(expected, asked.price, need().when)


def test_shorter_answers_can_make_the_dearer_model_the_cheaper_choice() -> None:
    cheap, dear = model("cheap", (1, 5), 0.6), writer(1.0, "dear", price=(1, 8))
    assert chosen(cheap, dear, target_tokens=60).model.id == "cheap"
    assert chosen(cheap, dear, target_tokens=LONG).model.id == "dear"
    assert chosen(cheap, replace(dear, edit="whole"), target_tokens=LONG).model.id == "cheap"


@given(st.integers(0, 100_000), adherences, prices, st.sampled_from(["writer", "kimi-k2.5", "qwen3-max"]))
@example(50_000, 1.0, (1, 5), "kimi-k2.5")
def test_blocks_never_make_an_answer_dearer_but_for_the_words_that_ask(
    target: int, adherence: float, price: tuple[float, float], name: str
) -> None:
    """kimi-k2.5 was measured to write so little that in a very long target even blocks are expected to be longer."""
    asked = writer(adherence, name, price=price, context=1_000_000, max_output=200_000)
    formed, plain = row(asked, target_tokens=target), row(replace(asked, edit="whole"), target_tokens=target)
    assert formed.cost is not None
    assert plain.cost is not None
    assert formed.cost <= plain.cost + Decimal(repr(price[0])) * estimate(BLOCKS) / 1_000_000
    assert formed.fails >= plain.fails


def test_the_best_model_can_be_malformed_too() -> None:
    """Its quality becomes the one that others are measured by; its chance to fail must not lose the form."""
    best = row(writer(0.9, ability=0.9), model("worse", ability=0.5), target_tokens=LONG)
    assert best.edit == "blocks"
    assert best.fails > 0.1


def test_what_was_agreed_to_is_held_against_the_form_that_is_asked_for() -> None:
    asked = writer(1.0)
    blocks, whole = row(asked, target_tokens=LONG).cost, row(replace(asked, edit="whole"), target_tokens=LONG).cost
    assert blocks is not None
    assert whole is not None
    wish = RoutingPolicy(quality=0.01, within=(blocks + whole) / 2)
    free = model("free", (0, 0), 0.1)
    route = chosen(asked, free, replace(asked, id="plain", edit="whole"), wish=wish, target_tokens=LONG)
    why = {each.model.id: each.why_not for each in route.table}
    assert why["writer"] == why["free"] == ""
    assert why["plain"] == "would cost about $0.01, more than was agreed to"


def test_a_budget_that_pays_only_a_whole_answer_s_prompt_gets_that() -> None:
    asked = writer(1.0)
    least = bound(asked, need(target_tokens=LONG), least_output(need(target_tokens=LONG)))
    assert least is not None
    assert row(asked, target_tokens=LONG, left=least).edit == "whole"
    assert row(asked, target_tokens=LONG, left=least + Decimal("0.001")).edit == "blocks"


def test_there_is_room_for_a_whole_answer_all_the_same() -> None:
    wants = need(target_tokens=LONG)
    assert allowance(writer(1.0), wants, shipped()) == allowance(model("writer"), wants, shipped()) > whole_tokens(LONG)


def test_a_pair_counts_what_its_carrier_writes() -> None:
    middle, strong = model("middle", (3, 50), 0.61), model("strong", (1, 100), 0.9)
    totals = []
    for adherence in (1.0, 0.9):
        wish, more = RoutingPolicy(), {"target_tokens": LONG}
        carrier = writer(adherence, "weak", price=(0.1, 30), ability=0.4)
        route = chosen(carrier, middle, strong, wish=wish, **more)
        alone = route.row("p/middle")
        assert alone is not None
        found = pair(replace(route, model=middle, expected_cost=alone.cost), need(**more), shipped())
        assert found is not None
        assert alone.cost is not None
        row_of_carrier = route.row("p/weak")
        assert row_of_carrier is not None
        assert row_of_carrier.cost is not None
        totals.append(found.cost - row_of_carrier.cost)
    assert totals[0] == totals[1] > 0, "the plan, and no climb"


def test_the_ladder_above_is_priced_in_its_own_form() -> None:
    first = model("first", (0.5, 2), 0.5)
    rungs = [writer(1.0, "blocks", price=(1, 6)), model("whole", (1, 5), 0.55)]
    table = chosen(first, *rungs, wish=RoutingPolicy(quality=0.5), target_tokens=LONG).table
    assert [each.model.id for each in above(table[0], table)] == ["blocks"], "the other is dearer and no better"


def test_a_price_by_hour_or_size_decides_too() -> None:
    """Where output costs next to nothing, the words that ask for blocks cost more than the blocks save."""
    dear_prompt = replace(writer(1.0), price=Price(Rates(Decimal(50), Decimal("0.1"))))
    assert form(dear_prompt, target=LONG) == "whole"
    assert FIX.shape == "replacement"
