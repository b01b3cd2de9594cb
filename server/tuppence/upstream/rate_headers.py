"""Read an account's rate limits from response headers: Anthropic's names, OpenAI's, and names without a kind.

The server's numbers may be absurd, so callers must bound them. Invalid values are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tuppence.upstream.retry import moment

Kind = Literal["requests", "tokens", "input-tokens", "output-tokens"]
"""What is limited; ``tokens`` means prompt and answer tokens together."""
KINDS: tuple[Kind, ...] = ("requests", "tokens", "input-tokens", "output-tokens")
_FORMS = ("anthropic-ratelimit-{kind}-{what}", "x-ratelimit-{what}-{kind}")
_BARE = "x-ratelimit-{what}"
"""The form used by some gateways, for requests."""
_COUNT = re.compile(r"[0-9]{1,12}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?", re.ASCII)
_SPAN = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|us|µs|ns|d|h|m|s))+", re.ASCII)
_PART = re.compile(r"([0-9.]+)(ms|us|µs|ns|d|h|m|s)", re.ASCII)
_UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_EPOCH, _EPOCH_MS = 1e9, 1e12
"""From these values on, a number is a time in seconds, or milliseconds, since 1970 instead of a duration."""


@dataclass(frozen=True, slots=True)
class RateReading:
    """The state of one limit as reported by a server."""

    kind: Kind
    remaining: int
    """The remaining amount, not negative."""
    limit: int | None
    """The maximum amount; None if not reported."""
    reset: float
    """Seconds until the full amount is available, not negative."""


def read(headers: Mapping[str, str]) -> tuple[RateReading, ...]:
    """Return the readings of a response, whose header names must be in lower case."""
    readings = []
    for kind in KINDS:
        forms = [form.replace("{kind}", kind) for form in _FORMS] + [_BARE] * (kind == "requests")
        for form in forms:
            remaining = _count(headers.get(form.format(what="remaining"), ""))
            reset = _seconds(headers.get(form.format(what="reset"), ""), headers)
            if remaining is not None and reset is not None:
                limit = _count(headers.get(form.format(what="limit"), ""))
                readings.append(RateReading(kind, remaining, limit or None, reset))
                break
    return tuple(readings)


def _count(value: str) -> int | None:
    return int(value) if _COUNT.fullmatch(value.strip()) else None


def _seconds(value: str, headers: Mapping[str, str]) -> float | None:
    """Return the seconds until a time: ``12``, ``6m0s``, ``20ms``, seconds since 1970, RFC 3339, an HTTP date."""
    value = value.strip()
    if _NUMBER.fullmatch(value):
        number = float(value)
        if number < _EPOCH:
            return number
        return max((number / 1000 if number >= _EPOCH_MS else number) - _now(headers).timestamp(), 0.0)
    if _SPAN.fullmatch(value):
        parts = _PART.findall(value)
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    until = _stamp(value) or moment(value)
    return None if until is None else max((until - _now(headers)).total_seconds(), 0.0)


def _stamp(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _now(headers: Mapping[str, str]) -> datetime:
    """Return the server's own time if it reports one, else this machine's."""
    return moment(headers.get("date", "")) or datetime.now(UTC)
