"""The demo on paper: what a person would see in an editor, as lines of text, coloured where a terminal shows colours.

Nothing here knows what the lines mean, and nothing waits for a person.
"""

from __future__ import annotations

import difflib
import textwrap
import time
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

LABEL = 9
"""Columns that a line's label takes."""
WIDEST = 110
"""Columns beyond which a line of prose is hard to read."""
_COLOURS = (("+++", "bold"), ("---", "bold"), ("+", "green"), ("-", "red"), ("@", "cyan"))


class Page:
    """Prints one line after the other."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._width = min(WIDEST, self._console.width)
        self._rule = "━" if self._console.encoding.startswith("utf") else "="
        self._streaming = False
        self._waiting: list[Text] = []
        self._began = time.monotonic()

    def title(self, text: str, about: str = "") -> None:
        """Begin a part."""
        self.say("")
        self.say(f"{self._rule * 2} {text} ".ljust(self._width, self._rule), "bold")
        for line in textwrap.wrap(about, self._width):
            self.say(line)
        self._began = time.monotonic()

    def say(self, text: str, style: str = "") -> None:
        """Print one line as it is."""
        self._end_stream()
        self._console.print(Text(text, style), soft_wrap=True)

    def row(self, label: str, text: str, style: str = "") -> None:
        """Print a text with a label before it; its further lines are below its first."""
        self._end_stream()
        for line in self._rows(label, text, style):
            self._console.print(line, soft_wrap=True)

    def note(self, label: str, text: str, style: str = "") -> None:
        """Print a text as ``row`` does, after an answer that is being printed: it may come late."""
        self._waiting += self._rows(label, text, style)
        if not self._streaming:
            self._end_stream()

    def tick(self, text: str) -> None:
        """Print what is going on, with the seconds since the part began; it does not break into an answer."""
        self._waiting.append(Text(f"{time.monotonic() - self._began:7.1f} s {text}", "dim"))
        if not self._streaming:
            self._end_stream()

    def stream(self, piece: str) -> None:
        """Print a piece of an answer right behind the piece before."""
        self._streaming = bool(piece) or self._streaming
        self._console.print(Text(piece, "cyan"), end="", soft_wrap=True)

    def diff(self, name: str, before: str, after: str) -> None:
        """Print what changed in a file, nothing where nothing did."""
        old, new = before.splitlines(), after.splitlines()
        source = f"a/{name}" if before else "/dev/null"
        for line in difflib.unified_diff(old, new, source, f"b/{name}", lineterm="", n=2):
            self.say(f"  {line}".rstrip(), next((colour for start, colour in _COLOURS if line.startswith(start)), ""))

    def changes(self, label: str, old: Sequence[str], new: Sequence[str]) -> None:
        """Print the lines that go and those that come, with a label before the first."""
        shown = [line for line in difflib.ndiff(old, new) if line.startswith(("+", "-"))]
        for number, line in enumerate(shown):
            self.row("" if number else label, line, "green" if line.startswith("+") else "red")

    def menu(self, titles: Sequence[str], picked: str) -> None:
        """Print a menu with the entry that is picked."""
        for number, title in enumerate(titles):
            mark, style = (">", "bold") if title == picked else (" ", "")
            self._end_stream()
            self._console.print(_labelled("" if number else "Menu", f"{mark} {title}", style), soft_wrap=True)

    def _rows(self, label: str, text: str, style: str) -> list[Text]:
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, self._width - LABEL - 1) or [""]]
        return [_labelled("" if number else label, line, style) for number, line in enumerate(lines)]

    def _end_stream(self) -> None:
        if self._streaming:
            self._console.print()
        self._streaming = False
        for line in self._waiting:
            self._console.print(line, soft_wrap=True)
        self._waiting.clear()


def _labelled(label: str, line: str, style: str) -> Text:
    return Text.assemble((f"{label:<{LABEL}} ", "dim"), (line, style))
