"""A finding of a review as far as it has come: its fields, whichever form they came in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuppence.core.answer.review import finding_forms as forms
from tuppence.core.answer.review.finding_forms import FieldName, ItemStart
from tuppence.core.answer.review.finding_json import DataFinding
from tuppence.core.text.diagnostic import Severity

LONGEST_READ = 4_000
"""Characters of an item, or of a row, in which its place is looked for."""
_LONGEST_TAG = 40
"""Characters of a cell that may be a severity."""
_CODE = re.compile(r"[^\W\d]{3,}\W{0,3}\(|[=;]")
"""What code has and a list of line numbers has not."""
_NUMBER = re.compile(r"(?<!\w)L?(\d{1,6})(?!\w)")


@dataclass(slots=True)
class FindingDraft:
    """One finding in the making."""

    severity: Severity | None = None
    quote: list[str] = field(default_factory=list)
    message: list[str] = field(default_factory=list)
    fix: list[str] | None = None
    key: FieldName | None = None
    """The field that further lines belong to."""
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """The lines that it names, each by the first and the last, from 1."""
    item: ItemStart | None = None
    """The line that began it, where it is no list of fields."""
    words: list[str] = field(default_factory=list)
    """All lines of an item, in which its place is looked for."""
    is_apart: bool = False
    """Whether a blank line followed what came last."""

    @property
    def evidence(self) -> str:
        """What it says, as far as a place is looked for in it."""
        return "\n".join((*self.words, *self.message))[:LONGEST_READ]

    def add(self, text: str) -> None:
        """Take a further line of an item."""
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
    """Return the draft of an item of which the first line has come.

    :param group: the severity that the heading above gives.
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
    """Return the draft of a table's row; what an unnamed column holds is told from its cells."""
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

    :param quote: the one of its quotations that is in the target, in lines.
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
