"""Reservations: a *hold* is a row of its own, made before a call and gone once it is known what the call came to.

It carries the entry that it becomes should its process end before it settled, and while the answer comes, how much of
it came and by which id the provider knows it. So the next server has a near estimate, and may ask for the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from tuppence.core.billing.budget import CallEstimate, Grant, Limits, Spent, bound, offer
from tuppence.core.billing.entry import Entry, exact
from tuppence.core.models.usage import Usage
from tuppence.ledger import queries, schema
from tuppence.ledger.process import Process, gone, me
from tuppence.ledger.schema import Connection, clean, moment
from tuppence.ledger.unwritable import attempt

_KEPT = (
    "INSERT INTO hold (id, run, session, at, bound, host, pid, born, entry, rate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_LIKE = (
    "SELECT count(*), max(output + thinking) FROM request WHERE id > (SELECT max(id) FROM request) - ?"
    " AND provider = ? AND model = ? AND action = ? AND estimated = 0 AND output IS NOT NULL"
)
_OWED = (
    "SELECT hold, provider, model, identity FROM request"
    " WHERE identity IS NOT NULL AND at >= ? AND estimated = 1 ORDER BY at DESC LIMIT ?"
)
_LATELY = 2000
"""Among so many last requests, answers of a kind are looked for."""
ENOUGH = 2
"""So many answers of a kind tell how long one is at most."""
AHEAD = 256
"""Tokens by which an answer may have been further than was noted: a second of noting, and the provider's own haste."""
_OWED_AT_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A request for money, before a call."""

    id: str
    """Names the reservation; the caller's own, unlike any other."""
    bid: CallEstimate
    limits: Limits
    lost: Entry
    """What is entered should this process end before it settles; its cost becomes the reservation's."""
    midnight: datetime
    """When the user's day began, with his time zone."""


@dataclass(frozen=True, slots=True)
class PendingCost:
    """An estimate whose provider may be asked for the truth."""

    hold: str
    """The reservation that the entry was made from."""
    provider: str
    model: str
    """The model's id."""
    identity: str
    """By which the provider knows the answer."""


def reserve(connection: Connection, claim: Reservation) -> Grant:
    """Reserve what a call costs at most, if the limits allow it, and return what it is granted.

    A claim may be repeated, for instance because the connection was lost before the reply came: it replaces itself.

    :raises OverBudget: they do not.
    """
    release(connection, claim.id)
    lost = claim.lost
    spent = queries.spent_by(connection, lost.session, lost.run, claim.midnight) if claim.limits.any else Spent()
    granted = offer(claim.bid, claim.limits, spent)
    usage = None if lost.usage is None else replace(lost.usage, output=granted.tokens)
    packed = schema.packed(replace(lost, cost=granted.bound, listed=granted.bound, usage=usage))
    held = rate = None
    if granted.bound is not None:
        held, rate = exact(granted.bound), exact(bound(claim.bid, 1) - bound(claim.bid, 0))
    mine = me()
    values = (claim.id, clean(lost.run), clean(lost.session), moment(lost.at), held, mine.host, mine.pid, mine.born)
    connection.execute(_KEPT, (*values, packed, rate))
    return granted


def note(connection: Connection, hold: str, identity: str, received: int) -> None:
    """Note how far the answer to a reserved call has come."""
    connection.execute("UPDATE hold SET identity = ?, received = ? WHERE id = ?", (clean(identity), received, hold))


def settle(connection: Connection, hold: str, entry: Entry) -> None:
    """Write what a reserved call came to, in place of the reservation or of the estimate that it became."""
    held = connection.execute("SELECT identity FROM hold WHERE id = ?", (hold,)).fetchone()
    if held is not None:
        release(connection, hold)
        queries.add_entry(connection, entry, hold)
        _owe(connection, hold, entry, held[0])
    elif (former := queries.entry_of(connection, hold)) is not None:
        queries.replace_entry(connection, hold, former, entry)
    else:
        queries.add_entry(connection, entry, hold)


def release(connection: Connection, hold: str) -> None:
    """Give up a reservation of which nothing was used."""
    connection.execute("DELETE FROM hold WHERE id = ?", (hold,))


def recover(connection: Connection, now: datetime) -> int:
    """Enter the reservations whose process has ended as what they may have cost; return how many those were.

    One that the ledger does not take stays a reservation.
    """
    found = connection.execute("SELECT id, at, host, pid, born, entry, identity, received, rate FROM hold").fetchall()
    dead = [each for each in found if gone(Process(each[2], each[3], each[4]), datetime.fromisoformat(each[1]), now)]
    return sum(attempt(connection, partial(_enter_lost, connection, each)) for each in dead)


def _enter_lost(connection: Connection, found: Sequence[Any]) -> None:
    """Enter one reservation, as it was found."""
    id_, _, _, _, _, packed, identity, received, rate = found
    release(connection, id_)
    lost = schema.unpacked(packed)
    likely = lost if rate is None else _likely(connection, lost, received or 0, Decimal(rate))
    queries.add_entry(connection, likely, id_)
    _owe(connection, id_, likely, identity)


def owed(connection: Connection, since: datetime) -> tuple[PendingCost, ...]:
    """Return the latest estimates since a moment whose providers said an id."""
    found = connection.execute(_OWED, (moment(since), _OWED_AT_MOST)).fetchall()
    return tuple(PendingCost(*each) for each in found)


def correct(connection: Connection, hold: str, truth: Callable[[Entry], Entry]) -> bool:
    """Put the truth in place of an estimate; return whether there was one."""
    former = queries.entry_of(connection, hold)
    if former is None or not former.estimated:
        return False
    queries.replace_entry(connection, hold, former, truth(former))
    connection.execute("UPDATE request SET identity = NULL WHERE hold = ?", (hold,))
    return True


def _owe(connection: Connection, hold: str, entry: Entry, identity: str | None) -> None:
    if entry.estimated and identity:
        connection.execute("UPDATE request SET identity = ? WHERE hold = ?", (identity, hold))


def _likely(connection: Connection, lost: Entry, received: int, rate: Decimal) -> Entry:
    """Return the entry of a call whose end nobody saw: its whole prompt, and an answer as long as its like.

    Nobody can tell how far a provider wrote on for nobody, and some charge for all of it; so it is taken to be as long
    as the longest of its kind probably is, and longer than what came, within what it was allowed. Of n answers, the
    longest falls short of what such answers reach by one part in n, which is added. Where too few of the kind are
    known, it is what it was allowed.
    """
    if lost.usage is None or lost.cost is None:
        return lost
    values = (_LATELY, clean(lost.provider), clean(lost.model), clean(lost.action))
    known, longest = connection.execute(_LIKE, values).fetchone() or (0, 0)
    if known < ENOUGH:
        return lost
    granted = lost.usage.output
    reach = -(-int(longest) * (known + 1) // known)
    tokens = min(granted, max(reach, received + AHEAD if received else 0))
    cost = lost.cost - (granted - tokens) * rate
    return replace(lost, cost=cost, listed=cost, usage=Usage(fresh=lost.usage.fresh, output=tokens))
