"""Daily totals are read incrementally, never twice, and are recomputed if the data read may have changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.test_ledger import NOON, entry

from tuppence.ledger import Ledger
from tuppence.ledger.daily_totals import CHANGES, Today, note_change

MIDNIGHT = NOON - timedelta(hours=12)


class Counted:
    """A connection that counts the entries that are read through it."""

    def __init__(self, path: Path) -> None:
        self._real = sqlite3.connect(path)
        self.entries = 0

    def execute(self, statement: str, values: Any = ()) -> Any:
        rows = self._real.execute(statement, values).fetchall()
        self.entries += len(rows) if "FROM request WHERE at" in statement or "WHERE id >" in statement else 0
        return Rows(rows)

    def close(self) -> None:
        self._real.close()


class Rows:
    """A cursor over rows that were read already."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def fetchall(self) -> list[Any]:
        return self._rows

    def fetchone(self) -> Any:
        return self._rows[0] if self._rows else None


class Reader:
    """Reads the day of a ledger, with what each reading took."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.today = Today()

    def read(self, midnight: Any = MIDNIGHT) -> tuple[Decimal, int, int]:
        """Return the sum of a day, its requests, and how many entries were read for it."""
        connection = Counted(self.path)
        try:
            found = self.today.totals(connection, midnight)
        finally:
            connection.close()
        return found.spent, found.requests, connection.entries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite3"


@pytest.fixture
def own(path: Path) -> Iterator[Ledger]:
    opened = Ledger(path)
    assert opened.entries() == ()  # The file is made when it is first used.
    yield opened
    opened.close()


@pytest.fixture
def reader(own: Ledger, path: Path) -> Reader:
    own.add(entry("1", run="m"))
    return Reader(path)


@pytest.mark.parametrize("run", ["n", ""])
def test_an_entry_is_read_once(own: Ledger, reader: Reader, run: str) -> None:
    own.add(entry("2", run=run))
    assert reader.read() == (Decimal(3), 2, 2)
    assert reader.read() == (Decimal(3), 2, 0)
    own.add(entry("4", run="a"))
    own.add(entry("8", run="z"))
    assert reader.read() == (Decimal(15), 4, 2)
    assert reader.read() == (Decimal(15), 4, 0)


def test_a_change_of_one_that_was_read_has_all_read_anew(own: Ledger, reader: Reader) -> None:
    own.add(entry("2", run="n"))
    reader.read()
    own.outcome("m", "undone")
    assert reader.read() == (Decimal(3), 2, 2)
    assert reader.read() == (Decimal(3), 2, 0)


def test_the_next_day_is_read_from_its_midnight(own: Ledger, reader: Reader) -> None:
    tick = timedelta(microseconds=1)
    next_one = MIDNIGHT + timedelta(days=1)
    for number, at in enumerate((next_one - tick, next_one, next_one + tick)):
        own.add(entry(str(10 ** (number + 1)), run=f"r{number}", at=at))
    assert reader.read() == (Decimal(1111), 4, 4)
    assert reader.read(next_one) == (Decimal(1100), 2, 2)
    assert reader.read(next_one) == (Decimal(1100), 2, 0)
    assert reader.read() == (Decimal(1111), 4, 4), "and back, where the clock is set back"


def test_what_is_entered_late_for_an_earlier_day_is_not_of_this_one(own: Ledger, reader: Reader) -> None:
    reader.read()
    own.add(entry("2", run="late", at=MIDNIGHT - timedelta(microseconds=1)))
    own.add(entry("4", run="begun", at=MIDNIGHT))
    assert reader.read() == (Decimal(5), 2, 2)
    assert reader.read() == (Decimal(5), 2, 0)


@pytest.mark.parametrize("run", ["a", "z"], ids=["a run before the other", "a run after it"])
def test_a_ledger_that_was_begun_again_is_read_anew(own: Ledger, reader: Reader, run: str) -> None:
    assert reader.read()[0] == 1
    own.close()
    for each in list(reader.path.parent.iterdir()):
        each.unlink()
    again = Ledger(reader.path)
    again.add(entry("64", run=run))
    assert reader.read() == (Decimal(64), 1, 1)
    again.close()


def test_an_empty_ledger_has_no_totals_and_what_comes_is_read(own: Ledger, path: Path) -> None:
    reader = Reader(path)
    assert reader.read() == reader.read() == (Decimal(0), 0, 0)
    own.add(entry("2"))
    assert reader.read() == (Decimal(2), 1, 1)
    assert reader.read() == (Decimal(2), 1, 0)


def test_changes_are_counted_one_by_one(own: Ledger, path: Path) -> None:
    del own
    connection = sqlite3.connect(path)
    try:
        counts = []
        for _ in range(12):
            note_change(connection)
            counts += connection.execute("SELECT spent FROM tally WHERE name = ?", (CHANGES,)).fetchone()
    finally:
        connection.close()
    assert counts == [str(each) for each in range(1, 13)]
