"""Where a model that nobody measured is placed beside those that were, and what a piece of code adds: by hand."""

from __future__ import annotations

import math
from array import array
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace

import pytest
from sample_code import definitions

from tuppence.config import builtin
from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS
from tuppence.core.models.model import TIERS, Effort, Model, Provider, Tier
from tuppence.core.models.usage import Tokens
from tuppence.core.routing.features import READ, SIZE
from tuppence.core.routing.quality import LIKENESS, CodeSignal, Judged, Measured, QualityModel, canonical
from tuppence.core.routing.regression import FeatureWeights
from tuppence.core.routing.unmeasured_models import Published
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Span

HERE = Provider("mine", "openai", "http://127.0.0.1:1/v1")
USUAL = Tokens(400, 100, 20)
WRITES = Tokens(100, 50)


def measured(fix: float, explain: float) -> Measured:
    both = {"fix": fix, "explain": explain}
    return Measured(both, {"fix": 0.01, "explain": 0.03}, {"fix": WRITES, "explain": WRITES})


PRIOR = replace(
    shipped(),
    models={"low": measured(0.4, 0.3), "middle": measured(0.6, 0.5), "high": measured(0.8, 0.7)},
    usual={"fix": USUAL, "explain": USUAL},
    published=Published({"edited": 0.5, "great": 0.9, "poor": 0.0}, above=0.05, slope=0.004, middle=30),
    weights={},
)
RISING = {"low": -0.1, "middle": 0.0, "high": 0.1}


def row(name: str, tier: Tier = "workhorse", *, figure: float | None = None, ability: float | None = None) -> Model:
    return Model(
        provider=HERE,
        id=name,
        tier=tier,
        benchmarks={} if figure is None else {"aider_polyglot": figure},
        ability={} if ability is None else {"fix": ability},
    )


def check(model: Model, action: str, expected: tuple[float, float, str], gain: CodeSignal | None = None) -> None:
    found = PRIOR.estimate(model, action, gain)
    quality, doubt, source = expected
    assert (round(found.quality, 6), found.doubt, found.source) == (round(quality, 6), doubt, source)


@pytest.mark.parametrize(
    ("tier", "fix", "explain"),
    [
        ("premium", 0.63, 0.53),
        ("workhorse", 0.6, 0.5),
        ("specialised", 0.55, 0.45),
        ("budget", 0.52, 0.42),
        ("local", 0.35, 0.25),
    ],
)
def test_without_a_figure_the_tier_places_a_model(tier: Tier, fix: float, explain: float) -> None:
    check(row("new", tier), "fix", (fix, 0.06, "its tier"))
    check(row("new", tier), "explain", (explain, 0.06, "its tier"))


def test_public_edits_place_a_model_wholly_for_a_fix_and_half_for_the_rest() -> None:
    check(row("edited", figure=90), "fix", (0.55, 0.06, "its public edits"))
    check(row("edited"), "explain", (0.475, 0.06, "its public edits"))


def test_aiders_figure_moves_a_model_within_its_tier() -> None:
    check(row("new", "budget", figure=80), "fix", (0.6 - 0.08 + 0.2, 0.06, "its benchmarks"))
    check(row("new", "budget", figure=80), "explain", (0.5 - 0.08 + 0.1, 0.06, "its benchmarks"))
    check(row("new", figure=0), "fix", (0.6 - 0.12, 0.06, "its benchmarks"))


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("action", [each.id for each in ACTIONS])
def test_a_better_figure_is_never_worse_and_an_excellent_one_no_worse_than_none(tier: Tier, action: str) -> None:
    found = [shipped().estimate(row("new", tier, figure=figure), action).quality for figure in (0, 3.6, 30, 60, 90)]
    assert found == sorted(set(found))
    none = shipped().estimate(row("new", tier), action)
    assert found[0] < none.quality < found[-1]
    assert shipped().estimate(row("new", tier, figure=90), action).doubt == none.doubt


