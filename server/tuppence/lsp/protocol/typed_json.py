"""Convert JSON from outside to lsprotocol's types, or say in one sentence which field does not fit.

cattrs converts almost anything: ``int("5")``, ``bool("no")``, the characters of a string as a list. Here a value must
have the protocol's type, or it is refused. The strictness depends on who reads it:

- A required field must fit, and so must each optional one in ``_READ``, which our handlers read. Any other optional
  field that does not fit counts as absent, and so does each capability: an error there does not end a session.
- A field that the protocol does not have is ignored.
- An unknown member of an enumeration is assumed to come from a newer protocol: it counts as absent, and is removed from
  a list.
- JSON has only one kind of number, so ``1.0`` is an integer. ``0`` and ``1`` are Vim's booleans. Lua cannot tell an
  empty list from an empty object, so each is accepted for the other.

This module does not know messages or methods; lsp/protocol/incoming.py does.
"""

from __future__ import annotations

import enum
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast

import attrs
from lsprotocol import types, validators

from tuppence.lsp.protocol.json_values import (
    EXACT,
    TEXTS,
    JsonReader,
    Malformed,
    TextRule,
    anything,
    flag,
    json_object,
    nothing,
    number,
    whole,
)

_T = TypeVar("_T")
_INTEGERS = (validators.INTEGER_MIN_VALUE, validators.INTEGER_MAX_VALUE)
_POSITIVE = (validators.UINTEGER_MIN_VALUE, validators.UINTEGER_MAX_VALUE)
_BOUNDS: Mapping[Any, tuple[int, int]] = {
    validators.uinteger_validator: _POSITIVE,
    validators.integer_validator: _INTEGERS,
}
_WORDS = frozenset({"text", "new_text", "message"})
"""Fields with text, in which a lone surrogate is half of a character that the user typed."""
_READ: Mapping[type, frozenset[str]] = {
    types.CodeActionContext: frozenset({"only", "trigger_kind"}),
    types.ExecuteCommandParams: frozenset({"arguments"}),
    types.InitializeParams: frozenset({"process_id", "root_uri", "root_path", "workspace_folders"}),
    types.ApplyWorkspaceEditResult: frozenset({"failure_reason", "failed_change"}),
}
"""Optional fields that must fit if they are present."""
_DEFAULTS: Mapping[tuple[type, str], Any] = {(types.InitializeParams, "capabilities"): {}}
"""The default for a required field that is missing or is not an object."""
_CLAMPED = (types.Diagnostic, "range")
"""Other servers mark "to the end of the line" with numbers above the protocol's maximum, and "the whole file" with
-1."""


def read(value: Any, kind: type[_T], name: str = "") -> _T:
    """Return a JSON value as one of the protocol's types.

    :param kind: an lsprotocol class, or a ``typing`` form of such classes, ``int``, ``str``, ``bool`` and ``float``.
    :param name: the name of the value in the error message.
    :raises Malformed: the value does not have that type.
    """
    try:
        return cast("_T", _reader(cast("Any", kind))(value))
    except Malformed as error:
        if name:
            error.path.insert(0, name)
        raise


def identity(value: Any) -> int | str | None:
    """Return a message's id or a token; None if the protocol does not allow the value."""
    try:
        return cast("int | str", _IDENTITY(value))
    except Malformed:
        return None


