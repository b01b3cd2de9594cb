r"""Find key material between BEGIN and END lines: PEM, OpenSSH and PGP, on lines or in a string with ``\n``.

Certificates and public keys are not secrets. Each run of key characters is a separate secret, so that a part of a block
that an excerpt cut off is replaced as well.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

_SPACE = r"(?: |%20|\+)"
_JOIN = r"""(?:["'`]\s{0,4}[+.]?\s{0,40}["'`])?"""
"""What separates the parts of a BEGIN line that a program concatenates."""
_KIND = (
    rf"(?:(?:[A-Z0-9]|{_SPACE}){{0,40}}PRIVATE{_SPACE}KEY(?:{_SPACE}BLOCK)?"
    rf"|PGP{_SPACE}MESSAGE|ENCRYPTED{_SPACE}MESSAGE)"
)
_BEGIN = re.compile(rf"-{{4,5}} ?{_JOIN}BEGIN{_SPACE}{_JOIN}{_KIND} ?{_JOIN}-{{4,5}}", re.IGNORECASE)
_MARK = re.compile(rf"-{{4,5}} ?{_JOIN}(BEGIN|END){_SPACE}", re.IGNORECASE)
_CODED = re.compile(
    r"LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFURS|BQUklWQVRF|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVE|BFTkNSWVBURUQgUFJJVkFUR|"
    r"BEU0EgUFJJVkFURS|BQR1AgUFJJVkFUR)[A-Za-z0-9+/=]*"
    r"(?:(?:\\[nr])?[\"'`,+\\ \t]{0,8}(?:\r\n|\r|\n)[\"'`#/* \t]{0,40}[A-Za-z0-9+/]{16,}={0,2}"
    r"(?=(?:\\[nr])?[\"'`,;+)\\ \t]{0,8}(?:[\r\n]|\Z)))*"
)
"""A block that is base64-encoded again, as in Kubernetes and CI systems, on one or several lines."""
_PUTTY = re.compile(r"Private-Lines: \d{1,4}\s")
_LONGEST = 40_000
"""Maximum code points of one block."""
_RUN = re.compile(r"[A-Za-z0-9+/=]{8,}")
_SHORT = re.compile(r"(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/=]*[0-9+/=])[A-Za-z0-9+/=]{4,7}(?![A-Za-z0-9+/=])")
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=]{16,}")
_CERTAIN = 40
"""Minimum code points of a run that cannot be a name."""
_DIGITS = 3
"""Minimum digits and symbols of a shorter run that cannot be a name."""
_LEAST = 4
_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID): ?[^\r\n\\]*")
_UNENDED = re.compile(
    r"(?:[^A-Za-z0-9+/=\r\n]{0,40}(?:\\[nr])?[A-Za-z0-9+/=]{16,}[^A-Za-z0-9+/=\r\n]{0,40}(?:\r\n|\r|\n|\Z))+"
)


_MISSED = 4
"""Consecutive lines without key material that end a block without an END line."""


def key_runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end offset of each run of key material, in code points, in order."""
    if "----" in text:
        done = 0
        marks = [(found.start(), found[1].upper() == "END") for found in _MARK.finditer(text)]
        starts = [start for start, _ in marks]
        for begin in _BEGIN.finditer(text):
            if begin.end() < done:  # pragma: no cover - each block ends at the next mark at the latest
                continue
            following = bisect_right(starts, begin.start())
            mark = marks[following] if following < len(marks) else (len(text), False)
            done = _end(text, begin.end(), mark)
            yield from _runs(text, begin.end(), done)
    for found in _CODED.finditer(text):
        yield from _runs(text, found.start(), found.end())
    if "Private-Lines: " in text:
        for found in _PUTTY.finditer(text):
            body = _UNENDED.match(text, found.end())
            if body:
                yield from _runs(text, body.start(), body.end())


def _end(text: str, at: int, mark: tuple[int, bool]) -> int:
    """Return the end of a block. Without an END line, it ends where lines no longer look like key material.

    :param at: the end of its BEGIN line.
    :param mark: the start of the next BEGIN or END line, and whether it is an END line.
    """
    stop, is_ended = mark
    if is_ended and stop - at <= _LONGEST:
        return stop
    stop = min(stop, at + _LONGEST)
    last = at
    missed = 0
    while at < stop and missed <= _MISSED:
        line = text.find("\n", at, stop)
        line = stop if line < 0 else line + 1
        if _LONG_RUN.search(text, at, line):
            last, missed = line, 0
        else:
            missed += 1
        at = line
    return last


def _runs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of a block: all if it is real, none if it is code that builds a block."""
    hidden = [found.span() for found in _HEADER.finditer(text, start, end)]
    body = text[start:end]
    if not any(_is_key(found[0]) for found in _LONG_RUN.finditer(body)):
        return
    for pattern in (_RUN, _SHORT):
        for found in pattern.finditer(body):
            at, to = found.start() + start, found.end() + start
            if text[at - 1] == "\\" and text[at] in "nrt":
                at += 1
            if to - at >= _LEAST and not any(first <= at < last for first, last in hidden):
                yield at, to


def _is_key(run: str) -> bool:
    """Return whether a run is part of a key, rather than a name in code about keys."""
    return len(run) >= _CERTAIN or sum(not each.isalpha() for each in run) >= _DIGITS
