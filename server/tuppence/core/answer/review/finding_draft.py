"""A finding of a review while it is read: its fields, independent of the form of the reply."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuppence.core.answer.review import finding_forms as forms
from tuppence.core.answer.review.finding_forms import FieldName, ItemStart
from tuppence.core.answer.review.finding_json import DataFinding
from tuppence.core.text.diagnostic import Severity

LONGEST_READ = 4_000
"""Maximum number of characters of an item or row in which its place is searched."""
_LONGEST_TAG = 40
"""Maximum number of characters of a table cell that may be a severity."""
_CODE = re.compile(r"[^\W\d]{3,}\W{0,3}\(|[=;]")
"""Matches text that occurs in code but not in a list of line numbers."""
_NUMBER = re.compile(r"(?<!\w)L?(\d{1,6})(?!\w)")


@dataclass(slots=True)
class FindingDraft:
    """A finding that is not complete yet."""

    severity: Severity | None = None
    quote: list[str] = field(default_factory=list)
    message: list[str] = field(default_factory=list)
    fix: list[str] | None = None
    key: FieldName | None = None
    """The field to which following lines belong."""
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """The line ranges that it names, each as first and last line, from 1."""
    item: ItemStart | None = None
    """The line that began it; None for a list of fields."""
    words: list[str] = field(default_factory=list)
    """All lines of an item, in which its place is searched."""
    is_apart: bool = False
    """Whether a blank line followed the last line."""

    @property
    def evidence(self) -> str:
        """The text in which a place is searched, at most ``LONGEST_READ`` characters."""
        return "\n".join((*self.words, *self.message))[:LONGEST_READ]

    def add(self, text: str) -> None:
        """Take the next line of an item."""
        self.is_apart = False
        self.words.append(text)
        self.ranges += forms.line_numbers(text[:LONGEST_READ])
        if named := forms.field_of(text):
            self.put(*named)
        elif self.key != "fix":
            start = forms.item_start(text)
            self.message.append(start.text if start else text)

    def put(self, name: FieldName, value: str) -> None:
        """Take a named field of an item."""
        self.key, value = name, value.strip()
        if name == "severity":
            self.severity = forms.severity_of(value) or self.severity
        elif name == "line":
            if numbers := forms.only_numbers(value) or forms.leading_number(value):
                self.ranges.insert(0, numbers)
            elif value:
                self.quote = [value]
        elif name == "quote" and value:
            self.quote = [value]
        elif name in ("message", "title"):
            self.message.append(value)


def of_item(start: ItemStart, group: Severity | None) -> FindingDraft:
    """Return the draft of an item that begins with a line.

    :param group: the severity given by the heading above.
    """
    head = start.text[:LONGEST_READ]
    draft = FindingDraft(item=start, words=[start.text], severity=forms.tagged_severity(head) or group)
    draft.ranges += (*forms.line_numbers(head), *forms.head_number(head))
    named = forms.field_of(start.text)
    if named is not None and named[0] != "line":
        draft.put(*named)
    elif (said := forms.message_of(start.text)).strip():
        draft.message.append(said)
    return draft


def of_row(text: str, columns: Sequence[FieldName | None], group: Severity | None) -> FindingDraft:
    """Return the draft of a table row; the content of an unnamed column is inferred from its cells."""
    draft = FindingDraft(severity=group, item=ItemStart(0, text, "line"))
    rest: list[str] = []
    for at, cell in enumerate(forms.cells(text[:LONGEST_READ])):
        name = columns[at] if at < len(columns) else None
        numbers = [int(each) for each in _NUMBER.findall(cell)]
        is_lines = bool(numbers) and (name == "line" or re.fullmatch(r"[L\d\s,–-]+", cell) is not None)  # noqa: RUF001
        if is_lines and not _CODE.search(cell):
            draft.ranges.append((numbers[0], max(numbers[0], numbers[-1])))
        elif name in ("line", "quote"):
            draft.quote = [cell] if cell else draft.quote
        elif name == "severity" or (len(cell) < _LONGEST_TAG and forms.tagged_severity(f"[{cell}]")):
            draft.severity = forms.severity_of(cell) or draft.severity
        elif name == "message":
            draft.message.append(cell)
        elif name != "fix":
            rest.append(cell)
    draft.message = draft.message or sorted(rest, key=len)[-1:]
    draft.words = [*rest, *draft.message]
    draft.ranges += forms.line_numbers("\n".join(rest))
    return draft


def of_data(data: DataFinding, quote: list[str], group: Severity | None) -> FindingDraft:
    """Return the draft of a finding in JSON.

    :param quote: the lines of the one of its quotations that is in the target.
    """
    return FindingDraft(
        severity=forms.severity_of(data.severity) or group,
        quote=quote,
        message=[data.message],
        fix=re.split(r"\r\n|\n|\r", data.fix) if forms.shares_words(data.fix, " ".join(quote)) else None,
        ranges=data.ranges,
        item=ItemStart(0, data.message, "line"),
        words=[data.message],
    )
