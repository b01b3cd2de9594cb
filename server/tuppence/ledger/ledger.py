"""The ledger: what every request cost, kept in SQLite, or for a team in PostgreSQL.

All editors of a user share one ledger, so each addition is one transaction and several processes may write at once.
Before a call its highest price is reserved, and what the call came to takes the reservation's place; so several servers
never pass a limit together. Entries are never changed, but for their outcome and where an estimate gives way to the
truth.

What writes is done by one thread, in the order in which it was asked for; what reads by another, on a connection of its
own, after all writes that were asked for before, unless another process holds those up: a reader does not wait for it.
A method waits for its turn, ``queue`` and ``read`` do not. Whatever fails here raises one sentence; the caller shows it
and keeps the answer. This package does not decide what a request costs or saves (core/billing/entry.py and
core/models/usage.py do), nor what a budget allows (core/billing/budget.py).
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
    """How long to wait for a file that another process has locked, in seconds."""

    read: float | None = None
    """For what is read, and before a reader no longer waits for writes; None for ``sqlite.WAIT``."""
    write: float | None = None
    """For what is written."""


EDITOR = Patience(read=0.2, write=2.0)
"""For an editor: the user waits for reads, but not for writes."""


class Database(Protocol):
    """One connection to one database."""

    @property
    def place(self) -> str:
        """Where it is, for a person; never with a password."""
        ...

    @property
    def beside(self) -> Path:
        """The path that files on this machine which belong to this ledger are named after."""
        ...

    def transact(self, way: Access, work: Callable[[Connection], _T]) -> _T:
        """Do a piece of work in one transaction; one that writes has the ledger for itself.

        :raises Damaged: the file is damaged.
        :raises Unwritable: what is wrong is in what was to be written; nothing was changed.
        :raises TuppenceError: it could not be done, and nothing was changed.
        """
        ...

    def begin_again(self) -> None:
        """Move a damaged file aside; the next use begins a new one.

        :raises TuppenceError: it could not be moved.
        """
        ...

    def warnings(self) -> tuple[str, ...]:
        """Return what the user is yet to be shown, each sentence once."""
        ...

    def close(self) -> None:
        """Close it; a later use opens it again."""
        ...


class Ledger:
    """The ledger of one user or team; opened at its first use, safe to share between threads and processes."""

    def __init__(self, where: Path | str | None = None, patience: Patience = Patience()) -> None:
        """Keep the ledger in a file, at a ``postgresql://`` address, or (empty, None) in the platform's data folder."""
        self._engine = _engine(where, patience.write, self._hold_up, patience.read)
        self._reader = _engine(where, patience.read)
        self._writing = Worker("tuppence-ledger")
        self._reading = Worker("tuppence-ledger-reads")
        self._today = Today()
        self._waiting: set[Future[None]] = set()
        """Resolved once all writes that were asked for before are done, or are held up."""
        self._is_held_up = False
        self.on_held_up: Callable[[], object] = lambda: None
        """Called in the writer's thread once another process has held a write up for as long as a reader waits."""
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return self._engine.place

    @property
    def locked(self) -> TuppenceError:
        """The error of a ledger that another program does not let go of."""
        return locked(self.place)

    def add(self, entry: Entry) -> int:
        """Write an entry and return its number.

        :raises TuppenceError: it could not be written.
        """
        return self._do("write", lambda connection: queries.add_entry(connection, entry))

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Change how a run's last request ended, as when a kept answer is undone; an unknown run is left alone.

        :raises TuppenceError: it could not be written.
        """
        self._do("write", lambda connection: queries.change_outcome(connection, run, outcome))

    def reserve(self, claim: Reservation) -> Grant:
        """Reserve what a call costs at most, and return what it is granted.

        :raises OverBudget: the limits do not allow it.
        :raises TuppenceError: it could not be written.
        """
        return self._do("write", lambda connection: reservations.reserve(connection, claim))

    def note(self, hold: str, identity: str, received: int) -> None:
        """Note how far the answer to a reserved call has come: the provider's id for it, and about how many tokens.

        :raises TuppenceError: it could not be written.
        """
        self._do("write", lambda connection: reservations.note(connection, hold, identity, received))

    def settle(self, hold: str, entry: Entry) -> None:
        """Write what a reserved call came to, in place of its reservation.

        :raises TuppenceError: it could not be written.
        """
        self._do("write", lambda connection: reservations.settle(connection, hold, entry))

    def release(self, hold: str) -> None:
        """Give up a reservation of which nothing was used.

        :raises TuppenceError: it could not be written.
        """
        self._do("write", lambda connection: reservations.release(connection, hold))

    def recover(self, now: datetime) -> int:
        """Settle the reservations of processes that have ended, as estimates; return how many those were.

        :raises TuppenceError: it could not be written.
        """
        return self._do("write", lambda connection: reservations.recover(connection, now))

    def owed(self, since: datetime) -> tuple[PendingCost, ...]:
        """Return the latest estimates that began at ``since`` or later and whose providers may be asked for the truth.

        :raises TuppenceError: the ledger could not be read.
        """
        return self._do("read", lambda connection: reservations.owed(connection, since))

    def correct(self, hold: str, truth: Callable[[Entry], Entry]) -> bool:
        """Put the truth in place of an estimate; return whether there was one.

        :raises TuppenceError: it could not be written.
        """
        return self._do("write", lambda connection: reservations.correct(connection, hold, truth))

    def spent(self, session: str, run: str, now: datetime) -> Spent:
        """Return what was spent and is reserved, by the period of a budget.

        :raises TuppenceError: the ledger could not be read.
        """
        return self._do("read", lambda connection: queries.spent_by(connection, session, run, midnight(now)))

    def summary(self, session: str, now: datetime) -> Summary:
        """Return the accounts at a moment; its time zone says where the user's day and month begin.

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
        """Return what sums need of the requests that began at ``since`` or later, in the order of their entry.

        :raises TuppenceError: the ledger could not be read.
        """
        return self._do("read", lambda connection: queries.read_entry_summaries(connection, since))

    def paces(self) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Return code points and tokens of all counted prompts, by the model's name and the language.

        :raises TuppenceError: the ledger could not be read.
        """
        return self._do("read", queries.paces)

    def warnings(self) -> tuple[str, ...]:
        """Return what the user is yet to be shown, each sentence once."""
        return tuple(dict.fromkeys((*self._engine.warnings(), *self._reader.warnings())))

    def unwritten_file(self) -> UnwrittenFile:
        """Return a file of this process for what the ledger cannot take.

        :raises TuppenceError: there is no place for one.
        """
        return UnwrittenFile(self._engine.beside)

    def take_in(self, now: datetime) -> TakenIn:
        """Enter what processes that have ended could not; each change once, however often this is done.

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
        """Do something with this ledger after all writes that were asked before; do not wait for it."""
        return self._writing.submit(lambda: self._unhindered(work))

    def read(self, work: Callable[[], _T]) -> Future[_T]:
        """Read something, by methods of this ledger, after all writes that were asked before; do not wait for it.

        Where another process holds the writes up, they are not waited for.
        """
        result: Future[_T] = Future()
        self.settled().add_done_callback(lambda _done: self._reading.submit(work, result))
        return result

    def settled(self) -> Future[None]:
        """Return what is done once all writes that were asked before are done, or are held up by another process."""
        waiting: Future[None] = Future()
        with self._lock:
            if self._is_held_up:
                waiting.set_result(None)
                return waiting
            self._waiting.add(waiting)
        self._writing.submit(lambda: self._let_go(waiting))
        return waiting

    def close(self, seconds: float | None = None) -> None:
        """Close it, after all that was asked before; a later use opens it again.

        :param seconds: how long to wait for that at most; None for any time.
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
                # The writer moves a damaged file, so that no entry goes into one that is moved at this moment.
                self.queue(lambda: self._mended(lambda: self._engine.transact(way, work))).result()
                return self._reader.transact(way, work)
        return self.read(lambda: self._do(way, work)).result()

    def _mended(self, work: Callable[[], _T]) -> _T:
        """Do something in the writer's thread, once more where the file was damaged and a new one is begun."""
        try:
            return work()
        except Damaged:
            self._engine.begin_again()
            return work()

    def _hold_up(self) -> None:
        """Let those go on who wait for writes that another process holds up."""
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
    """Return when a moment's day began, where its time zone is.

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
"""How the address of a team's ledger begins."""
