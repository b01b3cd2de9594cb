"""Detect texts with so many open ``<`` and ``?`` that tree-sitter must not parse them.

If several interpretations are open at an error, tree-sitter tries each at every level in a single step, so a step limit
does not help: 32 KB of ``T<`` in Java, ``A<B,`` in TypeScript or ``a?.`` in C take gigabytes. The cost grows with the
square of the open levels, so these are counted first, statement by statement.
"""

from __future__ import annotations

import re

from tuppence.core.syntax.languages import Language

_MOST = 1_000_000
"""Maximum sum over statements of the squared levels; a parse with 1,000 levels in one statement takes 60 MB."""
_USUAL = 20
"""Number of levels in a statement that occur in ordinary code and are not counted."""
_TOKEN = re.compile(
    r""""(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+'|`(?:[^`\\]++|\\.)*+`|\\.|//[^\n]*+|/\*"""
    r"|<<=?|<=|=>|->|>=|\?\?=?|\?\.(?!\d)|[<>?:;{}]",
    re.DOTALL,
)
_ENDS = frozenset(";{}")
_CHAINS = frozenset({"??", "??=", "?."})
_C = frozenset({"c", "cpp"})


def too_many(text: str, language: Language) -> bool:
    """Report whether a text has more open levels than may be parsed.

    Python has no syntax that these marks open. Closed strings and comments are skipped.
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
