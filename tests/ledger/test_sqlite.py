"""The ledger's file: what two processes do with it at one moment, and what cannot be done with it."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuppence.errors import TuppenceError
from tuppence.ledger import sqlite
from tuppence.ledger.schema import MIGRATIONS
from tuppence.ledger.sqlite import Damaged, Sqlite
from tuppence.sqlite_file import transaction


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def own(path: Path) -> Iterator[Sqlite]:
    opened = Sqlite(path)
    yield opened
    opened.close()


@pytest.fixture
def other(path: Path) -> Iterator[Sqlite]:
    opened = Sqlite(path)
    yield opened
    opened.close()


def tally(database: Sqlite, name: str) -> None:
    """Write something into a ledger."""
    database.transact("write", lambda it: it.execute("INSERT INTO tally (name, spent) VALUES (?, '1')", (name,)))


def tallies(database: Sqlite) -> list[Any]:
    """Return what ``tally`` wrote."""
    found = database.transact("read", lambda it: it.execute("SELECT name FROM tally ORDER BY name").fetchall())
    return [each[0] for each in found]


def spoil(path: Path) -> bytes:
    """Overwrite the tables of a file, and return its bytes."""
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xa5" * (len(content) - 100))
    return path.read_bytes()


def names(path: Path, part: str) -> list[str]:
    """Return the names in a file's folder that hold some text."""
    return sorted(each.name for each in path.parent.iterdir() if part in each.name)


def test_a_damaged_file_that_another_process_has_moved_is_not_moved_again(
    path: Path, own: Sqlite, other: Sqlite
) -> None:
    tally(own, "lost")
    assert tallies(other) == ["lost"]
    own.close()
    other.close()
    content = spoil(path)
    for each in (own, other):
        with pytest.raises(Damaged):
            tallies(each)
    own.begin_again()
    tally(own, "new")
    other.begin_again()
    assert tallies(other) == tallies(own) == ["new"]
    (aside,) = names(path, ".damaged-")
    assert path.with_name(aside).read_bytes() == content
    assert (len(own.warnings()), other.warnings()) == (1, ())


def test_the_journal_of_a_damaged_file_is_moved_with_it(path: Path, own: Sqlite, other: Sqlite) -> None:
    tally(own, "first")
    other.transact("read", lambda it: it.execute("SELECT 1").fetchall())  # While it is open, the journal stays.
    journal = path.with_name(f"{path.name}-wal")
    before = journal.read_bytes()
    assert before
    own.begin_again()
    assert not journal.exists()
    (aside,) = names(path, "-wal")
    assert aside.startswith(f"{path.name}.damaged-")
    assert path.with_name(aside).read_bytes() == before
    assert tallies(own) == []


def test_a_damaged_file_that_cannot_be_moved_is_a_sentence_and_stays(
    path: Path, own: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally(own, "lost")
    own.close()
    content = spoil(path)
    with pytest.raises(Damaged):
        tallies(own)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(TuppenceError, match=r"could not be used: No space left on device\. Free some space on the"):
            own.begin_again()
    assert path.read_bytes() == content
    assert (names(path, ".damaged-"), own.warnings()) == ([], ())


def test_a_disk_that_fails_is_a_sentence_about_the_disk(own: Sqlite) -> None:
    def fails(_: object) -> None:
        problem = sqlite3.OperationalError("disk I/O error")
        problem.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
        raise problem

    wanted = r"could not be used: disk I/O error\. Check that the disk is neither full nor failing\.$"
    with pytest.raises(TuppenceError, match=wanted):
        own.transact("write", fails)
    tally(own, "after")
    assert tallies(own) == ["after"]


def test_a_file_that_a_newer_version_migrates_meanwhile_is_left_alone(
    path: Path, own: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_the_other(connection: sqlite3.Connection) -> object:
        """Let another process be quicker than the transaction that migrates."""
        newer = sqlite3.connect(path, isolation_level=None)
        newer.execute("CREATE TABLE theirs (name TEXT)")
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        newer.close()
        return transaction(connection)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "transaction", after_the_other)
        with pytest.raises(TuppenceError, match=r"^A newer tuppence wrote the ledger .*Update this one; nothing was"):
            tally(own, "ours")
    found = sqlite3.connect(path)
    tables = [each[0] for each in found.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found.close()
    assert tables == ["theirs"]
