"""What every test stands on: no key, no home, and no way out but loopback."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from strategies import TALLY

import postgresql
from tuppence.ledger import Ledger
from tuppence.local import Embedded

# A shell that starts the tests in the background has them, and all that they start, ignore Ctrl-C: some press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a home of its own, and no key of the person who runs it."""
    import os

    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_PROXY", "_proxy")) or "TUPPENCE" in name]:
        monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name.lower()))


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a connection to anywhere but loopback fail: no test can spend money."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(_LOOPBACK):
            raise AssertionError(f"a test tried to leave loopback: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many documents the properties of the edit engine were tried on."""
    if TALLY.checked:
        terminalreporter.write_line(f"Documents checked in the edit engine: {TALLY.checked}, damaged: {TALLY.damaged}")


@pytest.fixture(scope="session")
def home() -> Path:
    """Install the embedded model into the user's own data folder: it is downloaded once, not for each run."""
    folder = platformdirs.user_data_path("tuppence", appauthor=False)
    said: list[str] = []
    Embedded(folder).install(said.append)
    assert "weights" in said[-1] or "Installed" in said[-1]
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server for the tests that need one and give its address."""
    if postgresql.binaries() is None:
        pytest.skip("PostgreSQL is not installed: tests/postgresql/set-up.sh")
    with postgresql.serving() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Say where a new ledger is to be, in either database."""
    if request.param == "sqlite":
        return str(tmp_path / "data" / "ledger.sqlite3")
    return postgresql.emptied(request.getfixturevalue("postgres"))


@pytest.fixture
def ledger(where: str) -> Iterator[Ledger]:
    """Open a new ledger, in either database."""
    opened = Ledger(where)
    yield opened
    opened.close()
