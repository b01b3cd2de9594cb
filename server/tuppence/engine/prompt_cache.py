"""What requests share at the providers: traces of the last requests, and single flight for a shared prefix.

The cache breakpoints, the route and ``tuppence cache`` use the traces, which hold digests, sizes and the names of
blocks, never a prompt. :mod:`tuppence.core.prompt_cache.state` interprets them.

A provider's cache can be read only once the first answer has begun (Qwen's: ended), so two requests with one prefix
that are sent together would each pay for all of it. So one goes ahead and the others wait, up to a limit; when the
first one fails, the next goes ahead.
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
"""Seconds to wait for who is ahead, by the moment from which its prefix can be read."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about."""

    run: str
    action: str
    uri: str
    """The document's; only a digest and the last part of it are kept."""
    language: str = ""
    """The document's language."""
    version: int | None = None
    """The document's version that was sent; None where it is not known."""

    @property
    def place(self) -> str:
        """The digest that tells documents apart."""
        return sha256(self.uri.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request whose prefix can be read by now."""

    prompt: Prompt
    """As it was sent, with its cache marks."""
    model: Model
    subject: Subject
    at: datetime
    """When it was sent, with a time zone: times to live count from here."""


class PromptCache:
    """The last requests, oldest first."""

    def __init__(self, traces: Traces | None = None) -> None:
        self._ended = traces or Traces()
        self._under_way: list[Trace] = []
        self.single_flight = SingleFlight()
        self.told: Callable[[Sent], None] = lambda _sent: None
        """Called with each request that has ended and left its prefix in a cache."""

    def lease(self, prompt: Prompt, model: Model, subject: Subject, now: datetime) -> PrefixLease:
        """Return what takes a request past those with the same prefix; to be entered before its turn is waited for."""
        return PrefixLease(prefixes=self, prompt=prompt, model=model, subject=subject, sent=now)

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The last requests, oldest first."""
        return (*self._ended.all(), *self._under_way)

    def marked(self, prompt: Prompt, model: Model, subject: Subject, now: datetime) -> Prompt:
        """Return the prompt with the cache marks that pay."""
        return mark(prompt, model, subject.place, self.traces, now)

    def warm(self, prompt: Prompt, models: Iterable[Model], now: datetime) -> Mapping[str, int]:
        """Return how many prompt tokens each model would probably read from its cache, by name of the warm."""
        links, traces = chain(prompt), self.traces
        found = {model.name: state.warm(links, model, traces, now) for model in models}
        return {name: tokens for name, tokens in found.items() if tokens}

    def written(
        self, prompt: Prompt, models: Iterable[Model], warm: Mapping[str, int], now: datetime
    ) -> Mapping[str, Usage]:
        """Return the tokens that each model's marks would write, by name of those that would write any.

        :param warm: what ``warm`` said of the same prompt.
        """
        links, outlook = chain(prompt), forecast.outlook(self.traces, now)
        found = {model.name: writes(links, model, warm.get(model.name, 0), outlook) for model in models}
        return {name: usage for name, usage in found.items() if usage.prompt}

    def sent(self, prompt: Prompt, model: Model, subject: Subject, at: datetime) -> Trace:
        """Note a request whose answer has begun: from now on its prefix can be read. Return its trace."""
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
        """Return the word for a prefix that requests had better not send at once; None where they may."""
        links, rules = chain(prompt), model.cache
        alone = rules.uses > 1 or model.tier == "local"  # One's own machine answers one at a time as it is.
        if alone or not state.suffices(links[-1], rules):
            return None
        if state.reach(links, model, self.traces, now) == len(links):
            return None
        return f"{model.name} {links[-1].digest}"

    def ended(self, trace: Trace, model: Model, usage: Usage | None) -> None:
        """Note the end of a request, and what the provider counted for it."""
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
    """One request's way past those with the same prefix; an async context manager."""

    prefixes: PromptCache
    model: Model
    subject: Subject
    prompt: Prompt
    """As it is sent, once ``marked`` was called."""
    sent: datetime
    """When that was."""
    _leader: Leader | None = None
    _trace: Trace | None = None
    _usage: Usage | None = None

    def __post_init__(self) -> None:
        self._key = self.prefixes.key(self.prompt, self.model, self.sent)

    @property
    def waits(self) -> bool:
        """Report whether another request with this prefix is ahead."""
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
        """Take a piece of the answer: with the first one, what was written can be read (elsewhere with the last)."""
        if isinstance(piece, RequestSent | RetryScheduled):
            return
        if isinstance(piece, UsageReport):
            self._usage = piece.usage
        if self._trace is None and (self.model.cache.ready == "start" or isinstance(piece, Stop)):
            self._trace = self.prefixes.sent(self.prompt, self.model, self.subject, self.sent)
            if self._key is not None and self._leader is not None:
                self.prefixes.single_flight.land(self._key, self._leader)


class Leader:
    """The one that went ahead."""

    def __init__(self) -> None:
        self.landed = False
        """Whether what it wrote can be read."""
        self.over = asyncio.Event()
        """Set when it landed, and when it ended without."""


class SingleFlight:
    """Who is ahead, by prefix."""

    def __init__(self) -> None:
        self._leaders: dict[str, Leader] = {}

    def led(self, key: str) -> bool:
        """Report whether somebody is ahead with this prefix."""
        return key in self._leaders

    async def board(self, key: str, longest: float) -> Leader | None:
        """Wait for who is ahead, so many seconds at most; return a leader of one's own, None where none is needed."""
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
        """Let the others go: what the leader wrote can be read."""
        leader.landed = True
        self.leave(key, leader)

    def leave(self, key: str, leader: Leader) -> None:
        """Let the next one go ahead, if the leader has not landed."""
        leader.over.set()
        if self._leaders.get(key) is leader:
            del self._leaders[key]
