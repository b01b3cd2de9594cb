"""Halves of a character put together again where a stream cut it in two.

JSON may write a character outside the Basic Multilingual Plane as two escapes, and a gateway that counts as JavaScript
does may send one half at the end of a piece and the other at the start of the next. No text is made of halves: an
editor would show one character where ours had two. A half that has no other becomes U+FFFD.
"""

from __future__ import annotations

import re

_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
_HALF = re.compile("[\ud800-\udfff]")
_LOST = "\ufffd"


class Joining:
    """Joins the pieces of one text and returns them without splitting a character."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece; return all but a trailing half of a pair, whose other half may follow."""
        if piece.isascii() and not self._held:
            return piece
        text = self._held + piece
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return _whole(text[: len(text) - len(self._held)])

    def finish(self) -> str:
        """Mark the end of the text; return what was held back."""
        held, self._held = self._held, ""
        return _whole(held)


def _whole(text: str) -> str:
    if not _HALF.search(text):
        return text
    return _HALF.sub(_LOST, _PAIR.sub(_paired, text))


def _paired(found: re.Match[str]) -> str:
    return found.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le")
