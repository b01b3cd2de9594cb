"""The definitions of a new version are those that a reading of all of it finds, and few are read again."""

from __future__ import annotations

import gc
import random
import weakref
from functools import cache

import pytest

from tuppence.core.syntax.definitions import NodeReader
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.syntax.shape import NodePath
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.diff import single_edit
from tuppence.core.text.document import Edit, Span, apply

C_LIKE = (
    "// a line\n// and another\n",
    "/* over\n   two lines */\n",
    "/** doc */\n",
    "x = 1; /* at the end */\n",
    "/*\n",
    "*/\n",
    "\n",
    "}\n",
    "{\n",
    '"',
    "'",
    "`",
    "//",
    "(",
    ");\n",
    "#if A\n",
    "#endif\n",
    "\\\n",
    "/* x */ ",
    "#pragma once\n",
)
PIECES: dict[str, tuple[str, ...]] = {
    "python": (
        "def f{n}(a):\n    return a\n",
        "class C{n}:\n    x = 1\n\n    def m(self):\n        pass\n",
        "@wrapped\n",
        "async def g{n}():\n    # inside\n    await x\n    # at the end\n",
        "# a line\n# and another\n",
        "x = 1\n",
        "\n",
        '"""',
        "'",
        "(",
        ")",
        "    ",
        "if a:\n    def h{n}(): ...\n",
        "    y = 2\n",
        "\\\n",
        "import os\n",
        "lambda: 0\n",
        "x = [\n  1,\n]\n",
        '"""text\ndef inside(): ...\n"""\n',
        "else:\n    pass\n",
        "é = '𝄞'\n",
        "#",
        "\r\n",
        "\r",
    ),
    "javascript": (
        "function f{n}(a) {\n  return a;\n}\n",
        "class C{n} {\n  m() {}\n}\n",
        "const h{n} = () => 1;\n",
        "export ",
        "export default function () {}\n",
        "a\n",
        "(b)\n",
        "`${",
        "}`;\n",
        *C_LIKE,
    ),
    "typescript": (
        "function f{n}(a: number): number {\n  return a;\n}\n",
        "interface I{n} { a: string }\n",
        "@Dec()\n",
        "export ",
        "class C{n} {\n  @d() m() {}\n}\n",
        "namespace N{n} {\n  function i() {}\n}\n",
        "type T = {n};\n",
        *C_LIKE,
    ),
    "rust": (
        "fn f{n}(a: u8) {\n  a;\n}\n",
        "#[test]\n",
        "#[derive(A)]\nstruct S{n};\n",
        "impl S{n} {\n  fn m(&self) {}\n}\n",
        "mod m{n} {\n  fn i() {}\n}\n",
        "/// doc\n",
        "use a::b;\n",
        *C_LIKE,
    ),
    "go": (
        "func f{n}(a int) {\n\ta++\n}\n",
        "type T{n} struct {\n\ta int\n}\n",
        "func (t T{n}) m() {}\n",
        "package a\n",
        *C_LIKE,
    ),
    "java": (
        "class C{n} {\n  void m() { }\n}\n",
        "@Test\n",
        "interface I{n} { void a(); }\n",
        "import a.b;\n",
        *C_LIKE,
    ),
    "c": (
        "int f{n}(int a) {\n  return a;\n}\n",
        "struct s{n} { int a; };\n",
        "int g{n}(int);\n",
        "#include <a.h>\n",
        "#define M{n}(a) a\n",
        "#ifndef H\n",
        "typedef struct { int b; } t{n};\n",
        *C_LIKE,
    ),
    "cpp": (
        "int f{n}(int a) {\n  return a;\n}\n",
        "class C{n} {\n  void m() {}\n};\n",
        "namespace n{n} {\nint i() { return 1; }\n}\n",
        "template <class T>\n",
        *C_LIKE,
    ),
}
"""What texts and edits are made of, in each language that has definitions; much of it breaks what is around it."""


@cache
def sound_pieces(language_id: str) -> tuple[str, ...]:
    """Return the pieces that have no fault by themselves."""
    known = language(language_id)
    return tuple(
        each for each in PIECES[language_id] if each.strip() and parse(each.replace("{n}", "1"), known).sound()
    )


def text_of(language_id: str, dice: random.Random, count: int, *, sound: bool) -> str:
    pieces = sound_pieces(language_id) if sound else PIECES[language_id]
    return "".join(
        dice.choice(pieces).replace("{n}", str(dice.randrange(9))) + "\n" * dice.randrange(2) for _ in range(count)
    )


def edit_of(language_id: str, dice: random.Random, text: str) -> Edit:
    start = dice.randrange(len(text) + 1)
    if dice.random() < 0.5:  # At the start of a line, as most are.
        start = text.rfind("\n", 0, start) + 1
    end = min(len(text), start + dice.choice((0, 0, 1, 2, 7, 30)))
    written = text_of(language_id, dice, dice.randrange(3), sound=dice.random() < 0.5)
    return Edit(Span(start, end), dice.choice(("", "x", written)))


def read_anew(tree: Tree) -> tuple[Block, ...]:
    """Return the definitions of the very same nodes, without those of an earlier version."""
    if not isinstance(tree, SyntaxTree):
        return tree.blocks()
    return SyntaxTree(tree._offsets, tree.language, tree._parsed).blocks()


