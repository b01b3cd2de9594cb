"""How long one call to a model may take: the user's settings, a provider's own before the general ones."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds for the parts of one call, above 0; None where nothing is set here."""

    connect: float | None = None
    """For a connection."""
    first_word: float | None = None
    """From sending to the first text or thinking."""
    idle: float | None = None
    """Without any text or thinking once the answer has begun, whatever else comes."""
    total: float | None = None
    """For the whole call: all tries, the pauses between them and the answer."""

    def over(self, general: TimeLimits) -> TimeLimits:
        """Return these limits, with the general one wherever none is set here."""
        mine = {each.name: getattr(self, each.name) for each in fields(self)}
        return TimeLimits(**{name: getattr(general, name) if own is None else own for name, own in mine.items()})


UNSET = TimeLimits()
USUAL = TimeLimits(connect=5.0, first_word=60.0, idle=60.0, total=600.0)
"""The limits if none are set. A minute is the longest that a user waits for a first sign; a small model on two cores
reads 6,000 tokens in 25 s."""
