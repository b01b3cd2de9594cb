"""Estimate the contents of a provider's prompt cache from recent requests, and explain why a request found nothing.

Everything is a function of the last requests' traces and the row's cache rules. Only the provider knows the truth: if
it reports what it read, later expectations are corrected accordingly. This module does not decide what to send
(core/prompt_cache/breakpoints.py) and stores nothing (prefixes.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tuppence.core.models.model import CacheRules, Model
from tuppence.core.models.usage import Usage
from tuppence.core.prompt_cache.prefix import Link, shared

PRE_WARM, KEEP_ALIVE = WARMING = ("pre-warm", "keep-alive")
"""The action names of requests that ask for no answer and only warm a cache: once on the user's request, or by the
setting ``keep_alive``."""
USUAL_LIFE = "5m"
"""Taken for the time to live where a row says none."""
SLACK = 1.25
"""Tokens are estimated: a prefix that may be this factor longer than thought is not taken for too short."""
_LONG = timedelta(hours=1)
"""From this time to live on writing has the dearer price."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NEAR = 0.98
"""Counts are estimated: what ends so near to the end of what was read ends there."""
_FAITH = 2
"""The weight of the prior that all expected tokens are read, as a number of full hits."""
_REMEMBERED = 8
"""Requests by which expectations are corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One request, as far as a provider's cache is concerned."""

    run: str
    action: str
    name: str
    """The document's name, shown to the user."""
    place: str
    """Tells documents of one name apart; says nothing about where they are."""
    model: str
    """``provider/id``."""
    at: datetime
    """When it was sent, with a time zone: times to live count from here."""
    links: tuple[Link, ...]
    """The end of each block that may be shared."""
    size: int
    """About how many tokens the whole prompt has."""
    held: tuple[int, ...]
    """The blocks at whose ends the provider keeps something because of this request, where its cache is explicit."""
    life: str
    """The time to live that was asked for; empty is the shortest."""
    expected: int
    """Tokens that were expected to be read."""
    prompt: int | None = None
    """Prompt tokens by the provider's count; None while there is none."""
    read: int | None = None
    """The part of ``prompt`` that the provider read from its cache; None if it does not say."""
    written: int = 0
    """Of those, what it wrote."""
    why: str = ""
    """What the request found in the cache, and the reason if that was not everything; one line for the user."""


def reach(links: tuple[Link, ...], model: Model, traces: Sequence[Trace], now: datetime) -> int:
    """Return how many blocks from the start the model's cache probably holds."""
    rules = model.cache
    uses = [0] * len(links)
    for trace in traces:
        if trace.model == model.name and _lives(trace, rules, now):
            for at in _held(trace, rules, shared(links, trace.links)):
                uses[at] += 1
    held = (at + 1 for at, count in enumerate(uses) if count >= rules.uses and suffices(links[at], rules))
    return max(held, default=0)


def entries(links: tuple[Link, ...], model: Model, traces: Sequence[Trace], now: datetime) -> dict[int, datetime]:
    """Return the blocks at whose ends an explicit cache certainly has an entry, with its expiry.

    An entry is certain if a request wrote it, read it, or marked an existing one; a mark inside text that was only read
    may have written nothing.
    """
    until: dict[int, datetime] = {}
    for trace in traces:
        if trace.model != model.name or (trace.read == 0 and trace.written == 0):
            continue
        if trace.at > now and not _lives(trace, model.cache, now):
            continue
        read = _read(trace)
        for at in _held(trace, model.cache, shared(links, trace.links)):
            if links[at].tokens >= read * _NEAR or until.get(at, trace.at) > trace.at:
                sent = min(trace.at, now)
                until[at] = max(until.get(at, sent), sent + lifetime(model.cache, trace.life))
    return {at: end for at, end in until.items() if end > now}


def warm(links: tuple[Link, ...], model: Model, traces: Sequence[Trace], now: datetime) -> int:
    """Return how many prompt tokens will probably be read from the model's cache."""
    blocks = reach(links, model, traces, now)
    return round(links[blocks - 1].tokens * _trust(model, traces)) if blocks else 0


def suffices(link: Link, rules: CacheRules) -> bool:
    """Report whether a prefix is long enough to be cached."""
    return rules.mode != "none" and link.tokens * SLACK >= rules.minimum


