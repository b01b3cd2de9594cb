"""Matching a block of lines gives the result of comparing it with every place, line by line."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EXAMPLES

from tuppence.core.answer.forms.matching import LineBlockPlace, LineChange, TextLines

LINES = st.sampled_from(["", "  ", "a", "  a", "    a", "\ta", "\t  a", "b", "  b", "b  "])


def by_hand(text: list[str], block: list[str]) -> list[tuple[int, int]]:
    """Return each place of a block, found by trying every prefix of white space at each line."""
    found = []
    for first in range(len(text) - len(block) + 1):
        window = text[first : first + len(block)]
        pairs = [(one.rstrip(), other.rstrip()) for one, other in zip(window, block, strict=True)]
        prefixes = {line[:at] for line in (*window, *block) for at in range(len(line)) if not line[:at].strip()}
        moves = any(
            all(bool(one) == bool(other) and (not one or one == prefix + other) for one, other in pairs)
            or all(bool(one) == bool(other) and (not one or prefix + one == other) for one, other in pairs)
            for prefix in {"", *prefixes}
        )
        if moves and any(line.strip() for line in block):
            found.append((first, first + len(block)))
    return found


@settings(max_examples=EXAMPLES or 1000)
@given(st.lists(LINES, min_size=1, max_size=9), st.lists(LINES, min_size=1, max_size=4))
def test_every_place_and_no_other(text: list[str], block: list[str]) -> None:
    found = TextLines("".join(f"{line}\n" for line in text)).find(block)
    assert [(place.first, place.last) for place in found] == by_hand(text, block)
    for place in found:
        moved = place.move(block)
        assert moved is not None
        here = text[place.first : place.last]
        assert [line.rstrip() for line in moved] == [line.rstrip() for line in here]


def test_places_may_overlap() -> None:
    assert [place.first for place in TextLines("a\na\na\n").find(["a", "a"])] == [0, 1]


def test_a_last_line_ending_ends_a_line_and_begins_none() -> None:
    assert TextLines("a\n").find(["a", ""]) == []
    assert TextLines("a\n\n").find(["a", ""]) == [LineBlockPlace(0, 2)]


def test_the_text_after_changes() -> None:
    text = TextLines("a\r\nb\nc")
    assert text.changed([]) == "a\r\nb\nc"
    assert text.changed([LineChange(3, 3, ("d",))]) == "a\r\nb\nc\r\nd"
    assert text.changed([LineChange(2, 3, ())]) == "a\r\nb"
    assert text.changed([LineChange(2, 3, ("x",))], "\n", ending=True) == "a\r\nb\nx\n"
    assert text.changed([LineChange(0, 3, ())]) == ""
    assert TextLines("\n").changed([LineChange(0, 1, ())]) == ""
    assert TextLines("a\rb\n\n").changed([LineChange(1, 2, ())]) is None
