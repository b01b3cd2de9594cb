"""What does not show is named by its code point."""

from __future__ import annotations

import unicodedata

import pytest

from tuppence.core.text.hidden import called, visible


def test_what_does_not_show_is_written_as_its_code_point() -> None:
    assert visible("a\u202eb\u200bc\U000e0041") == "a<U+202E>b<U+200B>c<U+E0041>"
    assert visible("tab\tline\n") == "tab\tline\n"


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\ue000", "U+E000, a private-use character"),
        ("\ud800", "U+D800, half of a surrogate pair"),
        ("\uffff", "U+FFFF, no assigned character"),
    ],
)
def test_a_character_is_called_by_its_name_or_its_kind(character: str, name: str) -> None:
    assert called(character) == name
    assert unicodedata.name(character, "") in name
