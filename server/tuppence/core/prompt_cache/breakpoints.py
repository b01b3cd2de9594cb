"""Place a prompt's cache breakpoints, and choose the time to live of the cached prefix.

A breakpoint costs nothing by itself: what is written is paid for once, however many breakpoints are in it. So as many
are set as the provider allows: one after the last shared block, so that the next action on this file reads the whole
prefix, and the others where they leave the least to be written again after an edit. A breakpoint also keeps an existing
entry alive. None are set if writing would cost more than it probably saves.

The place of the next edit is unknown, but its likely places are known: the target, which a fix is about to change; the
last edit; or anywhere in the file. The next request may also be about another file, and then shares only what precedes
this file. In each case the prompt is read up to the last entry before the change, so the choice maximizes the
expectation over these cases.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.core.prompt_cache import forecast
from tuppence.core.prompt_cache.forecast import Outlook
from tuppence.core.prompt_cache.prefix import Link, chain, shared
from tuppence.core.prompt_cache.state import Trace, entries, lifetime, suffices, usage

MOST = 4
"""The number of marks that every provider with marks allows."""
LOOKBACK = 20
"""The number of blocks before a mark in which an earlier entry is found (Anthropic and Qwen; OpenAI looks further)."""
AT_TARGET = 0.3
"""The probability that the next change is in the block of the target ..."""
AT_LAST_EDIT = 0.15
"""... and in the block of the last change; the remainder is spread over the file by length."""
ELSEWHERE = 0.1
"""The probability that the next request is about another file."""
DOUBT = 0.3
"""The probability that a mark inside text that is only read keeps an entry. By the wording of Anthropic's
documentation each mark writes one, but no source says so of text that is not written."""
_ROUNDS = 2
"""How often each mark is tried at other places after all are set."""


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
    chosen = choose(prospect, MOST - 1, _seen_from(links, left))
    shortest = model.cache.ttl[0] if model.cache.ttl else ""
    marks = tuple(sorted((*chosen, len(links) - 1)))
    return replace(prompt, marks=marks, life="" if life == shortest else life)


def _seen_from(links: Sequence[Link], held: Collection[int]) -> range:
    """Return the positions at which a mark finds the last entry; empty if the mark at the end finds it."""
    last = max(held, default=-1)
    far = last >= 0 and len(links) - 1 - last >= LOOKBACK
    return range(last, last + LOOKBACK) if far else range(0)


def writes(links: Sequence[Link], model: Model, read: int, outlook: Outlook) -> Usage:
    """Return the tokens that a prompt's marks would write if ``read`` tokens are read; none if marks do not pay."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """The data about a prompt's blocks from which its marks are chosen."""

    tokens: Sequence[int]
    """To the end of each block, from the prompt's start."""
    file_at: int
    """The file's first block."""
    target_at: int
    """The block of the target."""
    edited_at: int | None
    """The first block that changed since the last request about the file."""
    left: Mapping[int, float]
    """The share of its life that an entry at a block's end has left."""
    least: int
    """Tokens under which nothing is kept."""


def choose(prospect: Prospect, most: int, among: Collection[int]) -> list[int]:
    """Return up to ``most`` blocks to mark in addition to the last one, those that keep most first.

    :param among: the permitted blocks for the first of them; empty permits any.
    """
    last = len(prospect.tokens) - 1
    free = [at for at in range(last) if prospect.tokens[at] >= prospect.least]
    likely = weights(prospect)
    chosen: list[int] = []
    for _ in range(most):
        bound = [at for at in free if at in among] if among and not chosen else free
        if (best := _best(prospect, likely, chosen, bound)) is None:
            break
        chosen.append(best)
    first = 1 if among else 0
    for _ in range(_ROUNDS):
        for index in range(first, len(chosen)):
            others = [*chosen[:index], *chosen[index + 1 :]]
            best = _best(prospect, likely, others, free)
            chosen[index] = chosen[index] if best is None else best
    return chosen


def _best(prospect: Prospect, likely: Sequence[float], chosen: Sequence[int], free: Sequence[int]) -> int | None:
    """Return the block which, marked beside those that are, adds most to what may be expected to be read."""
    sure = {**prospect.left, **{at: _after(prospect, at) for at in chosen}}
    read = list(
        accumulate(
            enumerate(prospect.tokens),
            lambda before, block: before + sure.get(block[0], 0.0) * (block[1] - before),
            initial=0.0,
        )
    )
    # What one more token read before a block is worth: it counts until a later entry takes its place.
    worth = [0.0]
    for at in range(len(likely) - 1, -1, -1):
        worth.append(likely[at] + (1 - sure.get(at, 0.0)) * worth[-1])
    worth.reverse()
    gains = {
        at: (_after(prospect, at) - sure.get(at, 0.0)) * (prospect.tokens[at] - read[at]) * worth[at + 1]
        for at in free
        if at not in chosen
    }
    return max(gains, key=lambda at: gains[at], default=None)


def _after(prospect: Prospect, at: int) -> float:
    """Return the probability that an entry exists at a block's end once it was marked."""
    return 1.0 if at in prospect.left or at > max(prospect.left, default=-1) else DOUBT


def weights(prospect: Prospect) -> list[float]:
    """Return how likely the next change is in each block."""
    tokens = prospect.tokens
    lengths = [0] * prospect.file_at + [end - start for start, end in pairwise(tokens[prospect.file_at - 1 :])]
    edited = prospect.edited_at
    rest = 1 - AT_TARGET - ELSEWHERE - (0 if edited is None else AT_LAST_EDIT)
    found = [rest * length / max(sum(lengths), 1) for length in lengths]
    for at, weight in ((prospect.target_at, AT_TARGET), (prospect.file_at, ELSEWHERE), (edited, AT_LAST_EDIT)):
        if at is not None and at < len(found):
            found[at] += weight
    return found
