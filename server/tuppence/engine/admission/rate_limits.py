"""The rate limits of an account for one model: those of its row, and those in the provider's headers.

Requests wait in order of arrival. A row's limit applies to any minute: everything sent in the last 60 s counts. The
headers' limits delay the first request in line by at most ``LONGEST`` seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.core.text.durations import spoken
from tuppence.upstream.rate_headers import Kind, RateReading

MINUTE = 60.0
LONGEST = 60.0
"""Maximum seconds by which a provider's headers can delay the first request in line."""
_NAMES: Mapping[str, tuple[Kind, str]] = {
    "requests_per_minute": ("requests", "requests a minute"),
    "tokens_per_minute": ("tokens", "tokens a minute"),
    "input_tokens_per_minute": ("input-tokens", "prompt tokens a minute"),
    "output_tokens_per_minute": ("output-tokens", "answer tokens a minute"),
}
_KINDS: Mapping[Kind, str] = {
    "requests": "requests",
    "tokens": "tokens",
    "input-tokens": "prompt tokens",
    "output-tokens": "answer tokens",
}
_CONCURRENT = "concurrent_requests"
_ROUNDING = 0.1
"""Seconds by which a time in a header may be rounded."""
_SLACK = 1e-6
"""Seconds added to the end of a window, so that it is certainly over."""


@dataclass(eq=False, slots=True)
class Ticket:
    """One request, from joining the line until a minute after it was sent."""

    title: str
    spent: dict[Kind, int]
    """Amount by kind of limit: an estimate before the answer, the provider's counts after it."""
    at: float | None = None
    """The time when it was sent; None before that."""
    heads_since: float | None = None
    """The time since which it is first in line; None before that."""
    is_answered: bool = False
    """Whether a response came, or none will come."""

    @classmethod
    def of(cls, title: str, prompt: int) -> Ticket:
        """Return a ticket for a request with ``prompt`` tokens; answer tokens are added once they are known."""
        return cls(title, {"requests": 1, "tokens": prompt, "input-tokens": prompt, "output-tokens": 0})


@dataclass(frozen=True, slots=True)
class Delay:
    """The wait of the first request in line."""

    seconds: float
    """Maximum seconds. Infinite if the wait ends only with another request."""
    limit: str
    """The limit that causes it."""
    line: str
    """The progress line."""


@dataclass(slots=True)
class _Learned:
    remaining: int
    until: float | None
    """The time at which more may be requested; None once that has passed."""


