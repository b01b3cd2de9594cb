"""Whether an answer is stuck, asked while it streams, because each further round of a loop is paid for.

Text is stuck when what came last is one piece over and over, to the letter. What the request itself holds over and
over, such as a table of zeros, may come back as often as it likes. A loop that counts upwards is not noticed: tests
and tables do so, too.

A chunk costs what its own length costs: the text is looked at once in some hundred code points, by comparisons of whole
texts and never character by character.
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
        self._allowed = ""
        self._tail = ""
        self._unseen: list[str] = []
        self._length = 0

    def feed(self, chunk: str) -> str:
        """Take the next chunk; return the piece that the text repeats, empty while it does not."""
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
    """Return a repeated piece as it stands in a sentence."""
    words = " ".join(piece.split()) or "white space"
    return words if len(words) <= _PIECE else words[:_PIECE] + "…"


def repeated(text: str) -> str:
    """Return the piece that the end of a text consists of, from the start of a line where it has one; or nothing."""
    window = text[-_WINDOW:]
    size = _period(window)
    if not size or (size <= _SHORT and not (len(text) >= _FLAT and _comes_again(text[-_FLAT:], size))):
        return ""
    piece = window[-size:]
    turn = piece.find("\n") + 1
    return piece[turn:] + piece[:turn]


def _period(window: str) -> int:
    """Return the length of the shortest piece that a whole window is made of; 0 where it has too few rounds.

    The end of the window, as long as the longest piece, is where it began one piece before. What lies nearer would be a
    shorter piece of that end, and so of the window.
    """
    if len(window) < _WINDOW:
        return 0
    longest = _WINDOW // _ROUNDS
    size = longest - window[-2 * longest :].rfind(window[-longest:], 0, -1)
    return size if size <= longest and _comes_again(window, size) else 0


def _comes_again(text: str, size: int) -> bool:
    """Report whether a text is one piece of this length over and over, its last round perhaps incomplete."""
    return text[size:] == text[:-size]
