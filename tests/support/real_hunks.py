"""Real hunks: the changes between two texts, each as a target and the reply of a model that makes the change."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from tuppence.core.text.document import Document, Span
from tuppence.core.text.lines import split

_FENCES = re.compile(r"[ \t]*(`{3,}|~{3,})")


@dataclass(frozen=True)
class Hunk:
    """A change of some lines, with the same number of unchanged lines before and after them."""

    document: Document
    """The document before the change."""
    target: Span
    """The changed lines, without the last line ending."""
    new: str
    """The replacement for the target."""
    changed: int
    """The size in bytes of the added lines, a lower bound for what must be sent."""

    @property
    def expected(self) -> str:
        """The whole text after the change."""
        text = self.document.text
        return text[: self.target.start] + self.new + text[self.target.end :]


def hunks(old: str, new: str, around: int) -> Iterator[Hunk]:
    """Yield the changes from one text to the other, the last one first; each document has those yielded before."""
    olds, news = split(old), split(new)
    matcher = SequenceMatcher(None, [line for line, _ in olds], [line for line, _ in news], autojunk=False)
    text = old
    for group in reversed(list(matcher.get_grouped_opcodes(max(around, 0)))):
        first, last, low, high = _filled((group[0][1], group[-1][2], group[0][3], group[-1][4]))
        start, end = len(_joined(olds[:first])), len(_whole(olds[:last]))
        inside = _whole(news[low:high])
        changed = sum(len(_joined(news[i:j]).encode()) for tag, _, _, i, j in group if tag != "equal")
        hunk = Hunk(Document("file:///a.py", "", 1, text), Span(start, end), inside, changed)
        yield hunk
        text = hunk.expected


def _filled(lines: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Add an unchanged line if one side is empty: neither a target nor a reply can be empty."""
    first, last, low, high = lines
    if first < last and low < high:
        return lines
    # Both sides have identical lines before the change. If there are none, take the line after it.
    return (first - 1, last, low - 1, high) if first and low else (first, last + 1, low, high + 1)


def _joined(lines: list[tuple[str, str]]) -> str:
    return "".join(text + ending for text, ending in lines)


def _whole(lines: list[tuple[str, str]]) -> str:
    """Return lines without the last line ending."""
    return _joined(lines[:-1]) + lines[-1][0]


def reply(code: str, dice: random.Random) -> str:
    """Return the reply of a model that answers with this code, in a fence longer than any in the code."""
    mark = dice.choice("``~")
    longest = max((len(found[1]) for found in map(_FENCES.match, code.splitlines()) if found), default=2)
    fence = mark * (longest + 1)
    head = dice.choice(["", "", "Here is the new code:\n\n", "Sure!\n"])
    tail = dice.choice(["", "\n", "\n\nThat should do.\n"])
    return f"{head}{fence}{dice.choice(['', 'python', 'text'])}\n{code}\n{fence}{tail}"


def chunks(text: str, dice: random.Random) -> Iterator[str]:
    """Yield a text in pieces, as models send it."""
    size = dice.choice([1, 4, 12, 40, 400])
    at = 0
    while at < len(text):
        step = dice.randint(1, size)
        yield text[at : at + step]
        at += step
