"""Detect a model that is stuck in a loop while its answer streams, because each further round costs money.

Text is stuck if its end consists of one piece repeated exactly. Text that the request itself repeats, such as a table
of zeros, may be repeated without limit. A loop that counts upwards is not detected, because tests and tables do that
too.

The cost of a chunk is proportional to its length: the text is examined once every few hundred code points, by comparing
whole strings instead of characters.
"""

from __future__ import annotations

_WINDOW = 1_600
"""Number of code points at the end that must consist of one repeated piece."""
_ROUNDS = 8
"""Minimum number of repetitions of the piece in the window."""
_FLAT = 4_000
"""The window for a piece of up to three code points, because rules and padding are long."""
_SHORT = 3
_STEP = 400
"""Number of new code points between two examinations."""
_PIECE = 40
"""Maximum number of code points of a repeated piece that a sentence shows."""


class RepetitionDetector:
    """Watches one stream of text for repetition."""

    def __init__(self, given: str = "") -> None:
        """Take the text of the request; repetition that occurs in it is allowed."""
        self._given = given
        self._allowed = ""
        self._tail = ""
        self._unseen: list[str] = []
        self._length = 0

    def feed(self, chunk: str) -> str:
        """Take the next chunk; return the piece that the text repeats, empty if it repeats none."""
        self._unseen.append(chunk)
        self._length += len(chunk)
        if self._length < _STEP:
            return ""
        self._tail = "".join((self._tail, *self._unseen))[-_FLAT:]
        self._unseen.clear()
        self._length = 0
        piece = repeated(self._tail)
        if piece and piece != self._allowed and piece * _ROUNDS in self._given:
            self._allowed = piece
        return "" if piece == self._allowed else piece


def shown(piece: str) -> str:
    """Return a repeated piece in the form in which a sentence shows it."""
    words = " ".join(piece.split()) or "white space"
    return words if len(words) <= _PIECE else words[:_PIECE] + "…"


def repeated(text: str) -> str:
    """Return the piece that the end of a text repeats, from the start of a line if possible; empty if there is none."""
    window = text[-_WINDOW:]
    size = _period(window)
    if not size or (size <= _SHORT and not (len(text) >= _FLAT and _comes_again(text[-_FLAT:], size))):
        return ""
    piece = window[-size:]
    turn = piece.find("\n") + 1
    return piece[turn:] + piece[:turn]


def _period(window: str) -> int:
    """Return the length of the shortest piece that a whole window repeats; 0 if it is repeated too few times.

    The last ``longest`` code points of the window also occur one period earlier. The nearest earlier occurrence gives
    the shortest period.
    """
    if len(window) < _WINDOW:
        return 0
    longest = _WINDOW // _ROUNDS
    size = longest - window[-2 * longest :].rfind(window[-longest:], 0, -1)
    return size if size <= longest and _comes_again(window, size) else 0


def _comes_again(text: str, size: int) -> bool:
    """Report whether a text repeats one piece of this length; the last repetition may be incomplete."""
    return text[size:] == text[:-size]
