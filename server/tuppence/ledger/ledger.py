"""The ledger: the cost of every request, stored in SQLite or, for a team, in PostgreSQL.

All editors of a user share one ledger, so each addition is one transaction, and several processes may write at once.
Before a call its maximum cost is reserved, and the actual cost then replaces the reservation; so several servers never
exceed a limit together. Entries do not change, except for their outcome and for estimates that are corrected.

One thread does all writes, in the order of the calls. Another thread reads, on its own connection, after all writes
requested before; if another process delays those writes, a read does not wait for them. Methods block until their turn;
``queue`` and ``read`` do not. A failure raises an error with one sentence; the caller shows it and keeps the answer.
This package does not decide what a request costs or saves (core/billing/entry.py and core/models/usage.py do), nor what
a budget allows (core/billing/budget.py).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from tuppence.core.billing.budget import Grant, Spent
from tuppence.core.billing.entry import Entry, Outcome, Summary
from tuppence.core.billing.totals import EntrySummary
from tuppence.errors import TuppenceError
from tuppence.ledger import queries, reservations, unwritten
from tuppence.ledger.daily_totals import Today
from tuppence.ledger.reservations import PendingCost, Reservation
from tuppence.ledger.schema import Connection, moment
from tuppence.ledger.sqlite import Damaged, Sqlite, locked
from tuppence.ledger.unwritten import TakenIn, UnwrittenFile
from tuppence.ledger.worker import Worker

__all__ = ["EDITOR", "Ledger", "Patience", "PendingCost", "Reservation"]

_T = TypeVar("_T")
Access = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds to wait for a file that another process has locked."""

    read: float | None = None
    """For reads, and for writes that a read waits for; None means ``sqlite.WAIT``."""
    write: float | None = None
    """For writes."""


EDITOR = Patience(read=0.2, write=2.0)
"""For an editor: the user waits for reads, but not for writes."""


class Database(Protocol):
    """A connection to a database."""

    @property
    def place(self) -> str:
        """The database's location for display, without a password."""
        ...

    @property
    def beside(self) -> Path:
        """The path from which the names of this ledger's other files on this machine are derived."""
        ...

    def transact(self, way: Access, work: Callable[[Connection], _T]) -> _T:
        """Run ``work`` in one transaction; a writing transaction has exclusive access to the ledger.

        :raises Damaged: the file is damaged.
        :raises Unwritable: what is wrong is in what was to be written; nothing was changed.
        :raises TuppenceError: the work failed, and nothing was changed.
        """
        ...

    def begin_again(self) -> None:
        """Move a damaged file aside, so that the next use creates a new one.

        :raises TuppenceError: it could not be moved.
        """
        ...

    def warnings(self) -> tuple[str, ...]:
        """Return the warnings not shown to the user yet; each is returned once."""
        ...

    def close(self) -> None:
        """Close the connection; a later use opens it again."""
        ...


