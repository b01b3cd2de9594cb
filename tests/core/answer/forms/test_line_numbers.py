"""Line numbers go where they are a listing's for certain, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EXAMPLES
from work import lines as lines_run

from tuppence.core.answer.forms.line_numbers import without_line_numbers

CODE = ["def f(a):", "    b = a", "", "    return b"]
FORMS = [
    "{}: ",
    "{}| ",
    "{} | ",
    "  {} | ",
    "{}\t",
    "{:>6}\t",
    "{}.  ",
    "{}. ",
    "[{}] ",
    "L{}: ",
    "{:>4}: ",
    "{}:",
    "{}→",
    "{} │ ",
]


def numbered(lines: list[str], form: str, start: int) -> list[str]:
    return [form.format(number) + line for number, line in enumerate(lines, start)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("start", [1, 7, 41, 98])
def test_a_listing(form: str, start: int) -> None:
    changed = [*CODE[:-1], "    return a", "    # é"]
    assert without_line_numbers(numbered(changed, form, start), CODE) == changed
    stripped = [line.rstrip() for line in numbered(changed, form, start)]
    assert without_line_numbers(stripped, CODE) == changed


def test_an_indented_block_keeps_its_depth() -> None:
    block = [f"    {line}" if line else "" for line in CODE]
    for form in FORMS:
        assert without_line_numbers(numbered(block, form, 3), block) == block
        moved = without_line_numbers(numbered(CODE, form, 3), block)
        assert moved == CODE


def test_blank_lines() -> None:
    assert without_line_numbers(["1: def f(a):", "2:     b = a", "3", "4:     return b"], CODE) == CODE
    assert without_line_numbers(["1: def f(a):", "2:     b = a", "", "4:     return b"], CODE) == CODE
    assert without_line_numbers(["1: def f(a):", "2:     b = a", "", "3:     return b"], CODE) == CODE
    assert without_line_numbers(["1: def f(a):", "", "2:     b = a", "", "4:     return b"], CODE) is None


@pytest.mark.parametrize(
    ("reply", "original"),
    [
        (["1: def f(a):"], CODE),
        (["1: def f(a):", "    b = a", "3:     return b"], CODE),
        (["1: def f(a):", "3:     b = a"], CODE),
        (["10: def f(a):", "20:     b = a"], CODE),
        (["1: def f(a):", "2|     b = a"], CODE),
        (["2: def f(a):", "1:     b = a"], CODE),
        (["1: x", "2: y"], CODE),
        (["1. Do this", "2. Do that"], []),
        (["1. Do this", "2. Do that"], ["Do this", "1. Do it"]),
        (["1: a", "2: b"], ["1: a"]),
        (["1: 'a',", "2: 'b',", "3: 'c',"], ["1: 'a',", "2: 'b',"]),
        (["1.0,", "2.0,", "3.0,"], ["1.0,", "2.0,"]),
        (["1.0,", "2.0,", "3.0,"], ["0,"]),
        (["10 PRINT", "20 GOTO 10"], ["10 PRINT"]),
        (["1 PRINT", "2 GOTO 1"], ["PRINT", "GOTO 1"]),
        (["[1, 2]", "[2, 3]"], ["[1, 2]"]),
        (["  1: def f(a):", "2:     b = a"], CODE),
        (["", ""], CODE),
        ([], CODE),
        (["1", "2"], ["1"]),
        (["1: ", "2: "], CODE),
    ],
)
def test_what_may_be_text_stays(reply: list[str], original: list[str]) -> None:
    assert without_line_numbers(reply, original) is None


@settings(max_examples=EXAMPLES or 300)
@given(st.lists(st.sampled_from(["a", "  b", "\tc", "", "1: x", "2. y", "[3] z"]), max_size=8), st.sampled_from(FORMS))
def test_a_listing_gives_its_lines_or_nothing(lines: list[str], form: str) -> None:
    result = without_line_numbers(numbered(lines, form, 1), lines)
    assert result in (None, lines)
    assert without_line_numbers(lines, lines) is None


@pytest.mark.parametrize("text", ["1", " ", "\t", "[", "1:", "L"])
def test_a_line_of_64_kb_costs_one_look(text: str) -> None:
    line = text * (65536 // len(text))
    _, many = lines_run(lambda: without_line_numbers([line, line], [line]))
    assert many < 120
