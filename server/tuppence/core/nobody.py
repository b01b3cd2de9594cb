"""Why no model may answer, in one sentence, and what would make one answer.

What keeps the user's own providers from answering comes first: forty built-in rows without a key must not hide it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuppence.core.candidates import Candidate, Wish
from tuppence.errors import NoModel

_SHOWN = 3
"""Reasons that the sentence names."""


def none(table: Sequence[Candidate], wish: Wish) -> NoModel:
    """Return the error for a table of which no row may answer."""
    if not table:
        return NoModel("There is no model in the tier table.", "Run `tuppence local install`, or set a provider's key.")
    if wish.pin:
        why_not = next((row.why_not for row in table if row.model.goes_by(wish.pin)), None)
        if why_not is None:
            return NoModel(f"The pinned model {wish.pin} is not in the tier table.", "Correct `model` in config.toml.")
        return NoModel(f"The pinned model {wish.pin} may not answer: {why_not.rstrip('.')}.", "No other one is asked.")
    if wish.above and all(row.why_not or row.model.name == wish.above for row in table):
        return NoModel(f"There is no better model than {wish.above} that may be asked.", "Set another provider's key.")
    reasons = _reasons([row for row in table if row.model.provider.name in wish.own])
    others = [each for each in _reasons(table) if each not in reasons]
    shown = (reasons + others)[:_SHOWN]
    if not shown:
        return NoModel(f"There is no better model than {wish.above}.", "")
    return NoModel(
        f"No model may answer this: {'; '.join(shown)}.",
        "Set a provider's key, or run `tuppence local install` to try without one; `tuppence models` shows the table.",
    )


def _reasons(rows: Sequence[Candidate]) -> list[str]:
    """Return what keeps the rows from answering, the commonest first."""
    counted = Counter(row.why_not.rstrip(".") for row in rows if row.why_not)
    return sorted(counted, key=lambda reason: (-counted[reason], reason))
