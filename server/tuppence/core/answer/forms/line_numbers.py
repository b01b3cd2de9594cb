"""Line numbers before the lines of a reply: some models copy those that an editor shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_NUMBERED = re.compile(r"\[?[ \t]*L?(?P<number>\d{1,6})(?P<mark>\]?[ \t]?[:|.)│→]|\]|\t|(?= {2,})|$)(?P<rest>.*)")
_LEAST = 2
"""Lines that must be numbered: one alone may be anything."""


def without_line_numbers(lines: Sequence[str], original: Sequence[str]) -> list[str] | None:
    """Return lines without the numbers before them; None where they are not numbered.

    Every line that is not blank has to have a number, each by one more than the line before, and all the same mark
    behind it. Where the original lines are so too (a program in BASIC, a list), the numbers are its own.
    """
    stripped = _stripped(lines)
    return None if stripped is None or _stripped(original) is not None else stripped


def _stripped(lines: Sequence[str]) -> list[str] | None:
    found = [(line, _NUMBERED.fullmatch(line.rstrip("\r"))) for line in lines]
    while found and not found[-1][0].strip():
        found.pop()
    while found and not found[0][0].strip():
        found.pop(0)
    matches = [match for _, match in found if match is not None]
    if len(matches) != len(found) or len(found) < _LEAST:
        return None
    numbers = [int(match["number"]) for match in matches]
    if any(after != before + 1 for before, after in pairwise(numbers)):
        return None
    full = [match for match in matches if match["rest"]]
    marks = {match["mark"].strip(" ") or match["mark"] for match in full}
    if not full or len(marks) > 1:
        return None
    # One space belongs to the mark where every line with code has it: `12 | code`.
    has_space = all(match["rest"].startswith(" ") for match in full)
    return [match["rest"][1:] if has_space and match["rest"] else match["rest"] for match in matches]
