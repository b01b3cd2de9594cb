"""A target taken out of a larger answer: what is taken, what goes to the imports, what is named and not applied."""

from __future__ import annotations

import textwrap

import pytest

from tuppence.core.answer.extract_target import Extract, TargetExtractor, _joined
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span

PYTHON = """\
import os


class Shape:
    @property
    def size(self):
        return 1

    @size.setter
    def size(self, value):
        self._size = value

    def area(self):
        return self.size


def area(shape):
    return shape.area()


def double(shape):
    return 2 * area(shape)
"""
TYPESCRIPT = """\
import { log } from './log';

export namespace shapes {
  export class Shape {
    private size = 1;

    /** Return the area. */
    async area(scale: number): Promise<number> {
      return this.size;
    }

    other() {
      return 2;
    }
  }
}
"""
GO = """\
package shapes

import "fmt"

// Area returns the area.
func (s *Square) Area() int {
\treturn 1
}

func (c *Circle) Area() int {
\tfmt.Println(c)
\treturn 2
}
"""
RUST = """\
use std::fmt;

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "b")
    }
}
"""
JAVA = """\
package shapes;

import java.util.List;

public class Shape {
    /**
     * Returns the area.
     */
    @Override
    public int area(List<Integer> sides) {
        return 1;
    }

    public int area(int side) {
        return 2;
    }
}
"""
CPP = """\
#include "shape.h"

namespace shapes {

int Shape::area(int scale) const {
  return 1;
}

int Circle::area(int scale) const {
  return 2;
}

}  // namespace shapes
"""
FILES = {"python": PYTHON, "typescript": TYPESCRIPT, "go": GO, "rust": RUST, "java": JAVA, "cpp": CPP}


def extractor(known: str, needle: str) -> tuple[TargetExtractor, str]:
    """Return what takes the definition around some text out of answers, and its present text."""
    source = FILES[known]
    document = Document("file:///p/shape.x", known, 1, source)
    tree = parse(source, language(known))
    at = source.index(needle)
    target = find_target(document, tree, Span(at, at))
    assert target is not None
    assert target.name
    return TargetExtractor(document, tree, target), document.slice(target.span)


def taken(known: str, needle: str, reply: str) -> Extract:
    return extractor(known, needle)[0].extract(reply.strip("\n").split("\n"))


CASES = [
    ("python", "return self.size", "return self.size * 2"),
    ("python", "return shape.area()", "return shape.area() + 1"),
    ("python", "self._size = value", "self._size = int(value)"),
    ("typescript", "return this.size", "return this.size * scale"),
    ("go", "return 1", "return 3"),
    ("go", "return 2", "return 3"),
    ("rust", '"a"', '"c"'),
    ("rust", '"b"', '"c"'),
    ("java", "return 1", "return 3"),
    ("java", "return 2", "return 3"),
    ("cpp", "return 1", "return 3"),
    ("cpp", "return 2", "return 3"),
]


@pytest.mark.parametrize(("known", "needle", "now"), CASES)
def test_the_whole_file_gives_the_target(known: str, needle: str, now: str) -> None:
    extract, old = extractor(known, needle)
    found = extract.extract(FILES[known].replace(needle, now).split("\n"))
    assert "\n".join(found.lines) == old.replace(needle, now)
    assert (found.is_complete, found.is_part, found.refused, found.notes) == (True, True, "", ())


@pytest.mark.parametrize(("known", "needle", "now"), CASES)
def test_the_target_alone_is_taken_as_it_is(known: str, needle: str, now: str) -> None:
    extract, old = extractor(known, needle)
    new = old.replace(needle, now)
    found = extract.extract(new.split("\n"))
    assert (list(found.lines), found.is_part, found.imports) == (new.split("\n"), False, "")
    assert any(extract.may_begin(line) for line in new.split("\n")[:2])
    moved = extract.extract(textwrap.dedent(new).split("\n"))
    assert (list(moved.lines), moved.is_part) == (new.split("\n"), False)


