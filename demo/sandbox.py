"""Where the demo plays: a copy of the example project, and a home that holds nothing of yours but the weights.

The server is given only those variables of the environment that say how to run a program, so that no key, proxy or
configuration reaches it, whatever its name. The weights are linked in, since they are 94 MB; everything that is written
(accounts, kept answers, explanations, the model server's log) goes with the folder at the end.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tuppence.local import Embedded

PROJECT = Path(__file__).parent / "project"
PASSED = (
    "PATH", "LANG", "LANGUAGE", "LC_", "TZ", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES",
    "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONUTF8", "PYTHONIOENCODING",
)  # fmt: skip
"""Variables that say how to run a program; ``LC_`` stands for all that begin so."""
PATIENCE = 10.0
"""Seconds that the model's server may take to see that its last client has gone; it looks every other second."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The place."""

    root: Path
    """The copy of the project."""
    closed: bool
    """Whether the server is cut off from the user's keys, configuration and accounts."""


@contextmanager
def sandbox(temporary: Path) -> Iterator[Sandbox]:
    """Set this process, and so all that it starts, into a home of its own; end the model's server with the block."""
    weights = platformdirs.user_data_path("tuppence", appauthor=False) / "models"
    mine = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment(mine, temporary / "home"))
    try:
        link(weights, platformdirs.user_data_path("tuppence", appauthor=False) / "models")
        yield Sandbox(copy(temporary), closed=True)
    finally:
        until_gone()
        os.environ.clear()
        os.environ.update(mine)


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a temporary folder, and remove it even where a process still writes into it."""
    path = Path(tempfile.mkdtemp(prefix="tuppence-demo-")).resolve()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def environment(mine: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of a server that is to find no key, proxy, configuration or accounts of the user's."""
    passed = {name: text for name, text in mine.items() if name in PASSED or name.startswith("LC_")}
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    # A desktop's keyring is reached by its socket, whatever the home; this backend holds nothing.
    return passed | folders | {"HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


def copy(temporary: Path) -> Path:
    """Copy the example project, so that the checkout stays as it is."""
    root = temporary / PROJECT.name
    shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return root


def link(weights: Path, into: Path) -> None:
    """Let the weights be found in the sandbox's home."""
    into.parent.mkdir(parents=True, exist_ok=True)
    into.symlink_to(weights, target_is_directory=True)


def until_gone() -> None:
    """Wait for the model's server to end with its last client, and end it where it does not."""
    embedded = Embedded()
    deadline = time.monotonic() + PATIENCE
    while embedded.running() is not None:
        if time.monotonic() > deadline:
            embedded.stop()
            return
        time.sleep(0.1)
