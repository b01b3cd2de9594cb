# ruff: noqa: RUF001 - characters like these are the subject
"""Imports, URLs and names of a new text by themselves, where no whole answer is needed."""

from __future__ import annotations

import pytest

from tuppence.core.checks.doubts import hidden_characters
from tuppence.core.checks.doubts.imports import import_findings
from tuppence.core.checks.doubts.urls import new_urls
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.text.document import Document, Edit, Span


def edited(new: str, old: str = "x = 1\n", language: str = "python", name: str = "a.x") -> EditedText:
    """Return an edit of a whole document."""
    return EditedText(Document(f"file:///p/{name}", language, 1, old), (Edit(Span(0, len(old)), new),))


def doubts(new: str, old: str, language: str, name: str = "a.x") -> tuple[str, ...]:
    found = import_findings(edited(new, old, language, name), "file:///p")
    assert found.reason == ""
    return found.doubts


def test_what_a_package_hands_on_is_used() -> None:
    new = "from .a import b\nimport c\nx = 1\n"
    unused = "imports `{}` (“{}”) and does not use it"
    assert doubts(new, "x = 1\n", "python") == (unused.format("b", ".a"), unused.format("c", "c"))
    assert doubts(new, "x = 1\n", "python", "__init__.py") == (unused.format("c", "c"),)


def test_a_directive_imports_unless_it_was_there() -> None:
    directive = '/// <reference types="evil" />\n'
    assert doubts(f"{directive}let x = 1;\n", "let x = 1;\n", "typescript") == ("imports “evil” by a directive",)
    assert doubts(f"{directive}let x = 2;\n", f"{directive}let x = 1;\n", "typescript") == ()


@pytest.mark.parametrize(
    "handed_on", ['export * from "evil";', 'export * as n from "evil";', 'export { a } from "evil";']
)
def test_what_is_handed_on_from_elsewhere_is_a_doubt(handed_on: str) -> None:
    (doubt,) = doubts(f"{handed_on}\nlet x = 1;\n", "let x = 1;\n", "typescript")
    assert "“evil”" in doubt
    assert doubts(f"{handed_on}\nlet x = 2;\n", f"{handed_on}\nlet x = 1;\n", "typescript") == ()


def test_a_language_without_a_grammar_has_no_imports_that_can_be_told() -> None:
    assert doubts('require "evil"\nx = 1\n', "x = 1\n", "lua") == ()


def test_each_new_host_is_named_once() -> None:
    new = "a https://a.evil.io/x\nb https://a.evil.io/y https://b.evil.io/z"
    assert [each.count("evil.io") for each in new_urls("", new, "")] == [1, 1]
    assert list(new_urls("https://A.evil.io", new, "see http://b.evil.io/w")) == []


def test_three_odd_names_are_named_and_no_more() -> None:
    new = "".join(f"{name} = 1\n" for name in ("pаypal", "admіn", "lеn", "rоle", "ｅｘｅｃ"))
    found = list(hidden_characters.doubts(edited(new)))
    assert len(found) == 3
    assert all(each.startswith("mixes the scripts Cyrillic and Latin") for each in found)


def test_a_joiner_is_let_through_in_each_string_and_comment_that_needs_it_and_nowhere_else() -> None:
    family = "👨\u200d👩"
    said = f'x = "{family}"\n# fine\ny = "{family}"  # {family}\nz = "fine"\n'
    assert hidden_characters.refused(edited(said)) == ""
    refused = "The answer contains characters that do not show: U+200D ZERO WIDTH JOINER."
    for odd in (f"{said}w = a\u200db\n", f"w = a\u200db\n{said}", f'{said}w = "a\u200db"\n'):
        assert hidden_characters.refused(edited(odd)) == refused


def test_a_text_that_nests_too_deep_for_its_grammar_has_no_imports_that_can_be_told() -> None:
    deep = f"x = {'[' * 3000}{']' * 3000}\n"
    assert doubts(f"import evil\n{deep}", deep, "python") == ()
    assert doubts("import evil\nx = 1\n", deep, "python") == ("imports `evil` (“evil”) and does not use it",)
