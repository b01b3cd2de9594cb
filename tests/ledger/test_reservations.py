"""Reservations: several processes never pass a limit together, and what a dead one held is entered as an estimate."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from paths import ROOT, SUPPORT

import postgresql
from tuppence.core.billing.budget import CallEstimate, Grant, Limits, Spent
from tuppence.core.billing.entry import Entry
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.models.usage import Usage
from tuppence.errors import OverBudget, TuppenceError
from tuppence.ledger import Ledger, PendingCost, Reservation, midnight
from tuppence.ledger.process import LONGEST, Process, gone, me
from tuppence.ledger.reservations import AHEAD, ENOUGH

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PRICE = Price(Rates(Decimal(2), Decimal(10)))


def entry(cost: str | None = "0.001", **fields: Any) -> Entry:
    usual: dict[str, Any] = {
        "run": "run", "session": "mine", "at": NOON, "action": "fix", "language": "python", "provider": "mine",
        "model": "small", "tier": "budget", "usage": Usage(fresh=1000, output=5), "estimated": False,
        "difficulty": 0.3, "outcome": "kept", "best_cost": None, "reason": "easy 0.30", "seconds": 1.5,
    }  # fmt: skip
    return Entry(cost=None if cost is None else Decimal(cost), **{**usual, **fields})


def claim(name: str, of: Entry | None = None, **limits: str) -> Reservation:
    """Ask for at most $0.012, and at least $0.003."""
    bid = CallEstimate(model="small", price=PRICE, prompt=1000, least=100, most=1000, when=NOON)
    given = Limits(**{period: Decimal(amount) for period, amount in limits.items()})
    lost = of or entry(None, estimated=True, outcome="failed")
    return Reservation(id=name, bid=bid, limits=given, lost=lost, midnight=midnight(NOON))


def test_what_is_reserved_counts_until_it_is_settled(ledger: Ledger) -> None:
    assert ledger.reserve(claim("a", day="0.02")) == Grant(1000, Decimal("0.012"))
    assert ledger.reserve(claim("b", day="0.02")) == Grant(600, Decimal("0.008"))
    with pytest.raises(OverBudget, match="nothing of it is left"):
        ledger.reserve(claim("c", day="0.02"))
    assert ledger.entries() == ()
    ledger.settle("a", entry("0.001"))
    assert ledger.spent("mine", "run", NOON) == Spent(
        request=Decimal("0.009"), session=Decimal("0.009"), day=Decimal("0.009"), month=Decimal("0.009")
    )
    assert ledger.reserve(claim("c", day="0.02")).bound == Decimal("0.011")
    ledger.release("b")
    assert [each.cost for each in ledger.entries()] == [Decimal("0.001")]
    assert ledger.spent("mine", "", NOON).day == Decimal("0.012")


def test_each_limit_counts_its_own_period(ledger: Ledger) -> None:
    ledger.add(entry("0.1", run="old", session="other", at=NOON - timedelta(days=1)))
    ledger.add(entry("0.02", run="other", session="other"))
    ledger.add(entry("0.003", run="before"))
    ledger.add(entry("0.0005"))
    assert ledger.spent("mine", "run", NOON) == Spent(
        request=Decimal("0.0005"), session=Decimal("0.0035"), day=Decimal("0.0235"), month=Decimal("0.1235")
    )
    assert ledger.reserve(claim("a", month="0.1275", day="1", session="1", request="1")).bound == Decimal("0.004")
    ledger.release("a")
    assert ledger.reserve(claim("b", month="1", day="0.0275", session="1", request="1")).bound == Decimal("0.004")
    ledger.release("b")
    assert ledger.reserve(claim("c", month="1", day="1", session="0.0075", request="1")).bound == Decimal("0.004")
    ledger.release("c")
    assert ledger.reserve(claim("d", month="1", day="1", session="1", request="0.0045")).bound == Decimal("0.004")


def test_an_estimate_gives_way_to_the_truth(ledger: Ledger) -> None:
    ledger.reserve(claim("a", entry(None, at=NOON - 2 * LONGEST, estimated=True, outcome="failed")))
    assert ledger.recover(NOON) == 0, "this very process lives"
    ledger.close()
    strange = "UPDATE hold SET host = 'elsewhere'"
    ledger._do("write", lambda connection: connection.execute(strange))
    assert ledger.recover(NOON) == 1
    (lost,) = ledger.entries()
    assert (lost.cost, lost.listed, lost.estimated, lost.outcome) == (
        Decimal("0.012"),
        Decimal("0.012"),
        True,
        "failed",
    )
    assert lost.usage == Usage(fresh=1000, output=1000)
    assert ledger.spent("mine", "", NOON).session == Decimal("0.012")
    ledger.settle("a", entry("0.002"))
    (true,) = ledger.entries()
    assert (true.cost, true.estimated, true.outcome) == (Decimal("0.002"), False, "kept")
    assert ledger.spent("mine", "run", NOON).session == Decimal("0.002")
    assert ledger.recover(NOON) == 0


LOST = entry(None, estimated=True, outcome="failed")
"""The prompt is 1,000 tokens at $2 a million, the answer is allowed 1,000 at $10: $0.012 at most."""


@pytest.mark.parametrize(
    ("known", "received", "tokens", "cost"),
    [
        ((), None, 1000, "0.012"),
        ((300,) * (ENOUGH - 1), 10, 1000, "0.012"),
        ((300,), 10, 1000, "0.012"),
        ((200, 100), None, 300, "0.005"),
        ((10, 20, 400, 30), None, 500, "0.007"),
        ((100,) * 9, 100, 100 + AHEAD, "0.00556"),
        ((200, 200), 10, 300, "0.005"),
        ((300,) * 3, None, 400, "0.006"),
        ((90,) * 9, None, 100, "0.003"),
        ((300,) * 3, 900, 1000, "0.012"),
        ((5000,) * 5, None, 1000, "0.012"),
    ],
    ids=[
        "nothing known", "too little known", "one is too little", "as long as its like", "as the longest",
        "longer than its like", "a short way", "one in three more", "one in nine more", "nearly at its end",
        "never beyond what was allowed",
    ],
)  # fmt: skip
def test_a_lost_answer_is_taken_to_be_as_long_as_the_longest_of_its_kind(
    ledger: Ledger, known: tuple[int, ...], received: int | None, tokens: int, cost: str
) -> None:
    for number, output in enumerate(known):
        ledger.add(entry(run=f"r{number}", usage=Usage(fresh=9, output=output - 4, thinking=4)))
    ledger.add(entry(run="another", action="explain", usage=Usage(fresh=9, output=999)))
    ledger.add(entry(run="guess", estimated=True, usage=Usage(fresh=9, output=999)))
    before = ledger.spent("mine", "", NOON).day
    ledger.reserve(claim("a", LOST))
    if received is not None:
        ledger.note("a", "gen-1", received)
    ledger._do("write", lambda connection: connection.execute("UPDATE hold SET host = 'elsewhere'"))
    assert ledger.recover(NOON + 2 * LONGEST) == 1
    lost = ledger.entries()[-1]
    assert (lost.usage, lost.cost, lost.estimated) == (Usage(fresh=1000, output=tokens), Decimal(cost), True)
    assert ledger.spent("mine", "", NOON).day == before + Decimal(cost)
    owed = ledger.owed(NOON - timedelta(hours=1))
    assert owed == (() if received is None else (PendingCost("a", "mine", "small", "gen-1"),))
    assert ledger.correct("a", lambda estimate: replace(estimate, cost=Decimal("0.004"), estimated=False))
    assert not ledger.correct("a", lambda estimate: replace(estimate, cost=Decimal(9))), "the truth stays"
    assert ledger.spent("mine", "", NOON).day == before + Decimal("0.004")
    assert ledger.owed(NOON - timedelta(hours=1)) == ()


def test_a_token_of_a_lost_answer_costs_what_one_more_token_does_however_short_the_prompt(ledger: Ledger) -> None:
    for number in range(3):
        ledger.add(entry(run=f"r{number}", usage=Usage(fresh=9, output=300)))
    lost = claim("a", LOST)
    ledger.reserve(replace(lost, bid=replace(lost.bid, prompt=1)))
    ledger._do("write", lambda connection: connection.execute("UPDATE hold SET host = 'elsewhere'"))
    assert ledger.recover(NOON + 2 * LONGEST) == 1
    assert ledger.entries()[-1].cost == Decimal("0.000002") + 400 * Decimal("0.00001")


@pytest.mark.parametrize("priced", [True, False])
def test_a_lost_call_of_which_no_tokens_are_known_is_entered_as_it_was_reserved(
    ledger: Ledger,
    priced: bool,  # noqa: FBT001 - a table's column
) -> None:
    for number in range(9):
        ledger.add(entry(run=f"r{number}", usage=Usage(fresh=9, output=10)))
    before = ledger.spent("mine", "", NOON).day
    lost = claim("a", replace(LOST, usage=None))
    ledger.reserve(lost if priced else replace(lost, bid=replace(lost.bid, price=None)))
    ledger._do("write", lambda connection: connection.execute("UPDATE hold SET host = 'elsewhere'"))
    assert ledger.recover(NOON + 2 * LONGEST) == 1
    found = ledger.entries()[-1]
    cost = Decimal("0.012") if priced else None
    assert (found.usage, found.cost, found.listed, found.estimated) == (None, cost, cost, True)
    assert ledger.spent("mine", "", NOON).day == before + (cost or 0)


def test_reservations_and_pending_costs_are_values_with_names() -> None:
    of = claim("a")
    with pytest.raises(FrozenInstanceError):
        of.id = "b"  # type: ignore[misc]
    pending = PendingCost("a", "mine", "small", "gen-1")
    with pytest.raises(FrozenInstanceError):
        pending.hold = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Reservation("a", of.bid, of.limits, of.lost, of.midnight)  # type: ignore[call-arg]


def test_another_machine_of_the_same_name_is_not_taken_for_dead() -> None:
    mine = me()
    assert not gone(mine, NOON, NOON + 2 * LONGEST)
    assert gone(replace(mine, born="another boot/7"), NOON, NOON), "before this machine was started anew"
    other = replace(mine, host=f"{mine.host.partition(' ')[0]} 0123456789ab", born="another boot/7")
    assert not gone(other, NOON, NOON + LONGEST)
    assert gone(other, NOON, NOON + 2 * LONGEST)


def test_a_process_is_named_by_its_machine_and_not_by_the_machines_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuppence.ledger.process._machine", lambda: "0123456789ab")
    me.cache_clear()
    try:
        assert me().host == f"{platform.node()} 0123456789ab".strip()
    finally:
        me.cache_clear()


def test_only_an_estimate_is_asked_after(ledger: Ledger) -> None:
    for name, estimated in (("a", False), ("b", True), ("c", True)):
        ledger.reserve(claim(name))
        ledger.note(name, "" if name == "c" else f"gen-{name}", 5)
        ledger.settle(name, entry(run=name, estimated=estimated))
    assert [each.hold for each in ledger.owed(NOON)] == ["b"]
    assert ledger.owed(NOON + timedelta(seconds=1)) == ()
    assert not ledger.correct("nobody", lambda estimate: estimate)


def test_what_was_never_reserved_is_entered_all_the_same(ledger: Ledger) -> None:
    ledger.settle("nobody", entry("0.002"))
    ledger.release("nobody")
    assert [each.cost for each in ledger.entries()] == [Decimal("0.002")]


def test_a_reservation_that_is_made_once_more_counts_once(ledger: Ledger) -> None:
    assert ledger.reserve(claim("a")) == ledger.reserve(claim("a")) == Grant(1000, Decimal("0.012"))
    assert ledger.spent("mine", "", NOON).day == Decimal("0.012")
    ledger.settle("a", entry("0.001"))
    assert ledger.spent("mine", "", NOON).day == Decimal("0.001")


def test_an_unknown_price_holds_nothing(ledger: Ledger) -> None:
    unknown = claim("a")
    unknown = replace(unknown, bid=replace(unknown.bid, price=None))
    assert ledger.reserve(unknown) == Grant(1000, None)
    assert ledger.spent("mine", "run", NOON).day == 0
    ledger.settle("a", entry(None))
    assert ledger.summary("mine", NOON).unknown == 1


CLAIMANT = """
import sys
sys.path[:0] = sys.argv[3].split(":")
from tests.ledger.test_reservations import NOON, claim, entry
from tuppence.errors import OverBudget, TuppenceError
from tuppence.ledger import Ledger
where, name = sys.argv[1:3]
ledger = Ledger(where)
for number in range(200):
    try:
        ledger.reserve(claim(f"{name}{number}", day="0.1"))
    except OverBudget:
        continue
    print(number, flush=True)
    ledger.settle(f"{name}{number}", entry("0.0031"))
