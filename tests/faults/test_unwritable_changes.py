"""A change that the ledger never takes: it is set aside and named once, and delays, loses and doubles nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from scenario import FIXED, GOOD, SRC, messages, until
from server import pick, stage
from tests.ledger.test_reservations import NOON, claim, entry

from tuppence.core.billing.entry import Entry
from tuppence.core.models.usage import Usage
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.ledger import Ledger, unwritten
from tuppence.ledger.unwritable import Unwritable
from tuppence.ledger.unwritten import UnwrittenFile

BAD = entry("0.02", run="bad")
REFUSING = "CREATE TRIGGER refusing BEFORE INSERT ON request WHEN new.run = 'bad' BEGIN {0}; END"
CHECK = "ALTER TABLE tuppence.request ADD CONSTRAINT refusing CHECK (run <> 'bad')"
RAISE = "SELECT RAISE(ABORT, 'not this one')"
Poison = tuple[str, Entry]
"""A trigger of SQLite, empty for none, and an entry that the ledger does not take."""
POISONS: dict[str, Poison] = {
    "a constraint": (REFUSING.format(RAISE), BAD),
    "a sum that overflows": (REFUSING.format("SELECT abs(-9223372036854775808)"), BAD),
    "a whole number of 70 bits": ("", replace(BAD, characters=2**70)),
    "a count of 64 bits": ("", replace(BAD, usage=Usage(fresh=2**63, output=1))),
    "nothing where something is due": ("", replace(BAD, language=None)),  # type: ignore[arg-type]
    "no number": ("", replace(BAD, seconds=float("nan"), language=None)),  # type: ignore[arg-type]
}


class Accounts:
    """A ledger with one session after another, and a statement of what is wrong with it."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.ledger = Ledger(where)
        self.writer = self.session()

    def session(self) -> LedgerWriter:
        """Begin a session."""
        self.writer = LedgerWriter(self.ledger, "mine", lambda: NOON)
        return self.writer

    def do(self, of_sqlite: str, of_postgres: str = "") -> None:
        """Change the tables behind the ledger's back."""
        self.ledger.entries()  # So that they are there.
        if self.where.startswith("postgresql"):
            if of_postgres:
                with psycopg.connect(self.where, autocommit=True) as other:
                    other.execute(of_postgres.encode())
        elif of_sqlite:
            with contextlib.closing(sqlite3.connect(self.where, isolation_level=None)) as other:
                other.execute(of_sqlite)

    def spoil(self, poison: Poison) -> Entry:
        """Have the ledger refuse an entry, and return that."""
        self.do(poison[0], CHECK if poison[0] else "")
        return poison[1]

    async def written(self) -> None:
        """Wait until all that was asked for was tried."""
        await asyncio.wrap_future(self.ledger.queue(lambda: None))

    @property
    def runs(self) -> list[tuple[str, str, str]]:
        """The ledger's entries: the run, the cost, and how it ended."""
        return [(each.run, str(each.cost), each.outcome) for each in self.ledger.entries()]

    def files(self, kind: str = "jsonl") -> list[Path]:
        """Return the files beside the ledger: those that are still to be taken in, or those that were moved aside."""
        beside = self.ledger._engine.beside
        found = sorted(beside.parent.glob(f"{beside.name}.unwritten-*"))
        return [each for each in found if (each.suffix == ".jsonl") == (kind == "jsonl")]


