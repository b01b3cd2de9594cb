"""Cleaning Markdown takes steps in proportion to its length, whatever it says and however it arrives."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from re import _parser as regex_parser  # type: ignore[attr-defined]
from types import FrameType
from typing import Any

import pytest

from tuppence.core.answer import markdown, markdown_blocks, markdown_inline
from tuppence.core.answer.markdown import LONGEST_LINE, Cleaner, clean, plain

MODULES = (markdown, markdown_blocks, markdown_inline)
KB = 1024
WIDEST = 700
"""Characters at which a search by a pattern may look from one place."""
GROWTH = 1.5
"""How many times as many steps a longer text may take as its length says."""


def runs(size: int) -> str:
    return " ".join("`" * length for length in range(1, int((2 * size) ** 0.5)))


HOSTILE: dict[str, Callable[[int], str]] = {
    "letters": lambda size: "x" * size,
    "brackets": lambda size: "[" * size,
    "images": lambda size: "![" * (size // 2),
    "links that begin": lambda size: "[a](" * (size // 4),
    "empty links that begin": lambda size: "[](" * (size // 3),
    "targets that begin": lambda size: "[(" * (size // 2),
    "links": lambda size: "[a](b)" * (size // 6),
    "nested links": lambda size: "[" * (size // 4) + "](b)" * (size // 6),
    "nested targets": lambda size: "[a](" * (size // 5) + ")" * (size // 5),
    "indexes": lambda size: "[a]" * (size // 3),
    "hosts": lambda size: "a." * (size // 2),
    "addresses": lambda size: "a@b." * (size // 4),
    "schemes": lambda size: "a:" * (size // 2),
    "slashes": lambda size: "://" * (size // 3),
    "runs of backticks that grow": runs,
    "backticks": lambda size: "`" * size,
    "code": lambda size: "`a` " * (size // 4),
    "code with backticks": lambda size: "``a`b`` " * (size // 8),
    "tags": lambda size: "<" * size,
    "tags that begin": lambda size: "<a:" * (size // 3),
    "backslashes": lambda size: "\\" * size,
    "escapes": lambda size: "\\`" * (size // 2),
    "ampersands": lambda size: "&" * size,
    "entities": lambda size: "&a" * (size // 2),
    "asterisks": lambda size: "*" * size,
    "emphasis": lambda size: "*a **" * (size // 5),
    "underscores": lambda size: "_" * size,
    "tildes": lambda size: "~" * size,
    "parentheses": lambda size: "(" * size,
    "closing parentheses": lambda size: "www.a" + ")" * (size - 5),
    "quotes": lambda size: "> " * (size // 2),
    "list markers": lambda size: "- " * (size // 2),
    "numbers": lambda size: "1. " * (size // 3),
    "spaces": lambda size: " " * size,
    "spaces and a letter": lambda size: "  a" * (size // 3),
    "hashes": lambda size: "#" * size,
    "pipes": lambda size: "|" * size,
    "rules": lambda size: "---\n" * (size // 4),
    "tables": lambda size: "|a|\n|-|\n" * (size // 8),
    "fences": lambda size: "```\n" * (size // 4),
    "fences that grow": lambda size: "```\n" + runs(size).replace(" ", "x\n"),
    "fences far in": lambda size: "".join(f"{' ' * (at % 40)}```\n" for at in range(size // 24)),
    "code far in": lambda size: "- a\n" + " " * (size // 4) + "```\n" + "x\n" * (size // 4),
    "lines that end": lambda size: "\r\n\r" * (size // 3),
    "hidden characters": lambda size: "\u202e" * size,
}  # fmt: skip
"""Texts of about a size in code points."""
ASKED = tuple(
    HOSTILE[name]
    for name in ("letters", "images", "links that begin", "targets that begin", "hosts", "runs of backticks that grow")
)
"""What took minutes once."""


def calls(work: Callable[[], object]) -> int:
    """Return how many functions a piece of work calls, Python's own included."""
    count = 0

    def note(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def lines(work: Callable[[], object]) -> int:
    """Return how many lines of the modules a piece of work passes."""
    count = 0
    files = {module.__file__ for module in MODULES}

    def line(_frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return line

    def entered(frame: FrameType, _event: str, _arg: object) -> Any:
        return line if frame.f_code.co_filename in files else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def fed(text: str, size: int) -> None:
    cleaner = Cleaner()
    for at in range(0, len(text), size):
        cleaner.feed(text[at : at + size])
    cleaner.finish()


@pytest.mark.attack("hostile sizes", "Markdown, from 8 to 64 KB")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_steps_grow_with_the_length(make: Callable[[int], str], record_property: Callable[[str, object], None]) -> None:
    sizes = (8, 16, 32, 64) if make in ASKED else (4, 32)
    texts = [make(size * KB) for size in sizes]
    counts = [calls(lambda text=text: clean(text)) for text in texts]  # type: ignore[misc]
    print(counts)
    for size, count in zip(sizes, counts, strict=True):
        assert count <= GROWTH * size / sizes[0] * counts[0] + 200
    record_property("cases", len(texts))


@pytest.mark.attack("hostile sizes", "Markdown, in pieces")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_steps_grow_with_the_length_in_pieces(make: Callable[[int], str]) -> None:
    counts = [lines(lambda size=size: fed(make(size), 8)) for size in (500, 4000)]  # type: ignore[misc]
    assert counts[1] <= GROWTH * 8 * counts[0] + 200


@pytest.mark.attack("hostile sizes", "one line of findings")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_plain_text_takes_steps_by_its_length(make: Callable[[int], str]) -> None:
    counts = [calls(lambda size=size: plain(make(size * KB))) for size in (1, 8)]  # type: ignore[misc]
    assert counts[1] <= GROWTH * 8 * counts[0] + 200


@pytest.mark.attack("hostile sizes", "Markdown that grows when it is cleaned")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_is_written_is_not_much_longer(make: Callable[[int], str]) -> None:
    text = make(32 * KB)
    assert len(clean(text)) <= 14 * len(text) + 100


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_search_looks_at_a_bounded_part_of_a_line(module: Any) -> None:
    patterns = [each for each in vars(module).values() if isinstance(each, re.Pattern)]
    assert patterns or module is markdown
    for pattern in patterns:
        parsed = regex_parser.parse(pattern.pattern, pattern.flags)
        assert parsed.getwidth()[1] <= WIDEST or is_run(parsed), pattern.pattern


def is_run(parsed: Any) -> bool:
    """Report whether a pattern is classes of characters, each repeated: such a search looks at no character twice."""
    while len(parsed) == 1 and str(parsed[0][0]) == "SUBPATTERN":
        parsed = parsed[0][1][-1]
    if len(parsed) == 1 and str(parsed[0][0]) == "BRANCH":
        return all(is_run(each) or each.getwidth()[1] == 1 for each in parsed[0][1][1])
    if len(parsed) != 1 or str(parsed[0][0]) not in ("MAX_REPEAT", "POSSESSIVE_REPEAT"):
        return False
    inner = parsed[0][1][2]
    return len(inner) == 1 and str(inner[0][0]) in ("IN", "LITERAL")


def test_the_longest_line_is_beyond_what_is_tried() -> None:
    assert LONGEST_LINE > 32 * KB
