"""The figures of merit of benchmarks/routing: what is known by hand comes out."""

from __future__ import annotations

import pytest
from benchmarks.routing.measure import apgr, calibration_error, hull, interval, on_hull
from hypothesis import given
from hypothesis import strategies as st


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


def test_an_interval_holds_its_figure_and_repeats() -> None:
    rows = [(float(index % 3),) for index in range(90)]

    def mean(some: object) -> float:
        return sum(each[0] for each in some) / len(some)  # type: ignore[attr-defined, arg-type]  # a list of rows

    low, high = interval(rows, mean)
    assert low < 1.0 < high
    assert interval(rows, mean) == (low, high)
