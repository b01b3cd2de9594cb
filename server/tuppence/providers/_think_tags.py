"""Separate reasoning that a server leaves in the answer's text from the answer, while the text arrives.

Older local models write ``<think>...</think>`` before their answer. Only a block at the very start counts: later, the
tags are the user's own code. Apart from the two tags and the white space around them, all text is returned in order,
however it is split between calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from tuppence.providers.wire import Text, Thinking

_OPEN, _CLOSE = "<think>", "</think>"
_BLANK = 1_000
"""Number of white-space characters after which the answer counts as begun: otherwise it would be searched again for
each piece."""


class InlineThinking:
    """Splits an answer's text into reasoning and answer."""

    def __init__(self) -> None:
        self._state: Literal["undecided", "thinking", "after", "answer"] = "undecided"
        self._held = ""

    def feed(self, text: str) -> Iterable[Text | Thinking]:
        """Take a piece of text; a possible beginning of a tag is held back."""
        self._held += text
        if self._state == "undecided":
            self._decide()
        if self._state == "thinking":
            yield from self._think()
        if self._state == "after":
            self._held = self._held.lstrip("\r\n")
            self._state = "answer" if self._held else "after"
        if self._state == "answer" and self._held:
            yield Text(self._take(len(self._held)))

    def finish(self) -> Iterable[Text | Thinking]:
        """Take the end of the text; return what was held back."""
        if self._held:
            held = self._take(len(self._held))
            yield Thinking(held) if self._state == "thinking" else Text(held)

    def _decide(self) -> None:
        start = self._held.lstrip()
        if start.startswith(_OPEN):
            self._state = "thinking"
            self._held = start.removeprefix(_OPEN)
        elif not _OPEN.startswith(start) or len(self._held) > _BLANK:
            self._state = "answer"

    def _think(self) -> Iterable[Thinking]:
        end = self._held.find(_CLOSE)
        thought = self._take(end if end >= 0 else len(self._held) - _overlap(self._held, _CLOSE))
        if thought:
            yield Thinking(thought)
        if end >= 0:
            self._state = "after"
            self._take(len(_CLOSE))

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken


def _overlap(text: str, mark: str) -> int:
    """Return the length of the text's end that could be the beginning of the mark."""
    return next((length for length in range(len(mark) - 1, 0, -1) if text.endswith(mark[:length])), 0)
