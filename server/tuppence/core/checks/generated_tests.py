"""Static checks of generated tests: which are new, whether they assert anything, and whether they test the target.

A test may use its target indirectly: an inner function through its caller, a method through its class. So the checks
require little. Only in Python and JavaScript is it checked from where a name is imported
(:mod:`tuppence.core.checks.generated_tests_reach`).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from tuppence.core.checks import generated_tests_assertions, generated_tests_reach
from tuppence.core.checks.generated_tests_reach import TestedTarget
from tuppence.core.checks.hunks import words
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.packages import Packages
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import CONTAINERS, Block, Tree

_ASSERTS = re.compile(
    r"assert|expect|should|raises|throws|snapshot|\bEXPECT_|\brequire[.(]|\bverify|\bcheck|\bfail|\bpanic"
    r"|\bt\.(?:Error|Fatal|Fail)|\bthrow\b|\bassume|\bis\(|\bok\(|\bequal|deepEqual",
    re.IGNORECASE,
)

_TITLE = re.compile(r"""(?<![\w.])(?:test|it)\s*\(\s*(['"`])((?:(?!\1)[^\\\n$])+)\1""")
_CALL = re.compile(r"(?<![\w.])(?:test|it)(?:\.\w+)*\s*\(")
_DEFINED = re.compile(r"\b(?:def|class|function|func|fn|const|let|var)\s+(?!test)(\w+)", re.IGNORECASE)
"""Matches definitions in a test file that are not tests; a test that calls one may assert there."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The location of the tested file, and the importable packages."""

    uri: str = ""
    packages: Packages | None = None
    """What the project can import; None if unknown."""


_NOWHERE = Reach()


def lacking(text: str, code: str, tree: Tree, target: Target, reach: Reach = _NOWHERE) -> str:
    """Return a sentence on what tests of a target lack; empty unless something is certainly missing.

    :param text: the whole test file with the tests.
    :param code: the new code and its imports.
    """
    outer = [each for each in tree.blocks() if each.span.covers(target.span) and each.name != target.name]
    names = _names(target, outer)
    is_class = target.kind in CONTAINERS or len(names) > 1
    tested = TestedTarget(target.name, names, is_class, reach.uri, reach.packages)
    if tree.language.import_style.is_python:
        why = _lacking_in_python(text, code, tested)
    else:
        why = _lacking_in_words(text, code, tree, tested)
    if why or not names or any(each.kind not in CONTAINERS for each in outer):
        return why
    name, module = generated_tests_reach.astray(code, _parsed(code), tree.language, tested)
    return f"The tests take `{name}` from `{module}`, and not from the file that they should test." if module else ""


def _lacking_in_python(text: str, code: str, tested: TestedTarget) -> str:
    new, whole = _parsed(code), _parsed(text)
    if not new.body:  # The code has a syntax error, or is for another version of Python.
        used = not tested.names or bool(tested.names & words([code]))
        return "" if used else _unused(tested)
    if generated_tests_assertions.uncollected(new, whole):
        return "The answer contains no test that pytest would find."
    if not generated_tests_assertions.asserts(new, _ASSERTS) and not set(_DEFINED.findall(text)) & words([code]):
        return "The tests assert nothing."
    if generated_tests_assertions.skipped(new, whole):
        return "The tests are all skipped."
    if generated_tests_assertions.idle(new):
        return "The tests assert only what is always true."
    if tested.names and not generated_tests_reach.python_uses(new, whole, tested):
        return _unused(tested)
    if name := generated_tests_reach.unbound_in_python(whole, tested):
        return f"The tests use `{name}` and do not import it."
    if tested.name and generated_tests_assertions.replaced(new, tested.name):
        return f"The tests replace `{tested.name}`, which they should test, by something else."
    return ""


def _lacking_in_words(text: str, code: str, tree: Tree, tested: TestedTarget) -> str:
    known = tree.language
    bare = generated_tests_reach.unquoted(generated_tests_reach.uncommented(code, known), known)
    if not _ASSERTS.search(bare) and not set(_DEFINED.findall(text)) & words([bare]):
        return "The tests assert nothing."
    if generated_tests_assertions.skipped_words(code):
        return "The tests are all skipped."
    if generated_tests_assertions.idle_words(code):
        return "The tests assert only what is always true."
    if tested.names and not generated_tests_reach.words_use(code, tree.text, known, tested):
        return _unused(tested)
    if name := generated_tests_reach.unbound(text, tree.text, known, tested):
        return f"The tests use `{name}` and do not import it."
    return ""


def _unused(tested: TestedTarget) -> str:
    return f"The tests do not use `{tested.name}`, which they should test."


def fresh(before: str, after: str, known: Language) -> tuple[str, ...]:
    """Return the names of tests that a file did not contain before; none if they cannot be determined.

    pytest names are ``test_x`` or ``Class::test_x``; JavaScript runners use the titles.
    """
    tests = _tests if known.import_style.is_python else _titled
    if tests is _titled and len(_CALL.findall(after)) != len(_TITLE.findall(after)):
        return ()
    there = dict(tests(before))
    # The text of a title extends to the next title, so it may have grown.
    same = str.__eq__ if tests is _tests else str.startswith
    return tuple(name for name, text in tests(after) if name not in there or not same(text, there[name]))


def _names(target: Target, outer: Sequence[Block]) -> frozenset[str]:
    """Return the names of which the tests must use one; none if the target has no name or a private one."""
    name = target.name
    if not name or name.startswith(("_", "#")) or len(name) < len("ab"):
        return frozenset()
    around = [each for each in outer if each.kind in CONTAINERS]
    return frozenset({name, *(each.name for each in around if each.name)})


def _tests(text: str) -> Iterator[tuple[str, str]]:
    """Yield each test's name within the file, and its code."""
    for node in _parsed(text).body:
        if isinstance(node, ast.ClassDef):
            inner = (each for each in node.body if _is_test(each))
            yield from ((f"{node.name}::{_called(each)}", ast.unparse(each)) for each in inner)
        elif _is_test(node):
            yield _called(node), ast.unparse(node)


def _titled(text: str) -> Iterator[tuple[str, str]]:
    """Yield each test's title, and the text from it to the next title, without white space."""
    found = list(_TITLE.finditer(text))
    for each, following in zip_longest(found, found[1:]):
        end = following.start() if following else len(text)
        yield each[2], "".join(text[each.start() : end].split()).rstrip("});")


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")


def _called(node: ast.stmt) -> str:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return node.name


def _parsed(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])
