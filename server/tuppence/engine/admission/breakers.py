"""Breakers: a provider or a model that just failed is left in peace for a while, then tried by one request.

A provider that cannot be reached opens its own breaker; a model that its provider turned away (an overload, a limit, an
error of the server) opens the model's alone. Once the rest is over, the next request is the probe, and those that come
meanwhile wait for what becomes of it. If no other model may answer, a request is a probe before that.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tuppence.core.models.model import Model
from tuppence.core.text.durations import spoken
from tuppence.errors import Busy

REST = 30.0
"""Seconds for which what just failed is not asked again, at least."""
LONGEST = 3600.0
"""Seconds after which it is tried again, however long it asks to be left alone."""
Fault = Literal["model", "provider"]
"""Who failed: ``model`` where the server is there and turned the request away."""


@dataclass(slots=True)
class Breaker:
    """One that is open, or half open once its rest is over; a closed one is not there."""

    name: str
    """Whose it is, as a person reads it."""
    fault: Fault
    until: float
    """The end of its rest, by the clock of its owner."""
    number: int
    """Its place among all failures of the session."""
    why: str
    """The sentence of the failure that opened it."""
    probe: asyncio.Event | None = None
    """Set when the request that tries it knows more; None where no request tries it."""


class Resting(Busy):
    """Nothing was sent: another request of the same time just failed there."""

    def __init__(self, breaker: Breaker, rest: float) -> None:
        super().__init__(
            f"{breaker.name} was not asked: another request failed there a moment ago. {breaker.why}",
            f"Try again in {spoken(max(rest, 1))}, or choose another model.",
            after=rest,
        )
        self.fault = breaker.fault


class Breakers:
    """All breakers of a session."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._last = 0
        self._breakers: dict[str, Breaker] = {}
        """By provider, or by row."""

    @property
    def now(self) -> int:
        """The number of the last failure."""
        return self._last

    def failed(self, model: Model, fault: Fault, why: str, rest: float | None = None) -> None:
        """Note a failure.

        :param why: a sentence for a person.
        :param rest: the wait in seconds that the provider asked for.
        """
        if fault == "model":
            self._close(model.provider.name)  # It is there.
        key, name = (model.row, model.id) if fault == "model" else (model.provider.name, model.provider.name)
        self._close(key)
        self._last = next(self._numbers)
        until = self._clock() + min(max(rest or 0.0, REST), LONGEST)
        self._breakers[key] = Breaker(name, fault, until, self._last, why)

    def works(self, model: Model) -> None:
        """Note an answer, at its first word."""
        for key in _keys(model):
            self._close(key)

    def resting(self) -> dict[str, str]:
        """Return why each one that is not to be asked now is not, by the provider's or the row's name."""
        found: dict[str, str] = {}
        for key, breaker in self._breakers.items():
            left = breaker.until - self._clock()
            if left > 0:
                found[key] = f"{breaker.name} could not answer a moment ago, and rests for {spoken(max(left, 1))}"
            elif breaker.probe is not None:
                found[key] = f"{breaker.name} could not answer a moment ago, and is being tried again"
        return found

    def rests(self, model: Model) -> str:
        """Return why a model is not to be asked now; empty where it may be."""
        found = self.resting()
        return next((found[key] for key in _keys(model) if key in found), "")

    def tried(self, model: Model, since: int) -> asyncio.Event | None:
        """Return what is set when a probe of the model, which another request is, knows more; None without one.

        :param since: the number of the last failure when the request was made.
        :raises Resting: it failed since then.
        """
        found = self._of(model)
        for breaker in found:
            rest = breaker.until - self._clock()
            if breaker.number > since and rest > 0:
                raise Resting(breaker, rest)
        return next((each.probe for each in found if each.probe is not None), None)

    def probe(self, model: Model) -> Probe:
        """Have one request try what is open; to be asked where ``tried`` returned None."""
        found = self._of(model)
        event = asyncio.Event()
        for breaker in found:
            breaker.probe = event
        return Probe(found, event)

    def _of(self, model: Model) -> list[Breaker]:
        return [self._breakers[key] for key in _keys(model) if key in self._breakers]

    def _close(self, key: str) -> None:
        if (breaker := self._breakers.pop(key, None)) is not None and breaker.probe is not None:
            breaker.probe.set()


@dataclass(frozen=True, slots=True)
class Probe:
    """One request's try."""

    breakers: list[Breaker]
    event: asyncio.Event

    def end(self) -> None:
        """Let another request try, where this one ended without knowing more, as where it was canceled."""
        for breaker in self.breakers:
            if breaker.probe is self.event:
                breaker.probe = None
        self.event.set()


def _keys(model: Model) -> tuple[str, str]:
    return model.provider.name, model.row
