"""The measurement of forms of edits: the blocks that it takes for a careful model's lead to the change alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.edit_form import __main__ as command
from benchmarks.edit_form.blocks import SearchReplace, shortest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties import replay

from tuppence.core.models.usage import estimate
from tuppence.core.prompt.compose import fence
from tuppence.core.routing.edit_form import block_tokens, whole_tokens

few = st.lists(st.sampled_from(["a", "b", "    c", "", "}"]), min_size=1, max_size=12).map("\n".join)
LONG = "\n".join(f"    line {number} of a function" for number in range(200))


def count(lines: list[str], part: list[str]) -> list[int]:
    return [at for at in range(len(lines)) if lines[at : at + len(part)] == part]


def applied(old: str, blocks: tuple[SearchReplace, ...]) -> str:
    """Return the text with each block, whose search text must be found once in what it was, in its place."""
    lines, found, at = old.split("\n"), [], 0
    for block in blocks:
        (start,) = count(lines, [*block.search])
        assert start >= at, "they overlap, or are out of order"
        found += [*lines[at:start], *block.replace]
        at = start + len(block.search)
    return "\n".join(found + lines[at:])


@given(few, few, st.integers(0, 3))
def test_the_blocks_lead_from_one_text_to_the_other(old: str, new: str, around: int) -> None:
    assert applied(old, shortest(old, new, around)) == new


@given(st.integers(0, 2**32), st.integers(0, 3))
def test_a_change_of_a_long_text_is_a_few_lines(seed: int, around: int) -> None:
    lines = LONG.split("\n")
    lines[random.Random(seed).randrange(200)] = "    changed = True"  # noqa: S311 - a choice of a line
    (block,) = shortest(LONG, "\n".join(lines), around)
    assert len(block.search) <= 2 * around + 1
    assert applied(LONG, (block,)) == "\n".join(lines)


@pytest.mark.parametrize(
    ("old", "new", "around", "blocks"),
    [
        ("a\nb\nc", "a\nx\nc", 0, [("b", "x")]),
        ("a\nb\nc", "a\nx\nc", 1, [("a\nb\nc", "a\nx\nc")]),
        ("a\nb\nc", "a\nb\nx\nc", 0, [("b\nc", "b\nx\nc")]),
        ("a\nb\nc", "a\nc", 0, [("b", "")]),
        ("a\na\nb", "a\nx\nb", 0, [("a\na\nb", "a\nx\nb")]),
        ("a\nb\nc\nd\ne", "x\nb\nc\nd\ny", 0, [("a", "x"), ("e", "y")]),
        ("a\nb\nc\nd\ne", "x\nb\nc\nd\ny", 2, [("a\nb\nc\nd\ne", "x\nb\nc\nd\ny")]),
        ("a\nb", "a\nb", 1, []),
    ],
    ids=["a line", "lines around", "an insertion", "a deletion", "found twice", "two", "two that meet", "no change"],
)
def test_blocks_of_small_changes(old: str, new: str, around: int, blocks: list[tuple[str, str]]) -> None:
    found = [("\n".join(each.search), "\n".join(each.replace)) for each in shortest(old, new, around)]
    assert found == blocks


def test_what_a_model_writes_of_them() -> None:
    assert str(SearchReplace(("a",), ("b", "c"))) == "<<<<<<< SEARCH\na\n=======\nb\nc\n>>>>>>> REPLACE"
    assert str(SearchReplace(("a",), ())) == "<<<<<<< SEARCH\na\n=======\n>>>>>>> REPLACE"
    assert str(SearchReplace(("a",), ("",))) == "<<<<<<< SEARCH\na\n=======\n\n>>>>>>> REPLACE"


def test_a_change_is_measured_in_both_forms() -> None:
    found = command.measured("a\nb\nc", "a\nx\nc")
    assert (found.lines, found.target, found.whole) == (3, estimate("a\nb\nc"), estimate(fence("a\nx\nc", "python")))
    block = "<<<<<<< SEARCH\nb\n=======\nx\n>>>>>>> REPLACE"
    assert found.blocks[0] == estimate(fence(block, "python")) < found.blocks[1] == found.blocks[3]
    assert found.applied == {0, 1, 3}
    marked = command.measured("a\n=======", "a\n=======\nb\n=======")
    assert (marked.applied, marked.refused) == (frozenset(), frozenset({0, 1, 3})), "marks in the code"


def test_the_line_of_least_squares() -> None:
    assert command.fitted([(0, 1), (1, 3), (2, 5)]) == (1, 2)
    assert command.fitted([(0, 0), (0, 2), (2, 4), (2, 6)]) == (1, 2)


def test_the_command_prints_the_table_and_the_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def function(name: str, lines: int, more: str = "") -> str:
        return f"def {name}():\n" + "".join(f"    do({number})\n" for number in range(lines)) + more

    old = "\n\n".join((function("f", 3), function("g", 70), function("same", 9)))
    new = "\n\n".join((function("f", 3, "    do()\n"), function("g", 70, "    do()\n"), function("same", 9)))

    def read(_releases: object, _folder: Path) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
        yield "one 2", {"a.py": old, "b.txt": "a"}, {"a.py": new, "b.txt": "b"}

    monkeypatch.setattr(replay.Releases, "read", read)
    monkeypatch.setattr("sys.argv", ["edit_form"])
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert printed.startswith("2 definitions that a release changed")
    assert "\n0 safe fixes of ruff's" in printed
    rows = [line for line in printed.splitlines() if line.startswith("| ") and "lines" not in line]
    assert [line.split(" | ")[:2] for line in rows] == [["| 1-5", "1"], ["| 61-80", "1"]]
    assert rows[0].endswith("| 0% |")
    assert rows[1].endswith("| 100% |")
    assert "blocks, 1 around = " in printed
    assert "blocks, 1 around: 2 made exactly the new text, 0 were refused" in printed


def test_the_router_has_what_was_measured() -> None:
    """What the command printed on 1,210 changes: whole = 8 + 1.004 x target, blocks = 131 + 0.116 x target."""
    assert [whole_tokens(each) for each in (0, 1000, 10_000)] == [8, 1012, 10_048]
    assert [block_tokens(each) for each in (0, 1000, 10_000)] == [131, 247, 1291]
