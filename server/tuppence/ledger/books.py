"""What is written into the ledger and read out of it, as statements inside one transaction of either database.

Running totals, by session, quarter of an hour and day, are kept beside the entries, so that what was spent today or
this month is known at once however many entries there are. A reservation (a *hold*) is a row of its own, with the
entry that it becomes should its process end before it was settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tuppence.core.accounts import Entry, Outcome, Summary, add, exact, last
from tuppence.core.budget import Bid, Limits, Offer, Spent, offer
from tuppence.core.totals import Slip
from tuppence.ledger import rows
from tuppence.ledger.process import Process, gone, me
from tuppence.ledger.rows import COLUMNS, Connection, clean, moment, quarter, tallies
from tuppence.ledger.today import Today, note_change

_NAMES = ", ".join(COLUMNS)
_INSERT = f"INSERT INTO request ({_NAMES}, hold) VALUES ({', '.join('?' * len(COLUMNS))}, ?)"  # noqa: S608 - names of our own
_SELECT = f"SELECT {_NAMES} FROM request"  # noqa: S608 - names of our own
_UPDATE = f"UPDATE request SET {', '.join(f'{name} = ?' for name in COLUMNS)} WHERE hold = ?"  # noqa: S608 - names of our own
_ADDED = "INSERT INTO tally (name, spent) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET spent = excluded.spent"
_PACED = (
    "INSERT INTO pace (provider, model, language, characters, tokens) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (provider, model, language) DO UPDATE SET "
    "characters = pace.characters + excluded.characters, tokens = pace.tokens + excluded.tokens"
)
_BETWEEN = (
    "SELECT spent FROM tally WHERE name >= ? AND name < ? UNION ALL "
    "SELECT spent FROM tally WHERE name >= ? AND name < ?"
)
SINCE = "at >= ? ORDER BY id + 0"
"""Finds entries by their moment, oldest first; by the bare id SQLite would rather read the whole table in its order."""
_KEPT_HOLD = "INSERT INTO hold (id, run, session, at, bound, host, pid, born, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request for money, before a call."""

    id: str
    """Names the reservation; the caller's own, unlike any other."""
    bid: Bid
    limits: Limits
    lost: Entry
    """What is entered should this process end before it settles; its cost becomes the reservation's."""
    midnight: datetime
    """When the user's day began, with his time zone."""


def add_entry(connection: Connection, entry: Entry, hold: str | None = None) -> int:
    """Write an entry and return its number."""
    connection.execute(_INSERT, (*rows.row(entry), hold))
    _tally(connection, entry.session, entry.at, entry.cost)
    _pace(connection, entry)
    found = connection.execute("SELECT max(id) FROM request").fetchone()
    return int(found[0]) if found else 0


def change_outcome(connection: Connection, run: str, outcome: Outcome) -> None:
    """Change how a run's last request ended."""
    statement = "UPDATE request SET outcome = ? WHERE id = (SELECT max(id) FROM request WHERE run = ?)"
    if connection.execute(statement, (outcome, clean(run))).rowcount:
        note_change(connection)


def reserve(connection: Connection, claim: Claim) -> Offer:
    """Reserve what a call costs at most, if the limits allow it, and return what it is granted.

    :raises OverBudget: they do not.
    """
    lost = claim.lost
    spent = spent_by(connection, lost.session, lost.run, claim.midnight) if claim.limits.any else Spent()
    granted = offer(claim.bid, claim.limits, spent)
    usage = None if lost.usage is None else replace(lost.usage, output=granted.tokens)
    packed = rows.packed(replace(lost, cost=granted.bound, listed=granted.bound, usage=usage))
    held = None if granted.bound is None else exact(granted.bound)
    mine = me()
    values = (claim.id, clean(lost.run), clean(lost.session), moment(lost.at), held, mine.host, mine.pid, mine.born)
    connection.execute(_KEPT_HOLD, (*values, packed))
    return granted


def settle(connection: Connection, hold: str, entry: Entry) -> None:
    """Write what a reserved call came to, in place of the reservation or of the estimate that it became."""
    released = connection.execute("DELETE FROM hold WHERE id = ?", (hold,)).rowcount
    former = None if released else connection.execute(f"{_SELECT} WHERE hold = ?", (hold,)).fetchone()
    if former is None:
        add_entry(connection, entry, hold)
        return
    estimate = rows.entry(former)
    connection.execute(_UPDATE, (*rows.row(entry), hold))
    note_change(connection)
    _tally(connection, estimate.session, estimate.at, estimate.cost and estimate.cost.copy_negate())
    _tally(connection, entry.session, entry.at, entry.cost)
    _pace(connection, entry)


