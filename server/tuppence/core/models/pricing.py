"""What tokens cost: rates by bucket, price tiers for long prompts, peak hours, batch discounts.

Money is Decimal US dollars, exact when summed and rounded only where it is shown. An unknown price is None, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from tuppence.core.models.usage import Usage

MILLION = Decimal(1_000_000)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens, by bucket; None means that the bucket has no price of its own."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    """None: a cache read costs what input costs."""
    cache_write: Decimal | None = None
    """None: a cache write costs what input costs."""
    cache_write_1h: Decimal | None = None
    """None: costs what ``cache_write`` costs."""
    thinking: Decimal | None = None
    """None: thinking costs what output costs."""


@dataclass(frozen=True, slots=True)
class PriceTier:
    """Other rates for the whole request above a prompt size."""

    above: int
    """Prompt tokens; the step holds for prompts larger than this."""
    rates: Rates


@dataclass(frozen=True, slots=True)
class Peak:
    """Other rates at certain hours, UTC."""

    days: frozenset[int]
    """Weekdays on which it holds, Monday is 0."""
    start: time
    """First moment, UTC, inclusive."""
    end: time
    """Last moment, UTC, exclusive."""
    rates: Rates

    def holds(self, when: datetime) -> bool:
        """Report whether the moment, which must carry a time zone, lies in the peak."""
        moment = when.astimezone(UTC)
        return moment.weekday() in self.days and self.start <= moment.time() < self.end


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs: base rates, steps by prompt size, peaks by hour."""

    base: Rates
    steps: tuple[PriceTier, ...] = ()
    peaks: tuple[Peak, ...] = ()
    batch: Decimal = Decimal(1)
    """The factor on all rates for the provider's batch API, 0.5 at most providers; 1 if there is no discount."""

    def rates(self, prompt: int, when: datetime) -> Rates:
        """Return the rates for a prompt of so many tokens sent at a moment; a step wins over a peak."""
        for step in sorted(self.steps, key=lambda each: -each.above):
            if prompt > step.above:
                return step.rates
        return next((peak.rates for peak in self.peaks if peak.holds(when)), self.base)

    @property
    def free(self) -> bool:
        """Report whether nothing ever costs anything."""
        every = (self.base, *(step.rates for step in self.steps), *(peak.rates for peak in self.peaks))
        return all(not any(_figures(rates)) for rates in every)


def cost(usage: Usage, price: Price, when: datetime) -> Decimal:
    """Return what the tokens cost in USD, exact, at the prices of that moment (which must carry a time zone)."""
    rates = price.rates(usage.prompt, when)
    write = rates.input if rates.cache_write is None else rates.cache_write
    total = (
        usage.fresh * rates.input
        + (usage.cache_read or 0) * (rates.input if rates.cache_read is None else rates.cache_read)
        + usage.cache_write * write
        + usage.cache_write_1h * (write if rates.cache_write_1h is None else rates.cache_write_1h)
        + usage.output * rates.output
        + usage.thinking * (rates.output if rates.thinking is None else rates.thinking)
    )
    return total / MILLION


def batched(price: Price) -> Price:
    """Return the price of the same tokens through the provider's batch API."""
    factor = price.batch
    return Price(
        _times(price.base, factor),
        tuple(replace(step, rates=_times(step.rates, factor)) for step in price.steps),
        tuple(replace(peak, rates=_times(peak.rates, factor)) for peak in price.peaks),
    )


def weekdays(text: str) -> frozenset[int]:
    """Return the weekdays that ``"mon-fri"``, ``"sat"`` or ``"mon,wed"`` names, Monday is 0.

    :raises ValueError: a name is none of mon, tue, wed, thu, fri, sat, sun.
    """
    days: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.strip().partition("-")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days |= {day % 7 for day in range(start, end + (7 if end < start else 0) + 1)}
    return frozenset(days)


def _times(rates: Rates, factor: Decimal) -> Rates:
    given: dict[str, Decimal | None] = {each.name: getattr(rates, each.name) for each in fields(rates)}
    changed: dict[str, Any] = {name: None if rate is None else rate * factor for name, rate in given.items()}
    return Rates(**changed)


def _figures(rates: Rates) -> tuple[Decimal, ...]:
    every = (rates.input, rates.output, rates.cache_read, rates.cache_write, rates.cache_write_1h, rates.thinking)
    return tuple(figure for figure in every if figure is not None)
