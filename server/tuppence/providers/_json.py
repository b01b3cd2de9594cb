"""Read foreign JSON without trusting its structure.

A server may send anything. A missing value, or one of the wrong type, reads as empty or unknown, so that a decoder
never fails with a TypeError; only text that is not a JSON object is an error. Fractions are read as Decimal, because
some are amounts of money.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, DecimalException

from tuppence.errors import Broken

_MOST = 10**9
"""Maximum plausible token count: a greater one is the server's mistake, and no ledger could store it."""
_DEAREST = Decimal(10**6)
"""Maximum plausible cost in USD: a greater one is read as this amount, which is not believed either."""
_DECIMALS = 40
"""Maximum number of decimals of an amount: more are the server's mistake, and databases cannot store any number of
them."""
_DIGITS = 30
"""Maximum number of digits of a meaningful number."""
_NAME = re.compile(r"[A-Za-z0-9~@][A-Za-z0-9._:/@+~-]{0,199}")
"""The form of a model's name. Nothing else is stored in the ledger as one: no words, and no code."""


def parse(data: str) -> Mapping[str, object]:
    """Return the JSON object in an event's data; Google puts an error object into a list of one.

    :raises Broken: the data contains none.
    """
    data = data.removeprefix("\ufeff")
    value: object = None
    for decoder in (_EXACT, _GUARDED):
        try:
            value = decoder.decode(data)
            break
        except (ValueError, RecursionError, DecimalException):
            continue
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if not isinstance(value, dict):
        raise Broken("{provider} sent something that is not its protocol.", "Ask again, or check the base_url.")
    return value


def _guarded(number: str) -> Decimal | None:
    """Return a number of reasonable length; None for others, which read as missing."""
    try:
        return Decimal(number) if len(number) <= _DIGITS else None
    except DecimalException:
        return None


def _integer(number: str) -> int | None:
    return int(number) if len(number) <= _DIGITS else None


# Created once: ``json.loads`` would create one for each event, which takes as long as reading the event. Some servers
# do not escape control characters.
_EXACT = json.JSONDecoder(parse_float=Decimal, strict=False)
_GUARDED = json.JSONDecoder(parse_float=_guarded, parse_int=_integer, strict=False)
"""For an event with a number that Python would reject: that number reads as missing, and the rest is unchanged."""


def attempt(data: str) -> Mapping[str, object]:
    """Return the JSON object that a text is; empty where it is none."""
    try:
        return parse(data)
    except Broken:
        return {}


def part(source: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return the object under a key; empty if there is none."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def parts(source: Mapping[str, object], key: str) -> tuple[Mapping[str, object], ...]:
    """Return the objects in the list under a key; empty if there is none."""
    value = source.get(key)
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def text(source: Mapping[str, object], *keys: str) -> str:
    """Return the first non-empty text under one of the keys; empty if there is none."""
    for key in keys:
        value = source.get(key)
        if isinstance(value, str) and value:
            return value
    return ""


def model_name(source: Mapping[str, object]) -> str:
    """Return the model that an answer names; empty where it names none, or with what is no name."""
    name = text(source, "model")
    return name if _NAME.fullmatch(name) else ""


def count(source: Mapping[str, object], *keys: str) -> int | None:
    """Return the first count under one of the keys; None if there is no plausible one."""
    for key in keys:
        value = source.get(key)
        if type(value) is int and 0 <= value <= _MOST:
            return value
    return None


def money(source: Mapping[str, object], key: str) -> Decimal | None:
    """Return the amount under a key in USD; None if there is no valid one."""
    value = source.get(key)
    return amount(Decimal(value) if type(value) is int else value)


def amount(value: object) -> Decimal | None:
    """Return a number as an amount in USD, at most a million; None if it is negative, infinite, or not a number."""
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        return None
    exponent = value.as_tuple().exponent
    if value and (not isinstance(exponent, int) or exponent < -_DECIMALS):
        return None
    return min(value, _DEAREST)
