"""What to expect of a model: measured where it was, cautious where it was not, corrected by what happens here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.actions import ACTIONS
from tuppence.core.adequacy import Outcomes, canonical
from tuppence.core.models import Model, Provider
from tuppence.prior import shipped

MEASURED = (
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "gpt-5.4",
    "glm-5",
    "kimi-k2.5",
    "MiniMax-M2.7",
    "Qwen3-Max",
    "qwen3.5-plus",
)
HERE = Provider("mine", "openai", "http://127.0.0.1:1/v1")
SOME = "def f(a):\n    for b in a:\n        if b:\n            return b\n    return None\n"


def row(name: str, **more: object) -> Model:
    return Model(provider=HERE, id=name, tier="workhorse", **more)  # type: ignore[arg-type]  # a test's own words


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Qwen3-Max", "qwen3-max"),
        ("qwen/qwen3-max", "qwen3-max"),
        ("anthropic/claude-opus-4.6", "claude-opus-4-6"),
        ("claude-opus-4-6-20260205", "claude-opus-4-6"),
        ("minimax/minimax-m2.7:free", "minimax-m2-7"),
        ("gpt-5.4-2026-03-05", "gpt-5-4"),
    ],
)
def test_a_model_is_known_whoever_serves_it(given: str, expected: str) -> None:
    assert canonical(given) == expected


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("action", [each.id for each in ACTIONS])
def test_a_measured_model_needs_nothing_but_its_id(name: str, action: str) -> None:
    found = shipped().estimate(row(name), action)
    assert found.source == "measured"
    assert 0 < found.quality < 1
    assert shipped().tokens(row(name), action).output > 0


def test_an_unmeasured_model_is_doubted_more() -> None:
    for action in ACTIONS:
        known, unknown = shipped().estimate(row("gpt-5.4"), action.id), shipped().estimate(row("new"), action.id)
        assert unknown.doubt > known.doubt
        assert unknown.source == "its tier"


def test_a_row_s_own_figure_goes_before_the_shipped_one() -> None:
    found = shipped().estimate(row("gpt-5.4", ability={"fix": 0.9}), "fix")
    assert (found.quality, found.source) == (0.9, "its row")


@pytest.mark.parametrize("code", [None, ""])
def test_no_code_says_nothing(code: str | None) -> None:
    for action in ACTIONS:
        gain = shipped().gain(action.id, "python", code)
        assert gain.difficulty is None
        for name in MEASURED:
            bare = shipped().estimate(row(name), action.id)
            assert shipped().estimate(row(name), action.id, gain) == bare


@given(st.text(max_size=300), st.sampled_from(["python", "rust", "nothing-known"]))
def test_any_code_gives_a_share(code: str, language: str) -> None:
    gain = shipped().gain("fix", language, code or "x")
    assert gain.difficulty is not None
    assert 0 <= gain.difficulty <= 1
    for name in (*MEASURED, "new"):
        assert 0 <= shipped().estimate(row(name), "fix", gain).quality <= 1


def test_what_happens_here_moves_an_estimate() -> None:
    prior = shipped()
    before = prior.estimate(row("gpt-5.4"), "fix").quality
    assert prior.estimate(row("gpt-5.4"), "fix", None, Outcomes(kept=50)).quality > before
    assert prior.estimate(row("gpt-5.4"), "fix", None, Outcomes(failed=50)).quality < before
    assert prior.estimate(row("gpt-5.4"), "fix", None, Outcomes()).quality == before
