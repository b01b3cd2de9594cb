"""Writes to the ledger in the background, and reads what a running session needs of it.

A ledger that fails costs the user no answer: changes wait until it can be written again, and the user is warned once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from tuppence.core.billing.budget import Spent
from tuppence.core.billing.entry import Entry, Outcome, Summary
from tuppence.core.billing.token_ratio import Paces
from tuppence.core.models.model import Model
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger

_log = logging.getLogger(__name__)
UNWRITTEN = 1000
"""Changes that wait for a ledger that cannot be written; the oldest are dropped first."""


class LedgerWriter:
    """The ledger as one session writes it; in the order of the calls, never on the event loop."""

    def __init__(
        self, ledger: Ledger, session: str, now: Callable[[], datetime], hide: Callable[[str], str] = str
    ) -> None:
        """Write to a ledger.

        :param session: the id of the session in the ledger.
        :param now: gives the time, with the user's time zone.
        :param hide: takes the keys in use out of a text.
        """
        self._hide = hide
        self.ledger = ledger
        self.token_ratios = Paces()
        """How many code points make one token of each model, as far as its provider has counted."""
        self._session = session
        self._now = now
        self._warnings: list[str] = []
        self._warned: set[str] = set()
        self._unwritten: deque[Callable[[], object]] = deque(maxlen=UNWRITTEN)

    def chars_per_token(self, model: Model, language: str) -> float | None:
        """Return how many code points of a language make one of a model's tokens; None where that is not known."""
        return self.token_ratios.of(model.row, language)

    async def spent(self, run: str) -> Spent | None:
        """Return what counts against the budget for a run; None if the ledger fails, which its reservation reports."""
        with contextlib.suppress(TuppenceError):
            return await asyncio.wrap_future(
                self.ledger.queue(lambda: self.ledger.spent(self._session, run, self._now()))
            )
        return None

    def totals(self) -> tuple[Summary, Spent]:
        """Return the session's summary, and what counts against the budget; blocks on the ledger.

        :raises TuppenceError: the ledger could not be read.
        """
        now = self._now()
        return self.ledger.summary(self._session, now), self.ledger.spent(self._session, "", now)

    def recover(self) -> None:
        """Settle what servers that ended had reserved, and read the token ratios, in the background."""

        def work() -> None:
            self.ledger.recover(self._now())
            self.token_ratios.add(self.ledger.paces())

        self._write(work)

    def record(self, entry: Entry, reservations: Sequence[str] = ()) -> None:
        """Write an entry, soon.

        :param reservations: the ids of the reservations that were made for it.
        """
        hide = self._hide
        entry = replace(entry, reason=hide(entry.reason), model=hide(entry.model), project=hide(entry.project))

        def work() -> None:
            for reservation in reservations[1:]:
                self.ledger.release(reservation)
            if reservations:
                self.ledger.settle(reservations[0], entry)
            else:
                self.ledger.add(entry)

        self.token_ratios.learn(entry)
        self._write(work)

    def correct(self, reservation: str, correction: Callable[[Entry], Entry]) -> None:
        """Replace the estimate that a reservation became by what the provider reports, soon."""
        self._write(lambda: self.ledger.correct(reservation, correction))

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Correct how a run ended, soon."""
        self._write(lambda: self.ledger.outcome(run, outcome))

    def warn(self, sentence: str) -> None:
        """Note a warning for the user; once, until the ledger can be written again."""
        if sentence not in self._warned:
            self._warned.add(sentence)
            self._warnings.append(sentence)

    def take_warnings(self) -> tuple[str, ...]:
        """Return the warnings that were not shown yet."""
        warnings = tuple(self._warnings)
        self._warnings.clear()
        return warnings

    def flush(self) -> None:
        """Try once more to write what could not be written."""
        if self._unwritten:
            self._write(lambda: None)

    def _write(self, work: Callable[[], object]) -> None:
        def attempt() -> None:
            # What could not be written is written first: a database that was away comes back.
            self._unwritten.append(work)
            try:
                while self._unwritten:
                    self._unwritten[0]()
                    self._unwritten.popleft()
            except TuppenceError as error:
                self.warn(str(error))
            except Exception:  # noqa: BLE001 - an error of ours must not end the thread that writes the ledger
                # No caller waits for what is written, so none would hear of it.
                self._unwritten.popleft()
                _log.exception("The accounts could not be written")
                self.warn(
                    "tuppence could not write its accounts, by a fault of its own. Please report it with its log."
                )
            else:
                self._warned.clear()
            for warning in self.ledger.warnings():
                self.warn(warning)

        self.ledger.queue(attempt)
