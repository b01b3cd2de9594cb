"""A parse by pieces: the trees are those of a parse of bytes, other threads get their turn, and work has a limit."""

from __future__ import annotations

import random
import sysconfig
import textwrap
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.core.syntax.test_parser import SOURCES
from tree_sitter import Parser, Tree
from work import progress

from tuppence.core.syntax import grammars
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import SyntaxTree, parse, parse_budget
from tuppence.core.text.document import Edit, Span, apply

FUNCTION = """\
def f{0}(a: int, b: str) -> str:
    total = a + {0}
    for each in b.split():
        total += len(each)
    return str(total)


"""


def whole(path: str, data: bytes) -> Tree:
    """Return the tree of a parse of bytes."""
    grammar = grammars.load(path)
    assert grammar is not None
    return Parser(grammar).parse(data)


def shape(tree: Tree) -> Iterator[tuple[object, ...]]:
    """Yield what is known of each node, in order."""
    cursor = tree.walk()
    while True:
        node = cursor.node
        assert node is not None
        place = (node.start_byte, node.end_byte, *node.start_point, *node.end_point)
        yield (cursor.field_name, node.kind_id, node.is_missing, node.has_error, *place)
        if cursor.goto_first_child() or cursor.goto_next_sibling():
            continue
        while cursor.goto_parent():
            if cursor.goto_next_sibling():
                break
        else:
            return


def path_of(language_id: str) -> str:
    path = language(language_id).grammar
    assert path is not None
    return path


