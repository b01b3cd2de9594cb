"""Errors caused by a change are permanent; errors of the ledger itself are temporary, and the change is retried."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, NoReturn, cast

import pytest
from tests.ledger.test_reservations import NOON, claim, entry

from tuppence.core.models.usage import Usage
from tuppence.errors import Broken, TuppenceError
from tuppence.ledger import Ledger, reservations
from tuppence.ledger.schema import Connection
from tuppence.ledger.unwritable import Unwritable, attempt, is_of_change


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """Open a database with a table of one number each, from 0 up."""
    opened = sqlite3.connect(":memory:", isolation_level=None)
    opened.execute("CREATE TABLE kept (number INTEGER CHECK (number >= 0), more TEXT)")
    yield opened
    opened.close()


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT number FROM kept ORDER BY number")]


@pytest.mark.parametrize(
    "bad",
    [
        replace(entry("0.5"), characters=2**70),
        replace(entry("0.5"), usage=Usage(fresh=2**63, output=1)),
        replace(entry("0.5"), language=None),  # type: ignore[arg-type]
    ],
    ids=["a number of 70 bits", "a count of 64 bits", "nothing where something is due"],
)
def test_a_value_that_neither_database_takes_is_named_and_changes_nothing(ledger: Ledger, bad: Any) -> None:
    ledger.reserve(claim("held"))
    with pytest.raises(Unwritable) as refused:
        ledger.settle("held", bad)
    assert refused.value.message.startswith(f"The ledger {ledger.place} does not take a change: ")
    assert "\n" not in refused.value.message
    assert ledger.entries() == ()
    assert ledger.spent("mine", "", NOON).day == Decimal("0.012"), "what was reserved counts still"
    ledger.settle("held", entry("0.5"))
    assert [each.cost for each in ledger.entries()] == [Decimal("0.5")]


def test_a_reservation_of_an_ended_server_outlasts_a_failure_to_enter_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reservations, "gone", lambda *_: True)
    ledger.reserve(claim("lost"))
    with monkeypatch.context() as patched:

        def full(*_: object) -> NoReturn:
            raise OSError(28, "No space left on device")

        patched.setattr(reservations, "_enter_lost", full)
        with pytest.raises((OSError, TuppenceError), match="No space left"):
            ledger.recover(NOON)
    assert ledger.entries() == ()
    assert ledger.spent("mine", "", NOON).day == Decimal("0.012")
    assert ledger.recover(NOON) == 1
    assert [each.cost for each in ledger.entries()] == [Decimal("0.012")]


def test_a_part_that_is_not_taken_leaves_the_others(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")

    def part(*values: int) -> bool:
        return attempt(
            cast("Connection", connection),
            lambda: connection.executemany("INSERT INTO kept (number) VALUES (?)", [(each,) for each in values]),
        )

    assert [part(1, 2), part(3, -4), part(5)] == [True, False, True]
    connection.execute("COMMIT")
    assert numbers(connection) == [1, 2, 5]


def test_a_part_for_which_there_is_no_room_is_an_error_of_the_whole(connection: sqlite3.Connection) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    connection.execute("BEGIN")

    def part() -> None:
        connection.execute("INSERT INTO kept VALUES (1, ?)", ("x" * 100_000,))

    with pytest.raises(sqlite3.OperationalError, match="full"):
        attempt(cast("Connection", connection), part)


@pytest.mark.parametrize("error", [OSError(28, "full"), MemoryError(), Broken("The connection was lost.")])
def test_an_error_of_the_machine_is_of_no_change(error: Exception, connection: sqlite3.Connection) -> None:
    assert not is_of_change(error, cast("Connection", connection))


def test_a_ledger_that_cannot_be_looked_at_decides_nothing(connection: sqlite3.Connection) -> None:
    """SQLite's general error may be about the change or about a missing table, which is then looked for."""
    with pytest.raises(sqlite3.OperationalError) as general:
        connection.execute("SELECT abs(-9223372036854775808)")

    class Exhausted:
        def execute(self, *_: object) -> NoReturn:
            raise MemoryError

    with pytest.raises(MemoryError):
        is_of_change(general.value, cast("Connection", Exhausted()))
    assert not is_of_change(general.value, cast("Connection", connection)), "the ledger's tables are missing"
