"""Absurd usage: nothing is learned of it, a ledger that learned it heals, and the accounts book an estimate."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tuppence.core.billing.entry import Entry
from tuppence.core.billing.token_ratio import Paces
from tuppence.core.models.usage import Usage
from tuppence.ledger import Ledger
from tuppence.ledger.schema import Connection

CHARACTERS = 6000
COUNTED = Entry(
    run="r", session="s", at=datetime(2026, 11, 21, tzinfo=UTC), action="fix", language="go", provider="mine",
    model="small", tier="budget", usage=Usage(fresh=2000, cache_read=1000), cost=Decimal(0), estimated=False,
    difficulty=None, outcome="kept", best_cost=None, reason="", seconds=1.0, characters=CHARACTERS,
)  # fmt: skip
ABSURD = (
    Usage(fresh=200_000),
    Usage(fresh=10**9),
    Usage(fresh=2 * CHARACTERS + 1),
    Usage(fresh=1),
    Usage(fresh=CHARACTERS // 20 - 1),
    Usage(fresh=0, cache_read=200_000),
    Usage(fresh=0, cache_write=200_000),
    Usage(fresh=0, cache_write_1h=200_000),
    Usage(output=200_000),
)
MINE = ("mine/small", "go")


@pytest.mark.fault("provider", "absurd prompt counts are not learned")
def test_a_count_that_cannot_be_true_is_not_learned(record_property: Callable[[str, object], None]) -> None:
    for usage in ABSURD:
        paces = Paces()
        paces.learn(replace(COUNTED, usage=usage))
        assert paces.of(*MINE) is None, usage
        paces.learn(COUNTED)
        assert paces.of(*MINE) == 2.0, usage
    record_property("cases", len(ABSURD))


@pytest.mark.fault("provider", "the ledger sums no absurd prompt counts")
def test_the_ledger_keeps_no_count_that_cannot_be_true(
    ledger: Ledger, record_property: Callable[[str, object], None]
) -> None:
    for usage in ABSURD:
        ledger.add(replace(COUNTED, usage=usage))
    assert ledger.paces() == {}
    ledger.add(COUNTED)
    ledger.add(replace(COUNTED, usage=Usage(fresh=12_000)))  # Half a code point to a token, the densest.
    assert ledger.paces() == {MINE: (2 * CHARACTERS, 15_000)}
    record_property("cases", len(ABSURD))


@pytest.mark.fault("provider", "a ledger with absurd prompt counts heals")
def test_a_ledger_that_learned_absurd_counts_is_healed_when_it_is_opened(where: str, ledger: Ledger) -> None:
    for usage in (*ABSURD, COUNTED.usage, COUNTED.usage, None):
        ledger.add(replace(COUNTED, usage=usage))
    ledger.add(replace(COUNTED, characters=None))
    ledger.add(replace(COUNTED, estimated=True))
    ledger.add(replace(COUNTED, language="rust", usage=Usage(fresh=300_000)))

    def poison(connection: Connection) -> None:
        """Leave the sums as an older server wrote them."""
        connection.execute("DELETE FROM pace")
        add = "INSERT INTO pace (provider, model, language, characters, tokens) VALUES ('mine', 'small', ?, ?, ?)"
        connection.execute(add, ("go", 3 * CHARACTERS, 206_000))
        connection.execute(add, ("rust", CHARACTERS, 300_000))
        set_version = "UPDATE version SET number = 4" if where.startswith("postgres") else "PRAGMA user_version = 4"
        connection.execute(set_version)

    ledger._do("write", poison)
    ledger.close()
    healed = Ledger(where)
    assert healed.paces() == {MINE: (2 * CHARACTERS, 6000)}
    healed.close()


@pytest.mark.fault("provider", "a ledger with absurd prompt counts heals")
def test_sums_that_cannot_be_true_are_not_loaded(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    ledger.add(COUNTED)
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as connection:
        connection.execute("UPDATE pace SET tokens = 200000")
    connection.close()
    paces = Paces()
    paces.add(ledger.paces())
    assert paces.of(*MINE) is None
    assert paces.usual("go") == Paces().usual("go")
    ledger.close()
