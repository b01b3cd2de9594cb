"""A ledger that is locked, damaged, full, read-only or missing: no waiting, no lost entry, one message."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from scenario import FIXED, GOOD, SRC, gated, messages, until
from server import Stage, pick, stage
from tests.ledger.test_reservations import NOON, claim, entry
from tests.ledger.test_write_failures import Away

from editor import Editor
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.errors import TuppenceError
from tuppence.ledger import EDITOR, Ledger
from tuppence.ledger.schema import MIGRATIONS

LOCKED = "Another program has the ledger "
BUDGET = "[budget]\nday = 5\n"


def place(tmp_path: Path) -> Path:
    """Return where the server's ledger is."""
    path = tmp_path / "home" / "data" / "tuppence" / "ledger.sqlite3"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep a ledger locked, as another program does that writes and does not end."""
    other = sqlite3.connect(path, isolation_level=None, timeout=60)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


async def fix(s: Stage, name: str = "a.py") -> str:
    """Fix the example's first function, and return the new text."""
    buffer = s.editor.open(s.write(name, SRC), "python")
    s.upstream.says(GOOD)
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
    s.upstream.unscript()
    return buffer.text


def unwritten(path: Path) -> list[Path]:
    """Return the files of what a ledger could not take."""
    return sorted(each for each in path.parent.glob("*.unwritten-*") if each.suffix == ".jsonl")


def of_ledger(s: Stage) -> list[str]:
    """Return what the person was shown of the ledger."""
    return [each for each in messages(s) if "ledger" in each]


# --- locked ---


