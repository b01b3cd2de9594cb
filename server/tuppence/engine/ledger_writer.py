"""Write to the ledger in the background, and read what a running session needs from it.

A failing ledger neither prevents an answer nor delays the editor. Changes wait, in order, until the ledger can be
written again; until then they are also in a file beside it (ledger/unwritten.py), so that the next server can enter
them. A reservation under a budget does not wait: money that cannot be reserved is not spent. A change that the ledger
always rejects delays no other change: it is set aside in that file, and the next server tries it once more.
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
from tuppence.ledger.unwritable import Unwritable
from tuppence.ledger.unwritten import Change, UnwrittenFile

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
UNWRITTEN = 10_000
"""Maximum number of changes that wait for a failing ledger; beyond it the oldest are dropped, with a warning."""
RETRY = 1.0
"""Seconds between two attempts to write the waiting changes."""
LONGEST = 5.0
"""Seconds to wait for a ledger that is not locked but does not respond, such as one in a network."""
LEAVE = 1.0
"""Maximum seconds that the end of a session waits for the ledger."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """One change to be written."""

    work: Callable[[], object]
    notes: tuple[Change, ...] = ()
    """What is written to the file if the ledger fails."""
    cost: Entry | None = None
    """The ledger entry that it creates, if any."""
    waits: bool = True
    """Whether it waits for a failing ledger; otherwise its result is the error."""
    run: str = ""
    """The run to whose last entry it belongs: where that was set aside, so is this. Empty for no other's."""
    result: Future[object] = field(default_factory=Future)


