"""Hostile files: the work of a menu and a request grows linearly with the text, measured by counting calls."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hostile_texts import LANGUAGES, TEXTS

from tuppence.core.prompt.context import breaks
from tuppence.core.prompt.excerpt import excerpt, signature
from tuppence.core.routing.features import features, profile
from tuppence.core.syntax import grammars, open_marks, shape
from tuppence.core.syntax.code_lines import code_lines
from tuppence.core.syntax.import_styles import ES, GO, PYTHON, RUST
from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import LARGEST, SyntaxTree, parse, parse_budget
from tuppence.core.syntax.python_ast import flaw, means_the_same
from tuppence.core.syntax.references import referenced_by
from tuppence.core.syntax.target import find_target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document, Edit, Span

ROOM = 2_000
"""Tokens for the file in a prompt."""
GROWTH = 2.3
"""Calls at twice the size may be so many times those at the size, and ``FIXED`` more."""
FIXED = 2_000
EACH = 250
"""Calls that one character may cost."""


def look(text: str, language_id: str) -> Tree:
    """Do with a text what a menu, a hover and a request do."""
    tree = parse(text, language(language_id))
    document = Document("file:///a", language_id, 1, text)
    whole, middle = Span(0, len(text)), Span(len(text) // 2, len(text) // 2)
    target = find_target(document, tree, middle)
    find_target(document, tree, whole)
    tree.enclosing(middle)
    tree.around(middle)
    tree.names(whole)
    tree.strings(whole)
    tree.comments(whole)
    tree.import_statements()
    tree.import_place()
    tree.faults()
    tree.separable(middle)
    breaks(tree)
    for block in tree.blocks()[:3]:
        signature(tree, block)
    if target is not None:
        excerpt(document, tree, target.span, ROOM)
        referenced_by(tree, target.span)
        code_lines(tree, target.span)
    features(profile(language_id, text))
    return tree


def calls(work: Callable[[], object]) -> int:
    """Return how many functions some work calls, those written in C too."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def grows_as_the_text(kind: str, language_id: str, sizes: tuple[int, ...]) -> None:
    make = TEXTS[kind]
    look("x = 1\n", language_id)  # Grammars and patterns are loaded.
    counted = [(size, calls(partial(look, make(size), language_id))) for size in sizes]
    for (size, fewer), (_, more) in pairwise(counted):
        assert more <= GROWTH * fewer + FIXED, (kind, language_id, counted)
        assert fewer <= EACH * size + 10 * FIXED, (kind, language_id, counted)


@pytest.mark.attack("hostile sizes", "a file for the parser")
@pytest.mark.parametrize("kind", TEXTS)
def test_work_grows_as_the_text_does(kind: str, record_property: Callable[[str, object], None]) -> None:
    # A language for each of the kinds of grammar, and one that has none; the others are in the long lane.
    chosen = ("python", "cpp", "markdown")
    record_property("cases", len(chosen))
    for language_id in chosen:
        grows_as_the_text(kind, language_id, (600, 1_200))


@pytest.mark.long
@pytest.mark.attack("hostile sizes", "a file for the parser, at 8 to 64 KB")
@pytest.mark.parametrize("language_id", LANGUAGES)
@pytest.mark.parametrize("kind", TEXTS)
def test_work_grows_as_the_text_does_up_to_64_kb(kind: str, language_id: str) -> None:
    grows_as_the_text(kind, language_id, (8_000, 16_000, 32_000, 64_000))


