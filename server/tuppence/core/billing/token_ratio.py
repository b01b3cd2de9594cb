"""How a model's tokens run: code points to a token, by language, learned from the prompts that its provider counted.

A count is learned from only where it could be true. One absurd count would otherwise make every later prompt look too
long for every model, and the ledger would keep it over restarts.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuppence.core.billing.entry import Entry
from tuppence.core.models.usage import PACE

ENOUGH = 500
"""Counted tokens from which on they are believed."""
DENSEST = 0.5
"""Code points of a token below which no prompt is on average: a token for each byte of the densest script is more."""
LONGEST = 20
"""Code points of a token above which no prompt is on average."""
Counts = tuple[int, int]
"""Code points, tokens."""


def is_plausible(characters: int, tokens: int) -> bool:
    """Report whether a prompt of so many code points can have so many tokens: 0.5 to 20 code points a token."""
    return tokens > 0 and DENSEST * tokens <= characters <= LONGEST * tokens


class Paces:
    """What was counted so far."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counts] = {}

    def add(self, counts: Mapping[tuple[str, str], Counts]) -> None:
        """Take in what was counted before, by the model's name and the language; what cannot be true is left out."""
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
        """Return a model's code points to a token in a language, else in all; None where too few were counted."""
        for counts in (self._counts.get((model, language), (0, 0)), self._all(model)):
            characters, tokens = counts
            if tokens >= ENOUGH:
                return characters / tokens
        return None

    def usual(self, language: str) -> float:
        """Return code points to a token in a language over all models; PACE where too few were counted."""
        mine = [counts for (_, name), counts in self._counts.items() if name == language]
        tokens = sum(counted for _, counted in mine)
        return sum(characters for characters, _ in mine) / tokens if tokens >= ENOUGH else PACE

    def _all(self, model: str) -> Counts:
        mine = [counts for (name, _), counts in self._counts.items() if name == model]
        return sum(characters for characters, _ in mine), sum(tokens for _, tokens in mine)
