"""What a new text in a target's place may not do to the structure of its file, in every language with a grammar."""

# ruff: noqa: E501 - a case is a line
from __future__ import annotations

import pytest

from tuppence.core.checks.target_structure import GROWTH, ROOM, StructureFindings, structure_findings
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span

PYTHON = """\
import os


@cached
def mean(items):
    return sum(items) / len(items)


class Shape:
    def area(self):
        return 1

    def size(self):
        return 2

    def width(self):
        return 3
"""
RUST = "pub struct Shape;\n\nimpl Shape {\n    pub fn area(&self) -> i32 {\n        1\n    }\n}\n"
JAVA = "package p;\n\nclass Shape {\n    int area() {\n        return 1;\n    }\n\n    int size() {\n        return 2;\n    }\n}\n"
TYPESCRIPT = "export class Shape {\n  area(): number {\n    return 1;\n  }\n}\n"
GO = "package p\n\nfunc (s *Shape) Area() int {\n\treturn 1\n}\n"
CPP = "#include <a>\n\nnamespace p {\nint area() {\n  return 1;\n}\n}\n"
FILES = {"python": PYTHON, "rust": RUST, "java": JAVA, "typescript": TYPESCRIPT, "go": GO, "cpp": CPP}


def found(known: str, needle: str, new: str, *diagnostics: str, selected: str = "") -> StructureFindings:
    """Return what a new text does in the place of the definition around some text, or of a selection."""
    text = FILES[known]
    document = Document("file:///p/a.x", known, 1, text)
    old = parse(text, language(known))
    at = text.index(needle)
    target = find_target(document, old, Span(at, at + len(selected)))
    assert target is not None
    after = text[: target.span.start] + new + text[target.span.end :]
    place = Span(target.span.start, target.span.start + len(new))
    said = tuple(Diagnostic(span=target.span, severity="error", message=each) for each in diagnostics)
    return structure_findings(old, parse(after, language(known)), target, place, said)


MEAN = "@cached\ndef mean(items):\n    return sum(items) / max(1, len(items))"


@pytest.mark.parametrize(
    "new",
    [
        MEAN,
        MEAN.replace("return", "import math\n    return"),
        MEAN + "\n\n\ndef _helper():\n    return 1",
        "_LEAST = 1\n\n\n" + MEAN,
        MEAN.replace("(items)", "(items, least=1)", 1),
        "@cached\nasync def mean(items):\n    def inner(x):\n        return x\n\n    return inner(1)",
        "mean = statistics.mean",
    ],
)
def test_a_fix_of_a_function_is_let_through(new: str) -> None:
    assert found("python", "return sum", new).reason == ""


@pytest.mark.parametrize(
    ("known", "needle", "new", "reason"),
    [
        ("python", "return sum", MEAN.replace("mean", "mean_fixed"), "The answer defines `mean_fixed` in the place of `mean`."),
        ("python", "return sum", "return 1", "The answer does not define `mean`."),
        ("python", "return sum", "import math\n\n\n" + MEAN, "top of a file: “import math”"),
        ("python", "return sum", MEAN + "\n\n\n" + MEAN, "The answer defines `mean` 2 times."),
        ("python", "return 1", "    class Shape:\n        def area(self):\n            return 5", "The answer repeats `Shape`"),
        ("python", "return 1", "def area(self):\n    return 5", "The answer does not define `area`"),
        ("rust", "1\n", "    impl Shape {\n    pub fn area(&self) -> i32 {\n        2\n    }\n    }", "The answer repeats `Shape`"),
        ("rust", "1\n", "    use std::io;\n    pub fn area(&self) -> i32 {\n        2\n    }", "top of a file: “use std::io;”"),
        ("java", "return 1", "    class Shape {\n    int area() {\n        return 5;\n    }\n    }", "The answer repeats `Shape`"),
        ("java", "return 1", "    import a.b;\n    int area() {\n        return 5;\n    }", "top of a file: “import a.b;”"),
        ("java", "return 1", "    int area() {\n        return 5;\n    }\n}\nclass Other {", "encloses"),
        ("typescript", "return 1", "  area(): number {\n    return 5;\n  }\n}\nclass B {", "encloses"),
        ("go", "return 1", "package main\n\nfunc (s *Shape) Area() int {\n\treturn 5\n}", "top of a file: “package main”"),
        ("go", "return 1", "func (s *Other) Area() int {\n\treturn 5\n}", "The answer defines `Other.Area`, a method, in the place of `Shape.Area`, a method."),
        ("cpp", "return 1", "#include <b>\nint area() {\n  return 5;\n}", "top of a file: “#include <b>”"),
        ("cpp", "return 1", "int area() {\n  return 5;\n}\nint area() {\n  return 6;\n}", "The answer defines `area` 2 times."),
    ],
)  # fmt: skip
def test_what_damages_the_file_is_refused(known: str, needle: str, new: str, reason: str) -> None:
    assert reason in found(known, needle, new).reason


