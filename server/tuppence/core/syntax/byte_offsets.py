"""Fast conversion between code points and UTF-8 bytes, because tree-sitter counts bytes.

A lone surrogate, which has no UTF-8 form, is parsed as a question mark: only positions are read back, never text.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

_STRIDE = 512
"""Code points between two stored positions: the maximum that a conversion encodes."""


class Offsets:
    """A text, its UTF-8 bytes, and conversions between their offsets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data = text.encode("utf-8", "replace")
        self._plain = len(self.data) == len(text)

    def to_byte(self, offset: int) -> int:
        """Return the byte offset at which a code point starts."""
        if self._plain:
            return offset
        start = offset // _STRIDE
        return self._marks[start] + len(self.text[start * _STRIDE : offset].encode("utf-8", "replace"))

    def to_code_point(self, byte: int) -> int:
        """Return the index of the code point that starts at a byte."""
        if self._plain:
            return byte
        mark = bisect_right(self._marks, byte) - 1
        return mark * _STRIDE + len(self.data[self._marks[mark] : byte].decode("utf-8", "ignore"))

    def to_point(self, byte: int) -> tuple[int, int]:
        """Return tree-sitter's row and column, both from 0, with the column in bytes."""
        return self.data.count(b"\n", 0, byte), byte - self.data.rfind(b"\n", 0, byte) - 1

    @cached_property
    def _marks(self) -> list[int]:
        marks = [0]
        for end in range(_STRIDE, len(self.text) + 1, _STRIDE):
            marks.append(marks[-1] + len(self.text[end - _STRIDE : end].encode("utf-8", "replace")))
        return marks