@dataclass(slots=True)
class RateLimiter:
    """The line of requests for one model."""

    model: Model
    """The model, with its currently configured row."""
    clock: Callable[[], float]
    _line: list[Ticket] = field(default_factory=list)
    _window: list[Ticket] = field(default_factory=list)
    """The tickets admitted within the last minute."""
    _learned: dict[Kind, _Learned] = field(default_factory=dict)
    _held: float = 0.0
    """The end of the pause that the provider asked for, bounded by ``LONGEST``."""
    _running: set[Ticket] = field(default_factory=set)
    """The tickets admitted and not ended."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The titles of the requests in line."""
        return tuple(each.title for each in self._line)

    async def admit(self, ticket: Ticket, check: Callable[[], object]) -> AsyncGenerator[Delay, None]:
        """Wait until a request may be sent, and yield each delay that it has as the first in line.

        :param check: called after every change; it raises an error to end the wait.
        """
        self._line.append(ticket)
        said, until = "", 0.0
        try:
            while True:
                check()
                changed = self._changed
                delay = self._delay(ticket) if self._line[0] is ticket else None
                if self._line[0] is ticket and delay is None:
                    break
                if delay is not None and delay.seconds >= 1:
                    end = self.clock() + delay.seconds
                    if delay.limit != said or (end != until and abs(end - until) >= 1):
                        said, until = delay.limit, end
                        yield delay
                await _set_within(changed, delay.seconds if delay else inf)
            self._let_through(ticket)
        finally:
            self._line.remove(ticket)
            self.wake()

    def sent(self, ticket: Ticket) -> None:
        """Record that a request is sent; the second time for one ticket is a retry, which counts again."""
        if ticket.at is None:
            ticket.at = self.clock()
            return
        again = Ticket(ticket.title, dict(ticket.spent), at=self.clock(), is_answered=True)
        again.spent["output-tokens"] = 0
        self._window.append(again)
        self._deduct(again)

    def heard(self, ticket: Ticket, readings: tuple[RateReading, ...], pause: float | None = None) -> None:
        """Record the headers of a response. They may be outdated: requests sent later are not included in them.

        :param pause: seconds for which the provider wants no request, because of a limit.
        """
        ticket.is_answered = True
        now = self.clock()
        behind = self._window[self._window.index(ticket) + 1 :] if ticket in self._window else []
        uncounted = [each for each in self._window if not each.is_answered or each in behind]
        for each in readings:
            remaining = each.remaining - sum(other.spent[each.kind] for other in uncounted)
            self._learned[each.kind] = _Learned(max(remaining, 0), now + each.reset + _ROUNDING)
        if pause is not None:
            self._held = max(self._held, now + min(pause, LONGEST))
        self.wake()

    def ended(self, ticket: Ticket, usage: Usage | None) -> None:
        """Record the usage of a request; None if nothing was counted."""
        ticket.is_answered = True
        if ticket.at is None:
            self._window = [each for each in self._window if each is not ticket]  # It was never sent.
        if usage is not None:
            answer = usage.output + usage.thinking
            # Tokens read from a provider's cache do not count towards separate limits of prompt tokens.
            fresh = usage.fresh + usage.cache_write + usage.cache_write_1h
            ticket.spent |= {"tokens": usage.prompt + answer, "input-tokens": fresh, "output-tokens": answer}
        self._running.discard(ticket)
        self.wake()

    def _let_through(self, ticket: Ticket) -> None:
        self._window.append(ticket)
        self._running.add(ticket)
        self._deduct(ticket)

    def _deduct(self, ticket: Ticket) -> None:
        for kind, learned in self._learned.items():
            learned.remaining = max(learned.remaining - ticket.spent[kind], 0)

    def wake(self) -> None:
        """Wake the requests in line to check again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _delay(self, ticket: Ticket) -> Delay | None:
        """Return the delay of the first request in line, None if it may be sent."""
        now = self.clock()
        ticket.heads_since = now if ticket.heads_since is None else ticket.heads_since
        self._window = [each for each in self._window if each.at is None or each.at > now - MINUTE]
        provider = self.model.provider.name
        found = [self._by_row(name, ticket, now) for name in _NAMES if name in self.model.rate_limits]
        patience = ticket.heads_since + LONGEST - now
        if patience > 0:
            found += [self._by_header(kind, ticket, now, patience) for kind in tuple(self._learned)]
            if self._held > now:
                rest = min(self._held - now, patience)
                found.append(Delay(rest, "a pause", f"Waiting {spoken(max(rest, 1))}: {provider} asked for a pause"))
        at_once = self.model.rate_limits.get(_CONCURRENT)
        if at_once is not None and len(self._running) >= at_once:
            line = f"Waiting for {provider}'s limit of {at_once} requests at the same time"
            found.append(Delay(inf, _CONCURRENT, line))
        return max((each for each in found if each is not None), key=lambda each: each.seconds, default=None)

    def _by_row(self, name: str, ticket: Ticket, now: float) -> Delay | None:
        limit = self.model.rate_limits[name]
        kind, words = _NAMES[name]
        spent = sorted((now if each.at is None else each.at, each.spent[kind]) for each in self._window)
        used = sum(amount for _, amount in spent)
        need = ticket.spent[kind] or 1
        if used + need <= limit or not used:
            return None
        at = now
        for each, amount in spent:  # The oldest leave the last minute first.
            at, used = each, used - amount
            if used + need <= limit:
                break
        seconds = max(at + MINUTE - now, 0.0) + _SLACK
        line = f"Waiting {spoken(max(seconds, 1))} for {self.model.provider.name}'s limit of {words}"
        return Delay(seconds, name, line)

    def _by_header(self, kind: Kind, ticket: Ticket, now: float, patience: float) -> Delay | None:
        learned, need = self._learned[kind], ticket.spent[kind] or 1
        if learned.until is not None and learned.until <= now:
            # Some servers give the time at which everything is available again, others that of the next request: admit
            # one.
            learned.remaining, learned.until = need, None
        if learned.remaining >= need:
            return None
        if learned.until is None:
            # The admitted requests are in progress; their headers will give the new state.
            is_open = any(not each.is_answered for each in self._window)
            rest = patience if is_open else 0.0
        else:
            rest = learned.until - now
        if rest <= 0:
            return None
        seconds = min(rest, patience)
        line = f"Waiting {spoken(max(seconds, 1))} for {self.model.provider.name}'s limit of {_KINDS[kind]}"
        if rest > patience + 1:
            line += f"; it says {spoken(rest)}, and is asked before that"
        return Delay(seconds, kind, line)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most ``seconds``; infinity means no limit."""
    try:
        async with asyncio.timeout(seconds if isfinite(seconds) else None):
            await event.wait()
    except TimeoutError:
        return