@pytest.fixture
def accounts(where: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    monkeypatch.setattr("tuppence.engine.ledger_writer.RETRY", 3600)
    opened = Accounts(where)
    yield opened
    opened.ledger.close()


@pytest.mark.fault("life cycle", "a change that the ledger never takes")
@pytest.mark.parametrize("name", POISONS)
async def test_it_is_set_aside_and_the_others_go_on(accounts: Accounts, name: str) -> None:
    bad = accounts.spoil(POISONS[name])
    writer = accounts.writer
    accounts.ledger.reserve(claim("held"))
    writer.record(entry("0.001", run="a"))
    writer.record(bad, ["held"])
    writer.outcome("bad", "undone")
    writer.record(replace(bad, cost=Decimal("0.03")))
    writer.record(entry("0.004", run="b"))
    writer.outcome("a", "undone")
    await accounts.written()
    assert accounts.runs == [("a", "0.001", "undone"), ("b", "0.004", "kept")]
    assert not writer._waiting
    (path,) = accounts.files()
    kept, whole = unwritten.read(path)
    assert whole
    assert [*map(set, kept)] == [{"settled", "hold"}, {"outcome", "run"}, {"settled", "hold"}]
    (told,) = writer.take_warnings()
    assert told.startswith(f"The ledger {accounts.ledger.place} does not take a change: ")
    assert told.endswith(f"The change is kept in {path}; the others are entered. Please report it.")
    assert "\n" not in told
    assert accounts.ledger.spent("mine", "", NOON).day == Decimal("0.017"), "what was reserved for it counts still"
    # The next server tries it once more, moves the file aside, and says so; the one after that hears nothing of it.
    await writer.close()
    content = path.read_text().splitlines()[1:]
    accounts.session().recover()
    await accounts.written()
    (aside,) = accounts.files("aside")
    assert accounts.files() == []
    assert aside.read_text().splitlines()[1:] == content
    (told,) = accounts.writer.take_warnings()
    assert told == f"The ledger does not take all of an earlier session: the rest is entered, all is in {aside}."
    assert accounts.runs == [("a", "0.001", "undone"), ("b", "0.004", "kept")]
    accounts.session().recover()
    await accounts.written()
    assert accounts.writer.take_warnings() == ()
    assert accounts.runs == [("a", "0.001", "undone"), ("b", "0.004", "kept")]


@pytest.mark.fault("life cycle", "a change that the ledger never takes")
async def test_what_the_ledger_takes_after_all_is_entered_once(accounts: Accounts) -> None:
    accounts.spoil(POISONS["a constraint"])
    accounts.ledger.reserve(claim("held"))
    accounts.writer.record(BAD, ["held"])
    accounts.writer.outcome("bad", "undone")
    accounts.writer.record(entry("0.004", run="b"))
    await accounts.writer.close()
    (path,) = accounts.files()
    again = path.read_bytes()
    accounts.do("DROP TRIGGER refusing", "ALTER TABLE tuppence.request DROP CONSTRAINT refusing")
    for _ in range(2):
        accounts.session().recover()
        await accounts.written()
        assert accounts.runs == [("b", "0.004", "kept"), ("bad", "0.02", "undone")]
        assert accounts.ledger.spent("mine", "", NOON).day == Decimal("0.024")
        assert accounts.files() == accounts.files("aside") == []
        path.write_bytes(again)  # As where the server was killed between what was entered and the end of the file.


@pytest.mark.fault("life cycle", "a change that the ledger never takes")
async def test_how_a_run_ended_is_not_said_of_another_of_its_requests(accounts: Accounts) -> None:
    accounts.spoil(POISONS["nothing where something is due"])
    first, second = entry("0.001", run="r", outcome="failed"), replace(POISONS["no number"][1], run="r")
    accounts.writer.record(first)
    accounts.writer.record(second)
    accounts.writer.outcome("r", "undone")
    await accounts.writer.close()
    accounts.session().recover()
    await accounts.written()
    assert accounts.runs == [("r", "0.001", "failed")]
    assert len(accounts.files("aside")) == 1


@pytest.mark.fault("life cycle", "a change that the ledger never takes")
async def test_a_file_of_a_dead_server_with_such_a_change_blocks_no_server(accounts: Accounts) -> None:
    accounts.spoil(POISONS["a constraint"])
    file = UnwrittenFile(accounts.ledger._engine.beside)
    changes = [
        unwritten.settled("1", entry("0.001", run="a")), unwritten.settled("2", BAD),
        unwritten.lost("3", replace(BAD, cost=None), claim("3").bid), unwritten.ended("bad", "undone"),
        unwritten.released("4"), unwritten.settled("5", entry("0.002", run="b")), unwritten.ended("b", "stale"),
    ]  # fmt: skip
    file.write(changes)
    file.hand_over()
    accounts.writer.recover()
    accounts.writer.record(entry("0.004", run="c"))
    await accounts.written()
    assert accounts.runs == [("a", "0.001", "kept"), ("b", "0.002", "stale"), ("c", "0.004", "kept")]
    said = accounts.writer.take_warnings()
    assert [each.split(" ")[0] for each in said] == ["2", "The"], said
    (aside,) = accounts.files("aside")
    assert unwritten.read(aside) == (changes, True)


@pytest.mark.fault("life cycle", "a change that the ledger never takes")
async def test_a_reservation_of_a_dead_server_that_is_not_taken_blocks_no_server(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "bad", "b"):
        lost = replace(entry(None, run=name, estimated=True), cost=None)
        accounts.ledger.reserve(claim(name, lost))
    accounts.spoil(POISONS["a constraint"])
    monkeypatch.setattr("tuppence.ledger.reservations.gone", lambda *_: True)
    for _ in range(2):
        accounts.session().recover()
        await accounts.written()
        assert accounts.runs == [("a", "0.012", "kept"), ("b", "0.012", "kept")]
        assert accounts.ledger.spent("mine", "", NOON).day == Decimal("0.036"), "it counts as a reservation still"
    accounts.do("DROP TRIGGER refusing", "ALTER TABLE tuppence.request DROP CONSTRAINT refusing")
    assert accounts.ledger.recover(NOON) == 1
    assert accounts.ledger.spent("mine", "", NOON).day == Decimal("0.036")


@pytest.mark.fault("life cycle", "a change that the ledger never takes")
async def test_a_reservation_that_is_not_taken_spends_nothing_under_a_budget(accounts: Accounts) -> None:
    refusing = "CREATE TRIGGER refusing BEFORE INSERT ON hold BEGIN SELECT RAISE(ABORT, 'no'); END"
    accounts.do(refusing, "ALTER TABLE tuppence.hold ADD CONSTRAINT refusing CHECK (false)")
    with pytest.raises(Unwritable):
        await accounts.writer.reserve(claim("a", day="5"))
    assert accounts.files() == []
    # Without one the request goes out, and what it came to is entered: there is nothing to tell.
    with pytest.raises(Unwritable) as caught:
        await accounts.writer.reserve(claim("b"))
    assert [set(each) for each in unwritten.read(accounts.files()[0])[0]] == [{"lost", "hold"}]
    accounts.writer.warn(str(caught.value))
    accounts.writer.record(entry("0.004", run="b"), ["b"])
    await accounts.written()
    assert accounts.runs == [("b", "0.004", "kept")]
    assert accounts.files() == []
    assert accounts.writer.take_warnings() == ()


@pytest.mark.fault("life cycle", "a change that the ledger never takes")
async def test_a_ledger_without_a_table_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuppence.engine.ledger_writer.RETRY", 3600)
    accounts = Accounts(str(tmp_path / "ledger.sqlite3"))
    accounts.do("ALTER TABLE tally RENAME TO elsewhere")
    accounts.writer.record(entry("0.001", run="a"))
    accounts.writer.record(entry("0.002", run="b"))
    await accounts.written()
    assert len(accounts.writer._waiting) == 2
    (told,) = accounts.writer.take_warnings()
    assert "could not be used: no such table" in told
    with contextlib.closing(sqlite3.connect(accounts.where, isolation_level=None)) as other:
        other.execute("ALTER TABLE elsewhere RENAME TO tally")
    accounts.writer.record(entry("0.004", run="c"))
    await accounts.written()
    assert [each[0] for each in accounts.runs] == ["a", "b", "c"]
    assert accounts.files() == []
    accounts.ledger.close()


@pytest.mark.long
@pytest.mark.fault("life cycle", "a change that the ledger never takes")
async def test_a_person_is_told_once_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "home" / "data" / "tuppence" / "ledger.sqlite3"
    async with stage(tmp_path) as s:
        first = await fixed(s, "a.py")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(REFUSING.replace("new.run = 'bad'", "(SELECT count(*) FROM request) = 1").format(RAISE))
            assert first == await fixed(s, "b.py") == await fixed(s, "c.py") == FIXED
            (told,) = await until(lambda: [each for each in messages(s) if "does not take a change" in each])
            other.execute("DROP TRIGGER refusing")
        assert await fixed(s, "d.py") == FIXED
        assert [each.outcome for each in s.entries()] == ["kept", "kept"]
        (file,) = path.parent.glob("*.unwritten-*.jsonl")
        assert f"is kept in {file};" in told
        assert len(unwritten.read(file)[0]) == 2
    async with stage(tmp_path) as s:
        await until(lambda: len(s.entries()) == 4)
        await until(lambda: [each for each in messages(s) + s.editor.seen.logs if "of an earlier session" in each])
        assert not list(path.parent.glob("*.unwritten-*"))


async def fixed(s: Any, name: str) -> str:
    """Fix the example's first function, and return the new text."""
    buffer = s.editor.open(s.write(name, SRC), "python")
    s.upstream.says(GOOD)
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
    text: str = buffer.text
    return text
