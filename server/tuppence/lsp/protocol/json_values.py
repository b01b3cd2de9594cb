"""Read the plain values of JSON strictly (strings, numbers, booleans), and say why one does not fit.

This module does not know the protocol's classes; lsp/protocol/typed_json.py does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

JsonReader = Callable[[Any], Any]
"""A function that takes a value as ``json`` returns it, and returns it typed or raises ``Malformed``."""
TextRule = Literal["words", "name", "address"]
"""The kind of a string: any text, including the user's source; a name; a URI."""

LONGEST = 32_768
"""The longest name or URI in characters; no editor sends longer ones."""
EXACT = (-(2**53), 2**53)
"""The range in which JSON numbers are exact everywhere. It limits ids, which the protocol does not."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Malformed(Exception):
    """A value that the protocol does not allow in its place."""

    def __init__(self, wanted: str, given: Any, *, is_unknown: bool = False) -> None:
        super().__init__(wanted)
        self.path: list[str | int] = []
        """The fields that lead to the value, outermost first."""
        self.wanted = wanted
        """The expected value, such as ``a text``."""
        self.given = _called(given)
        """The kind of the actual value, such as ``a list``; never the value itself."""
        self.is_unknown = is_unknown
        """Whether the value has the right type but is not allowed: an unknown member, a string that is not a URI."""
        self.is_missing = False
        """Whether the value is missing."""

    @property
    def sentence(self) -> str:
        """The error message, with the field's name and without its value."""
        name = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in self.path).lstrip(".")
        where = f"`{name}`" if name else "this"
        if self.is_missing:
            return f"{where} is missing; it has to be {self.wanted}."
        return f"{where} has to be {self.wanted}, not {self.given}."


def anything(value: Any) -> Any:
    """Read a value that the protocol does not restrict."""
    return value


def nothing(_value: Any) -> None:
    """Read a value without meaning: for an answer without a result, editors send arbitrary values."""
    return


def json_object(value: Any) -> Any:
    """Read an object with any content."""
    if not isinstance(value, dict):
        raise Malformed("an object", value)
    return value


def flag(value: Any) -> bool:
    """Read true or false, which some editors write as numbers."""
    if value is True or value is False:
        return bool(value)
    if type(value) is int and value in (0, 1):
        return bool(value)
    raise Malformed("true or false", value)


def number(value: Any) -> float:
    """Read a number."""
    if type(value) in (int, float) and abs(value) < float("inf"):
        return float(value)
    raise Malformed("a number", value)


def whole(bounds: tuple[int, int]) -> JsonReader:
    """Return a reader for integers between two bounds, both included; JSON may write an integer as ``1.0``."""
    low, high = bounds
    wanted = "a whole number" if bounds == EXACT else f"a whole number from {low} to {high}"

    def read_whole(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise Malformed(wanted, value)
        return value

    return read_whole


def _words(value: Any) -> str:
    if type(value) is not str:
        raise Malformed("a text", value)
    return value


def _name(value: Any) -> str:
    """Read a string that must be safe to write anywhere: into a header, a path, a database."""
    if type(value) is not str:
        raise Malformed("a text", value)
    if len(value) > LONGEST or "\0" in value or not (value.isascii() or _is_unicode(value)):
        raise Malformed(f"a text of Unicode characters, {LONGEST} at most", value)
    return value


def _address(value: Any) -> str:
    """Read a URI, however the editor encodes its path."""
    name = _name(value)
    if not _SCHEME.match(name) or _CONTROL.search(name) or "\0" in unquote(name) or not _splits(name):
        raise Malformed("a URI such as file:///folder/file", value, is_unknown=True)
    return name


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _splits(uri: str) -> bool:
    """Return whether a URI can be split into its parts; the host of ``file://[`` cannot."""
    try:
        urlsplit(uri)
    except ValueError:
        return False
    return True


TEXTS: dict[TextRule, JsonReader] = {"words": _words, "name": _name, "address": _address}


def _called(value: Any) -> str:
    """Return the name of a JSON value's kind for a message, which does not repeat the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "this text", int: "this number", float: "this number", list: "a list", dict: "an object"}
    return names.get(type(value), "that")
