"""Line numbers before the lines of a reply: a model that saw a numbered listing may answer with one.

They are taken off only where that is certain:

- Every filled line has one, of one form, and each is one more than the one before. A blank line may have a bare number,
  or none, and then it either always counts or never does.
- There are at least two: that one number follows another is what tells a listing from a label or a key.
- No line of the original looks so: ordered lists, integer keys, rows of figures and numbered programs are text.
- Without its number, a line says what one of the original says. So a list that a reply makes of nothing is left alone.

In YAML and in Markdown, numbers before lines that stay can be what was asked for; nothing here knows a language.
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
"""What may stand between a number's mark and the code; where nothing else decides, the first that fits."""


@dataclass(frozen=True, slots=True)
class _NumberedLine:
    """One line of a listing."""

    number: int
    indent: int
    """Columns before it begins."""
    gap: int
    """Spaces between the number and its mark."""
    width: int
    """Columns up to the end of the mark."""
    form: tuple[str, str]
    """What is before and behind the number."""
    rest: str


def without_line_numbers(lines: Sequence[str], original: Sequence[str]) -> list[str] | None:
    """Return the lines of a reply without the numbers before them; None where they are no listing for certain.

    ``original`` is the lines that the reply replaces.
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
    """Report whether all filled lines have a number of one form, and the numbers are consecutive."""
    forms = {each.form for each in read if each is not None}
    return len(forms) == 1 and any(_is_consecutive(lines, read, blank) for blank in (0, 1))


def _is_consecutive(lines: Sequence[str], read: Sequence[_NumberedLine | None], blank: int) -> bool:
    """Report whether each number is one more than the one before, a blank line without one counting ``blank``."""
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
    """Report whether the marks behind the numbers are in one column, or the numbers begin in one."""
    return len({each.width for each in numbered}) == 1 or len({(each.indent, each.gap) for each in numbered}) == 1


def _pad(rests: Sequence[str], original: Sequence[str]) -> str:
    """Return what stands between the marks and the code: what makes most lines the original's."""
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
    """Return a blank line, whether it has a bare number or is one."""
    return line if not line.strip() else ""
