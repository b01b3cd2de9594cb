"""Writes to the ledger in the background, and reads what a running session needs of it.

A ledger that fails costs the user no answer and does not delay the editor. Changes wait, in order, until the
ledger can be written again; until then they are in a file beside it too (ledger/unwritten.py), so that the next server
enters what this one could not. A reservation for a budget does not wait: what cannot be reserved is not spent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from tuppence.core.billing.budget import Grant, Spent
from tuppence.core.billing.entry import Entry, Outcome, Summary, add, money
from tuppence.core.billing.token_ratio import Paces
from tuppence.core.models.model import Model
from tuppence.errors import OverBudget, TuppenceError
from tuppence.ledger import Ledger, Reservation, unwritten
from tuppence.ledger.unwritten import Change, UnwrittenFile

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
UNWRITTEN = 10_000
"""Changes that wait for a ledger that cannot be written; the oldest are dropped first, and that is said."""
RETRY = 1.0
"""Seconds between two attempts to write what waits."""
LONGEST = 5.0
"""Seconds to wait for a ledger that is not locked and yet does not answer, such as one in a network."""
LEAVE = 1.0
"""Seconds that the end of a session waits for the ledger."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """One change that is to be written."""

    work: Callable[[], object]
    notes: tuple[Change, ...] = ()
    """What is written down of it where the ledger cannot take it."""
    cost: Entry | None = None
    """The entry that it makes."""
    waits: bool = True
    """Whether it waits for a ledger that fails; else its result is the error."""
    result: Future[object] = field(default_factory=Future)


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
        self._waiting: deque[_Waiting] = deque()
        """In order; the event loop adds at the end, and the ledger's thread takes from the front."""
        self._file: UnwrittenFile | None = None
        self._putting_down = threading.Lock()
        ledger.on_held_up = self._put_down
        self._retry: threading.Timer | None = None
        self._is_closed = False
        self._is_behind = False
        self._error: TuppenceError | None = None
        """Why it is behind."""
        self._noting: Future[None] | None = None
        """The note that was asked for last: while it is held up, others do not queue behind it."""
        self._overdue: Future[object] | None = None
        """The reading that took too long, until it has ended."""

    def chars_per_token(self, model: Model, language: str) -> float | None:
        """Return how many code points of a language make one of a model's tokens; None where that is not known."""
        return self.token_ratios.of(model.row, language)

    async def spent(self, run: str) -> Spent | None:
        """Return what counts against the budget for a run; None if the ledger fails, which its reservation reports."""
        with contextlib.suppress(TuppenceError):
            return await self._foresee(lambda: self.ledger.spent(self._session, run, self._now()))
        return None

    async def totals(self) -> tuple[Summary, Spent]:
        """Return the session's summary, and what counts against the budget.

        :raises TuppenceError: the ledger could not be read soon.
        """

        def work() -> tuple[Summary, Spent]:
            now = self._now()
            return self.ledger.summary(self._session, now), self.ledger.spent(self._session, "", now)

        return await self._foresee(work)

    async def reserve(self, claim: Reservation) -> Grant:
        """Reserve what a call costs at most, and return what it is granted.

        Without a limit, a locked ledger is not waited for: the reservation is made later.

        :raises OverBudget: the limits do not allow it.
        :raises TuppenceError: it could not be reserved yet.
        """
        has_limit = claim.limits.any
        notes = () if has_limit else (unwritten.lost(claim.id, self._clean(claim.lost), claim.bid),)
        change = _Waiting(lambda: self.ledger.reserve(claim), notes, waits=not has_limit)
        self._write(change)
        ways: list[Future[Any]] = [change.result] if has_limit else [change.result, self.ledger.settled()]
        await asyncio.wait(map(_awaited, ways), timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
        if not change.result.done():
            # What is about to be spent is on the disk before it is, should this process be killed.
            await asyncio.to_thread(self._put_down)
            raise self._error or self.ledger.locked
        granted = change.result.result()
        assert isinstance(granted, Grant)
        return granted

    def note(self, hold: str, identity: str, received: int) -> None:
        """Note how far the answer to a reserved call has come; not while the ledger cannot be written."""
        if not self._is_behind and (self._noting is None or self._noting.done()):
            self._noting = self.ledger.queue(lambda: self._noted(hold, identity, received))

    def recover(self) -> None:
        """Settle what servers that ended had reserved or could not write, and read the token ratios, soon."""

        def work() -> None:
            self.ledger.recover(self._now())
            self._take_in()
            self.token_ratios.add(self.ledger.paces())

        self._write(_Waiting(work))

    def record(self, entry: Entry, reservations: Sequence[str] = ()) -> None:
        """Write an entry, soon.

        :param reservations: the ids of the reservations that were made for it.
        """
        entry = self._clean(entry)
        # The name lets the ledger recognize an entry that it has already, if the reply to the first write was lost.
        hold, *more = reservations or (uuid4().hex,)

        def work() -> None:
            for reservation in more:
                self.ledger.release(reservation)
            self.ledger.settle(hold, entry)

        self.token_ratios.learn(entry)
        notes = (*(unwritten.released(each) for each in more), unwritten.settled(hold, entry))
        self._write(_Waiting(work, notes, entry))

    def correct(self, reservation: str, correction: Callable[[Entry], Entry]) -> None:
        """Replace the estimate that a reservation became by what the provider reports, soon."""
        self._write(_Waiting(lambda: self.ledger.correct(reservation, correction)))

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Correct how a run ended, soon."""
        self._write(_Waiting(lambda: self.ledger.outcome(run, outcome), (unwritten.ended(run, outcome),)))

    def warn(self, sentence: str) -> None:
        """Note a warning for the user; once, until the ledger can be written again."""
        if sentence not in self._warned:
            self._warned.add(sentence)
            self._warnings.append(sentence)

    def note_shown(self, sentence: str) -> None:
        """Note that the user is shown a sentence by somebody else, and needs no warning with it."""
        self._warned.add(sentence)

    def take_warnings(self) -> tuple[str, ...]:
        """Return the warnings that were not shown yet."""
        warnings = tuple(self._warnings)
        self._warnings.clear()
        return warnings

    async def close(self) -> None:
        """Write what waits, within ``LEAVE`` seconds; what is left then stays in the file for the next server."""
        self._is_closed = True
        self._stop_retrying()
        if self._waiting:
            self.ledger.queue(self._work_off)
        await asyncio.wait([_awaited(self.ledger.queue(lambda: None))], timeout=LEAVE)
        if self._waiting:
            await asyncio.to_thread(self._leave)

    async def _foresee(self, work: Callable[[], _T]) -> _T:
        """Read something that must not take long.

        :raises TuppenceError: the ledger could not be read soon.
        """
        if self._overdue is not None and not self._overdue.done():
            raise self.ledger.locked
        reading = self.ledger.read(work)
        done, _ = await asyncio.wait([_awaited(reading)], timeout=LONGEST)
        if not done:
            self._overdue = reading  # type: ignore[assignment]  # what it gives is not looked at
            raise self.ledger.locked
        return reading.result()

    def _write(self, change: _Waiting) -> None:
        self._waiting.append(change)
        self.ledger.queue(self._work_off)

    def _work_off(self) -> None:
        """Write what waits, in order, until the ledger fails; in the ledger's thread."""
        try:
            while self._waiting:
                self._do(self._waiting[0])
                self._waiting.popleft()
        except TuppenceError as error:
            self._fall_behind(error)
        else:
            if self._is_behind:
                self._is_behind, self._error = False, None
                self._warned.clear()
            if self._file is not None:
                self._put_down()
        for warning in self.ledger.warnings():
            self.warn(warning)

    def _do(self, change: _Waiting) -> None:
        """Write one change.

        :raises TuppenceError: the ledger failed, and the change waits.
        """
        try:
            result = change.work()
        except TuppenceError as error:
            if change.waits and not isinstance(error, OverBudget):
                raise
            change.result.set_exception(error)
        except Exception as error:  # noqa: BLE001 - an error of ours must not end the thread that writes the ledger
            # No caller waits for what is written, so none would hear of it.
            _log.exception("The accounts could not be written")
            change.result.set_exception(error)
            self.warn("tuppence could not write its accounts, by a fault of its own. Please report it with its log.")
        else:
            change.result.set_result(result)

    def _fall_behind(self, error: TuppenceError) -> None:
        self._is_behind, self._error = True, error
        self.warn(str(error))
        for change in tuple(self._waiting):
            if not change.waits:  # Nothing is spent on a budget that cannot be checked.
                self._waiting.remove(change)
                change.result.set_exception(error)
        dropped = 0
        while len(self._waiting) > UNWRITTEN:
            self._waiting.popleft()
            dropped += 1
        if dropped:
            self.warn(f"More than {UNWRITTEN} changes waited for the ledger: the oldest are lost.")
        self._put_down()
        if not self._is_closed:
            self._stop_retrying()
            self._retry = threading.Timer(RETRY, lambda: self.ledger.queue(self._work_off))
            self._retry.daemon = True
            self._retry.start()

    def _stop_retrying(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _put_down(self) -> bool:
        """Write down what waits, in the file beside the ledger; return whether it could be."""
        try:
            with self._putting_down:
                notes = [note for change in tuple(self._waiting) for note in change.notes]
                if self._file is None and notes:
                    self._file = self.ledger.unwritten_file()
                if self._file is not None:
                    self._file.write(notes)
        except (OSError, TuppenceError) as error:
            _log.warning("What waits for the ledger could not be written beside it: %s", error)
            return False
        return True

    def _leave(self) -> None:
        """Say what the session leaves behind."""
        entries = [change.cost for change in tuple(self._waiting) if change.cost is not None]
        count, spent = len(entries), money(add(each.cost for each in entries if each.cost))
        what = f"{count} {'request' if count == 1 else 'requests'} ({spent}) could not be entered in the ledger"
        if self._put_down() and self._file is not None:
            with contextlib.suppress(OSError):
                self._file.hand_over()
            _log.warning("%s: they are in %s, and the next start enters them.", what, self._file.path)
        else:
            _log.error("%s, and no file could be written: they are lost.", what)

    def _take_in(self) -> None:
        """Enter what sessions that ended could not, and say so."""
        taken = self.ledger.take_in(self._now())
        if taken.entries:
            which = "1 request" if taken.entries == 1 else f"{taken.entries} requests"
            self.warn(f"{which} of an earlier session that the ledger could not take then are entered now.")
        for path in taken.damaged:
            self.warn(
                f"A file of unwritten accounts was damaged: what could be read is entered, all is kept in {path}."
            )

    def _noted(self, hold: str, identity: str, received: int) -> None:
        with contextlib.suppress(TuppenceError):  # It only makes an estimate better.
            self.ledger.note(hold, identity, received)

    def _clean(self, entry: Entry) -> Entry:
        """Return an entry without the keys in use."""
        hide = self._hide
        model, served = hide(entry.model), hide(entry.served)
        return replace(entry, reason=hide(entry.reason), model=model, project=hide(entry.project), served=served)


def _awaited(future: Future[Any]) -> asyncio.Future[Any]:
    """Return an asyncio future for a result; an error that is never retrieved is not logged."""
    found = asyncio.wrap_future(future)
    found.add_done_callback(lambda done: done.cancelled() or done.exception())
    return found
