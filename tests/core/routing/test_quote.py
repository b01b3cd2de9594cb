"""What a hover says of a price: an estimate, an exact zero, an unknown one, or that no model may answer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tuppence.core.routing.difficulty import UNKNOWN
from tuppence.core.routing.quote import Quote


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (Decimal("0.0012"), "about $0.0012 at small"),
        (Decimal("0.00001"), "<$0.0001 at small"),
        (Decimal(0), "$0 at small"),
        (None, "at an unknown price at small"),
    ],
)
def test_the_price_of_a_model(cost: Decimal | None, expected: str) -> None:
    assert Quote(3, UNKNOWN, "small", cost).price == expected


def test_there_is_no_price_without_a_model() -> None:
    assert Quote(3, UNKNOWN).price == "no model is known yet that may answer"
