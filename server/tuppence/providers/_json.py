"""Reading foreign JSON without trusting its shape.

A server may send anything. What is absent or of the wrong type reads as empty or unknown, so that a decoder never
meets a TypeError; only text that is no JSON object at all is an error. Fractions are read as Decimal, because some of
them are money.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from tuppence.errors import Broken

_MOST = 10**9
"""Tokens that no request has: a greater count is a mistake of the server, and no ledger could hold it."""
_DECODER = json.JSONDecoder(parse_float=Decimal, strict=False)
"""Made once: ``json.loads`` would make one for each event, which takes as long as reading the event. Some servers leave
control characters raw."""


def parse(data: str) -> Mapping[str, object]:
    """Return the JSON object that an event's data holds.

    :raises Broken: it holds none.
    """
    try:
        value = _DECODER.decode(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Broken("{provider} sent something that is not its protocol.", "Ask again, or check the base_url.")
    return value


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


def count(source: Mapping[str, object], *keys: str) -> int | None:
    """Return the first count under any of the keys; None where there is none that could be true."""
    found = (source.get(key) for key in keys)
    return next((value for value in found if type(value) is int and 0 <= value <= _MOST), None)


def money(source: Mapping[str, object], key: str) -> Decimal | None:
    """Return the amount under a key; None where there is none."""
    value = source.get(key)
    amount = Decimal(value) if type(value) is int else value
    return amount if isinstance(amount, Decimal) and amount.is_finite() and amount >= 0 else None