WRAPPED = [
    ("python", "return self.size", "class Shape:\n{}"),
    ("typescript", "return this.size", "export class Shape {{\n{}\n}}"),
    ("typescript", "return this.size", "export namespace shapes {{\n  export class Shape {{\n{}\n  }}\n}}"),
    ("rust", '"a"', "impl fmt::Display for Shape {{\n{}\n}}"),
    ("java", "return 1", "public class Shape {{\n{}\n}}"),
    ("cpp", "return 1", "namespace shapes {{\n\n{}\n\n}}  // namespace shapes"),
]


@pytest.mark.parametrize(("known", "needle", "wrapper"), WRAPPED)
def test_what_encloses_the_target_is_left_out(known: str, needle: str, wrapper: str) -> None:
    extract, old = extractor(known, needle)
    new = old.replace(needle, needle + " ") if needle.startswith('"') else old.replace("return", "return 5 +")
    found = extract.extract(wrapper.format(new).split("\n"))
    assert "\n".join(found.lines) == new
    assert found.is_part


@pytest.mark.parametrize(
    ("known", "needle", "wrapper"),
    [
        ("python", "return self.size", "class Circle:\n{}"),
        ("typescript", "return this.size", "export class Circle {{\n{}\n}}"),
        ("java", "return 1", "public class Circle {{\n{}\n}}"),
    ],
)
def test_a_method_of_another_class_is_refused(known: str, needle: str, wrapper: str) -> None:
    extract, old = extractor(known, needle)
    found = extract.extract(wrapper.format(old.replace("return", "return 5 +")).split("\n"))
    assert found.refused.startswith("The answer changes `Circle.area`, not `")
    assert not found.is_complete


def test_a_method_of_another_receiver_is_refused() -> None:
    found = taken("go", "return 1", "func (c *Circle) Area() int {\n\treturn 3\n}")
    assert found.refused == "The answer changes `Circle.Area`, not `Square.Area`."


TOPS = [
    ("python", "return shape.area()", "import math\nfrom a import (\n    b,\n    c,\n)\n\n\n"),
    ("python", "return self.size", "import math\nfrom a import (\n    b,\n    c,\n)\n\n"),
    ("typescript", "return this.size", "import {\n  x,\n} from 'y';\n\n"),
    ("go", "return 1", 'package main\n\nimport (\n\t"os"\n)\n\n'),
    ("rust", '"a"', "use std::io::{\n    self,\n};\n\n"),
    ("java", "return 1", "package shapes;\n\nimport java.util.Set;\n\n"),
    ("cpp", "return 1", "#include <vector>\n\n"),
]


@pytest.mark.parametrize(("known", "needle", "top"), TOPS)
@pytest.mark.parametrize("depth", ["as it is", "at the margin"])
def test_imports_on_top_are_returned_apart(known: str, needle: str, top: str, depth: str) -> None:
    extract, old = extractor(known, needle)
    shown = textwrap.dedent(old) if depth == "at the margin" else old
    found = extract.extract((top + shown).split("\n"))
    assert "\n".join(found.lines) == old
    statement = top.partition("package main\n\n")[2] or top.partition("package shapes;\n\n")[2] or top
    assert found.imports.strip() == statement.strip()
    assert extract.may_begin(top.split("\n", maxsplit=1)[0]) is False


USAGES = [
    ("python", "return shape.area()", '\n\nif __name__ == "__main__":\n    print(area(Shape()))'),
    ("python", "return self.size", "\n\nshape = Shape()\nprint(shape.area())"),
    ("typescript", "return this.size", "\n\nconst s = new Shape();\nconsole.log(await s.area(1));"),
    ("go", "return 1", "\n\nfunc main() {\n\tfmt.Println((&Square{}).Area())\n}"),
    ("rust", '"a"', '\n\nfn main() {\n    println!("{}", Shape);\n}'),
    ("java", "return 1", "\n\npublic static void main(String[] args) {\n    new Shape().area(1);\n}"),
    ("cpp", "return 1", "\n\nint main() {\n  return Shape().area(1);\n}"),
]