class Slept:
    """Counts the seconds that a thread waits for a locked file, and takes none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        monkeypatch.setattr("tuppence.ledger.sqlite.time.sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.mark.fault("life cycle", "ledger locked by another program")
@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"])
async def test_what_is_only_foreseen_waits_a_fifth_of_a_second_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    path = tmp_path / "ledger.sqlite3"
    first = Ledger(path)
    first.add(entry("0.5"))
    first.close()
    ledger = Ledger(path, EDITOR)
    slept = Slept(monkeypatch)
    other = sqlite3.connect(path, isolation_level=None)
    for statement in lock.split(";"):
        other.execute(statement)
    other.execute("DELETE FROM pace")
    writer = LedgerWriter(ledger, "mine", lambda: NOON)
    try:
        for _ in range(2):
            slept.seconds = 0.0
            reading = ledger.read(lambda: ledger.spent("mine", "", NOON))
            if "EXCLUSIVE" in lock:
                with pytest.raises(TuppenceError, match=LOCKED):
                    await asyncio.wrap_future(reading)
                assert await writer.spent("run") is None
            else:
                assert (await asyncio.wrap_future(reading)).day == Decimal("0.5")
            assert slept.seconds <= 2 * (EDITOR.read or 0) + 0.2
        # A write waits longer, and no reader waits for it.
        slept.seconds = 0.0
        write = ledger.queue(lambda: ledger.add(entry()))
        with pytest.raises(TuppenceError, match=LOCKED):
            await asyncio.wrap_future(write)
        assert 2.0 <= slept.seconds <= 2.1
    finally:
        other.close()
        ledger.close()


@pytest.mark.fault("life cycle", "ledger locked by another program")
async def test_a_reader_does_not_wait_for_a_write_that_is_held_up(tmp_path: Path) -> None:
    """The write waits for as long as the test runs; whoever waited for it would wait for ever."""
    path = tmp_path / "ledger.sqlite3"
    Ledger(path).add(entry("0.5"))
    ledger = Ledger(path, replace(EDITOR, write=float("inf")))
    writer = LedgerWriter(ledger, "mine", lambda: NOON)
    with held(path):
        writer.record(entry("0.25"))
        summary, spent = await writer.totals()
        assert (summary.today, spent.day) == (Decimal("0.5"), Decimal("0.5"))
        with pytest.raises(TuppenceError, match=LOCKED):
            await writer.reserve(claim("a"))
        for number in range(50):
            writer.note("a", "", number)
        assert ledger._writing._jobs.qsize() < 10, "notes of how far an answer has come do not pile up"
        assert await writer.spent("run") is not None
        (file,) = unwritten(path)
        assert (file.read_bytes().count(b'"settled"'), file.read_bytes().count(b'"lost"')) == (1, 1)
    await asyncio.wrap_future(ledger.queue(lambda: None))
    assert (await writer.totals())[1].day == Decimal("0.762"), "the entry and the reservation"
    writer.record(entry("0.003"), ["a"])
    assert (await writer.totals())[1].day == Decimal("0.753")
    assert unwritten(path) == []
    ledger.close()


@pytest.mark.fault("life cycle", "ledger locked by another program")
async def test_nobody_waits_for_a_locked_ledger_and_all_is_entered_once_it_is_free(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("b.py", SRC), "python")
        assert await s.editor.hover(buffer, 4)
        with held(place(tmp_path)):
            assert "Explain `mean`" in (await s.editor.hover(buffer, 4) or "")
            assert await fix(s) == FIXED
            assert await fix(s, "c.py") == FIXED
            await until(lambda: unwritten(place(tmp_path)))
            assert "Explain `mean`" in (await s.editor.hover(buffer, 4) or "")
            assert s.editor.seen.costs[-1].today.usd == "0"
        await until(lambda: not unwritten(place(tmp_path)))
        assert [(each.outcome, each.estimated) for each in s.entries()] == [("kept", False)] * 2
        assert await fix(s, "d.py") == FIXED
        assert Decimal(s.editor.seen.costs[-1].today.usd) == 3 * (s.entries()[0].cost or 0)
        (told,) = of_ledger(s)
        assert told.startswith(f"{LOCKED}{place(tmp_path)} locked. Close the program that has it open;")
        assert "database is locked" not in "".join((*messages(s), *s.editor.seen.logs))


@pytest.mark.fault("life cycle", "ledger locked by another program")
async def test_a_budget_that_cannot_be_checked_spends_nothing_and_holds_again_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path, extra=BUDGET) as s:
        assert await fix(s) == FIXED
        spent = s.entries()[0].cost
        with held(place(tmp_path)):
            asked = len(s.upstream.requests)
            assert await fix(s, "b.py") == SRC
            assert len(s.upstream.requests) == asked
            (told,) = of_ledger(s)
            assert f"Your budget cannot be checked, so nothing is sent. {LOCKED}" in told
        await until(lambda: not unwritten(place(tmp_path)))
        assert await fix(s, "c.py") == FIXED
        assert [each.cost for each in s.entries()] == [spent, Decimal(0), spent]
        left = s.editor.seen.costs[-1].budget
        assert Decimal(left.left.usd) == 5 - 2 * (spent or 0), "no reservation is left"


@pytest.mark.fault("life cycle", "ledger locked while the server ends")
@pytest.mark.parametrize("end", ["exit", "SIGKILL amid an answer"])
async def test_what_a_locked_ledger_could_not_take_is_entered_by_the_next_server(tmp_path: Path, end: str) -> None:
    gate = asyncio.Event()
    async with stage(tmp_path) as s:
        assert await fix(s) == FIXED
        with held(place(tmp_path)):
            assert await fix(s, "b.py") == FIXED
            if end == "exit":
                code = await leave(s)
                assert code == 0
            else:
                s.upstream.script(gated(GOOD, gate, halt=3))
                buffer = s.editor.open(s.write("c.py", SRC), "python")
                s.editor.start(pick(await s.editor.menu(buffer, 5), "Fix"), "killed")
                await s.upstream.seen(3)
                await until(lambda: any(b'"lost"' in each.read_bytes() for each in unwritten(place(tmp_path))))
                await until(lambda: any(each.read_bytes().count(b'"lost"') == 2 for each in unwritten(place(tmp_path))))
                s.editor.process.kill()
                await s.editor.process.wait()
            assert unwritten(place(tmp_path))
        if end == "exit":
            await until(lambda: "could not be entered" in s.editor.seen.errors)
            wanted = r"1 request \(\S+\) could not be entered in the ledger: they are in \S+, and the next start"
            assert re.search(wanted, s.editor.seen.errors)
    async with stage(tmp_path) as s:
        await until(lambda: not unwritten(place(tmp_path)))
        entries = s.entries()
        assert [each.estimated for each in entries] == [False, False] + [True] * (end != "exit")
        assert len({each.run for each in entries}) == len(entries)
        assert await fix(s, "d.py") == FIXED
        assert any("of an earlier session that the ledger could not take" in each for each in messages(s))
        assert len(s.entries()) == len(entries) + 1


async def leave(s: Stage) -> int:
    """End a server as an editor does, and return its exit code."""
    await s.editor.client.shutdown_async(None)
    s.editor.client.exit(None)
    return await s.editor.process.wait()


# --- damaged ---


def spoil_all(content: bytes) -> bytes:
    return b"\xa5" * len(content)


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "not a database": lambda _: b"def mean(xs):\n" * 400,
    "a few bytes": lambda _: b"SQLite",
    "its header alone": lambda content: content[:100],
    "cut in a page": lambda content: content[: len(content) // 2 + 77],
    "cut between pages": lambda content: content[: 4096 * (len(content) // 8192)],
    "its last page is gone": lambda content: content[:-4096],
    "its first page is noise": lambda content: spoil_all(content[:4096]) + content[4096:],
    "its tables are noise": lambda content: content[:4096] + spoil_all(content[4096:12288]) + content[12288:],
    "all but its first page is noise": lambda content: content[:4096] + spoil_all(content[4096:]),
    "all of it is noise": spoil_all,
    "zeros": lambda content: bytes(len(content)),
    "a text file's line ends": lambda content: content.replace(b"\n", b"\r\n"),
}


@pytest.mark.fault("life cycle", "ledger damaged or truncated")
@pytest.mark.parametrize("kind", SPOILED)
@pytest.mark.parametrize("way", ["written first", "read first"])
def test_a_damaged_ledger_is_moved_aside_said_once_and_never_deleted(tmp_path: Path, kind: str, way: str) -> None:
    path = tmp_path / "ledger.sqlite3"
    first = Ledger(path)
    for number in range(100):
        first.add(entry(run=f"r{number}"))
    first.close()
    content = SPOILED[kind](path.read_bytes())
    path.write_bytes(content)
    ledger = Ledger(path, EDITOR)
    if way == "read first":
        assert ledger.summary("mine", NOON).requests == 0
        assert ledger.entries() == ()
    ledger.settle("a", entry("0.5"))
    assert [str(each.cost) for each in ledger.entries()] == ["0.5"]
    assert ledger.spent("mine", "", NOON).day == Decimal("0.5")
    (warning,) = ledger.warnings()
    (aside,) = (each for each in tmp_path.iterdir() if ".damaged-" in each.name and each.name.endswith("Z"))
    assert str(aside) in warning
    assert aside.read_bytes() == content
    ledger.close()
    again = Ledger(path, EDITOR)
    assert (len(again.entries()), again.warnings()) == (1, ())
    again.close()


@pytest.mark.fault("life cycle", "ledger without a byte")
def test_a_ledger_without_a_byte_begins_from_zero_and_says_so_unless_it_is_new(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.touch()
    new = Ledger(path)
    assert (new.entries(), new.warnings()) == ((), ())
    new.close()
    path.write_bytes(b"")
    os.utime(path, (1e9, 1e9))
    ledger = Ledger(path)
    ledger.add(entry())
    (warning,) = ledger.warnings()
    assert warning == f"The ledger {path} was empty: a new one was created in it, starting at zero."
    ledger.close()


@pytest.mark.fault("life cycle", "ledger's journal missing or foreign")
@pytest.mark.parametrize("journal", ["gone", "noise", "another ledger's", "an older one's", "cut", "a folder"])
def test_a_journal_that_is_missing_or_foreign_stops_nobody(tmp_path: Path, journal: str) -> None:
    path, other = tmp_path / "ledger.sqlite3", tmp_path / "other.sqlite3"
    wal = path.with_name(f"{path.name}-wal")
    for name, cost in ((path, "0.5"), (other, "0.25")):
        filled = Ledger(name)
        filled.add(entry(cost))
        filled.close()
    # A copy that is taken while somebody writes has a journal with entries.
    live = Ledger(other)
    live.add(entry("0.125"))
    found = other.with_name(f"{other.name}-wal").read_bytes()
    live.close()
    spoiled = {"noise": os.urandom(5000), "another ledger's": found, "an older one's": found, "cut": found[:5000]}
    if journal == "an older one's":
        shutil.copy(other, path)
    if journal == "a folder":
        wal.mkdir()
    elif journal != "gone":
        wal.write_bytes(spoiled[journal])
    ledger = Ledger(path, EDITOR)
    with contextlib.suppress(TuppenceError) if journal == "a folder" else contextlib.nullcontext():
        ledger.settle("a", entry("0.75"))
        assert ledger.entries()[-1].cost == Decimal("0.75")
        total = sum((each.cost or Decimal(0) for each in ledger.entries()), Decimal(0))
        assert ledger.spent("mine", "", NOON).day == total
        assert len(ledger.warnings()) <= 1
    ledger.close()


# --- what cannot be used ---


def folder(path: Path) -> str:
    path.mkdir()
    return r"it is a folder\. Move it away\."


def newer(path: Path) -> str:
    ledger = Ledger(path)
    ledger.add(entry())
    ledger.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    return r"A newer tuppence wrote the ledger .*\. Update this one; nothing was changed\."


def file_in_the_way(path: Path) -> str:
    path.parent.rmdir()
    path.parent.write_text("")
    return r"could not be used: (Not a directory|File exists)\."


def socket_in_the_way(path: Path) -> str:
    os.mkfifo(path)
    return r"could not be used: "


@pytest.mark.fault("life cycle", "ledger that cannot be used")
@pytest.mark.parametrize("spoil", [folder, newer, file_in_the_way])
async def test_a_ledger_that_cannot_be_used_is_one_sentence_and_is_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    path = tmp_path / "data" / "ledger.sqlite3"
    path.parent.mkdir()
    sentence = spoil(path)
    before = path.read_bytes() if path.is_file() else None
    ledger = Ledger(path, EDITOR)
    writer = LedgerWriter(ledger, "mine", lambda: NOON)
    writer.recover()
    with contextlib.suppress(TuppenceError):
        await writer.reserve(claim("a"))
    writer.record(entry("0.5"), ["a"])
    with pytest.raises(TuppenceError, match=sentence):
        await writer.totals()
    with pytest.raises(TuppenceError, match=sentence):
        await writer.reserve(claim("b", day="5"))
    await asyncio.wrap_future(ledger.queue(lambda: None))
    (warning,) = writer.take_warnings()
    assert re.search(sentence, warning)
    assert (path.read_bytes() if path.is_file() else None) == before
    await writer.close()
    ledger.close()
    if spoil is not file_in_the_way:
        assert len(unwritten(path)) == 1, "the next server enters it"


@pytest.mark.long
@pytest.mark.fault("life cycle", "disk full")
async def test_a_full_disk_loses_nothing_and_is_one_sentence(tmp_path: Path) -> None:
    """No file of the server may pass 16 KB: the ledger has no room, what waits for it has."""
    shell = shutil.which("sh")
    assert shell

    def small(editor: Editor) -> None:
        editor.command = [shell, "-c", 'ulimit -f 32; exec "$@"', "sh", *editor.command]

    async with stage(tmp_path, before=small) as s:
        assert await fix(s) == FIXED
        assert await fix(s, "b.py") == FIXED
        await until(lambda: unwritten(place(tmp_path)))
        (told,) = of_ledger(s)
        assert re.search(r"could not be used: .*(full|I/O).*disk", told)
    async with stage(tmp_path) as s:
        await until(lambda: not unwritten(place(tmp_path)))
        assert [each.outcome for each in s.entries()] == ["kept", "kept"]


def as_a_user_without_rights(editor: Editor) -> None:
    """Start a server that may not pass over modes of files, as every user but root."""
    if os.geteuid() != 0:
        return
    program = shutil.which("setpriv")
    if program is None:
        pytest.skip("setpriv is not installed")
    less = "-dac_override,-dac_read_search,-fowner"
    editor.command = [program, f"--bounding-set={less}", f"--inh-caps={less}", *editor.command]


@pytest.mark.fault("life cycle", "home read-only")
@pytest.mark.parametrize("budget", ["", pytest.param(BUDGET, marks=pytest.mark.long)], ids=["no budget", "a budget"])
async def test_a_home_that_is_read_only_costs_nobody_an_answer_but_who_has_a_budget(
    tmp_path: Path, budget: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o555)
    try:
        async with stage(tmp_path, extra=budget, before=as_a_user_without_rights) as s:
            assert await fix(s) == (SRC if budget else FIXED)
            assert len(s.upstream.requests) == (0 if budget else 1)
            told = of_ledger(s)
            assert len(told) == (2 if budget else 1), "at the start, and why nothing is sent"
            assert all("could not be used: Permission denied. Check that the folder and the" in each for each in told)
            buffer = s.editor.open(s.write("h.py", SRC), "python")
            assert await s.editor.hover(buffer, 4)
            assert await leave(s) == 0
            await until(lambda: "Traceback" in s.editor.seen.errors or "they are lost" in s.editor.seen.errors)
            assert "Traceback" not in s.editor.seen.errors
        assert list(home.iterdir()) == []
    finally:
        home.chmod(0o755)


# --- a team's database ---


@pytest.mark.fault("life cycle", "a team's database goes away")
async def test_a_database_that_goes_away_and_comes_back_has_every_entry_once(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import postgresql

    where = postgresql.emptied(postgres)
    ledger = Ledger(where, EDITOR)
    writer = LedgerWriter(ledger, "mine", lambda: NOON)
    away = Away(where, monkeypatch)
    await writer.reserve(claim("a", day="5"))
    away.begin()
    try:
        with pytest.raises(TuppenceError, match="could not be used"):
            await writer.reserve(claim("b", day="5"))
        with contextlib.suppress(TuppenceError):
            await writer.reserve(claim("c"))
        writer.record(entry("0.001", run="a"), ["a"])
        writer.record(entry("0", run="b", usage=None), ["b"])
        writer.record(entry("0.004", run="c"), ["c"])
        assert await writer.spent("run") is None
        with pytest.raises(TuppenceError):
            await writer.totals()
        await asyncio.wrap_future(ledger.queue(lambda: None))
        assert len(writer.take_warnings()) == 1
        assert len(unwritten(ledger._engine.beside)) == 1
    finally:
        away.end()
    await writer.close()
    assert [(each.run, str(each.cost)) for each in ledger.entries()] == [("a", "0.001"), ("b", "0"), ("c", "0.004")]
    assert ledger.spent("mine", "", NOON).day == Decimal("0.005"), "no reservation is left"
    assert unwritten(ledger._engine.beside) == []
    ledger.close()
