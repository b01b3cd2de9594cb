"""A placeholder has the secret's shape and says nothing of it; a text is as long after the replacement as before."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import Planter

from tuppence.core.secrets.detect import SecretDetector
from tuppence.core.secrets.placeholder import Unsearchable, placeholder
from tuppence.core.secrets.replacements import Replacements, replacements

SALT = b"0123456789abcdef0123456789abcdef"
DETECTOR = SecretDetector()


def known(*values: str, text: str = "") -> Replacements:
    return replacements(((value, "secret", 0) for value in values), SALT, lambda each: each in text)


def shape(text: str) -> list[str]:
    return ["n" if each.isdigit() else unicodedata.category(each) for each in text]


@pytest.mark.attack("what leaves", "planted secrets in a text")
@pytest.mark.parametrize("seed", range(2))
def test_nothing_of_a_secret_is_left_and_every_offset_stays(seed: int, record_property: Any) -> None:
    planted = Planter(seed).all()
    record_property("cases", len(planted))
    text = "".join(f"# {number} é 😀\n{each.code}\n" for number, each in enumerate(planted))
    found = [(text[each.span.start : each.span.end], each.kind, each.keep) for each in DETECTOR.find(text)]
    made = replacements(found, SALT, lambda each: each in text)
    masked = made.masked(text)
    assert not [secret for each in planted for secret in each.secrets if secret in masked]
    assert shape(masked) == shape(text)
    assert made.restored(masked) == text
    assert len({each.placeholder for each in made.all}) == len(made.all)
    for each in made.all:
        assert each.placeholder[: each.keep] == each.value[: each.keep]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=8, max_size=40),
        max_size=5,
        unique=True,
    ),
    st.lists(st.text(max_size=20), max_size=6),
)
def test_any_values_in_any_text(values: list[str], around: list[str]) -> None:
    text = "".join(part for pair in zip(around, [*values, *values], strict=False) for part in pair)
    try:
        made = known(*values, text=text)
    except Unsearchable:
        return  # Nothing of its shape is free: nothing is sent.
    masked = made.masked(text)
    assert len(masked) == len(text)
    assert masked.count("\n") == text.count("\n")
    for value in values:
        if len(value) >= 16:
            assert value not in masked


def test_it_depends_on_the_key_and_on_nothing_else() -> None:
    token = "ghp_" + Planter(1).chars("abcdef0123456789", 36)
    first, again = (placeholder(token, 4, SALT, lambda _: False) for _ in range(2))
    other = placeholder(token, 4, SALT[::-1], lambda _: False)
    assert first == again != other
    assert first.startswith("ghp_")


def test_one_that_a_document_has_is_not_chosen() -> None:
    token = Planter(2).chars("abcdefgh23456789", 20)
    [first] = known(token).all
    [second] = known(token, text=f"x = {first.placeholder}").all
    assert second.placeholder != first.placeholder
    with pytest.raises(Unsearchable):
        replacements(((token, "secret", 0),), SALT, lambda _: True)


def test_a_value_that_could_be_a_part_of_a_word_is_one_as_a_word_of_its_own() -> None:
    made = known("fixtures")
    assert "fixtures" not in made.masked("x = 'fixtures'; # fixtures")
    assert made.masked("fixtures_2 = myfixtures + _fixtures") == "fixtures_2 = myfixtures + _fixtures"
    assert "admin123" not in known("admin123").masked("superadmin123x = admin1234 + _admin123")


def test_overlapping_values_leave_nothing() -> None:
    one, other = "abcdefgh12345678ijkl", "5678ijklmnop90123456"
    masked = known(one, other).masked("abcdefgh12345678ijklmnop90123456")
    assert not any(part in masked for part in ("abcdefgh", "12345678", "ijkl", "mnop", "9012"))


@pytest.mark.attack("what leaves", "a part of a secret in a message")
@pytest.mark.parametrize(("start", "end"), [(0, 30), (5, 25), (20, 40), (0, 12)])
def test_a_quoted_part_is_replaced_too(start: int, end: int) -> None:
    token = Planter(3).chars("abcdefghijkmnopqrstuvwxyz23456789", 40)
    [made] = known(token).all
    message = f'"{token[start:end]}..." is too long'
    masked = known(token).masked_in_pieces(message)
    assert masked == f'"{made.placeholder[start:end]}..." is too long'


@pytest.mark.attack("what comes back", "an altered placeholder")
def test_an_altered_placeholder_is_recognized(record_property: Any) -> None:
    planter = Planter(5)
    tried = 0
    for size in (8, 10, 12, 15, 16, 24, 40):
        made = known(planter.chars("abcdefghkmnp23456789", size))
        [each] = made.all
        text = each.placeholder
        assert not made.has_piece(f'x = "{each.value}"')
        for at in range(size):
            altered = text[:at] + ("z" if text[at] != "z" else "y") + text[at + 1 :]
            assert made.has_piece(f'x = "{altered}"'), (text, altered)
            tried += 1
        for other in (text.upper(), text.title(), text + "x", "x" + text):
            assert made.has_piece(f'x = "{other}"')
            tried += 1
    record_property("cases", tried)


def test_ordinary_text_is_not_taken_for_one() -> None:
    made = known(*(Planter(seed).chars("abcdefghkmnp23456789", 8 + seed) for seed in range(20)))
    text = __doc__ + "\n".join(each.code for seed in range(3) for each in Planter(50 + seed).all())
    assert not made.has_piece(text)


@pytest.mark.parametrize("value", ["hunter2-9q", "Tr0ub4dor"])
def test_a_short_placeholder_is_known_by_most_of_it_but_not_by_its_end(value: str) -> None:
    made = known(value)
    (each,) = made.all
    assert made.has_piece(each.placeholder)
    assert made.has_piece(f"x{each.placeholder[:-1]}#")
    assert not made.has_piece(each.placeholder[-4:])
