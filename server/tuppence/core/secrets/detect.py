"""Find the secrets in a text, by rules that match in linear time whatever the text holds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import re2

from tuppence.core.secrets.key_blocks import key_runs
from tuppence.core.secrets.placeholder import Unsearchable
from tuppence.core.secrets.plausible import plausible
from tuppence.core.secrets.rules import RULES, TELLING_LINE, SecretRule
from tuppence.core.text.document import Span

ALLOWED = ("gitleaks:allow", "tuppence:allow")
"""Words in a comment by which a user marks the values on its line as not secret."""
_ALLOWED_LINE = re.compile(rf"^[^\r\n]*(?:{'|'.join(ALLOWED)})[^\r\n]*", re.MULTILINE)
LARGEST = 20_000_000
"""Code points; a longer text is not searched, and so not sent."""
MOST = 1000
"""Secrets of one text; a text with more is a list of secrets."""
_MATCHES = 5_000
"""Places of one text that look like secrets, whatever they are; a text with more is made to waste time."""
_AWS_NEAR = 400
_RANDOM = re.compile(rb"(?<![A-Za-z0-9+/=_.$@-])[A-Za-z0-9+/=_-]{12,512}(?![A-Za-z0-9+/=_.$@(\[-])")
_QUOTES = (b'"', b"'", b"`")
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")


@dataclass(frozen=True, slots=True, order=True)
class FoundSecret:
    """A secret at a place of a text."""

    span: Span
    kind: str
    """The name shown to the user, such as ``AWS key``."""
    keep: int = 0
    """How many of its first code points are public."""


class SecretDetector:
    """Rules that are ready to be used; safe to share between threads."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        """Compile the rules.

        :param allow: patterns, in the syntax of RE2, of values that are not secrets.
        """
        self._rules = tuple((rule, re2.compile(rule.pattern.encode(), _options())) for rule in RULES)
        self._telling = re2.compile(TELLING_LINE.encode(), _options())
        self._words = re2.Set.SearchSet(_options())
        for rule, _ in self._rules:
            self._words.Add("|".join(map(re2.escape, rule.keywords)).encode())
        self._words.Compile()
        self._allow = tuple(re2.compile(each) for each in allow)

    def find(self, text: str) -> tuple[FoundSecret, ...]:
        """Return the secrets of a text, in order; no two overlap.

        :raises Unsearchable: it is longer than ``LARGEST``, or has more than ``MOST`` secrets.
        """
        if len(text) > LARGEST:
            raise Unsearchable(f"it has more than {LARGEST:,} characters")
        data = text.encode("utf-8", "surrogatepass")
        offsets = _Offsets(text, data)
        found = [FoundSecret(Span(*run), "private key") for run in key_runs(text)]
        for rule, pattern in self._worth_trying(data.lower()):
            found += _matches(rule, pattern, data, offsets)
            if len(found) > _MATCHES:
                raise Unsearchable(f"it has more than {_MATCHES:,} places that look like secrets")
        found += _on_telling_lines(self._telling, data, offsets)
        found += list(_aws_secrets(text, found))
        kept = list(self._without_allowed(text, _apart(found)))
        if len({text[each.span.start : each.span.end] for each in kept}) > MOST:
            raise Unsearchable(f"it holds more than {MOST} secrets")
        return tuple(kept)

    def _worth_trying(self, lower: bytes) -> Iterator[tuple[SecretRule, re2._Regexp]]:
        """Yield the rules that have a keyword in a text."""
        # None says that there are none, and also that the automaton ran out of memory.
        named = self._words.Match(lower)
        for at, (rule, pattern) in enumerate(self._rules):
            if at in named if named else any(word.encode() in lower for word in rule.keywords):
                yield rule, pattern

    def _without_allowed(self, text: str, found: Iterable[FoundSecret]) -> Iterator[FoundSecret]:
        """Yield the findings that the user did not allow, by a word on the line or by a pattern."""
        allowed = [line.span() for line in _ALLOWED_LINE.finditer(text)] if any(w in text for w in ALLOWED) else []
        starts = [start for start, _ in allowed]
        for each in found:
            line = bisect_right(starts, each.span.start) - 1
            if line >= 0 and each.span.start <= allowed[line][1]:
                continue
            if not any(pattern.search(text[each.span.start : each.span.end]) for pattern in self._allow):
                yield each


def _matches(rule: SecretRule, pattern: re2._Regexp, data: bytes, offsets: _Offsets) -> Iterator[FoundSecret]:
    for match in pattern.finditer(data):
        last = max(group for group in range(1, match.re.groups + 1) if match.span(group)[0] >= 0)
        start, end = match.span(last)
        value = data[start:end].decode("utf-8", "replace")
        name = (match.group(1) or b"").decode("utf-8", "replace") if last > 1 else ""
        if not plausible(rule.judge, value, name):
            continue
        kind = rule.kind.format(name=_shown(name)) if name else rule.kind
        keep = max((len(each) for each in rule.prefixes if value.startswith(each)), default=0)
        yield FoundSecret(offsets.span(start, end), kind, keep)


def _on_telling_lines(pattern: re2._Regexp, data: bytes, offsets: _Offsets) -> Iterator[FoundSecret]:
    """Yield the random values on lines that speak of secrets, whatever they are assigned to."""
    for line in pattern.finditer(data):
        start, end = line.span(0)
        for word in _RANDOM.finditer(data, start, end):
            is_quoted = data[word.start() - 1 : word.start()] in _QUOTES
            if plausible("quoted" if is_quoted else "near", word[0].decode()):
                yield FoundSecret(offsets.span(*word.span()), "secret")


def _shown(name: str) -> str:
    """Return the kind of secret that a name speaks of."""
    lower = name.lower()
    for word, kind in _KINDS:
        if word in lower:
            return kind
    return "secret"


_KINDS = (("pass", "password"), ("pwd", "password"), ("token", "token"), ("key", "key"), ("secret", "secret"))


def _aws_secrets(text: str, found: Iterable[FoundSecret]) -> Iterator[FoundSecret]:
    """Yield the long secrets beside the ids of AWS keys, whatever they are called."""
    for each in [each for each in found if each.kind == "AWS key"]:
        start = max(0, each.span.start - _AWS_NEAR)
        for match in _AWS_SECRET.finditer(text, start, each.span.end + _AWS_NEAR):
            if plausible("mixed", match[0]) and any(char.isupper() for char in match[0]):
                yield FoundSecret(Span(*match.span()), "AWS secret key")


def _apart(found: Iterable[FoundSecret]) -> Iterator[FoundSecret]:
    """Yield what was found in order, the longest of those that overlap; a specific kind before a general one."""
    taken: list[FoundSecret] = []
    ends: list[int] = []
    for each in sorted(found, key=lambda one: (one.span.start, -len(one.span), -one.keep)):
        if taken and each.span.start < ends[-1]:
            if each.span.end > ends[-1]:
                rest = FoundSecret(Span(ends[-1], each.span.end), each.kind)
                taken.append(rest)
                ends.append(each.span.end)
            continue
        if each.span:
            taken.append(each)
            ends.append(each.span.end)
    yield from taken


class _Offsets:
    """From bytes of a text to its code points."""

    def __init__(self, text: str, data: bytes) -> None:
        self._is_plain = len(text) == len(data)
        self._data = data
        self._bytes, self._points = [0], [0]

    def span(self, start: int, end: int) -> Span:
        """Return where bytes lie in code points."""
        return Span(start, end) if self._is_plain else Span(self._point(start), self._point(end))

    def _point(self, byte: int) -> int:
        if not self._is_plain and len(self._bytes) == 1:
            for at in range(_STEP, len(self._data) + _STEP, _STEP):
                here = min(at, len(self._data))
                self._points.append(self._points[-1] + _count(self._data[self._bytes[-1] : here]))
                self._bytes.append(here)
        at = bisect_right(self._bytes, byte) - 1
        return self._points[at] + _count(self._data[self._bytes[at] : byte])


_STEP = 4096


def _count(data: bytes) -> int:
    """Return how many code points begin in bytes of UTF-8."""
    return len(data.translate(None, _CONTINUED))


_CONTINUED = bytes(range(0x80, 0xC0))


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return options
