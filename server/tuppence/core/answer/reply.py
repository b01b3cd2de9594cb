"""A model's reply, taken apart into prose and fenced code as it arrives.

Where a fence begins and ends is told in core/answer/fences.py. A reply with no fence is one implicit fence; whether
that is code is
for core/checks/structure.py to judge. This file neither repairs code (core/answer/patch.py) nor judges it
(core/checks/structure.py).
"""

from __future__ import annotations

import re

from tuppence.core.answer.fences import Fence, Line, Parts, Reading
from tuppence.core.text.lines import Splitter


class Reply:
    """Takes the chunks of one reply; yields complete lines at once and the whole truth at the end.

    The lines yielded so far are what the reply looks like so far; only one that ends inside a fence may turn
    out to have other parts.
    """

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._reading = Reading()
        self._lines: list[tuple[str, str]] = []
        self._parts: Parts | None = None

    def feed(self, chunk: str) -> tuple[Line, ...]:
        """Take the next chunk; return the lines that it completes, fence lines aside."""
        lines = self._splitter.feed(chunk)
        if not lines:
            return ()
        self._lines += lines
        return tuple(each for text, ending in lines for each in self._reading.take(text, ending))

    def finish(self) -> Parts:
        """Take the end of the reply; return its parts. Asking again returns the same."""
        if self._parts is None:
            rest = self._splitter.finish()
            self._lines += rest
            self._parts = self._read(rest)
        return self._parts

    def _read(self, rest: list[tuple[str, str]]) -> Parts:
        for text, ending in rest:
            self._exhaust(self._reading, text, ending)
        parts = self._reading.finish()
        if self._reading.suppressed and not all(fence.closed for fence in parts.fences):
            again = Reading(quotes=None)
            for text, ending in self._lines:
                self._exhaust(again, text, ending)
            other = again.finish()
            parts = other if all(fence.closed for fence in other.fences) else parts
        return parts if parts.fences else _implicit(parts.prose)

    @staticmethod
    def _exhaust(reading: Reading, text: str, ending: str) -> None:
        for _ in reading.take(text, ending):
            pass


def replacement(parts: Parts) -> tuple[Fence | None, Fence | None]:
    """Return the first fence of code and the first fence of imports; :mod:`.select_fence` leaves one of code."""
    code = next((fence for fence in parts.fences if not fence.imports), None)
    return code, next((fence for fence in parts.fences if fence.imports), None)


def _implicit(prose: str) -> Parts:
    text = re.sub(r"\A([ \t]*(\r\n|\n|\r))+|[ \t\r\n]+\Z", "", prose)
    return Parts("", (Fence("", text, closed=True, implicit=True),)) if text else Parts(prose, ())
