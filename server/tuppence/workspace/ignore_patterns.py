"""Parse and match the patterns of an ignore file as git does: on bytes, and the last match decides.

All of git's corner cases are reproduced, because a pattern that is read differently would send a file that git ignores:
which trailing spaces count, what a bracket may contain, that ``?`` matches one byte, that ``**`` differs from ``*``
only between slashes. Literal names are looked up in a table. Other patterns become regular expressions that do not
backtrack over a star, so the work is at most the length of the pattern times that of the path, and both are limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LARGEST = 256_000
"""Maximum bytes of an ignore file."""
MOST_PATTERNS = 10_000
LONGEST_WILD = 4_000
"""Maximum bytes of a pattern with wildcards."""
MOST_WILD = 40_000
"""Maximum bytes of all patterns with wildcards in a file."""
_TRIED = 20
"""How many times a byte of a pattern with wildcards counts in a weight."""
_BOM = b"\xef\xbb\xbf"
_SPECIAL = re.compile(rb"[*?\[\\]")
_CLASSES = {
    b"alnum": b"0-9A-Za-z",
    b"alpha": b"A-Za-z",
    b"blank": b" \t",
    b"cntrl": b"\0-\x1f\x7f",
    b"digit": b"0-9",
    b"graph": b"!-~",
    b"lower": b"a-z",
    b"print": b" -~",
    b"punct": b"!-/:-@\\[-`{-~",
    b"space": b"\t-\r ",
    b"upper": b"A-Z",
    b"xdigit": b"0-9A-Fa-f",
}
_MEMBERS = {
    name: frozenset(each for each in range(128) if re.match(b"[" + body + b"]", bytes([each])))
    for name, body in _CLASSES.items()
}


class TooMany(Exception):
    """A file exceeds a limit on patterns. The message is a clause that says which."""


class _NeverMatches(Exception):
    """Git accepts the pattern, but no name can match it: an open bracket or a trailing backslash."""


@dataclass(frozen=True, slots=True)
class _Wild:
    """A pattern with wildcards."""

    number: int
    """Its position in the file."""
    excludes: bool
    folders: bool
    """Whether it matches folders only."""
    is_name: bool
    """Whether it matches a name in any folder, rather than a path relative to the ignore file."""
    match: re.Pattern[bytes]


@dataclass(slots=True)
class Patterns:
    """The patterns of one ignore file."""

    weight: int = 0
    """The cost of storing and matching them: the bytes of the file, with wildcard patterns counted several times."""
    names: dict[bytes, list[tuple[int, bool, bool]]] = field(default_factory=dict)
    """Literal names, each with its patterns: position in the file, whether it excludes, whether for folders only."""
    paths: dict[bytes, list[tuple[int, bool, bool]]] = field(default_factory=dict)
    wild: list[_Wild] = field(default_factory=list)
    """The patterns with wildcards, last first."""
    ignore_case: bool = False

    def verdict(self, path: bytes, *, is_folder: bool) -> bool | None:
        """Return whether a path relative to the file's folder is excluded; None where no pattern matches."""
        path = path.lower() if self.ignore_case else path
        name = path.rpartition(b"/")[2]
        best, excluded = -1, False
        for number, excludes, folders in (*self.names.get(name, ()), *self.paths.get(path, ())):
            if number > best and (is_folder or not folders):
                best, excluded = number, excludes
        for each in self.wild:
            if each.number < best:
                break
            if (is_folder or not each.folders) and each.match.fullmatch(name if each.is_name else path):
                return each.excludes
        return None if best < 0 else excluded


def read(data: bytes, *, ignore_case: bool = False) -> Patterns:
    """Parse the contents of an ignore file.

    :raises TooMany: there are too many patterns, or one is too long.
    """
    found = Patterns(len(data), ignore_case=ignore_case)
    wild = 0
    for number, line in enumerate(_lines(data)):
        if number >= MOST_PATTERNS:
            raise TooMany(f"it has more than {MOST_PATTERNS:,} patterns")
        excludes = not line.startswith(b"!")
        body = line if excludes else line[1:]
        folders = body.endswith(b"/")
        body = body[:-1] if folders else body
        is_name = b"/" not in body
        body = body.removeprefix(b"/")
        body = body.lower() if ignore_case and b"[" not in body else body  # a class is named in lower case
        if not _SPECIAL.search(body):
            (found.names if is_name else found.paths).setdefault(body, []).append((number, excludes, folders))
            continue
        wild += len(body)
        if len(body) > LONGEST_WILD or wild > MOST_WILD:
            raise TooMany("its patterns with stars and brackets are too long")
        try:
            expression = _Glob(body, ignore_case=ignore_case).expression(is_name=is_name)
        except _NeverMatches:
            continue
        flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        found.wild.append(_Wild(number, excludes, folders, is_name, re.compile(expression, flags)))
    found.wild.reverse()
    found.weight += _TRIED * wild
    return found


