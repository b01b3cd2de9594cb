"""How the general settings are read: the one knob ``quality``, its presets, amounts of money, words among several."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tuppence.tiers.fields import Reader, choice, is_number, kind, number, text
from tuppence.tiers.mistakes import Place

PRESETS: Mapping[str, float] = {"thrifty": 0.90, "balanced": 0.97, "best": 1.0}
"""Each preset and the quality that it stands for."""
ASK_ABOVE = Decimal("0.05")
"""USD; a request that may be expected to cost more is made only after a question."""
_share = number(0.01, 1)


def quality(value: object, place: Place) -> float:
    """Read how close to the best a choice must come: a number, or the name of a preset."""
    if not isinstance(value, str):
        return float(_share(value, place))
    if value not in PRESETS:
        names = ", ".join(f'"{name}"' for name in PRESETS)
        raise place.wrong(
            f'"{place.name}" cannot be {kind(value)}.', f"Write a number from 0.01 to 1, or one of: {names}."
        )
    return PRESETS[value]


def usd(value: object, place: Place) -> Decimal:
    """Read an amount of US dollars."""
    if not is_number(value) or value < 0:
        raise place.wrong(f'"{place.name}" must be an amount of USD, not {kind(value)}.', "Write US dollars: 0.05.")
    return Decimal(value)


GENERAL: Mapping[str, Reader] = {
    "quality": quality,
    "preset": choice(tuple(PRESETS)),
    "premium": choice(("use", "ask", "never")),
    "ask_above": usd,
    "edits": choice(("live", "final")),
    "hover": choice(("kept", "offer", "auto", "off")),
    "hover_cap": usd,
}
"""The settings above the first table that hold one value each, by the name of their field in ``Config``."""
OVERRIDE: Mapping[str, Reader] = {"quality": quality, "model": text}
"""What may stand in the table of one action or language."""
