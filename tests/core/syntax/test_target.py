"""What an action works on. In the sources ``‸`` is a cursor, ``«`` and ``»`` hold a selection or a diagnostic."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target, find_target
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span

MODULE = """\
import os
import sys

LIMIT = 3
NAMES = [
    "a",
    "b",
]


@cached
def first():
    one = 1
    two = 2
    return one


class Box:
    def get(self):
        return 1


"""


def _marked(text: str) -> tuple[str, Span]:
    bare = re.sub("[‸«»]", "", text)
    if "‸" in text:
        start = text.index("‸")
        return bare, Span(start, start)
    return bare, Span(text.index("«"), text.index("»") - 1)


def _find(marked: str, language_id: str = "python") -> tuple[Target | None, str]:
    text, span = _marked(marked)
    target = find_target(Document("file:///a", language_id, 1, text), parse(text, language(language_id)), span)
    return target, "" if target is None else text[target.span.start : target.span.end]


def _at(before: str, mark: str = "‸", text: str = MODULE) -> str:
    assert text.count(before) == 1, before
    return text.replace(before, before + mark)


def test_a_cursor_gives_the_definition_around_it() -> None:
    target, text = _find(_at("two = "))
    assert target is not None
    assert (target.name, target.kind) == ("first", "function")
    assert text == "@cached\ndef first():\n    one = 1\n    two = 2\n    return one"


@pytest.mark.parametrize("cursor", ["@cac", "def fir", "    return one", "\n    one"])
def test_a_cursor_anywhere_in_a_definition_gives_all_of_it(cursor: str) -> None:
    target, _ = _find(_at(cursor))
    assert target is not None
    assert target.name == "first"


def test_a_method_keeps_its_indentation() -> None:
    target, text = _find(_at("return 1"))
    assert target is not None
    assert (target.name, target.kind, text) == ("get", "method", "    def get(self):\n        return 1")


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        ("LIMIT", 'LIMIT = 3\nNAMES = [\n    "a",\n    "b",\n]'),
        ('"a"', 'NAMES = [\n    "a",\n    "b",\n]'),
        ("import o", "import os\nimport sys"),
    ],
)
def test_a_cursor_at_the_top_level_gives_the_statement_or_paragraph(cursor: str, expected: str) -> None:
    target, text = _find(_at(cursor))
    assert target is not None
    assert (target.name, target.kind, text) == ("", "lines", expected)


def test_a_paragraph_ends_where_a_definition_starts() -> None:
    _, text = _find("x = ‸1\ndef f():\n    pass\n")
    assert text == "x = 1"


def test_a_blank_line_at_the_top_level_gives_nothing() -> None:
    assert _find(MODULE + "‸")[0] is None
    assert _find(_at("import sys\n"))[0] is None


@pytest.mark.parametrize("text", ["‸", "  \n\n‸", "«  »\n"])
def test_an_empty_document_gives_nothing(text: str) -> None:
    assert _find(text)[0] is None


def test_a_selection_gives_exactly_its_lines() -> None:
    target, text = _find(MODULE.replace("one = 1\n    two = 2\n", "on«e = 1\n    t»wo = 2\n"))
    assert target is not None
    assert text == "    one = 1\n    two = 2"
    assert (target.name, target.kind, target.within) == ("", "lines", "first")


def test_a_selection_up_to_the_next_line_s_start_does_not_hold_that_line() -> None:
    _, text = _find(MODULE.replace("    one = 1\n", "«    one = 1\n»"))
    assert text == "    one = 1"


def test_a_selection_of_a_whole_definition_is_named_after_it() -> None:
    target, _ = _find(MODULE.replace("@cached", "«@cached").replace("return one\n\n", "return one\n»\n"))
    assert target is not None
    assert (target.name, target.kind) == ("first", "function")
    target, _ = _find(MODULE.replace("class Box", "«class Box").replace("return 1\n", "return 1»\n"))
    assert target is not None
    assert (target.name, target.kind) == ("Box", "class")


def test_a_selection_of_more_than_a_definition_has_no_name() -> None:
    target, _ = _find(f"«{MODULE}»")
    assert target is not None
    assert (target.name, target.kind, target.within) == ("", "lines", "")


def test_a_selected_definition_with_its_comment_is_named() -> None:
    target, _ = _find("package a\n\n«// Add adds.\nfunc Add() int {\n\treturn 1\n}»\n", "go")
    assert target is not None
    assert target.name == "Add"


def _diagnosed(marked: str) -> tuple[Target | None, str]:
    text, span = _marked(marked)
    document = Document("file:///a.py", "python", 1, text)
    target = find_target(document, parse(text, language("python")), Span(0, 0), Diagnostic(span, "wrong"))
    return target, "" if target is None else text[target.span.start : target.span.end]


def test_a_diagnostic_gives_the_definition_that_it_lies_in() -> None:
    target, _ = _diagnosed(MODULE.replace("two = 2", "«two» = 2"))
    assert target is not None
    assert target.name == "first"


def test_a_diagnostic_at_the_top_level_gives_its_statement() -> None:
    assert _diagnosed(MODULE.replace('"b"', '«"b"»'))[1] == 'NAMES = [\n    "a",\n    "b",\n]'
    assert _diagnosed(MODULE.replace("import sys", "import «sys»"))[1] == "import os\nimport sys"


def test_a_diagnostic_on_a_blank_line_gives_the_lines_around_it() -> None:
    _, text = _diagnosed(MODULE.replace("import sys\n", "import sys\n«»"))
    assert text.startswith("import os")
    assert "LIMIT = 3" in text


def test_a_diagnostic_of_an_older_text_is_clipped() -> None:
    document = Document("file:///a.py", "python", 1, "x = 1\n")
    tree = parse(document.text, language("python"))
    target = find_target(document, tree, Span(0, 0), Diagnostic(Span(500, 600), "wrong"))
    assert target == Target(Span(0, 5), "", "lines")


def test_a_cursor_in_a_long_class_does_not_give_all_of_it() -> None:
    methods = "".join(f"    def m{each}(self):\n        return 1\n\n" for each in range(40))
    text = f"class Big:\n    limit = 1\n    other = 2\n\n{methods}"
    target, shown = _find(_at("other", text=text))
    assert target is not None
    assert (target.name, target.within, shown) == ("", "Big", "    limit = 1\n    other = 2")
    target, _ = _find(_at("class B", text=text))
    assert target is not None
    assert target.name == "Big"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_endings_do_not_belong_to_a_target(newline: str) -> None:
    text = "x = '😀'\n\ndef f():\n    return 1‸\n\ny = 1\n".replace("\n", newline)
    assert _find(text)[1] == f"def f():{newline}    return 1"


@given(st.text(st.sampled_from("ab:(){}\n\r\t 😀def"), max_size=80), st.integers(0, 90), st.integers(0, 90))
@settings(max_examples=150, deadline=None)
def test_a_target_is_always_whole_lines(text: str, start: int, end: int) -> None:
    span = Span(min(start, end, len(text)), min(max(start, end), len(text)))
    for language_id in ("python", "typescript", "lua"):
        document = Document("file:///a", language_id, 1, text)
        target = find_target(document, parse(text, language(language_id)), span)
        if target is not None:
            first, last = document.line_at(target.span.start), document.line_at(target.span.end)
            assert (document.line_span(first).start, document.line_span(last).end) == (
                target.span.start,
                target.span.end,
            )
            assert document.slice(target.span).strip()


LONG_CLASS = (
    "class A:\n" + "".join(f"    a{at} = {at}\n" for at in range(60)) + "\n    def f(self):\n        pass\n\n"
    + "".join(f"    c{at} = {at}\n" for at in range(60)) + "\n\ndef g():\n    pass\n"
)  # fmt: skip


def test_lines_of_a_long_class_end_at_its_members_and_do_not_see_what_follows_it() -> None:
    document = Document("file:///a.py", "python", 1, LONG_CLASS)
    tree = parse(LONG_CLASS, language("python"))
    at = LONG_CLASS.index("c58")
    target = find_target(document, tree, Span(at, at))
    assert target is not None
    assert target.kind == "lines"
    assert (
        LONG_CLASS[target.span.start : target.span.end].split() == " ".join(f"c{at} = {at}" for at in range(60)).split()
    )


@pytest.mark.parametrize(
    ("text", "at", "lines"),
    [
        ("\n\n\n\nx = 1\n", 1, "x = 1"),
        ("x = 1\n\n\n\n\n\n\n", 9, ""),
        ("x = 1\n\n\n\ny = 2\n\n\n\nz\n", 8, "x = 1\n\n\n\ny = 2"),
    ],
)
def test_a_diagnostic_on_a_blank_line_is_about_the_lines_around_it(text: str, at: int, lines: str) -> None:
    document = Document("file:///a.py", "python", 1, text)
    place = Span(at, at)
    target = find_target(document, parse(text, language("python")), place, Diagnostic(place, "Said."))
    assert target is not None
    assert text[target.span.start : target.span.end] == lines
