"""An action that nobody measured is judged by the measurements of the one that it names, else of its shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tuppence.config import Config, builtin
from tuppence.config.policy import routing_policy
from tuppence.config.shipped import shipped
from tuppence.core import actions
from tuppence.core.actions import ACTIONS, EXPLAIN, FIX, REVIEW, TESTS, Action
from tuppence.core.models.model import Effort, Model, Provider
from tuppence.core.routing.feedback import Outcomes

CODE = "def mean(xs):\n    return sum(xs) / len(xs)\n"
NEW = replace(FIX, id="added", verb="Add", past="Added", fixes_diagnostics=False)


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """Read the measurements again: they hold for one table of actions."""
    shipped.cache_clear()
    yield
    shipped.cache_clear()


def add(monkeypatch: pytest.MonkeyPatch, row: Action) -> Action:
    monkeypatch.setattr(actions, "ACTIONS", (*ACTIONS, row))
    return row


def model(**ability: float) -> Model:
    provider = Provider("mine", "openai", "http://127.0.0.1:1/v1")
    return Model(provider=provider, id="new", tier="workhorse", ability=ability)


@pytest.mark.parametrize("measured", ACTIONS, ids=lambda row: row.id)
@pytest.mark.parametrize("by", ["its name", "its shape"])
def test_every_figure_is_the_measured_actions(measured: Action, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named = replace(NEW, measured_as=measured.id)
    row = add(monkeypatch, named if by == "its name" else replace(NEW, shape=measured.shape))
    prior, rows = shipped(), [*builtin().models, model()]
    gain, expected = prior.gain(row.id, "python", CODE), prior.gain(measured.id, "python", CODE)
    assert (gain.misses, gain.shifts, gain.usual) == (expected.misses, expected.shifts, expected.usual)
    for each in rows:
        assert prior.estimate(each, row.id, gain) == prior.estimate(each, measured.id, expected)
        assert prior.tokens(each, row.id, 300) == prior.tokens(each, measured.id, 300)
    assert prior.usual_tokens(row.id) == prior.usual_tokens(measured.id)
    assert prior.bar(row.id, 0.92) == prior.bar(measured.id, 0.92)
    assert prior.check(row.id) == prior.check(measured.id)
    for preset in ("thrifty", "balanced", "best"):
        config = Config(path=Path("config.toml"), models=(), providers={}, preset=preset)
        assert routing_policy(config, row, "python") == routing_policy(config, measured, "python")


def test_a_name_that_nobody_measured_gives_way_to_the_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    row = add(monkeypatch, replace(NEW, measured_as="dokument"))
    assert shipped().estimate(model(), row.id) == shipped().estimate(model(), FIX.id)


def test_a_row_of_the_model_table_may_state_either(monkeypatch: pytest.MonkeyPatch) -> None:
    row = add(monkeypatch, replace(NEW, measured_as=EXPLAIN.id))
    prior = shipped()
    assert prior.estimate(model(explain=0.3), row.id).quality == 0.3
    assert prior.estimate(model(explain=0.3, added=0.7), row.id).quality == 0.7
    assert prior.estimate(model(explain=0.3, added=0.7), EXPLAIN.id).quality == 0.3
    assert prior.estimate(model(fix=0.3), row.id).source == "its tier"


def test_an_effort_that_states_the_measured_action_states_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    row = add(monkeypatch, replace(NEW, measured_as=EXPLAIN.id))
    low = Effort({"reasoning_effort": "low"}, {"explain": 0.5}, 10)

    def at_low(**ability: float) -> str:
        variants = replace(model(**ability), at_effort={"low": low}, effort=("low",)).variants()
        return shipped().estimate(next(each for each in variants if each.chosen_effort), row.id).source

    assert at_low(explain=0.7) == "its row"
    assert at_low(added=0.7) == "its row, at another effort"


def test_outcomes_move_the_measured_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    row = add(monkeypatch, NEW)
    failed = Outcomes(kept=0, failed=40)
    assert shipped().estimate(model(), row.id, None, failed) == shipped().estimate(model(), FIX.id, None, failed)
    assert shipped().estimate(model(), row.id, None, failed).quality < shipped().estimate(model(), row.id).quality


def test_the_four_actions_are_measured_as_themselves() -> None:
    assert [shipped().measured_id(each.id) for each in (FIX, EXPLAIN, TESTS, REVIEW)] == [
        each.id for each in (FIX, EXPLAIN, TESTS, REVIEW)
    ]
