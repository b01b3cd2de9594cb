"""Format a length of time for people."""

from __future__ import annotations

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LONGEST = 7
"""Days beyond which no number is named."""


def spoken(seconds: float) -> str:
    """Return a length of time in words: ``less than a second``, ``20 s``, ``about 5 minutes``, ``about an hour``.

    :param seconds: not negative; infinity is allowed.
    """
    if seconds < 1:
        return "less than a second"
    if seconds <= 1.5 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 0.95 * _HOUR:
        return f"about {max(round(seconds / _MINUTE), 2)} minutes"
    if seconds < 1.5 * _HOUR:
        return "about an hour"
    if seconds < 0.95 * _DAY:
        return f"about {round(seconds / _HOUR)} hours"
    if seconds < 1.5 * _DAY:
        return "about a day"
    return f"about {round(seconds / _DAY)} days" if seconds <= _LONGEST * _DAY else "more than a week"
