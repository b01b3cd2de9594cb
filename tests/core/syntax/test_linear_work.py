"""Hovers and requests analyze a long file in one pass: the number of visited nodes grows linearly with the file."""

from __future__ import annotations

from itertools import pairwise

import pytest
from work import lines as lines_run

from tuppence.core.prompt.context import breaks
from tuppence.core.prompt.excerpt import excerpt
from tuppence.core.syntax import shape
from tuppence.core.syntax.definitions import NodeReader
from tuppence.core.syntax.languages import LANGUAGES, language
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.syntax.references import referenced_by
from tuppence.core.syntax.target import find_target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document, Span

BRACES = "{\n  b(a);\n  if (a) {\n    c(a);\n  }\n}\n\n"
FUNCTIONS = {
    "python": "def f{n}(a):\n  b(a)\n  if a:\n    c(a)\n  return\n\n\n\n",
    "javascript": f"function f{{n}}(a) {BRACES}",
    "typescript": f"function f{{n}}(a: number) {BRACES}",
    "tsx": f"function f{{n}}(a: number) {BRACES}",
    "go": "func f{n}(a int) {\n  b(a)\n  if a {\n    c(a)\n  }\n}\n\n",
    "rust": f"fn f{{n}}(a: u8) {BRACES}",
    "java": f"class F{{n}} {{\n  void f{{n}}(int a) {BRACES}}}\n",
    "c": f"void f{{n}}(int a) {BRACES}",
    "cpp": f"void f{{n}}(int a) {BRACES}",
}
"""A definition in each language that has definitions."""


def text_of(language_id: str, size: int) -> str:
    """Return a text of at least so many lines."""
    form = FUNCTIONS[language_id].replace("{n}", "%d")
    one = form.replace("%d", "0")
    return "".join(one.replace("f0", f"f{n}").replace("F0", f"F{n}") for n in range(size // one.count("\n") + 1))


def asked(tree: Tree, document: Document) -> None:
    """Ask what a hover on a definition in the middle, and then a request about it, ask of a tree."""
    middle = tree.text.index("b(a)", len(tree.text) // 2)
    target = find_target(document, tree, Span(middle, middle))
    assert target is not None
    referenced_by(tree, target.span)
    breaks(tree)
    _, left_out = excerpt(document, tree, target.span, 300)
    assert left_out


def visited(language_id: str, size: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Return how many nodes were visited, and how many definitions were made."""
    text, counts = text_of(language_id, size), [0, 0]
    tree = parse(text, language(language_id))
    assert isinstance(tree, SyntaxTree)
    contains, block = shape.Kinds.__contains__, NodeReader.block

    def counted(self: shape.Kinds, node: object) -> bool:
        counts[0] += 1
        return contains(self, node)  # type: ignore[arg-type]

    def made(self: NodeReader, place: shape.NodePath) -> object:
        counts[1] += 1
        return block(self, place)

    with monkeypatch.context() as patched:
        patched.setattr(shape.Kinds, "__contains__", counted)
        patched.setattr(NodeReader, "block", made)
        asked(tree, Document("file:///a", language_id, 1, text))
    return counts[0], counts[1]


def grows_as_the_file(language_id: str, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    counted = [(size, *visited(language_id, size, monkeypatch)) for size in sizes]
    for (_, nodes, made), (_, more_nodes, more_made) in pairwise(counted):
        assert more_nodes <= 2.1 * nodes, counted
        assert more_made <= 2.1 * made, counted


def test_each_language_with_definitions_is_tried() -> None:
    assert {each.id for each in LANGUAGES if each.grammar} == set(FUNCTIONS)


@pytest.mark.parametrize("language_id", FUNCTIONS)
def test_nodes_are_visited_once(language_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grows_as_the_file(language_id, (400, 800, 1_600), monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("language_id", FUNCTIONS)
def test_nodes_are_visited_once_up_to_40_000_lines(language_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grows_as_the_file(language_id, (5_000, 10_000, 20_000, 40_000), monkeypatch)


@pytest.mark.parametrize("language_id", ["python", "typescript", "lua"])
def test_lines_of_code_grow_as_the_file(language_id: str) -> None:
    counted = []
    for size in (300, 600, 1_200):
        text = text_of("python" if language_id == "lua" else language_id, size)
        tree, document = parse(text, language(language_id)), Document("file:///a", language_id, 1, text)
        _, count = lines_run(lambda tree=tree, document=document: asked(tree, document))  # type: ignore[misc]
        counted.append(count)
    assert all(more <= 2.1 * fewer for fewer, more in pairwise(counted)), counted


@pytest.mark.parametrize("language_id", ["python", "lua"])
def test_a_tree_that_was_asked_before_is_hardly_asked_again(language_id: str) -> None:
    text = text_of("python", 2_000)
    tree, document = parse(text, language(language_id)), Document("file:///a", language_id, 1, text)
    _, first = lines_run(lambda: asked(tree, document))
    _, second = lines_run(lambda: asked(tree, document))
    assert second < first / 3


@pytest.mark.parametrize("language_id", FUNCTIONS)
def test_definitions_of_a_part_are_those_of_the_whole(language_id: str) -> None:
    text = text_of(language_id, 60)
    tree, whole = parse(text, language(language_id)), parse(text, language(language_id)).blocks()
    assert len(whole) > 5
    for start in range(0, len(text), 97):
        span = Span(start, min(len(text), start + 150))
        assert tree.definitions(span) == tuple(each for each in whole if span.covers(each.span))
        assert tree.meeting(span) == tuple(each for each in whole if span.touches(each.span))
    assert tree.blocks() == whole