def test_a_rows_own_figure_is_as_sure_as_what_is_known_of_the_model() -> None:
    check(row("new", ability=0.7), "fix", (0.7, 0.02, "its row"))
    check(row("high", ability=0.7), "fix", (0.7, 0.01, "its row"))
    check(row("high", ability=0.7), "explain", (0.7, 0.03, "measured"))


def test_beyond_what_was_measured_an_estimate_is_drawn_in_and_keeps_its_order() -> None:
    check(row("great"), "fix", (1 - 0.1 * math.exp(-0.5), 0.06, "its public edits"))
    check(row("poor"), "fix", (0.1 * math.exp(-0.5), 0.06, "its public edits"))
    shifts = [-0.8, -0.7, -0.6, 0.1, 0.2, 0.9]
    found = [
        PRIOR.estimate(row("high"), "fix", CodeSignal("fix", 0.5, (), {"high": shift})).quality for shift in shifts
    ]
    assert found == sorted(set(found))
    assert found[0] > 0
    assert found[-1] < 1
    assert found[3] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("model", "shifts", "expected"),
    [
        (row("low"), RISING, 0.3),
        (row("new"), RISING, 0.6),
        (row("new", "premium"), RISING, 0.63 + 0.015),
        (row("new", "local"), RISING, 0.35 - 0.1),
        (row("great"), {"low": -0.1, "middle": 0.0, "high": -0.1}, 1 - 0.1 * math.exp(-0.5) - 0.2 / 3),
        (row("new", "premium"), {"low": 0.1, "middle": 0.0, "high": -0.04}, 0.65),
        (row("new"), {"low": 0.03}, 0.63),
        (row("middle"), {}, 0.6),
    ],
    ids=["its own", "the middle", "up the line", "not below it", "above all", "no favour to the weak", "one", "none"],
)
def test_what_code_adds_to_a_model(model: Model, shifts: Mapping[str, float], expected: float) -> None:
    found = PRIOR.estimate(model, "fix", CodeSignal("fix", 0.5, (), shifts)).quality
    assert found == pytest.approx(expected)


def test_an_answer_grows_with_the_code_from_where_it_starts() -> None:
    grows = replace(PRIOR, usual={"fix": Tokens(400, 100, 20, 60.0, 0.15)})
    assert grows.tokens(row("new"), "fix") == grows.usual["fix"]
    sizes = [(found.output, found.thinking) for found in (grows.tokens(row("new"), "fix", n) for n in (0, 400, 1600))]
    assert sizes == [(50, 10), (100, 20), (250, 50)]
    assert PRIOR.tokens(row("new"), "fix", 1600) == USUAL, "nothing is known of its length"
    assert PRIOR.tokens(row("vendor/High"), "fix", 400) == WRITES


def fitted(constant: int) -> QualityModel:
    """Return a prior by which errors alone count, and a constant."""
    like = [*([0] * SIZE), 1000]
    packed = b64encode(array("h", [*([1] * SIZE), constant, *like]).tobytes()).decode()
    return replace(PRIOR, weights={"fix": FeatureWeights.unpack(("low", LIKENESS), 0.001, packed)})


def test_what_the_code_says() -> None:
    code = "x = 1\n"
    unknown = PRIOR.gain("fix", "python", "")
    assert (unknown.misses, unknown.reasons, unknown.shifts) == (None, ("the code is not known",), {})
    assert PRIOR.gain("fix", "python", code).shifts == {}
    warning = Diagnostic(Span(0, 1), "odd", severity="warning")
    error = replace(warning, severity="error")
    prior = fitted(7)
    bare, warned, wrong = (prior.gain("fix", "python", code, told) for told in ((), (warning,) * 2, (error,) * 2))
    assert bare.shifts == warned.shifts != wrong.shifts
    assert bare.misses == warned.misses != wrong.misses
    assert bare.misses == pytest.approx(1 - (0.4 + 0.6 + 0.8 + bare.shifts["low"]) / 3)
    assert PRIOR.gain("fix", "python", code).misses == bare.usual == pytest.approx(0.4)
    assert (bare.reasons, warned.reasons) == (("1 line",), ("2 diagnostics", "1 line"))
    assert wrong.reasons == warned.reasons
    assert fitted(8).gain("fix", "python", code).shifts["low"] == pytest.approx(bare.shifts["low"] + 0.001)


