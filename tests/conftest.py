"""The environment of every test: no key, no home folder, and no network but loopback."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attacks
import fault_table
import hypothesis
import lanes
import platformdirs
import pytest
import warm_server
from strategies import TALLY

import postgresql
from tuppence.ledger import Ledger
from tuppence.local import Embedded

# A shell that starts the tests in the background has them, and all that they start, ignore Ctrl-C: some press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A deadline for each example is a clock, and a busy machine would break it.
hypothesis.settings.register_profile("tuppence", deadline=None)
hypothesis.settings.load_profile("tuppence")

_TABLES = (attacks.table(), fault_table.table())
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


@pytest.fixture(autouse=True)
def _no_server_without_its_mark(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a test that is not marked ``process`` fail if it starts one: the fast lane leaves out those that are."""
    if request.node.get_closest_marker("process") is not None:
        return
    start = subprocess.Popen.__init__

    def guarded(self: subprocess.Popen[Any], args: Any, *rest: Any, **options: Any) -> None:
        if lanes.is_server(args):
            raise AssertionError(f"a test that is not marked `process` tried to start one: {args}")
        start(self, args, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", guarded)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that print the tables of attacks and of faults."""
    for table in _TABLES:
        words = f"print how many {table.marker}s were tried and held, by kind"
        parser.addoption(table.option, action="store_true", help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Count the attacks and the faults."""
    for table in _TABLES:
        config.pluginmanager.register(table, table.marker)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test that starts a server, and see that each test of the embedded model is in a file that has them."""
    for table in _TABLES:
        table.record(item)
    if lanes.starts_a_server(item):
        item.add_marker("process")
    needs_model = "home" in getattr(item, "fixturenames", ()) or item.get_closest_marker("model") is not None
    if needs_model and lanes.scope(item.nodeid) != "model":
        raise pytest.UsageError(f"{item.nodeid} needs the embedded model: name its file in tests/support/lanes.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each worker tests one by one, but for those that must not run side by side."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return lanes.scope(nodeid)

    return Scheduler(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what a worker started; hand the documents that it checked to the process that prints the summary."""
    warm_server.end()
    handed = getattr(session.config, "workeroutput", None)
    if handed is not None:
        handed["tally"] = (TALLY.checked, TALLY.damaged)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up the documents that the workers checked; a worker that died hands over none."""
    checked, damaged = getattr(node, "workeroutput", {}).get("tally", (0, 0))
    TALLY.checked += checked
    TALLY.damaged += damaged


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
