"""The fewest tokens that an answer can have by now, counted as it comes.

A provider, or a gateway before it, may forget the limit that a request carries, and go on writing. The count here
decides when an answer is ended, so it is one that no honest answer passes: a word of letters and digits is a token at
least, and so is a run of signs before a blank; a token of no tokenizer reaches over either of these edges. Code has
about twice as many tokens as are counted here. What is not written in words is counted by its length.
"""

from __future__ import annotations

import re

BEYOND = 1.5
"""So many times its limit, by the count here, and an answer is ended."""
_LONGEST = 16
"""Code points to a token that no answer reaches on average, be it all blanks and lines of dashes."""
_IDEOGRAPHS_PER_TOKEN = 4
_EDGE = re.compile(r"(?<![^\W_]|['\u2019])[^\W_]|(?<=[^\w\s])\s")
"""The first character of a word, and the first blank behind signs; what follows an apostrophe may be of one token."""
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class TokenFloor:
    """Counts one text, whatever the pieces in which it comes; each character is looked at once."""

    def __init__(self) -> None:
        self._last = ""
        self._edges = self._characters = self._ideographs = 0

    def feed(self, text: str) -> None:
        """Take in a piece."""
        if not text:
            return
        self._edges += len(_EDGE.findall(self._last + text, len(self._last)))
        self._ideographs += 0 if text.isascii() else len(_IDEOGRAPH.findall(text))
        self._characters += len(text)
        self._last = text[-1]

    @property
    def tokens(self) -> int:
        """The fewest tokens that the text can have."""
        return max(self._edges + self._ideographs // _IDEOGRAPHS_PER_TOKEN, self._characters // _LONGEST)
