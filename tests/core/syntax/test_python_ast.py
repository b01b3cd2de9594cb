"""Python's own parser on the statements that an edit touches says what it says of the whole text."""

from __future__ import annotations

import ast
import random
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.core.checks.edited_text import EditedText
from tuppence.core.syntax.python_ast import PythonEdit, PythonText, flaw, means_the_same
from tuppence.core.text.document import Document, Edit, Span

STDLIB = Path(sysconfig.get_path("stdlib"))
FOLDERS = (STDLIB, STDLIB / "test", STDLIB / "lib2to3" / "tests" / "data")
_WRITTEN = (
    "", "x", "\n", "    ", "\t", "(", ")", '"', "'''", "\\", "\\\n", "#", ":", "else:\n", "@", "return 1\n", "  pass\n",
    "def f():\n", "if x:\n", "try:\n    pass\n", "\r", "\x0c", "\x00", "\ufeff", "é", "import os\n", "    import os\n",
    "raise X\n", "f'{'", "async ", "yield\n", ";", "print 1\n", "match x:\n", "class A:\n", "\ud800", "``",
)  # fmt: skip


def real(dice: random.Random) -> str:
    """Return a part of a real file, which begins and ends anywhere, or all of it."""
    folder = dice.choice([each for each in FOLDERS if each.exists()])
    text = dice.choice(sorted(folder.glob("*.py"))).read_text("utf-8", errors="replace")
    lines = text.splitlines(keepends=True)
    start = dice.choice([0, dice.randrange(max(1, len(lines)))])
    text = "".join(lines[start : start + dice.choice([20, 80, 400])])
    return dice.choice([text, text, text.replace("\n", "\r\n"), text.rstrip("\n"), text.replace("    ", "\t")])