@pytest.mark.parametrize(("known", "needle", "usage"), USAGES)
def test_an_example_of_use_is_left_out(known: str, needle: str, usage: str) -> None:
    extract, old = extractor(known, needle)
    for shown in (old, textwrap.dedent(old)):
        found = extract.extract((shown + usage).split("\n"))
        assert "\n".join(found.lines) == old
        assert found.is_part


@pytest.mark.parametrize(("known", "needle", "now"), CASES)
def test_code_after_a_sentence_is_taken(known: str, needle: str, now: str) -> None:
    extract, old = extractor(known, needle)
    new = old.replace(needle, now)
    found = extract.extract(f"Here is the code, with a fix:\n\n{new}\n\nIt now returns more.".split("\n"))
    assert ("\n".join(found.lines), found.is_part) == (new, True)


@pytest.mark.parametrize("name", ["area_fixed", "new_area", "Area"])
def test_another_name_is_not_taken(name: str) -> None:
    found = taken("python", "return shape.area()", f"def {name}(shape):\n    return shape.area() + 1")
    assert not found.is_complete
    assert found.lines[0] == f"def {name}(shape):", "it is left for the check of the structure, and never renamed"


def test_the_comment_that_the_file_has_above_the_target_is_not_doubled() -> None:
    for known, needle, comment in (
        ("typescript", "return this.size", "    /** Return the area. */\n"),
        ("go", "return 1", "// Area returns the area of a square.\n"),
        ("java", "return 1", "    /**\n     * Returns the area.\n     */\n"),
    ):
        extract, old = extractor(known, needle)
        assert "\n".join(extract.extract((comment + old).split("\n")).lines) == old
    new = "# It is called often.\ndef area(shape):\n    return shape.area()"
    assert "\n".join(taken("python", "return shape.area()", new).lines) == new, "a first comment is new text"


def test_what_else_is_changed_is_named_and_not_applied() -> None:
    reply = (
        PYTHON.replace("shape.area()", "shape.area() + 1").replace("2 *", "3 *") + "\n\ndef triple(x):\n    return x\n"
    )
    found = taken("python", "return shape.area()", reply)
    assert found.notes == (
        "also changes `double`, which was not applied",
        "also defines `triple`, which was not applied",
    )
    assert "\n".join(found.lines) == "def area(shape):\n    return shape.area() + 1"


def test_new_definitions_and_constants_that_the_target_uses_come_with_it() -> None:
    reply = """\
import re

_WORD = re.compile(
    "x",
)
_UNUSED = 1


def _of(shape):
    return _deeper(shape)


def area(shape):
    return _of(shape) + bool(_WORD.match("x"))


def _deeper(shape):
    return shape.area()


def test_area():
    assert area(1)
"""
    found = taken("python", "return shape.area()", reply)
    text = "\n".join(found.lines)
    assert text.startswith('_WORD = re.compile(\n    "x",\n)\n\n\ndef _of(shape):')
    assert text.endswith("def _deeper(shape):\n    return shape.area()")
    assert "_UNUSED" not in text
    assert "test_area" not in text
    assert found.imports == "import re"


def test_what_the_target_needs_from_outside_of_its_place_is_refused() -> None:
    reply = PYTHON.replace("return self.size", "return self.size * SCALE").replace(
        "class Shape", "SCALE = 2\n\n\nclass Shape"
    )
    found = taken("python", "return self.size * SCALE".replace(" * SCALE", ""), reply)
    assert found.refused == "The answer uses `SCALE`, which it defines outside of what it was asked for."
    field = JAVA.replace("return 1", "return cache.get()").replace(
        "{\n    /**", "{\n    }\n\n    Cache cache;\n    /**"
    )
    assert not taken("java", "return 1", field).is_complete


def test_overloads_and_setters_are_told_apart() -> None:
    reply = JAVA.replace("return 2", "return 5").replace("return 1", "return 4")
    assert "return 4" in "\n".join(taken("java", "return 1", reply).lines)
    assert "return 5" in "\n".join(taken("java", "return 2", reply).lines)
    both = PYTHON.replace("return 1", "return 7").replace("= value", "= 8")
    assert "return 7" in "\n".join(taken("python", "return 1", both).lines)
    assert "= 8" in "\n".join(taken("python", "= value", both).lines)


