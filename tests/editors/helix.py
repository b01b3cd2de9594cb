"""A real Helix in a terminal: keys and the screen are all there is; its text is read from the file that it writes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

from tests.editors.session import SNIPPETS, Bench, program
from tests.editors.terminal import Terminal, until

_VERBS = r"(Stop:|Fix|Explain|Generate|Review|Again|Ask again|Apply:|Dismiss:|Clear|Put back)"


class Helix:
    """One session."""

    def __init__(self, bench: Bench, name: str = "hx") -> None:
        # Its own habit of ending a saved file with a newline would hide whether we changed the end.
        own = "[editor]\ninsert-final-newline = false\n"
        bench.configure("helix", "config.toml", own + (SNIPPETS / "helix-config.toml").read_text())
        bench.configure("helix", "languages.toml", (SNIPPETS / "helix-languages.toml").read_text())
        self.terminal = Terminal(bench.root, bench.environment)
        self._log = self.terminal.folder / "helix.log"
        self.terminal.start([program(name), "-vvv", "--log", str(self._log)])
        self.terminal.shows("NOR")
        self._path = bench.root

    def close(self) -> None:
        """End the session."""
        self.terminal.close()

    def visit(self, path: Path) -> None:
        """See ``Session``."""
        self._path = path
        self._focus()
        until(lambda: '"method":"textDocument/didOpen"' in self._said() and path.name in self._said(), "didOpen")

    def command(self, line: str) -> None:
        """Type a command line."""
        self.terminal.type(f":{line}")
        self.terminal.keys("Enter")

    def pick(self, line: int, title: str) -> None:
        """See ``Session``."""
        rows = self._open(line, title)
        at = next(number for number, row in enumerate(rows) if row.startswith(title))
        self.terminal.keys(*["Down"] * at, "Enter")

    def offered(self, line: int) -> str:
        """See ``Session``."""
        rows = self._open(line, "Explain")
        self.terminal.keys("Escape")
        until(lambda: " Explain" not in self.terminal.screen(), "the menu to close")
        return "\n".join(rows)

    def hover(self, line: int) -> None:
        """See ``Session``."""
        self.command(f"{line}")
        self.terminal.type("w k")

    def insert(self, line: int, text: str) -> None:
        """See ``Session``."""
        self.command(f"{line}")
        self.terminal.type(f"O{text}")
        self._normal()

    def amend(self, line: int, text: str) -> None:
        """See ``Session``."""
        self.command(f"{line}")
        self.terminal.type(f"A{text}")
        self._normal()

    def save(self) -> None:
        """See ``Session``."""
        self.text()

    def undo(self) -> None:
        """See ``Session``."""
        self.terminal.type("u")

    def text(self) -> str:
        """See ``Session``."""
        before = self._written()
        until(lambda: self._saves(before), "the file to be saved")
        return until(self._whole, "the file to be whole").decode()

    def told(self) -> str:
        """See ``Session``."""
        return "\n".join(re.findall(r'"message": "(.*?)"\}, "method": "window/showMessage"', self._said()))

    def marks(self, line: int) -> str:
        """See ``Session``."""
        self.command(f"{line}")
        self.terminal.type("gs")
        return self.terminal.screen()

    def agree(self) -> None:
        """See ``Session``."""

    def deaf(self, until: Callable[[], object], line: int, text: str) -> None:
        """See ``Session``."""
        tmux = self.terminal.pid()
        os.kill(tmux, signal.SIGSTOP)
        try:
            self.insert(line, text)
            until()
        finally:
            os.kill(tmux, signal.SIGCONT)

    def _saves(self, before: int | None) -> bool:
        """Save the file and report whether it was: a file that Helix opens meanwhile takes what is typed."""
        self._focus()
        self.command("write")
        with contextlib.suppress(AssertionError):
            until(lambda: self._written() not in (before, None), "the file to be saved", 2)
            return True
        return False

    def _whole(self) -> bytes | None:
        """Return what was saved once it is as long as Helix says: it moves the old file away before it writes anew."""
        said = re.search(r"' written, \d+L (\d+)B", self.terminal.screen())
        with contextlib.suppress(FileNotFoundError):
            saved = self._path.read_bytes()
            return saved if said and len(saved) == int(said[1]) else None
        return None

    def _focus(self) -> None:
        """Go to the visited file, which an explanation or a new file may have hidden."""
        if self._focused() != self._path.name:
            self.command(f"open {self._path}")
            until(lambda: self._focused() == self._path.name, f"{self._path.name} to be shown")

    def _focused(self) -> str:
        """Return the name of the file that has the cursor: its status line alone shows the mode."""
        found = re.search(r"(?:NOR|INS) +(?:[^\w\s/.] +)?(\S+)", self.terminal.screen())
        return Path(found[1]).name if found else ""

    def _normal(self) -> None:
        """Go back to normal mode, and wait for it: an escape and the next key in one breath are another key."""
        self.terminal.shows("INS")
        self.terminal.keys("Escape")
        self.terminal.shows("NOR")

    def _open(self, line: int, title: str) -> list[str]:
        """Open the menu on a line and return its rows once it shows a title."""
        self.command(f"{line}")
        self.terminal.type(" a")
        screen = self.terminal.shows(f" {title}").splitlines()
        row, column = next((at, text.index(f" {title}") + 1) for at, text in enumerate(screen) if f" {title}" in text)
        while re.match(_VERBS, screen[row - 1][column:]):
            row -= 1
        rows = [text[column:].strip() for text in screen[row:]]
        return [text for text in rows if re.match(_VERBS, text)]

    def _written(self) -> int | None:
        """Return when the file was written; None while it is being replaced."""
        with contextlib.suppress(FileNotFoundError):
            return self._path.stat().st_mtime_ns
        return None

    def _said(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""
