"""Real editors: which ones, what each test of them stands on, and the count of documents at the end.

Each test gets an editor of its own, started with the configuration that the README shows, a home of its own and a
scripted model server.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripted_provider import in_thread
from server import CONFIG
from tests.editors.emacs import Emacs
from tests.editors.helix import Helix
from tests.editors.neovim import Neovim
from tests.editors.session import SNIPPETS, Bench, Session, program
from tests.editors.tally import TALLY, Tally

LONG = bool(os.environ.get("TUPPENCE_EDITORS_LONG"))
"""Whether the long mode was asked for, with the newest Neovim and Helix."""


def _neovim(name: str, snippet: str) -> Callable[[Bench], Session]:
    return lambda bench: Neovim(program(name), (SNIPPETS / snippet).read_text(), bench)


PLAIN: dict[str, Callable[[Bench], Session]] = {
    "neovim-0.7": _neovim("nvim", "neovim-0.7.lua"),
    "neovim-0.10": _neovim("nvim-0.10", "neovim-0.8.lua"),
    **({"neovim-0.12": _neovim("nvim-0.12", "neovim-0.11.lua")} if LONG else {}),
    "helix": Helix,
    **({"helix-25.07": lambda bench: Helix(bench, "hx-25.07")} if LONG else {}),
    "emacs": Emacs,
}
"""Editors without a client of ours."""

CLIENTS = {
    "neovim-0.7": "nvim",
    "neovim-0.10": "nvim-0.10",
    **({"neovim-0.12": "nvim-0.12"} if LONG else {}),
}
"""Programs that our own client is tested in."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("editors")


@pytest.fixture
def tally() -> Tally:
    """Return the count of all tests together."""
    return TALLY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the count."""
    if TALLY.checked:
        terminalreporter.write_line(f"Documents checked in real editors: {TALLY.checked}, damaged: {TALLY.damaged}")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a project with a model server."""
    root, home = tmp_path / "project", tmp_path / "home"
    (root / ".git").mkdir(parents=True)
    home.mkdir(exist_ok=True)
    with in_thread() as upstream:
        bench = Bench(root, home, upstream)
        bench.configure("tuppence", "config.toml", CONFIG.format(wire="openai", base=upstream.openai))
        yield bench


@pytest.fixture(params=PLAIN)
def plain(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Session]:
    """Return a session of each editor without a client of ours."""
    session = PLAIN[request.param](bench)
    try:
        yield session
    finally:
        end(session)


def end(session: Session) -> None:
    """Close a session; pytest shows what it showed last where its test failed."""
    print(session.terminal.screen())
    with contextlib.suppress(OSError, AssertionError):
        print(session.told())
    session.close()
