"""The changed lines of an edit, and which of them the request justifies.

White space is ignored: lines that are only indented deeper, as in a new block, have not changed. A change is justified
by a nearby diagnostic, by a name that a diagnostic marks or quotes, or by a name that is added or removed on a
diagnostic's own line, so that a rename may spread anywhere.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.diff import matches
from tuppence.core.text.document import Document, Edit

_NEAR = 3
"""Maximum distance in lines between a diagnostic and a change that it justifies."""
_MARKS = 3
"""Maximum number of names in a diagnostic's span for each of them to count."""
_IDLE = frozenset({"self", "cls", "this", "None", "null", "True", "False", *keyword.kwlist})
"""Words that are too common to justify a change."""
_WORD = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile("[`'\"\u201c\u2018]([^`'\"\u201c\u201d\u2018\u2019\n]{1,80})[`'\"\u201d\u2019]")
_DEFINES = re.compile(r"\s*+(?:@|(?:[a-z]+(?:\([a-z]*\))?\s+)*(?:def|class|func|fn|function|impl|struct|interface)\b)")
_GOES_ON = re.compile(r"(?:else|elif|except|finally|catch|case)\b|[\])}]")
"""Matches a line that continues a statement at its own depth."""
_WHOLE = re.compile(r"complex|too (?:many|long)|docstring|refactor", re.IGNORECASE)
"""Matches messages on a definition's first line that concern the whole definition."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Adjacent changed lines."""

    first: int
    """Index of its first line in the document before."""
    old: tuple[str, ...]
    """The removed lines, without endings; empty for an insertion."""
    new: tuple[str, ...]
    """The added lines."""
    below: str = ""
    """The first unchanged line after it; empty at the edit's end."""

    @property
    def size(self) -> int:
        """The larger of the numbers of filled lines on each side."""
        return max(_said(self.old), _said(self.new))

    @property
    def names(self) -> frozenset[str]:
        """The words that occur on only one side."""
        return frozenset(words(self.old) ^ words(self.new))


def hunks(before: Document, edits: Iterable[Edit]) -> tuple[Hunk, ...]:
    """Return the changes that the edits make, in order."""
    return tuple(hunk for edit in edits for hunk in _of(before, edit))


def unasked(changed: Sequence[Hunk], before: Document, diagnostics: Sequence[Diagnostic]) -> tuple[Hunk, ...]:
    """Return the changed lines that no diagnostic justifies; none if there are no diagnostics."""
    if not diagnostics:
        return ()
    near = _lines(before, diagnostics)
    right_there = [range(lines.start + _NEAR - 1, lines.stop - _NEAR + 1) for lines in near]
    single = [line for hunk in changed for line in singly(hunk)]
    reasons = named(before, diagnostics)
    for line in single:
        if _meets(line, right_there):
            reasons |= line.names
    return tuple(
        line for line in single if not _meets(line, near) and not (words(line.old) | words(line.new)) & reasons
    )


def words(lines: Iterable[str]) -> set[str]:
    """Return the words in lines of code, except single letters and the most common words."""
    return {word for line in lines for word in _WORD.findall(line) if len(word) > 1 and word not in _IDLE}


def _of(before: Document, edit: Edit) -> Iterator[Hunk]:
    """Yield the changes within one edit."""
    whole = before.whole_lines(edit.span)
    first = before.line_at(whole.start)
    text = before.text[whole.start : edit.span.start] + edit.text + before.text[edit.span.end : whole.end]
    old, new = _split(before.slice(whole)), _split(text)
    i1 = j1 = 0
    for i2, j2, size in (*matches([*map(_bare, old)], [*map(_bare, new)]), (len(old), len(new), 0)):
        if _said(old[i1:i2]) or _said(new[j1:j2]):
            yield Hunk(first + i1, tuple(old[i1:i2]), tuple(new[j1:j2]), new[j2] if j2 < len(new) else "")
        i1, j1 = i2 + size, j2 + size


def _lines(before: Document, diagnostics: Sequence[Diagnostic]) -> list[range]:
    """Return the range of lines near each diagnostic; for a statement with a block, the block is included."""
    size = len(before.text)
    found: list[range] = []
    for each in diagnostics:
        first, last = before.line_at(min(each.span.start, size)), before.line_at(min(each.span.end, size))
        header = _line(before, first)
        if not _DEFINES.match(header) or _WHOLE.search(each.message):
            depth = len(header) - len(header.lstrip())
            while last + 1 < before.line_count and _is_deeper(_line(before, last + 1), depth):
                last += 1
        found.append(range(first - _NEAR, last + _NEAR + 1))
    return found


def _line(before: Document, line: int) -> str:
    return before.slice(before.line_span(line))


def _is_deeper(line: str, depth: int) -> bool:
    deep = len(line) - len(line.lstrip())
    return not line.strip() or deep > depth or (deep == depth and _GOES_ON.match(line.strip()) is not None)


def _meets(hunk: Hunk, near: Sequence[range]) -> bool:
    last = hunk.first + max(0, len(hunk.old) - 1)
    return any(hunk.first < lines.stop and last >= lines.start for lines in near)


def singly(hunk: Hunk) -> Iterator[Hunk]:
    """Yield a hunk split into single old lines, each with the new lines at the same relative position."""
    if not hunk.old:
        yield hunk
    count, come = len(hunk.old), len(hunk.new)
    for index, line in enumerate(hunk.old):
        first, behind = -(-index * come // count), -(-(index + 1) * come // count)
        yield Hunk(hunk.first + index, (line,), hunk.new[first:behind])


def named(before: Document, diagnostics: Sequence[Diagnostic]) -> set[str]:
    """Return the names that diagnostics mark or quote."""
    marked: set[str] = set()
    for each in diagnostics:
        found = words([before.slice(each.span)])
        # A span of a whole line or more marks no name.
        marked |= found if len(found) <= _MARKS else set()
    quoted = {word for each in diagnostics for part in _QUOTED.findall(each.message) for word in words([part])}
    return marked | quoted


def _said(lines: Sequence[str]) -> int:
    return sum(1 for line in lines if line.strip())


def _bare(line: str) -> str:
    return "".join(line.split())


def _split(text: str) -> list[str]:
    return re.split(r"\r\n|\n|\r", text)
