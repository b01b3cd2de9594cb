"""The edit engine: what is applied is what was sent, live and final agree, nothing else is touched."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import EXAMPLES, Case, cases, expect_sent
from work import lines as lines_run

from tuppence.core.answer.extract_target import TargetExtractor
from tuppence.core.answer.patch import Patch
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.core.text.lines import split

RUNS = EXAMPLES or 250


def at(text: str, newline: str = "\n") -> tuple[Document, Span]:
    """Return a document whose target is between the marks « and »."""
    start, end = text.index("«"), text.index("»") - 1
    clean = text.replace("«", "").replace("»", "")
    before = len(re.findall("\n", text[:start])) * (len(newline) - 1)
    inside = len(re.findall("\n", text[:end])) * (len(newline) - 1)
    return Document("file:///a.py", "python", 1, clean.replace("\n", newline)), Span(start + before, end + inside)


def feed(patch: Patch, text: str, reply: str, size: int) -> str:
    """Apply the live edits one after the other."""
    edits: list[Edit] = []
    for start in range(0, len(reply), size):
        new = patch.feed(reply[start : start + size])
        edits += new
        for edit in new:
            text = apply(text, (edit,))
    for edit in patch.finish():
        text = apply(text, (edit,))
    return text


def check(marked: str, code: str, expected: str, *repairs: str, newline: str = "\n") -> Patch:
    """Expect that the code, sent in a fence, makes the target this, with these repairs."""
    document, target = at(marked, newline)
    patch = Patch(document, target)
    live = feed(patch, document.text, f"Sure:\n```python\n{code}\n```\nDone.", 3)
    assert patch.replacement == expected
    assert patch.repairs == repairs
    whole = apply(document.text, (Edit(target, expected),))
    assert live == whole
    assert apply(document.text, patch.final()) == whole
    return patch


def test_a_line_changes_and_the_others_are_not_touched() -> None:
    patch = check("a\n«b\nc\nd»\ne\n", "b\nC\nd", "b\nC\nd")
    assert patch.final() == (Edit(Span(4, 5), "C"),)


def test_insert_delete_append() -> None:
    check("«a\nb»\n", "a\nx\nb", "a\nx\nb")
    check("«a\nb\nc»", "a\nc", "a\nc")
    check("«a\nb»", "a\nb\nc", "a\nb\nc")
    check("«a\nb»\nz", "b", "b")
    check("«a\nb»\nz", "a", "a")
    check("x\n«»\ny", "a\nb", "a\nb")


def test_the_code_can_go_altogether() -> None:
    check("a\n«b\nc»\nd", "", "")


def test_a_new_document_gets_a_last_line_ending() -> None:
    check("«»", "import x\n\nx()", "import x\n\nx()\n", "final newline")
    check("«»", "\nimport x", "\nimport x\n", "final newline")
    check("«»", "import x\n\n", "import x\n\n")


def test_the_documents_line_ending() -> None:
    check("«a\nb»\n", "a\nc\nd", "a\r\nc\r\nd", "line ending", newline="\r\n")
    check("«a\nb»\n", "a\r\nc\r\nb", "a\r\nc\r\nb", newline="\r\n")
    check("«a\nb»\n", "a\r\nc\r\nb", "a\nc\nb", "line ending")
    check("«a\nb»\n", "a\r\nB", "a\nB", "line ending")
    check("«a\nb\nc\nd»\n", "a\nb\nc\r\nD", "a\nb\nc\nD", "line ending")


def test_a_line_that_stays_keeps_its_own_ending() -> None:
    document = Document("", "python", 1, "a\r\nb\nc\r\nd")
    patch = Patch(document, Span(0, len(document.text)))
    live = feed(patch, document.text, "```\na\nb\nX\nd\n```", 100)
    assert live == patch.replacement == "a\r\nb\nX\r\nd"


def test_blank_lines_at_the_end_are_text_too() -> None:
    check("«a\nb»\n\nc", "a\nB\n\n", "a\nB\n\n")
    check("«def f(): ...»\ndef g(): ...\n", "def f(): ...\n\n", "def f(): ...\n\n")
    check("«a\nb\n»\nc", "a\nB\n", "a\nB\n")
    check("«a\nb\n»\nc", "a\nB", "a\nB")


METHOD = "class A:\n«    def f(self):\n        return 1»\n"


def test_a_dedented_answer_is_moved_back() -> None:
    check(METHOD, "def f(self):\n    return 2", "    def f(self):\n        return 2", "indentation")
    check("if a:\n«    retrun x»\n", "return x", "    return x", "indentation")
    check("if a:\n«\tretrun x»\n", "return x", "\treturn x", "indentation")


def test_a_first_line_at_the_margin_is_moved_back() -> None:
    body = "class A:\n«    def f(self):\n        x = 1\n        return 1»\n"
    check(
        body,
        "def f(self):\n        x = 1\n        return 2",
        "    def f(self):\n        x = 1\n        return 2",
        "indentation",
    )


def test_a_fence_in_a_list_takes_its_indentation_away() -> None:
    document, target = at("«x = 1\ny = 1»\n")
    patch = Patch(document, target)
    live = feed(patch, document.text, "1. So:\n   ```python\n   x = 1\n   y = 2\n   ```\n", 4)
    assert live == "x = 1\ny = 2\n"
    assert patch.repairs == ("indentation",)


@pytest.mark.parametrize(
    ("marked", "code"),
    [
        # The whole fix is a change of depth.
        ("if a:\n«    x = 1»\n", "x = 1"),
        ("if a:\n«x = 1\ny = 2»\n", "    x = 1\n    y = 2"),
        ("«    def f(self):\n        return 1»\n", "def f(self):\n    return 1"),
        # A surviving line is wrapped, or moved out of a loop.
        ("«for x in y:\n    a(x)\n    return b»\n", "for x in y:\n    a(x)\nreturn b"),
        ("«a()\nb()\nc()»\n", "if items:\n    a()\n    b()\n    c()"),
        ("«        return x\n    foo()»\n", "    return x\n    foo()"),
        # All that is changed beside the depth is a blank line.
        ("if a:\n«    x = (\n        1,\n    )»\n", "\nx = (\n    1,\n)"),
        # Nothing is like anything in the block.
        (
            '«    help = attrs.get("help")»\n',
            "# Without a name.\n@overload\ndef command(cls: None = None) -> Command: ...",
        ),
        # Tabs and spaces would be mixed.
        ("if a:\n«\tif b:\n\t\tretrun x»\n", "if b:\n    return x"),
        # One depth would become negative.
        ("«x = 1\ny = 1»\n", "   x = 1\n  y = 2"),
    ],
)
def test_depth_that_the_model_meant_is_left_alone(marked: str, code: str) -> None:
    check(marked, code, code)


def test_no_code_changes_nothing() -> None:
    document, target = at("a\n«b»\n")
    patch = Patch(document, target)
    assert feed(patch, document.text, "", 1) == document.text
    assert patch.final() == ()
    assert patch.replacement == "b"


def test_code_without_a_fence_comes_at_the_end() -> None:
    document, target = at("«x = 1»\n")
    patch = Patch(document, target)
    assert patch.feed("x = 2\n") == ()
    assert patch.finish() == (Edit(Span(0, 5), "x = 2"),)


def test_lines_stream_in_as_they_come() -> None:
    document, target = at("a\n«b\nc»\nd\n")
    patch = Patch(document, target)
    assert patch.feed("```\nb\nnew") == ()
    assert patch.feed(" line\n") == (Edit(Span(4, 4), "new line\n"),)
    assert patch.region == Span(2, 14)
    assert patch.feed("c\n```\n") == ()
    assert patch.finish() == ()


@pytest.mark.parametrize(
    ("before", "target", "after", "code", "expected"),
    [
        # A line that becomes empty would leave the CR before it beside its own LF, which are one ending.
        ("x\r", "a\nb", "\n", "\nb", "\r\nb"),
        ("x\n", "a\nb", "\rc", "\nb", "\nb"),
        ("", "a\nb", "\rc", "\nb", "\nb"),
        # And so would one at the end.
        ("", "a\rb", "\nc", "a\n", "a\r\n"),
        ("", "a\rb", "\rc\n", "a\n", "a\r"),
        ("x\n", "a\rb", "", "a\n", "a\r"),
        # And one in between.
        ("", "a\rb\nc", "\n", "a\n\nc", "a\r\n\r\nc"),
        ("", "a\rb\nc", "\n", "a\n\n", "a\r\n\r\n"),
        ("", "a\rb\nc", "", "a\n\n", "a\r\r"),
        ("", "a\rb\n", "\rc", "a\n\n", "a\r\n\r\n"),
        ("", "a\nb\rc", "\n", "a\n\nc", "a\n\rc"),
        # What stays the same in all its lines keeps every ending.
        ("x\r", "a\nb\rc", "\n", "a\nb\nc", "a\nb\rc"),
        ("x\r", "a\nb\rc", "\n", "a\nB\nc", "a\nB\rc"),
    ],
)
def test_no_two_line_endings_become_one_where_some_end_at_a_cr(
    before: str, target: str, after: str, code: str, expected: str
) -> None:
    document = Document("file:///a.py", "python", 1, before + target + after)
    span = Span(len(before), len(before) + len(target))
    for size in (1, 1000):
        patch = Patch(document, span)
        assert patch.feed(f"```\n{code}\n```\n"[:-8]) == (), "nothing streams"
        patch = Patch(document, span)
        live = feed(patch, document.text, f"```\n{code}\n```\n", size)
        assert patch.replacement == expected
        assert live == apply(document.text, patch.final()) == before + expected + after
        lines = [line for line, _ in split(document.text)]
        now = [line for line, _ in split(live)]
        count = len([line for line, _ in split(target)])
        assert len(now) == len(lines) - count + len(code.split("\n"))


def test_what_follows_the_code_that_is_followed_waits_for_the_end() -> None:
    document, target = at("a\n«b\nc»\nd\n")
    patch = Patch(document, target)
    assert patch.feed("```\nnew\nb\nc\n```\n") == (Edit(Span(2, 2), "new\n"),)
    assert patch.feed("Then:\n```\nother\nb\nmore\n```\n") == ()
    assert patch.region == Span(2, 9)


METHODS = (
    "class A:\n    def g(self, x):\n        return x + 1\n\n«    def f(self, x):\n        y = 1\n        return x»\n"
)
WRONG = METHODS[METHODS.index("«") + 1 : METHODS.index("»")]
RIGHT = "    def f(self, x):\n        y = 1\n        return x + y"


@pytest.mark.parametrize(
    ("marked", "reply", "expected"),
    [
        (METHODS, f"```python\n        return x\n```\nFixed:\n```python\n{RIGHT}\n```", RIGHT),
        (METHODS, f"```python\nreturn x\n```\nFixed:\n```python\n{RIGHT}\n```", RIGHT),
        (METHODS, f"```python\n{RIGHT}\n```\nUse it:\n```python\nA().f(1)\n```", RIGHT),
        (METHODS, f"```python\n{RIGHT}\n```\nThen run\n```bash\npytest\n```\n", RIGHT),
        (METHODS, f"```python\n{RIGHT}\n```\nOnce more:\n```python\n{RIGHT}\n```", RIGHT),
        (METHODS, f"```python\n```\n```python\n{RIGHT}\n```", RIGHT),
        (METHODS, f"Before:\n```python\n{WRONG}\n```\nAfter:\n```python\n{RIGHT}\n```", RIGHT),
        (
            METHODS,
            f"```python\nclass A:\n```\n```python\nx()\n```\n```imports\nimport x\n```\n```python\n{RIGHT}\n```",
            RIGHT,
        ),
        ("«a = 1\nb = a\nc = b»\n", "```\nb = a\n```\n```\na = 1\nb = 2\nc = b\n```\n", "a = 1\nb = 2\nc = b"),
        ("«a = 1»\n", "```\na = 1\n```\nis now\n```\nb = 1\n```\n", "b = 1"),
    ],
)
def test_of_several_fences_the_one_that_is_meant(marked: str, reply: str, expected: str) -> None:
    document, target = at(marked)
    for size in (1, 5, 1000):
        patch = Patch(document, target)
        assert feed(patch, document.text, reply, size) == apply(document.text, (Edit(target, expected),))
        assert (patch.replacement, patch.parts.unclear) == (expected, False)


@pytest.mark.parametrize(
    ("marked", "reply"),
    [
        (METHODS, "```python\n        return x\n```\n```python\n        return x + y\n```\n"),
        (METHODS, f"```python\n{RIGHT}\n```\nor\n```python\n{RIGHT}  # or not\n```\n"),
        ("«a = 1\nb = a\nc = b»\n", "```\nb = a\n```\n```\nb = 2\n```\n"),
        ("«a = 1\nb = a\nb = a»\n", "```\na = 1\nb = a\n```\n```\na = 1\nprint(b)\n```\n"),
    ],
)
def test_where_none_is_certain_nothing_changes(marked: str, reply: str) -> None:
    document, target = at(marked)
    patch = Patch(document, target)
    assert feed(patch, document.text, reply, 4) == document.text
    assert patch.final() == ()
    assert (patch.replacement, patch.parts.unclear) == (document.slice(target), True)


def test_a_quotation_changes_nothing_while_it_streams() -> None:
    document, target = at(METHODS)
    patch = Patch(document, target)
    assert patch.feed("The fault:\n```python\n        y = 1\n        return x\n```\nFixed:\n") == ()
    assert [edit.text for edit in patch.feed(f"```python\n{RIGHT}\n```\n")] == ["        return x + y\n"]


def test_what_follows_a_quotation_streams() -> None:
    document, target = at(METHODS)
    patch = Patch(document, target)
    assert patch.feed("```python\n        return x\n```\n```python\n    def f(self, x):\n        z = 2\n") == (
        Edit(Span(target.start + 20, target.start + 20), "        z = 2\n"),
    )


def test_behind_a_quotation_and_the_code_nothing_else_is_followed() -> None:
    document, target = at(METHODS)
    patch = Patch(document, target)
    patch.feed("```python\n        return x\n```\n")
    assert patch.feed("```python\n    def f(self, x):\n        z = 2\n```\n") != ()
    assert patch.feed("```python\n    def f(self, x):\n        other = 3\n```\n") == ()


SHAPES = "import os\n\n\nclass Shape:\n    def area(self):\n        return 1\n\n    def size(self):\n        return 2\n"


def extracting() -> tuple[Document, Span, Patch]:
    """Return a file, one of its methods, and what takes the method out of an answer."""
    document = Document("file:///shapes.py", "python", 1, SHAPES)
    tree = parse(SHAPES, language("python"))
    target = find_target(document, tree, Span(SHAPES.index("return 1"), SHAPES.index("return 1")))
    assert target is not None
    return document, target.span, Patch(document, target.span, TargetExtractor(document, tree, target))


AREA = "    def area(self):\n        return 3"


@pytest.mark.parametrize(
    ("reply", "repairs"),
    [
        (SHAPES.replace("return 1", "return 3"), ("rest of the answer",)),
        (SHAPES.replace("return 1", "return 3").replace("    ", "\t"), None),
        ("class Shape:\n  def area(self):\n    return 3\n\n  def size(self):\n    return 2\n", None),
        (AREA, ()),
        (AREA.replace("    def", "def").replace("        return", "    return"), ("indentation",)),
    ],
)
def test_a_target_is_taken_out_of_an_answer_that_is_more(reply: str, repairs: tuple[str, ...] | None) -> None:
    for size in (1, 1000):
        document, _, patch = extracting()
        live = feed(patch, document.text, f"```python\n{reply}\n```\n", size)
        assert patch.replacement == AREA
        assert live == apply(document.text, patch.final()) == SHAPES.replace("return 1", "return 3")
        assert patch.edited is None or patch.edited.text == live
        if repairs is not None:
            assert patch.repairs == repairs
        assert next(fence.text for fence in patch.parts.fences) == AREA


def test_of_the_fences_only_the_one_that_was_meant_is_taken_apart() -> None:
    whole = SHAPES.replace("return 1", "return 3").replace("import os\n", "import os\nimport re\n").rstrip("\n")
    _, _, patch = extracting()
    patch.feed(f"```python\n{whole}\n```\n```imports\nimport sys\n```\n")
    patch.finish()
    taken = [(fence.info, fence.text, fence.closed) for fence in patch.parts.fences]
    assert taken == [
        ("python", AREA, True), ("imports", "import sys", True), ("imports", "import os\nimport re", True)
    ]  # fmt: skip


def test_with_an_extractor_only_what_begins_as_the_target_streams() -> None:
    _, target, patch = extracting()
    assert patch.feed("```python\n    def area(self):\n        return 3\n") == (
        Edit(Span(target.start + 20, target.start + 20), "        return 3\n"),
    )
    _, _, other = extracting()
    assert other.feed("```python\nimport os\n\n\nclass Shape:\n    def area(self):\n        return 3\n") == ()


def test_imports_are_left_to_others() -> None:
    document, target = at("«x»\n")
    patch = Patch(document, target)
    feed(patch, document.text, "```imports\nimport os\n```\n```python\ny\n```\n", 5)
    assert patch.replacement == "y"
    assert [fence.text for fence in patch.parts.fences] == ["import os", "y"]


def test_a_moved_block_does_not_cost_the_region_twice() -> None:
    lines = [f"line {number}" for number in range(200)]
    moved = [lines[150], *lines[:150], *lines[151:]]
    sent = _sent("\n".join(lines), "\n".join(moved))
    assert sent <= 1.5 * (len(lines[150]) * 2) + 200 * 4


def test_a_change_in_a_long_region_is_sent_as_little_text() -> None:
    lines = [f"    value_{number} = compute({number})" if number % 3 else "" for number in range(300)]
    changed = [*lines]
    changed[100] = "    other = 1"
    changed[200:210] = ["    # gone"]
    assert _sent("\n".join(lines), "\n".join(changed)) <= 1.5 * 400 + 200 * 4


def _sent(old: str, new: str) -> int:
    document = Document("", "python", 1, old)
    patch = Patch(document, Span(0, len(old)))
    edits = [*patch.feed(f"```\n{new}\n```\n"), *patch.finish()]
    text = old
    for edit in edits:
        text = apply(text, (edit,))
    assert text == new
    return sum(len(edit.text) for edit in edits)


@settings(max_examples=RUNS, deadline=None)
@example((Document("", "python", 1, "\n" * 7 + "\r"), Span(3, 5), "```python\n\n\nx = 1\n\nx = 1\n```\n", 1))
@given(cases())
def test_live_and_final_and_replacement_agree(case: Case) -> None:
    document, target, reply, size = case
    patch = Patch(document, target)
    live = feed(patch, document.text, reply, size)
    assert live == apply(document.text, (Edit(target, patch.replacement),))
    assert live == apply(document.text, patch.final())
    assert patch.region == Span(target.start, target.start + len(patch.replacement))
    for edit in patch.final():
        assert target.covers(edit.span)


@settings(max_examples=RUNS, deadline=None)
@given(cases())
def test_what_is_applied_is_what_was_sent(case: Case) -> None:
    document, target, reply, size = case
    patch = Patch(document, target)
    feed(patch, document.text, reply, size)
    expect_sent(patch, document, target)


@settings(max_examples=RUNS, deadline=None)
@given(cases(), st.integers(0, 100))
def test_restore_puts_back_whatever_stands(case: Case, percent: int) -> None:
    document, target, reply, size = case
    patch = Patch(document, target)
    text = document.text
    for start in range(0, len(reply) * percent // 100, size):
        for edit in patch.feed(reply[start : start + size]):
            text = apply(text, (edit,))
    if percent == 100:
        for edit in patch.finish():
            text = apply(text, (edit,))
    for edit in patch.restore():
        text = apply(text, (edit,))
    assert text == document.text


@settings(max_examples=RUNS, deadline=None)
@given(cases(), st.integers(1, 9))
def test_cutting_changes_nothing_in_the_end(case: Case, size: int) -> None:
    document, target, reply, other = case
    one, two = Patch(document, target), Patch(document, target)
    feed(one, document.text, reply, size)
    feed(two, document.text, reply, other)
    assert (one.replacement, one.final(), one.repairs) == (two.replacement, two.final(), two.repairs)


def test_a_chunk_costs_little_in_a_long_file() -> None:
    lines = [f"    value_{number} = compute({number})" for number in range(10_000)]
    text = "\n".join(lines)
    changed = "\n".join(line if number % 5 else line + "  # changed" for number, line in enumerate(lines[:6000]))
    document = Document("", "python", 1, text)
    patch = Patch(document, Span(0, len(text)))
    reply = f"```python\n{changed}"
    chunks = [reply[start : start + 12] for start in range(0, len(reply), 12)]
    _, ran = lines_run(lambda: [patch.feed(chunk) for chunk in chunks])
    print(f"{ran / len(chunks):.1f} lines a chunk")
    assert ran / len(chunks) < 100
