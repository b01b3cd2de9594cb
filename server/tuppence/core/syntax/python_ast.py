"""What tree-sitter does not tell of Python: its grammar takes wrong indentation and a ``try`` without ``except``.

The server's own interpreter is asked. It may be older than the project's, so an error that newer syntax can cause is
not believed, and core/checks/structure.py asks only about a file that it could read before.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property

_NEWER = ("f-string", "t-string", "multiple exception types")
"""Beginnings of messages that a newer Python would not give."""
_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_LONGEST = 100_000
"""Code points above which it is not asked: it takes half a second a megabyte, in which no other thread moves."""


class PythonText:
    """A text as the server's own Python reads it: parsed once, when it is first asked about."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None for a text without one, or too large for the question."""
        return self._parsed[0]

    @cached_property
    def flaw(self) -> str | None:
        """What keeps the text from parsing, with its line; None where nothing does, or nobody can tell."""
        return self._parsed[1]

    @cached_property
    def leaves(self) -> bool:
        """Whether a statement of the text's outermost block always leaves it."""
        return self.tree is not None and any(isinstance(each, _LEAVES) for each in self.tree.body)

    def inner_imports(self) -> tuple[str, ...]:
        """Return the import statements that stand in functions; none that may fail, or are there for types only."""
        found: list[str] = []
        waiting: list[tuple[ast.AST, bool]] = [(self.tree, False)] if self.tree else []
        while waiting:
            node, inside = waiting.pop()
            if inside and isinstance(node, ast.Import | ast.ImportFrom):
                found.append(ast.unparse(node))
            # Who catches the failure, or asks first, can do without it.
            if not isinstance(node, ast.Try | ast.If):
                inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                waiting += ((each, inside) for block in _blocks(node) for each in block)
        return tuple(found)

    def unreachable(self) -> int:
        """Return how many statements lie behind one that always leaves their block; 0 where nobody can tell."""
        count = 0
        waiting: list[ast.AST] = [self.tree] if self.tree else []
        while waiting:
            for block in _blocks(waiting.pop()):
                first = next((at for at, each in enumerate(block) if isinstance(each, _LEAVES)), len(block))
                count += max(0, len(block) - first - 1)
                waiting += block
        return count

    @cached_property
    def _parsed(self) -> tuple[ast.Module | None, str | None]:
        if len(self._text) > _LONGEST:
            return None, None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self._text), None
        except SyntaxError as error:
            message = error.msg or "invalid syntax"
            return None, None if message.startswith(_NEWER) else f"line {error.lineno}, {message}"
        except (ValueError, RecursionError, MemoryError):
            return None, None


class PythonEdit:
    """What an edit does to a Python text, found out from the statements that it touches alone, wherever that will do.

    Where the old text parses, and the parts of the new one that are not in the old one parse each for itself, the new
    text parses: a file is a row of statements. So the whole of a text is parsed only where a part does not parse, and
    an edit costs what it touches, not what the file holds.
    """

    def __init__(self, before: str, after: str, parts: Sequence[tuple[str, str]] | None) -> None:
        """Take both texts.

        :param parts: the statements of the outermost block that the edit touches, and a neighbor on either side: the
            text of each such row of statements before and after. None where it is not known which they are.
        """
        self._whole = (PythonText(before), PythonText(after))
        self._parts = None if parts is None else [(PythonText(old), PythonText(new)) for old, new in parts]

    def flaw(self) -> str | None:
        """Return what keeps the new text from parsing, with its line; None where it parses or the old one does not."""
        if self._parts is not None and all(new.tree is not None for _, new in self._parts):
            return None
        before, after = self._whole
        return after.flaw if after.flaw is not None and before.flaw is None else None

    def hides(self, *, whole: bool = False) -> bool:
        """Report whether more statements than before lie behind one that always leaves their block.

        :param whole: whether the old text's outermost block holds a statement that leaves it, maybe not in a part.
        """
        parts = None if whole else self._parsed_parts()
        if parts is None or any(each.leaves for part in parts for each in part):
            parts = [self._whole]
        return sum(new.unreachable() for _, new in parts) > sum(old.unreachable() for old, _ in parts)

    def new_inner_imports(self) -> tuple[str, ...]:
        """Return the import statements in functions of the new text; perhaps only those in what the edit touches."""
        parts = self._parsed_parts() or [self._whole]
        return tuple(each for _, new in parts for each in new.inner_imports())

    def old_inner_imports(self) -> tuple[str, ...]:
        """Return all import statements in functions of the old text."""
        return self._whole[0].inner_imports()

    def _parsed_parts(self) -> list[tuple[PythonText, PythonText]] | None:
        """Return the parts, None where they are not known or one of them does not parse."""
        if self._parts is None or any(each.tree is None for part in self._parts for each in part):
            return None
        return self._parts


def flaw(text: str) -> str | None:
    """Return what keeps the text from parsing, with its line; None where nothing does, or nobody can tell."""
    return PythonText(text).flaw


def means_the_same(before: str, after: str) -> bool:
    """Report whether two texts are the same code, laid out in two ways; not where nobody can tell."""
    if max(len(before), len(after)) > _LONGEST or "".join(before.split()) != "".join(after.split()):
        return False
    one, other = PythonText(before).tree, PythonText(after).tree
    if one is None or other is None:
        return False
    try:
        return ast.dump(one) == ast.dump(other)
    except RecursionError:
        return False


def _blocks(node: ast.AST) -> Iterator[Sequence[ast.AST]]:
    """Yield the statements below a node, block by block; expressions hold none."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block
