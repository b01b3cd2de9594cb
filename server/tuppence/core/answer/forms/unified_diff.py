r"""Unified diffs: some models answer with one although they were asked for something else.

File headers are optional. The numbers of ``@@ -1,2 +3,4 @@`` are ignored, because models get them wrong more often than
right: a hunk is applied only if its old side occurs in the original exactly once, indentation aside
(:mod:`tuppence.core.answer.forms.matching`), and hunks must be in order. New lines are moved by the indentation of the
match. Context lines stay as the original has them. ``*** Begin Patch`` and similar lines, ``@@ def f():`` and a bare
``@@`` are headers too. A blank context line may have lost its leading space.

Line endings follow the document if it has only one kind. ``\ No newline at end of file`` is obeyed if the hunk reaches
the end of the original.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from tuppence.core.answer.forms.matching import LineBlockPlace, LineChange, TextLines
from tuppence.core.text.lines import split

_HUNK = re.compile(r"@@(?: .*)?")
_RANGES = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@.*")
_OLD, _NEW = re.compile(r"--- (\S.*)"), re.compile(r"\+\+\+ (\S.*)")
_ABOVE = re.compile(
    r"diff (?:--git )?\S.*|index [0-9a-f]+\.\..*|(?:old|new) mode \d+|similarity index .*|Index: \S.*|={20,}"
    r"|\*\*\* (?:Begin Patch|End Patch|End of File|Update File: .*)"
)
_OPENS = re.compile(r"diff --git \S.*|Index: \S.*|\*\*\* Begin Patch|\*\*\* Update File: \S.*")
_OTHER_FILE = re.compile(
    r"(?:new file|deleted file) mode .*|(?:rename|copy) (?:from|to) .*|\*\*\* (?:Add|Delete) File: .*"
)
_NO_NEWLINE = re.compile(r"\\ No newline.*", re.IGNORECASE)
_LONE_CR = re.compile(r"\r(?!\n)")
_NOWHERE = "/dev/null"


class MalformedDiff(ValueError):
    """A diff that can't be read, or can't be applied with certainty; the message is a sentence for the user."""


def looks_like_diff(text: str, original: str = "") -> bool:
    """Report whether a fence, or its beginning, holds a diff rather than code.

    Any of these signs counts, unless ``original``, the whole document, has it too: a hunk header with ranges, or the
    two headers of a file, anywhere; a bare ``@@``, a git header or a patch header on the first filled line; or a ``+``,
    ``-`` or space before every line, with both ``+`` and ``-`` among them.
    """
    lines = [line for line, _ in split(text)]
    first = next((line.rstrip() for line in lines if line.strip()), "")
    has_ranges = any(_RANGES.fullmatch(line) for line in lines)
    has_headers, is_signed = _has_headers(lines), _is_signed(lines)
    opening = next((sign for sign in (_HUNK, _OPENS) if sign.fullmatch(first)), None)
    if not (has_ranges or has_headers or is_signed or opening):
        return False
    before = [line for line, _ in split(original)]
    if has_ranges and not any(_RANGES.fullmatch(line) for line in before):
        return True
    if has_headers and not _has_headers(before):
        return True
    if opening and not any(opening.fullmatch(line.strip()) for line in before):
        return True
    return is_signed and not any(line.startswith(("+", "-")) for line in before)


def apply_diff(original: str, diff: str) -> str:
    """Return the original, a whole document, after applying a diff.

    :raises MalformedDiff: the diff can't be read, covers several files, or has a hunk whose old side does not occur
        exactly once.
    """
    hunks = _read(diff)
    if not hunks:
        raise MalformedDiff("The answer is a diff that changes nothing.")
    if not original:
        return _written(hunks)
    text = TextLines(original)
    changes: list[LineChange] = []
    ending: bool | None = None
    done, edited = 0, -1
    for number, hunk in enumerate(hunks, 1):
        place, hunk = _place(text, hunk, number)  # noqa: PLW2901 - the same hunk, less what no line is there for
        made = hunk.changes(place, number)
        if place.first < done and made[0].first <= edited:
            raise MalformedDiff(f"Hunks {number - 1} and {number} of the answer's diff are not in order.")
        changes += made
        done, edited = place.last, made[-1].last
        ending = hunk.ending if hunk.ending is not None else ending
        if hunk.ending is not None and place.last != text.count:
            raise MalformedDiff(f"Hunk {number} of the answer's diff is not at the end of the file, as it says.")
    result = text.changed(changes, ending=ending)
    if result is None:
        raise MalformedDiff("The answer's diff would make one line ending of two.")
    return result


@dataclass(slots=True)
class DiffHunk:
    """One hunk of a diff."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of a sign and a line; the sign of a blank line that lost its leading space is empty."""
    bare: set[str] = field(default_factory=set)
    """The signs of the lines that are followed by ``No newline at end of file``."""

    @property
    def old(self) -> list[str]:
        """The lines of the old side."""
        return [line for sign, line in self.lines if sign != "+"]

    @property
    def new(self) -> list[str]:
        """The lines of the new side."""
        return [line for sign, line in self.lines if sign != "-"]

    @property
    def ending(self) -> bool | None:
        """Whether the file ends with a line ending afterwards; None if that does not change."""
        if self.bare in (set(), {"+", "-"}) or " " in self.bare:
            return None
        return "-" in self.bare

    def changes(self, place: LineBlockPlace, number: int) -> list[LineChange]:
        """Return the line changes that the hunk makes at its place.

        :raises MalformedDiff: the new lines cannot be moved as the match was.
        """
        changes: list[LineChange] = []
        at = first = place.first
        come: list[str] = []
        for sign, line in [*self.lines, (" ", "")]:
            if sign == "+":
                come.append(line)
            elif sign == "-":
                at += 1
            else:
                if at > first or come:
                    moved = place.move(come)
                    if moved is None:
                        raise MalformedDiff(f"The lines of hunk {number} of the answer's diff are not indented alike.")
                    changes.append(LineChange(first, at, tuple(moved)))
                at, come = at + 1, []
                first = at
        return changes


