"""How long to wait for a server, and for how long it asks to be left alone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait and how often to try again."""

    connect: float = 5.0
    """Seconds for a connection."""
    first_event: float = 120.0
    """Seconds from sending to the first text or thinking; a local model may have to read a long prompt first."""
    between_events: float = 60.0
    """Seconds without any event once the answer has begun."""
    retries: int = 2
    """How often to try again."""
    base: float = 0.5
    """Seconds before the first retry; each later wait is twice the one before."""
    cap: float = 8.0
    """The longest wait in seconds where the server does not ask for one."""

    def delay(self, tried: int) -> float:
        """Return the seconds to wait after so many retries; a little chance keeps two editors apart."""
        return min(self.base * 2.0**tried, self.cap) * random.uniform(0.75, 1)  # noqa: S311 - nothing secret


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds for which a response, its header names in lower case, asks to be left alone."""
    milliseconds = _seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _seconds(value)
    if seconds is not None:
        return seconds
    until = _moment(value)
    if until is None:
        return None
    # The server's own clock is the one that its date was made from.
    return max((until - (_moment(headers.get("date", "")) or datetime.now(UTC))).total_seconds(), 0.0)


def _seconds(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return max(number, 0.0) if isfinite(number) else None


def _moment(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
