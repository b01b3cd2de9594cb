"""Definitions, imports, names and faults, in each language, in code points, fresh and incrementally."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from work import lines, parses

from tuppence.core.syntax import shape
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import LARGEST, IndentationTree, SyntaxTree, Tree, parse
from tuppence.core.text.document import Edit, Span, apply

PYTHON = '''\
"""Module 😀."""
from __future__ import annotations
import os
from a import (
    b,
)

NUMBERS = [1, 2]


@dataclass
class Mean:
    """A mean."""

    total: int = 0

    @property
    def value(self) -> float:
        """The value, é."""
        # half of it
        return self.total / 2


async def main():
    for each in NUMBERS:
        if each:
            await run(lambda: each)
'''
TYPESCRIPT = """\
import { a } from "./a";

/** Adds. */
export const add = (x: number): number => {
  return x + a;
};

@decorated
export class Box<T> {
  items: T[] = [];
  first = () => this.items[0];

  get(index: number): T {
    return this.items[index];
  }
}

interface Shape { area(): number }
"""
JAVASCRIPT = """\
#!/usr/bin/env node
"use strict";
const fs = require("fs");

exports.read = function (path) {
  return fs.readFileSync(path);
};
const handlers = {
  start: () => 1,
  stop() { return 2; },
};
"""
GO = """\
package shape

import (
	"fmt"
)

// Circle is round.
type Circle struct {
	r float64
}

// Area says how large.
func (c *Circle) Area() float64 {
	return c.r * c.r
}

func main() {
	fmt.Println("x")
}
"""
RUST = """\
//! A crate.
use std::fmt::{self, Display};

/// A point.
#[derive(Debug)]
pub struct Point { x: i32 }

impl Point {
    /// Makes one.
    #[must_use]
    pub fn new(x: i32) -> Self {
        Self { x }
    }
}

#[test]
fn works() {
    assert_eq!(1, 1);
}
"""
JAVA = """\
package a.b;

import java.util.List;

/** Holds. */
@Deprecated
public class Holder {
    Holder() { }

    @Override
    public String toString() {
        return "x";
    }
}
"""
C = """\
#include <stdio.h>
#include "list.h"

struct node { int value; };

int length(struct node *first);

static char *name(void)
{
    return "n";
}
"""
CPP = """\
#ifndef BOX_H
#define BOX_H
#include <vector>

namespace box {
template <class T> class Box : Base {
  public:
    Box(int size) : size_(size) {}
    int size() const;
};

int Box::size() const { return 1; }
}
#endif
"""
LUA = """\
local json = require("json")

local function mean(values)
  local total = 0
  for _, each in ipairs(values) do
    total = total + each
  end
  return total / #values
end

