"""Which new line stands for which old one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.syntax.code_lines import CodeLine
from tuppence.core.syntax.line_alignment import Alignment

WORDS = st.lists(
    st.sampled_from(["else:", "return one", "first = 1", "second(a, b)", "third", "total += 1"]), max_size=12
)


def lines(*texts: str) -> list[CodeLine]:
    """Return lines of code without comments and strings."""
    return [CodeLine(text, text, text, "") for text in texts]


def test_equal_and_rewritten_lines_are_pairs() -> None:
    aligned = Alignment(
        lines("def f():", "a = 1", "b = compute(a)", "return b"), lines("def f():", "b = compute(2)", "return b")
    )
    assert aligned.pairs == ((0, 0), (2, 1), (3, 2))
    assert aligned.equal == {(0, 0), (3, 2)}
    assert (aligned.gone(), aligned.come()) == ((1,), ())


def test_what_is_around_a_place() -> None:
    aligned = Alignment(lines("top", "one", "two", "three", "bottom"), lines("top", "xyzzy(9)", "bottom"))
    gone, above, below = aligned.around(2)
    assert ([line.text for line in gone], above, below) == (["one", "two", "three"], 1, 0)


def test_a_line_that_was_moved_is_not_lost() -> None:
    aligned = Alignment(lines("a = 1", "b = 2", "go(a)", "go(b)"), lines("go(a)", "go(b)", "a = 1"))
    assert [aligned.old[i].text for i in aligned.gone()] == ["a = 1", "b = 2"]
    assert [line.text for line in aligned.lost(aligned.gone())] == ["b = 2"]


def test_a_short_line_that_occurs_twice_tears_no_gap_apart() -> None:
    old = lines("top", "if a:", "x()", "else:", "y()", "if b:", "z()", "else:", "w()", "bottom")
    gone, _, _ = Alignment(old, lines("top", "else:", "bottom")).around(1)
    assert len(gone) >= 2
    assert (3, 1) not in Alignment(old, lines("top", "else:", "bottom")).equal


@given(WORDS, WORDS)
def test_pairs_rise_and_are_in_both(old: list[str], new: list[str]) -> None:
    aligned = Alignment(lines(*old), lines(*new))
    assert all(a < c and b < d for (a, b), (c, d) in zip(aligned.pairs, aligned.pairs[1:], strict=False))
    assert all("".join(old[i].split()) == "".join(new[j].split()) for i, j in aligned.equal)
    assert set(aligned.gone()) | {i for i, _ in aligned.pairs} == set(range(len(old)))
    if old == new:
        assert len(aligned.equal) == len(old)


def test_in_a_large_gap_no_rewritten_lines_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = lines("top", "first = 1", "end"), lines("top", "first = 2", "end")
    assert Alignment(old, new).pairs == ((0, 0), (1, 1), (2, 2))
    monkeypatch.setattr("tuppence.core.syntax.line_alignment._SIZE", 0)
    assert Alignment(old, new).pairs == ((0, 0), (2, 2))
