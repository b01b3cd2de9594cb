"""Readers for the fields of the configuration, which convert TOML values to tuppence's types.

Each reader takes a value and its location. For an invalid value it reports the problem and what to write instead, and
raises ``Bad``. A table reports all its mistakes before it raises. config/model_columns.py defines the fields of a row.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeGuard, TypeVar

from tuppence.config.toml_locations import Bad, TomlLocation
from tuppence.core.text.shown_text import quoted

Reader = Callable[[object, TomlLocation], Any]
_T = TypeVar("_T")

_READER = "reader"
"""The key of a field's metadata that holds its reader."""
_SHOWN = 40
"""Maximum length of a value that a message repeats."""
_LARGEST = 10**15
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def setting(reader: Reader | None, default: _T) -> _T:
    """Return a dataclass field that is set by the key with its name above the first table.

    :param reader: reads the value; None if reading it needs more than the value and its location.
    """
    declared: _T = dataclasses.field(default=default, metadata={_READER: reader})
    return declared


def settings_of(kind: type) -> dict[str, Reader | None]:
    """Return the reader of each setting that a dataclass declares, by name, in the order of its fields."""
    return {each.name: each.metadata[_READER] for each in dataclasses.fields(kind) if _READER in each.metadata}


def table(
    value: object, place: TomlLocation, readers: Mapping[str, Reader], needed: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the values of a table's fields.

    :raises Bad: a field is invalid, unknown or missing.
    """
    before = place.report.count
    found = fields(value, place, readers)
    for key in needed:
        if isinstance(value, dict) and key not in value:
            place.wrong(f'"{place.name}" has no "{key}".', f"Add {key} = ...")
    if place.report.count > before:
        raise Bad
    return found


def fields(value: object, place: TomlLocation, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """Return the values of a table's valid fields; invalid ones are reported."""
    found: dict[str, Any] = {}
    if not isinstance(value, dict):
        place.wrong(f'"{place.name}" must be a table, not {kind(value)}.', "Write { key = value, ... }.")
        return found
    for key, each in value.items():
        if place.report.is_full:
            break
        inner = place.key(key)
        if key in readers:
            try:
                found[key] = readers[key](each, inner)
            except Bad:
                continue
        elif place.path and key in place.report.settings:
            stranded(inner)
        else:
            inner.unknown(readers)
    return found


def stranded(place: TomlLocation) -> Bad:
    """Report a setting that is inside a table because it is below the table's header."""
    header = ".".join(str(part) for part in place.path[:-1] if isinstance(part, str))
    return place.wrong(
        f'"{place.path[-1]}" is below the header of {quoted(header, 80)}, so it belongs to that table.',
        "Move it above the first [table] of the file.",
    )


def text(value: object, place: TomlLocation) -> str:
    """Read a non-empty string."""
    if not isinstance(value, str) or not value.strip():
        raise place.wrong(f'"{place.name}" must be a text, not {kind(value)}.', 'Write it in quotes: "...".')
    return value


def folder(value: object, place: TomlLocation) -> str:
    """Read the path of a folder, absolute or relative to the user's home; it need not exist."""
    path = text(value, place)
    if "\0" in path:
        raise place.wrong(f'"{place.name}" holds a character that no path has.', 'Write "/..." or "~/...".')
    if not path.startswith(("/", "~/", "\\\\")) and path != "~" and not re.match(r"[A-Za-z]:[\\/]", path):
        raise place.wrong(
            f'"{place.name}" must be a whole path, not {quoted(path, _SHOWN)}.', 'Write "/..." or "~/...".'
        )
    return path


def flag(value: object, place: TomlLocation) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise place.wrong(f'"{place.name}" must be true or false, not {kind(value)}.', "Write true or false.")
    return value


def variable(value: object, place: TomlLocation) -> str | None:
    """Read the name of an environment variable; None for an empty string."""
    if value == "":
        return None
    # The value is not repeated in the message, because users often paste the key itself here.
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise place.wrong(
            f'"{place.name}" must be the name of an environment variable, not the key itself.',
            'Write a name such as "MINE_API_KEY", and put the key into that variable.',
        )
    return value


def number(low: float, high: float) -> Reader:
    """Return a reader of numbers from ``low`` to ``high``, both included."""

    def read(value: object, place: TomlLocation) -> float:
        if not is_number(value) or not low <= value <= high:
            span = f"from {low:g} to {high:g}"
            raise place.wrong(f'"{place.name}" must be a number {span}, not {kind(value)}.', f"Write a number {span}.")
        return float(value)

    return read


def count(low: int) -> Reader:
    """Return a reader of integers of at least ``low``."""

    def read(value: object, place: TomlLocation) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value < _LARGEST:
            what = f'"{place.name}" must be a whole number of at least {low}, not {kind(value)}.'
            raise place.wrong(what, "Write a whole number without quotes, such as 8192.")
        return value

    return read


def choice(known: tuple[str, ...]) -> Reader:
    """Return a reader of one of several words."""

    def read(value: object, place: TomlLocation) -> str:
        if not isinstance(value, str) or value not in known:
            options = ", ".join(f'"{each}"' for each in known)
            raise place.wrong(f'"{place.name}" cannot be {kind(value)}.', f"Write one of: {options}.")
        return value

    return read


def items(reader: Reader) -> Reader:
    """Return a reader of arrays."""

    def read(value: object, place: TomlLocation) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise place.wrong(f'"{place.name}" must be an array, not {kind(value)}.', "Write [ ..., ... ].")
        before = place.report.count
        found = []
        for index, each in enumerate(value):
            if place.report.is_full:
                break
            try:
                found.append(reader(each, place.key(index)))
            except Bad:
                continue
        if place.report.count > before:
            raise Bad
        return tuple(found)

    return read


def named(reader: Reader) -> Reader:
    """Return a reader of tables with arbitrary keys."""

    def read(value: object, place: TomlLocation) -> dict[str, Any]:
        return table(value, place, dict.fromkeys(value, reader) if isinstance(value, dict) else {})

    return read


def day(value: object, place: TomlLocation) -> date:
    """Read a date."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise place.wrong(f'"{place.name}" must be a date, not {kind(value)}.', "Write it bare: 2026-11-21.")
    return value


def clock(value: object, place: TomlLocation) -> time:
    """Read a time of day; 24:00 is the last moment of the day."""
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if value == "24:00":
        return time.max
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise place.wrong(f'"{place.name}" must be a time of day, UTC, not {kind(value)}.', 'Write "01:00".')
    return time(int(found[1]), int(found[2]))


def plain(value: object, place: TomlLocation) -> object:
    """Read a value that JSON can represent."""
    if isinstance(value, dict):
        return {key: plain(inner, place.key(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, place.key(index)) for index, inner in enumerate(value)]
    if isinstance(value, Decimal) and is_number(value):
        return float(value)
    if not isinstance(value, bool | str) and not is_number(value):
        raise place.wrong(f'"{place.name}" cannot be sent as JSON.', "Write a text, a number, true, false or a table.")
    return value


def is_number(value: object) -> TypeGuard[int | Decimal]:
    """Report whether a value is a number of plausible size; booleans, infinities and NaN are not."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return -_LARGEST < value < _LARGEST if isinstance(value, int) or value.is_finite() else False


def kind(value: object) -> str:
    """Return the name of a value's type for a sentence."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _SHOWN and value.isprintable() else "this text"
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return "this number"
    if isinstance(value, int | Decimal | date | time):
        shown = str(value)
        return shown if len(shown) <= _SHOWN else "this number"
    return "an array" if isinstance(value, list) else "a table"