def _lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines that are patterns, trimmed as git trims them."""
    for line in data.removeprefix(_BOM).split(b"\n"):
        if not line or line.startswith(b"#"):
            continue
        yield _trimmed(line.removesuffix(b"\r").partition(b"\0")[0])


def _trimmed(line: bytes) -> bytes:
    """Return a line without its trailing spaces, except those after a backslash."""
    bare = line.rstrip(b" ")
    if bare == line or not bare.endswith(b"\\"):
        return bare
    slashes = len(bare) - len(bare.rstrip(b"\\"))
    return bare + b" " if slashes % 2 else bare


class _Glob:
    """Translates a pattern with wildcards to a regular expression, from left to right."""

    def __init__(self, body: bytes, *, ignore_case: bool) -> None:
        self._body = body
        self._at = 0
        self._ignore_case = ignore_case

    def expression(self, *, is_name: bool) -> bytes:
        """Return the regular expression that matches a whole name or path.

        Git compares the literal prefix first and matches the rest separately, so ``**`` right after that prefix counts
        as if it followed a slash.

        :raises _NeverMatches: no name matches.
        """
        first = _SPECIAL.search(self._body)
        self._at = first.start() if first else len(self._body)
        return re.escape(self._body[: self._at]) + (self._name() if is_name else self._path())

    def _name(self) -> bytes:
        units: list[bytes] = []
        while self._at < len(self._body):
            units.append(b"*" if self._stars() else self._unit())
        return _atomic(units)

    def _path(self) -> bytes:
        """Return the expression for the rest: blocks of names, separated by stars that cross folders."""
        blocks: list[list[list[bytes]]] = [[[]]]
        between: list[bytes] = []
        at_start = True
        while self._at < len(self._body):
            begin, stars = self._at, self._stars()
            slash = re.match(rb"\\?/|\Z", self._body[self._at : self._at + 2])
            if stars > 1 and at_start and slash:
                self._at += len(slash[0])
                blocks.append([[]])
                between.append({b"/": b"(?:[^/]*/)*?", b"\\/": b"(?:[^/]*/)+?", b"": b".*"}[slash[0]])
                continue
            unit = b"*" if stars else self._unit()
            at_start = unit == b"/" and self._at > begin
            if at_start:
                blocks[-1].append([])
            else:
                blocks[-1][-1].append(unit)
        first, *others = [b"/".join(_atomic(units) for units in block) for block in blocks]
        if not others:
            return first
        # A block between two such stars matches at the earliest place, without backtracking.
        joined = [skipped + block for skipped, block in zip(between, others, strict=True)]
        return first + b"".join(b"(?>" + each + b")" for each in joined[:-1]) + joined[-1]

    def _stars(self) -> int:
        """Consume stars and return their number."""
        begin = self._at
        while self._next() == b"*":
            self._at += 1
        return self._at - begin

    def _next(self) -> bytes:
        return self._body[self._at : self._at + 1]

    def _take(self) -> bytes:
        """Consume one byte and return it.

        :raises _NeverMatches: the pattern has ended.
        """
        if self._at >= len(self._body):
            raise _NeverMatches
        self._at += 1
        return self._body[self._at - 1 : self._at]

    def _unit(self) -> bytes:
        """Consume an element that matches one byte and return its expression."""
        one = self._take()
        if one == b"?":
            return b"[^/]"
        if one == b"[":
            return self._bracket()
        one = self._take() if one == b"\\" else one
        return b"/" if one == b"/" else re.escape(one)

    def _bracket(self) -> bytes:
        negated = self._next() in {b"!", b"^"}
        self._at += negated
        members: set[int] = set()
        before, begin = 0, self._at
        while (one := self._take()) != b"]" or self._at == begin + 1:
            if one == b"-" and before and self._next() not in {b"", b"]"}:
                last = self._take()
                members.update(range(before, ord(self._take() if last == b"\\" else last) + 1))
                before = 0
            elif one == b"[" and self._next() == b":" and (named := self._class()) is not None:
                members |= named
                before = 0
            else:
                before = ord(self._take() if one == b"\\" else one)
                members.add(before)
        if self._ignore_case:
            members |= {
                ord(each) for one in members for each in (chr(one).lower(), chr(one).upper()) if one < ord("\x7f")
            }
        members = (set(range(1, 256)) - members if negated else members) - {ord("/")}
        return b"[" + b"".join(re.escape(bytes([each])) for each in sorted(members)) + b"]" if members else b"(?!)"

    def _class(self) -> frozenset[int] | None:
        """Consume a named character class and return its members; None, consuming nothing, where there is none.

        :raises _NeverMatches: the name is unknown.
        """
        end = self._body.find(b"]", self._at + 1)
        if end < 0:
            raise _NeverMatches
        name = self._body[self._at + 1 : end]
        if not name.endswith(b":"):
            return None
        if name[:-1] not in _MEMBERS:
            raise _NeverMatches
        self._at = end + 1
        return _MEMBERS[name[:-1]]


def _atomic(units: list[bytes]) -> bytes:
    """Return the expression of one name. A part between stars matches at its earliest place, without backtracking."""
    runs: list[list[bytes]] = [[]]
    for unit in units:
        if unit == b"*":
            runs.append([])
        else:
            runs[-1].append(unit)
    first, *others = [b"".join(run) for run in runs]
    if not others:
        return first
    return first + b"".join(b"(?>[^/]*?" + run + b")" for run in others[:-1]) + b"[^/]*" + others[-1]
