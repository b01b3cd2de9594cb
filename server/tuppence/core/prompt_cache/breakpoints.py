"""Where the cache marks of a prompt go, and how long what they keep shall live.

A mark costs nothing by itself: what is written is paid for once, however many marks stand in it. So all that a
provider allows are set: one after the last shared block, which the next action on this file reads whole, and the
others where they leave least to be written again after an edit (core/prompt_cache/spread.py). A mark also keeps an
entry alive that stands there already.

No marks are set where writing would cost more than it probably saves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.core.prompt_cache import forecast, spread
from tuppence.core.prompt_cache.forecast import Outlook
from tuppence.core.prompt_cache.prefix import Link, chain, shared
from tuppence.core.prompt_cache.spread import Prospect
from tuppence.core.prompt_cache.state import Trace, entries, lifetime, suffices, usage

MOST = 4
"""Marks that every provider with marks allows."""
LOOKBACK = 20
"""Blocks before a mark in which an earlier entry is found (Anthropic and Qwen; OpenAI looks further)."""


def mark(prompt: Prompt, model: Model, place: str, traces: Sequence[Trace], now: datetime) -> Prompt:
    """Return the prompt with the marks that pay; without any where the model's cache takes none.

    :param place: the document's, as in ``Trace``.
    :param traces: the last requests, oldest first.
    """
    links = chain(prompt)
    if model.cache.mode != "explicit" or not suffices(links[-1], model.cache):
        return prompt
    life = _life(model, forecast.outlook(traces, now))
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


def writes(links: Sequence[Link], model: Model, read: int, outlook: Outlook) -> Usage:
    """Return the tokens that the marks of a prompt would write, where so many are read; none where no marks pay."""
    if model.cache.mode != "explicit" or not suffices(links[-1], model.cache):
        return Usage()
    life = _life(model, outlook)
    return Usage() if life is None else usage(model.cache, life, 0, max(links[-1].tokens - read, 0))


def _life(model: Model, outlook: Outlook) -> str | None:
    """Return the time to live that makes prompts cheapest in expectation; None where marks only cost."""
    lives = model.cache.ttl or ("",)
    if model.price is None:
        return lives[0]
    rates = model.price.base
    if not rates.input:
        return lives[0]
    read = float((rates.input if rates.cache_read is None else rates.cache_read) / rates.input)
    agreed = outlook.agreed
    costs: dict[str | None, float] = {None: 1.0}
    for life in lives:
        kept = lifetime(model.cache, life)
        written = rates.cache_write_1h if kept >= timedelta(hours=1) else None
        write = float((written or rates.cache_write or rates.input) / rates.input)
        hits = forecast.chance(outlook.gaps, timedelta(0), kept)
        costs[life] = hits * (agreed * read + (1 - agreed) * write) + (1 - hits) * write
    return min(costs, key=lambda life: costs[life])
