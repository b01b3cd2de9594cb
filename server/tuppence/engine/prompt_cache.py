"""What requests share at providers: traces of the last requests, and single flight for a shared prefix.

Cache breakpoints, routing and ``tuppence cache`` use the traces, which contain digests, sizes and the names of blocks,
never a prompt. :mod:`tuppence.core.prompt_cache.state` interprets them.

A provider's cache can be read only after the first answer has begun (at Qwen: ended). Two requests with one prefix that
are sent together would therefore both pay for all of it. So one is sent first, and the others wait for it up to a
limit; if the first one fails, the next is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Self

from tuppence.cache import Traces
from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage, estimate_length
from tuppence.core.prompt.compose import Prompt
from tuppence.core.prompt_cache import forecast, state
from tuppence.core.prompt_cache.breakpoints import mark, writes
from tuppence.core.prompt_cache.prefix import chain
from tuppence.core.prompt_cache.state import Trace
from tuppence.providers import Stop, UsageReport
from tuppence.upstream import Piece, RequestSent, RetryScheduled

__all__ = ["PrefixLease", "PromptCache", "Sent", "SingleFlight", "Subject"]

LONGEST = {"start": 8.0, "end": 60.0}
"""Maximum seconds to wait for the leading request, by the event after which its prefix can be read."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about."""

    run: str
    action: str
    uri: str
    """The document's URI; only a digest and its last component are stored."""
    language: str = ""
    """The document's language id."""
    version: int | None = None
    """The version that was sent; None if unknown."""

    @property
    def place(self) -> str:
        """The digest that identifies the document."""
        return sha256(self.uri.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request whose prefix can now be read."""

    prompt: Prompt
    """The prompt as it was sent, with its cache marks."""
    model: Model
    subject: Subject
    at: datetime
    """The time of sending, with a time zone; cache lifetimes are counted from it."""


class PromptCache:
    """The last requests, oldest first."""

    def __init__(self, traces: Traces | None = None) -> None:
        self._ended = traces or Traces()
        self._under_way: list[Trace] = []
        self.single_flight = SingleFlight()
        self.told: Callable[[Sent], None] = lambda _sent: None
        """Called with each request that has ended and left its prefix in a cache."""

    def lease(self, prompt: Prompt, model: Model, subject: Subject, now: datetime) -> PrefixLease:
        """Return the lease for a request; enter it before waiting in the provider's queue."""
        return PrefixLease(prefixes=self, prompt=prompt, model=model, subject=subject, sent=now)

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The last requests, oldest first."""
        return (*self._ended.all(), *self._under_way)

    def marked(self, prompt: Prompt, model: Model, subject: Subject, now: datetime) -> Prompt:
        """Return the prompt with the cache marks that pay."""
        return mark(prompt, model, subject.place, self.traces, now)

    def warm(self, prompt: Prompt, models: Iterable[Model], now: datetime) -> Mapping[str, int]:
        """Return the prompt tokens that each model would probably read from its cache, by name, if any."""
        links, traces = chain(prompt), self.traces
        found = {model.name: state.warm(links, model, traces, now) for model in models}
        return {name: tokens for name, tokens in found.items() if tokens}

    def written(
        self, prompt: Prompt, models: Iterable[Model], warm: Mapping[str, int], now: datetime
    ) -> Mapping[str, Usage]:
        """Return the tokens that each model's marks would write, by name; models that would write none are absent.

        :param warm: the result of ``warm`` for this prompt.
        """
        links, outlook = chain(prompt), forecast.outlook(self.traces, now)
        found = {model.name: writes(links, model, warm.get(model.name, 0), outlook) for model in models}
        return {name: usage for name, usage in found.items() if usage.prompt}

    def sent(self, prompt: Prompt, model: Model, subject: Subject, at: datetime) -> Trace:
        """Record a request whose answer has begun, so that its prefix can be read; return its trace."""
        links = chain(prompt)
        held = state.reach(links, model, self.traces, at)
        trace = Trace(
            run=subject.run,
            action=subject.action,
            name=subject.uri.rpartition("/")[2],
            place=subject.place,
            model=model.name,
            at=at,
            links=links,
            size=estimate_length(prompt.characters),
            held=tuple(sorted({*prompt.marks, *([held - 1] if held else [])})),
            life=prompt.life,
            expected=links[held - 1].tokens if held else 0,
        )
        self._under_way.append(trace)
        return trace

    def key(self, prompt: Prompt, model: Model, now: datetime) -> str | None:
        """Return the key of a prefix that requests should not send at the same time; None if they may."""
        links, rules = chain(prompt), model.cache
        alone = rules.uses > 1 or model.tier == "local"  # A local server answers one request at a time anyway.
        if alone or not state.suffices(links[-1], rules):
            return None
        if state.reach(links, model, self.traces, now) == len(links):
            return None
        return f"{model.name} {links[-1].digest}"

    def ended(self, trace: Trace, model: Model, usage: Usage | None) -> None:
        """Record the end of a request, and the provider's counts for it."""
        if usage is not None:
            written = usage.cache_write + usage.cache_write_1h
            counted = replace(trace, prompt=usage.prompt, read=usage.cache_read, written=written)
        else:
            counted = trace
        self._under_way.remove(trace)
        before = [each for each in self.traces if each.at < trace.at]
        self._ended.add(replace(counted, why=state.explain(counted, before, model.cache)))


@dataclass(kw_only=True)
class PrefixLease:
    """Orders one request behind others with its prefix; an async context manager."""

    prefixes: PromptCache
    model: Model
    subject: Subject
    prompt: Prompt
    """The prompt as it is sent, after ``marked`` was called."""
    sent: datetime
    """The time of sending."""
    _leader: Leader | None = None
    _trace: Trace | None = None
    _usage: Usage | None = None

    def __post_init__(self) -> None:
        self._key = self.prefixes.key(self.prompt, self.model, self.sent)

    @property
    def waits(self) -> bool:
        """Whether another request with this prefix is ahead."""
        return self._key is not None and self.prefixes.single_flight.led(self._key)

    async def __aenter__(self) -> Self:
        if self._key is not None:
            longest = LONGEST[self.model.cache.ready]
            self._leader = await self.prefixes.single_flight.board(self._key, longest)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._key is not None and self._leader is not None:
            self.prefixes.single_flight.leave(self._key, self._leader)
        if self._trace is not None:
            self.prefixes.ended(self._trace, self.model, self._usage)
            self.prefixes.told(Sent(self.prompt, self.model, self.subject, self.sent))

    def marked(self, now: datetime) -> Prompt:
        """Return the prompt as it is to be sent now, with its cache marks."""
        self.sent = now
        self.prompt = self.prefixes.marked(self.prompt, self.model, self.subject, now)
        return self.prompt

    def expected(self) -> Usage:
        """Return the prompt tokens that the provider will probably read from and write to its cache."""
        warm = self.prefixes.warm(self.prompt, (self.model,), self.sent)
        written = self.prefixes.written(self.prompt, (self.model,), warm, self.sent)
        return replace(written.get(self.model.name, Usage()), cache_read=warm.get(self.model.name))

    def note(self, piece: Piece) -> None:
        """Take a piece of the answer. After the first one (or the last), the written prefix can be read."""
        if isinstance(piece, RequestSent | RetryScheduled):
            return
        if isinstance(piece, UsageReport):
            self._usage = piece.usage
        if self._trace is None and (self.model.cache.ready == "start" or isinstance(piece, Stop)):
            self._trace = self.prefixes.sent(self.prompt, self.model, self.subject, self.sent)
            if self._key is not None and self._leader is not None:
                self.prefixes.single_flight.land(self._key, self._leader)


class Leader:
    """The request that is sent first."""

    def __init__(self) -> None:
        self.landed = False
        """Whether the prefix that it wrote can be read."""
        self.over = asyncio.Event()
        """Set when the prefix can be read, or when the request ended without that."""


class SingleFlight:
    """The leading requests, by prefix."""

    def __init__(self) -> None:
        self._leaders: dict[str, Leader] = {}

    def led(self, key: str) -> bool:
        """Report whether a request with this prefix is ahead."""
        return key in self._leaders

    async def board(self, key: str, longest: float) -> Leader | None:
        """Wait for the leading request, at most ``longest`` seconds; return a new leader, None if none is needed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest):
                while (ahead := self._leaders.get(key)) is not None:
                    await ahead.over.wait()
                    if ahead.landed:
                        return None
        if key in self._leaders:
            return None
        self._leaders[key] = Leader()
        return self._leaders[key]

    def land(self, key: str, leader: Leader) -> None:
        """Release the waiting requests: the prefix that the leader wrote can be read."""
        leader.landed = True
        self.leave(key, leader)

    def leave(self, key: str, leader: Leader) -> None:
        """Let the next request lead, if the prefix is still not readable."""
        leader.over.set()
        if self._leaders.get(key) is leader:
            del self._leaders[key]
