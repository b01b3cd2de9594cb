"""The fitted weights of features: one row a measured model, whole numbers of 16 bits and the size of one."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter, mul


@dataclass(frozen=True, slots=True)
class Weights:
    """What features of code add to each model's quality, for one action."""

    step: float
    """The size of one."""
    rows: Mapping[str, Sequence[float]]
    """By model: a weight for each feature, and last the constant. Whole numbers, kept as what they are reckoned in."""

    def apply(self, features: Mapping[int, float]) -> Mapping[str, float]:
        """Return what code with these features adds, by model."""
        if not features:
            return {name: self.step * row[-1] for name, row in self.rows.items()}
        # All of a row's weights in one call: a call for each took as long as the sum.
        picked, values = itemgetter(-1, *features), (1.0, *features.values())
        return {name: self.step * sum(map(mul, picked(row), values)) for name, row in self.rows.items()}

    @classmethod
    def unpack(cls, models: Sequence[str], step: float, packed: str) -> Weights:
        """Return the weights that stand in a file, as base64 of little-endian numbers, model after model."""
        numbers = array("h")
        numbers.frombytes(b64decode(packed))
        if sys.byteorder == "big":
            numbers.byteswap()
        size = len(numbers) // len(models)
        # Each number is kept once, however often it stands there.
        kept = {number: float(number) for number in set(numbers)}
        floats = [kept[number] for number in numbers]
        return cls(step, {name: floats[index * size : (index + 1) * size] for index, name in enumerate(models)})
