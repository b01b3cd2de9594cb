"""Convert a review's reply into findings, each as soon as it is complete.

A finding is placed by the line that it quotes, or by a line number that agrees with its message
(:mod:`tuppence.core.answer.review.finding_places`). A finding without a place is dropped and counted. ``FORMAT`` tells
the model which format to write. Beyond that format, this module also reads what models make of it: emphasis, bullets,
other words and languages, a fence around the whole answer, lists of items, headings, tables, JSON
(:mod:`~tuppence.core.answer.review.finding_forms`, :mod:`~tuppence.core.answer.review.finding_json`).

No module judges whether findings are right: they are shown as a model's opinion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tuppence.core.answer.markdown import plain
from tuppence.core.answer.reindent import Indentation
from tuppence.core.answer.review import finding_forms as forms
from tuppence.core.answer.review.finding_draft import LONGEST_READ, FindingDraft, of_data, of_item, of_row
from tuppence.core.answer.review.finding_forms import FieldName, ItemStart
from tuppence.core.answer.review.finding_json import DataFinding, JsonObjects, opens_json
from tuppence.core.answer.review.finding_places import Quotable, QuotePlace, is_telling
from tuppence.core.text.diagnostic import Severity
from tuppence.core.text.document import Document, Span
from tuppence.core.text.lines import Splitter

_RULE = re.compile(r"\s*(?:-{3,}|={3,}|\*{3,})\s*")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([^`]*)")
_LONG_WORD = re.compile(r"\w{4,}")
_ALIKE = 3
"""Minimum number of long words that two messages on one line must share to count as duplicates."""
_SHARE = 0.7
"""Minimum share of the longer message's long words that they must share."""
_LONGEST = 600
"""Maximum number of code points of a message; a longer one is cut at a word."""
_BOLD = 7
"""The level of a bold heading; headings with hashes have 1 to 6."""
_MOST = 100
"""Number of findings, dropped ones included, after which the rest of a reply is not read."""
_SENTENCE = 8
"""Minimum number of characters of a message for an item without a place to count as dropped."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a review, placed in the document."""

    line: int
    """Index of its line in the document."""
    span: Span
    """The span of that line's text, without surrounding white space."""
    quote: str
    """The text of that line, without surrounding white space."""
    severity: Severity
    message: str
    """One line of plain text."""
    fix: str | None = None
    """The replacement of ``fix_span``; None if the model offered nothing usable."""
    fix_span: Span | None = None
    """The span of the whole quoted lines, without the last line ending."""


