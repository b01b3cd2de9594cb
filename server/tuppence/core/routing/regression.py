"""The fitted regression of quality on code features: a row of weights a measured model, and a least-squares line.

Weights are 16-bit integers and a scale.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter, mul
from statistics import fmean


@dataclass(frozen=True, slots=True)
class FeatureWeights:
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
    def unpack(cls, models: Sequence[str], step: float, packed: str) -> FeatureWeights:
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


@dataclass(frozen=True, slots=True)
class LinearFit:
    """The line of what code adds over quality, through the measured models."""

    middle: float
    mean: float
    """What the code adds at the middle."""
    slope: float
    """Never below 0: that code should favour the weak is chance."""
    lowest: float
    highest: float
    """The measured models' qualities, beyond which the line is not followed."""

    def at(self, quality: float) -> float:
        """Return what the code adds for a model of a quality."""
        return self.mean + self.slope * (min(self.highest, max(self.lowest, quality)) - self.middle)


def through(known: Sequence[tuple[float, float]]) -> LinearFit:
    """Return the line of least squares through qualities and what the code adds to each."""
    middle, mean = fmean(quality for quality, _ in known), fmean(shift for _, shift in known)
    spread = sum((quality - middle) ** 2 for quality, _ in known)
    slope = sum((quality - middle) * shift for quality, shift in known) / spread if spread else 0.0
    lowest, highest = min(quality for quality, _ in known), max(quality for quality, _ in known)
    return LinearFit(middle, mean, max(0.0, slope), lowest, highest)
