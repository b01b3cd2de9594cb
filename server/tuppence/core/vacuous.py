"""Tests that cannot fail, or that test something else: told of Python from its syntax, elsewhere from a few words.

Tests count as vacuous only where all that they assert is true whatever the code does. One that only calls the code may
mean that it must not raise, so it is enough that one of the new tests asserts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

_ALWAYS = re.compile(
    r"(?:expect\(\s*(true|false|null|\d+|'[^']*'|\"[^\"]*\")\s*\)\s*\.(?:toBe|toEqual|toStrictEqual)\(\s*\1\s*\)"
    r"|expect\(\s*true\s*\)\.toBeTruthy\(\)|assert(?:\.ok)?\(\s*true\s*\)"
    r"|assert\.(?:strictEqual|equal|deepEqual|deepStrictEqual)\(\s*(\w+|'[^']*')\s*,\s*\2\s*\)|assert!\(\s*true\s*\))"
)
_ANY = re.compile(r"\b(?:assert|expect)\w*\b\s*[!.(]")
_TRULY = frozenset({"assertTrue", "assertIsNotNone", "assert_"})
_SAME = frozenset({"assertEqual", "assertIs", "assertEquals"})
_PATCHES = frozenset({"patch", "setattr", "object"})
_MOCKS = frozenset({"Mock", "MagicMock", "AsyncMock", "create_autospec"})


def idle(code: ast.Module) -> bool:
    """Report whether all that new tests in Python assert is always true."""
    asserted = [each for test in _tests(code) for each in _asserted(test)]
    return bool(asserted) and all(asserted)


def idle_words(code: str) -> bool:
    """Report the same of another language's tests, where it is plain from the words."""
    count = len(_ANY.findall(code))
    return count > 0 and count == len(_ALWAYS.findall(code))


def skipped(code: ast.Module) -> bool:
    """Report whether none of the new tests in Python would be run, or none may fail."""
    tests = list(_tests(code))
    return bool(tests) and all(any(_skips(each) for each in test.decorator_list) for test in tests)


def skipped_words(code: str) -> bool:
    """Report the same of JavaScript, where it is plain from the words."""
    runs = re.search(r"(?<![\w.])(?:test|it)(?:\.(?!skip|todo)\w+)*\s*\(", code)
    return runs is None and re.search(r"(?<![\w.])(?:x(?:it|test)|(?:test|it)\.(?:skip|todo))\s*\(", code) is not None


def _skips(decorator: ast.expr) -> bool:
    """Report whether a decorator skips a test, or lets it fail, whatever else holds."""
    is_call = isinstance(decorator, ast.Call)
    name = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator).rpartition(".")[2]
    bare = not is_call or not [each for each in getattr(decorator, "args", []) if not isinstance(each, ast.Constant)]
    return name in ("skip", "xfail", "expectedFailure") and bare


def replaced(code: ast.Module, name: str) -> bool:
    """Report whether tests in Python put something of their own in the place of what they should test.

    They do where each of them patches it, where a mock gets its name, and where they write it anew in place of
    importing it.
    """
    if any(name in _imported(node) for node in ast.walk(code)):
        mocked = False
    else:
        anew = (isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name for each in code.body)
        mocked = any(anew) or any(_mocks(node, name) for node in ast.walk(code))
    tests = list(_tests(code))
    return mocked or (bool(tests) and all(_patches(test, name) for test in tests))


def _tests(code: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in code.body:
        inner: Iterable[ast.stmt] = node.body if isinstance(node, ast.ClassDef) else (node,)
        for each in inner:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test"):
                yield each


def _mocks(node: ast.AST, name: str) -> bool:
    """Report whether a statement gives a mock that name."""
    match node:
        case ast.Assign([ast.Name(each)], ast.Call() as call):
            return each == name and called(call) in _MOCKS
        case _:
            return False


def _patches(test: ast.AST, name: str) -> bool:
    """Report whether a test, or a decorator of it, patches something of that name."""
    calls = (node for node in ast.walk(test) if isinstance(node, ast.Call) and called(node) in _PATCHES)
    texts = (each.value for call in calls for each in call.args if isinstance(each, ast.Constant))
    return any(isinstance(text, str) and text.rpartition(".")[2] == name for text in texts)


def _asserted(test: ast.AST) -> Iterator[bool]:
    """Yield for each assertion whether it is always true."""
    for node in ast.walk(test):
        match node:
            case ast.Assert(what):
                yield _is_always(what)
            case ast.Call(ast.Attribute(attr=name), [what, *_]) if name in _TRULY:
                yield _is_always(what)
            case ast.Call(ast.Attribute(attr=name), [one, other, *_]) if name in _SAME:
                yield _is_plain(one) and ast.dump(one) == ast.dump(other)
            case ast.Call(ast.Attribute(attr=name)) if name.startswith(("assert", "raises", "warns", "fail")):
                yield False
            case ast.Call(ast.Name(name)) if name.startswith(("raises", "warns", "fail", "assert", "check", "expect")):
                yield False
            case _:
                pass


def _is_always(what: ast.expr) -> bool:
    """Report whether a condition holds whatever the code does."""
    match what:
        case ast.Constant(value):
            return bool(value)
        case ast.BoolOp(ast.Or(), values):
            return any(_is_always(each) for each in values)
        case ast.BoolOp(ast.And(), values):
            return all(_is_always(each) for each in values)
        case ast.UnaryOp(ast.Not(), ast.Constant(value)):
            return not value
        case ast.Compare(left, [ast.Eq() | ast.Is() | ast.LtE() | ast.GtE()], [right]):
            return _is_plain(left) and ast.dump(left) == ast.dump(right)
        case ast.Tuple(elts):
            return bool(elts)
        case _:
            return False


def _is_plain(what: ast.expr) -> bool:
    """Report whether an expression calls nothing: two calls of the same need not give the same."""
    return not any(isinstance(each, ast.Call | ast.Await | ast.Yield) for each in ast.walk(what))


def called(call: ast.Call) -> str:
    """Return the name of what is called, without its owner; empty where it has none."""
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {each.asname or each.name.rpartition(".")[2] for each in node.names}
    return set()
