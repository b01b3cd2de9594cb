"""Admission of one request to its provider: rate limits, its turn in the queue, and the result of a probe."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Self

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.engine.admission.breakers import Breakers, Fault, Resting
from tuppence.engine.admission.queue import ProviderQueue, width
from tuppence.engine.admission.rate_limits import RateLimiter, Ticket
from tuppence.errors import Busy
from tuppence.providers import Stop, Text, Thinking, UsageReport
from tuppence.upstream import Piece, RequestSent, rate_headers
from tuppence.upstream.retry import PATIENT, retry_after

__all__ = ["ProviderAccess", "Providers", "Resting"]
_LIMITED = 429
"""HTTP's "too many requests"."""


class Providers:
    """The state of all providers: breakers, a queue for each provider, and rate limits for each model."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.breakers = Breakers(clock)
        self._queues: dict[str, ProviderQueue] = {}
        self._limiters: dict[str, RateLimiter] = {}

    def queue(self, model: Model) -> ProviderQueue:
        """Return the queue of a model's provider, with its currently configured width."""
        queue = self._queues.setdefault(model.provider.name, ProviderQueue(width(model)))
        queue.widen(width(model))
        return queue

    def limiter(self, model: Model) -> RateLimiter:
        """Return the rate limits of a model, as currently configured."""
        limiter = self._limiters.setdefault(model.row, RateLimiter(model, self._clock))
        limiter.model = model
        return limiter

    def failed(self, model: Model, fault: Fault, error: Busy) -> None:
        """Record that a model, or its provider, could not answer; waiting requests check again."""
        self.breakers.failed(model, fault, error.message, error.after)
        for limiter in self._limiters.values():
            if limiter.model.provider.name == model.provider.name:
                limiter.wake()

    def admission(self, model: Model, title: str, prompt: int) -> ProviderAccess:
        """Return the admission of one request to a model.

        :param title: shown to the requests that wait behind it.
        :param prompt: the approximate number of prompt tokens.
        """
        return ProviderAccess(model, Ticket.of(title, prompt), self)


class ProviderAccess:
    """The admission of one request; an async context manager that releases everything at its end."""

    def __init__(self, model: Model, ticket: Ticket, providers: Providers) -> None:
        self._model = model
        self._ticket = ticket
        self._breakers = providers.breakers
        self._since = providers.breakers.now
        self._limiter = providers.limiter(model)
        self._queue = providers.queue(model)
        self._held = AsyncExitStack()
        self._usage: Usage | None = None
        self._is_answered = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._held.aclose()
        self._limiter.ended(self._ticket, self._usage)

    async def lines(self) -> AsyncGenerator[str, None]:
        """Wait until the request may be sent, and yield a progress line for each cause of waiting.

        :raises Resting: another request failed at this provider in the meantime.
        """
        name = self._model.provider.name
        if ahead := (*self._queue.waiting, *self._limiter.waiting):
            yield f"Waiting for a turn at {name}: {_and_more(ahead)} before it"
        async with aclosing(self._limiter.admit(self._ticket, self._check)) as delays:
            async for delay in delays:
                yield delay.line
        await self._held.enter_async_context(self._queue.turn(self._ticket.title))
        while (known := self._breakers.tried(self._model, self._since)) is not None:
            yield f"Waiting until another request shows whether {name} answers again"
            await known.wait()
        probe = self._breakers.probe(self._model)
        self._held.callback(probe.end)

    def _check(self) -> None:
        self._breakers.tried(self._model, self._since)

    def note(self, piece: Piece) -> None:
        """Record a piece of the answer: the sending of a request, counts, or the first text."""
        match piece:
            case RequestSent():
                self._limiter.sent(self._ticket)
            case UsageReport():
                self._usage = piece.usage
            case Text() | Thinking() | Stop() if not self._is_answered:
                self._is_answered = True
                self._breakers.works(self._model)

    def heard(self, status: int, headers: Mapping[str, str]) -> None:
        """Record a response's status and headers, whose names must be in lower case."""
        pause = retry_after(headers) if status == _LIMITED else None
        if pause is not None and pause > PATIENT:
            pause = None  # This request ends because of the pause, and its model's breaker opens.
        self._limiter.heard(self._ticket, rate_headers.read(headers), pause)


def _and_more(titles: Sequence[str]) -> str:
    first, *others = titles
    return f"{first} and {len(others)} more are" if others else f"{first} is"
