"""The location of a mistake in a TOML file, and the probable intention.

``tomllib`` returns values without their lines. So the text of a valid file is scanned again, only for the positions of
its keys, and only if there is a mistake. A file that is not TOML is not handled here, and values are checked in
config/readers.py.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from tuppence.config.pasted_keys import without_keys, without_logins
from tuppence.core.text.document import line_starts
from tuppence.core.text.shown_text import quoted, short, shown
from tuppence.errors import Mistake

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_NAMED = 80
"""Maximum number of code points of a name that a sentence shows."""
_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_SCALAR = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'  # A closing run of four or five quotes ends with one or two quotes of the text itself.
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*"  # Date and time may be separated by a space.
    r"|[^\s,\]}#]+",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_LETTERS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


MOST = 200
"""Maximum number of mistakes listed for one file."""


class Bad(Exception):
    """A value is invalid; the code that raises this has reported why."""


@dataclass(slots=True)
class Lines:
    """The line of every key in a TOML text, from 1."""

    text: str
    found: dict[Path, int] = field(default_factory=dict)
    _at: int = 0
    _starts: tuple[int, ...] = ()
    _arrays: dict[Path, int] = field(default_factory=dict)
    """Each array of tables found so far, with the index of its last table."""

    def __post_init__(self) -> None:
        self._starts = line_starts(self.text)
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def of(self, path: Path) -> int:
        """Return the line of a key; without one, that of the nearest table around it, else 0."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.found:
                return self.found[path[:length]]
        return 0

    def _header(self) -> Path:
        line, double = self._line(), self.text.startswith("[[", self._at)
        self._at += 2 if double else 1
        keys = self._keys()
        self._at += 2 if double else 1
        path: Path = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            if double and number == len(keys) - 1:
                self.found.setdefault(path, line)
                self._arrays[path] = self._arrays.get(path, -1) + 1
            if path in self._arrays:
                path = (*path, self._arrays[path])
            self.found.setdefault(path, line)
        return path

    def _pair(self, table: Path) -> None:
        line, path = self._line(), table
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, line)
        self._at += 1
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            found = _KEY.match(self.text, self._at)
            if found is None:  # This happens only for invalid TOML; the rest then has no lines.
                self._at = len(self.text)
                return keys
            keys.append(_unquoted(found.group()))
            self._at = found.end()
            if not self.text.startswith(".", self._skip(_SPACE)):
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        opening = self.text[self._at : self._at + 1]
        if opening not in ("{", "["):
            self._skip(_SCALAR)
            return
        self._at += 1
        closing, number = {"{": "}", "[": "]"}[opening], 0
        while self._skip(_BLANK) < len(self.text) and self.text[self._at] != closing:
            if self.text[self._at] == ",":
                self._at += 1
            elif opening == "{":
                self._pair(path)
            else:
                self.found.setdefault((*path, number), self._line())
                self._value((*path, number))
                number += 1
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self._at)
        self._at = found.end() if found else len(self.text)
        return self._at

    def _line(self) -> int:
        return bisect_right(self._starts, self._at)


@dataclass
class MistakeReport:
    """All mistakes in one file."""

    text: str = ""
    mistakes: list[Mistake] = field(default_factory=list)
    count: int = 0
    """Number of mistakes, including those that are not listed."""
    settings: Collection[str] = ()
    """The keys that belong above the first table: one inside a table is reported as such."""

    @property
    def is_full(self) -> bool:
        """Whether the list of mistakes has reached its maximum."""
        return self.count > MOST

    @cached_property
    def lines(self) -> Lines:
        """The lines of the file's keys, determined at the first mistake."""
        return Lines(self.text)


@dataclass(frozen=True, slots=True)
class TomlLocation:
    """A key in a file, and the report for its mistakes."""

    report: MistakeReport
    path: Path = ()

    @property
    def name(self) -> str:
        """The key's name for a sentence: dotted, without indexes of rows."""
        dotted = ".".join(part for part in self.path if isinstance(part, str) and part != "models")
        return short(dotted, _NAMED).replace('"', "'") or "models"

    def key(self, *parts: str | int) -> TomlLocation:
        """Return the location of a key inside this one."""
        return TomlLocation(self.report, (*self.path, *parts))

    def wrong(self, what: str, remedy: str = "") -> Bad:
        """Report a mistake, and return the exception to raise."""
        self.report.count += 1
        if not self.report.is_full:
            said = (shown(without_keys(each)) for each in (without_logins(what), remedy))
            self.report.mistakes.append(Mistake(self.report.lines.of(self.path), *said))
        elif self.report.count == MOST + 1:
            self.report.mistakes.append(
                Mistake(self.report.lines.of(self.path), "There are more mistakes.", "Correct these first.")
            )
        return Bad()

    def unknown(self, known: Iterable[str], kind: str = "key") -> Bad:
        """Report an unknown key, and suggest the most similar known one."""
        return self.wrong(f'Unknown {kind} "{self.name}".', self._meant(str(self.path[-1]), known))

    def nothing(self, kind: str, name: str, known: Iterable[str]) -> Bad:
        """Report an unknown name as the value of this key, and suggest the most similar known one."""
        return self.wrong(f"There is no {kind} {quoted(name, _NAMED)}.", self._meant(name, known))

    def _meant(self, name: str, known: Iterable[str]) -> str:
        if self.report.is_full:
            return ""
        near = nearest(name, known)
        return f'Did you mean "{near}"?' if near else f"Write one of: {', '.join(known)}."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None."""
    from difflib import get_close_matches

    folded = {each.casefold(): each for each in known}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def _unquoted(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    return _ESCAPE.sub(_letter, key[1:-1]) if key.startswith('"') else key


def _letter(found: re.Match[str]) -> str:
    short, long, letter = found.groups()
    return chr(int(short or long, 16)) if short or long else _LETTERS.get(letter, letter)
