"""Time limits: a provider's own before the general ones."""

from __future__ import annotations

from tuppence.core.models.time_limits import UNSET, USUAL, TimeLimits


def test_what_is_not_set_is_as_in_the_general_limits() -> None:
    assert TimeLimits(idle=7).over(USUAL) == TimeLimits(5, 60, 7, 600)
    assert UNSET.over(USUAL) == USUAL
    assert USUAL.over(TimeLimits(1, 1, 1, 1)) == USUAL
