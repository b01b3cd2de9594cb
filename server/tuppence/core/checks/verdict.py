"""The verdict on an answer: whether it may be kept, what was proved, and what remains doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuppence.core.text.shown_text import shown

_LONGEST = 600
"""Code points of a reason or a doubt: it may name what a model wrote, of any length."""
Ending = Literal["end", "length", "refused"]
"""Why the model stopped, as a wire tells it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks say about an answer."""

    fit: bool
    """Whether it may be kept."""
    proved: str
    """What is known about it: ``parses``, ``brackets match``, ``nothing``, or what a tool found out."""
    reasons: tuple[str, ...] = ()
    """Why it is not fit, a sentence each, for the user; empty when it is."""
    doubts: tuple[str, ...] = ()
    """What speaks against one that is fit, a clause each, for the user."""

    def __post_init__(self) -> None:
        for name in ("reasons", "doubts"):
            object.__setattr__(self, name, tuple(map(_said, getattr(self, name))))

    @classmethod
    def rejected(cls, *reasons: str) -> Verdict:
        """Return the verdict on an answer that may not be kept.

        :param reasons: why, a sentence each.
        """
        return cls(fit=False, proved="nothing", reasons=reasons)

    @classmethod
    def accepted(cls, proved: str, *doubts: str) -> Verdict:
        """Return the verdict on an answer that may be kept.

        :param doubts: what speaks against it all the same, a clause each.
        """
        return cls(fit=True, proved=proved, doubts=doubts)

    @property
    def words(self) -> str:
        """What the accounts say of it: what was proved, or why it is not fit."""
        if not self.fit:
            return " ".join(self.reasons).rstrip(".")
        return "; ".join((f"proved: {self.proved}", *self.doubts))


def _said(text: str) -> str:
    line = shown(text[: _LONGEST + 1])
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
