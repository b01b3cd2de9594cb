"""What the ledger could not take is in a file beside it, which another process enters exactly once."""

from __future__ import annotations

import json
import os
import random
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.ledger.test_reservations import NOON, claim, entry

from tuppence.ledger import Ledger, unwritten
from tuppence.ledger.process import me
from tuppence.ledger.unwritten import Change, UnwrittenFile

LOST = entry(None, run="lost", estimated=True, outcome="failed")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite3"


@pytest.fixture
def own(place: Path) -> Iterator[Ledger]:
    opened = Ledger(place)
    yield opened
    opened.close()


def left(place: Path, changes: list[Change], **owner: object) -> Path:
    """Leave a file as a process that has ended."""
    file = UnwrittenFile(place)
    file.write(changes)
    first, *rest = file.path.read_text().splitlines()
    gone = json.loads(first) | {"pid": 2**22 + 1, "born": "another boot/7"} | owner
    file.path.write_text("\n".join((json.dumps(gone), *rest, "")))
    return file.path


def bid(name: str, **entry_fields: object) -> Change:
    of = claim(name)
    return unwritten.lost(name, replace(LOST, **entry_fields), of.bid)  # type: ignore[arg-type]


def test_each_change_is_entered_once_however_often_it_is_taken_in(own: Ledger, place: Path) -> None:
    own.reserve(claim("held"))
    changes = [
        bid("a"), unwritten.settled("a", entry("0.001", run="a")),
        bid("killed"),
        bid("given up"), unwritten.released("given up"),
        unwritten.settled("held", entry("0.004", run="held")),
        unwritten.settled("free", entry("0.002", run="free")), unwritten.ended("free", "undone"),
    ]  # fmt: skip
    path = left(place, changes)
    again = path.read_bytes()
    assert own.take_in(NOON).entries == 4
    assert not path.exists()
    path.write_bytes(again)  # As where a kill comes between what was entered and the end of the file.
    own.take_in(NOON)
    found = {each.run: each for each in own.entries()}
    assert len(own.entries()) == len(found) == 4
    assert {name: str(each.cost) for name, each in found.items()} == {
        "a": "0.001", "lost": "0.012", "held": "0.004", "free": "0.002"
    }  # fmt: skip
    assert (found["lost"].estimated, found["free"].outcome) == (True, "undone")
    assert own.spent("mine", "", NOON).day == Decimal("0.019"), "the running totals too, and no reservation is left"


def test_a_live_process_keeps_its_file(own: Ledger, place: Path) -> None:
    file = UnwrittenFile(place)
    file.write([unwritten.settled("a", entry(run="a"))])
    assert own.take_in(NOON).entries == 0
    assert file.path.exists()
    file.write([])
    assert not file.path.exists()


def test_a_file_that_is_handed_over_is_taken_in_while_its_process_lives(own: Ledger, place: Path) -> None:
    file = UnwrittenFile(place)
    file.hand_over()
    assert not file.path.exists(), "there is nothing to hand over"
    file.write([unwritten.settled("a", entry(run="a"))])
    file.hand_over()
    assert own.take_in(NOON).entries == 1
    assert not file.path.exists()


def test_a_file_holds_exactly_what_waits_for_its_owner_alone(place: Path) -> None:
    file = UnwrittenFile(place)
    every = [unwritten.settled(str(number), entry(run=str(number))) for number in range(5)]
    for changes in (every[:2], every[:4], every[2:4], every):
        file.write(changes)
        assert unwritten.read(file.path) == (changes, True)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [each.name for each in place.parent.iterdir()] == [file.path.name]


@pytest.mark.parametrize("owner", [{"format": 2}, {"columns": ["run"]}, {"at": "soon"}, {"pid": "me"}, {"host": 3}])
def test_a_file_that_is_not_understood_is_left_alone(own: Ledger, place: Path, owner: dict[str, object]) -> None:
    path = left(place, [unwritten.settled("a", entry())], **owner)
    before = path.read_bytes()
    own.take_in(NOON)
    assert path.read_bytes() == before or "host" in owner


def test_a_file_of_another_machine_is_taken_once_no_request_lasts_so_long(own: Ledger, place: Path) -> None:
    left(place, [unwritten.settled("a", entry())], host="elsewhere", at=NOON.isoformat())
    assert own.take_in(NOON).entries == 0
    assert own.take_in(NOON + timedelta(hours=2)).entries == 1


