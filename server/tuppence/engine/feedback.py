"""The outcomes of earlier answers in this machine's ledger, read periodically in the background.

The first request waits for the reading; later ones use the last one, which is renewed in the background once a minute.
If the ledger cannot be read, there are no outcomes; engine/session.py reports such errors.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from tuppence.core.routing.feedback import Learned, Outcomes, learn
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger

AGAIN = 60.0
"""Seconds for which a reading is valid."""
LATEST = 2000
"""Number of the latest requests that are read: what models did long ago says little about them now."""
LONGEST = 5.0
"""Seconds to wait for a ledger that does not respond."""


class Experience:
    """The outcomes on this machine at the last reading."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without a reading; ``clock`` returns seconds."""
        self._clock = clock
        self._learned: Learned = {}
        self._read: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def of(self, action: str, ledger: Ledger) -> Mapping[str, Outcomes]:
        """Return the outcomes of an action's answers, by the model's name."""
        if self._read is None:
            await self._look(ledger)
        elif self._clock() - self._read > AGAIN and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._look(ledger))
        return self._learned.get(action, {})

    async def _look(self, ledger: Ledger) -> None:
        self._read = self._clock()
        try:
            reading = asyncio.wrap_future(ledger.read(lambda: ledger.entries(None, LATEST)))
            self._learned = learn(await asyncio.wait_for(reading, LONGEST))
        except (TuppenceError, TimeoutError):
            return
