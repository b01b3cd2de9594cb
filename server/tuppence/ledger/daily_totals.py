"""The totals of the user's day, read on from where the last reading ended.

They are wanted after each request, and a team's day has many thousands of those. A change to an entry that was read
(an outcome, an estimate that gave way) is counted in the ledger, and has everything read anew.
"""

from __future__ import annotations

from datetime import datetime

from tuppence.core.billing.totals import RunningTotals, Totals
from tuppence.ledger import schema
from tuppence.ledger.schema import Connection, moment

CHANGES = "changes"
"""Names the running total of changed entries among those of money."""


def note_change(connection: Connection) -> None:
    """Count that an entry is another than it was."""
    found = connection.execute("SELECT spent FROM tally WHERE name = ?", (CHANGES,)).fetchone()
    count = str(1 + int(found[0])) if found else "1"
    statement = "INSERT INTO tally (name, spent) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET spent = excluded.spent"
    connection.execute(statement, (CHANGES, count))


class Today:
    """What was read of the day so far; used by one thread at a time."""

    def __init__(self) -> None:
        self._begun: tuple[str, int] | None = None
        """The midnight, and how many changes there had been."""
        self._last = (0, "")
        """The number and the run of the last entry that was read."""
        self._register = RunningTotals()

    def totals(self, connection: Connection, midnight: datetime) -> Totals:
        """Return the totals since a midnight."""
        since = moment(midnight)
        changes = connection.execute("SELECT spent FROM tally WHERE name = ?", (CHANGES,)).fetchone()
        now = since, int(changes[0]) if changes else 0
        if now != self._begun or not self._is_there(connection):
            self._begun, self._last, self._register = now, (0, ""), RunningTotals()
        # The first reading goes by the moment, of which there is an index; a later one by the number.
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
        """Report whether the last entry is still the one that was read, which a ledger begun anew does not have."""
        number, run = self._last
        found = connection.execute("SELECT run FROM request WHERE id = ?", (number,)).fetchone()
        return (found[0] if found else "") == run
