"""Tests of core/answer/insert_tests.py: what a model writes, against what becomes of the test file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.answer.insert_tests import NewTests, added, bring, module_of_tests, packaged
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Document, apply


def check(  # noqa: PLR0913 - the last two are keywords that most cases leave out
    language_id: str, before: str, code: str, expected: str, *, imports: str = "", inside: str = ""
) -> None:
    """Hold the file that comes of code and imports against the expected one."""
    document = Document("file:///t", language_id, 1, before)
    brought = bring(document, language(language_id), NewTests("/t", code, imports, inside))
    assert apply(before, brought.edits) == expected
    assert brought.again == ()
    starts = [edit.span.start for edit in brought.edits]
    assert starts == sorted(set(starts)), "in order, and no two at one place"


def test_a_new_file_is_the_code_with_its_imports() -> None:
    check(
        "python",
        "",
        "def test_a():\n    assert a()",
        "from m import a\n\n\ndef test_a():\n    assert a()\n",
        imports="from m import a",
    )
    check("python", " \n", '"""Doc."""\nx = 1\n', '"""Doc."""\n\nimport m\n\nx = 1\n', imports="import m")
    check("python", "", "import m\n\n\ndef test_a(): pass\n", "import m\n\n\ndef test_a(): pass\n", imports="import m")
    check(
        "typescript",
        "",
        "test('a', f);\n",
        "import { f } from './f';\n\ntest('a', f);\n",
        imports="import { f } from './f';",
    )


def test_code_goes_to_the_end_after_as_many_blank_lines_as_the_file_uses() -> None:
    new = "def test_b():\n    pass"
    check("python", "def test_a():\n    pass\n", new, f"def test_a():\n    pass\n\n\n{new}\n")
    check("python", "import m\n\ndef test_a():\n    pass", new, f"import m\n\ndef test_a():\n    pass\n\n{new}\n")
    check("python", "x = 1\r\n", new, "x = 1\r\n\r\n\r\n" + new.replace("\n", "\r\n") + "\r\n")
    check(
        "go",
        "package p\n\n\nfunc TestA() {}\n",
        "func TestB() {}",
        "package p\n\n\nfunc TestA() {}\n\n\nfunc TestB() {}\n",
    )
    check(
        "ruby",
        "describe 'a' do\nend\n\n\n",
        "describe 'b' do\nend",
        "describe 'a' do\nend\n\ndescribe 'b' do\nend\n\n\n\n"[:-1],
    )


def test_imports_at_the_head_of_the_code_join_the_files_own() -> None:
    before = "import m\n\n\ndef test_a():\n    pass\n"
    code = "import pytest\nfrom m import b\nimport m\n\n\ndef test_b():\n    b()\n"
    after = "import m\nimport pytest\nfrom m import b\n\n\ndef test_a():\n    pass\n\n\ndef test_b():\n    b()\n"
    check("python", before, code, after)
    check("python", before, "def test_b():\n    b()\n", after, imports="import pytest\nfrom m import b")


def test_a_package_clause_stands_once() -> None:
    before = 'package p\n\nimport "testing"\n\nfunc TestA(t *testing.T) {}\n'
    check(
        "go",
        before,
        'package p\n\nimport "testing"\n\nfunc TestB(t *testing.T) {}\n',
        f"{before}\nfunc TestB(t *testing.T) {{}}\n",
    )
    java = "package a.b;\n\nclass ATest {\n    @Test\n    void a() {}\n}\n"
    check(
        "java",
        java,
        "package a.b;\n\nclass ATest {\n    @Test\n    void b() {}\n}\n",
        java.replace("a() {}\n", "a() {}\n\n    @Test\n    void b() {}\n"),
    )


def test_what_is_there_word_for_word_is_not_written_again() -> None:
    before = "# first\ndef test_a():\n    assert 1\n"
    check(
        "python",
        before,
        "# first\ndef test_a():\n  assert  1\n\ndef test_b():\n    assert 2",
        before + "\n\ndef test_b():\n    assert 2\n",
    )
    check("python", before, before, before)


def test_a_class_that_is_there_gets_the_new_members() -> None:
    before = "class TestA(Base):\n    size = 1\n\n    def test_one(self):\n        pass\n\n\nLAST = 1\n"
    code = "class TestA(Base):\n  def test_one(self):\n      pass\n\n  def test_two(self):\n      x = '''\n  y'''\n"
    check(
        "python", before, code, before.replace("pass\n", "pass\n\n    def test_two(self):\n        x = '''\n    y'''\n")
    )


def test_rust_tests_stand_in_their_module() -> None:
    source = "fn a() {}\n"
    new = "#[test]\nfn b() {\n    a();\n}"
    module = "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn b() {\n        a();\n    }\n}\n"
    check("rust", source, new, f"{source}\n{module}", inside="tests")
    check("rust", source, f"use super::*;\n{new}", f"{source}\n{module}", inside="tests", imports="use super::*;")
    check("rust", source, f"{source}\n{module}", f"{source}\n{module}", inside="tests")
    named = f"{source}\n#[cfg(test)]\nmod checks {{\n}}\n\nfn z() {{}}\n"
    filled = named.replace("{\n}", "{\n    use super::*;\n\n    #[test]\n    fn b() {\n        a();\n    }\n}")
    check("rust", named, new, filled, inside="checks", imports="use super::*;")
    check("rust", named.replace("\n", "\r\n"), module, filled.replace("\n", "\r\n"), inside="checks")


@pytest.mark.parametrize(
    ("language_id", "before", "code", "inside", "again"),
    [
        ("python", "def test_a():\n    assert 1\n", "def test_a():\n    assert 2\n", "", ("test_a",)),
        ("go", "package p\n\nfunc a() {\n\tb()\n}\n", "func a() {\n\tc()\n}\n", "", ("a",)),
        ("rust", "fn a() {\n    b()\n}\n", "fn a() {\n    c()\n}\n#[test]\nfn t() {}\n", "tests", ("a",)),
        ("rust", "#[cfg(test)]\nmod tests { fn t() {} }\n", "#[test]\nfn u() {}\n", "tests", ("tests",)),
        ("rust", "impl A {\n    fn a() {}\n}\n", "impl A {\n    fn b() {}\n}\n#[test]\nfn t() {}", "tests", ("A",)),
        ("cpp", "TEST(A, B) {\n  x();\n}\n", "TEST(A, C) {\n  y();\n}\n", "", ()),
    ],
)
def test_what_would_hide_something_of_the_file_is_named(
    language_id: str, before: str, code: str, inside: str, again: tuple[str, ...]
) -> None:
    document = Document("file:///t", language_id, 1, before)
    assert bring(document, language(language_id), NewTests("/t", code, "", inside)).again == again


def test_the_module_of_tests_is_found_by_its_name_or_its_mark() -> None:
    known = language("rust")
    source = "mod other {\n    fn a() {}\n}\n\n#[cfg(test)]\nmod checks {\n}\n"
    for name, found in (("", "checks"), ("tests", "checks"), ("other", "other")):
        block = module_of_tests(parse(source, known), name)
        assert block is not None
        assert block.name == found
    assert module_of_tests(parse("fn a() {}\n", known)) is None
    assert module_of_tests(parse("class A:\n    pass\n", language("python"))) is None


def test_a_new_file_gets_the_package_clause_of_its_source() -> None:
    def of(language_id: str, source: str, code: str) -> str:
        return packaged(code, Document("file:///s", language_id, 1, source), language(language_id))

    assert of("go", "// Doc.\r\npackage p\r\n", "\nfunc TestA() {}") == "package p\n\nfunc TestA() {}"
    assert of("go", "package p\n", "package p_test\n\nfunc TestA() {}") == "package p_test\n\nfunc TestA() {}"
    assert of("java", "package a.b;\n\nclass A {}\n", "class ATest {}") == "package a.b;\n\nclass ATest {}"
    assert of("python", "package = 1\n", "x = 1") == "x = 1"
    assert of("go", "package p\n", "") == ""


PIECES = st.lists(
    st.sampled_from(
        [
            "import m\n",
            "from m import a, b\n",
            "def test_a():\n    assert 1\n",
            "def test_b():\n    assert '🦀'\n",
            "class TestC:\n    def test_d(self):\n        pass\n",
            "class TestC:\n    x = 1\n\n    def test_e(self):\n        pass\n",
            "x = '''\nimport no\n'''\n",
            "\n\n",
            "# é\n",
        ]
    ),
    max_size=6,
).map("".join)


@given(PIECES, PIECES, st.sampled_from(["", "import m", "from m import a", "not an import"]))
def test_nothing_of_the_file_is_lost_and_it_still_parses(before: str, code: str, imports: str) -> None:
    known = language("python")
    document = Document("file:///t", "python", 1, before)
    brought = bring(document, known, NewTests("/t", code, imports, ""))
    after = apply(before, brought.edits)
    assert parse(after, known).sound()
    if before.strip():
        assert all(not edit.span for edit in brought.edits), "only insertions"
    # The comment above a definition that is there already goes with the copy that is not written again.
    for line in (each for each in code.splitlines() if not each.lstrip().startswith("#")):
        assert line.strip().removeprefix("from m import ") in after, "every line of the code is there"


def test_only_what_is_new_makes_a_module_of_tests() -> None:
    document = Document("file:///t", "rust", 1, "fn a() {}\n")
    again = NewTests("/t", "fn a() {}\n", "", "tests")
    assert apply(document.text, added(document, language("rust"), again)) == document.text
    new = NewTests("/t", "#[test]\nfn x() { a(); }\n", "", "tests")
    after = apply(document.text, added(document, language("rust"), new))
    assert after == "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn x() { a(); }\n}\n"
    assert added(document, language("rust"), new) == bring(document, language("rust"), new).edits


def test_an_import_that_shares_its_line_stays_where_it_is() -> None:
    check(
        "python",
        "import os\nx = 1\n",
        "import a; b = 1\nimport c\ndef test_x():\n    assert b",
        "import os\nimport c\nx = 1\n\n\nimport a; b = 1\n\ndef test_x():\n    assert b\n",
    )
