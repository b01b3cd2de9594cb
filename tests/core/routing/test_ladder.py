"""Who stands above whom: by rising cost, each better than all before it, and nobody of unknown price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.models.model import Model, Provider
from tuppence.core.routing.candidates import Candidate
from tuppence.core.routing.router import above

HERE = Provider("p", "openai", "http://127.0.0.1:9/v1")
ROWS = st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6)), min_size=1, max_size=9)


def row(name: str, quality: float, cost: str | None) -> Candidate:
    return Candidate(Model(provider=HERE, id=name, tier="budget"), quality, None if cost is None else Decimal(cost))


def check(first: Candidate, others: list[Candidate], expected: str) -> None:
    for fit in ([first, *others], [*reversed(others), first]):
        assert " ".join(each.model.id for each in above(first, fit)) == expected


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], ""),
        ([row("same", 0.5, "2")], ""),
        ([row("worse", 0.4, "0.1")], ""),
        ([row("better", 0.6, "2"), row("best", 0.7, "3")], "better best"),
        ([row("cheaper", 0.6, "0.5")], "cheaper"),
        ([row("free", 0.55, "0"), row("better", 0.6, "2")], "free better"),
        ([row("better", 0.6, "2"), row("mystery", 0.9, None)], "better"),
        ([row("better", 0.6, "2"), row("no better", 0.6, "3"), row("dearer", 0.58, "4")], "better"),
        ([row("good", 0.6, "2"), row("also", 0.7, "2")], "also"),
        ([row("b", 0.6, "2"), row("a", 0.6, "2")], "a"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_rungs_above_a_model(others: list[Candidate], expected: str) -> None:
    check(row("first", 0.5, "1"), others, expected)


@given(rows=ROWS)
def test_a_ladder_rises_in_cost_and_quality_to_the_best_there_is(rows: list[tuple[int, int | None]]) -> None:
    first, *others = (
        row(str(n), quality, None if cost is None else str(cost)) for n, (quality, cost) in enumerate(rows)
    )
    rungs = above(first, [first, *others])
    costs, qualities = [each.cost for each in rungs], [each.quality for each in rungs]
    assert None not in costs
    assert costs == sorted(costs, key=lambda cost: cost or Decimal(0))
    assert qualities == sorted(set(qualities))
    better = [each.quality for each in others if each.cost is not None and each.quality > first.quality]
    assert qualities[-1:] == ([max(better)] if better else [])
