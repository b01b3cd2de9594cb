"""An answer that repeats itself is noticed while it does, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import PACKAGE

from tuppence.core.checks.repetition import RepetitionDetector, repeated, shown

SOURCES = sorted(PACKAGE.rglob("*.py"))


def caught(text: str, chunk: int = 7, of: str = "") -> tuple[str, int]:
    """Return the piece that was noticed, and after how many code points."""
    loop = RepetitionDetector(of)
    for at in range(0, len(text), chunk):
        if piece := loop.feed(text[at : at + chunk]):
            return piece, at + chunk
    return "", len(text)


@pytest.mark.parametrize(
    ("piece", "within"),
    [
        ("    total += 1\n", 2_400),
        ("    if a:\n        b()\n    else:\n        c()\n", 2_400),
        ("and so on ", 2_400),
        ("ha", 4_800),
        ("\n", 4_800),
        ("x\n" * 2 + "y\n", 2_400),
    ],
)
def test_what_repeats_is_noticed_soon(piece: str, within: int) -> None:
    lead = "def f():\n" + "".join(f"    a{number} = {number}\n" for number in range(40))
    found, at = caught(lead + piece * 9_000)
    assert sorted(found) == sorted(piece)
    assert at - len(lead) <= within


def test_a_piece_of_lines_begins_at_a_line() -> None:
    assert repeated("a = 1\nbb = 2\n" * 300) == "bb = 2\na = 1\n"
    assert shown("bb = 2\n  a = 1\n") == "bb = 2 a = 1"
    assert shown("\n") == "white space"
    assert shown("x" * 90) == "x" * 40 + "…"


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 3_000,
        "# " + "-" * 3_000,
        "".join(f"    assert f({number}) == {number * 2}\n" for number in range(900)),
        "".join(f"| {number} | ok |\n" for number in range(900)),
        "    }\n" * 100,
    ],
)
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    assert caught(text) == ("", len(text))


def test_what_the_request_repeats_may_be_repeated() -> None:
    table = "    0, 0, 0, 0, 0, 0, 0, 0,\n" * 200
    assert caught(table, of=f"int a[] = {{\n{table}}};\n")[0] == ""
    assert caught(table, of="int a[] = {};\n")[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_file_of_this_project_is_taken_for_a_loop(path: Path) -> None:
    assert caught(path.read_text(encoding="utf-8"), chunk=31)[0] == ""


@given(st.text(alphabet="ab\n", min_size=4, max_size=150), st.integers(1, 60))
def test_every_long_enough_loop_is_noticed_however_it_is_cut(piece: str, chunk: int) -> None:
    found, _ = caught(piece * (9_000 // len(piece)), chunk)
    assert found
    assert len(piece) % len(found) == 0