def test_a_line_that_a_kill_cut_is_left_out_and_a_damaged_file_is_kept_aside(own: Ledger, place: Path) -> None:
    changes = [unwritten.settled(str(number), entry(run=str(number))) for number in range(3)]
    path = left(place, changes)
    path.write_bytes(path.read_bytes()[:-30])
    assert own.take_in(NOON).damaged == ()
    assert [each.run for each in own.entries()] == ["0", "1"]
    path = left(place, changes)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:-9], *lines[2:], ""]))
    (aside,) = own.take_in(NOON).damaged
    assert aside.read_text().splitlines()[1] == lines[1][:-9]
    assert [each.run for each in own.entries()] == ["0", "1", "2"]
    assert own.take_in(NOON).damaged == ()


def test_bytes_at_random_never_stop_a_server(own: Ledger, place: Path) -> None:
    chance = random.Random(6)  # noqa: S311 - nothing secret
    good = left(place, [bid("a"), unwritten.settled("b", entry(run="b")), unwritten.ended("b", "stale")])
    content = good.read_bytes()
    good.unlink()
    for number in range(200):
        spoiled = bytearray(content)
        for _ in range(chance.randint(1, 20)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        (place.parent / f"{place.name}.unwritten-{number:012x}.jsonl").write_bytes(spoiled)
        own.take_in(NOON)
    assert len(own.entries()) < 200


@pytest.mark.parametrize(
    "line",
    ['{"settled": "[]", "hold": "a"}', '{"settled": 3, "hold": "a"}', "[]", "{}", '{"outcome": "won", "run": "a"}',
     '{"lost": "{}", "hold": "a"}', '{"settled": "' + "[" * 2000 + '", "hold": "a"}'],
)  # fmt: skip
def test_a_line_that_is_no_change_is_none(own: Ledger, place: Path, line: str) -> None:
    path = left(place, [unwritten.settled("a", entry(run="a"))])
    first, rest = path.read_text().split("\n", 1)
    path.write_text(f"{first}\n{line}\n{rest}")
    taken = own.take_in(NOON)
    assert (taken.entries, len(taken.damaged)) == (1, 1)


def test_this_process_is_named_in_its_file(place: Path) -> None:
    file = UnwrittenFile(place)
    file.write([unwritten.released("a")])
    owner = json.loads(file.path.read_text().splitlines()[0])
    assert (owner["host"], owner["pid"]) == (me().host, os.getpid())


def test_a_file_of_a_version_without_the_last_columns_is_taken_in(own: Ledger, place: Path) -> None:
    path = left(place, [unwritten.settled("old", entry("0.004", run="old", project="shop"))])
    first, line = path.read_text().splitlines()
    owner, change = json.loads(first), json.loads(line)
    owner["columns"] = owner["columns"][:-1]
    change["settled"] = json.dumps(json.loads(change["settled"])[:-1])
    assert "served" not in owner["columns"]
    path.write_text(f"{json.dumps(owner)}\n{json.dumps(change)}\n")
    assert own.take_in(NOON).entries == 1
    (found,) = own.entries()
    assert (found.run, found.project, found.served, str(found.cost)) == ("old", "shop", "", "0.004")
    assert not path.exists()


def test_what_cannot_be_written_is_written_whole_the_next_time(place: Path) -> None:
    file = UnwrittenFile(place)
    changes = [unwritten.settled(str(number), entry(run=str(number))) for number in range(3)]
    file.path.mkdir(parents=True)  # Nothing can take the place of a folder.
    for _ in range(2):
        with pytest.raises(IsADirectoryError):
            file.write(changes[:2])
    assert [each.name for each in place.parent.iterdir()] == [file.path.name], "and no half of it is left"
    file.path.rmdir()
    file.write(changes)
    assert unwritten.read(file.path) == (changes, True)


def test_a_file_that_another_server_has_just_taken_in_stops_nobody(
    own: Ledger, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = left(place, [unwritten.settled("a", entry("0.5", run="a"))])
    kept = path.read_bytes()

    def taken(*_: object) -> bool:
        path.unlink()
        return True

    with monkeypatch.context() as patch:
        patch.setattr(unwritten, "gone", taken)
        assert own.take_in(NOON).entries == 0, "before it is known how old it is"
    path.write_bytes(kept)
    with monkeypatch.context() as patch:
        patch.setattr(unwritten, "abandoned", lambda *_: [place.with_name("gone.jsonl"), path])
        assert own.take_in(NOON).entries == 1, "before it is read: the others are"
    assert own.spent("mine", "", NOON).day == Decimal("0.5")
    for whole in (True, False):
        assert unwritten.done_with(path, whole=whole, now=NOON) is None, "before it is removed"
