"""Retry policy: how long to wait for a server, how often to retry, and how long it asks to wait."""

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
"""Maximum wait in seconds that a server may ask for; for a longer one, the next model answers sooner."""
_NUMBER = re.compile(r"\s*(-?)([0-9]{1,15}(?:\.[0-9]{0,15})?)\s*", re.ASCII)
_SOON = "in a moment"
"""The wording in a remedy for a wait of unknown length."""


@dataclass(frozen=True)
class RetryPolicy:
    """Time limits and retries of a call."""

    connect: float = 5.0
    """Seconds to connect."""
    first_event: float = 120.0
    """Seconds from sending to the first text or thinking; a local model may need long to read a prompt."""
    between_events: float = 60.0
    """Seconds without text or thinking after the answer has begun."""
    total: float = 600.0
    """Seconds for all attempts together, including the pauses and the answer."""
    retries: int = 2
    """Number of retries."""
    base: float = 0.5
    """Seconds before the first retry; each later wait is doubled."""
    cap: float = 8.0
    """Maximum wait in seconds if the server does not ask for one."""

    def delay(self, tried: int) -> float:
        """Return the seconds to wait after ``tried`` retries; jitter keeps several editors from retrying together."""
        return min(self.base * 2.0**tried, self.cap) * random.uniform(0.75, 1)  # noqa: S311 - nothing secret

    def within(self, limits: TimeLimits) -> RetryPolicy:
        """Return this policy with the given limits in place of its own."""
        return replace(
            self,
            connect=limits.connect or self.connect,
            first_event=limits.first_word or self.first_event,
            between_events=limits.idle or self.between_events,
            total=limits.total or self.total,
        )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a response, with lower-case header names, asks to wait.

    The value is the server's own and may be absurd; None if it names none.
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
    # The date was made from the server's own clock.
    return max((until - (moment(headers.get("date", "")) or datetime.now(UTC))).total_seconds(), 0.0)


def with_wait(error: Busy, after: float | None) -> Busy:
    """Set on the error the wait that its provider asked for, with a sentence if it is long; return the error."""
    error.after = after
    if after is not None and after >= 1:
        error.remedy = error.remedy.replace(_SOON, f"in {spoken(after)}")
    return error


def moment(value: str) -> datetime | None:
    """Return the time of an HTTP date; None if it is invalid."""
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
