"""Reading foreign JSON without trusting its shape.

A server may send anything. What is absent or of the wrong type reads as empty or unknown, so that a decoder never
meets a TypeError; only text that is no JSON object at all is an error. Fractions are read as Decimal, because some of
them are money.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, DecimalException

from tuppence.errors import Broken

_MOST = 10**9
"""Tokens that no request has: a greater count is a mistake of the server, and no ledger could hold it."""
_DEAREST = Decimal(10**6)
"""USD that no request costs: a greater amount is read as this one, which is not believed either."""
_DECIMALS = 40
"""Digits behind an amount's point; more are a mistake of the server, and no database could hold any number of them."""
_DIGITS = 30
"""Digits of a number that means anything here."""
_NAME = re.compile(r"[A-Za-z0-9~@][A-Za-z0-9._:/@+~-]{0,199}")
"""What a model's name may be: no words, and no code, for a ledger keeps it."""


def parse(data: str) -> Mapping[str, object]:
    """Return the JSON object that an event's data holds; Google puts an error object into a list of one.

    :raises Broken: it holds none.
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
    """Return a number that is no wonder of length; None for others, which read as absent."""
    try:
        return Decimal(number) if len(number) <= _DIGITS else None
    except DecimalException:
        return None


def _integer(number: str) -> int | None:
    return int(number) if len(number) <= _DIGITS else None


# Made once: ``json.loads`` would make one for each event, which takes as long as reading the event. Some servers leave
# control characters raw.
_EXACT = json.JSONDecoder(parse_float=Decimal, strict=False)
_GUARDED = json.JSONDecoder(parse_float=_guarded, parse_int=_integer, strict=False)
"""For an event with a number that Python would not read: it reads as absent, and the rest as it is."""


def part(source: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return the object under a key; empty where there is none."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def parts(source: Mapping[str, object], key: str) -> tuple[Mapping[str, object], ...]:
    """Return the objects in the list under a key; empty where there is none."""
    value = source.get(key)
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def text(source: Mapping[str, object], *keys: str) -> str:
    """Return the first text under any of the keys that is not empty; empty where there is none."""
    found = (source.get(key) for key in keys)
    return next((value for value in found if isinstance(value, str) and value), "")


def model_name(source: Mapping[str, object]) -> str:
    """Return the model that an answer names; empty where it names none, or with what is no name."""
    name = text(source, "model")
    return name if _NAME.fullmatch(name) else ""


def count(source: Mapping[str, object], *keys: str) -> int | None:
    """Return the first count under any of the keys; None where there is none that could be true."""
    found = (source.get(key) for key in keys)
    return next((value for value in found if type(value) is int and 0 <= value <= _MOST), None)


def money(source: Mapping[str, object], key: str) -> Decimal | None:
    """Return the amount under a key, USD; None where there is none that could be one."""
    value = source.get(key)
    return amount(Decimal(value) if type(value) is int else value)


def amount(value: object) -> Decimal | None:
    """Return a number as an amount, USD, at most a million; None where it is negative, endless, or no number."""
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        return None
    exponent = value.as_tuple().exponent
    if value and (not isinstance(exponent, int) or exponent < -_DECIMALS):
        return None
    return min(value, _DEAREST)
