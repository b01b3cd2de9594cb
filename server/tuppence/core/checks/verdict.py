"""The verdict on an answer: whether it may be kept, what was proved, and what remains doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuppence.core.text.shown_text import shown

_LONGEST = 600
"""Maximum number of code points of a reason or a doubt, which may quote text of any length from a model."""
Ending = Literal["end", "length", "refused"]
"""Why the model stopped, as reported by the provider."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of checking an answer."""

    fit: bool
    """Whether the answer may be kept."""
    proved: str
    """What was proved: ``parses``, ``brackets match``, ``nothing``, or the finding of a tool."""
    reasons: tuple[str, ...] = ()
    """Sentences for the user on why the answer is not fit; empty if it is."""
    doubts: tuple[str, ...] = ()
    """Clauses for the user on what is doubtful about a fit answer."""

    def __post_init__(self) -> None:
        for name in ("reasons", "doubts"):
            object.__setattr__(self, name, tuple(map(_said, getattr(self, name))))

    @classmethod
    def rejected(cls, *reasons: str) -> Verdict:
        """Return the verdict on an answer that is rejected.

        :param reasons: sentences on why.
        """
        return cls(fit=False, proved="nothing", reasons=reasons)

    @classmethod
    def accepted(cls, proved: str, *doubts: str) -> Verdict:
        """Return the verdict on an answer that may be kept.

        :param doubts: clauses on what is doubtful about it.
        """
        return cls(fit=True, proved=proved, doubts=doubts)

    @property
    def words(self) -> str:
        """The text for the ledger: what was proved, or why the answer is not fit."""
        if not self.fit:
            return " ".join(self.reasons).rstrip(".")
        return "; ".join((f"proved: {self.proved}", *self.doubts))


def _said(text: str) -> str:
    line = shown(text[: _LONGEST + 1])
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