@cache
def _reader(kind: Any, rule: TextRule = "name", bounds: tuple[int, int] = EXACT) -> JsonReader:
    """Return a reader for a type; ``rule`` applies to the strings in it, ``bounds`` to its integers."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Union:
        return _union(tuple(each for each in arguments if each is not type(None)), rule, bounds, arguments)
    if origin is Literal:
        return _literal(arguments)
    if origin in (list, tuple, Sequence):
        return _sequence(_reader(arguments[0], rule, bounds))
    if origin in (dict, Mapping):
        return _mapping(_reader(arguments[1], rule, bounds))
    if isinstance(kind, type) and attrs.has(kind):
        return _instance(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _member(kind)
    plain: dict[Any, JsonReader] = {
        str: TEXTS[rule],
        int: whole(bounds),
        bool: flag,
        float: number,
        type(None): nothing,
        types.LSPObject: json_object,
    }
    return plain.get(kind, anything)


def _literal(members: tuple[Any, ...]) -> JsonReader:
    wanted = " or ".join(f'"{each}"' if isinstance(each, str) else str(each) for each in members)

    def read_literal(value: Any) -> Any:
        for each in members:
            if type(value) is type(each) and value == each:
                return each
        raise Malformed(wanted, value)

    return read_literal


def _member(kind: type[enum.Enum]) -> JsonReader:
    base = _reader(str) if issubclass(kind, str) else whole(EXACT)
    members = {each.value: each for each in kind}

    def read_member(value: Any) -> enum.Enum:
        plain = base(value)
        if plain not in members:
            raise Malformed(f"a value that {kind.__name__} has", value, is_unknown=True)
        return members[plain]

    return read_member


def _sequence(element: JsonReader) -> JsonReader:
    def read_sequence(value: Any) -> tuple[Any, ...]:
        if value == {}:
            return ()
        if not isinstance(value, list):
            raise Malformed("a list", value)
        found = []
        for place, each in enumerate(value):
            try:
                found.append(element(each))
            except Malformed as error:
                if error.is_unknown:
                    continue
                error.path.insert(0, place)
                raise
        return tuple(found)

    return read_sequence


def _mapping(element: JsonReader) -> JsonReader:
    def read_mapping(value: Any) -> dict[str, Any]:
        if value == []:
            return {}
        try:
            return {key: element(each) for key, each in json_object(value).items()}
        except Malformed as error:
            error.path.insert(0, "*")
            raise

    return read_mapping


def _union(arms: tuple[Any, ...], rule: TextRule, bounds: tuple[int, int], named: tuple[Any, ...]) -> JsonReader:
    """Return what reads one of several types; of several classes, that whose required fields are there.

    An enumeration that is open for other texts is read as a text.
    """
    if str in arms:
        arms = tuple(each for each in arms if not (isinstance(each, type) and issubclass(each, enum.Enum)))
    classes = tuple(each for each in arms if isinstance(each, type) and attrs.has(each))
    others = tuple(_reader(each, rule, bounds) for each in arms if each not in classes)
    may_be_null = type(None) in named or not arms

    def read_union(value: Any) -> Any:
        if value is None and may_be_null:
            return None
        refused: Malformed | None = None
        for each in others:
            try:
                return each(value)
            except Malformed as error:
                refused = error if refused is None or error.is_unknown else refused
        if classes and (isinstance(value, dict) or refused is None):
            return _reader(_meant(classes, value))(value)
        raise refused or Malformed("something", value)

    return read_union


def _meant(classes: tuple[type, ...], value: Any) -> type:
    """Return the class that fits an object best: the most required fields present, or the fewest missing."""
    given = value if isinstance(value, dict) else {}

    def fit(kind: type) -> tuple[int, int]:
        required = [each.key for each in _fields(kind) if each.is_required]
        present = sum(given.get(key) is not None for key in required)
        return present, present - len(required)

    return max(classes, key=fit)


class _Field:
    """One field of a class, with its name in JSON."""

    def __init__(self, kind: type, field: attrs.Attribute[Any]) -> None:
        self.name = field.name
        self.key = _camel_case(field.name)
        self.default = _DEFAULTS.get((kind, field.name))
        self.is_required = field.default is attrs.NOTHING
        self.is_read = self.is_required or field.name in _READ.get(kind, ())
        self.is_clamped = (kind, field.name) == _CLAMPED
        self._bounds = _BOUNDS.get(getattr(field.validator, "validator", field.validator), EXACT)
        is_address = field.name == "uri" or field.name.endswith("_uri")
        self._rule: TextRule = "address" if is_address else "words" if field.name in _WORDS else "name"
        self._kind: Any = field.type
        self._reader: JsonReader | None = None

    def read(self, value: Any) -> Any:
        """Return the field's value, typed."""
        if self._reader is None:
            self._reader = _reader(self._kind, self._rule, self._bounds)
        return self._reader(_held(value) if self.is_clamped else value)


_IDENTITY = _union((int, str), "name", EXACT, (int, str))


@cache
def _fields(kind: type) -> tuple[_Field, ...]:
    attrs.resolve_types(kind, types.ALL_TYPES_MAP, {})
    return tuple(_Field(kind, each) for each in attrs.fields(kind))


def _instance(kind: type) -> JsonReader:
    """Return a reader for objects of a class; any value is accepted for a class without fields."""
    fields = _fields(kind)
    needsnothing = not any(each.is_required for each in fields)

    def read_instance(value: Any) -> Any:
        if not isinstance(value, dict):
            if not fields or (needsnothing and value in (None, [])):
                return kind()
            raise Malformed("an object", value)
        found: dict[str, Any] = {}
        for field in fields:
            given = value.get(field.key, field.default)
            if given is None and not field.is_required:
                continue
            if field.default is not None and not isinstance(given, dict):
                given = field.default
            try:
                found[field.name] = field.read(given)
            except Malformed as error:
                if not field.is_read or (error.is_unknown and not field.is_required):
                    continue
                error.is_missing = error.is_missing or field.key not in value
                error.path.insert(0, field.key)
                raise
        return kind(**found)

    return read_instance


def _held(value: Any) -> Any:
    """Return a range with its integers clamped to the protocol's bounds; other values are returned unchanged."""
    if isinstance(value, dict):
        return {key: _held(each) for key, each in value.items()}
    low, high = _POSITIVE
    return min(max(value, low), high) if type(value) is int else value


def _camel_case(name: str) -> str:
    first, *rest = name.removesuffix("_").split("_")
    return first + "".join(part.title() for part in rest)
