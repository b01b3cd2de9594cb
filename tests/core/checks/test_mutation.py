"""Mutants are small, parse, stay inside their target and change what the code does."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from paths import PACKAGE

from tuppence.core.checks.mutation import HANDFUL, mutants
from tuppence.core.text.document import Span, apply

SOURCES = sorted(PACKAGE.rglob("*.py"))


def made(text: str, target: str | None = None) -> set[str]:
    """Return the texts of all mutants."""
    start = text.index(target) if target else 0
    span = Span(start, start + len(target or text))
    return {apply(text, [each.edit]) for each in mutants(text, span)}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = (a) >= (b)", {"x = (a) > (b)"}),
        ("x = a in b", {"x = a not in b"}),
        ("x = a + b", {"x = a - b"}),
        ("x = 'é' * n + 'ü'", {"x = 'é' * n - 'ü'", "x = 'é' + n + 'ü'"}),
        ("x += y", {"x -= y"}),
        ("x = a and b", {"x = a or b"}),
        ("x = 41", {"x = 42"}),
        ("x = True", {"x = False"}),
        ("def f():\n    return x", {"def f():\n    return None"}),
        ("if a:\n    b = c", {"if not (a):\n    b = c"}),
        ("a.append(b)", {"pass"}),
        ("a = (  # one\n    b\n    + c\n)", {"a = (  # one\n    b\n    - c\n)"}),
        ("def f(x: int = 3): ...", {"def f(x: int = 4): ..."}),
    ],
)
def test_each_kind(code: str, expected: set[str]) -> None:
    assert made(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        "",
        "x = 'text'",
        'def f():\n    """Says 1 + 1."""\n',
        "def f() -> Literal[1]: ...",
        "@retry(3)\ndef f(): ...",
        "x: Literal[3] = y",
        "raise ValueError(1 + 1)",
        "if TYPE_CHECKING:\n    x = 1",
        "logger.info(text)",
        "x = f'{a + 1}'",
        "def f():\n    return None",
        "not python at all",
        "x = (a  # + b\n     + c)",
    ],
)
def test_what_has_no_mutant(code: str) -> None:
    assert made(code) == set()


def test_only_the_target_and_only_a_handful() -> None:
    code = "a = 1 + 2\n" + "".join(f"b{number} = {number} + c\n" for number in range(30))
    found = mutants(code, Span(10, len(code)))
    assert len(found) == HANDFUL
    assert all(each.edit.span.start >= 10 for each in found)
    assert made(code, "a = 1 + 2") == {
        code.replace(*swap, 1) for swap in (("1 +", "2 +"), ("+ 2", "+ 3"), ("1 +", "1 -"))
    }


def test_each_kind_gets_its_turn() -> None:
    code = "def f(a, b):\n    if a < b and b < 3:\n        return a + b\n    return a - 1\n"
    said = [each.what for each in mutants(code, Span(0, len(code)))]
    assert said == [
        "line 2: `<` became `<=`",
        "line 3: `+` became `-`",
        "line 2: `a < b and b < 3` became `not (a < b and b < 3)`",
        "line 2: `and` became `or`",
        "line 2: `3` became `4`",
        "line 3: `a + b` became `None`",
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_mutants_of_real_code_parse_and_differ(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before = ast.dump(ast.parse(text))
    for each in mutants(text, Span(0, len(text))):
        assert ast.dump(ast.parse(apply(text, [each.edit]))) != before


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = a < b;", {"x = a <= b;"}),
        ("x = a === b;", {"x = a !== b;"}),
        ("x = a + 1;", {"x = a - 1;", "x = a + 2;"}),
        ("x -= y;", {"x += y;"}),
        ("x = a && !b;", {"x = a || !b;"}),
        ("x = a ? b : c;", {"x = !(a) ? b : c;"}),
        ("if (a) { b = c; }", {"if (!(a)) { b = c; }"}),
        ("function f() { return x; }", {"function f() { return undefined; }"}),
        ("const f = (a) => a;", {"const f = (a) => undefined;"}),
        ("list.push(x);", {"void 0;"}),
        ("x = true;", {"x = false;"}),
        ("console.log(x);", set()),
        ("function f() { return null; }", set()),
        ("x = 'a < b';", set()),
        ("// a < b", set()),
    ],
)
def test_javascript_by_its_grammar(code: str, expected: set[str]) -> None:
    for language in ("javascript", "typescript", "tsx"):
        found = mutants(code, Span(0, len(code)), language)
        assert {apply(code, [each.edit]) for each in found} == expected


def test_types_are_left_alone_and_other_languages_have_no_mutants() -> None:
    code = "const f = (a: Array<number>): a is B => { g(a); };"
    assert {each.edit.text for each in mutants(code, Span(0, len(code)), "typescript")} == {"void 0"}
    assert not mutants("package a\n\nvar x = 1 + 2\n", Span(0, 25), "go")


def test_a_text_that_no_grammar_reads_has_no_mutants() -> None:
    assert not mutants("x = 1 + 2\n", Span(0, 9), "lua")
