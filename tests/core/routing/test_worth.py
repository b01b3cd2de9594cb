"""What a better answer is worth: it rises with what is wanted, and little is worth paying for a few plain lines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.routing.test_router import chosen, tables

from tuppence.config import builtin
from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS
from tuppence.core.models.model import Model
from tuppence.core.models.usage import estimate
from tuppence.core.routing.candidates import RoutingPolicy, RoutingRequest
from tuppence.core.routing.quality import CodeSignal
from tuppence.core.routing.router import choose
from tuppence.core.routing.worth import is_plain
from tuppence.errors import NoModel

WHEN = datetime(2026, 12, 1, 12, tzinfo=UTC)
PLAIN = {
    "python": "for x in items:\n    total += x\n    count += 1\n",
    "go": "func (u *User) Name() string {\n\treturn u.name\n}\n",
    "java": "public int getSize() {\n    return size;\n}\n",
    "javascript": "function add(a, b) {\n  return a + b;\n}\n",
    "rust": "fn len(&self) -> usize {\n    self.items.len()\n}\n",
}


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([each.id for each in ACTIONS]))
def test_the_floor_and_the_worth_rise_with_what_is_wanted(one: float, other: float, action: str) -> None:
    low, high = (shipped().bar(action, each) for each in sorted((one, other)))
    assert low.floor <= high.floor + 1e-12
    assert high.worth is None or (low.worth is not None and float(low.worth) <= float(high.worth) * (1 + 1e-12))


@pytest.mark.parametrize("language", PLAIN)
def test_a_few_plain_lines_cost_less_than_a_third_of_a_cent_and_ask_no_premium_model(language: str) -> None:
    code = PLAIN[language]
    for action in ACTIONS:
        gain = shipped().gain(action.id, language, code)
        assert gain.plain
        target = estimate(code)
        need = RoutingRequest(action=action, gain=gain, prompt_tokens=2500 + target, target_tokens=target, when=WHEN)
        route = choose(need, builtin().models, {}, shipped(), RoutingPolicy())
        assert route.model.tier != "premium"
        assert route.expected_cost is not None
        assert float(route.expected_cost) < 0.01 / 3


@settings(deadline=None)
@given(tables, st.floats(0, 0.99))
def test_a_few_plain_lines_never_ask_the_top_tier_while_another_one_is_adequate_and_not_beaten(
    table: list[Model], wanted: float
) -> None:
    try:
        route = chosen(*table, wish=RoutingPolicy(quality=wanted), gain=CodeSignal("fix", 0.2, (), plain=True))
    except NoModel:
        return
    if route.model.tier == "premium":
        fit = [each for each in route.table if not each.why_not and route.weighing.adequate(each)]
        lower = [each for each in fit if each.model.tier != "premium"]
        assert all(
            any(o.quality >= e.quality and (o.cost or 0) <= (e.cost or 0) for o in fit if o is not e) for e in lower
        )


@pytest.mark.parametrize(
    ("code", "counts", "plain"),
    [
        ("a\nb\nc\nd\n}", {}, True),
        ("a\nb\nc\nd\ne", {}, False),
        ("a" * 131, {}, False),
        ("a", {"loops": 1, "depth": 1}, True),
        ("a", {"loops": 1, "branches": 1}, False),
        ("a", {"depth": 2}, False),
        ("a", {"closures": 1}, False),
    ],
)
def test_what_a_few_plain_lines_are(code: str, counts: dict[str, int], *, plain: bool) -> None:
    assert is_plain(code, counts) is plain


@pytest.mark.parametrize("action", [each.id for each in ACTIONS])
def test_no_successor_of_the_built_in_table_is_rated_below_its_predecessor(action: str) -> None:
    pairs = [(each, each.predecessor) for each in builtin().models if each.predecessor is not None]
    assert pairs
    for model, former in pairs:
        assert shipped().estimate(model, action).quality >= shipped().estimate(former, action).quality