def lines_target(source: str, known: str, first: str, last: str) -> TargetExtractor:
    document = Document("file:///p/a.x", known, 1, source)
    tree = parse(source, language(known))
    span = Span(source.index(first), source.index(last) + len(last))
    target = find_target(document, tree, span)
    assert target is not None
    assert not target.name
    return TargetExtractor(document, tree, target)


LUA = "local x = 1\n\nlocal a = load('a')\nlocal b = load('b')\nlocal c = load('c')\n\nreturn { a, b, c }\n"


def test_lines_without_a_name_are_taken_from_between_their_neighbors() -> None:
    extract = lines_target(LUA, "lua", "local b", "local b = load('b')")
    for reply in (
        LUA.replace("'b'", "'B'"),
        "local a = load('a')\nlocal b = load('B')\nlocal c = load('c')",
        "local b = load('B')\nlocal c = load('c')\n\nreturn { a, b, c }",
        "local x = 1\n\nlocal a = load('a')\nlocal b = load('B')",
    ):
        assert extract.extract(reply.split("\n")).lines == ("local b = load('B')",), reply
    for reply in ("local b = load('B')", "local b = load('B')\nlocal d = 2"):
        assert extract.extract(reply.split("\n")).lines == tuple(reply.split("\n"))


def test_lines_of_a_function_are_taken_from_the_whole_function() -> None:
    source = "def f(items):\n    total = 0\n    for item in items:\n        total += item\n    return total\n"
    extract = lines_target(source, "python", "    for item", "total += item")
    new = source.replace("+= item", "+= int(item)")
    found = extract.extract(new.strip("\n").split("\n"))
    assert found.lines == ("    for item in items:", "        total += int(item)")


def test_a_comment_at_the_end_of_the_body_belongs_to_it() -> None:
    for text in (
        "def area(shape):\n    return 1\n    # It is one.\n\n    # Always.",
        "def area(shape):\n    # ... existing code ...",
    ):
        found = taken("python", "return shape.area()", f"{text}\n\n\nprint(area(1))")
        assert "\n".join(found.lines).startswith(text)
        assert taken("python", "return shape.area()", text).lines == tuple(text.split("\n"))


def test_a_comment_with_the_files_name_at_the_top_of_an_answer_is_not_the_definitions() -> None:
    source = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"
    document = Document("file:///p/shapes.py", "python", 1, source)
    tree = parse(source, language("python"))
    target = find_target(document, tree, Span(source.index("two"), source.index("two")))
    assert target is not None
    extract = TargetExtractor(document, tree, target).extract
    wanted = ("# Twice.", "def two():", "    return 3")
    assert extract(["# shapes.py", *wanted]).lines == wanted
    assert extract(["# of shapes", *wanted]).lines == ("# of shapes", *wanted)


def test_lines_that_were_apart_keep_the_blank_ones_above_the_second() -> None:
    assert _joined(["", "a", "x", "", "", "b", ""], [0, 1, 5, 6]) == ["a", "", "", "b"]
    assert _joined(["", " "], [0, 1]) == []


@pytest.mark.parametrize(
    ("known", "needle", "reply", "name"),
    [
        (
            "python",
            "return self.size",
            "class Helper:\n    pass\n\n\nclass Shape:\n    def area(self):\n        return Helper()\n",
            "Helper",
        ),
        (
            "typescript",
            "return this.size",
            (
                "export namespace shapes {\n  function helper() { return 3; }\n  export class Shape {\n"
                "    async area(scale: number): Promise<number> {\n      return helper();\n    }\n  }\n}\n"
            ),
            "helper",
        ),
    ],
)
def test_what_a_method_uses_from_outside_of_its_class_is_named(known: str, needle: str, reply: str, name: str) -> None:
    why = f"The answer uses `{name}`, which it defines outside of what it was asked for."
    assert taken(known, needle, reply).refused == why
