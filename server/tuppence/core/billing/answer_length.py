"""A lower bound for the number of tokens in a streaming answer.

A provider, or a gateway before it, may ignore the limit that a request carries, and continue writing. This count
decides when an answer is aborted, so no valid answer within its limit may exceed it: a word of letters and digits is at
least one token, and so is a run of punctuation before a blank, because no tokenizer has tokens across these edges. Code
has about twice as many tokens as are counted here. Text that is not written in words is counted by its length.
"""

from __future__ import annotations

import re

BEYOND = 1.5
"""An answer is aborted when this count exceeds its limit by this factor."""
_LONGEST = 16
"""Code points per token that no answer reaches on average, even if it is all blanks and lines of dashes."""
_IDEOGRAPHS_PER_TOKEN = 4
_EDGE = re.compile(r"(?<![^\W_]|['\u2019])[^\W_]|(?<=[^\w\s])\s")
"""Matches the first character of a word, and the first blank after punctuation; text after an apostrophe may belong
to the same token."""
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class TokenFloor:
    """Counts one text, independent of how it is split into pieces; each character is examined once."""

    def __init__(self) -> None:
        self._last = ""
        self._edges = self._characters = self._ideographs = 0

    def feed(self, text: str) -> None:
        """Count a piece of the text."""
        if not text:
            return
        self._edges += len(_EDGE.findall(self._last + text, len(self._last)))
        self._ideographs += 0 if text.isascii() else len(_IDEOGRAPH.findall(text))
        self._characters += len(text)
        self._last = text[-1]

    @property
    def tokens(self) -> int:
        """The minimum number of tokens in the text so far."""
        return max(self._edges + self._ideographs // _IDEOGRAPHS_PER_TOKEN, self._characters // _LONGEST)
