"""The ledger: exact, shared by processes, and never the reason that something is lost."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from benchmarks.speed.ledger import fill, pay
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paths import RECORDED
from work import database_steps

from tuppence.config import load
from tuppence.core.billing.budget import CallEstimate, Limits
from tuppence.core.billing.entry import OUTCOMES, Entry
from tuppence.core.billing.totals import summarize_entry, totals
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.models.usage import Usage
from tuppence.engine import cost_report
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger, Reservation, midnight, schema
from tuppence.ledger.schema import MIGRATIONS
from tuppence.ledger.sqlite import Sqlite

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
AMOUNTS = st.none() | st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False)
PRICE = Price(Rates(Decimal(1), Decimal(5)))
TOKENS = st.integers(min_value=0, max_value=10**9)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Ledger]:
    """Open a new ledger in a file."""
    opened = Ledger(tmp_path / "data" / "ledger.sqlite3")
    yield opened
    opened.close()


def entry(cost: str | None = "0.01", **fields: Any) -> Entry:
    usual: dict[str, Any] = {
        "run": "run", "session": "mine", "at": NOON, "action": "fix", "language": "python", "provider": "mine",
        "model": "small", "tier": "budget", "usage": Usage(fresh=10, output=5), "estimated": False, "difficulty": 0.3,
        "outcome": "kept", "best_cost": None, "reason": "easy 0.30", "seconds": 1.5,
    }  # fmt: skip
    return Entry(cost=None if cost is None else Decimal(cost), **{**usual, **fields})


def path_of(ledger: Ledger) -> Path:
    return Path(ledger.place)


def inside(ledger: Ledger) -> sqlite3.Connection:
    """Return the connection that the ledger itself uses."""
    assert isinstance(ledger._engine, Sqlite)
    assert ledger._engine._connection is not None
    return ledger._engine._connection


WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
ENTRIES = st.builds(
    Entry,
    run=st.just("run"), session=WORDS, at=st.datetimes(timezones=st.just(UTC)), action=WORDS,
    language=WORDS, provider=WORDS, model=WORDS, tier=WORDS, cost=AMOUNTS, best_cost=AMOUNTS,
    usage=st.none() | st.builds(Usage, TOKENS, st.none() | TOKENS, TOKENS, TOKENS, TOKENS, TOKENS),
    estimated=st.booleans(), difficulty=st.none() | st.floats(0, 1), outcome=st.sampled_from(OUTCOMES),
    reason=WORDS, seconds=st.floats(0, 1e6), project=WORDS, charged=AMOUNTS, listed=AMOUNTS,
    characters=st.none() | TOKENS,
)  # fmt: skip


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ENTRIES)
def test_an_entry_comes_back_as_it_went_in(ledger: Ledger, before: Entry) -> None:
    ledger.add(before)
    assert ledger.entries(limit=1) == (before,)


def test_what_was_read_of_the_day_is_as_good_as_read_anew(where: str, ledger: Ledger) -> None:
    chance, other = random.Random(7), Ledger(where)  # noqa: S311 - nothing secret
    for number in range(120):
        writer = chance.choice((ledger, other))
        match chance.randrange(6):
            case 0:
                writer.outcome(f"r{chance.randrange(9)}", chance.choice(OUTCOMES))
            case 1:
                bid = CallEstimate(model="small", price=PRICE, prompt=1000, least=10, most=100, when=NOON)
                claim = Reservation(id=str(number), bid=bid, limits=Limits(), lost=entry(None), midnight=midnight(NOON))
                writer.reserve(claim)
                ledger._do("write", lambda connection: connection.execute("UPDATE hold SET host = 'elsewhere'"))
                writer.recover(NOON + timedelta(hours=2))
                writer.settle(str(number), entry("0.004", run="late"))
            case _:
                at = NOON + timedelta(hours=chance.randrange(-30, 30))
                cost, best = chance.choice((None, "0.01", "0.7")), Decimal(chance.choice(("0.1", "0.02")))
                writer.add(entry(cost, run=f"r{chance.randrange(9)}", at=at, best_cost=best, tier=chance.choice("ab")))
        now = NOON + timedelta(hours=12 * (number // 60))
        anew = Ledger(where)
        assert ledger.summary("mine", now) == anew.summary("mine", now)
        anew.close()
    assert ledger.summary("mine", now).today == totals(ledger.entry_summaries(midnight(now))).spent
    other.close()


def test_a_day_that_was_read_is_forgotten_with_its_file(own: Ledger) -> None:
    for _ in range(3):
        own.add(entry("0.5"))
    assert own.summary("mine", NOON).today == Decimal("1.5")
    for path in list(path_of(own).parent.iterdir()):
        path.unlink()
    for number in range(5):
        own.add(entry("0.1", run=str(number)))
    assert own.summary("mine", NOON).today == Decimal("0.5")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ENTRIES)
def test_a_slip_is_what_its_entry_says(ledger: Ledger, of: Entry) -> None:
    ledger.add(of)
    beginning = datetime.min.replace(tzinfo=UTC)
    assert ledger.entry_summaries(beginning)[-1] == summarize_entry(of)
    assert len(ledger.entry_summaries(beginning)) == len(ledger.entries())


def test_numbers_rise_and_entries_come_oldest_first(ledger: Ledger) -> None:
    numbers = [ledger.add(entry(run=name, at=NOON + timedelta(hours=hour))) for hour, name in enumerate("abcd")]
    assert numbers == [1, 2, 3, 4]
    assert [each.run for each in ledger.entries()] == ["a", "b", "c", "d"]
    assert [each.run for each in ledger.entries(limit=2)] == ["c", "d"]
    assert [each.run for each in ledger.entries(since=NOON + timedelta(hours=1), limit=2)] == ["c", "d"]
    assert [each.run for each in ledger.entries(since=NOON + timedelta(hours=3))] == ["d"]


def test_a_summary_of_nothing_is_zero(ledger: Ledger) -> None:
    summary = ledger.summary("mine", NOON)
    assert [summary.session, summary.today, summary.month, summary.saved] == [Decimal(0)] * 4
    assert (summary.requests, summary.last) == (0, None)


def test_day_and_month_begin_at_the_users_midnight(ledger: Ledger) -> None:
    auckland = ZoneInfo("Pacific/Auckland")  # Thirteen hours ahead in March: its 1 March begins on 28 February, UTC.
    for cost, at in {
        "1000": datetime(2026, 2, 28, 10, 59, 59, 999_999, tzinfo=UTC),
        "100": datetime(2026, 2, 28, 11, tzinfo=UTC),
        "10": datetime(2026, 3, 4, 10, 59, 59, 999_999, tzinfo=UTC),
        "1": datetime(2026, 3, 4, 11, tzinfo=UTC),
    }.items():
        ledger.add(entry(cost, at=at, session="other"))
    there = ledger.summary("mine", datetime(2026, 3, 5, 8, tzinfo=auckland))
    assert [there.today, there.month, there.session] == [Decimal(each) for each in (1, 111, 0)]
    utc = ledger.summary("other", datetime(2026, 3, 4, 23, tzinfo=UTC))
    assert [utc.today, utc.month, utc.session] == [Decimal(each) for each in (11, 11, 1111)]


def test_a_summary_counts_every_request_once(ledger: Ledger) -> None:
    ledger.add(entry("0.01", run="a", best_cost=Decimal("0.05"), outcome="failed check"))
    ledger.add(entry("0.02", run="a", best_cost=Decimal("0.06"), model="large", tier="workhorse"))
    ledger.add(entry("0.003", run="b", session="other", outcome="cancelled", estimated=True))
    ledger.add(entry(None, run="c", session="other", model="mystery"))
    summary = ledger.summary("mine", NOON)
    assert (summary.session, summary.today, summary.month) == (Decimal("0.03"), Decimal("0.033"), Decimal("0.033"))
    assert (summary.saved, summary.estimated) == (Decimal("0.03"), Decimal("0.003"))
    assert (summary.requests, summary.unknown) == (4, 1)
    assert summary.by_model == {"mine/large": Decimal("0.02"), "mine/small": Decimal("0.013"), "mine/mystery": None}
    assert summary.last is not None
    assert (summary.last.model, summary.last.cost, summary.last.outcome) == ("large", Decimal("0.03"), "kept")


def test_an_undone_answer_changes_only_the_last_request_of_its_run(ledger: Ledger) -> None:
    ledger.add(entry(run="a", outcome="failed check"))
    ledger.add(entry(run="a"))
    ledger.add(entry(run="b"))
    ledger.outcome("a", "stale")
    ledger.outcome("nobody", "stale")
    assert [each.outcome for each in ledger.entries()] == ["failed check", "stale", "kept"]


def test_a_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="time zone"):
        ledger.summary("mine", datetime(2026, 3, 4))  # noqa: DTZ001 - the mistake under test


def test_text_that_is_no_text_is_kept_as_far_as_it_goes(ledger: Ledger) -> None:
    ledger.add(entry(run="\ud800", reason="broken \udfff end"))
    ledger.outcome("\ud800", "stale")
    (found,) = ledger.entries()
    assert (found.reason, found.outcome) == ("broken ? end", "stale")


def test_nobody_else_may_read_it(own: Ledger) -> None:
    own.add(entry())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in path_of(own).parent.iterdir()}
    assert modes.pop("ledger.sqlite3") == 0o600
    assert set(modes.values()) <= {0o600}
    assert stat.S_IMODE(path_of(own).parent.stat().st_mode) == 0o700


def test_nothing_is_opened_before_it_is_needed() -> None:
    ledger = Ledger()
    assert not path_of(ledger).parent.exists()
    ledger.add(entry())
    ledger.close()
    assert path_of(ledger).name == "ledger.sqlite3"
    assert len(Ledger(path_of(ledger)).entries()) == 1


WRITER = """
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tuppence.core.billing.entry import Entry
from tuppence.ledger import Ledger, Reservation, midnight
path, name, count = sys.argv[1:]
ledger = Ledger(path)
for number in range(int(count)):
    ledger.add(Entry(
        run=f"{name}{number}", session=name, at=datetime(2026, 3, 4, 12, tzinfo=UTC), action="fix", language="go",
        provider="mine", model="small", tier="budget", usage=None, cost=Decimal("0.1") + Decimal(number) / 10**9,
        estimated=False, difficulty=None, outcome="kept", best_cost=None, reason="", seconds=0.0))
    print(number, flush=True)
