"""Brackets that pair and those that do not, in a text that no grammar reads; strings and comments are stepped over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from tuppence.core.text.document import Span

_PAIRS = {")": "(", "]": "[", "}": "{"}
_STRINGS = r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"


@dataclass(frozen=True, slots=True)
class Brackets:
    """The brackets of a text."""

    pairs: tuple[Span, ...]
    """Each from its opening bracket to behind its closing one, in order of their ends: inner before outer."""
    lonely: tuple[int, ...]
    """Offsets of brackets without a partner."""

    def around(self, span: Span) -> Span | None:
        """Return the innermost pair that covers the span."""
        return next((pair for pair in self.pairs if pair.covers(span)), None)


def match(text: str, line_comment: str) -> Brackets:
    """Pair the brackets of a text."""
    stack: list[tuple[str, int]] = []
    pairs: list[Span] = []
    lonely: list[int] = []
    for found in _pattern(line_comment).finditer(text):
        mark, offset = found.group(), found.start()
        if mark in _PAIRS.values():
            stack.append((mark, offset))
        elif mark in _PAIRS:
            if stack and stack[-1][0] == _PAIRS[mark]:
                pairs.append(Span(stack.pop()[1], offset + 1))
            else:
                lonely.append(offset)
    return Brackets(tuple(pairs), tuple(sorted((*lonely, *(offset for _, offset in stack)))))


@lru_cache(maxsize=32)
def _pattern(line_comment: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(line_comment)}[^\n]*|/\*.*?\*/|{_STRINGS}|[()\[\]{{}}]", re.DOTALL)
