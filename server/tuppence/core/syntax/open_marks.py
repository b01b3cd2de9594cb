"""Whether a text opens so many ``<`` and ``?`` that a parser must not be asked about it.

Where several readings are open and an error is met, tree-sitter tries each at every level in a single step, which no
limit of steps ends: for 32 KB of ``T<`` in Java, ``A<B,`` in TypeScript or ``a?.`` in C it takes gigabytes. The cost is
the square of the levels that are open, so those of a text are counted first, statement by statement.
"""

from __future__ import annotations

import re

from tuppence.core.syntax.languages import Language

_MOST = 1_000_000
"""The squares of the levels of all statements together; of 1,000 levels in one a parse takes 60 MB."""
_USUAL = 20
"""Levels in one statement that people write, which are not counted."""
_TOKEN = re.compile(
    r""""(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+'|`(?:[^`\\]++|\\.)*+`|\\.|//[^\n]*+|/\*"""
    r"|<<=?|<=|=>|->|>=|\?\?=?|\?\.(?!\d)|[<>?:;{}]",
    re.DOTALL,
)
_ENDS = frozenset(";{}")
_CHAINS = frozenset({"??", "??=", "?."})
_C = frozenset({"c", "cpp"})


def too_many(text: str, language: Language) -> bool:
    """Report whether a text opens more levels than a parser may be asked about.

    Python has nothing that these marks open. Closed strings and comments are passed over.
    """
    if language.id == "python" or (text.count("<") + text.count("?")) ** 2 <= _MOST:
        return False
    at = angles = questions = deepest = cost = 0
    last = text.rfind("*/")
    while found := _TOKEN.search(text, at):
        mark, at = found[0], found.end()
        if mark == "/*":
            at = text.find("*/", at) + 2 if last >= at else at
        elif mark in _ENDS:
            cost += deepest**2 if deepest > _USUAL else 0
            angles = questions = deepest = 0
        elif mark == "<":
            angles += 1
        elif mark == ">":
            angles = max(0, angles - 1)
        elif mark == "?" or (mark in _CHAINS and language.id in _C):
            questions += 1
        elif mark == ":":
            questions = max(0, questions - 1)
        deepest = max(deepest, angles + questions)
    return cost + deepest**2 > _MOST
