"""Read findings in JSON, each as soon as its object is closed, anywhere in the reply."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tuppence.core.answer.review.finding_forms import data_field, line_numbers

_DEEPEST = 5
"""Maximum number of brackets around an object that is read; a deeper object is not a finding."""
_LARGEST = 20_000
"""Maximum number of characters of an object that is read."""
_TOKEN = re.compile(r'"|\\.|[{}\[\]]')
_OPENS = re.compile(r"\s*(?:\{\s*(?:[\"']|\}|$)|\[\s*(?:\{|\]|$))")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_PLAIN_NUMBERS = re.compile(r"\s*L?(\d{1,6})(?:\s*[-~:,\u2013\u2014]\s*L?(\d{1,6}))?\s*", re.IGNORECASE)


@dataclass(slots=True)
class DataFinding:
    """The content of one object, before it is placed in the document."""

    severity: str = ""
    ranges: list[tuple[int, int]] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)
    message: str = ""
    fix: str = ""


def opens_json(line: str) -> bool:
    """Report whether a line may be the first line of JSON with objects."""
    return _OPENS.match(line) is not None


class JsonObjects:
    """Takes the lines of a JSON text; returns the findings in its objects."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        """All lines so far, to be read in another way if they turn out not to be JSON."""
        self.is_done = False
        """Whether the outermost bracket is closed."""
        self.is_understood = False
        """Whether the JSON contained a finding or was empty, and so was a review."""
        self._opened: list[tuple[int, int]] = []
        """Line and column of each open bracket."""
        self._in_string = False

    def feed(self, line: str) -> list[DataFinding]:
        """Take the next line; return the findings whose objects it closes."""
        self.lines.append(line)
        row = len(self.lines) - 1
        found: list[DataFinding] = []
        for token in _TOKEN.finditer(line):
            mark = token.group()
            if mark == '"':
                self._in_string = not self._in_string
            elif self._in_string or mark[0] == "\\" or self.is_done:
                continue
            elif mark in "{[":
                self._opened.append((row, token.start()))
            elif self._opened:
                start = self._opened.pop()
                if mark == "}" and len(self._opened) < _DEEPEST:
                    found += self._read(start, token.end())
                if not self._opened:
                    self.is_done = True
                    self.is_understood = self.is_understood or not self._between((0, 0), token.end()).strip("[]{} \t\n")
        return found

    def _read(self, start: tuple[int, int], end: int) -> list[DataFinding]:
        text = self._between(start, end)
        value = _loaded(text) if len(text) <= _LARGEST else None
        if not isinstance(value, dict):
            return []
        lists = [each for each in value.values() if isinstance(each, list)]
        if any(isinstance(inner, dict) for each in lists for inner in each):
            return []
        if lists and not any(lists) and not any(isinstance(each, dict) for each in value.values()):
            self.is_understood = True
        found = data_finding(value)
        if found.message and (found.ranges or found.quotes):
            self.is_understood = True
            return [found]
        return []

    def _between(self, start: tuple[int, int], end: int) -> str:
        first, column = start
        if first == len(self.lines) - 1:
            return self.lines[first][column:end]
        return "\n".join((self.lines[first][column:], *self.lines[first + 1 : -1], self.lines[-1][:end]))


def data_finding(value: Mapping[str, object]) -> DataFinding:
    """Return the finding in an object, whose keys may be in one of several languages."""
    found, titles = DataFinding(), list[str]()
    for key, each in value.items():
        match data_field(str(key)):
            case "severity":
                found.severity = found.severity or str(each)
            case "line":
                _place(found, each)
            case "quote":
                found.quotes += [each] if isinstance(each, str) else []
            case "message":
                found.message = f"{found.message} {each}".strip() if isinstance(each, str) else found.message
            case "title":
                titles += [each] if isinstance(each, str) else []
            case "fix":
                found.fix = each if isinstance(each, str) else found.fix
    found.message = found.message or " ".join(titles[:1])
    found.severity = found.severity or " ".join(titles)
    return found


def _place(found: DataFinding, value: object) -> None:
    """Add the place that an object names: a number, a range, words, or an object of these."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        found.ranges.append((value, value))
    elif isinstance(value, str):
        plain = _PLAIN_NUMBERS.fullmatch(value)
        ranges = [(int(plain[1]), max(int(plain[1]), int(plain[2] or 0)))] if plain else line_numbers(value)
        found.ranges += ranges
        found.quotes += [] if ranges else [value]
    elif isinstance(value, list) and all(isinstance(each, int) for each in value[:2]):
        found.ranges += [(value[0], max(value[:2]))] if value else []
    elif isinstance(value, dict):
        for key, each in value.items():
            if data_field(str(key)) == "line":
                _place(found, each)
            elif data_field(str(key)) == "quote" and isinstance(each, str):
                found.quotes.append(each)


def _loaded(text: str) -> object:
    """Return the value of JSON or of a Python literal; None for any other text."""
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text)):
        with suppress(ValueError, RecursionError):
            return json.loads(attempt, strict=False)
    with suppress(ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return ast.literal_eval(text)
    return None
