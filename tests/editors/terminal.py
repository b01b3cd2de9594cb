"""A real terminal for a real editor: tmux, driven by keys and read as a screen.

Nothing here sleeps for a fixed time: ``until`` waits for a condition, and says what it waited for when it never came.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

_CONFIGURATION = """
set -s escape-time 0
set -g default-terminal "tmux-256color"
set -g remain-on-exit on
set -g status off
"""
_THEME = TerminalTheme(
    (20, 22, 27),
    (224, 226, 234),
    [(7, 8, 13), (255, 192, 185), (179, 246, 192), (252, 224, 148), (166, 219, 255), (255, 202, 255), (140, 248, 247),
     (224, 226, 234)],
)  # fmt: skip
"""Neovim's own dark colours."""
SIZE = (180, 40)
"""Columns and rows: wide enough that no message with a path in it asks for a key press."""
_POLL = 0.02
WAIT = 45.0
"""Seconds in which everything is to have happened that a person would wait for, on a slow and busy machine too."""
T = TypeVar("T")


def until(condition: Callable[[], T | None], what: str, seconds: float = WAIT) -> T:
    """Return the condition's value as soon as it is true; ``what`` names it where it never becomes true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(_POLL)
    return found


class Terminal:
    """One program in a terminal of its own."""

    def __init__(self, where: Path, environment: Mapping[str, str], *, size: tuple[int, int] = SIZE) -> None:
        self._where = where
        self._environment = environment
        self._size = size
        # A socket's path may have some hundred characters at most, which pytest's own folders pass.
        self.folder = Path(tempfile.mkdtemp(prefix="tuppence-"))
        """A folder with a short path, for sockets."""

    def start(self, command: Sequence[str]) -> None:
        """Start the program."""
        configuration = self.folder / "tmux.conf"
        configuration.write_text(_CONFIGURATION)
        width, height = self._size
        self._tmux("-f", str(configuration), "new-session", "-d", "-x", f"{width}", "-y", f"{height}",
                   "-c", str(self._where), "--", *command)  # fmt: skip

    def close(self) -> None:
        """End the program, whatever it is doing."""
        self._tmux("kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: ``Escape``, ``Enter``, ``C-x``."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._tmux("send-keys", "-l", "--", text)

    def screen(self) -> str:
        """Return what the screen shows."""
        return self._tmux("capture-pane", "-p")

    def picture(self, path: Path, title: str) -> None:
        """Draw the screen, with its colours, as an SVG file that fetches nothing."""
        text = Text.from_ansi(self._tmux("capture-pane", "-p", "-e"))
        console = Console(record=True, width=self._size[0], file=io.StringIO(), color_system="truecolor")
        console.print(text, soft_wrap=True)
        form = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
        path.write_text(console.export_svg(title=title, theme=_THEME, code_format=form), encoding="utf-8")

    def shows(self, text: str, seconds: float = WAIT) -> str:
        """Wait until the screen shows a text, and return the screen."""
        last = ""

        def there() -> bool:
            nonlocal last
            last = self.screen()
            return text in last

        try:
            until(there, f"{text!r} on the screen", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen was:\n{last}") from None
        return last

    def pid(self) -> int:
        """Return the program's process."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", str(self.folder / "tmux.sock"), *words]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=WAIT,
            env={**self._environment, "TERM": "xterm"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
