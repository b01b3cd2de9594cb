"""Statements that write and read entries, each inside one transaction of either database.

Running totals by session, quarter of an hour, and day are stored beside the entries, so that today's and this month's
spending is available at once however many entries there are. ledger/reservations.py handles reservations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tuppence.core.billing.budget import Spent
from tuppence.core.billing.entry import Entry, Outcome, Summary, add, exact, last
from tuppence.core.billing.token_ratio import is_plausible
from tuppence.core.billing.totals import EntrySummary
from tuppence.core.prompt_cache.state import WARMING
from tuppence.ledger import schema
from tuppence.ledger.daily_totals import Today, note_change
from tuppence.ledger.schema import COLUMNS, Connection, clean, moment, quarter, tallies

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
"""Selects entries by time, oldest first. With the bare id, SQLite would read the whole table in id order."""


def add_entry(connection: Connection, entry: Entry, hold: str | None = None) -> int:
    """Add an entry and return its number."""
    connection.execute(_INSERT, (*schema.row(entry), hold))
    _tally(connection, entry.session, entry.at, entry.cost)
    _pace(connection, entry)
    found = connection.execute("SELECT max(id) FROM request").fetchone()
    return int(found[0]) if found else 0


def change_outcome(connection: Connection, run: str, outcome: Outcome) -> None:
    """Change the outcome of a run's last request."""
    statement = "UPDATE request SET outcome = ? WHERE id = (SELECT max(id) FROM request WHERE run = ?)"
    if connection.execute(statement, (outcome, clean(run))).rowcount:
        note_change(connection)


def replace_entry(connection: Connection, hold: str, former: Entry, entry: Entry) -> None:
    """Replace the entry that its reservation became before."""
    connection.execute(_UPDATE, (*schema.row(entry), hold))
    note_change(connection)
    _tally(connection, former.session, former.at, former.cost and former.cost.copy_negate())
    _tally(connection, entry.session, entry.at, entry.cost)
    _pace(connection, entry)


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
    """Return the totals of a session and of the day that began at ``midnight``."""
    session = clean(session)
    today = of_day.totals(connection, midnight)
    # A request that only warmed a cache is not a question of the user.
    run = (
        "run = (SELECT run FROM request WHERE session = ? AND action NOT IN (?, ?) ORDER BY id DESC LIMIT 1) "
        "ORDER BY id"
    )
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
        last=last(entries(connection, run, (session, *WARMING))),
    )


def entries(connection: Connection, where: str, values: Sequence[Any] = ()) -> tuple[Entry, ...]:
    """Return the entries that meet a condition, which must be a constant of this package."""
    return tuple(schema.entry(each) for each in connection.execute(f"{_SELECT} WHERE {where}", values).fetchall())


def entry_of(connection: Connection, hold: str) -> Entry | None:
    """Return the entry made from a reservation; None if there is none."""
    found = connection.execute(f"{_SELECT} WHERE hold = ?", (hold,)).fetchone()
    return None if found is None else schema.entry(found)


def read_entry_summaries(connection: Connection, since: datetime) -> list[EntrySummary]:
    """Return summaries of the requests that began at a moment or later, in the order of their entries."""
    return list(
        map(
            schema.entry_summary,
            connection.execute(f"{schema.ENTRY_SUMMARIES} WHERE {SINCE}", (moment(since),)).fetchall(),
        )
    )


def paces(connection: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """Return code points and tokens of all counted prompts, by the model's name and the language."""
    found = connection.execute("SELECT provider, model, language, characters, tokens FROM pace").fetchall()
    return {(f"{each[0]}/{each[1]}", each[2]): (each[3], each[4]) for each in found}


def _session(connection: Connection, session: str) -> Decimal:
    return add(_amounts(connection.execute("SELECT spent FROM tally WHERE name = ?", (f"s/{session}",)).fetchall()))


def _since(connection: Connection, when: datetime) -> Decimal:
    """Sum the quarters of an hour up to the next UTC midnight, and the days after it."""
    begun = when.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    whole = begun if begun == when else begun + timedelta(days=1)
    values = (quarter(when), quarter(whole), schema.day(whole), "d/~")
    return add(_amounts(connection.execute(_BETWEEN, values).fetchall()))


def _amounts(found: Iterable[Sequence[Any]]) -> Iterable[Decimal]:
    return (Decimal(each[0]) for each in found)


def _tally(connection: Connection, session: str, at: datetime, cost: Decimal | None) -> None:
    """Add a cost to its running totals."""
    if not cost:
        return
    for name in tallies(clean(session), at):
        former = connection.execute("SELECT spent FROM tally WHERE name = ?", (name,)).fetchall()
        connection.execute(_ADDED, (name, exact(add((*_amounts(former), cost)))))


def _pace(connection: Connection, entry: Entry) -> None:
    """Add a prompt that the provider counted to the model's token ratio."""
    if entry.estimated or entry.characters is None or entry.usage is None:
        return
    if not is_plausible(entry.characters, entry.usage.prompt):
        return
    key = (clean(entry.provider), clean(entry.model), clean(entry.language))
    connection.execute(_PACED, (*key, entry.characters, entry.usage.prompt))
