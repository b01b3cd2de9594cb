"""A review's reply becomes findings on the lines that it quotes, whatever a weak model does to the form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.actions import FORMAT
from tuppence.core.answer.review.finding_places import Quotable
from tuppence.core.answer.review.findings import Finding, Findings
from tuppence.core.answer.review.no_findings import nothing_found
from tuppence.core.text.document import Document, Edit, Span, apply

CODE = (
    "import os\n\ndef mean(items):\n    total = sum(items)\n    return total / len(items)\n\n"
    "return total\n    pass\n    pass\n"
)
DOCUMENT = Document("file:///a.py", "python", 1, CODE)
WHOLE = Span(0, len(CODE))
GOOD = """severity: error
line: `    return total / len(items)`
problem: It divides by zero when `items` is empty.
```
    return total / len(items) if items else 0.0
```
---
severity: hint
line: `import os`
problem: The module is never used.
---
"""


def read(reply: str, document: Document = DOCUMENT, target: Span = WHOLE, size: int = 9) -> Findings:
    findings = Findings(document, target)
    for at in range(0, len(reply), size):
        findings.feed(reply[at : at + size])
    findings.finish()
    return findings


def only(reply: str) -> Finding:
    findings = read(reply)
    assert findings.dropped == 0
    (finding,) = findings.found
    return finding


def test_the_form_that_is_asked_for() -> None:
    first, second = read(GOOD).found
    assert (first.line, first.severity, first.message) == (4, "error", "It divides by zero when `items` is empty.")
    assert DOCUMENT.slice(first.span) == first.quote == "return total / len(items)"
    assert first.fix is not None
    assert first.fix_span is not None
    assert apply(CODE, (Edit(first.fix_span, first.fix),)) == CODE.replace(
        "    return total / len(items)", "    return total / len(items) if items else 0.0"
    )
    assert (second.line, second.severity, second.fix, second.fix_span) == (0, "hint", None, None)


def test_the_format_describes_what_is_read() -> None:
    example = FORMAT.split("\n\n")[1].replace("the one line of code that it is about, copied exactly", "import os")
    finding = only(example)
    assert (finding.severity, finding.line) == ("error", 0)
    assert finding.fix is not None


def test_each_finding_comes_when_it_is_complete() -> None:
    findings = Findings(DOCUMENT, WHOLE)
    head, tail = GOOD.split("---\n", 1)
    (first,) = findings.feed(head)
    assert first.line == 4
    assert findings.feed("---\n" + tail[: tail.index("never")]) == ()
    (second,) = findings.feed(tail[tail.index("never") :])
    assert second.line == 0


@pytest.mark.parametrize(
    "line",
    [
        "line: `import os`",
        "line: import os",
        "line: 1: `import os`",
        "line: `1: import os`",
        "Line 1: `import os`".replace("Line 1:", "line:"),
        "**Line:** `import os`",
        "- line: ``import os``",
        "line: `import    os`",
        "line:\n```python\nimport os\n```",
        "line:\nimport os",
        "quote: 99: `import os`",
    ],
)
def test_ways_of_quoting(line: str) -> None:
    finding = only(f"severity: warning\n{line}\nproblem: Unused.")
    assert (finding.line, finding.quote, finding.message) == (0, "import os", "Unused.")


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("Error", "error"),
        ("**critical**", "error"),
        ("medium", "warning"),
        ("info", "information"),
        ("nit", "hint"),
        ("?", "warning"),
    ],
)
def test_words_for_a_severity(word: str, severity: str) -> None:
    assert only(f"severity: {word}\nline: `import os`\nproblem: Unused.").severity == severity


def test_the_number_only_chooses_between_lines_that_are_alike() -> None:
    assert only("severity: hint\nline: 9: `pass`\nproblem: Needless.").line == 8
    assert only("severity: hint\nline: 8: `pass`\nproblem: Needless.").line == 7
    assert only("severity: hint\nline: `pass`\nproblem: Needless.").line == 7


def test_a_piece_of_one_line_places_a_finding_but_takes_no_fix() -> None:
    finding = only("severity: error\nline: `total / len(items)`\nproblem: Zero.\n```\nx\n```\n")
    assert (finding.line, finding.fix) == (4, None)


def test_a_quotation_that_is_not_in_the_target_is_dropped() -> None:
    findings = read("severity: error\nline: `nothing like it`\nproblem: Bad.\n---\n" + GOOD)
    assert len(findings.found) == 2
    assert findings.dropped == 1
    outside = read(GOOD, target=Span(CODE.index("def"), len(CODE)))
    assert [each.line for each in outside.found] == [4]
    assert outside.dropped == 1
    assert read("severity: error\nline: 3\nproblem: Bad.\n").dropped == 1


def test_the_same_finding_twice_is_one() -> None:
    findings = read(GOOD + GOOD)
    assert (len(findings.found), findings.dropped) == (2, 0)


@pytest.mark.parametrize(
    ("other", "count"),
    [
        ("The list of items may be empty, which then divides by zero.", 1),
        ("Divides by zero when the list of items is empty.", 1),
        ("The name of the function does not say what it returns.", 2),
        ("Slow.", 2),
    ],
)
def test_findings_that_say_the_same_of_one_line_are_one(other: str, count: int) -> None:
    line = "severity: error\nline: `total = sum(items)`\nproblem: "
    first = f"{line}Divides by zero when the list of items may be empty.\n---\n"
    findings = read(f"{first}{line}{other}\n")
    assert (len(findings.found), findings.dropped) == (count, 0)


def test_no_rule_between_findings() -> None:
    assert len(read(GOOD.replace("---\n", "\n")).found) == 2


def test_a_fence_around_the_whole_answer() -> None:
    findings = read(f"Here is my review:\n```\n{GOOD}```\n")
    assert [each.line for each in findings.found] == [4, 0]
    assert findings.found[0].fix is not None


def test_a_fix_is_put_at_the_lines_depth() -> None:
    finding = only("severity: error\nline: `total = sum(items)`\nproblem: Slow.\n```python\ntotal = fsum(items)\n```")
    assert finding.fix == "    total = fsum(items)"


def test_a_fix_of_several_lines_has_the_documents_line_endings() -> None:
    document = Document("", "python", 1, CODE.replace("\n", "\r\n"))
    reply = "severity: error\nline: `import os`\nproblem: Bad.\n```\nimport re\nimport sys\n```\n"
    (finding,) = read(reply, document, Span(0, len(document.text))).found
    assert finding.fix == "import re\r\nimport sys"


@pytest.mark.parametrize("fix", ["", "\n", "    import os  \n", "import os\n"])
def test_a_fix_that_changes_nothing_is_none(fix: str) -> None:
    assert only(f"severity: error\nline: `import os`\nproblem: Bad.\n```\n{fix}```\n").fix is None


def test_a_fix_that_is_cut_off_is_none() -> None:
    assert only("severity: error\nline: `import os`\nproblem: Bad.\n```\nimport re").fix is None


def test_messages_are_plain() -> None:
    finding = only("severity: error\nline: `import os`\nproblem: **Bad**, see\n[this](http://e.vil)\u202e.\n")
    assert finding.message == "Bad, see this."
    long = only(f"severity: error\nline: `import os`\nproblem: {'word ' * 400}\n")
    assert len(long.message) < 610


def test_nothing_to_report() -> None:
    assert nothing_found("No findings.") == nothing_found("**No findings.**\n") == "surely"
    assert nothing_found(GOOD) == "no"


ADDS = "total = sum(items)"
ITEMS: list[tuple[str, list[tuple[int, str]]]] = [
    (
        f"- Line 4: It is slow.\n  code: `{ADDS}`\n  problem: It adds badly.\n  fix: fsum\n  and more\n",
        [(3, "It is slow. It adds badly.")],
    ),
    (f"- Warning: slow\n  line: {ADDS}\n  problem: It adds badly.\n", [(3, "slow It adds badly.")]),
    ("- Warning: slow\n  line: 4, where `total` is\n", [(3, "slow")]),
    (f"- Warning: slow\n  line:\n  {ADDS}\n", [(3, "slow")]),
    ("- Something is slow here\n  line: see 4 there, `total` is summed\n", []),
    (
        "1. Line 4: `total` is summed slowly.\n\n2. problem: `os` is never used. (line 1)\n",
        [(3, "`total` is summed slowly."), (0, "`os` is never used. (line 1)")],
    ),
    ("| Line | Problem | Fix |\n|---|---|---|\n| 1 | `os` is unused | no |\n", [(0, "`os` is unused")]),
    (
        "## High\n### Line 4\n`total` is slow\n# Line 1\n`os` is unused\n",
        [(3, "`total` is slow"), (0, "`os` is unused")],
    ),
    (f"### `{ADDS}`\n- slow\n- rounds\n", [(3, f"`{ADDS}` slow rounds")]),
    (f"### Slow\n- `{ADDS}` is slow\n- Line 1: `os` is unused\n", [(3, f"`{ADDS}` is slow"), (0, "`os` is unused")]),
    (f"- Line 4: slow\n  ```\n  {ADDS}\n  ```\n  ```\n  total = 1\n  ```\n  ```\n  total = 2\n  ```\n", [(3, "slow")]),
    ("severity: error\nline:\n```\n3:\n```\nproblem: Nothing is there.\n", []),
    ("severity: error\nline: `5: total`\nproblem: Zero.\n", [(4, "Zero.")]),
    ("severity: error\nline: `total`\nproblem: Zero.\n", []),
]


@pytest.mark.parametrize(("reply", "found"), ITEMS)
def test_items_with_fields(reply: str, found: list[tuple[int, str]]) -> None:
    assert [(each.line, each.message) for each in read(reply).found] == found


@pytest.mark.parametrize("quote", ["``", '""', "`3:`", "3:", "  ", "` `"])
def test_a_quotation_of_nothing_is_at_no_blank_line(quote: str) -> None:
    document = Document("file:///a.py", "python", 1, "a = 1\n\nb = 2\n")
    assert Quotable(document, Span(0, 13)).locate([quote]) is None


def test_a_heading_of_a_higher_level_ends_the_group() -> None:
    assert [
        each.severity for each in read("## High\n### Line 4\n`total` is slow\n# Line 1\n`os` is unused\n").found
    ] == [
        "error",
        "warning",
    ]


def test_a_part_of_a_name_in_camel_case_names_a_line() -> None:
    document = Document("file:///a.ts", "typescript", 1, "let a = 1;\nlet rowBuffer = [];\nlet b = 2;\n")
    whole = Span(0, len(document.text))
    assert [each.line for each in read("- Line 2: the buffer is never emptied.\n", document, whole).found] == [1]
    assert read("- Line 2: it is never emptied.\n", document, whole).found == []


def test_a_severity_in_a_script_without_spaces_is_found_in_its_word() -> None:
    assert only("severity: 很严重的\nline: `import os`\nproblem: 没有用到。\n").severity == "error"


def test_a_reply_without_end_is_read_to_a_bound() -> None:
    items = [f"- Line 4: `total` of kind {number} {'abcdefghij'[number % 10] * 5}{number}" for number in range(300)]
    assert len(read("\n".join(items), size=1000).found) <= 101


@given(st.integers(1, 40))
def test_cutting_changes_nothing(size: int) -> None:
    assert read(GOOD, size=size).found == read(GOOD, size=10_000).found


PIECES = st.sampled_from(
    [*GOOD.splitlines(keepends=True), "```\n", "line:", "severity", "\n", "---", "problem: x\n", "No findings.", "`"]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_every_finding_stands_on_its_line(reply: str) -> None:
    for finding in read(reply).found:
        assert DOCUMENT.line_at(finding.span.start) == finding.line
        assert DOCUMENT.slice(finding.span) == finding.quote
        assert finding.message
        assert (finding.fix is None) == (finding.fix_span is None)
