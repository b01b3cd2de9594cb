"""A review's reply becomes findings, each as soon as it is complete.

The quoted line decides where a finding stands; a line number only chooses between lines that are alike, because models
copy well and count badly. White space is not compared. A finding whose quotation is not in the target is dropped and
counted. What the format allows is said to the model by ``FORMAT``; what is understood beyond that (emphasis, bullets,
other words for a severity, a fence around the whole answer, a number before the line) is what weaker models do to it.

Whether the findings are right is not judged here, nor anywhere: they are shown as a model's opinion.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuppence.core.answer.markdown import plain
from tuppence.core.answer.reindent import Indentation
from tuppence.core.text.diagnostic import Severity
from tuppence.core.text.document import Document, Span
from tuppence.core.text.lines import Splitter

_KEY = re.compile(
    r"[\s>#*_+-]*(?:\d+[.)]\s*)?[*_`]*(severity|line|quote|code|problem|message|issue|description|fix)[*_`]*\s*:"
    r"[*_]*[ \t]*(.*)",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*(?:-{3,}|={3,}|\*{3,})\s*")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([^`]*)")
_NONE = re.compile(r"[\s*_`>#-]*no (?:findings|issues|problems)\b", re.IGNORECASE)
_SEVERITIES: dict[str, Severity] = {
    **dict.fromkeys(("error", "critical", "blocker", "high", "severe", "major", "bug"), "error"),
    **dict.fromkeys(("warning", "warn", "medium", "moderate"), "warning"),
    **dict.fromkeys(("information", "info", "informational", "note", "low", "minor"), "information"),
    **dict.fromkeys(("hint", "suggestion", "style", "nit", "nitpick"), "hint"),
}
_LONG_WORD = re.compile(r"\w{4,}")
_ALIKE = 3
"""Words of some length that two messages must share to say the same thing."""
_SHARE = 0.7
"""The part of the longer message's such words that they must share."""
_LONGEST = 600
"""Code points of a message; what is longer is cut at a word."""
_NUMBER = re.compile(r"\(?(?:line\s+|L)?(\d+)\)?\s*(?:[:|.)-]\s*|$)", re.IGNORECASE)
_PARTIAL = 6
"""Characters, white space aside, from which a piece of a line identifies it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a review, placed in the document."""

    line: int
    """The line it is about, from 0."""
    span: Span
    """That line's text in the document, white space around it aside."""
    quote: str
    """The line as the document has it, white space around it aside."""
    severity: Severity
    message: str
    """One line of plain text."""
    fix: str | None = None
    """What replaces ``fix_span``; None where the model offered nothing usable."""
    fix_span: Span | None = None
    """The whole quoted line or lines, without the last line ending."""


@dataclass(slots=True)
class _Draft:
    """A finding as far as it has come."""

    severity: Severity | None = None
    quote: list[str] = field(default_factory=list)
    message: list[str] = field(default_factory=list)
    fix: list[str] | None = None
    key: str = ""
    """The field that further lines belong to."""


class Findings:
    """Takes the chunks of a review's reply; yields findings."""

    def __init__(self, document: Document, target: Span) -> None:
        self._document = document
        self._lines = Quotable(document, target)
        self._splitter = Splitter()
        self._draft = _Draft()
        self._marks = ""
        self._quoting = False
        self.found: list[Finding] = []
        """All findings so far, in the order of the reply."""
        self.dropped = 0
        """How many findings quoted nothing that stands in the target."""
        self.clear = False
        """Whether the model said that there is nothing to find."""

    def feed(self, chunk: str) -> tuple[Finding, ...]:
        """Take the next chunk; return the findings that it completes."""
        before = len(self.found)
        for text, _ in self._splitter.feed(chunk):
            self._take(text)
        return tuple(self.found[before:])

    def finish(self) -> tuple[Finding, ...]:
        """Take the end of the reply; return the findings that it completes."""
        before = len(self.found)
        for text, _ in self._splitter.finish():
            self._take(text)
        if self._marks and not self._quoting:
            # A fix whose fence was never closed is not known to be whole.
            self._draft.fix = None
        self._marks = ""
        self._complete()
        return tuple(self.found[before:])

    def _take(self, text: str) -> None:
        if self._marks:
            self._in_fence(text)
        elif fence := _FENCE.fullmatch(text):
            self._open(fence[1])
        elif _RULE.fullmatch(text):
            self._complete()
        elif key := _KEY.fullmatch(text):
            self._field(key[1].lower(), key[2].strip())
        elif _NONE.match(text) and not self._draft.key:
            self.clear = True
        elif text.strip():
            self._more(text)

    def _open(self, marks: str) -> None:
        """Open a fence: of the quotation, of the fix, or one around the whole answer, which is nothing."""
        draft = self._draft
        if draft.key == "line" and not draft.quote:
            self._marks, self._quoting = marks, True
        elif draft.quote and draft.fix is None:
            self._marks, self._quoting = marks, False
            draft.fix = []

    def _in_fence(self, text: str) -> None:
        closing = text.strip()
        if len(closing) >= len(self._marks) and set(closing) == {self._marks[0]}:
            self._marks = ""
            if not self._quoting and self._draft.message:
                self._complete()
        elif self._quoting:
            self._draft.quote.append(text)
        else:
            assert self._draft.fix is not None
            self._draft.fix.append(text)

    def _field(self, key: str, value: str) -> None:
        draft = self._draft
        if key == "severity":
            self._complete()
            draft = self._draft
            draft.severity = _SEVERITIES.get(re.split(r"[^a-z]", value.lower().strip("*_` "))[0], "warning")
        elif key in ("line", "quote", "code"):
            if draft.message:
                self._complete()
                draft = self._draft
            draft.quote = [value] if value else []
            key = "line"
        elif key == "fix":
            # "fix:" announces the fence; a sentence there is no replacement.
            key = "fix"
        else:
            draft.message.append(value)
            key = "problem"
        draft.key = key

    def _more(self, text: str) -> None:
        draft = self._draft
        if draft.key == "line" and not draft.quote:
            draft.quote = [text.strip()]
        elif draft.key == "problem":
            draft.message.append(text)

    def _complete(self) -> None:
        draft, self._draft = self._draft, _Draft()
        message = _shorten(plain(" ".join(draft.message)))
        if not message and not draft.quote:
            return
        place = self._lines.locate(draft.quote)
        if place is None or not message:
            self.dropped += 1
            return
        if any(each.line == place.line and _same(each.message, message) for each in self.found):
            return
        self.found.append(self._finding(draft, place, message))

    def _finding(self, draft: _Draft, place: QuotePlace, message: str) -> Finding:
        document = self._document
        whole = Span(document.line_span(place.line).start, document.line_span(place.line + place.count - 1).end)
        text = document.slice(document.line_span(place.line))
        start = whole.start + len(text) - len(text.lstrip())
        span = Span(start, start + len(text.strip()))
        fix = self._fix(draft.fix, whole) if place.whole else None
        return Finding(
            line=place.line,
            span=span,
            quote=text.strip(),
            severity=draft.severity or "warning",
            message=message,
            fix=fix,
            fix_span=None if fix is None else whole,
        )

    def _fix(self, lines: list[str] | None, whole: Span) -> str | None:
        old = self._document.slice(whole)
        if not lines or not "".join(lines).strip():
            return None
        fix = self._document.newline.join(Indentation(re.split(r"\r\n|\n|\r", old)).move(lines))
        return fix if fix.strip() != old.strip() else None


