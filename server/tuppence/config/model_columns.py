"""The columns of the tier table: which keys a row, a provider, a price and the like may hold, and how each is read."""

from __future__ import annotations

import re
from decimal import Decimal

from tuppence.config.readers import (
    Reader,
    choice,
    clock,
    count,
    day,
    flag,
    is_number,
    items,
    kind,
    named,
    number,
    plain,
    table,
    text,
    variable,
)
from tuppence.config.toml_locations import TomlLocation
from tuppence.core.actions import ACTIONS
from tuppence.core.models.model import EDIT_FORMS, TIERS, CacheRules, Effort, Quirks
from tuppence.core.models.pricing import Peak, Price, PriceTier, Rates, weekdays
from tuppence.core.models.time_limits import TimeLimits

FREE = Price(Rates(Decimal(0), Decimal(0)))
_RATES = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "thinking")
_MODES = ("none", "automatic", "explicit")
_HEADER = re.compile(r"x-[a-z0-9]+(?:-[a-z0-9]+){0,9}")
_TAKEN = frozenset({"x-api-key"})
_LIFE = re.compile(r"[1-9]\d*[smhd]")
_BILL = re.compile(r"[A-Za-z0-9_{][A-Za-z0-9_.?=&{}-]*(/[A-Za-z0-9_.?=&{}-]+)*")


def days(value: object, place: TomlLocation) -> frozenset[int]:
    """Read weekdays."""
    try:
        return weekdays(value if isinstance(value, str) else "")
    except ValueError:
        raise place.wrong(
            f'"{place.name}" must name weekdays, not {kind(value)}.', 'Write "mon-fri", "sat" or "mon,wed".'
        ) from None


def money(value: object, place: TomlLocation) -> Decimal:
    """Read USD per million tokens."""
    if not is_number(value):
        raise place.wrong(f'"{place.name}" must be a number, not {kind(value)}.', "Write USD per million tokens: 0.15.")
    if value < 0:
        raise place.wrong(f'"{place.name}" must not be negative.', "Write USD per million tokens: 0.15.")
    return Decimal(value)


def price(value: object, place: TomlLocation) -> Price:
    """Read the base rates; the number 0 is free."""
    if not isinstance(value, dict):
        if is_number(value) and value == 0:
            return FREE
        raise place.wrong(
            f'"{place.name}" must be 0 or a table, not {kind(value)}.',
            "Write price = { input = 0.15, output = 0.60 } in USD per million tokens, or price = 0 for free.",
        )
    found = table(value, place, PRICE, ("input", "output"))
    batch = found.pop("batch", Decimal(1))
    return Price(Rates(**found), batch=batch)


def step(value: object, place: TomlLocation) -> PriceTier:
    """Read other rates above a prompt size."""
    found = table(value, place, STEP, ("above", "input", "output"))
    return PriceTier(found.pop("above"), Rates(**found))


def peak(value: object, place: TomlLocation) -> Peak:
    """Read other rates at certain hours."""
    found = table(value, place, PEAK, ("days", "from", "to", "input", "output"))
    when, start, end = found.pop("days"), found.pop("from"), found.pop("to")
    if start >= end:
        raise place.wrong(f'"{place.name}" ends before it begins.', "Write two entries, one on each side of midnight.")
    return Peak(when, start, end, Rates(**found))


def cache(value: object, place: TomlLocation) -> CacheRules:
    """Read the rules of a provider's prompt cache."""
    return CacheRules(**table(value, place, CACHE, ("mode",)))


def quirks(value: object, place: TomlLocation) -> Quirks:
    """Read how a model wants to be asked."""
    return Quirks(**table(value, place, QUIRKS))


def effort(value: object, place: TomlLocation) -> Effort:
    """Read how a model is asked at one effort."""
    return Effort(**table(value, place, EFFORT, ("send", "thinking")))


def life(value: object, place: TomlLocation) -> str:
    """Read a time to live."""
    if not isinstance(value, str) or not _LIFE.fullmatch(value):
        raise place.wrong(f'"{place.name}" must be a time to live, not {kind(value)}.', 'Write "5m" or "1h".')
    return value


def bill(value: object, place: TomlLocation) -> str:
    """Read where a provider tells afterwards what an answer cost: a path below its own address."""
    if not isinstance(value, str) or not _BILL.fullmatch(value) or value.count("{id}") != 1 or ".." in value:
        raise place.wrong(
            f'"{place.name}" must be a path below base_url with one {{id}} in it, not {kind(value)}.',
            'Write it such as "generation?id={id}".',
        )
    return value


