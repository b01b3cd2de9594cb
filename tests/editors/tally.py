"""How many documents the suite compared with what they must be, and how many differed: printed at its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tally:
    """The count."""

    checked: int = 0
    damaged: int = 0

    def check(self, text: str, expected: str) -> None:
        """Compare a document."""
        self.checked += 1
        self.damaged += text != expected
        assert text == expected


TALLY = Tally()
"""That of all tests together."""
