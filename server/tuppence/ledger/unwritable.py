"""Changes that a ledger never takes: what is wrong is in the change, so waiting for the ledger would not help.

A ledger that cannot be used (locked, full, damaged, out of reach) is another matter: there the same change is taken
later. Which of the two an error says is decided here, for both databases.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from tuppence.errors import TuppenceError
from tuppence.ledger import schema
from tuppence.ledger.schema import Connection
from tuppence.sqlite_file import blame

_log = logging.getLogger(__name__)
_STATES = frozenset({"21", "22", "23", "54", "P0"})
"""The classes of PostgreSQL's codes for values, constraints, sizes, and errors that a trigger raises."""
_KINDS = frozenset({"DataError", "NotSupportedError", "ProgrammingError"})
"""What psycopg calls its own refusals of a value, which have no code."""
_TABLES = (
    f"SELECT {', '.join(schema.COLUMNS)}, hold FROM request LIMIT 0",  # noqa: S608 - names of our own
    "SELECT id, bound, entry, rate FROM hold LIMIT 0",
    "SELECT name, spent FROM tally LIMIT 0",
    "SELECT characters, tokens FROM pace LIMIT 0",
)
"""Reads nothing of each table."""


class Unwritable(TuppenceError):
    """The ledger works, and does not take this change; it was not made."""


def unwritable(place: str, error: Exception) -> Unwritable:
    """Return the error of a change that a ledger does not take.

    :param place: where the ledger is, for a person.
    """
    first, *_ = str(error).strip().splitlines() or [""]  # The further lines of PostgreSQL hold the values.
    reason = " ".join(first.split()).rstrip(".") or type(error).__name__
    return Unwritable(f"The ledger {place} does not take a change: {reason}.", "Please report it.")


def is_of_change(error: Exception, connection: Connection) -> bool:
    """Report whether an error says that the ledger works and that what is wrong is in the change.

    :param connection: the one that it came from.
    """
    if isinstance(error, TuppenceError | OSError | MemoryError):
        return False
    about = blame(error)
    if about != "elsewhere":
        return about == "values" or (about == "unsaid" and _has_tables(connection))
    if hasattr(error, "sqlstate"):
        state = error.sqlstate
        return state[:2] in _STATES if state else type(error).__name__ in _KINDS
    return True  # A value of ours that cannot be written at all, such as a number of more than 64 bits.


def attempt(connection: Connection, part: Callable[[], object]) -> bool:
    """Make a part of a transaction's changes wholly or not at all; return False where the ledger does not take it."""
    connection.execute("SAVEPOINT part")
    try:
        part()
    except Exception as error:
        if not is_of_change(error, connection):
            raise
        connection.execute("ROLLBACK TO SAVEPOINT part")
        _log.warning("The ledger does not take a change: %s", error)
        connection.execute("RELEASE SAVEPOINT part")
        return False
    connection.execute("RELEASE SAVEPOINT part")
    return True


def _has_tables(connection: Connection) -> bool:
    """Report whether a ledger has the tables of its version, which the general error may say or not."""
    try:
        for reading in _TABLES:
            connection.execute(reading)
    except Exception as error:
        if blame(error) == "elsewhere":
            raise
        return False
    return True