def agreed(language_id: str, seed: int) -> int:
    """Follow one text through edits, asking now and then; return how often an earlier version was of use."""
    dice, used = random.Random(f"{language_id} {seed}"), 0  # noqa: S311 - a draw that can be repeated
    text = text_of(language_id, dice, dice.randrange(3, 30), sound=dice.random() < 0.9)
    tree = parse(text, language(language_id))
    tree.blocks()
    for _ in range(6):
        edits: list[Edit] = []
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            edits.append(edit_of(language_id, dice, text))
            text = apply(text, edits[-1:])
        tree = parse(text, language(language_id), tree, edits)
        if dice.random() < 0.3:
            continue
        former = getattr(tree, "_former", None)
        found = tree.blocks()
        assert found == read_anew(tree), (language_id, seed, text)
        used += former is not None and any(each is old for each in found for old in former.blocks)
    return used


@pytest.mark.parametrize("language_id", PIECES)
def test_definitions_found_again_are_those_that_a_whole_reading_finds(language_id: str) -> None:
    used = sum(agreed(language_id, seed) for seed in range(40))
    assert used > 1, "the texts are such that an earlier version is of use"


@pytest.mark.long
@pytest.mark.parametrize("language_id", PIECES)
def test_the_same_of_many_more_texts(language_id: str) -> None:
    assert sum(agreed(language_id, seed) for seed in range(40, 4_000)) > 100


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# one\n# two\n{}", "# one\n# 2\n{}"),
        ("x = 1\n\n{}", "x = 1\n# two\n{}"),
        ("@a\n{}", "@a\n@b\n{}"),
        ('x = """\n{}"""\n', "x = 3\n{}"),
        ("x = 3\n{}", 'x = """\n{}"""\n'),
        ("if x:\n  pass\n{}", "class A:\n  pass\n{}"),
    ],
)
def test_what_stands_before_a_definition_changes_it(old: str, new: str) -> None:
    code = "def f(a):\n    return a\n\n\ndef g(a):\n    return a\n\n\n# of h\ndef h(a):\n    return a\n"
    before, after = (f"y = 0\n{each.replace('{}', code)}{code}" for each in (old, new))
    tree = parse(before, language("python"))
    assert tree.blocks()
    again = parse(after, language("python"), tree, single_edit(before, after))
    assert again.blocks() == read_anew(again)


def test_few_definitions_of_a_changed_text_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"def f{number}(a):\n    return a\n\n\n" for number in range(400))
    made, block = [0], NodeReader.block

    def counted(self: NodeReader, place: NodePath) -> Block | None:
        made[0] += 1
        return block(self, place)

    monkeypatch.setattr(NodeReader, "block", counted)
    tree = parse(text, language("python"))
    assert len(tree.blocks()) == made[0] == 400
    made[0] = 0
    for number in range(10):  # What nobody asks about is followed too, over versions.
        at = text.index(f"return a\n\n\ndef f{200 + number % 2}(")
        edit = Edit(Span(at, at), "x = 1\n    ")
        text = apply(text, (edit,))
        tree = parse(text, language("python"), tree, (edit,))
        if number % 2:
            assert len(tree.blocks()) == 400
    assert made[0] <= 5 * 8, "the statements around the changes, for each of the five versions that were asked about"


@pytest.mark.parametrize("language_id", PIECES)
def test_no_part_that_is_read_again_ends_before_a_comment(language_id: str) -> None:
    mark, pieces = language(language_id).line_comment, PIECES[language_id]
    found = 0
    for head in ("", " x", "!", "!/bin/x", "/", "#", "*"):
        comment = f"{mark}{head}\n"
        text = f"{pieces[0].replace('{n}', '1')}{comment}{comment}{pieces[0].replace('{n}', '2')}{comment}"
        tree = parse(text, language(language_id))
        for at in range(len(text)):
            part = tree.separable(Span(at, at))
            assert part is None or not text.startswith(mark, part.end), (head, at)
            found += part is not None
    assert found, "some of these texts can be divided"


def test_a_version_without_a_change_has_the_same_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "class A:\n    def f(self):\n        return 1\n\n\ndef g():\n    return 2\n"
    tree = parse(text, language("python"))
    before = tree.blocks()
    again = parse(text, language("python"), tree, ())
    monkeypatch.setattr(NodeReader, "block", None)  # None is read again.
    assert [each.name for each in before] == ["A", "f", "g"]
    assert len(again.blocks()) == len(before)
    assert all(each is old for each, old in zip(again.blocks(), before, strict=True))


def test_an_earlier_version_is_let_go() -> None:
    text = "def f(a):\n    return a\n\n\n" * 9
    first = parse(text, language("python"))
    first.blocks()
    former, tree = weakref.ref(first), first
    del first
    for _ in range(4):
        edit = Edit(Span(0, 0), "x = 1\n")
        text = apply(text, (edit,))
        tree = parse(text, language("python"), tree, (edit,))
    assert former() is not None, "its definitions may be of use"
    tree.blocks()
    gc.collect()
    assert former() is None
