"""Entries that the ledger could not store are written in order once it is writable again."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from tests.ledger.test_reservations import NOON, claim, entry

import postgresql
from tuppence.cache import AnswerStore
from tuppence.config import load
from tuppence.credentials import Keys
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.engine.session import OwnModels, Session
from tuppence.ledger import Ledger
from tuppence.upstream import ModelClient
from tuppence.workspace import Workspace


async def nobody() -> tuple[()]:
    return ()


@pytest.fixture
def session(tmp_path: Path, where: str) -> Iterator[Session]:
    """Return a session on a ledger in either database."""
    opened = Session(
        config=load,
        keys=Keys({}, {}),
        upstream=ModelClient(),
        ledger_writer=LedgerWriter(Ledger(where), "mine", lambda: NOON),
        answer_store=AnswerStore(tmp_path / "answers.sqlite3"),
        workspace=Workspace([tmp_path]),
        own_models=OwnModels(find_servers=nobody, start_embedded=nobody),
        open_document=lambda _path: None,
        id="mine",
        now=lambda: NOON,
    )
    yield opened
    opened.ledger.close()
    opened.answer_store.close()


class Away:
    """Takes the ledger away from everybody, and gives it back."""

    def __init__(self, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._where = where
        self._patch = monkeypatch
        self._other: sqlite3.Connection | None = None

    def begin(self) -> None:
        """Lock the file, or let the server turn everybody away."""
        if not self._where.startswith("postgresql"):
            self._other = sqlite3.connect(self._where, isolation_level=None)
            self._other.execute("BEGIN IMMEDIATE")
            return
        self._patch.setattr("tuppence.ledger.postgres.REST", 0)
        with self._master() as master:
            master.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
            master.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'")

    def end(self) -> None:
        """Give it back."""
        if self._other is not None:
            self._other.close()
            return
        with self._master() as master:
            master.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS true")

    def _master(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._where.rpartition("/")[0] + "/template1", autocommit=True)


async def test_what_could_not_be_written_is_written_later(
    session: Session, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuppence.ledger.sqlite.WAIT", 0.05)
    monkeypatch.setattr("tuppence.engine.ledger_writer.RETRY", 3600)
    session.ledger.reserve(claim("a"))
    session.ledger.reserve(claim("b"))
    away = Away(where, monkeypatch)
    away.begin()
    try:
        session.ledger_writer.record(entry("0.001", run="a"), ("a",))
        session.ledger_writer.record(replace(entry("0.002", run="b"), at=NOON + timedelta(seconds=1)), ("b",))
        session.ledger_writer.outcome("b", "undone")
        await asyncio.wrap_future(session.ledger.queue(lambda: None))
        (told,) = session.ledger_writer.take_warnings()
        assert "could not be used" in told or told.startswith("Another program has the ledger ")
    finally:
        away.end()
    session.ledger_writer.record(entry("0.004", run="c"))
    await asyncio.wrap_future(session.ledger.queue(lambda: None))
    assert [(each.run, str(each.cost), each.outcome) for each in session.ledger.entries()] == [
        ("a", "0.001", "kept"), ("b", "0.002", "undone"), ("c", "0.004", "kept")
    ]  # fmt: skip
    assert str(session.ledger.spent("mine", "", NOON).day) == "0.007", "and nothing is reserved any more"
    assert session.ledger_writer.take_warnings() == ()


async def test_leaving_tries_once_more(session: Session, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuppence.ledger.sqlite.WAIT", 0.05)
    monkeypatch.setattr("tuppence.engine.ledger_writer.RETRY", 3600)
    session.ledger.reserve(claim("a"))
    away = Away(where, monkeypatch)
    away.begin()
    try:
        session.ledger_writer.record(entry("0.001", run="a"), ("a",))
        await asyncio.wrap_future(session.ledger.queue(lambda: None))
    finally:
        away.end()
    assert session.ledger.entries() == ()
    await session.close()
    await asyncio.wrap_future(session.ledger.queue(lambda: None))
    assert [each.run for each in session.ledger.entries()] == ["a"]


def test_the_databases_are_told_apart(where: str) -> None:
    assert where.startswith("postgresql") is (postgresql.USER in where)