"""


def writer(where: str, name: str, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, where, name, str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_that_begin_and_write_at_once_lose_nothing(where: str, ledger: Ledger) -> None:
    count, names = 150, ("a", "b", "c")
    processes = [writer(where, name, count) for name in names]
    for process in processes:
        _, complaint = process.communicate(timeout=60)
        assert (process.returncode, complaint) == (0, "")
    each = count * Decimal("0.1") + Decimal(count * (count - 1) // 2) / 10**9
    assert [ledger.summary(name, NOON).session for name in names] == [each] * 3
    assert ledger.summary("a", NOON).today == 3 * each


def test_a_killed_process_leaves_every_entry_that_it_had_written(where: str, ledger: Ledger) -> None:
    process = writer(where, "a", 1_000_000)
    assert process.stdout is not None
    while int(process.stdout.readline()) < 50:
        pass
    process.kill()
    written = 51 + len(process.stdout.read().splitlines())
    process.communicate()
    assert written <= len(ledger.entries()) <= written + 1
    assert ledger.add(entry()) > 50


def test_threads_share_one_ledger(ledger: Ledger) -> None:
    def write() -> None:
        for _ in range(50):
            ledger.add(entry("0.1"))
            ledger.summary("mine", NOON)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.summary("mine", NOON).session == 20


def test_it_can_be_closed_by_work_in_its_own_threads_and_used_again(own: Ledger) -> None:
    own.add(entry("0.5"))
    for thread in (own.queue, own.read):
        thread(own.close).result()
        assert own.summary("mine", NOON).today == Decimal("0.5")


def test_who_no_longer_waits_holds_nobody_up(own: Ledger) -> None:
    own.add(entry("0.5"))
    go_on = threading.Event()
    own.queue(go_on.wait)
    given_up, waiting = own.settled(), own.settled()
    assert given_up.cancel()
    assert not waiting.done()
    go_on.set()
    assert waiting.result() is None
    assert given_up.cancelled()
    assert own.entries()[0].cost == Decimal("0.5")


@pytest.mark.parametrize("spoiled", [slice(0, None), slice(4096, 12288)], ids=["all of it", "its tables"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path: Path, spoiled: slice) -> None:
    path = tmp_path / "ledger.sqlite3"
    first = Ledger(path)
    for _ in range(200):
        first.add(entry())
    first.close()
    content = bytearray(path.read_bytes())
    content[spoiled] = b"\xa5" * len(content[spoiled])
    path.write_bytes(content)

    ledger = Ledger(path)
    assert ledger.add(entry("0.5")) == 1
    (warning,) = ledger.warnings()
    (aside,) = (each for each in tmp_path.iterdir() if ".damaged-" in each.name and each.suffix != ".sqlite3-wal")
    assert str(aside) in warning
    assert aside.read_bytes() == content
    assert ledger.summary("mine", NOON).today == Decimal("0.5")
    assert ledger.warnings() == ()
    ledger.close()


def test_a_file_that_was_deleted_under_it_is_begun_again(own: Ledger) -> None:
    own.add(entry())
    for path in list(path_of(own).parent.iterdir()):
        path.unlink()
    assert own.add(entry("0.5")) == 1
    assert [each.cost for each in Ledger(path_of(own)).entries()] == [Decimal("0.5")]


def test_a_full_disk_is_a_sentence_and_loses_nothing_written(own: Ledger) -> None:
    own.add(entry())
    (pages,) = inside(own).execute("PRAGMA page_count").fetchone()
    inside(own).execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(TuppenceError, match=r"full\. Free some space on the disk\.$"):
        own.add(entry(reason="long " * 10_000))
    inside(own).execute("PRAGMA max_page_count = 100000")
    before = len(own.entries())
    own.add(entry())
    assert len(own.entries()) == before + 1


def test_a_file_that_cannot_be_written_is_a_sentence(own: Ledger) -> None:
    own.add(entry())
    inside(own).execute("PRAGMA query_only = ON")
    with pytest.raises(TuppenceError, match=r"ledger\.sqlite3 could not be used: attempt to write a readonly database"):
        own.add(entry())


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TuppenceError, match=r"could not be used: (Not a directory|File exists)\. Check"):
        Ledger(tmp_path / "file" / "ledger.sqlite3").add(entry())


def test_a_file_held_by_another_process_is_a_sentence(own: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuppence.ledger.sqlite.WAIT", 0.05)
    own.entries()
    other = sqlite3.connect(path_of(own), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TuppenceError, match=r"^Another program has the ledger \S+ledger\.sqlite3 locked\. Close"):
        own.add(entry())
    other.close()
    assert own.add(entry()) == 1


def test_a_file_of_a_newer_version_is_left_alone(own: Ledger) -> None:
    own.add(entry())
    own.close()
    with sqlite3.connect(path_of(own), isolation_level=None) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(TuppenceError, match="newer tuppence"):
        own.add(entry())
    with pytest.raises(TuppenceError, match="Update this one"):
        own.entries()


def test_a_file_of_an_older_version_is_brought_up_to_date(own: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    own.add(entry())
    own.close()
    later = (*MIGRATIONS, ("ALTER TABLE request ADD COLUMN office TEXT", "UPDATE request SET office = 'x'"))
    monkeypatch.setattr("tuppence.ledger.schema.MIGRATIONS", later)
    own.add(entry())
    assert inside(own).execute("SELECT office FROM request").fetchall() == [("x",), (None,)]
    assert inside(own).execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)


def test_a_migration_that_fails_changes_nothing(own: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    own.add(entry())
    own.close()
    broken = (*MIGRATIONS, ("ALTER TABLE request ADD COLUMN office TEXT", "UPDATE elsewhere SET office = 'x'"))
    with monkeypatch.context() as patch:
        patch.setattr("tuppence.ledger.schema.MIGRATIONS", broken)
        with pytest.raises(TuppenceError, match="no such table: elsewhere"):
            own.add(entry())
    assert len(own.entries()) == 1


def test_it_is_as_quick_at_a_million_entries(tmp_path: Path) -> None:
    """What a request asks of the database does not grow with the ledger; a report grows with what it shows."""
    few, many = (work_at(Ledger(tmp_path / f"{size}.sqlite3"), size) for size in (20_000, 100_000))
    print(
        f"\nSQLite's instructions: {max(many.asking)} to reserve and settle, {max(many.summing)} to sum up a day of"
        f" 1,560, {many.reporting:.0f} a request for the report of 30 days"
    )
    assert few.asking == many.asking
    assert few.summing == many.summing
    assert max(many.asking) < 800
    assert max(many.summing) < 600
    assert many.reporting < 100


@dataclass
class Work:
    """How many instructions SQLite ran."""

    asking: list[int]
    """For each request, to reserve and to settle."""
    summing: list[int]
    """For each status."""
    reporting: float
    """For each request that the report of 30 days shows."""


def work_at(own: Ledger, size: int) -> Work:
    own.entries()
    own._do("write", lambda connection: fill(connection, size))
    assert own.spent("mine", "", NOON).month == Decimal("0.001") * (3 * 2880 + 1440)
    asking = [database_steps(own, lambda: pay(own, number))[1] for number in range(100)]  # noqa: B023 - called at once
    assert own.summary("nobody", NOON).requests == 1440 + 100
    summing = []
    for number in range(20):
        own.add(entry("0.0001", run=f"more{number}"))
        _, steps = database_steps(own, lambda: (own.spent("mine", "", NOON), own.summary("nobody", NOON)))
        summing.append(steps)
    drawn, steps = database_steps(own, lambda: cost_report.read_report(own, load(), NOON, 30))
    whole = drawn.report.whole
    assert whole.spent == Decimal("0.001") * min(29 * 2880 + 1440, size) + Decimal("0.0001") * 120
    own.close()
    return Work(asking, summing, steps / whole.requests)


def test_running_totals_are_the_sums_of_their_entries(ledger: Ledger) -> None:
    entries = [entry(f"0.{number:03}1", at=NOON - timedelta(minutes=37 * number)) for number in range(200)]
    for each in entries:
        ledger.add(each)
    for zone in ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland"):
        now = (NOON + timedelta(hours=1)).astimezone(ZoneInfo(zone))
        day, month = midnight(now), midnight(now).replace(day=1)
        spent = ledger.spent("mine", "run", now)
        assert spent.day == sum((each.cost or Decimal(0) for each in entries if each.at >= day), Decimal(0))
        assert spent.month == sum((each.cost or Decimal(0) for each in entries if each.at >= month), Decimal(0))


def test_the_first_version_of_the_tables_is_brought_up_to_date(own: Ledger) -> None:
    path_of(own).parent.mkdir(parents=True)
    with sqlite3.connect(path_of(own), isolation_level=None) as old:
        for statement in MIGRATIONS[0]:
            assert isinstance(statement, str)
            old.execute(statement)
        insert = (
            "INSERT INTO request (run, session, at, action, language, provider, model, tier, cost, estimated, outcome,"
            " reason, seconds) VALUES ('r', 's', ?, 'fix', 'go', 'mine', 'small', 'budget', ?, 0, 'kept', 'easy', 1.0)"
        )
        old.execute(insert, ("2026-03-04T11:59:00.000000+00:00", "0.1"))
        old.execute(insert, ("2026-03-04T12:01:00.000000+00:00", "0.02"))
        old.execute(insert, ("2026-02-01T00:00:00.000000+00:00", None))
        old.execute("PRAGMA user_version = 1")
    old.close()
    assert [each.cost for each in own.entries()] == [Decimal("0.1"), Decimal("0.02"), None]
    summary = own.summary("s", NOON)
    assert (summary.session, summary.today, summary.month) == (Decimal("0.12"), Decimal("0.12"), Decimal("0.12"))
    own.add(entry("0.003", session="s"))
    assert own.spent("s", "r", NOON).month == Decimal("0.123")


def test_the_model_that_answered_is_kept_and_older_entries_name_none(own: Ledger) -> None:
    path_of(own).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(RECORDED / "release-0.1.0" / "ledger.sqlite3", path_of(own))
    with sqlite3.connect(path_of(own)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (4,)
        names = [name for _, name, *_ in old.execute("PRAGMA table_info(request)")]
        costs = [Decimal(cost) for (cost,) in old.execute("SELECT cost FROM request ORDER BY id")]
    old.close()
    assert "served" not in names
    before = own.entries()
    assert [each.cost for each in before] == costs
    assert {each.served for each in before} == {""}
    own.add(replace(entry("0.003"), served="deepseek-v4-flash"))
    assert [each.served for each in own.entries()[-2:]] == ["", "deepseek-v4-flash"]
    assert [each.served for each in own.entry_summaries(NOON - timedelta(days=1))][-1] == "deepseek-v4-flash"


def test_a_reservation_of_a_version_without_the_last_column_is_recovered() -> None:
    packed = json.loads(schema.packed(entry("0.003", run="held")))
    for of in (packed, packed[:-1]):
        assert schema.unpacked(json.dumps(of)) == entry("0.003", run="held")
    for of in ([], packed[:-2], [*packed, "newer"]):
        with pytest.raises((ValueError, TypeError, KeyError)):
            schema.unpacked(json.dumps(of))
