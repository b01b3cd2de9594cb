"""Where a model that was not measured is placed: by its public figures, its tier and its price.

A model that follows another one takes its predecessor's figures instead (core/routing/quality.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from tuppence.core.models.model import Model, Tier

_TIER: Mapping[Tier, float] = {"premium": 0.03, "workhorse": 0.0, "specialised": -0.05, "budget": -0.08, "local": -0.25}
"""Where a tier is placed beside the measured models' mean; set by hand from public edits, small models far below."""
_ASIDE = 0.5
"""How much of its place in one kind of task a model is taken to keep in another; a guess, hence the doubt."""
_MOST_DOUBLINGS = 3
"""Doublings or halvings of a tier's usual price that count."""


@dataclass(frozen=True, slots=True)
class Published:
    """How published figures and prices place a model among the measured ones."""

    edits: Mapping[str, float]
    """The share of public edits that a model got right, by its canonical name."""
    above: float
    """What a measured model's quality for a fix lies above that share; from makers measured in both."""
    slope: float
    """What a point of Aider's polyglot figure adds to that share."""
    middle: float
    """The figure that adds nothing: the mean of those models whose edits are public too."""
    heirs: Mapping[str, str] = field(default_factory=dict)
    """By the canonical name of a model that was not measured, that of a measured one which followed it, soon or late;
    the former is never placed above the latter, whatever the code."""
    doubling: float = 0.0
    """What each doubling of the price within a tier adds to the quality."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """The usual price of a tier's answers, USD per million tokens."""

    def standing(self, model: Model, name: str, level: float, *, is_fix: bool) -> tuple[float, str]:
        """Return how far a model is placed above the measured models' mean for an action, and what says so.

        :param name: the canonical name.
        :param level: the measured models' mean for a fix.
        :param is_fix: whether the action is measured as a fix, of which public edits say most.
        """
        part = 1.0 if is_fix else _ASIDE
        if name in self.edits:
            return part * (self.edits[name] + self.above - level), "its public edits"
        place = _TIER[model.tier] + self._by_price(model)
        figure = model.benchmarks.get("aider_polyglot")
        if figure is None:
            return place, "its tier"
        # Aider's figure says little of public edits: it moves a model within its tier, and a good one never down.
        return place + part * self.slope * (figure - self.middle), "its benchmarks"

    def _by_price(self, model: Model) -> float:
        """Return what the price adds: by whole doublings, so that a host's small surcharge makes no model better."""
        usual = self.prices.get(model.tier)
        price = float(model.price.base.output) if model.price else 0.0
        if not usual or not price:
            return 0.0
        doublings = round(math.log2(price) - math.log2(usual))
        return self.doubling * min(_MOST_DOUBLINGS, max(-_MOST_DOUBLINGS, doublings))
