"""The truth about an estimate: what a provider charged for an answer that nobody heard to its end.

A cancelled or broken answer comes without counts, so its entry is an estimate. Where the provider's row says how
(``bill``), the provider is asked for it afterwards, beside everything else: nobody waits, and a question that fails
leaves the estimate. What a server could not ask any more, because it ended, the next one asks.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from tuppence.core.billing.entry import Entry
from tuppence.core.models.model import Model
from tuppence.core.models.pricing import Price
from tuppence.engine.attempt import Attempt
from tuppence.engine.receipt import corrected
from tuppence.engine.session import House
from tuppence.errors import TuppenceError
from tuppence.ledger import Owed
from tuppence.providers import Metered

LATEST = timedelta(days=1)
"""Older estimates are left as they are: no provider is known to tell of an answer for longer."""
EVERY = 1.0
"""Seconds between two notes of how far an answer has come."""


@dataclass
class Journal:
    """Notes in the ledger how far an answer has come, should this process end before the answer does."""

    _noted: float = 0.0
    _identity: str = ""

    def note(self, house: House, attempt: Attempt) -> None:
        """Note it once a second, and at once where the provider first says by which id it can be asked."""
        identity = attempt.identity if attempt.model.provider.bill is not None else ""
        now = time.monotonic()
        if not attempt.holds or (now - self._noted < EVERY and identity == self._identity):
            return
        self._noted, self._identity = now, identity
        hold, received, ledger = attempt.holds[-1], attempt.tokens, house.ledger
        ledger.queue(lambda: ledger.note(hold, identity, received))


def settle(house: House, entry: Entry, attempt: Attempt, best: Price | None) -> None:
    """Write what an attempt came to; where that is an estimate that its provider can better, ask for the truth.

    :param best: the price of the model that it is held against.
    """
    house.record(entry, attempt.holds)
    if attempt.askable and attempt.holds:
        owed = Owed(attempt.holds[0], entry.provider, entry.model, attempt.identity)
        house.beside(_seek(house, owed, attempt.model, best))


def resume(house: House) -> None:
    """Ask for the truth about what earlier servers left as estimates."""
    house.beside(_resume(house))


async def _resume(house: House) -> None:
    models = {(each.provider.name, each.id): each for each in house.config().models if each.provider.bill}
    since = house.now() - LATEST
    with suppress(TuppenceError):
        for owed in await asyncio.wrap_future(house.ledger.queue(lambda: house.ledger.owed(since))):
            if model := models.get((owed.provider, owed.model)):
                await _seek(house, owed, model, None)


async def _seek(house: House, owed: Owed, model: Model, best: Price | None) -> None:
    truth = await house.upstream.bill(model, house.keys.of(model.provider), owed.identity)
    if truth is not None:
        _correct(house, owed, model, truth, best)


def _correct(house: House, owed: Owed, model: Model, truth: Metered, best: Price | None) -> None:
    house.correct(owed.hold, lambda estimate: corrected(estimate, truth, model.price, best))
