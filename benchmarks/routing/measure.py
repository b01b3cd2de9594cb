"""Figures of merit, and how far chance may move them. Plain Python: no task, model or price is known here."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

Row = tuple[float, ...]
DRAWS = 1000


def apgr(gains: Sequence[float], weak: Sequence[float], strong: Sequence[float]) -> float:
    """Return how much of the gap between two models is won, on average over the share of calls to the stronger.

    :param gains: the predicted gain of the stronger; the largest are sent to it first. A random order wins a half.
    """
    order = sorted(range(len(gains)), key=lambda index: (-gains[index], index))
    gap = sum(strong) - sum(weak)
    won, area = 0.0, 0.0
    for index in order:
        before = won
        won += strong[index] - weak[index]
        area += (before + won) / 2
    return area / (gap * len(gains)) if gap else 0.0


def interval(rows: Sequence[Row], figure: Callable[[Sequence[Row]], float], seed: int = 0) -> tuple[float, float]:
    """Return the middle 95 % of a figure over redrawn rows."""
    drawn = random.Random(seed)  # noqa: S311 - a bootstrap that can be repeated
    found = sorted(figure(drawn.choices(rows, k=len(rows))) for _ in range(DRAWS))
    return found[int(0.025 * DRAWS)], found[int(0.975 * DRAWS)]


def bins(pairs: Sequence[tuple[float, float]], count: int = 10) -> list[tuple[float, float, int]]:
    """Return the reliability diagram: for each tenth of the predictions their mean, the outcome's, and how many."""
    ranked = sorted(pairs)
    found = []
    for number in range(count):
        part = ranked[number * len(ranked) // count : (number + 1) * len(ranked) // count]
        if part:
            found.append(
                (sum(each[0] for each in part) / len(part), sum(each[1] for each in part) / len(part), len(part))
            )
    return found


def calibration_error(pairs: Sequence[tuple[float, float]], count: int = 10) -> float:
    """Return the mean distance of prediction and outcome over the bins of the reliability diagram."""
    return sum(abs(told - came) * size for told, came, size in bins(pairs, count)) / len(pairs)


def spearman(one: Sequence[float], two: Sequence[float]) -> float:
    """Return how far two rankings agree, -1 to 1; 0 where one of them ranks nothing."""
    left, right = _ranks(one), _ranks(two)
    middle = (len(left) - 1) / 2
    spread = math.sqrt(sum((each - middle) ** 2 for each in left) * sum((each - middle) ** 2 for each in right))
    return sum((a - middle) * (b - middle) for a, b in zip(left, right, strict=True)) / spread if spread else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each; those that are alike share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    for _, alike in groupby(order, key=values.__getitem__):
        indices = list(alike)
        for index in indices:
            found[index] = start + (len(indices) - 1) / 2
        start += len(indices)
    return found


def hull(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the upper hull of (cost, score): what mixing fixed models at random can reach."""
    found: list[tuple[float, float]] = []
    for point in sorted(set(points)):
        if found and point[1] <= found[-1][1]:
            continue
        while len(found) > 1 and _slope(found[-2], point) >= _slope(found[-2], found[-1]):
            found.pop()
        found.append(point)
    return found


def on_hull(points: Sequence[tuple[float, float]], cost: float) -> float:
    """Return the best score that mixing at random gives for a cost."""
    line = hull(points)
    if cost <= line[0][0]:
        return line[0][1]
    for (left, low), (right, high) in pairwise(line):
        if cost <= right:
            return low + (high - low) * (cost - left) / (right - left)
    return line[-1][1]


def _slope(one: tuple[float, float], two: tuple[float, float]) -> float:
    return (two[1] - one[1]) / (two[0] - one[0])