def time_limits(value: object, place: TomlLocation) -> TimeLimits:
    """Read time-outs in seconds; one that is left out is None."""
    return TimeLimits(**table(value, place, TIMEOUTS))


def width(value: object, place: TomlLocation) -> int:
    """Read how many requests a provider is asked at the same time."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= WIDEST:
        what = f'"{place.name}" must be a whole number from 1 to {WIDEST}, not {kind(value)}.'
        raise place.wrong(what, "Write a whole number without quotes, such as 4.")
    return value


def adherence(value: object, place: TomlLocation) -> float:
    """Read a share of answers above 0: of a model of whom none holds, no such answer is asked for."""
    if not is_number(value) or not 0 < value <= 1:
        raise place.wrong(
            f'"{place.name}" must be a number above 0, 1 at most, not {kind(value)}.',
            "Write the share of its answers in blocks that are well formed, such as 0.97.",
        )
    return float(value)


def header(value: object, place: TomlLocation) -> str:
    """Read the name of a header that says nothing of who asks, and of what is sent."""
    if not isinstance(value, str) or not _HEADER.fullmatch(value) or value in _TAKEN:
        what = f'"{place.name}" must be the name of a header for a cache, not {kind(value)}.'
        raise place.wrong(what, 'Write it in lower case, with "x-" before it, such as "x-grok-conv-id".')
    return value


WIDEST = 100
"""Requests that one provider may be asked at the same time: so many connections are opened at most."""
_share = number(0, 1)
_MONEY: dict[str, Reader] = dict.fromkeys(_RATES, money)
PRICE: dict[str, Reader] = {**_MONEY, "batch": lambda value, place: Decimal(str(_share(value, place)))}
STEP: dict[str, Reader] = {"above": count(1), **_MONEY}
PEAK: dict[str, Reader] = {"days": days, "from": clock, "to": clock, **_MONEY}
CACHE: dict[str, Reader] = {
    "mode": choice(_MODES),
    "minimum": count(0),
    "ttl": items(life),
    "ready": choice(("start", "end")),
    "uses": count(1),
    "renew": flag,
}
QUIRKS: dict[str, Reader] = {
    "limit": text,
    "temperature": number(0, 2),
    "thinking_off": named(plain),
    "stream_usage": flag,
    "brief": flag,
    "cache_mark": named(plain),
    "cache_options": named(plain),
    "cache_key": text,
    "cache_header": header,
    "file_message": flag,
}
EFFORT: dict[str, Reader] = {
    "send": named(plain),
    "ability": lambda value, place: table(value, place, {action.id: _share for action in ACTIONS}),
    "thinking": count(0),
}
TIMEOUTS: dict[str, Reader] = {
    "connect": number(0.1, 600),
    "first_word": number(1, 3600),
    "idle": number(1, 3600),
    "total": number(1, 86_400),
}
RATE_LIMITS: dict[str, Reader] = dict.fromkeys(
    (
        "requests_per_minute",
        "tokens_per_minute",
        "input_tokens_per_minute",
        "output_tokens_per_minute",
        "concurrent_requests",
    ),
    count(1),
)
PROVIDER: dict[str, Reader] = {
    "wire": text,
    "base_url": text,
    "key_env": variable,
    "bill": bill,
    "timeouts": time_limits,
    "at_once": width,
}
MODEL: dict[str, Reader] = {
    "id": text,
    "provider": text,
    "tier": choice(TIERS),
    "price": price,
    "steps": items(step),
    "peak": items(peak),
    "context": count(1),
    "max_output": count(1),
    "ability": lambda value, place: table(value, place, {action.id: _share for action in ACTIONS}),
    "benchmarks": named(number(0, 100)),
    "cache": cache,
    "quirks": quirks,
    "effort": items(text),
    "at_effort": named(effort),
    "edit": choice(EDIT_FORMS),
    "edit_adherence": adherence,
    "public_only": flag,
    "seconds_to_first_token": number(0, 3600),
    "tokens_per_second": number(0, 1_000_000),
    "rate_limits": lambda value, place: table(value, place, RATE_LIMITS),
    "as_of": day,
    "source": text,
    "retires_on": day,
    "follows": text,
    "like": text,
}
