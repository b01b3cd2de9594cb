"""A strong model plans what a cheaper one carries out: only where the user wants it and both cost less than one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from scenario import lines, messages
from scripted_provider import answer, error
from server import Stage, pick, stage
from tests.core.routing.test_router import chosen, model, need, tables

from tuppence.config.shipped import shipped
from tuppence.core.actions import TESTS
from tuppence.core.models.model import Model, Quirks
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.candidates import THINKING, RoutingPolicy, RoutingRequest, thoughts, usage
from tuppence.core.routing.planner import LONGEST, SHORT, pair, paired, to_plan, with_plan
from tuppence.core.routing.router import Route
from tuppence.errors import NoModel

ROW = """
[[models]]
id = "{id}"
provider = "mine"
tier = "workhorse"
price = {{{{ input = {input}, output = {output} }}}}
context = 128000
max_output = 16000
ability = {{{{ fix = {fix} }}}}
"""
HEAD = '[providers.mine]\nwire = "{wire}"\nbase_url = "{base}"\n'
TRIO = HEAD + "".join(
    ROW.format(id=name, input=rates[0], output=rates[1], fix=fix)
    for name, rates, fix in (("weak", (0.1, 0.5), 0.46), ("middle", (3, 50), 0.61), ("strong", (1, 100), 0.77))
)
"""The strong one is dear by its answers alone, so a short plan of it costs little."""
SRC = (
    "def mean(xs):\n    check(0, xs)\n"
    + "".join(f"    xs.check({n}, xs)\n" for n in range(80))
    + "    return sum(xs) / len(x)\n"
)
"""Long enough for a long answer."""
FIXED = SRC.replace("len(x)", "len(xs)")
GOOD = f"```python\n{FIXED}```"
PLAN = "Divide by the number of xs, which is what the parameter is called."


def table(**more: object) -> tuple[RoutingRequest, Route]:
    rows: tuple[Model, ...] = (
        model("weak", (0.1, 0.5), 0.4),
        model("middle", (3, 50), 0.61),
        model("strong", (1, 100), 0.9),
    )
    asked = need(**more)
    return asked, chosen(*rows, wish=RoutingPolicy(quality=0.92), **more)


def test_a_pair_is_as_good_as_the_one_and_cheaper() -> None:
    asked, route = table()
    assert route.model.id == "middle"
    found = pair(route, asked, shipped())
    assert found is not None
    assert (found.planner.id, found.carrier.id) == ("strong", "weak")
    row = route.row("p/middle")
    assert row is not None
    assert row.cost is not None
    assert found.quality >= row.quality
    assert found.cost < row.cost
    told = paired(route, found)
    assert (told.model.id, told.ladder[:2]) == ("weak", (found.carrier, route.model))
    assert told.reason.endswith("; strong plans it")


def test_nobody_pairs_with_a_model_that_may_not_answer_or_is_too_small_for_a_plan() -> None:
    rows = (model("weak", (0.1, 0.5), 0.4), model("middle", (3, 50), 0.61), model("strong", (1, 100), 0.9))
    route = chosen(*rows, wish=RoutingPolicy(quality=0.92, exclude=frozenset({"p/strong"})))
    assert route.model.id == "middle"
    assert pair(route, need(), shipped()) is None
    small = replace(rows[0], quirks=Quirks(brief=True))
    assert pair(chosen(small, *rows[1:], wish=RoutingPolicy(quality=0.92)), need(), shipped()) is None


def test_a_pinned_model_of_an_unknown_price_has_no_pair() -> None:
    rows = (model("weak", (0.1, 0.5), 0.4), replace(model("strong", (1, 100), 0.9), price=None))
    route = chosen(*rows, wish=RoutingPolicy(pin="p/strong"))
    assert (route.model.id, route.expected_cost) == ("strong", None)
    assert pair(route, need(), shipped()) is None


def test_nobody_pairs_where_the_prompt_is_most_of_the_price() -> None:
    asked, route = table(prompt_tokens=80_000)
    assert pair(route, asked, shipped()) is None


def test_the_plan_s_own_thinking_is_in_the_price() -> None:
    """The planner was measured to think for long before it answers, and is paid for that when it plans too."""
    rows = (model("weak", (0.1, 0.5), 0.4), model("middle", (3, 50), 0.61))
    found = {}
    for name in ("strong", "glm-5"):
        route = chosen(*rows, model(name, (1, 20), 0.9), wish=RoutingPolicy(quality=0.92))
        assert route.model.id in ("middle", name)
        first = next(row for row in route.table if row.model.id == "middle")
        route = replace(route, model=first.model, expected_cost=first.cost)
        found[name] = pair(route, need(), shipped())
    plain, thinks = found["strong"], found["glm-5"]
    assert plain is not None
    weak, middle = (chosen(row).table[0] for row in rows)
    assert weak.cost is not None
    assert middle.cost is not None
    plan = (2000 * Decimal(1) + SHORT * Decimal(20)) / 1_000_000
    assert plain.cost == plan + weak.cost + SHORT * Decimal("0.1") / 1_000_000
    thinking = usage(model("glm-5"), need(), shipped()).thinking
    assert thinking > 1000
    more = thinking * Decimal(20) / 1_000_000
    assert thinks is None or thinks.cost == plain.cost + more
    assert (thinks is None) == (plain.cost + more >= middle.cost)


def test_a_planner_that_thinks_has_room_for_its_thoughts() -> None:
    thinker = replace(model("thinker"), effort=("high",))
    assert thoughts(model("plain"), need(), shipped()) == 0
    assert thoughts(thinker, need(), shipped()) == THINKING
    usual = usage(model("glm-5"), need(), shipped()).thinking
    assert thoughts(model("glm-5"), need(), shipped()) == 2 * usual


async def test_the_planner_s_thoughts_are_no_part_of_the_plan_s_room(tmp_path: Path) -> None:
    thinks = TRIO.replace('id = "strong"', 'id = "strong"\neffort = ["high"]')
    async with stage(tmp_path, config=thinks, extra="quality = 0.92\npair_above = 0\nask_above = 9\n") as s:
        s.upstream.script(answer(PLAN), answer(GOOD))
        assert await fix(s) == FIXED
        assert s.upstream.requests[0].body["model"] == "strong"
        assert s.upstream.requests[0].body["max_tokens"] == LONGEST + THINKING


@given(tables)
def test_a_pair_never_costs_more_or_promises_less(rows: list[Model]) -> None:
    try:
        route = chosen(*rows, wish=RoutingPolicy(quality=0.7), action=TESTS)
    except NoModel:
        return
    found = pair(route, need(action=TESTS), shipped())
    alone = route.row(route.model.name)
    assert alone is not None
    if found is None:
        return
    assert route.expected_cost is not None
    assert found.cost < route.expected_cost
    assert found.quality >= alone.quality
    assert found.planner != found.carrier
    assert not [row for row in route.table if row.why_not and row.model in (found.planner, found.carrier)]


def test_what_requests_share_stays_the_same_bytes() -> None:
    prompt = Prompt("system", ("file",), "tail", 4000)
    for changed in (to_plan(prompt, 0), with_plan(prompt, PLAN)):
        assert (changed.system, changed.shared) == (prompt.system, prompt.shared)
        assert changed.tail.startswith("tail\n\n")
    assert to_plan(prompt, 0).max_output == LONGEST
    assert to_plan(prompt, 3000).max_output == LONGEST + 3000
    assert to_plan(prompt, 9000).max_output == prompt.max_output
    assert with_plan(prompt, "one\ntwo\n").tail.endswith("\n\n> one\n> two")
    assert with_plan(prompt, " \n") == prompt


async def fix(s: Stage) -> str:
    buffer = s.editor.open(s.write("stats.py", SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
    return buffer.text


async def test_both_calls_are_made_and_stand_on_the_receipt(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TRIO, extra="quality = 0.92\npair_above = 0\nask_above = 9\n") as s:
        s.upstream.script(answer(PLAN), answer(GOOD))
        assert await fix(s) == FIXED
        first, second = s.upstream.requests
        assert [each.body["model"] for each in (first, second)] == ["strong", "weak"]
        assert "without code" in str(first.body["messages"])
        assert f"> {PLAN}" in str(second.body["messages"])
        assert "without code" not in str(second.body["messages"])
        one, two = s.entries()
        assert (one.model, one.outcome, two.model, two.outcome) == ("strong", "planned", "weak", "kept")
        assert one.run == two.run
        assert one.reason == "plans it for weak"
        assert "; strong planned it; proved: " in two.reason
        assert one.cost is not None
        assert two.cost is not None
        assert Decimal(s.editor.seen.costs[-1].last.cost.usd) == one.cost + two.cost
        assert any(line.startswith("strong: plans it for weak") for line in lines(s))
        [message] = messages(s)
        assert message.startswith("Fixed `mean`: weak, $")
        assert "; strong planned it." in message
        assert "rated" not in message


async def test_a_model_that_was_picked_by_its_price_answers_alone(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TRIO, extra="quality = 0.92\npair_above = 0\nask_above = 9\n") as s:
        s.upstream.script(answer(PLAN), answer(GOOD), answer(GOOD.replace("    check(0,", "    check(9,")))
        assert await fix(s) == FIXED
        (buffer,) = s.editor.buffers.values()
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Again with a better model (middle, about $"))
        assert [each.body["model"] for each in s.upstream.requests] == ["strong", "weak", "middle"]
        assert "advises" not in str(s.upstream.requests[2].body["messages"])
        assert buffer.text == FIXED.replace("    check(0,", "    check(9,")


async def test_nobody_pairs_unless_the_user_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TRIO, extra="quality = 0.92\nask_above = 9\n") as s:
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        assert [each.body["model"] for each in s.upstream.requests] == ["middle"]


async def test_without_a_plan_the_cheaper_one_goes_on_and_the_other_stands_above_it(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TRIO, extra="quality = 0.92\npair_above = 0\nask_above = 9\n") as s:
        s.upstream.script(*(error(503, retry_after="0.01") for _ in range(3)))
        s.upstream.script(answer("I can't."), answer(GOOD))
        assert await fix(s) == FIXED
        assert [each.body["model"] for each in s.upstream.requests] == ["strong"] * 3 + ["weak", "middle"]
        assert "; without a plan by strong; " in s.entries()[1].reason
        [message] = messages(s)
        assert "; without a plan by strong; asked after weak, whose answer was rejected: " in message


@pytest.mark.parametrize("status", [400, 401, 402, 404])
async def test_a_planner_that_is_refused_costs_nobody_the_answer(tmp_path: Path, status: int) -> None:
    async with stage(tmp_path, config=TRIO, extra="quality = 0.92\npair_above = 0\nask_above = 9\n") as s:
        s.upstream.script(error(status), answer(GOOD))
        assert await fix(s) == FIXED
        assert [each.body["model"] for each in s.upstream.requests] == ["strong", "weak"]
        assert [each.outcome for each in s.entries()] == ["failed", "kept"]
        [message] = messages(s)
        assert "; without a plan by strong." in message


async def test_a_dear_plan_troubles_nobody(tmp_path: Path) -> None:
    async with stage(tmp_path, config=TRIO, extra="quality = 0.92\npair_above = 0\nask_above = 0.0005\n") as s:
        s.editor.answer = lambda _params: "Ask weak"
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        assert [each.body["model"] for each in s.upstream.requests] == ["weak"]
