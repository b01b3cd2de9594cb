"""The table of languages: every row is reachable, and names only nodes of its grammar."""

from __future__ import annotations

import pytest

from tuppence.core.syntax import grammars
from tuppence.core.syntax.languages import LANGUAGES, Language, by_suffix, language

PARSED = [row for row in LANGUAGES if row.grammar]


def _node_types(row: Language) -> set[str]:
    columns = (row.wrappers, row.attached, row.transparent, row.imports, row.preamble, row.identifiers, row.docstring)
    return set(" ".join((*columns, *row.definitions.values(), *row.features.values())).split())


@pytest.mark.parametrize("row", PARSED, ids=lambda row: row.id)
def test_a_row_names_only_node_types_of_its_grammar(row: Language) -> None:
    grammar = grammars.load(row.grammar or "")
    assert grammar is not None, "the wheel is a dependency"
    for each in _node_types(row):
        assert grammar.id_for_node_kind(each.strip('"'), not each.startswith('"')), f"{row.id}: {each}"


@pytest.mark.parametrize("row", LANGUAGES, ids=lambda row: row.id)
def test_a_row_is_found_by_each_of_its_ids_and_suffixes(row: Language) -> None:
    assert {language(each).id for each in row.ids} == {row.id}
    assert {by_suffix(f"some/folder/name{each}").id for each in row.suffixes if each.startswith(".")} == {row.id}


def test_no_id_or_suffix_is_claimed_twice() -> None:
    ids = [each for row in LANGUAGES for each in row.ids]
    suffixes = [each for row in LANGUAGES for each in row.suffixes]
    assert len(ids) == len(set(ids))
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize(
    ("language_id", "expected"),
    [("typescriptreact", "tsx"), ("javascriptreact", "javascript"), ("Python", "python"), ("cpp", "cpp")],
)
def test_editors_ids_lead_to_rows(language_id: str, expected: str) -> None:
    assert language(language_id).id == expected


def test_an_unknown_language_gets_a_plain_row_of_its_own_name() -> None:
    row = language("brainfold")
    assert (row.id, row.name, row.fence, row.grammar) == ("brainfold", "brainfold", "brainfold", None)
    assert language("").id == "plaintext"
    assert by_suffix("no-suffix").id == "plaintext"
    assert by_suffix("C:\\work\\Gemfile").id == "ruby"


@pytest.mark.parametrize(
    ("language_id", "expected"),
    [("python", "# 3 lines"), ("go", "// 3 lines"), ("lua", "-- 3 lines"), ("html", "<!-- 3 lines -->")],
)
def test_a_comment_is_a_comment_in_each_language(language_id: str, expected: str) -> None:
    assert language(language_id).comment("3 lines") == expected
