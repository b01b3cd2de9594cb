"""How long to wait for a server, how often to ask again, and for how long it asks to be left alone."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tuppence.core.models.time_limits import TimeLimits
from tuppence.core.text.durations import spoken
from tuppence.errors import Busy

PATIENT = 20.0
"""A server that asks for more seconds than this is given up on: the next model answers a waiting person sooner."""
_NUMBER = re.compile(r"\s*(-?)([0-9]{1,15}(?:\.[0-9]{0,15})?)\s*", re.ASCII)
_SOON = "in a moment"
"""What a remedy says about a wait of unknown length."""


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait and how often to try again."""

    connect: float = 5.0
    """Seconds for a connection."""
    first_event: float = 120.0
    """Seconds from sending to the first text or thinking; a local model may have to read a long prompt first."""
    between_events: float = 60.0
    """Seconds without text or thinking once the answer has begun."""
    total: float = 600.0
    """Seconds for all tries together, the pauses between them and the answer."""
    retries: int = 2
    """How often to try again."""
    base: float = 0.5
    """Seconds before the first retry; each later wait is twice the one before."""
    cap: float = 8.0
    """The longest wait in seconds where the server does not ask for one."""

    def delay(self, tried: int) -> float:
        """Return the seconds to wait after so many retries; a little chance keeps two editors apart."""
        return min(self.base * 2.0**tried, self.cap) * random.uniform(0.75, 1)  # noqa: S311 - nothing secret

    def within(self, limits: TimeLimits) -> RetryPolicy:
        """Return this policy with the limits that are set in place of its own."""
        return replace(
            self,
            connect=limits.connect or self.connect,
            first_event=limits.first_word or self.first_event,
            between_events=limits.idle or self.between_events,
            total=limits.total or self.total,
        )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds for which a response, its header names in lower case, asks to be left alone.

    The value is the server's own, however large; None where it names no time.
    """
    milliseconds = _seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _seconds(value)
    if seconds is not None:
        return seconds
    until = moment(value)
    if until is None:
        return None
    # The server's own clock is the one that its date was made from.
    return max((until - (moment(headers.get("date", "")) or datetime.now(UTC))).total_seconds(), 0.0)


def with_wait(error: Busy, after: float | None) -> Busy:
    """Return the error, which is changed, with the wait that its provider asked for, named where it is not short."""
    error.after = after
    if after is not None and after >= 1:
        error.remedy = error.remedy.replace(_SOON, f"in {spoken(after)}")
    return error


def moment(value: str) -> datetime | None:
    """Return the moment that an HTTP date names; None where it is none."""
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _seconds(value: str) -> float | None:
    found = _NUMBER.fullmatch(value)
    if found is None:
        return None
    return 0.0 if found[1] else float(found[2])
