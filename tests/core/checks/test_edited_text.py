"""A judged edit costs one incremental parse of the new text, and none of the old one."""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.syntax.test_grammars import shape
from tests.core.syntax.test_python_ast import damaged, real

from tuppence.core.actions import FIX
from tuppence.core.answer_builder import Task, builder_for
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.slop import Evidence
from tuppence.core.events import Answer
from tuppence.core.syntax import grammars
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import Packages
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.syntax.target import Target
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.diff import backwards
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.engine import verify
from tuppence.engine.request import Request

ROW = "def f{0}(a, b):\n    x = a + b\n    for each in range(x):\n        emit(each)\n    return x\n\n\n\n"
TARGET = "def mean(xs):\n    return sum(xs) / len(x)"
FIXED = "def mean(xs):\n    return sum(xs) / len(xs)"
WANTED = "```imports\nfrom math import nan\n```\n"
LARGE = 10_000
"""Bytes of a text that is no statement alone."""


def source(rows: int) -> str:
    """Return a file of eight lines a row, with the target in its middle."""
    half = "".join(map(ROW.format, range(rows // 2)))
    return f"import os\n\n\n{half}{TARGET}\n\n\n{half}print(os, mean)\n"


def asked(text: str) -> tuple[Task, Request]:
    """Return the task and the request of a fix of the target, both with the menu's tree."""
    document, known = Document("file:///a.py", "python", 1, text), language("python")
    tree, start = parse(text, known), text.index(TARGET)
    at = text.index("len(x)") + len("len(")
    about = Diagnostic(Span(at, at + 1), "Undefined name `x`", "error", "Ruff", "F821")
    target = Target(Span(start, start + len(TARGET)), "mean", "function")
    evidence = Evidence((about,), "", Packages(frozenset({"os"}), complete=True))
    task = Task(action=FIX, document=document, tree=tree, language=known, target=target, evidence=evidence)
    request = Request(
        run="",
        action=FIX,
        document=document,
        tree=tree,
        target=target,
        path=None,
        diagnostic=about,
    )
    return task, request


def judged(task: Task, request: Request, reply: str) -> Answer:
    """Return the answer as it is judged after the stream's end, ruff aside."""
    builder = builder_for(task)
    builder.feed(reply)
    _, answer = builder.finish("end")
    assert answer.edited is not None
    assert not verify.why_not(request, answer.edited)
    return answer


class Counts:
    """What was parsed: by a grammar whether from an old tree, by Python's own parser the code points."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.large: list[bool] = []
        self.python: list[int] = []
        parse_grammar, parse_python = grammars.parse, ast.parse

        def by_grammar(path: str, data: bytes, old: object = None, *rest: object) -> object:
            if len(data) > LARGE:
                self.large.append(old is not None)
            return parse_grammar(path, data, old, *rest)  # type: ignore[arg-type]

        def by_python(text: str, *rest: Any, **options: Any) -> ast.Module:
            self.python.append(len(text))
            return parse_python(text, *rest, **options)  # type: ignore[no-any-return]

        monkeypatch.setattr(grammars, "parse", by_grammar)
        monkeypatch.setattr(ast, "parse", by_python)


@pytest.mark.parametrize("rows", [250, 2500])
def test_an_edit_costs_one_incremental_parse(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    task, request = asked(source(rows))
    counts = Counts(monkeypatch)
    answer = judged(task, request, f"```python\n{FIXED}\n```\n")
    assert answer.verdict.fit, answer.verdict
    assert counts.large == [True]
    assert len(counts.python) <= 2, "the touched statements, before and after"
    assert max(counts.python) < 500, "whatever the file holds besides"


def test_an_edit_with_imports_costs_two(monkeypatch: pytest.MonkeyPatch) -> None:
    task, request = asked(source(250))
    counts = Counts(monkeypatch)
    answer = judged(task, request, f"```python\n{FIXED}\n```\n{WANTED}")
    assert answer.verdict.fit, answer.verdict
    assert "from math import nan" in apply(task.document.text, answer.edits)
    assert counts.large == [True, True], "where the imports go, and whether the file parses with them"
    assert max(counts.python) < 500


def test_a_second_fence_costs_one_incremental_parse_each(monkeypatch: pytest.MonkeyPatch) -> None:
    task, request = asked(source(250))
    counts = Counts(monkeypatch)
    answer = judged(task, request, f"```python\n{FIXED}\n```\nUse it so:\n```python\nprint(mean([1]))\n```\n")
    assert answer.verdict.fit, answer.verdict
    assert counts.large == [True, True, True]


def test_an_edit_that_breaks_the_file_is_parsed_afresh_to_be_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    task, _ = asked(source(250))
    counts = Counts(monkeypatch)
    builder = builder_for(task)
    builder.feed("```python\ndef mean(xs):\n    return sum(xs / len(xs)\n```\n")
    _, answer = builder.finish("end")
    assert not answer.verdict.fit
    assert answer.verdict.reasons[0].startswith("With the answer the file no longer parses")
    assert counts.large[-1] is False
    assert counts.large[:-1] == [True] * 4, (
        "three readings of the answer, none of which finds the target, and the verdict"
    )


async def test_an_answer_is_passed_on_without_its_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unheard(verdict: object, *_: object) -> object:
        return verdict

    monkeypatch.setattr(verify, "recheck", unheard)
    task, request = asked(source(2))
    for code in (FIXED, TARGET):
        builder = builder_for(task)
        builder.feed(f"```python\n{code}\n```\n")
        _, answer = builder.finish("end")
        assert answer.edited is not None
        passed = await verify.verify_edit(request, answer)
        assert passed == answer
        assert passed.edited is None


def edited(text: str, edits: Sequence[Edit]) -> EditedText:
    document = Document("file:///a.py", "python", 1, text)
    return EditedText(document, edits, parse(text, language("python")))


def test_edits_all_refer_to_the_text_before() -> None:
    text = source(4)
    first, second = text.index("emit"), text.rindex("emit")
    edits = [Edit(Span(second, second), "re"), Edit(Span(first, first + 4), "send"), Edit(Span(0, 0), "#\n")]
    case = edited(text, edits)
    assert case.after.text == "#\n" + text[:first] + "send" + text[first + 4 : second] + "re" + text[second:]
    assert isinstance(case.new, SyntaxTree)
    fresh = parse(case.after.text, language("python"))
    assert case.new.blocks() == fresh.blocks()
    assert case.new.names(Span(0, len(case.after.text))) == fresh.names(Span(0, len(case.after.text)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_edits_of_real_files_have_the_tree_of_a_fresh_parse(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a draw that can be repeated
    before = real(dice)
    old = parse(before, language("python"))
    case = EditedText(Document("file:///a.py", "python", 1, before), damaged(dice, before), old)
    new = parse(case.after.text, language("python"), old, backwards(case.edits))
    fresh = parse(case.after.text, language("python"))
    assert new.sound() == fresh.sound()
    if new.sound():
        assert isinstance(new, SyntaxTree)
        assert isinstance(fresh, SyntaxTree)
        assert list(shape(new._parsed)) == list(shape(fresh._parsed))
        assert new.blocks() == fresh.blocks()


def test_a_tree_with_faults_is_not_built_on() -> None:
    """How many faults there are depends on where a parse began, and only fresh parses are compared."""
    broken = "def f(:\n    pass\n" + source(4)
    at = broken.index("emit")
    case = edited(broken, [Edit(Span(at, at), "x")])
    assert case.old.faults() == parse(broken, language("python")).faults()
    assert case.new.faults() == parse(case.after.text, language("python")).faults()


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("x = 1", "y", ("x = 1\n", "y\n")),
        ("x = 1\n", "", ("x = 1\nz = 2\n", "z = 2\n")),
        ("= 1\nz", "= 3", ("x = 1\nz = 2\n", "x = 3 = 2\n")),
    ],
)
def test_the_lines_that_edits_touch(old: str, new: str, lines: tuple[str, str]) -> None:
    text = "a\nx = 1\nz = 2\nb\n"
    at = text.index(old)
    case = edited(text, [Edit(Span(at, at + len(old)), new)])
    assert case.lines == lines


def test_where_a_target_lies_after_edits() -> None:
    text = "import os\n\nx = 1\ny = 2\n"
    target = Span(text.index("x"), text.index("x") + 5)
    case = edited(text, [Edit(Span(0, 0), "import re\n"), Edit(target, "x = 10")])
    place = case.place(target)
    assert case.after.slice(place) == "x = 10"