def release(connection: Connection, hold: str) -> None:
    """Give up a reservation of which nothing was used."""
    connection.execute("DELETE FROM hold WHERE id = ?", (hold,))


def recover(connection: Connection, now: datetime) -> int:
    """Enter the reservations whose process has ended as what they may have cost; return how many those were."""
    found = connection.execute("SELECT id, at, host, pid, born, entry FROM hold").fetchall()
    dead = [each for each in found if gone(Process(each[2], each[3], each[4]), datetime.fromisoformat(each[1]), now)]
    for id_, _, _, _, _, packed in dead:
        release(connection, id_)
        add_entry(connection, rows.unpacked(packed), id_)
    return len(dead)


def spent_by(connection: Connection, session: str, run: str, midnight: datetime) -> Spent:
    """Return what was spent and what is reserved, by period."""
    session, run = clean(session), clean(run)
    month = midnight.replace(day=1)
    holds = [
        (each[0], each[1], datetime.fromisoformat(each[2]), Decimal(each[3]))
        for each in connection.execute("SELECT run, session, at, bound FROM hold WHERE bound IS NOT NULL").fetchall()
    ]
    of_run = connection.execute("SELECT cost FROM request WHERE run = ? AND cost IS NOT NULL", (run,)).fetchall()
    return Spent(
        request=add((*_amounts(of_run), *(bound for name, _, _, bound in holds if name == run))),
        session=add((_session(connection, session), *(bound for _, name, _, bound in holds if name == session))),
        day=add((_since(connection, midnight), *(bound for _, _, at, bound in holds if at >= midnight))),
        month=add((_since(connection, month), *(bound for _, _, at, bound in holds if at >= month))),
    )


def summary(connection: Connection, session: str, midnight: datetime, of_day: Today) -> Summary:
    """Return the accounts of a session and of the day that began at midnight."""
    session = clean(session)
    today = of_day.totals(connection, midnight)
    run = "run = (SELECT run FROM request WHERE session = ? ORDER BY id DESC LIMIT 1) ORDER BY id"
    return Summary(
        session=_session(connection, session),
        today=today.spent,
        month=_since(connection, midnight.replace(day=1)),
        saved=today.saved,
        requests=today.requests,
        estimated=today.estimated,
        unknown=today.unknown,
        by_model=today.by_model,
        by_tier=today.by_tier,
        last=last(entries(connection, run, (session,))),
    )


def entries(connection: Connection, where: str, values: Sequence[Any] = ()) -> tuple[Entry, ...]:
    """Return the entries that meet a condition of our own."""
    return tuple(rows.entry(each) for each in connection.execute(f"{_SELECT} WHERE {where}", values).fetchall())


def slips(connection: Connection, since: datetime) -> list[Slip]:
    """Return what sums need of the requests that began at a moment or later, in the order of their entry."""
    return list(map(rows.slip, connection.execute(f"{rows.SLIPS} WHERE {SINCE}", (moment(since),)).fetchall()))


def paces(connection: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """Return code points and tokens of all counted prompts, by the model's name and the language."""
    found = connection.execute("SELECT provider, model, language, characters, tokens FROM pace").fetchall()
    return {(f"{each[0]}/{each[1]}", each[2]): (each[3], each[4]) for each in found}


def _session(connection: Connection, session: str) -> Decimal:
    return add(_amounts(connection.execute("SELECT spent FROM tally WHERE name = ?", (f"s/{session}",)).fetchall()))


def _since(connection: Connection, when: datetime) -> Decimal:
    """Add up the quarters of an hour until the next day of UTC begins, and the days from then on."""
    begun = when.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    whole = begun if begun == when else begun + timedelta(days=1)
    values = (quarter(when), quarter(whole), rows.day(whole), "d/~")
    return add(_amounts(connection.execute(_BETWEEN, values).fetchall()))


def _amounts(found: Iterable[Sequence[Any]]) -> Iterable[Decimal]:
    return (Decimal(each[0]) for each in found)


def _tally(connection: Connection, session: str, at: datetime, cost: Decimal | None) -> None:
    """Add a cost to the running totals that it belongs to."""
    if not cost:
        return
    for name in tallies(clean(session), at):
        former = connection.execute("SELECT spent FROM tally WHERE name = ?", (name,)).fetchall()
        connection.execute(_ADDED, (name, exact(add((*_amounts(former), cost)))))


def _pace(connection: Connection, entry: Entry) -> None:
    """Learn from a prompt that the provider counted how its model's tokens run."""
    if entry.estimated or not entry.characters or entry.usage is None or not entry.usage.prompt:
        return
    key = (clean(entry.provider), clean(entry.model), clean(entry.language))
    connection.execute(_PACED, (*key, entry.characters, entry.usage.prompt))
