"""The figures of merit of benchmarks/routing: what is known by hand comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks.routing.checks import Sharpness
from benchmarks.routing.climb import STRONG, WEAK, Climb, simulate
from benchmarks.routing.diagram import diagram
from benchmarks.routing.measure import apgr, calibration_error, hull, interval, on_hull, spearman
from hypothesis import given
from hypothesis import strategies as st

from tuppence.config.shipped import shipped


def test_an_order_that_knows_wins_more_than_half_and_the_opposite_less() -> None:
    weak, strong = [0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]
    assert apgr([1, 0, 1, 0], weak, strong) == pytest.approx(0.75)
    assert apgr([0, 1, 0, 1], weak, strong) == pytest.approx(0.25)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_no_order_wins_a_half_where_all_gains_are_one(weak: list[float]) -> None:
    strong = [each + 1 for each in weak]
    assert apgr(weak, weak, strong) == pytest.approx(0.5)


def test_mixing_is_a_line_between_models_and_leaves_out_the_dominated() -> None:
    points = [(0.1, 0.5), (0.5, 0.4), (1.0, 1.0), (0.5, 0.7)]
    assert hull(points) == [(0.1, 0.5), (1.0, 1.0)]
    assert on_hull(points, 0.55) == pytest.approx(0.75)
    assert (on_hull(points, 0.0), on_hull(points, 2.0)) == (0.5, 1.0)


def test_calibration_is_the_distance_of_what_was_told_and_what_came() -> None:
    assert calibration_error([(0.5, 0.5)] * 20) == 0
    assert calibration_error([(0.25, 1.0)] * 20) == pytest.approx(0.75)


def test_rankings_agree_oppose_or_say_nothing() -> None:
    assert spearman([1, 5, 9], [0.1, 0.2, 7]) == pytest.approx(1)
    assert spearman([1, 5, 9], [3, 2, 1]) == pytest.approx(-1)
    assert spearman([4, 4, 4], [3, 2, 1]) == 0
    # Those that are alike share their ranks: 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)


def test_an_interval_holds_its_figure_and_repeats() -> None:
    rows = [(float(index % 3),) for index in range(90)]

    def mean(some: object) -> float:
        return sum(each[0] for each in some) / len(some)  # type: ignore[attr-defined, arg-type]  # a list of rows

    low, high = interval(rows, mean)
    assert low < 1.0 < high
    assert interval(rows, mean) == (low, high)


def climbs(own: Sharpness) -> dict[tuple[float, float], Climb]:
    """Play forty edits of one group each: the weak model passes half, the strong one three in four of either half."""
    right = {f"{index}": index % 2 == 0 for index in range(40)}
    strong = {name: int(name) % 8 < 6 for name in right}
    edits = {STRONG[0]: strong} | {name: right for name, _ in WEAK}
    played = simulate(edits, {name: int(name) for name in right}, own)
    return {(each.finds, each.alarms): each for each in played if each.weak == WEAK[0][0]}


def test_climbing_pays_where_wrong_answers_are_sent_up_more_than_right_ones() -> None:
    found = climbs(Sharpness(0.3, 0.0, ""))
    assert found[0, 0].quality == pytest.approx(20 / 30)
    assert found[1, 0].quality == pytest.approx((20 + 20 * 0.75) / 30)
    assert (found[0.3, 0].pays, found[0.07, 0.1].pays, found[0, 0].pays) == (True, False, False)
    # Half of the wrong ones sent up are as many as a quarter of all: three in eight of these gain a pass.
    assert found[0.5, 0].above == pytest.approx((20 + 10 * 0.75 - 0.75 * 20 - 0.25 * 30) / 30)
    assert found[0.5, 0.1].above < found[0.5, 0].above


def test_what_one_source_says_of_an_action_does_not_count_and_what_two_agree_on_does() -> None:
    pytest.importorskip("numpy")  # The benchmarks' own extra, which the server does without.
    from benchmarks.routing.data import MODELS, Task
    from benchmarks.routing.fit import bases

    def tasks(action: str, source: str, ahead: int) -> list[Task]:
        scores = tuple(0.9 if index == ahead else 0.6 if index == 0 else 0.3 for index in range(len(MODELS)))
        sizes = (100.0,) * len(MODELS)
        return [
            Task(f"{source}{n}", action, source, f"{source}{n}", "python", None, scores, sizes, sizes) for n in range(9)
        ]

    others = [task for action in ("explain", "fix", "review", "other") for task in tasks(action, action, 0)]
    for sources, first in (([("one", 3)], 0), ([("one", 3), ("two", 3)], 3), ([("one", 3), ("two", 5)], 0)):
        own = [task for source, ahead in sources for task in tasks("tests", source, ahead)]
        found = list(bases([*others, *own])["tests"])
        assert found.index(max(found)) == first


def test_the_reliability_diagram_draws_what_was_expected_over_what_came(tmp_path: Path) -> None:
    path = tmp_path / "images" / "calibration.svg"
    diagram({"fix": [(0.0, 1.0, 9), (1.0, 0.5, 9)], "review": [(0.5, 0.5, 9)]}, path)
    drawn = ET.fromstring(path.read_text("utf-8"))  # noqa: S314 - our own
    points = [
        (float(each.attrib["cx"]), float(each.attrib["cy"])) for each in drawn.iter() if each.tag.endswith("circle")
    ]
    (left, top), (right, middle), centre = points
    assert left < centre[0] < right
    assert top < middle == centre[1]
    assert {"fix", "review", "expected score", "score that came"} <= {each.text for each in drawn.iter()}


def test_the_bar_that_is_drawn_is_held_against_the_product_s_choice() -> None:
    pytest.importorskip("numpy")  # The benchmarks' own extra, which the server does without.
    from benchmarks.routing.data import MODELS, Task
    from benchmarks.routing.evaluate import _same_as_the_product
    from benchmarks.routing.policy import offer, table

    models, sizes = table(), (100.0,) * len(MODELS)
    offers = [
        offer(Task(action, action, "s", "g", "python", "x = 1\n" * 9, sizes, sizes, sizes), shipped(), models)
        for action in ("explain", "fix", "tests", "review")
    ]
    _same_as_the_product(offers, models)
    wrong = replace(offers[1], rows=tuple(replace(row, quality=1 - row.quality) for row in offers[1].rows))
    with pytest.raises(AssertionError, match="fix at "):
        _same_as_the_product([wrong], models)


def test_words_tell_who_is_better_where_they_do() -> None:
    pytest.importorskip("numpy")  # The benchmarks' own extra, which the server does without.
    from benchmarks.routing.baselines import tfidf
    from benchmarks.routing.data import MODELS, Task

    sizes, tasks = (100.0,) * len(MODELS), []
    for number in range(60):
        word, ahead = ("loop", 0) if number % 2 else ("query", 3)
        scores = tuple(1.0 if index == ahead else 0.2 for index in range(len(MODELS)))
        code = f"{word} {word} x{number}"
        tasks.append(Task(f"{number}", "fix", "s", f"{number}", "python", code, scores, sizes, sizes))
    bare = replace(tasks[0], id="bare", group="bare", code=None)
    every = [*tasks, bare, replace(bare, id="other", group="other")]
    found = tfidf(every, {task.group: index % 5 for index, task in enumerate(every)})
    assert all(found[task.id].index(max(found[task.id])) == (0 if "loop" in (task.code or "") else 3) for task in tasks)
    assert found["bare"] == list(bare.scores), "without words the mean of the others without code"


def test_problems_on_both_sides_of_a_split_are_counted() -> None:
    from benchmarks.routing.data import Task
    from benchmarks.routing.twins import twins

    def task(name: str, action: str, code: str | None = None) -> Task:
        return Task(name, action, "s", name, "python", code, (), (), ())

    tasks = [
        task("dim9_he_testgen_HumanEval_7", "tests", "x = 1"),
        task("dim7_hex_go_Go/7", "other"),
        task("dim9_he_testgen_HumanEval_8", "tests"),
        task("dim5_bugs2fix_1", "review", "x  =\n1"),
        task("dim5_bugs2fix_2", "review", "y = 1"),
        task("dim9_mbpp_testgen_2", "tests"),
        task("dim1_mbpp_2", "other"),
    ]
    found = twins(tasks, {each.group: int(each.id in {"dim7_hex_go_Go/7", "dim5_bugs2fix_1"}) for each in tasks})
    assert {name: (each.problems, each.judged, each.actions, each.fitted) for name, each in found.items()} == {
        "HumanEval": (1, 1, ("tests",), 1),
        "MBPP": (0, 0, (), 0),
        "LiveCodeBench": (0, 0, (), 0),
        "the same code, without blanks": (1, 2, ("review", "tests"), 0),
    }
