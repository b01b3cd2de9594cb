"""A real terminal for a real editor: tmux, driven by keys and read as a screen.

Nothing here sleeps for a fixed time: ``until`` waits for a condition, and says what it waited for when it never came.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

_CONFIGURATION = """
set -s escape-time 0
set -g default-terminal "tmux-256color"
set -g remain-on-exit on
set -g status off
"""
_POLL = 0.02
T = TypeVar("T")


def until(condition: Callable[[], T], what: str, seconds: float = 15.0) -> T:
    """Return the condition's value as soon as it is true; ``what`` names it where it never becomes true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(_POLL)
    return found


class Terminal:
    """One program in a terminal of its own."""

    def __init__(self, where: Path, environment: Mapping[str, str], *, size: tuple[int, int] = (180, 40)) -> None:
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

    def painted(self) -> str:
        """Return what the screen shows, with its colours as escape sequences."""
        return self._tmux("capture-pane", "-p", "-e")

    def shows(self, text: str, seconds: float = 15.0) -> str:
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
            command, check=False, capture_output=True, text=True, timeout=20, env={**self._environment, "TERM": "xterm"}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
