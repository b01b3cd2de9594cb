"""What a better answer is worth, in USD, and below which expected quality a model is not asked.

The two come from one setting, ``quality``: a floor and a worth for each action, fitted by benchmarks/routing at the
reference prices and shipped in weights.json. Between the presets they are interpolated; both only rise with
``quality``, and neither depends on which models there are, so another model can change a choice only by being chosen.

The worth is that of code like the code that was measured. On other code its level scales it: simple code is worth less,
hard code more. It also grows with the length of the code beyond the usual one, as the cost does.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tuppence.core.routing.difficulty import Level

ANY_PRICE = 1.0
"""The ``quality`` at which the best model is asked, whatever it costs."""
_FEW_LINES, _FEW_CHARACTERS = 4, 130
"""The most that a few lines are; a line without a word, such as a closing brace, is not counted."""
_PLAIN_STAKE = 0.05
"""What a better answer about a few plain lines is worth, as a share of the usual worth; set by hand."""
_STAKES: Mapping[Level, float] = {"simple": 0.1, "moderate": 1.0, "hard": 5.0}
"""The same for other code by its level; set by hand."""
_USUAL_TARGET = 400
"""Tokens of code up to which its length does not count; about 40 lines."""
_WORD = re.compile(r"\w")
_ABSENT = ("closures", "concurrency", "awaits", "atomics", "unsafe", "try")
"""Counts of code that keep a few lines from being plain."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How models are weighed for one request."""

    floor: float
    """The expected quality below which a model is not asked if another one reaches it."""
    worth: Fraction | None
    """USD for one unit of expected quality, from the worst answer to the best; None is any price."""

    def value(self, quality: float, cost: Fraction) -> tuple[Fraction, Fraction]:
        """Return what a model's answer is worth for its cost, exactly: larger is better."""
        if self.worth is None:
            return Fraction(quality), -cost
        if not self.worth:
            return -cost, Fraction(quality)
        return Fraction(quality) - cost / self.worth, -cost

    def scaled(self, stake: float, shift: float) -> Bar:
        """Return the bar for code that changes the worth by a factor, and the expected quality of all models alike."""
        return Bar(self.floor + shift, None if self.worth is None else self.worth * Fraction(stake))


@dataclass(frozen=True, slots=True)
class Preset:
    """The floor and the worth of one action at one ``quality``."""

    quality: float
    floor: float
    worth: float
    """USD."""


def bar(presets: Sequence[Preset], quality: float) -> Bar:
    """Return the floor and the worth for any ``quality``: neither falls while it rises.

    :param presets: by rising quality, each below 1.
    """
    known = (Preset(0.0, 0.0, 0.0), *presets)
    last = known[-1]
    if quality >= ANY_PRICE:
        return Bar(last.floor, None)
    if quality >= last.quality:
        return Bar(last.floor, Fraction(last.worth) * Fraction(1 - last.quality) / Fraction(1 - quality))
    place = max(1, bisect_left(known, quality, key=lambda each: each.quality))
    low, high = known[place - 1], known[place]
    share = (quality - low.quality) / (high.quality - low.quality)
    found = replace(
        low, floor=low.floor + share * (high.floor - low.floor), worth=low.worth + share * (high.worth - low.worth)
    )
    return Bar(found.floor, Fraction(max(0.0, found.worth)))


def is_plain(code: str, counts: Mapping[str, int]) -> bool:
    """Report whether code is a few plain lines: at most one loop or branch, and nothing nested in another thing."""
    if len(code) > _FEW_CHARACTERS or any(counts.get(each) for each in _ABSENT):
        return False
    turns = counts.get("loops", 0) + counts.get("branches", 0)
    lines = sum(_WORD.search(line) is not None for line in code.split("\n"))
    return lines <= _FEW_LINES and turns <= 1 and counts.get("depth", 0) <= 1


def stake(level: Level, likeness: float, *, plain: bool) -> float:
    """Return the factor on the worth.

    :param level: how hard the code is.
    :param likeness: to the code that was measured, 0 to 1: there the fitted worth holds as it is.
    """
    return likeness + (1 - likeness) * (_PLAIN_STAKE if plain else _STAKES[level])


def length_factor(target: int | None) -> float:
    """Return how much more a better answer is worth because the code is longer than usual; ``target`` is in tokens."""
    return 1.0 if target is None else max(1.0, target / _USUAL_TARGET)
