"""An answer that repeats itself is noticed while it does, and nothing else is taken for one."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import PACKAGE

from tuppence.core.checks import repetition
from tuppence.core.checks.repetition import RepetitionDetector, repeated, shown

if TYPE_CHECKING:
    from _typeshed import TraceFunction

SOURCES = sorted(PACKAGE.rglob("*.py"))


def period(text: str) -> int:
    """Return the length of the shortest piece that a text is made of, found by trying each."""
    return next(size for size in range(1, len(text) + 1) if text[size:] == text[:-size])


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


@given(st.data())
def test_the_shortest_piece_is_found_among_near_misses(data: st.DataObject) -> None:
    """A window of pieces of pieces, in which one character may be another, cut anywhere."""
    piece = data.draw(st.text(alphabet="ab", min_size=1, max_size=7)) * data.draw(st.integers(1, 40))
    piece += data.draw(st.text(alphabet="ab", max_size=3))
    window = (piece * 2 * repetition._WINDOW)[data.draw(st.integers(0, 250)) :][: repetition._WINDOW]
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(window) - 1))
        window = f"{window[:at]}c{window[at + 1 :]}"
    size = period(window)
    assert repetition._period(window) == (size if size * repetition._ROUNDS <= len(window) else 0)


@pytest.mark.parametrize("chunk", [1, 7, 399, 400, 401, 8_000, 50_000])
def test_a_loop_is_stopped_within_one_step_and_one_chunk_of_what_proves_it(chunk: int) -> None:
    found, at = caught("    total += 1\n" * 9_000, chunk)
    assert found
    assert at < repetition._WINDOW + repetition._STEP + chunk


@pytest.mark.parametrize("text", ["x = 1\n" * 20_000, "".join(f"x{at} = {at}\n" for at in range(9_000))])
def test_the_steps_grow_with_the_chunks_and_not_with_the_characters(text: str) -> None:
    steps = 0

    def count(_frame: FrameType, _event: str, _argument: object) -> TraceFunction:
        nonlocal steps
        steps += 1
        return count

    watched, size = RepetitionDetector(text), 25
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    before = sys.gettrace()
    sys.settrace(count)
    try:
        for chunk in chunks:
            watched.feed(chunk)
    finally:
        sys.settrace(before)
    assert len(chunks) < steps < 8 * len(chunks)


class Given(str):
    """A text that counts how often it is searched."""

    __slots__ = ("searched",)

    def __contains__(self, piece: object, /) -> bool:
        self.searched = getattr(self, "searched", 0) + 1
        return isinstance(piece, str) and super().__contains__(piece)


def test_what_the_request_repeats_is_looked_for_once() -> None:
    table = Given("0, 0, 1, 0,\n" * 2_000)
    assert caught(table, of=table)[0] == ""
    assert 0 < table.searched <= 2
