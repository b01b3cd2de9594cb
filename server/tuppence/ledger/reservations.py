"""Reservations: a *hold* is a row that is made before a call and removed once the call's cost is known.

A hold contains the entry that it becomes if its process ends first. While the answer arrives, it also stores how much
was received and the provider's id of the answer. So the next server has a close estimate, and may ask the provider for
the actual cost.
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
"""Number of the latest requests among which similar answers are searched."""
ENOUGH = 2
"""Minimum number of similar answers from which a length is estimated."""
AHEAD = 256
"""Tokens by which an answer may be ahead of what was stored: a second between updates, and the provider's own
buffer."""
_OWED_AT_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A request to reserve money before a call."""

    id: str
    """Unique id of the reservation, chosen by the caller."""
    bid: CallEstimate
    limits: Limits
    lost: Entry
    """The entry to add if this process ends before it settles; its cost becomes the reservation's."""
    midnight: datetime
    """The start of the user's day, in the user's time zone."""


@dataclass(frozen=True, slots=True)
class PendingCost:
    """An estimate whose actual cost the provider may be asked for."""

    hold: str
    """Id of the reservation from which the entry was made."""
    provider: str
    model: str
    """The model's id."""
    identity: str
    """The provider's id of the answer."""


def reserve(connection: Connection, claim: Reservation) -> Grant:
    """Reserve the maximum cost of a call, if the limits allow it, and return what is granted.

    A claim may be repeated, for example if the connection was lost before the reply: it replaces itself.

    :raises OverBudget: the limits do not allow it.
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
    """Store the progress of the answer to a reserved call."""
    connection.execute("UPDATE hold SET identity = ?, received = ? WHERE id = ?", (clean(identity), received, hold))


def settle(connection: Connection, hold: str, entry: Entry) -> None:
    """Write the entry of a call in place of its reservation, or of the estimate that this became."""
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
    """Remove a reservation whose call used nothing."""
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
    """Return the latest estimates since a moment for which the provider gave an id."""
    found = connection.execute(_OWED, (moment(since), _OWED_AT_MOST)).fetchall()
    return tuple(PendingCost(*each) for each in found)


def correct(connection: Connection, hold: str, truth: Callable[[Entry], Entry]) -> bool:
    """Replace an estimate by the actual entry; return whether there was an estimate."""
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
    """Return the estimated entry of a call whose end was not seen: its whole prompt, and an answer of probable length.

    The provider may have continued after the connection was lost, and some providers charge for all of it. So the
    length is the probable maximum of similar answers, or more if more was received, up to the granted tokens. The
    longest of n answers falls short of the maximum by about one part in n, which is added. With too few similar
    answers, the length is the granted tokens.
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