def says_nothing(reply: str) -> bool:
    """Report whether a reply says that there is nothing to report."""
    return any(_NONE.match(line) for line in reply.splitlines())


def _same(one: str, other: str) -> bool:
    """Report whether two messages about one line say the same thing in hardly other words."""
    first, second = (set(_LONG_WORD.findall(each.casefold())) for each in (one, other))
    if one.casefold() == other.casefold():
        return True
    return len(first & second) >= max(_ALIKE, _SHARE * max(len(first), len(second)))


def _shorten(message: str) -> str:
    if len(message) <= _LONGEST:
        return message
    return message[:_LONGEST].rsplit(" ", 1)[0].rstrip(".,;: ") + " …"


@dataclass(frozen=True, slots=True)
class QuotePlace:
    """Where a quotation stands."""

    line: int
    """Its first line in the document, from 0."""
    count: int
    """How many lines it has."""
    whole: bool
    """Whether whole lines were quoted, and not a piece of one."""


class Quotable:
    """The lines of a target, to be quoted from."""

    def __init__(self, document: Document, target: Span) -> None:
        self._first = document.line_at(target.start)
        last = document.line_at(max(target.start, target.end - 1))
        self._lines = [_squeeze(document.slice(document.line_span(line))) for line in range(self._first, last + 1)]

    def locate(self, quote: Sequence[str]) -> QuotePlace | None:
        """Return where the lines stand together, else the one line that the first is a piece of, else None."""
        filled = [line for line in quote if line.strip()]
        if not filled:
            return None
        readings = _readings(filled[0])
        for number, first in readings:
            wanted = [_squeeze(line) for line in (first, *filled[1:])]
            if places := self._whole(wanted):
                near = min(places, key=lambda line: (abs(line + 1 - number) if number else 0, line))
                return QuotePlace(near, len(wanted), whole=True)
        return next((place for number, first in readings if (place := self._partial(number, first))), None)

    def _whole(self, wanted: list[str]) -> list[int]:
        if not wanted[0]:
            return []
        count = len(wanted)
        return [
            self._first + at
            for at in range(len(self._lines) - count + 1)
            if self._lines[at] == wanted[0] and self._lines[at : at + count] == wanted
        ]

    def _partial(self, number: int, text: str) -> QuotePlace | None:
        piece = _squeeze(text.strip(".… "))
        inside = [self._first + at for at, line in enumerate(self._lines) if piece and piece in line]
        if number and number - 1 in inside:
            return QuotePlace(number - 1, 1, whole=False)
        if len(inside) == 1 and len(piece) >= _PARTIAL:
            return QuotePlace(inside[0], 1, whole=False)
        return None


def _readings(quote: str) -> list[tuple[int, str]]:
    """Return what a quotation may mean, likeliest first: its line number, 0 for none, and the code."""
    quote = quote.strip()
    inner = _unquoted(quote)
    readings = [(0, inner), (0, quote)]
    if (found := _NUMBER.match(quote)) and found.end() < len(quote):
        rest = quote[found.end() :]
        readings = [(int(found[1]), _unquoted(rest)), *readings, (int(found[1]), rest)]
    if inner != quote and (found := _NUMBER.match(inner)) and found.end() < len(inner):
        readings.append((int(found[1]), inner[found.end() :]))
    return readings


def _unquoted(quote: str) -> str:
    run = len(quote) - len(quote.lstrip("`"))
    if run and quote.endswith("`" * run) and len(quote) > 2 * run:
        return quote[run:-run].strip()
    return quote


def _squeeze(text: str) -> str:
    return "".join(text.split())
