"""Positions after edits: exact in unchanged lines, approximate in rewritten ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.text.document import Edit, Span, apply
from tuppence.core.text.position_map import landing

OLD = "import os\n\n\ndef f(a):\n    x = foo(a)\n    y = bar(a)\n    return x, y\n"
TARGET = Span(OLD.index("def"), len(OLD))


def lands(new: str, part: str, *more: Edit) -> str:
    """Return what stands after an edit of the target where a part of it stood before."""
    edits = (*more, Edit(TARGET, new))
    at = landing(OLD, edits)(OLD.index(part))
    return apply(OLD, edits)[at : at + len(part)]


def test_a_line_that_stayed_is_found_wherever_it_is() -> None:
    new = "def f(a: int):\n    # Why.\n    if a:\n        x = foo(a)\n        y = bar( a)\n    return x, y\n"
    for part in ("foo(a)", "bar(", "return x, y"):
        assert lands(new, part) == part
    assert lands(new, "foo(a)", Edit(Span(0, 0), "import re\n")) == "foo(a)"
    assert lands(new, "os", Edit(Span(0, 0), "import re\n")) == "os"


def test_in_a_line_that_was_written_anew_the_words_that_stayed_are_found() -> None:
    assert lands("def f(a):\n    first = foo(a) + bar(a)\n    return first\n", "foo") == "foo"
    assert lands("def f(a):\n    x = other(a)\n    y = bar(a)\n    return x, y\n", "foo(").startswith("other"[:4])
    assert lands("def f(a):\n    return a\n", "foo").strip() in {"a", "ret", ""}


def test_a_piece_that_is_too_long_to_compare_is_measured() -> None:
    old = "".join(f"a{n} = {n}\n" for n in range(3000))
    new = "".join(f"b{n} = {n + 1}\n" for n in range(3000))
    at = landing(old, (Edit(Span(0, len(old)), new),))(old.index("a1500"))
    assert abs(at - new.index("b1500")) < 100


@given(st.text("ab \n\r", max_size=20), st.text("ab \n\r", max_size=20), st.text("ab\n", max_size=5))
def test_every_place_lands_in_the_text(old: str, new: str, before: str) -> None:
    text = before + old
    edits = (Edit(Span(len(before), len(text)), new),)
    after, land = apply(text, edits), landing(text, edits)
    assert all(0 <= land(at) <= len(after) for at in range(len(text) + 1))
    assert [land(at) for at in range(len(before))] == list(range(len(before)))