print("end", flush=True)
sys.stdin.read()
"""


def claimant(where: str, name: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", CLAIMANT, where, name, f"{ROOT}:{SUPPORT}"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_processes_that_ask_at_once_stay_within_the_limit(where: str, ledger: Ledger) -> None:
    processes = [claimant(where, name) for name in "abc"]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    total = sum((each.cost or Decimal(0) for each in ledger.entries()), Decimal(0))
    assert Decimal("0.095") < total <= Decimal("0.1")
    assert ledger.spent("mine", "", NOON).day == total


def test_a_killed_process_leaves_estimates_that_count(where: str, ledger: Ledger) -> None:
    holding = CLAIMANT.replace('    ledger.settle(f"{name}{number}", entry("0.0031"))\n', "")
    words = [sys.executable, "-c", holding, where, "a", f"{ROOT}:{SUPPORT}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "end\n":
            pass
        assert ledger.recover(NOON) == 0, "it lives"
        process.kill()
    held = ledger.spent("mine", "", NOON).day
    assert Decimal("0.095") < held <= Decimal("0.1")
    assert ledger.recover(NOON) == 9
    assert ledger.spent("mine", "", NOON).day == held == sum(each.cost or 0 for each in ledger.entries())
    assert all(each.estimated and each.outcome == "failed" for each in ledger.entries())


@pytest.mark.parametrize(
    ("process", "since", "expected"),
    [
        (me(), NOON - 9 * LONGEST, False),
        (replace(me(), born="another boot/1"), NOON, True),
        (replace(me(), pid=2**22 + 1), NOON, True),
        (replace(me(), pid=2**22 + 1, born=""), NOON, True),
        (replace(me(), born=""), NOON, False),
        (Process("elsewhere", 1, ""), NOON, False),
        (Process("elsewhere", 1, ""), NOON - LONGEST - timedelta(seconds=1), True),
    ],
)
def test_a_process_is_gone_only_for_certain(process: Process, since: datetime, expected: object) -> None:
    assert gone(process, since, NOON) is expected


def test_a_server_that_is_down_is_a_sentence_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ledger = Ledger(f"postgresql://me:secret@127.0.0.1:{port}/accounts")
    with pytest.raises(TuppenceError, match=r"could not be used: .*refused.* Check the address in `ledger`") as first:
        ledger.add(entry())
    assert "secret" not in str(first.value)
    assert f"postgresql://127.0.0.1:{port}/accounts" in str(first.value)
    monkeypatch.setattr("tuppence.ledger.postgres.Postgres._open", None)
    with pytest.raises(TuppenceError, match="could not be used"):
        ledger.add(entry())
    ledger.close()


def test_a_database_comes_back(postgres: str) -> None:
    ledger = Ledger(postgresql.emptied(postgres))
    ledger.add(entry())
    ledger._do("read", lambda connection: connection.execute("SELECT 1"))
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tuppence'")
    assert ledger.add(entry()) == 2
    ledger.close()