@pytest.mark.attack("hostile sizes", "a file that takes the parser memory")
@pytest.mark.parametrize("end", ["", ">" * 10 + ";\n"])
@pytest.mark.parametrize(
    ("piece", "language_id"),
    [
        *(("T<", "java"), ("a<", "java"), ("a /*;*/ <\n", "java"), ('a<";",', "java"), ("a<b>c<d<", "java")),
        *(("A<B,", "typescript"), ("A<()=>B,", "typescript"), ("A<B,", "tsx"), ("A<`;`,", "typescript")),
        *(("a?.", "c"), ("a?b.", "c"), ("a?';'.", "c")),
        *(("T<" * 600 + ";", "java"), ("A<B," * 600 + "}", "typescript")),
    ],
)
def test_open_marks_are_not_given_to_a_parser(
    piece: str, language_id: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grammars, "parse", lambda *_: pytest.fail("a parser was asked"))
    text = piece * (30_000 // len(piece)) + end
    tree = parse(text, language(language_id))
    if piece == "T<":
        profile(language_id, text)  # It looks at so little that the others take no memory.
    assert tree.excess == "is nested more than 1,000 deep"


@pytest.mark.parametrize(
    ("text", "language_id"),
    [
        ("for (int i = 0; i < n; i++) { a(i < 3 ? 1 : 2); }\n" * 3_000, "java"),
        ("Map<String, List<Map<A, B>>> a = new HashMap<>();\n" * 3_000, "java"),
        ("const a: Map<A, Array<B>> = b?.c?.d ?? e < f ? 1 : 2;\n" * 3_000, "typescript"),
        ("type A = { a?: B<C>, b?: (c?: D) => E<F> };\n" * 3_000, "typescript"),
        ("a = (<ul>" + "<li>text<br/></li>\n" * 3_000 + "</ul>);\n", "tsx"),
        ("a = `" + "<li>text<br></li>\n" * 3_000 + "`\n", "typescript"),
        ("#include <a.h>\nint a(int b) { return b < 1 ? 2 : b << 3; }\n" * 3_000, "c"),
        ("void f() { cout" + ' << "a<b" << c' * 3_000 + "; }\n", "cpp"),
        ("fn f(a: Option<Vec<u8>>) -> Result<A, B> { g()?.h()? }\n" * 3_000, "rust"),
        ("if a < b and c < d:\n    pass\n" * 3_000, "python"),
    ],
)
def test_what_people_open_is_given_to_a_parser(text: str, language_id: str) -> None:
    assert not open_marks.too_many(text, language(language_id))


@pytest.mark.attack("hostile sizes", "a file that is too deep or too wide")
@pytest.mark.parametrize(
    ("text", "language_id", "why"),
    [
        ("a+" * 2_000 + "a", "python", "is nested more than 1,000 deep"),
        ("x = " + "[" * 1_500 + "]" * 1_500, "javascript", "is nested more than 1,000 deep"),
        ("if(a)" * 1_500 + ";", "c", "is nested more than 1,000 deep"),
        ("template<class T> " * 1_200 + "void f(){}", "cpp", "is nested more than 1,000 deep"),
        ("x = [" + "1," * 30_000 + "]", "python", "has more than 50,000 parts in one place"),
        ("x = 1\n" * (LARGEST // 6 + 1), "python", "is longer than 500,000 characters"),
    ],
)
def test_what_no_person_wrote_is_read_by_indentation_and_says_why(text: str, language_id: str, why: str) -> None:
    tree = parse(text + "\n\ndef last(a):\n    return a\n", language(language_id))
    assert isinstance(tree, IndentationTree)
    assert tree.excess == why
    assert tree.blocks()[-1].name == "last", "a definition is still found"


def test_what_people_write_is_read_by_its_grammar() -> None:
    nested = "x = " + "[" * 90 + "]" * 90
    table = "x = [\n" + "    (1, 'a'),\n" * 20_000 + "]\n"
    joined = "x = (\n" + "    'some text' +\n" * 400 + "    'end'\n)\n"
    chain = "if a == 0:\n    pass\n" + "".join(f"elif a == {n}:\n    pass\n" for n in range(1, 2_000))
    for text in (nested, table, joined, chain, "def f(): pass\n" * 20_000):
        tree = parse(text, language("python"))
        assert isinstance(tree, SyntaxTree)
        assert tree.excess == ""
    switch = "void f(){" + "if (a) {} else " * 300 + "{} }"
    assert isinstance(parse(switch, language("c")), SyntaxTree)
    assert parse("x", language("ruby")).excess == "", "a language without a grammar is no excess"


@pytest.mark.attack("hostile sizes", "a file that takes the parser too much work")
def test_a_parse_is_ended_after_a_number_of_steps() -> None:
    assert parse_budget(LARGEST) == parse_budget(10 * LARGEST)
    ended = grammars.parse("tree_sitter_javascript.language", b"def f():0\n" * 40_000, None, 100)
    assert ended is None


@pytest.mark.attack("hostile sizes", "a tree of 100,000 levels is freed")
@pytest.mark.parametrize("text", ["(", "a+", "[", "~"])
def test_a_very_deep_tree_is_told_and_freed(text: str) -> None:
    tree = grammars.parse("tree_sitter_javascript.language", (text * 100_000).encode(), None, 40_000)
    if tree is not None:
        assert shape.excess(tree.root_node)
    del tree
    gc.collect()


@pytest.mark.attack("hostile sizes", "an edit of a hostile file")
def test_an_edit_in_a_deep_file_is_parsed_as_often_as_it_is_made() -> None:
    text = "x = " + "a(" * 400 + ")" * 400 + "\n"
    tree = parse(text, language("python"))
    assert isinstance(tree, SyntaxTree)
    more = Edit(Span(4, 4), "- " * 1_200)
    after = parse(text[:4] + more.text + text[4:], language("python"), tree, (more,))
    assert isinstance(after, IndentationTree)
    less = Edit(Span(4, 4 + len(more.text)), "")
    assert isinstance(parse(text, language("python"), after, (less,)), SyntaxTree)


@pytest.mark.attack("hostile sizes", "Python's own parser")
@pytest.mark.parametrize(
    "piece", ["(", "-", "not ", "a+", "lambda:", "a.b", "f(", "{a:", "[x for ", 'f"{', "a if b else "]
)
def test_pythons_own_parser_is_asked_within_bounds(piece: str) -> None:
    for size in (100, 3_000):
        text = piece * size + "1"
        assert flaw(text) is None or flaw(text)
        assert means_the_same(text, text + "\n") in (True, False)
    assert flaw("x = (\n" * 20_000) is None, "what is longer than 100,000 characters is not asked about"


def test_a_class_of_many_members_has_a_short_signature() -> None:
    text = "class A:\n" + "".join(f"    def f{n}(self):\n        pass\n\n" for n in range(3_000))
    tree = parse(text, language("python"))
    assert len(tree.blocks()) == 3_001
    few = calls(lambda: signature(tree, tree.blocks()[0]))
    assert few < 40 * 3_000
    shown = signature(tree, tree.blocks()[0])
    assert shown.startswith("class A:\n    def f0(self):")
    assert shown.endswith("# ... 2961 lines left out ...")


def test_the_nearest_definition_is_found_as_before() -> None:
    text = "def a():\n    if x:\n        y\n    else:\n        z\n\nend\nclass B\n  def c\n    1\n  end\nend\n"
    tree = IndentationTree(text, language("ruby"))
    found = {part: tree.enclosing(Span(text.index(part), text.index(part))) for part in ("y\n", "z\n", "1\n")}
    assert [each.name for each in found.values() if each is not None] == ["a", "a", "c"]
    assert [block.name for block in tree.blocks()] == ["a", "B", "c"]


REGEXES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from hostile_texts import TEXTS
from tuppence.core.syntax.code_lines import code_lines
from tuppence.core.syntax.import_styles import ES, GO, PYTHON, RUST
from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import LANGUAGES, language
from tuppence.core.syntax.open_marks import too_many
from tuppence.core.text.document import Span
import re
lines = [re.compile(each.import_line) for each in LANGUAGES]
for kind, make in TEXTS.items():
    text = make(15_000)
    for known in ("php",):
        tree = IndentationTree(text, language(known))
        whole, middle = Span(0, len(text)), Span(len(text) // 2, len(text) // 2)
        tree.enclosing(middle), tree.strings(whole), tree.comments(whole), tree.counts(whole), tree.faults()
        tree.blocks(), tree.import_statements(), code_lines(tree, whole)
    for pattern in lines:
        pattern.match(text)
    for known in ("java", "c"):
        too_many("<" * 1_001 + text, language(known))
    for style in (ES, GO, PYTHON, RUST):
        style.parse(text), list(style.other_imports(text)), style.completed(text)
        if style.statement_pattern is not None:
            list(style.statement_pattern.finditer(text))
print("done", len(TEXTS))
"""


@pytest.mark.attack("hostile sizes", "a pattern that looks again and again")
def test_no_pattern_takes_the_square_of_the_size(record_property: Callable[[str, object], None]) -> None:
    # The limit is on the processor's time: the work takes some seconds, the square of 15,000 by 50 texts many minutes.
    record_property("cases", len(TEXTS))
    folder = Path(__file__).parents[2] / "support"
    ended = subprocess.run(
        [sys.executable, "-c", REGEXES],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": f"{folder}:{Path(grammars.__file__).parents[3]}"},
    )
    assert ended.stdout == f"done {len(TEXTS)}\n", ended.stderr[-2000:]


def test_imports_are_read_as_before() -> None:
    assert [each.name for each in ES.parse("import a, {\n  b,\n  c as d\n} from 'm'")] == ["default", "b", "c"]
    assert [each.module for each in GO.parse('import (\n\tx "a/b"\n\t"c"\n)')] == ["a/b", "c"]
    assert [each.name for each in RUST.parse("use a::{b, c::{d, self}};")] == ["b", "d", "c"]
    assert [each.local for each in PYTHON.parse("from a import (\n    b,  # c\n    d as e,\n)")] == ["b", "e"]
    assert [each.module for each in ES.other_imports('export * from "a"\nexport { b } from "c"\n')] == ["a", "c"]
    pattern = ES.statement_pattern
    assert pattern is not None
    code = (
        "import a from 'b'\nimport { c } from \"d\"\nconst e = require('f')\nconst g = 1\nlet h = await import('i')\n"
    )
    assert len(list(pattern.finditer(code))) == 4
