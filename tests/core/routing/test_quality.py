"""What to expect of a model: measured where it was, cautious where it was not, corrected by what happens here."""

from __future__ import annotations

import json
from array import array
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from operator import itemgetter
from zlib import crc32

import pytest
from benchmarks.routing.data import MODELS
from hypothesis import assume, given
from hypothesis import strategies as st
from paths import PACKAGE
from work import lines, parses

from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS, find_action
from tuppence.core.models.model import Model, Provider, Quirks
from tuppence.core.routing.candidates import RoutingRequest, usage
from tuppence.core.routing.features import READ, RUNS, SIZE, features, profile, runs
from tuppence.core.routing.feedback import Outcomes, learned
from tuppence.core.routing.quality import CodeSignal, canonical
from tuppence.core.routing.regression import FeatureWeights

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


@pytest.mark.parametrize("name", MODELS)
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
        assert gain.misses is None
        for name in MODELS:
            bare = shipped().estimate(row(name), action.id)
            assert shipped().estimate(row(name), action.id, gain) == bare


@given(st.text(max_size=300), st.sampled_from(["python", "rust", "nothing-known"]))
def test_any_code_gives_a_share(code: str, language: str) -> None:
    gain = shipped().gain("fix", language, code or "x")
    assert gain.misses is not None
    assert 0 <= gain.misses <= 1
    for name in (*MODELS, "new"):
        assert 0 <= shipped().estimate(row(name), "fix", gain).quality <= 1


def test_what_happens_here_moves_an_estimate() -> None:
    prior = shipped()
    before = prior.estimate(row("gpt-5.4"), "fix").quality
    assert prior.estimate(row("gpt-5.4"), "fix", None, Outcomes(kept=50)).quality > before
    assert prior.estimate(row("gpt-5.4"), "fix", None, Outcomes(failed=50)).quality < before
    assert prior.estimate(row("gpt-5.4"), "fix", None, Outcomes()).quality == before
    # Where everything is kept for the most part, what is kept for the most part is ordinary.
    assert prior.estimate(row("gpt-5.4"), "fix", None, Outcomes(kept=40, failed=10)).quality == pytest.approx(before)


SHARES = st.floats(0.05, 0.95)
DOUBTS = st.floats(0.0, 0.2)
FEW = st.integers(0, 9)
HERE_AND_THERE = st.builds(Outcomes, FEW, FEW, FEW, st.floats(0, 1))


@given(st.tuples(SHARES, DOUBTS, HERE_AND_THERE), st.tuples(SHARES, DOUBTS, HERE_AND_THERE))
def test_few_outcomes_never_reverse_a_clear_order(
    one: tuple[float, float, Outcomes], two: tuple[float, float, Outcomes]
) -> None:
    (better, doubt, these), (worse, other, those) = max(one, two, key=itemgetter(0)), min(one, two, key=itemgetter(0))
    assert max(these.number, those.number) < 30
    assume(better - worse > doubt + other)
    assert learned(better, doubt, these)[0] >= learned(worse, other, those)[0] - 1e-9


def test_many_outcomes_do() -> None:
    high, _ = learned(0.70, 0.02, Outcomes(failed=200))
    low, _ = learned(0.60, 0.02, Outcomes(kept=200))
    assert high < low


def test_code_that_favours_nobody_in_particular_is_told_by_its_own_weights() -> None:
    packed = b64encode(array("h", [100, -100, 50, 0, 0, -50]).tobytes()).decode()
    weights = FeatureWeights.unpack(("a", "b"), 0.01, packed)
    assert weights.apply({0: 1.0}) == {"a": pytest.approx(1.5), "b": pytest.approx(-0.5)}
    assert weights.apply({1: 0.5}) == {"a": 0.0, "b": pytest.approx(-0.5)}


def seen(code: str, errors: int = 0) -> Mapping[int, float]:
    return features(profile("python", code), errors)


def test_features_are_the_same_everywhere_and_no_longer_for_longer_code() -> None:
    short, long = seen(SOME), seen(SOME * 20)
    assert seen(SOME) == short
    for found in (short, long):
        assert sum(value**2 for value in found.values()) == pytest.approx(1)
        assert all(0 <= bucket < SIZE for bucket in found)
    assert seen("x" * READ + "y" * 9000) == seen("x" * READ)


@given(st.text(st.characters(max_codepoint=127), max_size=60), st.text(max_size=3))
def test_runs_are_the_same_whether_hashed_together_or_one_by_one(ascii_only: str, more: str) -> None:
    for text in (ascii_only, ascii_only + more):
        every = [text[start : start + size] for size in (1, 2, 3) for start in range(len(text) - size + 1)]
        expected = Counter(crc32(run.encode("utf-8", "replace")) % RUNS for run in every)
        assert list(runs(text).items()) == list(expected.items()), "and in the same order, so that sums are the same"


def test_an_error_that_the_grammar_cannot_see_counts_as_one() -> None:
    assert seen(SOME, 3) != seen(SOME)
    assert seen(SOME, 1000) == seen(SOME, 8)


def test_a_decision_s_features_take_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    code = ("    if alpha.beta(gamma[i], 'delta') > 10:\n        return {k: v for k, v in items}\n" * 30)[:2400]
    prior, parsed = shipped(), parses(monkeypatch)
    prior.gain("fix", "python", code.replace("delta", "epsilon"))
    del parsed[:]
    gain, reading = lines(lambda: prior.gain("fix", "python", code))
    again, weighing = lines(lambda: prior.gain("fix", "python", code))
    assert again == gain
    _, judging = lines(lambda: [prior.estimate(row(name), "fix", gain) for name in MODELS])
    print(f"60 lines: {reading} lines to read them, {judging / len(MODELS):.0f} a model")
    assert parsed == [False], "the code is parsed once, whatever the number of models and of requests"
    assert weighing < reading < 12_000
    assert judging / len(MODELS) < 40


def test_the_weights_are_small_and_say_where_they_come_from() -> None:
    text = (PACKAGE / "weights.json").read_text("utf-8")
    assert len(text) < 500_000
    assert json.loads(text)["about"]


@pytest.mark.parametrize("shift", [-0.9, -0.3, 0.0, 0.3, 0.9])
def test_who_is_ahead_stays_ahead_whatever_the_code_adds(shift: float) -> None:
    gain = CodeSignal("fix", 0.5, (), dict.fromkeys(shipped().models, shift))
    rows = [row("m", ability={"fix": ability}) for ability in (0.3, 0.5, 0.7, 0.8, 0.82)]
    found = [shipped().estimate(each, "fix", gain).quality for each in rows]
    assert found == sorted(set(found))
    assert 0 < found[0] < found[-1] < 1


def test_a_thinker_whose_thinking_is_switched_off_is_not_both_good_and_cheap() -> None:
    when, action = datetime(2026, 11, 21, tzinfo=UTC), find_action("fix")
    assert action is not None
    need = RoutingRequest(
        action=action, gain=CodeSignal("fix", None, ()), prompt_tokens=500, target_tokens=200, when=when
    )
    off = row("qwen3.5-plus", quirks=Quirks(thinking_off={"enable_thinking": False}))
    assert usage(off, need, shipped()) == usage(row("qwen3.5-plus"), need, shipped())
    assert usage(off, need, shipped()).thinking