class LedgerWriter:
    """Writes the ledger for one session, in the order of the calls, never on the event loop."""

    def __init__(
        self, ledger: Ledger, session: str, now: Callable[[], datetime], hide: Callable[[str], str] = str
    ) -> None:
        """Write to a ledger.

        :param session: the id of the session in the ledger.
        :param now: returns the time, in the user's time zone.
        :param hide: removes the keys in use from a text.
        """
        self._hide = hide
        self.ledger = ledger
        self.token_ratios = Paces()
        """Code points per token of each model, as counted by its provider."""
        self._session = session
        self._now = now
        self._warnings: list[str] = []
        self._warned: set[str] = set()
        self._waiting: deque[_Waiting] = deque()
        """In order: the event loop appends, and the ledger's thread removes from the front."""
        self._aside: tuple[Change, ...] = ()
        """What is written down of the changes that the ledger does not take."""
        self._aside_runs: set[str] = set()
        self._is_told = False
        """Whether it was said that a change is set aside."""
        self._file: UnwrittenFile | None = None
        self._putting_down = threading.Lock()
        ledger.on_held_up = self._put_down
        self._retry: threading.Timer | None = None
        self._is_closed = False
        self._is_behind = False
        self._error: TuppenceError | None = None
        """The error because of which changes wait."""
        self._noting: Future[None] | None = None
        """The last progress update: while it is delayed, others are not queued."""
        self._overdue: Future[object] | None = None
        """The reading that took too long, until it ends."""

    def chars_per_token(self, model: Model, language: str) -> float | None:
        """Return a model's code points per token in a language; None if unknown."""
        return self.token_ratios.of(model.row, language)

    async def spent(self, run: str) -> Spent | None:
        """Return what counts against the budget for a run; None if the ledger fails, which its reservation reports."""
        with contextlib.suppress(TuppenceError):
            return await self._foresee(lambda: self.ledger.spent(self._session, run, self._now()))
        return None

    async def totals(self) -> tuple[Summary, Spent]:
        """Return the session's summary, and what counts against the budget.

        :raises TuppenceError: the ledger could not be read in time.
        """

        def work() -> tuple[Summary, Spent]:
            now = self._now()
            return self.ledger.summary(self._session, now), self.ledger.spent(self._session, "", now)

        return await self._foresee(work)

    async def reserve(self, claim: Reservation) -> Grant:
        """Reserve the maximum cost of a call, and return what it is granted.

        Without a limit, this does not wait for a locked ledger: the reservation is made later.

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
            # In case this process is killed, the planned cost is on disk before it is spent.
            await asyncio.to_thread(self._put_down)
            raise self._error or self.ledger.locked
        granted = change.result.result()
        assert isinstance(granted, Grant)
        return granted

    def note(self, hold: str, identity: str, received: int) -> None:
        """Store the progress of the answer to a reserved call, unless the ledger is failing."""
        if not self._is_behind and (self._noting is None or self._noting.done()):
            self._noting = self.ledger.queue(lambda: self._noted(hold, identity, received))

    def recover(self) -> None:
        """Settle in the background what ended servers had reserved or could not write, and read the token ratios."""

        def work() -> None:
            self.ledger.recover(self._now())
            self._take_in()
            self.token_ratios.add(self.ledger.paces())

        self._write(_Waiting(work))

    def record(self, entry: Entry, reservations: Sequence[str] = ()) -> None:
        """Add an entry in the background.

        :param reservations: the ids of the reservations that were made for it.
        """
        entry = self._clean(entry)
        # By this id the ledger recognizes an entry that it already has, if the reply to the first write was lost.
        hold, *more = reservations or (uuid4().hex,)

        def work() -> None:
            for reservation in more:
                self.ledger.release(reservation)
            self.ledger.settle(hold, entry)

        self.token_ratios.learn(entry)
        notes = (*(unwritten.released(each) for each in more), unwritten.settled(hold, entry))
        self._write(_Waiting(work, notes, entry))

    def correct(self, reservation: str, correction: Callable[[Entry], Entry]) -> None:
        """Replace in the background the estimate from a reservation by what the provider reports."""
        self._write(_Waiting(lambda: self.ledger.correct(reservation, correction)))

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Change in the background the outcome of a run."""
        self._write(_Waiting(lambda: self.ledger.outcome(run, outcome), (unwritten.ended(run, outcome),), run=run))

    def warn(self, sentence: str) -> None:
        """Add a warning for the user; each is added once, until the ledger can be written again."""
        if sentence not in self._warned:
            self._warned.add(sentence)
            self._warnings.append(sentence)

    def note_shown(self, sentence: str) -> None:
        """Record that the user is shown a sentence elsewhere, so that no warning repeats it."""
        self._warned.add(sentence)

    def take_warnings(self) -> tuple[str, ...]:
        """Return the warnings that were not shown yet."""
        warnings = tuple(self._warnings)
        self._warnings.clear()
        return warnings

    async def close(self) -> None:
        """Write the waiting changes within ``LEAVE`` seconds; the rest stays in the file for the next server."""
        self._is_closed = True
        self._stop_retrying()
        if self._waiting:
            self.ledger.queue(self._work_off)
        await asyncio.wait([_awaited(self.ledger.queue(lambda: None))], timeout=LEAVE)
        if self._waiting or self._aside:
            await asyncio.to_thread(self._leave)

    async def _foresee(self, work: Callable[[], _T]) -> _T:
        """Read something that must not take long.

        :raises TuppenceError: the ledger could not be read in time.
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
        """Write the waiting changes in order until the ledger fails; runs in the ledger's thread."""
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
        if change.run and change.run in self._aside_runs:
            self._set_aside(change)
            change.result.set_result(None)
            return
        try:
            result = change.work()
        except OverBudget as error:
            change.result.set_exception(error)
        except Unwritable as error:
            self._tell_aside(self._set_aside(change), change, error)
            change.result.set_exception(error)
        except TuppenceError as error:
            if change.waits:
                raise
            change.result.set_exception(error)
        except Exception as error:  # noqa: BLE001 - an error of ours must not end the thread that writes the ledger
            # No caller waits for the result, so the error would go unnoticed.
            _log.exception("The accounts could not be written")
            change.result.set_exception(error)
            self.warn("tuppence could not write its accounts, by a fault of its own. Please report it with its log.")
        else:
            self._forget_lost(change)
            change.result.set_result(result)

    def _set_aside(self, change: _Waiting) -> tuple[Change, ...]:
        """Put a change that the ledger does not take into the file, for good; return what is written down of it."""
        self._aside = (*self._aside, *change.notes)[-UNWRITTEN:]
        notes, change.notes = change.notes, ()
        if change.cost is not None:
            self._aside_runs.add(change.cost.run)
        self._put_down()
        return notes

    def _tell_aside(self, notes: tuple[Change, ...], change: _Waiting, error: Unwritable) -> None:
        """Say once that the ledger does not take a change, and where that is instead."""
        _log.error("The ledger does not take a change: %s", error)
        if any("lost" in each for each in notes):
            # Of a reservation nothing is lost, unless the ledger does not take the cost either.
            self.note_shown(str(error))
        elif not notes:
            if change.waits:  # Who else asked for it hears of it.
                self.warn(str(error))
        elif not self._is_told:
            self._is_told = True
            where = f"is kept in {self._file.path}" if self._file else "cannot be written beside the ledger either"
            self.warn(f"{error.message} The change {where}; the others are entered. {error.remedy}")

    def _forget_lost(self, change: _Waiting) -> None:
        """Forget a reservation that was set aside once it is known what its call came to."""
        done = {each.get("hold") or each.get("released") for each in change.notes}
        self._aside = tuple(each for each in self._aside if "lost" not in each or each["hold"] not in done)

    def _fall_behind(self, error: TuppenceError) -> None:
        self._is_behind, self._error = True, error
        self.warn(str(error))
        for change in tuple(self._waiting):
            if not change.waits:  # Nothing is spent under a budget that cannot be checked.
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
        """Write the waiting changes to the file beside the ledger; return whether that succeeded."""
        try:
            with self._putting_down:
                notes = [*self._aside, *(note for change in tuple(self._waiting) for note in change.notes)]
                if self._file is None and notes:
                    self._file = self.ledger.unwritten_file()
                if self._file is not None:
                    self._file.write(notes)
        except (OSError, TuppenceError) as error:
            _log.warning("What waits for the ledger could not be written beside it: %s", error)
            return False
        return True

    def _leave(self) -> None:
        """Log what the session leaves unwritten."""
        entries = [change.cost for change in tuple(self._waiting) if change.cost is not None]
        count, spent = len(entries), money(add(each.cost for each in entries if each.cost))
        what = f"{count} {'request' if count == 1 else 'requests'} ({spent}) could not be entered in the ledger"
        if self._aside:
            what = f"{what}, and {len(self._aside)} changes are such that it does not take them"
        if self._put_down() and self._file is not None:
            with contextlib.suppress(OSError):
                self._file.hand_over()
            _log.warning("%s: they are in %s, and the next start enters them.", what, self._file.path)
        else:
            _log.error("%s, and no file could be written: they are lost.", what)

    def _take_in(self) -> None:
        """Enter what ended sessions could not write, and add a warning about it."""
        taken = self.ledger.take_in(self._now())
        if taken.entries:
            which = "1 request" if taken.entries == 1 else f"{taken.entries} requests"
            self.warn(f"{which} of an earlier session that the ledger could not take then are entered now.")
        for path in taken.damaged:
            self.warn(
                f"A file of unwritten accounts was damaged: what could be read is entered, all is kept in {path}."
            )
        for path in taken.refused:
            self.warn(f"The ledger does not take all of an earlier session: the rest is entered, all is in {path}.")

    def _noted(self, hold: str, identity: str, received: int) -> None:
        with contextlib.suppress(TuppenceError):  # It only improves an estimate.
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