def lifetime(rules: CacheRules, life: str = "") -> timedelta:
    """Return for how long an entry is kept."""
    text = life or (rules.ttl[0] if rules.ttl else USUAL_LIFE)
    return timedelta(seconds=int(text[:-1]) * _SECONDS[text[-1]])


def usage(rules: CacheRules, life: str, read: int, written: int) -> Usage:
    """Return prompt tokens that are read and written, in the bucket of the time to live that they are written for."""
    if lifetime(rules, life) >= _LONG:
        return Usage(cache_read=read, cache_write_1h=written)
    return Usage(cache_read=read, cache_write=written)


def explain(trace: Trace, before: Sequence[Trace], rules: CacheRules) -> str:
    """Return in one line what a request found in the cache, and the reason if that was not everything.

    :param before: the requests that were sent earlier, oldest first.
    """
    last = trace.links[-1]
    if rules.mode == "none":
        return "this model has no prompt cache"
    if trace.prompt is None:
        return "it ended before the provider counted anything"
    if trace.read is None:
        return "unknown: the provider does not say what it reads"
    if trace.read / max(trace.prompt, 1) >= 0.9 * last.tokens / max(trace.size, 1):
        return "hit"
    if not suffices(last, rules):
        return f"below the model's minimum: {last.tokens} tokens can be shared, and it keeps none under {rules.minimum}"
    if trace.read == 0 and last.tokens < rules.minimum:
        return f"probably below the model's minimum: about {last.tokens} of {rules.minimum} tokens can be shared"
    return _miss(trace, before, rules)


def _miss(trace: Trace, before: Sequence[Trace], rules: CacheRules) -> str:
    mine = [each for each in before if each.model == trace.model]
    if not any(each.place == trace.place for each in mine):
        return f"the first request about {trace.name} to this model"
    nearest = max(mine, key=lambda each: (shared(trace.links, each.links), each.at))
    common = shared(trace.links, nearest.links)
    passed = trace.at - nearest.at
    if common < len(trace.links):
        return f"the first block that differs from {_ago(passed)} earlier: {trace.links[common].name}"
    kept = lifetime(rules, nearest.life)
    if passed > kept:
        return f"expired: the same was sent {_ago(passed)} earlier, and is kept for {_ago(kept)}"
    same = sum(shared(trace.links, each.links) == len(trace.links) for each in mine)
    if same < rules.uses:
        return f"this provider reads a prefix after {rules.uses} requests had it, and this was number {same + 1}"
    if rules.mode == "explicit" and not nearest.held:
        return (
            f"the same was sent {_ago(passed)} earlier without a cache mark, which would have cost more than it saves"
        )
    if rules.ready == "end" or nearest.prompt is None:
        return f"the same was sent {_ago(passed)} earlier, perhaps too late to be read"
    return f"the same was sent {_ago(passed)} earlier, and the provider no longer had it"


def _read(trace: Trace) -> float:
    """Return about how many of our tokens a request read: what was expected, where the provider did not say."""
    if trace.read is None or not trace.prompt:
        return trace.expected
    return trace.read / trace.prompt * trace.size


def _lives(trace: Trace, rules: CacheRules, now: datetime) -> bool:
    # What was sent far in the future was sent before the clock was set back, at an unknown time.
    return abs(now - trace.at) <= lifetime(rules, trace.life)


def _held(trace: Trace, rules: CacheRules, common: int) -> Sequence[int]:
    """Return those of the first ``common`` blocks at whose ends this request left an entry."""
    if rules.mode == "automatic":
        return range(common)
    if trace.read == 0 and trace.written == 0:
        return ()  # The provider says that it kept nothing.
    return [at for at in trace.held if at < common]


def _trust(model: Model, traces: Sequence[Trace]) -> float:
    """Return the share of what was expected of this model's cache that it kept."""
    told = [each for each in traces if each.model == model.name and each.expected and each.read is not None]
    kept = [
        min((each.read or 0) / max(each.prompt or 0, 1) / (each.expected / max(each.size, 1)), 1.0)
        for each in told[-_REMEMBERED:]
    ]
    return (sum(kept) + _FAITH) / (len(kept) + _FAITH)


def _ago(passed: timedelta) -> str:
    seconds = round(passed.total_seconds())
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"  # noqa: PLR2004 - two hours
