"""A provider's report is trusted up to three times the request's maximum cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tuppence.core.billing.credibility import FRAME, CallBound
from tuppence.core.models.usage import Usage

BOUND = CallBound(prompt=1000, answer=500, cost=Decimal("0.02"))
UNPRICED = CallBound(prompt=1000, answer=500, cost=None)
FREE = CallBound(prompt=1000, answer=500, cost=Decimal(0))


@pytest.mark.parametrize(
    ("usage", "believed"),
    [
        (Usage(fresh=3000, output=500), Usage(fresh=3000, output=500)),
        (Usage(fresh=3001, output=500), Usage(output=500)),
        (Usage(fresh=1000, cache_read=1000, cache_write=1000, cache_write_1h=1, output=5), Usage(output=5)),
        (Usage(fresh=9, cache_read=2, output=1500 + FRAME), Usage(fresh=9, cache_read=2, output=1500 + FRAME)),
        (Usage(fresh=9, cache_read=2, output=1501 + FRAME), Usage(fresh=9, cache_read=2)),
        (Usage(fresh=9, output=1, thinking=1500 + FRAME), Usage(fresh=9)),
        (Usage(fresh=10**9, output=10**9), Usage()),
    ],
)
def test_counts_several_times_above_the_bound_are_not_believed(usage: Usage, believed: Usage) -> None:
    assert BOUND.believed(usage) == believed
    assert bool(BOUND.doubt("mine", usage, None)) == (usage != believed)


@pytest.mark.parametrize(
    ("bound", "cost", "believed"),
    [
        (BOUND, None, True),
        (BOUND, "0", True),
        (BOUND, "0.06", True),
        (BOUND, "0.0600001", False),
        (UNPRICED, "9", True),
        (UNPRICED, "9.01", False),
        (FREE, "9", True),
        (FREE, "9.01", False),
    ],
)
def test_a_charge_several_times_above_the_bound_is_not_believed(
    bound: CallBound, cost: str | None, *, believed: bool
) -> None:
    charge = None if cost is None else Decimal(cost)
    assert bound.believes_cost(charge) is believed
    assert bool(bound.doubt("mine", Usage(fresh=1, output=1), charge)) is not believed


def test_a_doubt_names_both_figures() -> None:
    said = [
        BOUND.doubt("mine", Usage(fresh=200_000), None),
        BOUND.doubt("mine", Usage(fresh=1, output=90_000, thinking=10_000), None),
        BOUND.doubt("mine", Usage(fresh=1), Decimal(2700)),
        UNPRICED.doubt("mine", Usage(fresh=1), Decimal(2700)),
    ]
    assert said == [
        "mine reported 200,000 prompt tokens, where there are 1,000 at most",
        "mine reported 100,000 answer tokens, where 500 were allowed",
        "mine reported a charge of $2,700.0000 for one request, where it costs $0.0200 at most",
        "mine reported a charge of $2,700.0000 for one request",
    ]
