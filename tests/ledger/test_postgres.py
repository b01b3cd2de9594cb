"""A team's ledger in PostgreSQL: a newer version's tables, a connection that is lost amid work, a missing driver."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import psycopg
import pytest
from tests.ledger.test_reservations import entry

import postgresql
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger
from tuppence.ledger.postgres import Postgres
from tuppence.ledger.schema import MIGRATIONS, Connection

NEWER = len(MIGRATIONS) + 1


@pytest.fixture
def where(postgres: str) -> str:
    return postgresql.emptied(postgres)


@pytest.fixture
def ledger(where: str) -> Iterator[Ledger]:
    opened = Ledger(where)
    yield opened
    opened.close()


def test_the_tables_of_a_newer_version_are_left_alone(where: str, ledger: Ledger) -> None:
    ledger.add(entry("0.5"))
    ledger.close()
    with psycopg.connect(where, autocommit=True) as other:
        other.execute("UPDATE tuppence.version SET number = %s", (NEWER,))
        for _ in range(2):
            with pytest.raises(TuppenceError, match=r"^A newer tuppence wrote the ledger .*nothing was changed"):
                ledger.add(entry("0.25"))
        assert isinstance(ledger._engine, Postgres)
        assert ledger._engine._connection is None, "no connection is left open"
        assert other.execute("SELECT number FROM tuppence.version").fetchall() == [(NEWER,)]
        other.execute("UPDATE tuppence.version SET number = %s", (NEWER - 1,))
    assert len(ledger.entries()) == 1


def test_a_connection_that_is_lost_amid_work_is_a_sentence_and_the_work_was_not_done(
    where: str, ledger: Ledger
) -> None:
    ledger.add(entry("0.5"))

    def lose(connection: Connection) -> None:
        connection.execute("UPDATE request SET run = 'changed'")
        with psycopg.connect(where, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tuppence'")
        connection.execute("SELECT 1")

    with pytest.raises(TuppenceError, match=r"^The ledger postgresql://\S+ could not be used: .*Check the address"):
        ledger._do("write", lose)
    assert [each.run for each in ledger.entries()] == ["run"]


def test_without_its_driver_the_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("psycopg", "psycopg.conninfo"):
        monkeypatch.setitem(sys.modules, name, None)
    ledger = Ledger("postgresql://me@127.0.0.1:1/accounts")
    with pytest.raises(TuppenceError, match=r"psycopg is not installed\. Run pip install 'tuppence\[postgres\]'"):
        ledger.add(entry())
    monkeypatch.undo()
    ledger.close()
