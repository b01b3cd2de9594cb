"""The names of definitions, as languages write them."""

from __future__ import annotations

import pytest

from tuppence.core.answer.target_definition import family, last_name


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("f", "f"), ("Foo::bar", "bar"), ("Bar<T>", "Bar"), ("a::Bar<T, U>::b", "Bar"), ("Map[K, V]", "Map"), ("", ""),
        ("operator==", "operator=="), ("operator<", "operator<"), ("operator[]", "operator[]"), ("~Shape", "~Shape"),
        ("(x)", "(x)"), ("::f", "f"),
    ],
)  # fmt: skip
def test_the_last_part_of_a_name_is_the_definitions_own(name: str, last: str) -> None:
    assert last_name(name) == last


def test_functions_take_each_others_place_and_classes_too() -> None:
    assert family("function") == family("method") != family("class") == family("struct")
    assert family("module") == "module"