@pytest.mark.parametrize("language_id", SOURCES)
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_tree_is_the_one_of_a_parse_of_bytes(language_id: str, data: st.DataObject) -> None:
    path, source = path_of(language_id), SOURCES[language_id]
    # Some are longer than a piece, and what is put between moves characters of several bytes onto the pieces' bounds.
    pieces = st.sampled_from(
        [source, source[: len(source) // 2], "é", "😀", "\r\n", "(", "}", '"', "\t", " " * 61, "x"]
    )
    text = "".join(data.draw(st.lists(pieces, max_size=12))).encode()
    tree = grammars.parse(path, text)
    assert tree is not None
    assert list(shape(tree)) == list(shape(whole(path, text)))


@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("language_id", SOURCES)
def test_characters_on_the_bounds_of_pieces(language_id: str, shift: int) -> None:
    path = path_of(language_id)
    mark = language(language_id).line_comment
    text = ("x" * shift + f"\n{mark} " + "😀é" * 3000 + f"\n{SOURCES[language_id]}").encode()
    tree = grammars.parse(path, text)
    assert tree is not None
    assert list(shape(tree)) == list(shape(whole(path, text)))


def test_real_files_have_the_trees_of_a_parse_of_bytes() -> None:
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    for file in random.Random(1).sample(files, 12):  # noqa: S311 - a draw that can be repeated
        text = file.read_bytes()
        tree = grammars.parse(path_of("python"), text)
        assert tree is not None
        assert list(shape(tree)) == list(shape(whole(path_of("python"), text)))


def functions(count: int) -> str:
    return "".join(map(FUNCTION.format, range(count)))


def test_the_lock_is_offered_to_other_threads_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = progress(monkeypatch)
    found = []
    for count in (100, 1000):
        text = functions(count).encode()
        before = seen.steps
        grammars.parse(path_of("python"), text)
        found.append(seen.steps - before)
        assert found[-1] >= len(text) / 200, "a step for each few lines at least"
    assert found[1] > 8 * found[0], "in proportion to the text"
    assert seen.longest <= 4096, "and no more of the text at a time than a piece"


def test_another_thread_runs_during_a_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that waits for Python's lock gets it while the parse is on: here the parse waits for the thread."""
    ran, done = threading.Event(), list[bool]()

    class Waiting(grammars.Pieces):
        def is_over(self, *_: object) -> bool:
            done.append(ran.wait(60))
            return super().is_over()

    monkeypatch.setattr(grammars, "Pieces", Waiting)
    other = threading.Thread(target=ran.set)
    parsing = threading.Thread(target=grammars.parse, args=(path_of("python"), functions(20).encode()))
    parsing.start()
    other.start()
    parsing.join()
    other.join()
    assert len(done) > 10
    assert all(done)


IN_CLASSES = "".join(
    f"class C{number}:\n{textwrap.indent(functions(50), '    ')}\n\n" for number in range(58)
)  # fmt: skip


@pytest.mark.parametrize("place", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("text", [functions(2900), IN_CLASSES], ids=["functions", "methods"])
def test_a_changed_line_of_twenty_thousand_costs_little(
    text: str, place: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert text.count("\n") > 20_000
    old = parse(text, language("python"))
    at = text.rindex("total +=", 0, max(200, int(place * len(text))))
    edit = Edit(Span(at, at), "x")
    after = apply(text, [edit])
    seen = progress(monkeypatch)
    parse(after, language("python"), old, [edit])
    steps, read = seen.steps, seen.reads
    parse(after, language("python"))
    print(f"{steps} steps and {read} pieces, {seen.steps - steps} and {seen.reads - read} for a fresh parse")
    assert steps * 8 < seen.steps - steps
    assert read <= seen.reads - read


def test_a_budget_ends_a_parse() -> None:
    path, text = path_of("python"), functions(100).encode()
    assert grammars.parse(path, text, None, 10) is None
    assert grammars.parse(path, text, None, 100_000) is not None


def test_a_text_that_takes_too_much_work_is_read_by_indentation(monkeypatch: pytest.MonkeyPatch) -> None:
    text = functions(100)
    monkeypatch.setattr("tuppence.core.syntax.parser._STEPS", -len(text) // 4 + 5)
    tree = parse(text, language("python"))
    assert not isinstance(tree, SyntaxTree)
    assert [block.name for block in tree.blocks()][:2] == ["f0", "f1"]


@pytest.mark.parametrize("text", ["(", "a,", "a<", "{", "[", "x=", "if x:\n", '"', "a<b(", "() "])
@pytest.mark.parametrize("language_id", [each for each in SOURCES if each != "java"])
def test_dense_texts_stay_within_the_budget(language_id: str, text: str) -> None:
    data = (text * 1500).encode()
    assert grammars.parse(path_of(language_id), data, None, parse_budget(len(data))) is not None


def test_parses_leave_nothing_behind() -> None:
    """py-tree-sitter never releases what a source returns, so a fresh piece each time would be lost."""
    path, text = path_of("python"), functions(400).encode()
    grammars.parse(path, text)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(20):
            grammars.parse(path, text)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < len(text), "twenty parses, and not even one copy of the text"


def test_what_a_source_raises_comes_through() -> None:
    """A binding that ends the process here is too old: a signal may raise in any call."""

    class Interrupted(grammars.Pieces):
        def is_over(self, *_: object) -> bool:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(grammars, "Pieces", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            grammars.parse(path_of("python"), functions(20).encode())
    assert grammars.parse(path_of("python"), functions(20).encode()) is not None


def test_a_tree_outlives_the_piece_that_it_was_parsed_with() -> None:
    text = functions(300).encode()
    tree = grammars.parse(path_of("python"), text)
    assert tree is not None
    grammars.parse(path_of("python"), b"y = 2\n" * 2000)
    assert tree.root_node.named_children[7].text == FUNCTION.format(7).rstrip().encode()


_DAMAGE = st.tuples(
    st.floats(0, 1), st.integers(0, 60), st.sampled_from(["", "x", "(", '"', "\n", "    ", "é", "if x:\n"])
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(SOURCES)), st.lists(_DAMAGE, min_size=1, max_size=4))
@example("python", [(0.5, 0, "😀")])
def test_a_sound_incremental_tree_is_the_fresh_one(language_id: str, damage: list[tuple[float, int, str]]) -> None:
    text, edits = SOURCES[language_id], list[Edit]()
    old = parse(text, language(language_id))
    for where, length, piece in damage:
        start = int(where * len(text))
        edits.append(Edit(Span(start, min(start + length, len(text))), piece))
        text = apply(text, edits[-1:])
    new, fresh = parse(text, language(language_id), old, edits), parse(text, language(language_id))
    assert new.sound() == fresh.sound()
    if new.sound():
        assert isinstance(new, SyntaxTree)
        assert isinstance(fresh, SyntaxTree)
        assert list(shape(new._parsed)) == list(shape(fresh._parsed))


def test_a_grammar_that_is_not_installed_leaves_the_text_to_its_indentation() -> None:
    missing = "tree_sitter_nowhere_at_all.language"
    assert grammars.load(missing) is None
    assert grammars.parse(missing, b"x = 1") is None
    known = replace(language("python"), grammar=missing)
    tree = parse("def f():\n    return 1\n", known)
    assert not isinstance(tree, SyntaxTree)
    assert [each.name for each in tree.blocks()] == ["f"]
    assert tree.excess == ""


def test_an_error_of_the_parser_that_is_no_limit_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __init__(self, _grammar: object) -> None:
            pass

        def parse(self, *_: object, **__: object) -> None:
            raise ValueError("Parsing failed")

    monkeypatch.setattr("tree_sitter.Parser", Failing)
    path = language("python").grammar
    assert path is not None
    with pytest.raises(ValueError, match="Parsing failed"):
        grammars.parse(path, b"x = 1")


def test_a_piece_is_given_back_once() -> None:
    pieces = grammars.Pieces(b"abc")
    spare = len(grammars._spare)
    pieces.close()
    pieces.close()
    assert len(grammars._spare) == spare + 1
    assert pieces.read(1, None) == b"bc", "a tree may still read"
