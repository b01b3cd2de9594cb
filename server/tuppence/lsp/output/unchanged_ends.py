"""How much of a draft, at its start and its end, is what the document holds already, known without a comparison.

A draft grows by small edits, so what they leave alone is known. To find what is to be sent, only the rest has to be
compared, and the cost of a draft follows what came and not the size of the target.
"""

from __future__ import annotations

_NOTHING = (0, 0)


class UnchangedEnds:
    """Follows one draft: what is in the document, what is on its way there, and what came since."""

    def __init__(self, length: int = -1) -> None:
        """Begin where the document holds the draft, which has so many code points; by default that is not known."""
        self._held = self._sent = length
        self._since_held = self._since_sent = (length, length)

    def edited(self, start: int, end: int, length: int) -> None:
        """Note an edit of the draft.

        :param start: where the new text begins, and ``end`` where it ends, in the draft after the edit.
        :param length: of the draft after the edit.
        """
        self._since_held = _shorter(self._since_held, start, length - end)
        self._since_sent = _shorter(self._since_sent, start, length - end)

    def sent(self, length: int) -> None:
        """Note that the draft, which has so many code points, is on its way to the document."""
        self._sent, self._since_sent = length, (length, length)

    def settle(self, *, landed: bool) -> None:
        """Note whether what was sent is in the document; where not, nothing is known until a draft is."""
        self._held, self._since_held = (self._sent, self._since_sent) if landed else (-1, _NOTHING)

    def known(self, length: int) -> tuple[int, int]:
        """Return how many code points are equal at the start and at the end of the draft and of what is there.

        :param length: of what is there.
        """
        return self._since_held if length == self._held else _NOTHING


def _shorter(ends: tuple[int, int], head: int, tail: int) -> tuple[int, int]:
    return min(ends[0], head), min(ends[1], tail)