@pytest.mark.parametrize("prior", [PRIOR, fitted(0)], ids=["not fitted", "fitted"])
def test_that_long_code_is_judged_by_its_beginning_is_said(prior: QualityModel) -> None:
    whole, more = (prior.gain("fix", "python", "#" * length).reasons for length in (READ, READ + 1))
    assert more == (*whole, f"models compared by its first {READ:,} characters")


@pytest.mark.parametrize("shift", [-0.5, -0.2, 0.0, 0.2])
def test_no_guess_at_a_predecessor_lifts_what_was_measured_on_such_code(shift: float) -> None:
    prior = replace(PRIOR, published=replace(PRIOR.published, heirs={"older": "high", "oldest": "high"}))
    oldest = row("oldest", "premium")
    older = replace(row("older", "premium"), predecessor=oldest)
    high = replace(row("high"), predecessor=older)
    gain = CodeSignal("fix", 0.5, (), {"low": 0.2, "middle": 0.0, "high": shift})
    found = [prior.estimate(each, "fix", gain) for each in (oldest, older, high)]
    assert [each.quality for each in found] == sorted(each.quality for each in found)
    assert found[-1].quality == prior.estimate(row("high"), "fix", gain).quality
    assert found[-1].source == "measured"
    stated = replace(row("older", ability=0.99), predecessor=oldest)
    assert prior.estimate(stated, "fix", gain).source == "its row", "what a row states is no guess"


def test_a_successor_is_judged_by_its_predecessor_at_the_same_effort() -> None:
    efforts = {"high": Effort({"e": "high"}, {"fix": 0.9}, 3000)}
    older = replace(row("middle"), at_effort=efforts)
    newer = replace(row("unknown"), at_effort={"high": Effort({"e": "high"}, {}, 3000)}, predecessor=older)
    usual, high = (PRIOR.estimate(each, "fix") for each in newer.variants())
    former, former_high = (PRIOR.estimate(each, "fix") for each in older.variants())
    assert usual.quality == former.quality < former_high.quality
    assert high.quality >= former_high.quality
    other = replace(newer, at_effort={"low": Effort({"e": "low"}, {}, 10)}).variants()[1]
    assert PRIOR.estimate(other, "fix").quality < former_high.quality, "the predecessor has no such effort"


@pytest.mark.parametrize("action", [each.id for each in ACTIONS])
def test_on_any_code_no_row_of_the_table_is_below_its_predecessor_and_the_measured_stay_measured(action: str) -> None:
    for code in definitions(6):
        gain = shipped().gain(action, "python", code)
        # Code as strange as this has large shifts of any sign.
        shifts = {name: 3 * shift - 0.1 for name, shift in gain.shifts.items()}
        gain = replace(gain, shifts=shifts, line=None) if shifts else gain
        judged = Judged()
        for model in builtin().models:
            found = shipped().estimate(model, action, gain, judged=judged)
            if model.predecessor is not None:
                former = shipped().estimate(model.predecessor, action, gain, judged=judged)
                assert found.quality >= former.quality, model.name
            if canonical(model.figures_id) in shipped().models:
                assert found.source == "measured", model.name


def test_each_row_is_judged_once_in_a_decision() -> None:
    rows = builtin().models
    gain = shipped().gain("fix", "python", "def f(x):\n    return x\n")
    judged = Judged()
    shared = [shipped().estimate(each, "fix", gain, judged=judged) for each in rows]
    assert shared == [shipped().estimate(each, "fix", gain) for each in rows]
    assert len(judged) == len(rows), "predecessors are rows of the table"
