"""A provider's later report replaces an estimate, unless the report is implausible."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tuppence.core.billing.entry import Entry
from tuppence.core.models.model import Model, Provider
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.models.usage import Usage
from tuppence.engine.spending import reconciled
from tuppence.providers import UsageReport

PRICE = Price(Rates(Decimal(1), Decimal(5)))
MODEL = Model(
    provider=Provider("mine", "openai", "http://127.0.0.1:1"), id="m", tier="budget", price=PRICE, max_output=4000
)
ESTIMATE = Entry(
    run="r", session="s", at=datetime(2026, 11, 21, tzinfo=UTC), action="fix", language="go", provider="mine",
    model="m", tier="budget", usage=Usage(fresh=800, output=30), cost=Decimal("0.00095"), estimated=True,
    difficulty=None, outcome="cancelled", best_cost=None, reason="because", seconds=1.0, characters=2700,
)  # fmt: skip


def test_what_a_provider_says_afterwards_takes_the_estimates_place() -> None:
    usage = Usage(fresh=900, cache_read=0, output=3000)
    entry = reconciled(ESTIMATE, UsageReport(usage, Decimal("0.0159")), MODEL, PRICE)
    assert (entry.usage, entry.cost, entry.charged, entry.estimated) == (usage, Decimal("0.0159"), entry.cost, False)
    assert entry.reason == "because; estimated at $0.00095 until its provider was asked"


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (UsageReport(Usage(fresh=200_000, output=30), Decimal("0.001")), "mine reported 200,000 prompt tokens"),
        (UsageReport(Usage(fresh=900, output=10**9), Decimal("0.001")), "mine reported 1,000,000,000 answer tokens"),
        (UsageReport(Usage(fresh=900, output=30), Decimal(2700)), "mine reported a charge of $2,700.0000"),
        (UsageReport(Usage(fresh=900, output=10**9)), "mine reported 1,000,000,000 answer tokens"),
    ],
)
def test_an_absurd_word_leaves_the_estimate_as_it_is(report: UsageReport, why: str) -> None:
    entry = reconciled(ESTIMATE, report, MODEL, PRICE)
    assert (entry.usage, entry.cost, entry.estimated) == (ESTIMATE.usage, ESTIMATE.cost, True)
    assert entry.reason.startswith(f"because; {why}")
