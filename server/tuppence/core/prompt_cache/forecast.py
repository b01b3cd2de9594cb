"""Predict when the next request about a document comes and how much of its prefix it still has, from recent requests.

Requests that only warmed a cache do not show that the user returns, so they are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tuppence.core.prompt_cache.prefix import shared
from tuppence.core.prompt_cache.state import WARMING, Trace

_GAPS = 60
"""Gaps between requests by which the next one is foreseen."""
_FIRST, _LAST = timedelta(minutes=5), timedelta(hours=1)
_USUAL = 12
"""The weight of the prior for gaps, as a number of observed gaps, of which ..."""
_SOON = 8
"""... this many end within five minutes, evenly distributed ..."""
_LATER = 1
"""... and this many between five minutes and an hour, more likely sooner. The others never end."""
_USUAL_SHARE = 0.8
"""What share of a prefix the next request is believed to have before any was seen ..."""
_FAITH = 4
"""... and as many requests' worth."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The prediction for the next request."""

    gaps: Sequence[timedelta]
    """From each request to the next about the same document."""
    agreed: float
    """The share of a document's prefix that its next request probably still has."""


def outlook(traces: Sequence[Trace], now: datetime) -> Outlook:
    """Return the prediction for the next request."""
    return Outlook(gaps(traces, now), agreed(traces))


def gaps(traces: Sequence[Trace], now: datetime) -> list[timedelta]:
    """Return the time from each request to the next about the same document, or until now where none came."""
    last: dict[str, datetime] = {}
    found: list[tuple[datetime, timedelta]] = []
    for trace in asked(traces):
        if trace.place in last:
            found.append((trace.at, trace.at - last[trace.place]))
        last[trace.place] = trace.at
    # A document that was left an hour ago shows that requests end; one that was just asked about shows nothing yet.
    found += [(at, now - at) for at in last.values() if now - at > _LAST]
    return [gap for _, gap in sorted(found)][-_GAPS:]


def agreed(traces: Sequence[Trace]) -> float:
    """Return which share of a document's prefix its next request still had; the rest had been edited."""
    last: dict[str, Trace] = {}
    shares: list[float] = []
    for trace in asked(traces):
        if former := last.get(trace.place):
            common = shared(trace.links, former.links)
            shares.append(trace.links[common - 1].tokens / trace.links[-1].tokens if common else 0.0)
        last[trace.place] = trace
    shares = shares[-_GAPS:]
    return (sum(shares) + _USUAL_SHARE * _FAITH) / (len(shares) + _FAITH)


def chance(gaps: Sequence[timedelta], after: timedelta, until: timedelta) -> float:
    """Return how likely the next request comes by ``until``, where by ``after`` none had come."""
    if until <= after:
        return 0.0
    came = sum(after < gap <= until for gap in gaps) + _believed(until) - _believed(after)
    could = sum(gap > after for gap in gaps) + _USUAL - _believed(after)
    return came / could


def asked(traces: Sequence[Trace]) -> list[Trace]:
    """Return the requests of users, without those that only warmed a cache."""
    return [trace for trace in traces if trace.action not in WARMING]


def _believed(within: timedelta) -> float:
    """Return how many of the believed gaps end within a time."""
    if within <= _FIRST:
        return _SOON * (within / _FIRST)
    return _SOON + _LATER * min(math.log(within / _FIRST) / math.log(_LAST / _FIRST), 1.0)
