"""Readers for the general settings: ``quality`` and its presets, money, the budget, names, secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from tuppence.config.model_columns import time_limits
from tuppence.config.model_table import Table
from tuppence.config.readers import Reader, fields, is_number, items, kind, number, text
from tuppence.config.toml_locations import TomlLocation, nearest
from tuppence.core.billing.budget import NO_LIMITS, PERIODS, THRIFTY, Limits
from tuppence.core.models.time_limits import USUAL, TimeLimits
from tuppence.core.text.shown_text import quoted

PRESETS: Mapping[str, float] = {"thrifty": THRIFTY, "balanced": 0.92, "best": 1.0}
"""Each preset and its quality; weights.json says what a better answer is worth at it, and benchmarks/routing why."""
ASK_ABOVE = Decimal("0.05")
"""USD; the user is asked before a request whose expected cost is higher."""
FOUND = ("embedded", "ollama", "lmstudio", "llamacpp")
"""Providers that appear and disappear at run time: their rows can be pinned and excluded before they exist."""
_share = number(0.01, 1)
_SCHEMES = ("postgresql://", "postgres://")
_PART = r"(?:[^\s/?#@%]|%[0-9A-Fa-f]{2})*"
_ADDRESS = re.compile(rf"postgres(?:ql)?://(?:{_PART}@)?{_PART}(?:/{_PART})?(?:\?{_PART.replace('/?', '')})?")
"""Matches a connection URI in which no part of a password can be mistaken for a host or a database name."""


def quality(value: object, place: TomlLocation) -> float:
    """Read how good an answer is wanted: a number, or the name of a preset."""
    if not isinstance(value, str):
        return float(_share(value, place))
    if value not in PRESETS:
        names = ", ".join(f'"{name}"' for name in PRESETS)
        raise place.wrong(
            f'"{place.name}" cannot be {kind(value)}.', f"Write a number from 0.01 to 1, or one of: {names}."
        )
    return PRESETS[value]


def usd(value: object, place: TomlLocation) -> Decimal:
    """Read an amount of US dollars."""
    if not is_number(value) or value < 0:
        raise place.wrong(f'"{place.name}" must be an amount of USD, not {kind(value)}.', "Write US dollars: 0.05.")
    return Decimal(value)


def timeouts(value: object, place: TomlLocation) -> TimeLimits:
    """Read the general time limits; missing ones have their defaults."""
    return time_limits(value, place).over(USUAL)


def budget(value: object, place: TomlLocation) -> Limits:
    """Read ``[budget]``; an invalid limit is reported, and nothing may be spent until it is corrected."""
    if value is None:
        return NO_LIMITS
    found = fields(value, place, BUDGET)
    written = value if isinstance(value, dict) else {"day": value}
    closed = {period: Decimal(0) for period in PERIODS if period in written and period not in found}
    return Limits(**closed, **found)


def narrower(data: Mapping[str, object], place: TomlLocation) -> Limits:
    """Read ``[budget]`` of a project's file, which may contain nothing else; invalid limits are left out."""
    for key in data:
        if key != "budget" and not place.report.is_full:
            what = f"A project cannot set {quoted(key, 80)}."
            place.key(key).wrong(what, "Only [budget] is allowed here, and it can only narrow yours.")
    given = data.get("budget")
    found = Limits(**fields(given, place.key("budget"), BUDGET)) if given is not None else NO_LIMITS
    return found if isinstance(given, dict) and "soft" in given else replace(found, soft=Decimal(1))


def ledger(value: object, place: TomlLocation) -> str:
    """Read the location of the ledger: the address of a PostgreSQL database, or empty for the user's own file."""
    if value == "":
        return ""
    found = text(value, place)
    # The value is never repeated, because it may contain a password.
    if found.startswith(_SCHEMES) and not _ADDRESS.fullmatch(found):
        raise place.wrong(
            f'"{place.name}" is not a valid PostgreSQL address.',
            "Leave the password out of it, for ~/.pgpass or PGPASSWORD; or write its special characters as %2F for a "
            "slash, %40 for an at sign, %25 for a percent sign.",
        )
    if not found.startswith(_SCHEMES):
        raise place.wrong(
            f'"{place.name}" must be the address of a PostgreSQL database.',
            'Write "postgresql://user@host/database", or leave it out for a file of your own.',
        )
    return found


def allowed_secrets(value: object, place: TomlLocation) -> tuple[str, ...]:
    """Read ``[secrets]``: values that look like secrets but are not."""
    found: tuple[str, ...] = () if value is None else fields(value, place, SECRETS).get("allow", ())
    return found


def pattern(value: object, place: TomlLocation) -> str:
    """Read an RE2 regular expression that does not match everything."""
    import re2

    found = text(value, place)
    options = re2.Options()
    options.log_errors = False
    try:
        matches_all = re2.compile(found, options).search("") is not None
    except re2.error:
        raise place.wrong(
            f'"{place.name}" is not a regular expression that RE2 can parse.',
            "See its syntax page; write \\. for a dot.",
        ) from None
    if matches_all:
        raise place.wrong(f'"{place.name}" matches every value.', "Write a pattern of the values that are no secrets.")
    return found


def _part(value: object, place: TomlLocation) -> Decimal:
    if not is_number(value) or not 0 <= value <= 1:
        raise place.wrong(f'"{place.name}" must be a share from 0 to 1.', "Write 0.8 for 80 %.")
    return Decimal(value)


def spoken_of(providers: object, table: Table) -> frozenset[str]:
    """Return the names of the providers that the user's file mentions, in a table or in a row."""
    named = providers if isinstance(providers, dict) else {}
    return frozenset(named) | {name.partition("/")[0] for name in table.named | table.broken}


def check_name(name: str, place: TomlLocation, table: Table) -> None:
    """Report a name that no row has."""
    if place.report.is_full:
        return
    owner, slash, _ = name.partition("/")
    if table.find(name) or name in table.broken or owner in table.broken or (slash and owner in FOUND):
        return
    known = [model.name for model in table.models]
    bare = next((model.name for model in table.models if model.id == name), None)
    near = bare or nearest(name, known)
    place.wrong(
        f"There is no model {quoted(name, 80)} in the tier table.",
        f'Did you mean "{near}"?' if near else 'Write "provider/id" of a built-in row or of one of your [[models]].',
    )


OVERRIDE: Mapping[str, Reader] = {"quality": quality, "model": text}
"""The fields in the table of an action or a language."""
BUDGET: dict[str, Reader] = {
    "request": usd,
    "session": usd,
    "day": usd,
    "month": usd,
    "soft": _part,
}
SECRETS: dict[str, Reader] = {"allow": items(pattern)}
"""The fields in ``[secrets]``."""
