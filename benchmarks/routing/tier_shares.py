"""Compares the share of requests that each tier answers with the shares that the founding documents plan for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from benchmarks.routing.policy import Offer
from tuppence.core.billing.report import GUIDE


def tier_shares(
    offers: Sequence[Offer], policies: Mapping[str, Callable[[Offer], int]]
) -> Mapping[str, Mapping[str, float]]:
    """Return, by policy, the share of the tasks that each tier of the documents answers, from 0 to 1."""
    found: dict[str, Mapping[str, float]] = {}
    for name, pick in policies.items():
        counts = Counter[str](each.rows[pick(each)].model.tier for each in offers)
        found[name] = {tier: counts[tier] / len(offers) for tier in GUIDE}
    return found
