"""Definitions at the edges: declarators of C, comments that are and are not above, the first line of a file."""

from __future__ import annotations

import pytest

from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse


def read(known: str, text: str) -> list[tuple[str, str, str]]:
    """Return the kind, the name and the comment of each definition."""
    found = parse(text, language(known)).blocks()
    return [(each.kind, each.name, text[each.doc.start : each.doc.end] if each.doc else "") for each in found]


@pytest.mark.parametrize(
    ("known", "text", "expected"),
    [
        ("c", "int *f(void);\n", [("prototype", "f", "")]),
        ("c", "int **f(char *s);\n", [("prototype", "f", "")]),
        ("cpp", "int &f(int a);\n", [("prototype", "f", "")]),
        ("cpp", "int *&f(int a);\n", [("prototype", "f", "")]),
        ("c", "int (*h)(int);\n", []),
        ("c", "int y;\nint *z;\n", []),
        ("cpp", "Foo x(1);\nvoid k() {\n  int x(1);\n}\n", [("function", "k", "")]),
        ("cpp", "struct A {\n  int &r() { return *p; }\n};\n", [("struct", "A", ""), ("method", "r", "")]),
        ("c", "typedef struct { int a; } T;\n", [("struct", "T", "")]),
        ("c", "enum { A, B };\n", [("enum", "", "")]),
        ("cpp", "namespace {\nint f() { return 1; }\n}\n", [("module", "", ""), ("function", "f", "")]),
    ],
)
def test_a_declarator_of_c_is_followed_to_its_name(known: str, text: str, expected: list[tuple[str, str, str]]) -> None:
    assert read(known, text) == expected


@pytest.mark.parametrize(
    ("above", "doc"),
    [
        ("", ""),
        ("// one\n", "// one"),
        ("// one\n// two\n", "// one\n// two"),
        ("  // one\n", "// one"),
        ("/* one\n   two */\n", "/* one\n   two */"),
        ("/* one */\nlet a;\n", ""),
        ("let a; /* one\ntwo */\n", ""),
        ("/* one */ let a; /* two\nthree */\n", "/* one */ let a; /* two\nthree */"),
        ("/* a\nx */ /* b\nc */\n", ""),
        ("let a = 1; */\n", ""),
        ("a */\nb */\n", ""),
        ("// one\n\n", ""),
    ],
)
def test_a_comment_is_a_definitions_where_its_last_line_is_right_above(above: str, doc: str) -> None:
    text = f"{above}function f() {{\n  return 1;\n}}\n"
    found = [each for each in read("javascript", text) if each[1] == "f"]
    assert [each[2] for each in found] in ([doc], [])
    assert found or "*/\n" in above, "only what does not parse has no definition"


@pytest.mark.parametrize(
    "text", ["class A:\n    pass\n", "class A:\n    x = 1\n", "def f():\n    if x:\n        '''no.'''\n"]
)
def test_what_is_no_string_is_no_docstring(text: str) -> None:
    assert [each[2] for each in read("python", text)] == [""]


def test_a_statement_that_exports_several_functions_belongs_to_none_of_them() -> None:
    text = "export const a = () => 1,\n  b = () => 2;\nexport const c = () => 3;\n"
    blocks = parse(text, language("javascript")).blocks()
    assert [text[each.span.start : each.span.end] for each in blocks] == [
        "a = () => 1",
        "b = () => 2",
        "export const c = () => 3;",
    ]


def test_a_shebang_is_above_no_definition() -> None:
    assert read("python", "#!/usr/bin/env python\n# One.\ndef f():\n    pass\n") == [("function", "f", "# One.")]
    assert read("python", "#!/usr/bin/env python\ndef f():\n    pass\n") == [("function", "f", "")]
