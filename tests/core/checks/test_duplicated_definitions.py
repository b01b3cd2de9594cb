"""An answer that gives back its target and the neighbour too would have that stand there twice."""

from __future__ import annotations

import pytest

from tuppence.core.checks.lost_definitions import duplicated_definition
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Edit, Span, apply

PYTHON = (
    "class A:\n    def __init__(self):\n        self.x = 1\n\n    def top(self):\n        return self.x\n\n\n"
    "class B:\n    def __init__(self):\n        self.y = 2\n"
)
GO = "package a\n\nfunc f() int {\n\treturn 1\n}\n\nfunc g() int {\n\treturn 2\n}\n"
JAVA = "class A {\n  int f(int a) { return a; }\n  int g() { return 1; }\n}\n"
TYPESCRIPT = "export function f(a: number): number {\n  return a;\n}\n\nexport const g = () => {\n  return 1;\n};\n"


def check(name: str, text: str, old: str, new: str, expected: str) -> None:
    """Judge an answer that replaces a part of a text."""
    target = Span(text.index(old), text.index(old) + len(old))
    row = language(name)
    after = apply(text, (Edit(target, new),))
    assert duplicated_definition(parse(text, row), parse(after, row), target) == expected


TOP = "    def top(self):\n        return self.x"


@pytest.mark.parametrize(
    ("name", "text", "old", "new", "expected"),
    [
        ("python", PYTHON, TOP, f"    def __init__(self):\n        self.x = 1\n\n{TOP} + 0", "__init__"),
        (
            "go",
            GO,
            "func f() int {\n\treturn 1\n}",
            "func f() int {\n\treturn 3\n}\n\nfunc g() int {\n\treturn 2\n}",
            "g",
        ),
        ("java", JAVA, "int f(int a) { return a; }", "int f(int a) { return 2; }\n  int g() { return 1; }", "g"),
        (
            "typescript",
            TYPESCRIPT,
            "export const g = () => {\n  return 1;\n};",
            "export function f(a: number): number {\n  return a;\n}\nexport const g = () => 2;",
            "f",
        ),
    ],
)
def test_the_neighbour_is_missed(name: str, text: str, old: str, new: str, expected: str) -> None:
    check(name, text, old, new, expected)


@pytest.mark.parametrize(
    ("name", "text", "old", "new"),
    [
        # The same name in another class, a new function, a choice of two, an overload, a nested one, all of the file.
        ("python", PYTHON, TOP, f"{TOP} + 0"),
        ("python", PYTHON, TOP, f"{TOP}\n\n    def low(self):\n        return 0"),
        ("python", PYTHON, PYTHON, PYTHON.replace("1", "2")),
        (
            "python",
            "def f():\n    return 1\n",
            "def f():\n    return 1",
            "if a:\n    def f():\n        return 1\nelse:\n    def f():\n        return 2",
        ),
        (
            "python",
            "def g():\n    pass\n\n\ndef f():\n    return 1\n",
            "def f():\n    return 1",
            "def f():\n    def g():\n        pass\n    return g",
        ),
        ("java", JAVA, "int f(int a) { return a; }", "int f(int a) { return a; }\n  int g(int b) { return b; }"),
        ("go", GO, "func f() int {\n\treturn 1\n}", "func f() int {\n\treturn h()\n}\n\nfunc h() int {\n\treturn 2\n}"),
        ("toml", "a = 1\nb = 2\n", "a = 1", "a = 1\nb = 2"),
    ],
)
def test_what_is_new_or_elsewhere_is_no_matter(name: str, text: str, old: str, new: str) -> None:
    check(name, text, old, new, "")
