"""The demo on paper: what a person would see in an editor, as lines of text; coloured where a terminal shows them.

Nothing here knows what the lines mean, and nothing waits for a person.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

LABEL = 9
"""Columns that a line's label takes."""
_COLOURS = (("+++", "bold"), ("---", "bold"), ("+", "green"), ("-", "red"), ("@", "cyan"))


class Page:
    """Prints one line after the other."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._open = False
        self._began = time.monotonic()

    def title(self, text: str) -> None:
        """Begin a part."""
        self._close()
        self._console.print()
        self._console.rule(Text(text, "bold"), align="left", style="dim")
        self._began = time.monotonic()

    def say(self, text: str, style: str = "") -> None:
        """Print a line of prose."""
        self._close()
        self._console.print(text, style=style or None, soft_wrap=not self._console.is_terminal)

    def row(self, label: str, text: str, style: str = "") -> None:
        """Print a line with a label before it; the text's further lines stand below its first."""
        self._close()
        table = Table.grid(padding=(0, 1))
        table.add_column(width=LABEL, no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row(Text(label, "dim"), Text(text, style))
        self._console.print(table)

    def tick(self, text: str) -> None:
        """Print what is going on, with the seconds since the part began."""
        self.row(f"{time.monotonic() - self._began:7.1f} s", text, "dim")

    def stream(self, piece: str) -> None:
        """Print a piece of an answer right behind the piece before."""
        self._open = True
        self._console.print(piece, style="cyan", end="", soft_wrap=True)

    def diff(self, name: str, before: str, after: str) -> None:
        """Print what changed in a file."""
        self._close()
        old, new = before.splitlines(), after.splitlines()
        lines = list(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="", n=2))
        for line in lines:
            style = next((colour for start, colour in _COLOURS if line.startswith(start)), "")
            self._console.print(Text(f"  {line}", style), soft_wrap=True)

    def menu(self, titles: Sequence[str], picked: str) -> None:
        """Print a menu with the entry that is picked."""
        for number, title in enumerate(titles):
            chosen = title == picked
            self.row("" if number else "Menu", f"{'>' if chosen else ' '} {title}", "bold" if chosen else "")

    def _close(self) -> None:
        if self._open:
            self._console.print()
        self._open = False
