"""Detect tests that cannot fail or that test something else: Python by syntax, other languages by a few patterns.

Tests count as vacuous only if everything they assert is true whatever the code does. A test that only calls the code
may check that it raises nothing, so it is enough that one of the new tests asserts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

_ALWAYS = re.compile(
    r"(?:expect\(\s*(true|false|null|\d+|'[^']*'|\"[^\"]*\")\s*\)\s*\.(?:toBe|toEqual|toStrictEqual)\(\s*\1\s*\)"
    r"|expect\(\s*true\s*\)\.toBeTruthy\(\)|assert(?:\.ok)?\(\s*true\s*\)"
    r"|assert\.(?:strictEqual|equal|deepEqual|deepStrictEqual)\(\s*(\w+|'[^']*')\s*,\s*\2\s*\)|assert!\(\s*true\s*\))"
)
_ANY = re.compile(r"\b(?:assert|expect)\w*\b\s*[!.(]")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TRULY = frozenset({"assertTrue", "assertIsNotNone", "assert_"})
_SAME = frozenset({"assertEqual", "assertIs", "assertEquals"})
_PATCHES = frozenset({"patch", "setattr", "object"})
_MOCKS = frozenset({"Mock", "MagicMock", "AsyncMock", "create_autospec"})


def idle(code: ast.Module) -> bool:
    """Report whether everything that new Python tests assert is always true."""
    asserted = [each for test in _tests(code) for each in _asserted(test)]
    return bool(asserted) and all(asserted)


def idle_words(code: str) -> bool:
    """Report whether every assertion of tests in a language other than Python matches a pattern that is always true."""
    count = len(_ANY.findall(code))
    return count > 0 and count == len(_ALWAYS.findall(code))


def skipped(code: ast.Module, text: ast.Module) -> bool:
    """Report whether each of the new Python tests is skipped or cannot fail.

    :param text: the file that will contain the tests, which may be skipped as a whole.
    """
    if any(_marks_all(each) for each in text.body):
        return True
    each_is = [
        any(_skips(mark) for mark in (*above, *test.decorator_list)) or any(_leaves(inner) for inner in test.body)
        for above, test in _marked(code)
    ]
    return bool(each_is) and all(each_is)


def uncollected(code: ast.Module, text: ast.Module) -> bool:
    """Report whether pytest would collect none of the new Python tests, and the file shows no other convention."""
    if _is_collected(code):
        return False
    names = [{each.name for each in ast.walk(tree) if isinstance(each, _FUNCTIONS)} for tree in (code, text)]
    other = any(name.startswith(("describe", "when", "context")) for name in names[0])
    # A file with functions of which pytest collects none follows the project's own settings.
    return not other and (names[0] == names[1] or _is_collected(text))


def asserts(code: ast.Module, words: re.Pattern[str]) -> bool:
    """Report whether Python code asserts, raises, or uses a matching name; comments and strings do not count."""
    for node in ast.walk(code):
        match node:
            case ast.Assert() | ast.Raise():
                return True
            case ast.Name(name) | ast.Attribute(attr=name) if words.search(name):
                return True
            case _:
                pass
    return False


def _is_collected(code: ast.Module) -> bool:
    for node in code.body:
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) if name.startswith("test"):
                return True
            case ast.ClassDef(name, bases) if name.startswith("Test") or bases:
                if bases or _is_collected(ast.Module(node.body, [])):
                    return True
            case ast.Assign([ast.Name(name)]) if name.startswith("Test"):
                return True
            case ast.If() | ast.Try() | ast.With() if _is_collected(ast.Module(node.body, [])):
                return True
            case _:
                pass
    return False


def _marks_all(node: ast.stmt) -> bool:
    """Report whether a module-level statement skips the whole module unconditionally."""
    match node:
        case ast.Assign([ast.Name("pytestmark")], value):
            return any(_skips(each) for each in (value.elts if isinstance(value, ast.List | ast.Tuple) else (value,)))
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("pytest"), "skip"))):
            return True
        case _:
            return False


def _leaves(node: ast.stmt) -> bool:
    """Report whether a top-level statement of a test skips it, or ends it with an expected failure."""
    match node:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("pytest"), "skip" | "xfail"))):
            return True
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("self"), "skipTest"))):
            return True
        case ast.Raise(ast.Call(ast.Name("SkipTest") | ast.Attribute(attr="SkipTest"))):
            return True
        case _:
            return False


def _marked(code: ast.Module) -> Iterator[tuple[Sequence[ast.expr], ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield each test with the decorators of its class."""
    for node in code.body:
        above = node.decorator_list if isinstance(node, ast.ClassDef) else []
        yield from ((above, each) for each in _tests(ast.Module([node], [])))


def skipped_words(code: str) -> bool:
    """Report whether all JavaScript tests are skipped: there is ``test.skip`` or similar, and no test that runs."""
    runs = re.search(r"(?<![\w.])(?:test|it)(?:\.(?!skip|todo)\w+)*\s*\(", code)
    return runs is None and re.search(r"(?<![\w.])(?:x(?:it|test)|(?:test|it)\.(?:skip|todo))\s*\(", code) is not None


def _skips(decorator: ast.expr) -> bool:
    """Report whether a decorator skips a test, or expects its failure, unconditionally."""
    is_call = isinstance(decorator, ast.Call)
    name = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator).rpartition(".")[2]
    bare = not is_call or not [each for each in getattr(decorator, "args", []) if not isinstance(each, ast.Constant)]
    return name in ("skip", "xfail", "expectedFailure") and bare


def replaced(code: ast.Module, name: str) -> bool:
    """Report whether Python tests replace the code that they should test.

    They do if every test patches it, or if it is not imported and its name is given to a mock or defined by the tests.
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
    """Report whether a statement assigns a mock to that name."""
    match node:
        case ast.Assign([ast.Name(each)], ast.Call() as call):
            return each == name and called(call) in _MOCKS
        case _:
            return False


def _patches(test: ast.AST, name: str) -> bool:
    """Report whether a test, or one of its decorators, patches something of that name."""
    calls = (node for node in ast.walk(test) if isinstance(node, ast.Call) and called(node) in _PATCHES)
    texts = (each.value for call in calls for each in call.args if isinstance(each, ast.Constant))
    return any(isinstance(text, str) and text.rpartition(".")[2] == name for text in texts)


def _asserted(test: ast.AST) -> Iterator[bool]:
    """Yield for each assertion of a test whether it is always true."""
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
    """Report whether a condition is true whatever the code does."""
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
    """Report whether an expression contains no call; two equal calls may return different values."""
    return not any(isinstance(each, ast.Call | ast.Await | ast.Yield) for each in ast.walk(what))


def called(call: ast.Call) -> str:
    """Return the name of a called function, without its owner; empty if it has none."""
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {each.asname or each.name.rpartition(".")[2] for each in node.names}
    return set()
