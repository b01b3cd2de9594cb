"""What a piece of code adds for a model that nobody measured: on the line through those that were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Line:
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


def through(known: Sequence[tuple[float, float]]) -> Line:
    """Return the line of least squares through qualities and what the code adds to each."""
    middle, mean = fmean(quality for quality, _ in known), fmean(shift for _, shift in known)
    spread = sum((quality - middle) ** 2 for quality, _ in known)
    slope = sum((quality - middle) * shift for quality, shift in known) / spread if spread else 0.0
    lowest, highest = min(quality for quality, _ in known), max(quality for quality, _ in known)
    return Line(middle, mean, max(0.0, slope), lowest, highest)
