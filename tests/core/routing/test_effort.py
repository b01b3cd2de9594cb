"""Effort is a dimension of the choice where a row says what it is worth: chosen, priced, sent, climbed to, shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scenario import FIXED, GOOD, SRC, lines
from scripted_provider import answer
from server import pick, stage
from tests.core.routing.test_router import chosen, model, need

from tuppence.config.shipped import shipped
from tuppence.core.models.model import Effort, Model, Quirks
from tuppence.core.models.pricing import Rates
from tuppence.core.routing.candidates import RoutingPolicy, allowance
from tuppence.core.routing.router import better

OFF, HIGH = {"reasoning_effort": "none"}, {"reasoning_effort": "high"}
CONFIG = """
[providers.mine]
wire = "{wire}"
base_url = "{base}"
[[models]]
id = "thinker"
provider = "mine"
tier = "workhorse"
price = {{ input = 1, output = 5 }}
context = 128000
max_output = 16000
ability = {{ fix = 0.6 }}
quirks = {{ thinking_off = {{ reasoning_effort = "none" }} }}
effort = ["none", "high"]
at_effort = {{ high = {{ send = {{ reasoning_effort = "high" }}, thinking = 3000, ability = {{ fix = 0.7 }} }} }}
"""


def thinker(**more: Any) -> Model:
    return replace(
        model("thinker", (1, 5), 0.6, effort=("none", "high")),
        quirks=Quirks(thinking_off=OFF),
        at_effort={"high": Effort(HIGH, {"fix": 0.7}, 3000)},
        **more,
    )


def test_the_effort_is_chosen_that_is_good_enough() -> None:
    low, high = chosen(thinker(), wish=RoutingPolicy(quality=0.8)), chosen(thinker(), wish=RoutingPolicy(quality=1.0))
    assert (low.model.name, low.model.quirks.thinking_off) == ("p/thinker", OFF)
    assert (high.model.name, high.model.quirks.thinking_off) == ("p/thinker@high", HIGH)
    assert [each.name for each in low.ladder] == ["p/thinker", "p/thinker@high"]
    assert high.line.startswith("thinker at high effort, $0.0")


def test_thinking_is_in_the_price() -> None:
    table = {each.model.name: each for each in chosen(thinker()).table}
    usual, hard = table["p/thinker"].cost, table["p/thinker@high"].cost
    assert usual is not None
    assert hard is not None
    price = thinker().price
    assert price is not None
    rates: Rates = price.base
    assert hard - usual == 3000 * rates.output / 1_000_000
    hardest = table["p/thinker@high"].model
    assert allowance(hardest, need(), shipped()) > allowance(thinker(), need(), shipped()) + 3000


def test_another_model_may_be_the_cheaper_way_to_the_same_quality() -> None:
    able = model("able", (1.2, 6), 0.7)
    assert chosen(thinker(), able, wish=RoutingPolicy(quality=1.0)).model is able


@pytest.mark.parametrize("name", ["p/thinker", "p/thinker@high"])
def test_a_row_is_pinned_or_excluded_with_all_its_efforts(name: str) -> None:
    other = model("other", (0.1, 0.5), 0.9)
    assert chosen(thinker(), other, wish=RoutingPolicy(pin="p/thinker", quality=1.0)).model.name == "p/thinker@high"
    assert chosen(thinker(), other, wish=RoutingPolicy(pin="p/thinker", quality=0.5)).model.name == "p/thinker"
    left = chosen(thinker(), model("other", (50, 250), 0.3), wish=RoutingPolicy(exclude=frozenset({name}), quality=0.1))
    assert left.model.name == ("p/other" if name == "p/thinker" else "p/thinker")


def test_the_same_model_at_more_effort_is_a_better_one() -> None:
    route = chosen(thinker(), wish=RoutingPolicy(quality=0.5))
    found = better(route, "p/thinker")
    assert found is not None
    assert found.model.name == "p/thinker@high"


@pytest.mark.parametrize("quality", [0.5, 0.8, 0.92, 1.0])
@pytest.mark.parametrize("name", ["glm-5", "new", "thinker"])
def test_less_thinking_of_unknown_worth_is_not_as_good_for_less(quality: float, name: str) -> None:
    """glm-5 was measured thinking for long; what it is worth without nobody stated."""
    row = model(name, (1, 5), 0.6 if name == "thinker" else None, effort=("low", "high"))
    row = replace(row, at_effort={"low": Effort({"reasoning_effort": "low"}, {"explain": 0.5}, 10)})
    usual, low = chosen(row, wish=RoutingPolicy(quality=quality)).table
    assert low.quality < usual.quality - 0.05
    assert low.estimate.quality == usual.estimate.quality
    assert low.estimate.source == f"{usual.estimate.source}, at another effort"
    assert chosen(row, wish=RoutingPolicy(quality=1.0)).model.name == f"p/{name}"


def test_a_row_that_states_no_effort_has_no_variants() -> None:
    plain = model("plain", effort=("low", "high"))
    assert plain.variants() == (plain,)


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_the_climb_asks_the_same_model_to_think(tmp_path: Path, wire: str) -> None:
    async with stage(tmp_path, config=CONFIG, wire=wire, extra="quality = 0.8\n") as s:
        s.upstream.script(answer("I can't."), answer(GOOD))
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == FIXED
        assert [each.body["reasoning_effort"] for each in s.upstream.requests] == ["none", "high"]
        assert [each.body["model"] for each in s.upstream.requests] == ["thinker", "thinker"]
        assert [(each.model, each.outcome) for each in s.entries()] == [
            ("thinker", "failed check"),
            ("thinker", "kept"),
        ]
        assert any(line.startswith("thinker at high effort: asked after thinker, ") for line in lines(s))
        assert any(line.startswith("Asking thinker at high effort") for line in lines(s))