def damaged(dice: random.Random, text: str) -> list[Edit]:
    """Return edits in order that change some places of a text, at most of a few lines each."""
    ends = sorted(dice.randint(0, len(text)) for _ in range(2 * dice.choice([1, 1, 1, 2, 3])))
    edits: list[Edit] = []
    for start, end in zip(ends[::2], ends[1::2], strict=True):
        starts = [0, *(at + 1 for at, each in enumerate(text) if each == "\n" and start - 200 < at < start)]
        begin = dice.choice([start, max(each for each in starts if each <= start)])
        begin = max(begin, edits[-1].span.end if edits else 0)
        written = dice.choice([dice.choice(_WRITTEN), dice.choice(_WRITTEN), text[begin : begin + dice.randint(0, 60)]])
        last = min(end, begin + dice.choice([0, 0, 1, 5, 40, 400]))
        edits.append(Edit(Span(begin, max(begin, last)), written))
    return edits


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_wrong_with_an_edit_is_what_is_wrong_with_the_whole_text(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a draw that can be repeated
    before = real(dice)
    edited = EditedText(Document("file:///a.py", "python", 1, before), damaged(dice, before))
    problem = flaw(edited.after.text)
    assert edited.python.flaw() == (problem if problem is not None and flaw(before) is None else None)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_what_an_edit_hides_is_what_the_whole_text_hides(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a draw that can be repeated
    before = real(dice)
    edited = EditedText(Document("file:///a.py", "python", 1, before), damaged(dice, before))
    old, new = PythonText(before), PythonText(edited.after.text)
    if old.tree is None or new.tree is None:
        return
    assert edited.hides_code() == (new.unreachable() > old.unreachable())
    inner = set(new.inner_imports())
    assert set(edited.python.new_inner_imports()) <= inner
    assert inner - set(old.inner_imports()) <= set(edited.python.new_inner_imports())


WHOLE = """\
import os


def f(x):
    return x


def g(x):
    return f(x)


def h(x):
    return g(x)


LAST = 1
"""


def edited(old: str, new: str, before: str = WHOLE) -> EditedText:
    at = before.index(old)
    return EditedText(Document("file:///a.py", "python", 1, before), [Edit(Span(at, at + len(old)), new)])


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets each text that Python's own parser reads."""
    found: list[str] = []
    parse = ast.parse

    def counted(text: str) -> ast.Module:
        found.append(text)
        return parse(text)

    monkeypatch.setattr(ast, "parse", counted)
    return found


def test_an_edit_is_parsed_with_its_neighbors_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read = parsed(monkeypatch)
    case = edited("return f(x)", "return f(x) + 1")
    assert case.python.flaw() is None
    assert case.python.flaw() is None
    assert read == ["def f(x):\n    return x\n\n\ndef g(x):\n    return f(x) + 1\n\n\ndef h(x):\n    return g(x)\n\n\n"]


def expect(case: EditedText, *, wrong: bool) -> None:
    """Expect the whole text's own flaw, where it is one of the edit's."""
    problem = flaw(case.after.text)
    assert case.python.flaw() == (problem if wrong else None)
    assert (problem is not None and flaw(case.before.text) is None) == wrong


def test_a_fault_is_told_with_its_line_in_the_whole_text() -> None:
    case = edited("    return f(x)", "    try:\n        return f(x)")
    expect(case, wrong=True)
    assert str(case.python.flaw()).startswith("line 13, ")


@pytest.mark.parametrize(
    ("before", "old", "new", "wrong"),
    [
        # The line above the statement goes on in it.
        ("a = 1\nx = 1 \\\n\ny = 2\nz = 3\nw = 4\n", "y = 2", "y = 3", False),
        ("x = 1 \\\n\ny = 2\nz = 3\n", "\ny = 2", "y = 3", True),
        ("w = 0\nx = 1 \\\n\ny = 2\nz = 3\n", "y = 2", "y = (2", True),
        # What is below goes on in it.
        ("a = 1\nb = 2\nc = 3\n", "b = 2\n", "b = 2 \\\n", True),
        ("a = 1\nb = 2\nelse_ = 3\nd = 4\n", "b = 2\nelse_ = 3\n", "if b:\n  pass\nelse:\n  pass\n", False),
        ("if a:\n  b\nelse:\n  c\nd\n", "if a:\n  b\n", "b\n", True),
        ("@a\ndef f(): pass\nx\ny\n", "def f(): pass\n", "", True),
        # Tabs and spaces.
        ("def f():\n\tx = 1\n\ty = 2\n", "\ty = 2", "        y = 2", True),
        # Statements on one line.
        ("a = 1; b = 2; c = 3\nd = 4\n", "b = 2", "b = (2", True),
        ("a = 1; b = 2; c = 3\nd = 4\n", "b = 2", "b = 3", False),
        ("", "", "x = (\n", True),
        ("", "", "x = 1\n", False),
        # A file that Python did not read before is none of the edit's.
        ("print 1\nx = 1\n", "x = 1", "x = (", False),
        ("try:\n  a\nx = 1\ny = 2\nz = 3\n", "z = 3", "z = (", False),
    ],
)
def test_places_where_statements_meet(before: str, old: str, new: str, *, wrong: bool) -> None:
    expect(edited(old, new, before), wrong=wrong)


def test_a_module_that_ends_early_counts_all_that_is_behind() -> None:
    text = "import sys\n\n\ndef f():\n    pass\n\n\ndef g():\n    pass\n\n\ndef h():\n    pass\n\n\nx = 1\n"
    assert edited("def f():\n    pass\n", "raise SystemExit\n", text).hides_code()
    ended = f"raise SystemExit\n{text}"
    assert edited("x = 1\n", "x = 1\ny = 2\n", ended).hides_code()
    assert not edited("x = 1\n", "x = 2\n", ended).hides_code()


def test_without_parts_the_whole_text_is_parsed() -> None:
    edit = PythonEdit("x = 1\n", "x = (\n", None)
    assert edit.flaw() == flaw("x = (\n") is not None
    assert PythonEdit("x = (\n", "x = (\n", None).flaw() is None
    assert PythonEdit("x = 1\n", "x = 2\n", None).flaw() is None


def test_where_a_part_does_not_parse_the_whole_new_text_is_read() -> None:
    before, after = "import a\nx = 1\n", "def f():\n    import b\nx = 1\n"
    for parts in (None, [("x = 1\n", "x = (\n")]):
        edit = PythonEdit(before, after, parts)
        assert edit.new_inner_imports() == ("import b",)
        assert edit.old_inner_imports() == ()
    known = PythonEdit(before, after, [("import a\n", "def f():\n    import b\n")])
    assert known.new_inner_imports() == ("import b",)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("f(a,b)\n", "f(\n    a, b\n)\n", True),
        ("x = 1\n", "x = 2\n", False),
        ("if a:\n    b\nc\n", "if a:\n    b\n    c\n", False),
        ("x = (\n", "x = ( \n", False),
        ("'a b'\n", "'ab'\n", False),
    ],
)
def test_two_layouts_of_one_code_mean_the_same(before: str, after: str, *, same: bool) -> None:
    assert means_the_same(before, after) is same


def test_code_that_nests_too_deep_to_be_compared_is_not_called_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(_: object) -> str:
        raise RecursionError

    assert means_the_same("f(1)\n", "f( 1)\n")
    monkeypatch.setattr("tuppence.core.syntax.python_ast.ast.dump", too_deep)
    assert not means_the_same("f(1)\n", "f( 1)\n")
