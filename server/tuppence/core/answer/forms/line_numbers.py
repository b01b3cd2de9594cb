"""Line numbers in a reply: a model that saw a numbered listing may answer with one.

The numbers are removed only if all of this holds:

- Every filled line has a number in one common form, and each number is one more than the one before. A blank line may
  have only a number, or none; blank lines without a number are either all counted or all not counted.
- There are at least two numbers. Consecutive numbers distinguish a listing from a label or a key.
- No line of the original has this form: ordered lists, integer keys, rows of figures and numbered programs are text.
- Without its number, at least one line equals a line of the original. So a new numbered list is left alone.

In YAML and in Markdown, numbers before unchanged lines can be what was asked for; this module does not know languages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBERED = re.compile(
    r"(?P<indent>[ ]{0,12})(?P<open>\[|L|Line |)(?P<number>[0-9]{1,6})(?P<gap>[ ]{0,6})"
    r"(?P<mark>[:|.│→\t\]])(?P<rest>.*)",
    re.DOTALL,
)
_BARE = re.compile(r"[ ]{0,12}(?P<open>\[|L|Line |)(?P<number>[0-9]{1,6})[ \t]{0,12}")
_LEAST = 2
_PADS = (" ", "", "  ", "\t")
"""Possible text between a number's mark and the code; if nothing else decides, the first that fits."""


@dataclass(frozen=True, slots=True)
class _NumberedLine:
    """One line of a numbered listing."""

    number: int
    indent: int
    """Number of columns before the number's prefix."""
    gap: int
    """Number of spaces between the number and its mark."""
    width: int
    """Number of columns up to the end of the mark."""
    form: tuple[str, str]
    """The text before the number, and the mark behind it."""
    rest: str


def without_line_numbers(lines: Sequence[str], original: Sequence[str]) -> list[str] | None:
    """Return the lines of a reply without line numbers; None if they are not certainly a numbered listing.

    :param original: the lines that the reply replaces.
    """
    read = [_read(line) for line in lines]
    numbered = [each for each in read if each is not None]
    if len(numbered) < _LEAST or not _is_listing(lines, read) or not _is_aligned(numbered):
        return None
    if any(found is not None and found.form == numbered[0].form for found in map(_read, original)):
        return None
    known = {line.strip() for line in original if any(map(str.isalnum, line))}
    if not any(each.rest.strip() in known for each in numbered):
        return None
    pad = _pad([each.rest for each in numbered if each.rest.strip()], original)
    bodies = iter([_body(each, pad) for each in numbered])
    return [_blank(line) if each is None else next(bodies) for line, each in zip(lines, read, strict=True)]


def _read(line: str) -> _NumberedLine | None:
    found = _NUMBERED.fullmatch(line)
    if found is None or (found["open"] == "[") != (found["mark"] == "]"):
        return None
    if found["mark"] == "." and found["rest"].strip() and not found["rest"].startswith(" "):
        return None
    form = (found["open"], found["mark"])
    ends = found.start("rest")
    return _NumberedLine(int(found["number"]), len(found["indent"]), len(found["gap"]), ends, form, found["rest"])


def _is_listing(lines: Sequence[str], read: Sequence[_NumberedLine | None]) -> bool:
    """Report whether all filled lines have a number in one form, and the numbers are consecutive."""
    forms = {each.form for each in read if each is not None}
    return len(forms) == 1 and any(_is_consecutive(lines, read, blank) for blank in (0, 1))


def _is_consecutive(lines: Sequence[str], read: Sequence[_NumberedLine | None], blank: int) -> bool:
    """Report whether each number is one more than the one before; a blank line without a number counts ``blank``."""
    expected: int | None = None
    for line, each in zip(lines, read, strict=True):
        bare = _BARE.fullmatch(line)
        if each is None and not line.strip():
            expected = expected + blank if expected is not None else None
            continue
        if each is None and bare is None:
            return False
        number = each.number if each is not None else int(bare["number"] if bare else 0)
        if expected not in (None, number):
            return False
        expected = number + 1
    return True


def _is_aligned(numbered: Sequence[_NumberedLine]) -> bool:
    """Report whether all marks end in one column, or all numbers begin in one column."""
    return len({each.width for each in numbered}) == 1 or len({(each.indent, each.gap) for each in numbered}) == 1


def _pad(rests: Sequence[str], original: Sequence[str]) -> str:
    """Return the text between the marks and the code that makes most lines equal to lines of the original."""
    known = {line.rstrip() for line in original}
    fits = [pad for pad in _PADS if all(rest.startswith(pad) for rest in rests)]

    def worth(pad: str) -> tuple[int, bool, bool]:
        bodies = [rest.removeprefix(pad) for rest in rests]
        leads = [len(body) - len(body.lstrip(" ")) for body in bodies]
        equal = sum(body.rstrip() in known for body in bodies)
        return equal, not any(lead % 2 for lead in leads), bool(pad) and not min(leads)

    return max(fits, key=worth)


def _body(line: _NumberedLine, pad: str) -> str:
    return line.rest.removeprefix(pad) if line.rest.strip() else ""


def _blank(line: str) -> str:
    """Return an unnumbered blank line unchanged, and an empty line for a bare number."""
    return line if not line.strip() else ""
