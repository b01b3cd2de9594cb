"""Decide whether a request that only warms a provider's cache pays: its cost, and the expected saving.

It saves the difference between writing and reading if the next request comes after the currently warm entries would
have expired, and before the renewed ones expire. Warming a cold prefix costs as much as the next request would pay to
write it, and that request is never certain. So a completely cold prefix never pays, and an edited one rarely does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tuppence.core.models.model import Model
from tuppence.core.models.pricing import Price, cost
from tuppence.core.prompt_cache import forecast
from tuppence.core.prompt_cache.prefix import Link
from tuppence.core.prompt_cache.state import Trace, entries, lifetime, usage


@dataclass(frozen=True, slots=True)
class Renewal:
    """What renewing a prefix now comes to."""

    warm: int
    """Tokens of it that are in the cache still."""
    tokens: int
    """Tokens of it that would be there then."""
    cost: Decimal
    """USD."""
    saving: Decimal
    """USD that may be expected to be saved at the next request."""

    @property
    def pays(self) -> bool:
        """Report whether it is expected to save more than it costs."""
        return self.saving > self.cost


@dataclass(frozen=True, slots=True)
class Prefix:
    """What would be renewed."""

    links: tuple[Link, ...]
    life: str
    """The time to live that would be asked for; empty is the provider's shortest."""
    model: Model
    price: Price
    """The model's."""
    place: str
    """The document's, as in ``Trace``."""


def weigh(prefix: Prefix, traces: Sequence[Trace], now: datetime) -> Renewal:
    """Return what renewing a prefix at this moment comes to."""
    rules = prefix.model.cache
    found = entries(prefix.links, prefix.model, traces, now)
    last = max(found, default=-1)
    tokens, warm = prefix.links[-1].tokens, prefix.links[last].tokens if found else 0
    asked = next((each.at for each in reversed(forecast.asked(traces)) if each.place == prefix.place), now)
    asked = min(asked, now)  # A clock may have been set back.
    gaps, passed = forecast.gaps(traces, now), now - asked
    # The next request comes before the warm entries expire, or after that but before the renewed ones expire.
    soon = forecast.chance(gaps, passed, found[last] - asked if found else passed)
    later = max(forecast.chance(gaps, passed, passed + lifetime(rules, prefix.life)) - soon, 0.0)
    gained = (soon * (tokens - warm) + later * tokens) * forecast.agreed(traces) / max(tokens, 1)
    written, read, renewed = (
        cost(usage(rules, prefix.life, part, rest), prefix.price, now)
        for part, rest in ((0, tokens), (tokens, 0), (warm, tokens - warm))
    )
    return Renewal(warm, tokens, renewed, (written - read) * Decimal(gained))