class Findings:
    """Takes the chunks of a review's reply; returns findings."""

    def __init__(self, document: Document, target: Span) -> None:
        self._document = document
        self._lines = Quotable(document, target)
        self._splitter = Splitter()
        self._draft = FindingDraft()
        self._marks = ""
        self._into: Literal["quote", "fix", "unsure"] = "fix"
        """What the open fence contains."""
        self._fenced: list[str] = []
        self._fence_indent = 0
        self._json: JsonObjects | None = None
        self._columns: list[FieldName | None] | None = None
        """The columns of the current table; None outside tables."""
        self._last = ""
        """The line before, which may be the head of a table."""
        self._group: Severity | None = None
        """The severity given by the heading above."""
        self._level = 0
        """The level of that heading."""
        self.found: list[Finding] = []
        """All findings so far, in the order of the reply."""
        self.dropped = 0
        """Number of findings that had no place in the target."""

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
        if self._json is not None:
            self._leave_json()
        if self._marks and self._into != "quote":
            # A fix whose fence was not closed may be incomplete.
            self._draft.fix = None
        self._marks = ""
        self._complete()
        return tuple(self.found[before:])

    def _take(self, text: str, *, may_be_json: bool = True) -> None:
        if len(self.found) + self.dropped >= _MOST:
            return
        is_awaited = self._draft.key == "line" and not self._draft.quote
        if self._json is not None:
            self._in_json(text)
        elif self._marks:
            self._in_fence(text)
        elif fence := _FENCE.fullmatch(text):
            self._open(fence[1], fence.start(1))
        elif may_be_json and not is_awaited and opens_json(text):
            self._complete()
            self._json = JsonObjects()
            self._in_json(text)
        elif self._is_row(text):
            self._row(text)
        elif _RULE.fullmatch(text):
            self._complete()
        elif self._draft.item is None and (named := forms.field_of(text)):
            self._field(named[0], named[1].strip())
        elif is_awaited and text.strip():
            self._more(text)
        else:
            self._prose(text)
        self._last = text

    def _prose(self, text: str) -> None:
        """Take a line of an item, or one outside items."""
        draft, start = self._draft, forms.item_start(text)
        if not text.strip():
            draft.is_apart = True
        elif start is not None and forms.field_of(text) is None and (group := forms.group_of(text)):
            self._complete()
            self._group, self._level = group, _level(text)
        elif draft.item is not None and self._belongs(text, start):
            draft.add(text)
        elif start is not None and (draft.item is not None or start.kind == "bullet" or draft.key is None):
            self._complete()
            if _level(text) <= self._level:
                self._group = None
            self._draft = of_item(start, self._group)
        elif draft.item is not None:
            self._complete()
        else:
            self._more(text)

    def _belongs(self, text: str, start: ItemStart | None) -> bool:
        """Report whether a line continues the item: it is deeper, a field, or text without a blank line before it."""
        draft = self._draft
        assert draft.item is not None
        indent = len(text) - len(text.lstrip(" \t"))
        if start is None:
            return draft.item.kind == "heading" or indent > draft.item.indent or not draft.is_apart
        if start.kind == "heading":
            return False
        if forms.field_of(text) is not None and not draft.is_apart:
            return start.kind != "bullet" or indent > draft.item.indent or draft.item.kind != "bullet"
        if draft.item.kind != "heading":
            return indent > draft.item.indent
        return self._has_place(draft) and not self._names_place(start.text)

    def _has_place(self, draft: FindingDraft) -> bool:
        return bool(draft.quote) or self._names_place(draft.evidence)

    def _names_place(self, text: str) -> bool:
        """Report whether a text names a line or quotes enough code to be located."""
        spans = (each for each in forms.spans_of(text[:LONGEST_READ]) if is_telling(each))
        return bool(forms.line_numbers(text[:LONGEST_READ])) or any(self._lines.locate([each]) for each in spans)

    def _is_row(self, text: str) -> bool:
        """Report whether a line, given outside fences and quotations, is part of a table."""
        if forms.is_rule_of_table(text):
            self._complete()
            named = [forms.data_field(each) for each in forms.cells(self._last[:LONGEST_READ])]
            self._columns = named if "|" in self._last else []
            return True
        if self._columns is not None and "|" not in text:
            self._columns = None
        return self._columns is not None or text.lstrip().startswith("|")

    def _row(self, text: str) -> None:
        """Take a table row: a finding, if its columns are named or can be inferred from its cells."""
        if self._columns is None or forms.is_rule_of_table(text):
            return
        self._complete()
        self._draft = of_row(text, self._columns, self._group)
        self._complete()

    def _in_json(self, text: str) -> None:
        assert self._json is not None
        for each in self._json.feed(text):
            self._enter(each)
        if self._json.is_done:
            self._leave_json()

    def _leave_json(self) -> None:
        """End a JSON text; if it was not a review, read its lines in another way."""
        was, self._json = self._json, None
        assert was is not None
        if not was.is_understood:
            for line in was.lines:
                self._take(line, may_be_json=False)

    def _enter(self, data: DataFinding) -> None:
        """Locate and add the finding in an object."""
        quotes = [re.split(r"\r\n|\n|\r", each) for each in data.quotes]
        quote = next((each for each in quotes if self._lines.locate(each)), quotes[0] if quotes else [])
        self._draft = of_data(data, quote, self._group)
        self._complete()

    def _open(self, marks: str, indent: int) -> None:
        """Open a fence around a quotation or a fix; one around the whole answer is ignored."""
        draft = self._draft
        if draft.key in ("line", "quote") and not draft.quote:
            self._marks, self._into = marks, "quote"
        elif draft.item is not None:
            self._marks, self._into, self._fenced, self._fence_indent = marks, "unsure", [], indent
        elif draft.quote and draft.fix is None:
            self._marks, self._into = marks, "fix"
            draft.fix = []

    def _in_fence(self, text: str) -> None:
        closing, draft = text.strip(), self._draft
        if len(closing) >= len(self._marks) and set(closing) == {self._marks[0]}:
            self._marks = ""
            if self._into == "unsure":
                self._fence_of_item(self._fenced)
            elif self._into == "fix" and draft.message and draft.item is None:
                self._complete()
        elif self._into == "quote":
            draft.quote.append(text)
        elif self._into == "unsure":
            self._fenced.append(text[min(self._fence_indent, len(text) - len(text.lstrip(" "))) :])
        else:
            assert draft.fix is not None
            draft.fix.append(text)

    def _fence_of_item(self, lines: list[str]) -> None:
        """Take a fenced block of an item: a quotation if it is in the target, otherwise the fix."""
        draft = self._draft
        if not draft.quote and draft.key != "fix" and self._lines.locate(lines):
            draft.quote = lines
        elif draft.quote and draft.fix is None:
            draft.fix = lines

    def _field(self, name: FieldName, value: str) -> None:
        """Take a field of a finding that is a list of fields."""
        draft = self._draft
        if name == "severity":
            if draft.quote or draft.message or draft.severity or not draft.ranges:
                self._complete()
            draft = self._draft
            draft.severity = forms.severity_of(value) or "warning"
        elif name in ("line", "quote"):
            if draft.message:
                self._complete()
                draft = self._draft
            if name == "line" and (numbers := forms.only_numbers(value)):
                draft.ranges, value = [numbers], ""
            draft.quote = [value] if value else []
            name = "line"
        elif name != "fix":
            # "fix:" announces the fence; a sentence after it is not a replacement.
            draft.message.append(value)
            name = "message"
        draft.key = name

    def _more(self, text: str) -> None:
        draft = self._draft
        if draft.key == "line" and not draft.quote:
            draft.quote = [text.strip()]
        elif draft.key == "message":
            draft.message.append(text)

    def _complete(self) -> None:
        draft, self._draft = self._draft, FindingDraft()
        message = _shorten(plain(" ".join(draft.message)[:LONGEST_READ]))
        if not message and not draft.quote:
            return
        place = self._place(draft, message)
        if place is None or not message:
            is_idle = draft.item is not None and (draft.item.kind == "heading" or len(message) < _SENTENCE)
            self.dropped += not is_idle
            return
        if any(each.line == place.line and _same(each.message, message) for each in self.found):
            return
        self.found.append(self._finding(draft, place, message))

    def _place(self, draft: FindingDraft, message: str) -> QuotePlace | None:
        """Return the place of a finding: its quotation, a whole line in its text, a line it names, or a part of one."""
        if draft.quote and (place := self._lines.locate(draft.quote)):
            return place
        said = draft.evidence or message
        spans = [each for each in forms.spans_of(said) if is_telling(each)] if draft.item else []
        whole = [place for each in spans if (place := self._lines.locate([each]))]
        if (place := next((each for each in whole if each.whole), None)) is not None:
            return place
        is_title = draft.item is not None and draft.item.kind == "heading"
        return self._lines.numbered(draft.ranges, said) or (None if is_title else next(iter(whole), None))

    def _finding(self, draft: FindingDraft, place: QuotePlace, message: str) -> Finding:
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


def _level(text: str) -> int:
    """Return the level of a heading, from 1; a line without hashes is deeper than all headings with them."""
    bare = text.lstrip(" \t")
    marks = len(bare) - len(bare.lstrip("#"))
    return marks or (_BOLD if forms.is_bold(text) else _BOLD + 1)


def _same(one: str, other: str) -> bool:
    """Report whether two messages about one line say nearly the same thing."""
    first, second = (set(_LONG_WORD.findall(each.casefold())) for each in (one, other))
    if one.casefold() == other.casefold():
        return True
    return len(first & second) >= max(_ALIKE, _SHARE * max(len(first), len(second)))


def _shorten(message: str) -> str:
    if len(message) <= _LONGEST:
        return message
    return message[:_LONGEST].rsplit(" ", 1)[0].rstrip(".,;: ") + " …"
