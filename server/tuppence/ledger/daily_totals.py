"""Totals of the user's day, updated incrementally from the entries added since the last reading.

They are needed after each request, and a team's day has many thousands of requests. The ledger counts changes of
existing entries (an outcome, a corrected estimate); if that count differs, the day is read again from the start.
"""

from __future__ import annotations

from datetime import datetime

from tuppence.core.billing.totals import RunningTotals, Totals
from tuppence.ledger import schema
from tuppence.ledger.schema import Connection, moment

CHANGES = "changes"
"""Name of the change counter in the table of running totals."""


def note_change(connection: Connection) -> None:
    """Increment the counter of changed entries."""
    found = connection.execute("SELECT spent FROM tally WHERE name = ?", (CHANGES,)).fetchone()
    count = str(1 + int(found[0])) if found else "1"
    statement = "INSERT INTO tally (name, spent) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET spent = excluded.spent"
    connection.execute(statement, (CHANGES, count))


class Today:
    """The part of the day that was read so far; used by one thread at a time."""

    def __init__(self) -> None:
        self._begun: tuple[str, int] | None = None
        """The start of the day as a ledger timestamp, and the number of changes at the first reading."""
        self._last = (0, "")
        """Number and run of the last entry read."""
        self._register = RunningTotals()

    def totals(self, connection: Connection, midnight: datetime) -> Totals:
        """Return the totals since midnight."""
        since = moment(midnight)
        changes = connection.execute("SELECT spent FROM tally WHERE name = ?", (CHANGES,)).fetchone()
        now = since, int(changes[0]) if changes else 0
        if now != self._begun or not self._is_there(connection):
            self._begun, self._last, self._register = now, (0, ""), RunningTotals()
        # The first reading selects by time, which has an index; later ones select by number.
        where, start = ("at >= ?", since) if not self._last[0] else ("id > ?", self._last[0])
        for values in connection.execute(
            f"{schema.ENTRY_SUMMARIES} WHERE {where} ORDER BY id + 0", (start,)
        ).fetchall():
            slip = schema.entry_summary(values)
            self._last = values[-1], slip.run
            if slip.at >= midnight:
                self._register.take(slip)
        return self._register.totals()

    def _is_there(self, connection: Connection) -> bool:
        """Report whether the last entry read still exists; it does not if the ledger was replaced by a new one."""
        number, run = self._last
        found = connection.execute("SELECT run FROM request WHERE id = ?", (number,)).fetchone()
        return (found[0] if found else "") == run
