"""Circuit breakers: after a failure, a provider or a model is not asked for a while, then tried by one request.

A provider that cannot be reached opens its own breaker. A model that its provider rejected (an overload, a limit, a
server error) opens only the model's breaker. After the rest period, the next request is the probe, and further requests
wait for its result. If no other model may answer, a request may be a probe earlier.
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
"""Minimum seconds before a failed model or provider is asked again."""
LONGEST = 3600.0
"""Maximum seconds before it is tried again, however long it asks to wait."""
Fault = Literal["model", "provider"]
"""What failed: ``model`` if the server responded and rejected the request."""


@dataclass(slots=True)
class Breaker:
    """A breaker that is open, or half open after its rest period. Closed breakers are not stored."""

    name: str
    """The name of the model or provider, for display."""
    fault: Fault
    until: float
    """The end of the rest period, in seconds of the owner's clock."""
    number: int
    """The sequence number of the failure in this session."""
    why: str
    """The message of the failure that opened it."""
    probe: asyncio.Event | None = None
    """Set when the probe has a result; None if no request is probing."""


class Resting(Busy):
    """Nothing was sent, because another request failed there at about the same time."""

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
        """Open breakers by provider name or model row."""

    @property
    def now(self) -> int:
        """The number of the last failure."""
        return self._last

    def failed(self, model: Model, fault: Fault, why: str, rest: float | None = None) -> None:
        """Record a failure.

        :param why: a sentence for the user.
        :param rest: the seconds that the provider asked to wait.
        """
        if fault == "model":
            self._close(model.provider.name)  # The provider responded.
        key, name = (model.row, model.id) if fault == "model" else (model.provider.name, model.provider.name)
        self._close(key)
        self._last = next(self._numbers)
        until = self._clock() + min(max(rest or 0.0, REST), LONGEST)
        self._breakers[key] = Breaker(name, fault, until, self._last, why)

    def works(self, model: Model) -> None:
        """Record the first text of an answer, which closes the breakers."""
        for key in _keys(model):
            self._close(key)

    def resting(self) -> dict[str, str]:
        """Return why models and providers are resting, by model row or provider name."""
        found: dict[str, str] = {}
        for key, breaker in self._breakers.items():
            left = breaker.until - self._clock()
            if left > 0:
                found[key] = f"{breaker.name} could not answer a moment ago, and rests for {spoken(max(left, 1))}"
            elif breaker.probe is not None:
                found[key] = f"{breaker.name} could not answer a moment ago, and is being tried again"
        return found

    def rests(self, model: Model) -> str:
        """Return why a model is resting; empty if it may be asked."""
        found = self.resting()
        return next((found[key] for key in _keys(model) if key in found), "")

    def tried(self, model: Model, since: int) -> asyncio.Event | None:
        """Return the event that is set when another request's probe of the model has a result; None without a probe.

        :param since: the number of the last failure when the request was made.
        :raises Resting: the model failed since then.
        """
        found = self._of(model)
        for breaker in found:
            rest = breaker.until - self._clock()
            if breaker.number > since and rest > 0:
                raise Resting(breaker, rest)
        return next((each.probe for each in found if each.probe is not None), None)

    def probe(self, model: Model) -> Probe:
        """Start a probe of the model's breakers; call this only if ``tried`` returned None."""
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
    """One request's probe."""

    breakers: list[Breaker]
    event: asyncio.Event

    def end(self) -> None:
        """Let another request probe, if this one ended without a result, for example because it was canceled."""
        for breaker in self.breakers:
            if breaker.probe is self.event:
                breaker.probe = None
        self.event.set()


def _keys(model: Model) -> tuple[str, str]:
    return model.provider.name, model.row
