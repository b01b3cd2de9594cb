"""What every editor's driver can do, so that one test runs in all of them.

A driver presses the keys that a person presses. It may ask the editor what it holds, but it changes nothing behind
the editor's back.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from scripted_provider import ScriptedUpstream
from server import environment
from tests.editors.terminal import Terminal, until

from tuppence.core.billing.entry import Entry
from tuppence.ledger import Ledger

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_PLACE = Path(os.environ.get("TUPPENCE_EDITORS") or _CACHE / "tuppence-editors")
"""Where set-up.sh puts what is not the system's; read before any test gets a home of its own."""
SNIPPETS = Path(__file__).parent / "snippets"


class Session(Protocol):
    """One running editor with the server attached."""

    terminal: Terminal

    def visit(self, path: Path) -> None:
        """Open a file and wait until the server has it."""
        ...

    def pick(self, line: int, title: str) -> None:
        """Put the cursor on a line, open the code-action menu and choose the entry that starts so."""
        ...

    def offered(self, line: int) -> str:
        """Return what the menu shows on a line, and close it."""
        ...

    def hover(self, line: int) -> None:
        """Ask for the hover of the name that is defined on a line."""
        ...

    def insert(self, line: int, text: str) -> None:
        """Type a line of text above a line."""
        ...

    def amend(self, line: int, text: str) -> None:
        """Type at the end of a line."""
        ...

    def save(self) -> None:
        """Save the file."""
        ...

    def undo(self) -> None:
        """Press undo once."""
        ...

    def text(self) -> str:
        """Return the text of the file as it would be saved."""
        ...

    def told(self) -> str:
        """Return everything that was said to the person so far, as far as the editor keeps it."""
        ...

    def marks(self, line: int) -> str:
        """Return what the diagnostics on a line say."""
        ...

    def agree(self) -> None:
        """Answer yes where the editor asks its user about an edit; nothing where it does not ask."""
        ...

    def deaf(self, until: Callable[[], object], line: int, text: str) -> None:
        """Hear nothing of the server until a condition is true; then insert a line before listening again."""
        ...

    def close(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True)
class Bench:
    """A project, a home with a configuration, and the model server that it names."""

    root: Path
    """The project's folder."""
    home: Path
    upstream: ScriptedUpstream
    keys: Mapping[str, str] = field(default_factory=dict)
    """Environment variables with the providers' keys."""

    @property
    def environment(self) -> dict[str, str]:
        """What an editor is started with: ``tuppence`` is on its path."""
        kept = environment(self.home)
        path = f"{Path(sys.executable).parent}:{kept['PATH']}"
        return {**kept, **self.keys, "PATH": path, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.write_bytes(text.encode())
        return path

    def configure(self, folder: str, name: str, text: str) -> Path:
        """Write a file of the user's configuration."""
        path = self.home / "config" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def entries(self) -> tuple[Entry, ...]:
        """Return the ledger's entries."""
        path = self.home / "data" / "tuppence" / "ledger.sqlite3"
        if not path.exists():
            return ()
        ledger = Ledger(path)
        try:
            return ledger.entries()
        finally:
            ledger.close()

    def settled(self, count: int) -> tuple[Entry, ...]:
        """Return the ledger's entries once there are so many: they are written beside what the editor shows."""
        until(lambda: len(self.entries()) >= count, f"{count} entries in the ledger")
        return self.entries()


def program(name: str) -> str:
    """Return where an editor is: the set-up's own copy, or the system's."""
    own = _PLACE / "terminal" / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    assert found, f"{name} is missing: run tests/editors/set-up.sh"
    return found
