"""Where the cache marks of a prompt go, and how long what they keep shall live.

A mark costs nothing by itself: what is written is paid for once, however many marks stand in it. So all that a
provider allows are set: one after the last shared block, which the next action on this file reads whole, and the
others where they leave least to be written again after an edit (spread.py). A mark also keeps an entry alive that
stands there already.

No marks are set where writing would cost more than it probably saves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tuppence.core import spread
from tuppence.core.models import Model
from tuppence.core.prefix import Link, chain, shared
from tuppence.core.prompt import Prompt
from tuppence.core.spread import Prospect
from tuppence.core.warmth import Trace, entries, lifetime, suffices

MOST = 4
"""Marks that every provider with marks allows."""
LOOKBACK = 20
"""Blocks before a mark in which an earlier entry is found (Anthropic and Qwen; OpenAI looks further)."""
_GAPS = 60
"""Gaps between requests by which the next one is foreseen."""
_USUAL = ((timedelta(minutes=5), 8), (timedelta(hours=1), 1), (timedelta.max, 3))
"""What is believed of gaps before any was seen: how many of twelve lie below which bound."""
_USUAL_SHARE = 0.8
"""What is believed of that share before any was seen ..."""
_FAITH = 4
"""... and as many requests' worth."""


def mark(prompt: Prompt, model: Model, place: str, traces: Sequence[Trace], now: datetime) -> Prompt:
    """Return the prompt with the marks that pay; without any where the model's cache takes none.

    :param place: the document's, as in ``Trace``.
    :param traces: the last requests, oldest first.
    """
    links = chain(prompt)
    if model.cache.mode != "explicit" or not suffices(links[-1], model.cache):
        return prompt
    life = _life(model, traces, now)
    if life is None:
        return prompt
    left = {at: (until - now) / lifetime(model.cache, life) for at, until in entries(links, model, traces, now).items()}
    former = next((each for each in reversed(traces) if each.place == place and each.model == model.name), None)
    same = shared(links, former.links) if former else 0
    prospect = Prospect(
        tokens=[link.tokens for link in links],
        file_at=prompt.file_at,
        target_at=prompt.target_at,
        edited_at=same if 0 < same < len(links) else None,
        left={at: min(share, 1.0) for at, share in left.items()},
        least=model.cache.minimum,
    )
    chosen = spread.choose(prospect, MOST - 1, _seen_from(links, left))
    shortest = model.cache.ttl[0] if model.cache.ttl else ""
    marks = tuple(sorted((*chosen, len(links) - 1)))
    return replace(prompt, marks=marks, life="" if life == shortest else life)


def _seen_from(links: Sequence[Link], held: Collection[int]) -> range:
    """Return where a mark has to stand for the last entry to be found; empty where the mark at the end finds it."""
    last = max(held, default=-1)
    far = last >= 0 and len(links) - 1 - last >= LOOKBACK
    return range(last, last + LOOKBACK) if far else range(0)


def _life(model: Model, traces: Sequence[Trace], now: datetime) -> str | None:
    """Return the time to live that makes prompts cheapest in expectation; None where marks only cost."""
    lives = model.cache.ttl or ("",)
    if model.price is None:
        return lives[0]
    rates = model.price.base
    if not rates.input:
        return lives[0]
    read = float((rates.input if rates.cache_read is None else rates.cache_read) / rates.input)
    gaps = _gaps(traces, now)
    agreed = _agreed(traces)
    costs: dict[str | None, float] = {None: 1.0}
    for life in lives:
        kept = lifetime(model.cache, life)
        written = rates.cache_write_1h if kept >= timedelta(hours=1) else None
        write = float((written or rates.cache_write or rates.input) / rates.input)
        hits = _chance(gaps, kept)
        costs[life] = hits * (agreed * read + (1 - agreed) * write) + (1 - hits) * write
    return min(costs, key=lambda life: costs[life])


def _gaps(traces: Sequence[Trace], now: datetime) -> list[timedelta]:
    """Return the time from each request to the next about the same document, or until now where none came."""
    last: dict[str, datetime] = {}
    found: list[tuple[datetime, timedelta]] = []
    for trace in traces:
        if trace.place in last:
            found.append((trace.at, trace.at - last[trace.place]))
        last[trace.place] = trace.at
    # A document that was left an hour ago shows that requests end; one that was just asked about shows nothing yet.
    found += [(at, now - at) for at in last.values() if now - at > timedelta(hours=1)]
    return [gap for _, gap in sorted(found)][-_GAPS:]


def _agreed(traces: Sequence[Trace]) -> float:
    """Return which share of a document's prefix its next request still had; the rest had been edited."""
    last: dict[str, Trace] = {}
    shares: list[float] = []
    for trace in traces:
        if former := last.get(trace.place):
            common = shared(trace.links, former.links)
            shares.append(trace.links[common - 1].tokens / trace.links[-1].tokens if common else 0.0)
        last[trace.place] = trace
    shares = shares[-_GAPS:]
    return (sum(shares) + _USUAL_SHARE * _FAITH) / (len(shares) + _FAITH)


def _chance(gaps: Sequence[timedelta], within: timedelta) -> float:
    believed = sum(count for bound, count in _USUAL if bound <= within)
    if within < _USUAL[0][0]:
        believed = _USUAL[0][1] // 2
    total = sum(count for _, count in _USUAL)
    return (sum(gap <= within for gap in gaps) + believed) / (len(gaps) + total)
