"""A line's code without its strings, and its comment."""

from __future__ import annotations

import pytest

from tuppence.core.syntax.code_lines import CodeLine, code_lines
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Span


def lines(text: str, lang: str) -> tuple[CodeLine, ...]:
    """Return the lines of a whole text."""
    return code_lines(parse(text, language(lang)), Span(0, len(text)))


@pytest.mark.parametrize(
    ("lang", "line", "code", "bare"),
    [
        ("python", "x = 'a # b'  # c", "x = 'a # b'", "x = '     '"),
        ("python", "x = f'a{b}c'", "x = f'a{b}c'", "x = f' {b} '"),
        ("typescript", "let x = `a${b}c` // d", "let x = `a${b}c`", "let x = ` ${b} `"),
        ("go", 'var x = "a // b" // c', 'var x = "a // b"', 'var x = "      "'),
        ("rust", 'const X: &str = "a"; /* b */', 'const X: &str = "a";', 'const X: &str = " ";'),
        ("java", 'class A { String x = "a"; } // b', 'class A { String x = "a"; }', 'class A { String x = " "; }'),
        ("cpp", 'auto x = R"(a)"; // b', 'auto x = R"(a)";', 'auto x = R"( )";'),
        ("ruby", "x = 'a # b' # c", "x = 'a # b'", "x = '     '"),
        ("ruby", "x = don't # c", "x = don't", "x = don't"),
        ("ruby", r"x = 'a\'b'", r"x = 'a\'b'", "x = '    '"),
    ],
)
def test_comments_and_strings(lang: str, line: str, code: str, bare: str) -> None:
    (found,) = lines(line, lang)
    assert (found.code.rstrip(), found.bare.rstrip(), found.note) == (code, bare, "")
    assert len(found.code) == len(found.bare) == len(line)


def test_a_line_of_comment_alone_is_a_note() -> None:
    assert [line.note for line in lines("# a\nx = 1  # b\n", "python")] == ["# a", "", ""]
    assert [line.note for line in lines("/* a\r\n   b */\r\nint x;", "cpp")] == ["/* a", "b */", ""]
    assert lines("x = <p>\n{/* a */}\n</p>", "tsx")[1].note == "/* a */"
    assert lines("{\n} // a", "typescript")[1].note == ""
    assert lines("-- a", "lua")[0].note == "-- a"


def test_a_docstring_and_what_closes_a_block_are_no_code() -> None:
    found = lines('def f(a):\n    """Do.\n\n    More.\n    """\n    return a\n', "python")
    assert [line.is_code for line in found] == [True, False, False, False, False, True, False]
    assert [line.is_code for line in lines("f() {\n  x\n}\n", "typescript")] == [True, True, False, False]
    assert [line.is_code for line in lines("def f\n  x\nend", "ruby")] == [True, True, False]