def _has_headers(lines: list[str]) -> bool:
    return any(_OLD.fullmatch(one) and _NEW.fullmatch(other) for one, other in pairwise(lines))


def _is_signed(lines: list[str]) -> bool:
    """Report whether every line begins with ``+``, ``-`` or a space, and both ``+`` and ``-`` occur."""
    first = {line[0] for line in lines if line}
    return first <= {"+", "-", " "} and {"+", "-"} <= first


def _read(diff: str) -> list[DiffHunk]:
    """Return the hunks of a diff that change something."""
    if _LONE_CR.search(diff):
        raise MalformedDiff("The answer's diff has a line ending that can't be distinguished from text.")
    lines = [line for line, _ in split(diff)]
    while lines and not lines[-1]:
        lines.pop()
    reader = _DiffReader()
    at = 0
    while at < len(lines):
        at += reader.take(lines[at], lines[at + 1 : at + 3])
    return [hunk for hunk in reader.hunks if any(sign in ("+", "-") for sign, _ in hunk.lines)]


class _DiffReader:
    """Reads the lines of a diff into hunks."""

    def __init__(self) -> None:
        self.hunks: list[DiffHunk] = []
        self._file: str | None = None
        self._inside = False

    def take(self, line: str, following: list[str]) -> int:
        """Take the next line, given the two that follow it; return the number of lines read."""
        if _OTHER_FILE.fullmatch(line):
            raise MalformedDiff("The answer's diff adds, deletes or renames a file.")
        if self._is_header(line, following):
            self._begin_file(following[0])
            return 2
        if _HUNK.fullmatch(line.rstrip()):
            self.hunks.append(DiffHunk())
            self._inside = True
        elif _ABOVE.fullmatch(line.rstrip()):
            self._inside = False
        elif _NO_NEWLINE.fullmatch(line) and self.hunks and self.hunks[-1].lines:
            self.hunks[-1].bare.add(self.hunks[-1].lines[-1][0] or " ")
        elif line.strip() or self._inside:
            self._content(line)
        return 1

    def _is_header(self, line: str, following: list[str]) -> bool:
        """Report whether a file's two headers begin here; inside a hunk they count only if a hunk header follows."""
        if not following or not _OLD.fullmatch(line) or not _NEW.fullmatch(following[0]):
            return False
        return not self._inside or (len(following) > 1 and bool(_HUNK.fullmatch(following[1].rstrip())))

    def _begin_file(self, new: str) -> None:
        name = _path(new)
        if name == _NOWHERE:
            raise MalformedDiff("The answer's diff deletes the file.")
        # If no file was named before, the two lines may be a change of text that itself begins with these signs.
        if self._file != name and (self._file is not None or self._inside):
            raise MalformedDiff("The answer's diff is of more than one file.")
        self._file = name
        self._inside = False

    def _content(self, line: str) -> None:
        if line.strip() and line[0] not in "+- ":
            raise MalformedDiff("The answer's diff has a line that is neither context nor a change.")
        if not self._inside:
            self.hunks.append(DiffHunk())
            self._inside = True
        signed = line[:1] in ("+", "-", " ")
        self.hunks[-1].lines.append((line[0], line[1:]) if signed else ("", ""))


def _path(header: str) -> str:
    """Return the path in a file header without its timestamp and without the ``a/`` or ``b/`` prefix."""
    name = header[4:].partition("\t")[0].strip()
    return name[2:] if name[:2] in ("a/", "b/") else name


def _written(hunks: list[DiffHunk]) -> str:
    """Return the content that a diff gives to an empty document."""
    if len(hunks) > 1 or any(line.strip() for line in hunks[0].old):
        raise MalformedDiff("Hunk 1 of the answer's diff changes lines that are not in the file.")
    new = hunks[0].new
    return "\n".join(new if "+" in hunks[0].bare else [*new, ""])


def _place(text: TextLines, hunk: DiffHunk, number: int) -> tuple[LineBlockPlace, DiffHunk]:
    """Return the place of a hunk, and the hunk, if necessary without the unsigned blank lines at its ends."""
    if not any(line.strip() for line in hunk.old):
        raise MalformedDiff(f"Hunk {number} of the answer's diff has no line by which its place is known.")
    for form in (hunk, _trimmed(hunk)):
        found = text.find(form.old)
        if len(found) > 1:
            raise MalformedDiff(f"Hunk {number} of the answer's diff fits in {len(found)} places of the file.")
        if found:
            return found[0], form
    raise MalformedDiff(f"Hunk {number} of the answer's diff changes lines that are not in the file.")


def _trimmed(hunk: DiffHunk) -> DiffHunk:
    lines = list(hunk.lines)
    while lines and not lines[-1][0]:
        lines.pop()
    while lines and not lines[0][0]:
        del lines[0]
    return DiffHunk(lines, hunk.bare)
