"""A text without a grammar: where imports go, lines above in one pass or one by one, and texts that are too large."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.syntax.indentation import BRACKETS, IndentationTree
from tuppence.core.syntax.languages import language
from tuppence.core.text.document import Span

LUA = language("lua")


@pytest.mark.parametrize(
    ("text", "place"),
    [("# a\n# b", 7), ("# a\n# b\n", 8), ("#!x\n", 4), ("", 0), ("# a\n\nx\n", 4), ("y\n", 0), ("  # a\n", 0)],
)
def test_the_first_import_goes_behind_the_comments_at_the_top(text: str, place: int) -> None:
    assert IndentationTree(text, language("ruby")).import_place() == place


LINES = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["x", "function f()", "end", "}", "", "-- c"])), max_size=30
)


@given(LINES)
def test_the_table_of_all_lines_says_of_each_what_a_look_up_from_it_says(made: list[tuple[int, str]]) -> None:
    text = "\n".join("  " * depth + word for depth, word in made)
    tree, asked = IndentationTree(text, LUA), IndentationTree(text, LUA)
    table = tree._all_above
    for line in range(tree.lines.line_count):
        if tree._depths[line] < 0:
            continue
        less, same = table[line]
        asked._looked = 0
        assert asked._above(line, can_be_as_deep=False) == less
        asked._looked = 0
        assert asked._above(line, can_be_as_deep=True) == (same if same >= 0 else less)
        tree._looked = tree.lines.line_count + 1
        assert tree._above(line, can_be_as_deep=False) == less


def test_brackets_and_strings_of_a_text_that_is_too_large_are_not_looked_at() -> None:
    for size, known in ((BRACKETS // 8, True), (BRACKETS // 8 + 1, False)):
        tree = IndentationTree("x = '('\n" * (size - 1) + "y = (12\n", LUA)
        assert bool(tree.strings(Span(0, 20))) is known
        assert tree.sound() is not known
        assert tree.faults() == int(known)