def test_a_rename_that_the_diagnostic_asks_for_is_let_through() -> None:
    new = MEAN.replace("mean", "average")
    assert found("python", "return sum", new, "Function name `mean` should be `average`").reason == ""
    assert found("python", "return sum", "pass", "`mean` is defined but never used").reason == ""
    assert found("python", "return sum", new, "undefined name 'x'").reason


def test_the_members_of_a_class_stay() -> None:
    whole = PYTHON[PYTHON.index("class Shape") :].rstrip()
    fewer = whole.replace("    def size(self):\n        return 2\n\n", "")
    assert found("python", "class Shape", whole.replace("2", "5")).reason == ""
    assert found("python", "class Shape", fewer).reason == "The answer leaves out `size`."
    none = "class Shape:\n    def area(self):\n        return 1"
    assert found("python", "class Shape", none).reason == "The answer leaves out `size`, `width`."
    assert found("python", "class Shape", fewer, "`size` is unused").reason == ""
    renamed = whole.replace("size", "length")
    assert found("python", "class Shape", renamed).reason == "", "another definition is in its place"


def test_the_definitions_among_several_lines_stay() -> None:
    both = JAVA[JAVA.index("    int area") : JAVA.rindex("}")].rstrip()
    assert found("java", "    int area", both.replace("2", "5"), selected=both).reason == ""
    one = "    int area() {\n        return 1;\n    }"
    assert found("java", "    int area", one, selected=both).reason == "The answer leaves out `size`."


def test_a_decorator_or_a_keyword_that_goes_is_a_doubt() -> None:
    assert found("python", "return sum", MEAN.removeprefix("@cached\n")).doubts == ("drops “@cached” before the name",)
    private = "    fn area(&self) -> i32 {\n        2\n    }"
    assert found("rust", "1\n", private).doubts == ("drops “pub” before the name",)
    assert found("python", "return sum", MEAN).doubts == ()


def test_the_length_is_bounded() -> None:
    lines = GROWTH * 3 + ROOM
    longest = "@cached\ndef mean(items):\n" + "\n".join(["    pass"] * (lines - 2))
    assert found("python", "return sum", longest).reason == ""
    assert (
        found("python", "return sum", longest + "\n    pass").reason
        == f"The answer has {lines + 1} lines in the place of 3."
    )


def test_an_import_inside_of_a_text_is_text() -> None:
    new = '@cached\ndef mean(items):\n    return """\nimport os\n"""'
    assert found("python", "return sum", new).reason == ""
    java = 'class X {\n  String s = """\n    import a.b;\n    """;\n}'
    assert "import" not in found("java", "class Shape", java.replace("X", "Shape")).reason


def test_curly_quotation_marks_are_no_code() -> None:
    bad = TYPESCRIPT[TYPESCRIPT.index("  area") : TYPESCRIPT.index("\n}")].replace("1", "f(\u2018a\u2019)")
    assert found("typescript", "return 1", bad).reason == "The answer has curly quotation marks in its code."
    for text in ("'\u2018a\u2019'", "1; // \u201cone\u201d"):
        good = TYPESCRIPT[TYPESCRIPT.index("  area") : TYPESCRIPT.index("\n}")].replace("1;", text)
        assert found("typescript", "return 1", good).reason == ""


def test_html_entities_are_no_code() -> None:
    bad = "int area() {\n  return a &lt; b;\n}"
    assert found("cpp", "return 1", bad).reason == "The answer has HTML entities in its code."
    assert found("cpp", "return 1", bad.replace("a &lt; b", '"&lt;"; // &lt;')).reason == ""
    assert found("cpp", "return 1", bad.replace("lt", "p")).reason == "", "the address of a name of the file"


def test_signs_of_a_page_are_looked_for_only_where_a_grammar_tells_code_from_text() -> None:
    for known, expected in (("python", "curly quotation marks"), ("lua", "")):
        row, text, new = language(known), "x = f(1)\n", "x = f(“1”)\n"
        target = find_target(Document("file:///p/a", known, 1, text), parse(text, row), Span(0, 3))
        assert target is not None
        found = structure_findings(parse(text, row), parse(new, row), target, Span(0, len(new) - 1), ())
        assert bool(found.reason) is bool(expected)
        assert expected in found.reason


def test_what_is_defined_inside_of_a_function_or_without_a_name_may_go() -> None:
    inner = "class Shape:\n    def area(self):\n        return 1\n\n    def size(self):\n        return 2\n\n    def width(self):\n        return 3"
    nested = inner.replace("        return 2", "        def two():\n            return 2\n\n        return two()")
    assert found("python", "class Shape", nested).reason == ""
    text = "struct S {\n  enum { A, B };\n  int f() { return 1; }\n};\n"
    row = language("cpp")
    target = find_target(Document("file:///p/a.cpp", "cpp", 1, text), parse(text, row), Span(0, 0))
    assert target is not None
    whole = text[target.span.start : target.span.end]
    for new, reason in (
        (whole.replace("  enum { A, B };\n", ""), ""),
        (whole.replace("  int f() { return 1; }\n", ""), "The answer leaves out `f`."),
    ):
        after = new + text[target.span.end :]
        assert structure_findings(parse(text, row), parse(after, row), target, Span(0, len(new)), ()).reason == reason