class Ledger:
    """The ledger of one user or team; opened at its first use, safe to share between threads and processes."""

    def __init__(self, where: Path | str | None = None, patience: Patience = Patience()) -> None:
        """Use a file, a ``postgresql://`` address, or (empty or None) the platform's data folder."""
        self._engine = _engine(where, patience.write, self._hold_up, patience.read)
        self._reader = _engine(where, patience.read)
        self._writing = Worker("tuppence-ledger")
        self._reading = Worker("tuppence-ledger-reads")
        self._today = Today()
        self._waiting: set[Future[None]] = set()
        """Futures resolved once all writes requested before are done or delayed by another process."""
        self._is_held_up = False
        self.on_held_up: Callable[[], object] = lambda: None
        """Called in the writer's thread when another process has delayed a write for as long as a reader waits."""
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """The ledger's location for display."""
        return self._engine.place

    @property
    def locked(self) -> TuppenceError:
        """The error for a ledger that another program has locked."""
        return locked(self.place)

    def add(self, entry: Entry) -> int:
        """Add an entry and return its number.

        :raises TuppenceError: it could not be written.
        """
        return self._do("write", lambda connection: queries.add_entry(connection, entry))

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Change the outcome of a run's last request, as when a kept answer is undone; an unknown run is ignored.

        :raises TuppenceError: it could not be written.
        """
        self._do("write", lambda connection: queries.change_outcome(connection, run, outcome))

    def reserve(self, claim: Reservation) -> Grant:
        """Reserve the maximum cost of a call, and return what it is granted.

        :raises OverBudget: the limits do not allow it.
        :raises TuppenceError: it could not be written.
        """
        return self._do("write", lambda connection: reservations.reserve(connection, claim))

    def note(self, hold: str, identity: str, received: int) -> None:
        """Store the progress of the answer to a reserved call: the provider's id, and roughly the tokens received.

        :raises TuppenceError: it could not be written.
        """
        self._do("write", lambda connection: reservations.note(connection, hold, identity, received))

    def settle(self, hold: str, entry: Entry) -> None:
        """Replace a reservation by the entry of its call.

        :raises TuppenceError: it could not be written.
        """
        self._do("write", lambda connection: reservations.settle(connection, hold, entry))

    def release(self, hold: str) -> None:
        """Remove a reservation whose call used nothing.

        :raises TuppenceError: it could not be written.
        """
        self._do("write", lambda connection: reservations.release(connection, hold))

    def recover(self, now: datetime) -> int:
        """Enter the reservations of processes that have ended, as estimates; return their number.

        :raises TuppenceError: it could not be written.
        """
        return self._do("write", lambda connection: reservations.recover(connection, now))

    def owed(self, since: datetime) -> tuple[PendingCost, ...]:
        """Return the latest estimates since ``since`` whose actual cost the provider may be asked for.

        :raises TuppenceError: the ledger could not be read.
        """
        return self._do("read", lambda connection: reservations.owed(connection, since))

    def correct(self, hold: str, truth: Callable[[Entry], Entry]) -> bool:
        """Replace an estimate by the actual entry; return whether there was an estimate.

        :raises TuppenceError: it could not be written.
        """
        return self._do("write", lambda connection: reservations.correct(connection, hold, truth))

    def spent(self, session: str, run: str, now: datetime) -> Spent:
        """Return what was spent or is reserved, by budget period.

        :raises TuppenceError: the ledger could not be read.
        """
        return self._do("read", lambda connection: queries.spent_by(connection, session, run, midnight(now)))

    def summary(self, session: str, now: datetime) -> Summary:
        """Return the totals at ``now``, whose time zone determines where the user's day and month begin.

        :raises TuppenceError: the ledger could not be read.
        """
        day = midnight(now)
        return self._do("read", lambda connection: queries.summary(connection, session, day, self._today))

    def entries(self, since: datetime | None = None, limit: int | None = None) -> tuple[Entry, ...]:
        """Return the latest ``limit`` entries that began at ``since`` or later, oldest first.

        :raises TuppenceError: the ledger could not be read.
        """
        condition, values = ("TRUE ORDER BY id", ()) if since is None else (queries.SINCE, (moment(since),))
        where, limits = ("", ()) if limit is None else (" LIMIT ?", (limit,))
        query = f"{condition} DESC{where}"
        return self._do("read", lambda connection: queries.entries(connection, query, (*values, *limits)))[::-1]

    def entry_summaries(self, since: datetime) -> Sequence[EntrySummary]:
        """Return summaries of the requests that began at ``since`` or later, in the order of their entries.

        :raises TuppenceError: the ledger could not be read.
        """
        return self._do("read", lambda connection: queries.read_entry_summaries(connection, since))

    def paces(self) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Return code points and tokens of all counted prompts, by the model's name and the language.

        :raises TuppenceError: the ledger could not be read.
        """
        return self._do("read", queries.paces)

    def warnings(self) -> tuple[str, ...]:
        """Return the warnings not shown to the user yet; each is returned once."""
        return tuple(dict.fromkeys((*self._engine.warnings(), *self._reader.warnings())))

    def unwritten_file(self) -> UnwrittenFile:
        """Return a new file of this process for changes that the ledger cannot take.

        :raises TuppenceError: there is no location for it.
        """
        return UnwrittenFile(self._engine.beside)

    def take_in(self, now: datetime) -> TakenIn:
        """Enter the changes that ended processes could not write; entering one again has no effect.

        A file with a change that the ledger does not take is moved aside, once the others are entered.

        :raises TuppenceError: it could not be written.
        """
        taken = 0
        damaged_files: list[Path] = []
        refused_files: list[Path] = []
        for path in unwritten.abandoned(self._engine.beside, now):
            try:
                changes, whole = unwritten.read(path)
            except OSError:
                continue  # Another server has just taken it in.
            entered, all_taken = self._do("write", partial(unwritten.enter, changes=changes))
            taken += entered
            if (aside := unwritten.done_with(path, whole=whole and all_taken, now=now)) is not None:
                (refused_files if whole else damaged_files).append(aside)
        return TakenIn(taken, tuple(damaged_files), tuple(refused_files))

    def queue(self, work: Callable[[], _T]) -> Future[_T]:
        """Run ``work`` after all writes requested before, without waiting for it."""
        return self._writing.submit(lambda: self._unhindered(work))

    def read(self, work: Callable[[], _T]) -> Future[_T]:
        """Run ``work``, which reads by this ledger's methods, after all writes requested before; do not wait for it.

        Writes that another process delays are not waited for.
        """
        result: Future[_T] = Future()
        self.settled().add_done_callback(lambda _done: self._reading.submit(work, result))
        return result

    def settled(self) -> Future[None]:
        """Return a future that resolves once all writes requested before are done or delayed by another process."""
        waiting: Future[None] = Future()
        with self._lock:
            if self._is_held_up:
                waiting.set_result(None)
                return waiting
            self._waiting.add(waiting)
        self._writing.submit(lambda: self._let_go(waiting))
        return waiting

    def close(self, seconds: float | None = None) -> None:
        """Close the ledger after everything requested before; a later use opens it again.

        :param seconds: maximum time to wait for that; None for no limit.
        """
        for worker, engine in ((self._writing, self._engine), (self._reading, self._reader)):
            if worker.is_here:
                engine.close()
                continue
            worker.submit(engine.close)
            worker.close(seconds)

    def _do(self, way: Access, work: Callable[[Connection], _T]) -> _T:
        if self._writing.is_here:
            return self._mended(lambda: self._engine.transact(way, work))
        if way == "write":
            return self.queue(lambda: self._mended(lambda: self._engine.transact(way, work))).result()
        if self._reading.is_here:
            try:
                return self._reader.transact(way, work)
            except Damaged:
                # The writer moves a damaged file, so that no entry goes into a file that is being moved.
                self.queue(lambda: self._mended(lambda: self._engine.transact(way, work))).result()
                return self._reader.transact(way, work)
        return self.read(lambda: self._do(way, work)).result()

    def _mended(self, work: Callable[[], _T]) -> _T:
        """Run ``work`` in the writer's thread; if the file is damaged, begin a new one and run it again."""
        try:
            return work()
        except Damaged:
            self._engine.begin_again()
            return work()

    def _hold_up(self) -> None:
        """Release everything that waits for writes delayed by another process."""
        with self._lock:
            self._is_held_up = True
            waiting = tuple(self._waiting)
        for each in waiting:
            self._let_go(each)
        self.on_held_up()

    def _unhindered(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        finally:
            self._is_held_up = False

    def _let_go(self, waiting: Future[None]) -> None:
        with self._lock:
            if waiting not in self._waiting:
                return
            self._waiting.discard(waiting)
        if waiting.set_running_or_notify_cancel():
            waiting.set_result(None)


def midnight(now: datetime) -> datetime:
    """Return the start of a moment's day in its time zone.

    :raises ValueError: it has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("the moment needs a time zone")
    return now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)  # Where it comes twice, the first is meant.


def _engine(
    where: Path | str | None,
    wait: float | None,
    held_up: Callable[[], None] = lambda: None,
    patience: float | None = None,
) -> Database:
    if isinstance(where, str) and where.startswith(POSTGRES):
        from tuppence.ledger.postgres import Postgres

        return Postgres(where)
    return Sqlite(Path(where) if where else None, wait, held_up, math.inf if patience is None else patience)


POSTGRES = ("postgresql://", "postgres://")
"""The prefixes of the address of a team's ledger."""