print(mean({ 1, 2 }))
"""
SOURCES = {
    "python": PYTHON,
    "typescript": TYPESCRIPT,
    "typescriptreact": TYPESCRIPT,
    "javascript": JAVASCRIPT,
    "go": GO,
    "rust": RUST,
    "java": JAVA,
    "c": C,
    "cpp": CPP,
}


def _tree(language_id: str, text: str | None = None) -> Tree:
    return parse(SOURCES[language_id] if text is None else text, language(language_id))


def _slice(tree: Tree, span: Span | None) -> str:
    return "" if span is None else tree.text[span.start : span.end]


def _at(tree: Tree, marker: str, offset: int = 0) -> Span:
    start = tree.text.index(marker) + offset
    return Span(start, start)


@pytest.mark.parametrize("language_id", SOURCES)
def test_every_language_is_parsed_by_its_grammar_and_is_sound(language_id: str) -> None:
    tree = _tree(language_id)
    assert isinstance(tree, SyntaxTree)
    assert tree.sound()
    assert tree.faults() == 0


@pytest.mark.parametrize(
    ("language_id", "expected"),
    [
        ("python", ["class Mean", "method value", "function main"]),
        ("typescript", ["function add", "class Box", "method first", "method get", "interface Shape"]),
        ("typescriptreact", ["function add", "class Box", "method first", "method get", "interface Shape"]),
        ("javascript", ["function exports.read", "method start", "method stop"]),
        ("go", ["type Circle", "method Area", "function main"]),
        ("rust", ["struct Point", "impl Point", "method new", "function works"]),
        ("java", ["class Holder", "method Holder", "method toString"]),
        ("c", ["struct node", "prototype length", "function name"]),
        ("cpp", ["module box", "class Box", "method Box", "prototype size", "function Box::size"]),
    ],
)
def test_definitions_are_found_and_named(language_id: str, expected: list[str]) -> None:
    assert [f"{block.kind} {block.name}" for block in _tree(language_id).blocks()] == expected


@pytest.mark.parametrize(
    ("language_id", "cursor", "expected"),
    [
        ("python", "return self", ("value", "@property", "/ 2")),
        ("python", "@property", ("value", "@property", "/ 2")),
        ("python", "@dataclass", ("Mean", "@dataclass", "/ 2")),
        ("python", "total: int", ("Mean", "@dataclass", "/ 2")),
        ("typescript", "return x", ("add", "export const add", "};")),
        ("typescript", "Adds", ("add", "export const add", "};")),
        ("typescript", "return this", ("get", "get(index", "}")),
        ("typescript", "@decorated", ("Box", "@decorated", "}")),
        ("javascript", "return fs", ("exports.read", "exports.read", "};")),
        ("go", "return c", ("Area", "func (c", "}")),
        ("go", "Circle is", ("Circle", "type Circle", "}")),
        ("rust", "Self { x }", ("new", "#[must_use]", "}")),
        ("rust", "#[test]", ("works", "#[test]", "}")),
        ("rust", "Makes one", ("new", "#[must_use]", "}")),
        ("java", "return", ("toString", "@Override", "}")),
        ("java", "@Deprecated", ("Holder", "@Deprecated", "}")),
        ("c", "return", ("name", "static char", "}")),
        ("cpp", "return 1", ("Box::size", "int Box", "}")),
        ("cpp", "size_(size)", ("Box", "Box(int", "}")),
    ],
)
def test_the_innermost_definition_holds_the_cursor(
    language_id: str, cursor: str, expected: tuple[str, str, str]
) -> None:
    tree = _tree(language_id)
    block = tree.enclosing(_at(tree, cursor))
    assert block is not None
    text = _slice(tree, block.span)
    assert (block.name, text[: len(expected[1])], text[-len(expected[2]) :]) == expected


def test_a_cursor_between_definitions_stands_in_none() -> None:
    tree = _tree("python")
    assert tree.enclosing(_at(tree, "\n\n@dataclass", 1)) is None
    assert tree.enclosing(_at(tree, "NUMBERS")) is None


def test_a_cursor_in_the_indentation_or_behind_the_line_stands_on_the_line() -> None:
    tree = _tree("python")
    for cursor in (_at(tree, "    def value"), _at(tree, "/ 2", 3), _at(tree, "    @property")):
        block = tree.enclosing(cursor)
        assert block is not None
        assert block.name == "value"


def test_a_selection_is_held_by_the_definition_around_all_of_it() -> None:
    tree = _tree("python")
    start, end = tree.text.index("total: int"), tree.text.index("return self")
    block = tree.enclosing(Span(start, end))
    assert block is not None
    assert block.name == "Mean"


@pytest.mark.parametrize(
    ("language_id", "name", "header", "doc"),
    [
        ("python", "value", "@property\n    def value(self) -> float:", '"""The value, é."""'),
        ("typescript", "add", "export const add = (x: number): number =>", "/** Adds. */"),
        ("go", "Area", "func (c *Circle) Area() float64", "// Area says how large."),
        ("rust", "new", "#[must_use]\n    pub fn new(x: i32) -> Self", "/// Makes one."),
        ("java", "Holder", "@Deprecated\npublic class Holder", "/** Holds. */"),
        ("c", "name", "static char *name(void)", ""),
    ],
)
def test_a_definition_has_a_header_and_documentation(language_id: str, name: str, header: str, doc: str) -> None:
    tree = _tree(language_id)
    block = next(each for each in tree.blocks() if each.name == name)
    assert (_slice(tree, block.header), _slice(tree, block.doc)) == (header, doc)


@pytest.mark.parametrize("language_id", sorted(SOURCES))
def test_a_name_is_told_with_its_place(language_id: str) -> None:
    named = [block for block in _tree(language_id).blocks() if block.name]
    assert named
    for block in named:
        assert _slice(_tree(language_id), block.named) == block.name
        assert block.named is not None
        assert block.span.covers(block.named)


def test_an_outline_tells_the_place_of_a_name() -> None:
    text = "module Shop\n  def total(items)\n    1\n  end\nend\n"
    blocks = IndentationTree(text, language("ruby")).blocks()
    places = [block.named and (text[block.named.start : block.named.end], block.named.start) for block in blocks]
    assert places == [("Shop", 7), ("total", 18)]


def test_a_decorator_of_the_same_name_is_not_the_name() -> None:
    text = "class A:\n    @size.setter\n    def size(self, to):\n        self._size = to\n"
    block = next(each for each in parse(text, language("python")).blocks() if each.name == "size")
    assert block.named == Span(text.index("def size") + 4, text.index("def size") + 8)


@pytest.mark.parametrize(
    ("language_id", "expected"),
    [
        ("python", "from __future__ import annotations\nimport os\nfrom a import (\n    b,\n)"),
        ("typescript", 'import { a } from "./a";'),
        ("javascript", 'const fs = require("fs");'),
        ("go", 'import (\n\t"fmt"\n)'),
        ("rust", "use std::fmt::{self, Display};"),
        ("java", "import java.util.List;"),
        ("c", '#include <stdio.h>\n#include "list.h"'),
        ("cpp", "#include <vector>"),
    ],
)
def test_the_import_block_is_found(language_id: str, expected: str) -> None:
    tree = _tree(language_id)
    assert _slice(tree, tree.imports()) == expected


def test_an_import_far_below_the_definitions_is_no_part_of_the_block() -> None:
    tree = _tree("python", "import a\n\ndef f():\n    pass\n\nimport b\n")
    assert _slice(tree, tree.imports()) == "import a"
    assert _tree("python", "x = 1\n").imports() is None


def test_names_are_those_inside_the_span() -> None:
    tree = _tree("go")
    block = tree.enclosing(_at(tree, "return c"))
    assert block is not None
    assert tree.names(block.span) == {"c", "Circle", "Area", "float64", "r"}


def test_names_of_one_span_are_collected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = _tree("python")
    first, last = tree.blocks()[0].span, tree.blocks()[-1].span
    expected = {span: tree.names(span) for span in (first, last)}
    walks, touching = [], shape.touching

    def walk(*arguments: Any) -> object:
        walks.append(arguments)
        return touching(*arguments)

    monkeypatch.setattr(shape, "touching", walk)
    for span in (last, last, first, first, first, last):
        assert tree.names(span) == expected[span]
    assert len(walks) == 2


def test_faults_lie_where_they_are() -> None:
    text = "def f():\n    return (1\n\n\ndef g():\n    return 1\n"
    tree = _tree("python", text)
    assert not tree.sound()
    assert tree.faults() > 0
    assert not tree.sound(Span(0, text.index("\n\n")))
    assert tree.sound(Span(text.index("return 1\n"), len(text)))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spans_count_code_points_however_many_bytes_they_take(newline: str) -> None:
    text = "# 😀é\n" * 200 + 'x = "😀"\n\ndef größe():\n    return "é😀"\n'
    tree = _tree("python", text.replace("\n", newline))
    assert [_slice(tree, block.span).split(newline)[0] for block in tree.blocks()] == ["def größe():"]
    assert "größe" in tree.names(Span(0, len(tree.text)))


def test_a_lone_surrogate_moves_nothing() -> None:
    tree = _tree("python", 'x = "\ud83d"\n\ndef f():\n    pass\n')
    assert _slice(tree, tree.blocks()[0].span) == "def f():\n    pass"


def test_a_text_too_large_is_read_by_indentation() -> None:
    text = "def f():\n    pass\n" * (LARGEST // 18 + 1)
    tree = _tree("python", text)
    assert isinstance(tree, IndentationTree)
    block = tree.enclosing(Span(len(text) - 3, len(text) - 3))
    assert block is not None
    assert (block.name, len(block.span)) == ("f", 17)


_PIECES = st.sampled_from(["x", "\n", "    ", "def g():\n", "(", ")", '"', "😀", "é", "", "if x:\n", "return 1\n"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 12), _PIECES), max_size=5))
def test_an_incremental_parse_equals_a_fresh_one(changes: list[tuple[int, int, str]]) -> None:
    text, edits = PYTHON, []
    for wanted, length, piece in changes:
        start = min(wanted, len(text))
        edits.append(Edit(Span(start, min(start + length, len(text))), piece))
        text = apply(text, edits[-1:])
    incremental, fresh = parse(text, language("python"), _tree("python"), edits), _tree("python", text)
    assert incremental.blocks() == fresh.blocks()
    assert incremental.names(Span(0, len(text))) == fresh.names(Span(0, len(text)))
    assert incremental.sound() == fresh.sound()


def test_a_fault_does_not_hide_the_definition_around_it() -> None:
    tree = _tree("python", "def f():\n    return 1\n\n\ndef g(x):\n    if x\n        return (x\n    return 2\n")
    block = tree.enclosing(_at(tree, "return (x"))
    assert block is not None
    assert block.name == "g"


def test_edits_that_lead_elsewhere_are_passed_over() -> None:
    wrong = [Edit(Span(0, 0), "zzz"), Edit(Span(10_000, 10_001), "")]
    tree = parse("x = 1\n", language("python"), _tree("python"), wrong)
    assert tree.sound()
    assert tree.names(Span(0, 6)) == {"x"}


def test_an_old_tree_is_left_as_it_was() -> None:
    old = _tree("python")
    before = old.blocks()
    parse("#" + PYTHON, language("python"), old, [Edit(Span(0, 0), "#")])
    assert [_slice(old, block.header) for block in old.blocks()] == [_slice(old, block.header) for block in before]
    assert old.enclosing(_at(old, "return self")) == before[1]


def test_two_thousand_lines_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import os\n\n" + "".join(
        f'def f{each}(x: int) -> str:\n    """Doc."""\n    for i in range(10):\n        if x > i:\n'
        f'            print(i, "a")\n    total = x * {each}\n    return str(total)\n\n'
        for each in range(250)
    )
    assert text.count("\n") > 2000
    middle = text.index("print", text.index("def f125"))
    changed = Edit(Span(middle, middle), "q")
    parsed = parses(monkeypatch)
    tree, first = lines(lambda: parse(text, language("python")))
    after, second = lines(lambda: parse(apply(text, [changed]), language("python"), tree, [changed]))
    block, third = lines(lambda: after.enclosing(Span(middle, middle)))
    assert block is not None
    assert parsed == [False, True], "the second parse begins from the first"
    print(f"{first} lines to parse, {second} after an edit, {third} to find a definition")
    assert first + second + third < 4000


def _outline(text: str, language_id: str = "lua") -> Tree:
    tree = parse(text, language(language_id))
    assert isinstance(tree, IndentationTree)
    return tree


def test_without_a_grammar_a_definition_is_found_by_indentation() -> None:
    tree = _outline(LUA)
    block = tree.enclosing(_at(tree, "total = total"))
    assert block is not None
    assert (block.name, block.kind) == ("mean", "function")
    assert _slice(tree, block.span).startswith("local function mean")
    assert _slice(tree, block.span).endswith("#values\nend")
    assert tree.enclosing(_at(tree, "print(mean")) is None
    assert _slice(tree, tree.imports()) == 'local json = require("json")'


@pytest.mark.parametrize(
    ("language_id", "text", "cursor", "name"),
    [
        (
            "ruby",
            "class A\n  def mean(x)\n    if x\n      x / 2\n    else\n      1\n    end\n  end\nend\n",
            "x / 2",
            "mean",
        ),
        ("elixir", "defmodule A.B do\n  def mean(x) do\n    x / 2\n  end\nend\n", "x / 2", "mean"),
        ("kotlin", "class A {\n    suspend fun mean(x: Int): Int {\n        return x\n    }\n}\n", "return", "mean"),
        ("php", "<?php\nfunction mean($x)\n{\n    return $x;\n}\n", "return", "mean"),
        ("shellscript", "mean() {\n  echo 1\n}\n", "echo", "mean"),
        ("unheardof", "thing: outer\n  key: 1\n  other: 2\n", "other", "thing"),
    ],
)
def test_other_languages_get_the_block_that_a_person_sees(language_id: str, text: str, cursor: str, name: str) -> None:
    tree = _outline(text, language_id)
    block = tree.enclosing(_at(tree, cursor))
    assert block is not None
    assert block.name == name


def test_where_nothing_is_indented_brackets_tell() -> None:
    text = "x = 1\nstart {\na;\nb;\n}\ny\n"
    tree = _outline(text, "unheardof")
    block = tree.enclosing(_at(tree, "b;"))
    assert block is not None
    assert _slice(tree, block.span) == "start {\na;\nb;\n}"


@pytest.mark.parametrize(("text", "sound"), [("f(a[1])", True), ('f("(")', True), ("f(a", False), ("-- (\nx", True)])
def test_without_a_grammar_brackets_tell_whether_it_is_whole(text: str, sound: bool) -> None:  # noqa: FBT001  # a table's column
    assert _outline(text).sound() is sound
    assert (_outline(text).faults() == 0) is sound


@given(st.text(max_size=200), st.integers(0, 200), st.sampled_from(["lua", "python", "typescriptreact", "cpp", "rust"]))
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_asked_anything(text: str, offset: int, language_id: str) -> None:
    tree = parse(text, language(language_id))
    cursor = Span(min(offset, len(text)), min(offset, len(text)))
    whole = Span(0, len(text))
    block = tree.enclosing(cursor)
    assert block is None or whole.covers(block.span)
    assert all(whole.covers(each.span) for each in tree.blocks())
    assert tree.sound() == (tree.faults() == 0)
    assert 0 <= tree.import_place() <= len(text)
    statement = tree.statement(cursor)
    assert statement is None or whole.covers(statement)


@pytest.mark.parametrize(
    ("language_id", "text", "strings", "comments"),
    [
        ("python", 'x = f"a{b!r:"c"}" + b\'\' # d\n', ['f"a{b!r:"c"}"', "b''"], ["# d"]),
        ("javascript", "x = `a${'b'}` + 'c' + /d/g; // e\n/* f */", ["`a${'b'}`", "'c'", "/d/g"], ["// e", "/* f */"]),
        ("typescript", "x = 'a'; // b", ["'a'"], ["// b"]),
        ("tsx", "x = <p a='b'>c &amp; d</p>;", ["'b'"], ["c", "&amp;", " d"]),
        ("go", "x := \"a\" + `b\nc` + 'd' // e", ['"a"', "`b\nc`", "'d'"], ["// e"]),
        ("rust", 'let x = "a"; r#"b"#; \'c\'; // d\n/* e */', ['"a"', 'r#"b"#', "'c'"], ["// d\n", "/* e */"]),
        ("java", "x = \"a\" + 'b'; // c\n/* d */", ['"a"', "'b'"], ["// c", "/* d */"]),
        ("c", '#include <a.h>\nchar *x = "a" "b"; // c', ["<a.h>", '"a"', '"b"'], ["// c"]),
        ("cpp", 'auto x = R"(a\nb)"; // c', ['R"(a\nb)"'], ["// c"]),
        ("ruby", "x = 'a' + \"b # c\" # d\ny = /*", ["'a'", '"b # c"'], ["# d"]),
        ("swift", 'x = """\na"b\n""" /* c "d" */', ['"""\na"b\n"""'], ['/* c "d" */']),
        ("kotlin", "x = 1 /* a", [], ["/* a"]),
        ("sql", "select 'a' -- b\n", ["'a'"], ["-- b"]),
    ],
)
def test_strings_and_comments(language_id: str, text: str, strings: list[str], comments: list[str]) -> None:
    tree = parse(f"é;{text}", language(language_id))
    whole = Span(0, len(tree.text))
    assert [tree.text[each.start : each.end] for each in tree.strings(whole)] == strings
    assert [tree.text[each.start : each.end].rstrip() for each in tree.comments(whole)] == [
        each.rstrip() if each.startswith("//") else each for each in comments
    ]
    for each in tree.strings(whole):
        assert tree.strings(Span(each.start + 1, each.start + 2)) == (each,)
        assert each not in tree.strings(Span(0, each.start))


def test_a_tree_is_not_told_of_more_edits_than_are_worth_it() -> None:
    known = language("python")
    text = "".join(f"a{each} = {each}\n" for each in range(80))
    tree = parse(text, known)
    assert isinstance(tree, SyntaxTree)
    starts = [text.index(f"a{each} =") for each in range(80)]
    edits = tuple(Edit(Span(at, at + 1), "b") for at in reversed(starts))
    after = text.replace("a", "b")
    assert tree.edited(edits, after) is None
    few = edits[:64]
    assert tree.edited(few, apply(text, few)) is not None
    assert parse(after, known, tree, edits).sound()


def test_a_question_about_a_part_of_a_large_piece_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def f():\n    return [g(1), g(2), g(3)]\n"
    tree = parse(text, language("python"))
    assert isinstance(tree, SyntaxTree)
    inside = Span(text.index("["), len(text) - 1)
    asked = "(call function: (identifier) @it)"
    assert len(tree.queried(asked, inside)) == 3
    monkeypatch.setattr("tuppence.core.syntax.parser._QUERIED", 5)
    assert tree.queried(asked, inside) == ()
    assert len(tree.queried(asked, Span(0, len(text)))) == 3, "but it is about all of the text"
