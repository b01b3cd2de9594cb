"""What the ledger of this machine says of models, read now and then beside the requests.

The first question waits for it; later ones take what was read last, and a fresh reading is made beside them once a
minute. A ledger that cannot be read teaches nothing, and that is no trouble here: engine/session.py tells the person of
it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from tuppence.core.routing.feedback import Learned, Outcomes, learn
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger

AGAIN = 60.0
"""Seconds for which a reading holds."""
LATEST = 2000
"""Requests that are looked at: what models did long ago says little of them today."""
LONGEST = 5.0
"""Seconds to wait for a ledger that does not answer."""


class Experience:
    """The outcomes on this machine, as they were read last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without any; ``clock`` gives seconds."""
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
