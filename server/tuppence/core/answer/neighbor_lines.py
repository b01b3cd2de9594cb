"""Find a target without a name in an answer that also repeats the lines around the target.

An answer that is larger than what was asked for repeats the lines above the target, the lines below it, or both. Blank
lines and the white space around a line do not count.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuppence.core.text.document import Document, Span
from tuppence.core.text.lines import split


def between_neighbors(document: Document, target: Span, lines: Sequence[str]) -> tuple[int, int] | None:
    """Return the lines of an answer that replace the target, as the index of the first and the index after the last.

    :returns: None if the answer does not certainly repeat a line around the target.
    """
    above = _filled(document.text[: target.start])
    below = _filled(document.text[target.end :])
    own = [text.strip() for text, _ in split(document.slice(target)) if text.strip()]
    places = [at for at, line in enumerate(lines) if line.strip()]
    texts = [lines[at].strip() for at in places]
    if not texts or not own:
        return None
    start = _after_longest(texts, above, own)
    end = _before_longest(texts[start:], below, own, is_anchored=start > 0) + start
    if (start == 0 and end == len(texts)) or start >= end:
        return None
    return places[start], places[end - 1] + 1


def _after_longest(texts: list[str], above: list[str], own: list[str]) -> int:
    """Return the position in an answer after its longest run of lines that ends the text above the target."""
    best = place = 0
    for at in range(1, len(texts) + 1):
        run = 0
        while run < min(at, len(above)) and texts[at - 1 - run] == above[-1 - run]:
            run += 1
        agreed = texts[at - run : at]
        if run > best and _is_certain(agreed, texts, own):
            best, place = run, at
    return place


def _before_longest(texts: list[str], below: list[str], own: list[str], *, is_anchored: bool) -> int:
    """Return the position in an answer before its longest run of lines that begins the text below the target.

    :param is_anchored: whether the lines above the target were found. Then closing brackets alone are enough evidence,
        if
        they reach the answer's end.
    """
    best, place = 0, len(texts)
    for at in range(len(texts)):
        run = 0
        while run < min(len(texts) - at, len(below)) and texts[at + run] == below[run]:
            run += 1
        reaches = is_anchored and at + run == len(texts) and at > 0
        if run > best and (_is_certain(texts[at : at + run], texts, own) or reaches):
            best, place = run, at
    return place


def _is_certain(agreed: list[str], texts: list[str], own: list[str]) -> bool:
    """Report whether lines common to an answer and the target's surroundings cannot be the target's own."""
    telling = [line for line in agreed if sum(map(str.isalnum, line)) > len("end")]
    if not telling:
        return False
    if len(telling) > 1:
        return True
    return telling[0] not in own and texts.count(telling[0]) == 1


def _filled(text: str) -> list[str]:
    return [line.strip() for line, _ in split(text) if line.strip()]
