"""What can be told of generated tests without running them: which are new, whether they assert, what they test.

A test may reach its target by another way than its name: an inner function through the one that calls it, a method
through its class. So little is asked for, and only Python's names are followed to their imports.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from itertools import zip_longest

from tuppence.core import vacuous
from tuppence.core.hunks import words
from tuppence.core.language import Language
from tuppence.core.target import Target
from tuppence.core.tree import CONTAINERS, Tree

_ASSERTS = re.compile(
    r"assert|expect|should|raises|throws|snapshot|\bEXPECT_|\brequire[.(]|\bverify|\bcheck|\bfail|\bpanic"
    r"|\bt\.(?:Error|Fatal|Fail)|\bthrow\b|\bassume|\bis\(|\bok\(|\bequal|deepEqual",
    re.IGNORECASE,
)

_TITLE = re.compile(r"""(?<![\w.])(?:test|it)\s*\(\s*(['"`])((?:(?!\1)[^\\\n$])+)\1""")
_CALL = re.compile(r"(?<![\w.])(?:test|it)(?:\.\w+)*\s*\(")
_DEFINED = re.compile(r"\b(?:def|class|function|func|fn|const|let|var)\s+(?!test)(\w+)", re.IGNORECASE)
"""What a test file defines beside tests: a test that calls it may assert there."""


def lacking(text: str, code: str, tree: Tree, target: Target) -> str:
    """Return what tests lack that are to test a target, a sentence; empty where nothing is missed for sure.

    :param text: the whole test file as it will be.
    :param code: what is new in it, its imports included.
    """
    if not _ASSERTS.search(code) and not set(_DEFINED.findall(text)) & words([code]):
        return "The tests assert nothing."
    if is_python := tree.language.import_style == "python":
        is_idle, is_skipped = vacuous.idle(_parsed(code)), vacuous.skipped(_parsed(code))
    else:
        is_idle, is_skipped = vacuous.idle_words(code), vacuous.skipped_words(code)
    if is_skipped:
        return "The tests are all skipped."
    if is_idle:
        return "The tests assert only what is always true."
    names = _names(tree, target)
    if names and not names & words([code]):
        return f"The tests do not use `{target.name}`, which they should test."
    if is_python and target.name and target.name in _unbound(text):
        return f"The tests use `{target.name}` and do not import it."
    if is_python and target.name and vacuous.replaced(_parsed(code), target.name):
        return f"The tests put something else in the place of `{target.name}`, which they should test."
    return ""


def fresh(before: str, after: str, known: Language) -> tuple[str, ...]:
    """Return the tests of a file that it did not hold before, as its runner names them; none where nobody can tell.

    pytest names them behind the file, the runners of JavaScript by their titles.
    """
    tests = _tests if known.import_style == "python" else _titled
    if tests is _titled and len(_CALL.findall(after)) != len(_TITLE.findall(after)):
        return ()
    there = dict(tests(before))
    # A title's text goes on to the next title, and so may hold more than it did.
    same = str.__eq__ if tests is _tests else str.startswith
    return tuple(name for name, text in tests(after) if name not in there or not same(text, there[name]))


def _names(tree: Tree, target: Target) -> set[str]:
    """Return the names of which the tests must use one; none where the target has none, or is hidden from tests."""
    name = target.name
    if not name or name.startswith(("_", "#")) or len(name) < len("ab"):
        return set()
    around = [each for each in tree.blocks() if each.span.covers(target.span) and each.kind in CONTAINERS]
    return {name, *(each.name for each in around if each.name)}


def _unbound(text: str) -> set[str]:
    """Return the names that a Python file uses and nowhere binds; none where it imports whatever there is."""
    used: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(_parsed(text)):
        match node:
            case ast.Name(name, ast.Load()):
                used.add(name)
            case ast.Name(name) | ast.arg(name) | ast.alias(_, str(name)):
                bound.add(name)
            case ast.alias("*"):
                return set()
            case ast.alias(name):
                bound.add(name.partition(".")[0])
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.Global(names) | ast.Nonlocal(names):
                bound.update(names)
            case _:
                pass
    return used - bound


def _tests(text: str) -> Iterator[tuple[str, str]]:
    """Yield each test's name behind the file and its code."""
    for node in _parsed(text).body:
        if isinstance(node, ast.ClassDef):
            inner = (each for each in node.body if _is_test(each))
            yield from ((f"{node.name}::{_called(each)}", ast.unparse(each)) for each in inner)
        elif _is_test(node):
            yield _called(node), ast.unparse(node)


def _titled(text: str) -> Iterator[tuple[str, str]]:
    """Yield each test's title and what stands from it to the next one's."""
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
