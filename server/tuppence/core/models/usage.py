"""Tokens in disjoint buckets, and what they cost.

Each wire normalises its provider's counts into these buckets (Anthropic's input excludes cached tokens, OpenAI's
includes them), so that a cost is one sum. Unknown is None, never zero. Money is Decimal US dollars, exact when summed;
rounding happens only where a figure is shown.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

MILLION = Decimal(1_000_000)
PACE = 3.4
"""Code points to a token where nobody has counted yet; code runs at 3 to 4."""
_MARGIN = 64
"""Tokens that a provider puts around the messages."""
_REFERENCE = 4.1
"""Code points of source code to a token of o200k."""
_UNCOUNTED = 3.1
"""The same for a model that nobody has counted yet: tokenizers since Claude 4.7's make up to a third more of code."""
_PIECE = re.compile(r"[A-Z]?[a-z]{1,4}|[A-Z]{1,4}|[0-9]|\n+|\t+| {2,}|[^\w\s]|_", re.ASCII)
_BLOB = re.compile(r"[A-Za-z0-9+/=]{32,}")
"""What is no word: digests and encoded data, of which every character may be a token."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one request, each counted in exactly one bucket."""

    fresh: int = 0
    """Prompt tokens that were neither read from nor written to a cache."""
    cache_read: int | None = None
    """Prompt tokens read from the provider's cache; None where the provider does not say."""
    cache_write: int = 0
    """Prompt tokens written to the provider's cache at its shortest time to live (five minutes at Anthropic)."""
    cache_write_1h: int = 0
    """Prompt tokens written for an hour or longer."""
    output: int = 0
    """Answer tokens, without thinking where the provider tells the two apart."""
    thinking: int = 0
    """Reasoning tokens, where the provider counts them separately."""

    @property
    def prompt(self) -> int:
        """All prompt tokens."""
        return self.fresh + (self.cache_read or 0) + self.cache_write + self.cache_write_1h


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
class Step:
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
    steps: tuple[Step, ...] = ()
    peaks: tuple[Peak, ...] = ()
    batch: Decimal = Decimal(1)
    """The factor on all rates for the provider's batch API, 0.5 at most providers; 1 where there is none."""

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


def split(prompt: int, read: int, written: Usage = Usage()) -> Usage:
    """Return so many prompt tokens in the buckets in which a provider will probably count them.

    :param read: of them, what it will probably read from its cache.
    :param written: what it will probably write to it, in the buckets of its times to live.
    """
    read = min(read, prompt)
    short = min(written.cache_write, prompt - read)
    long = min(written.cache_write_1h, prompt - read - short)
    return Usage(prompt - read - short - long, read or None, short, long)


def estimate(text: str, characters_per_token: float = PACE) -> int:
    """Return about how many tokens a text is, rounded up; code runs at 3 to 4 characters a token."""
    return -int(-len(text) // characters_per_token)


def at_most(text: str, characters_per_token: float | None = None) -> int:
    """Return a number of tokens that a prompt does not pass.

    A token is taken for no more than four letters of one word, a digit, a sign, a run of blanks: less than tokenizers
    make of any code, and what they make of what is written densest. Held against o200k and cl100k, which run at
    ``_REFERENCE``; a model whose tokens run shorter is given more by as much.

    :param characters_per_token: as counted for the model; None: never counted.
    """
    whole = len(text.encode("utf-8", "replace"))  # No token is shorter than a byte.
    dense = math.ceil(_pieces(text) * max(_REFERENCE / (characters_per_token or _UNCOUNTED), 1.0))
    return min(whole, max(dense, estimate(text))) + _MARGIN


@lru_cache(maxsize=32)
def _pieces(text: str) -> int:
    plain = text if text.isascii() else text.encode("ascii", "ignore").decode("ascii")
    foreign = 0 if plain is text else len(text.encode("utf-8", "replace")) - len(plain)
    blobs = sum(map(len, _BLOB.findall(plain)))
    return len(_PIECE.findall(_BLOB.sub("", plain) if blobs else plain)) + blobs + foreign


def batched(price: Price) -> Price:
    """Return the price of the same tokens through the provider's batch API."""
    factor = price.batch
    return Price(
        _times(price.base, factor),
        tuple(replace(step, rates=_times(step.rates, factor)) for step in price.steps),
        tuple(replace(peak, rates=_times(peak.rates, factor)) for peak in price.peaks),
    )


def merge(first: Usage, second: Usage) -> Usage:
    """Return the bucket-wise sum; an unknown cache read stays unknown only while both are unknown."""
    read = None
    if first.cache_read is not None or second.cache_read is not None:
        read = (first.cache_read or 0) + (second.cache_read or 0)
    return replace(
        first,
        fresh=first.fresh + second.fresh,
        cache_read=read,
        cache_write=first.cache_write + second.cache_write,
        cache_write_1h=first.cache_write_1h + second.cache_write_1h,
        output=first.output + second.output,
        thinking=first.thinking + second.thinking,
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
