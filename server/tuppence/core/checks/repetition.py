"""Is an answer stuck? Told while it streams, because each further round of a loop is paid for.

Text is stuck when what came last is one piece over and over, to the letter. What the request itself holds over and
over, such as a table of zeros, may come back as often as it likes. A loop that counts upwards is not noticed: tests
and tables do so, too.
"""

from __future__ import annotations

_WINDOW = 1_600
"""Code points at the end that must consist of one piece."""
_ROUNDS = 8
"""How often, at least, the piece stands in the window."""
_FLAT = 4_000
"""The same window for a piece of up to three code points: rules and paddings are long."""
_SHORT = 3
_STEP = 400
"""New code points between two looks."""
_PIECE = 40
"""Code points of a repeated piece that a sentence shows."""


class RepetitionDetector:
    """Watches one stream of text."""

    def __init__(self, given: str = "") -> None:
        """Take the text that the request is about, in which repetition is no fault."""
        self._given = given
        self._tail = ""
        self._unseen = 0

    def feed(self, chunk: str) -> str:
        """Take the next chunk; return the piece that the text repeats, empty while it does not."""
        self._tail = (self._tail + chunk)[-_FLAT:]
        self._unseen += len(chunk)
        if self._unseen < _STEP or len(self._tail) < _WINDOW:
            return ""
        self._unseen = 0
        piece = repeated(self._tail)
        return "" if piece and piece * _ROUNDS in self._given else piece


def shown(piece: str) -> str:
    """Return a repeated piece as it stands in a sentence."""
    words = " ".join(piece.split()) or "white space"
    return words if len(words) <= _PIECE else words[:_PIECE] + "…"


def repeated(text: str) -> str:
    """Return the piece that the end of a text consists of, from the start of a line where it has one; or nothing."""
    window = text[-_WINDOW:]
    size = _period(window[::-1])
    if size * _ROUNDS > _WINDOW:
        return ""
    if size <= _SHORT and not (len(text) >= _FLAT and _period(text[-_FLAT:][::-1]) == size):
        return ""
    piece = window[-size:]
    turn = piece.find("\n") + 1
    return piece[turn:] + piece[:turn]


def _period(text: str) -> int:
    """Return the length of the shortest piece that the text is made of, its last round perhaps incomplete."""
    border = [0] * len(text)
    matched = 0
    for index in range(1, len(text)):
        while matched and text[index] != text[matched]:
            matched = border[matched - 1]
        if text[index] == text[matched]:
            matched += 1
        border[index] = matched
    return len(text) - border[-1] if text else 0
