"""The ledger: what every request cost, kept in SQLite, or for a team in PostgreSQL.

All editors of a user share one ledger, so each addition is one transaction and several processes may write at once.
Before a call its highest price is reserved, and what the call came to takes the reservation's place; so several servers
never pass a limit together. Entries are never changed, but for their outcome and where an estimate gives way to the
truth.

Everything is done by one thread, in the order in which it was asked for: a method waits for its turn, ``queue`` does
not. Whatever fails here raises one sentence; the caller shows it and keeps the answer. This package does not decide
what a request costs or saves (core/billing/entry.py and core/models/usage.py do), nor what a budget allows
(core/billing/budget.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from tuppence.core.billing.budget import Grant, Spent
from tuppence.core.billing.entry import Entry, Outcome, Summary
from tuppence.core.billing.totals import EntrySummary
from tuppence.ledger import queries, reservations
from tuppence.ledger.daily_totals import Today
from tuppence.ledger.reservations import PendingCost, Reservation
from tuppence.ledger.schema import Connection, moment

__all__ = ["Ledger", "PendingCost", "Reservation"]

_T = TypeVar("_T")
Access = Literal["read", "write"]


class Database(Protocol):
    """One database."""

    @property
    def place(self) -> str:
        """Where it is, for a person; never with a password."""
        ...

    def transact(self, way: Access, work: Callable[[Connection], _T]) -> _T:
        """Do a piece of work in one transaction; one that writes has the ledger for itself.

        :raises TuppenceError: it could not be done, and nothing was changed.
        """
        ...

    def warnings(self) -> tuple[str, ...]:
        """Return what the user is yet to be told, each sentence once."""
        ...

    def close(self) -> None:
        """Close it; a later use opens it again."""
        ...


class Ledger:
    """The ledger of one user or team; opened at its first use, safe to share between threads and processes."""

    def __init__(self, where: Path | str | None = None) -> None:
        """Keep the ledger in a file, at a ``postgresql://`` address, or (empty, None) in the platform's data folder."""
        self._engine = _engine(where)
        self._worker: ThreadPoolExecutor | None = None
        self._thread = 0
        self._today = Today()
        self._starting = threading.Lock()

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return self._engine.place

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
        """Return what the user is yet to be told, each sentence once."""
        return self._engine.warnings()

    def queue(self, work: Callable[[], _T]) -> Future[_T]:
        """Do something with this ledger after all that was asked before; do not wait for it."""
        with self._starting:
            if self._worker is None:
                self._worker = ThreadPoolExecutor(1, "tuppence-ledger", self._begin)
            return self._worker.submit(work)

    def close(self) -> None:
        """Close it, after all that was asked before; a later use opens it again."""
        self._in_turn(self._engine.close)
        with self._starting:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown()

    def _begin(self) -> None:
        self._thread = threading.get_ident()

    def _do(self, way: Access, work: Callable[[Connection], _T]) -> _T:
        return self._in_turn(lambda: self._engine.transact(way, work))

    def _in_turn(self, work: Callable[[], _T]) -> _T:
        return work() if threading.get_ident() == self._thread else self.queue(work).result()


def midnight(now: datetime) -> datetime:
    """Return when a moment's day began, where its time zone is.

    :raises ValueError: it has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("the moment needs a time zone")
    return now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)  # Where it comes twice, the first is meant.


def _engine(where: Path | str | None) -> Database:
    if isinstance(where, str) and where.startswith(POSTGRES):
        from tuppence.ledger.postgres import Postgres

        return Postgres(where)
    from tuppence.ledger.sqlite import Sqlite

    return Sqlite(Path(where) if where else None)


POSTGRES = ("postgresql://", "postgres://")
"""How the address of a team's ledger begins."""
