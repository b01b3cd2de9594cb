"""Code that an answer took away in place of mending it."""

from __future__ import annotations

import pytest

from tuppence.core.checks import lost_definitions
from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Span

PYTHON = '''\
def load(path):
    """Read it."""
    text = open(path).read()
    return parse(text)


class Box:
    def put(self, x):
        self.x = x
        return self


def main():
    return load("a")
'''
JAVASCRIPT = "function load(path) {\n  const text = read(path);\n  return parse(text);\n}\n\nload('a');\n"


def emptied(after: str, before: str = PYTHON, lang: str = "python") -> str:
    known = language(lang)
    return lost_definitions.emptied(parse(before, known), parse(after, known), Span(0, len(before)))


def body(new: str) -> str:
    """Return the Python with another body of its first function."""
    return PYTHON.replace("    text = open(path).read()\n    return parse(text)\n", f"    {new}\n")


@pytest.mark.parametrize(
    "new",
    [
        *("pass", "...", "return", "return None", "return []", "raise NotImplementedError"),
        *('raise NotImplementedError("later")', "pass  # nothing to do", "# TODO: write it\n    pass"),
    ],
)
def test_bodies_that_do_nothing(new: str) -> None:
    assert emptied(body(new)) == "load"


@pytest.mark.parametrize(
    "new", ["return parse(open(path).read())", "return Path(path).read_text()", "raise OSError(path)", "return path"]
)
def test_bodies_that_are_only_shorter(new: str) -> None:
    assert not emptied(body(new))


def test_what_did_nothing_before_and_what_lies_elsewhere() -> None:
    assert not emptied(body("return None"), body("pass"))
    known = language("python")
    before, after = parse(PYTHON, known), parse(body("pass"), known)
    assert not lost_definitions.emptied(before, after, Span(PYTHON.index("class"), len(PYTHON)))
    assert emptied(PYTHON.replace("        self.x = x\n        return self\n", "        pass\n")) == "put"


@pytest.mark.parametrize("new", ["", "return null;", "throw new Error('not implemented');", "return;", "// later"])
def test_javascript(new: str) -> None:
    rest = "  const text = read(path);\n  return parse(text);\n"
    assert emptied(JAVASCRIPT.replace(rest, f"  {new}\n"), JAVASCRIPT, "javascript") == "load"
    assert not emptied(JAVASCRIPT.replace(rest, "  return parse(read(path));\n"), JAVASCRIPT, "javascript")


def taken(after: str, before: str = PYTHON, target: str = "load") -> str:
    known = language("python")
    tree = parse(before, known)
    block = next(each for each in tree.blocks() if each.name == target)
    return lost_definitions.taken(tree, parse(after, known), block.span)


def test_a_definition_that_is_gone() -> None:
    rest = PYTHON[PYTHON.index("class") :]
    assert taken(rest) == "load"
    assert taken(f"def read(path):\n    return open(path)\n\n\n{rest}") == "load"
    assert not taken(f"from io import load\n\n\n{rest}")
    assert not taken(f"load = partial(read)\n\n\n{rest}")
    assert not taken(PYTHON.replace("class Box", "class Bag"), target="Box"), "nothing else uses it"


@pytest.mark.parametrize(
    ("new", "name"),
    [
        ("return parse(text)", "load"),
        ("    text = open(path).read()", "load"),
        ("def read(path):\n    return parse(path)", ""),
        ("class Loader:\n    pass", ""),
        ("load = parse", ""),
        ("load: Callable = parse", ""),
        ("from files import load", ""),
    ],
)
def test_a_definition_whose_place_defines_nothing_is_lost(new: str, name: str) -> None:
    known, target = language("python"), Span(0, PYTHON.index("\n\n\n"))
    after = new + PYTHON[target.end :]
    place = Span(0, len(new))
    assert lost_definitions.lost(parse(PYTHON, known), parse(after, known), target, place) == name


def test_statements_have_no_definition_to_lose() -> None:
    known, start = language("python"), PYTHON.index("    return load")
    target = Span(start, len(PYTHON) - 1)
    after = f"{PYTHON[:start]}    return None\n"
    assert not lost_definitions.lost(parse(PYTHON, known), parse(after, known), target, Span(start, len(after)))


def test_texts_that_are_read_in_two_ways_are_not_held_against_each_other() -> None:
    twice = PYTHON + PYTHON
    known, whole = language("python"), Span(0, 0)
    assert lost_definitions.duplicated_definition(parse(PYTHON, known), parse(twice, known), whole) == "load"
    outline = IndentationTree(twice, known)
    assert lost_definitions.duplicated_definition(parse(PYTHON, known), outline, whole) == ""


def test_a_definition_without_a_name_is_none_that_was_written_again() -> None:
    known = language("javascript")
    before = "export default function () {\n  return 1;\n}\n"
    assert lost_definitions.duplicated_definition(parse(before, known), parse(before * 2, known), Span(0, 0)) == ""
