"""A model's code points per token, by language, learned from prompts that its provider counted.

Only plausible counts are learned. Otherwise one absurd count would make every later prompt look too long for every
model, and the ledger would preserve it across restarts.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuppence.core.billing.entry import Entry
from tuppence.core.models.usage import PACE

ENOUGH = 500
"""Minimum number of counted tokens for a ratio to be used."""
DENSEST = 0.5
"""Minimum average of code points per token of any prompt; one token per UTF-8 byte of the densest script would give
less."""
LONGEST = 20
"""Maximum average of code points per token."""
Counts = tuple[int, int]
"""Code points, tokens."""


def is_plausible(characters: int, tokens: int) -> bool:
    """Report whether the counts of a prompt are possible: 0.5 to 20 code points per token."""
    return tokens > 0 and DENSEST * tokens <= characters <= LONGEST * tokens


class Paces:
    """Counts learned so far."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counts] = {}

    def add(self, counts: Mapping[tuple[str, str], Counts]) -> None:
        """Add earlier counts, by the model's name and the language; implausible ones are skipped."""
        for key, (characters, tokens) in counts.items():
            if not is_plausible(characters, tokens):
                continue
            known = self._counts.get(key, (0, 0))
            self._counts[key] = (known[0] + characters, known[1] + tokens)

    def learn(self, entry: Entry) -> None:
        """Learn from a request whose prompt the provider counted."""
        if not entry.estimated and entry.characters and entry.usage is not None and entry.usage.prompt:
            key = (f"{entry.provider}/{entry.model}", entry.language)
            self.add({key: (entry.characters, entry.usage.prompt)})

    def of(self, model: str, language: str) -> float | None:
        """Return a model's code points per token in a language, else in all languages; None if too few were counted."""
        for counts in (self._counts.get((model, language), (0, 0)), self._all(model)):
            characters, tokens = counts
            if tokens >= ENOUGH:
                return characters / tokens
        return None

    def usual(self, language: str) -> float:
        """Return the code points per token in a language over all models; PACE if too few were counted."""
        mine = [counts for (_, name), counts in self._counts.items() if name == language]
        tokens = sum(counted for _, counted in mine)
        return sum(characters for characters, _ in mine) / tokens if tokens >= ENOUGH else PACE

    def _all(self, model: str) -> Counts:
        mine = [counts for (name, _), counts in self._counts.items() if name == model]
        return sum(characters for characters, _ in mine), sum(tokens for _, tokens in mine)
