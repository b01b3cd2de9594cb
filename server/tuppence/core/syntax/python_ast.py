"""What tree-sitter does not tell of Python: its grammar takes wrong indentation and a ``try`` without ``except``.

The server's own interpreter is asked. It may be older than the project's, so an error that newer syntax can cause is
not believed, and core/checks/structure.py asks only about a file that it could read before.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence

_NEWER = ("f-string", "t-string", "multiple exception types")
"""Beginnings of messages that a newer Python would not give."""
_LONGEST = 500_000
"""Code points above which it is not asked: it takes a second a megabyte, in which no other thread moves."""


def flaw(text: str) -> str | None:
    """Return what keeps the text from parsing, with its line; None where nothing does, or nobody can tell."""
    if len(text) > _LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        message = error.msg or "invalid syntax"
        return None if message.startswith(_NEWER) else f"line {error.lineno}, {message}"
    except (ValueError, RecursionError, MemoryError):
        return None
    return None


def inner_imports(text: str) -> tuple[str, ...]:
    """Return the import statements that stand in functions; none that may fail, or are there for types only."""
    tree = _tree(text)
    found: list[str] = []
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)] if tree else []
    while waiting:
        node, inside = waiting.pop()
        if inside and isinstance(node, ast.Import | ast.ImportFrom):
            found.append(ast.unparse(node))
        # Who catches the failure, or asks first, can do without it.
        if not isinstance(node, ast.Try | ast.If):
            inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            waiting += ((each, inside) for block in _blocks(node) for each in block)
    return tuple(found)


def unreachable(text: str) -> int:
    """Return how many statements stand behind one that always leaves their block; 0 where nobody can tell."""
    tree = _tree(text)
    leaves = (ast.Return, ast.Raise, ast.Break, ast.Continue)
    count = 0
    waiting: list[ast.AST] = [tree] if tree else []
    while waiting:
        for block in _blocks(waiting.pop()):
            first = next((at for at, each in enumerate(block) if isinstance(each, leaves)), len(block))
            count += max(0, len(block) - first - 1)
            waiting += block
    return count


def _blocks(node: ast.AST) -> Iterator[Sequence[ast.AST]]:
    """Yield the statements below a node, block by block; expressions hold none."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def means_the_same(before: str, after: str) -> bool:
    """Report whether two texts are the same code, laid out in two ways; not where nobody can tell."""
    if max(len(before), len(after)) > _LONGEST or "".join(before.split()) != "".join(after.split()):
        return False
    one, other = _tree(before), _tree(after)
    return one is not None and other is not None and ast.dump(one) == ast.dump(other)


def _tree(text: str) -> ast.Module | None:
    """Return the syntax tree; None for a text without one, or too large for the question."""
    if len(text) > _LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
