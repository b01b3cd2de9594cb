"""The fewest tokens of an answer: never above what it has, whatever the pieces, and not far below it for text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.billing.answer_length import TokenFloor

_O200K = re.compile(
    r"[^\r\n\w]?[^\W\d_]+(?:'(?:s|t|re|ve|m|ll|d))?|\d{1,3}| ?[^\s\w]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+|_+",
    re.IGNORECASE,
)
"""The pieces that o200k's tokens never reach over, as far as `re` can say it; each is a token at least."""
ROOT = Path(__file__).parents[3]


def floor(text: str, step: int = 10**9) -> int:
    """Return the fewest tokens of a text that comes in pieces of so many code points."""
    counted = TokenFloor()
    for start in range(0, len(text), step):
        counted.feed(text[start : start + step])
    return counted.tokens


@given(st.text() | st.text("ab '_.\n 你1"), st.integers(1, 9))
def test_the_pieces_do_not_matter(text: str, step: int) -> None:
    assert floor(text, step) == floor(text)


def test_a_piece_without_text_ends_no_token() -> None:
    whole, pieces = TokenFloor(), TokenFloor()
    whole.feed("snakecase_names and more")
    for each in ("", "snake", "", "", "case_names and", "", " more", ""):
        pieces.feed(each)
    assert pieces.tokens == whole.tokens > 0


@pytest.mark.parametrize("name", ["server/tuppence/engine/attempt.py", "README.md", "clients/vscode/src/status.ts"])
def test_real_text_has_no_fewer_tokens_and_not_many_more(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert len(text) / 8 < floor(text) <= len(_O200K.findall(text))


@pytest.mark.parametrize(
    ("text", "fewest"),
    [
        ("", 0),
        ("word", 1),
        ("two words", 2),
        ("don't", 1),
        ("f(a, b);\n", 5),
        ("snake_case", 2),
        ("x" * 160, 10),
        (" " * 160, 10),
        ("-" * 160, 10),
        ("你好世界" * 40, 41),
    ],
)
def test_what_is_counted(text: str, fewest: int) -> None:
    assert floor(text) == fewest


def test_each_character_is_looked_at_once() -> None:
    counted = TokenFloor()
    for _ in range(20_000):
        counted.feed("word ")
    assert counted.tokens == 20_000
    assert len(counted._last) == 1, "what came before is not kept"
