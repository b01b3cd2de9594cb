"""Python faults that tree-sitter does not report: its grammar accepts wrong indentation and ``try`` without ``except``.

The server's own interpreter parses the text. It may be older than the project's, so errors that newer syntax can cause
are ignored, and core/checks/structure.py asks only about files that it could parse before.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property

_NEWER = ("f-string", "t-string", "multiple exception types")
"""Prefixes of messages that a newer Python would not give."""
_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_LONGEST = 100_000
"""Maximum number of code points of a parsed text: a megabyte takes half a second, during which no other thread runs."""


class PythonText:
    """A text as parsed by the server's own Python, once, on first use."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None if the text does not parse or is too large."""
        return self._parsed[0]

    @cached_property
    def flaw(self) -> str | None:
        """The error that prevents parsing, with its line; None if there is none or it is unknown."""
        return self._parsed[1]

    @cached_property
    def leaves(self) -> bool:
        """Whether a statement of the text's outermost block always leaves it."""
        return self.tree is not None and any(isinstance(each, _LEAVES) for each in self.tree.body)

    def inner_imports(self) -> tuple[str, ...]:
        """Return the import statements inside functions, without those that may fail or exist only for types."""
        found: list[str] = []
        waiting: list[tuple[ast.AST, bool]] = [(self.tree, False)] if self.tree else []
        while waiting:
            node, inside = waiting.pop()
            if inside and isinstance(node, ast.Import | ast.ImportFrom):
                found.append(ast.unparse(node))
            # Code that catches the failure, or checks first, works without the import.
            if not isinstance(node, ast.Try | ast.If):
                inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                waiting += ((each, inside) for block in _blocks(node) for each in block)
        return tuple(found)

    def unreachable(self) -> int:
        """Return the number of statements after one that always leaves their block; 0 if unknown."""
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
    """The effect of an edit on a Python text, determined from the touched statements alone where possible.

    A file is a sequence of statements. So if the old text parses, and the changed parts of the new text parse
    separately, the new text parses. The whole text is parsed only if a part does not parse, so the cost of an edit
    depends on what it touches, not on the size of the file.
    """

    def __init__(self, before: str, after: str, parts: Sequence[tuple[str, str]] | None) -> None:
        """Take both texts.

        :param parts: the texts, before and after, of each sequence of outermost statements that the edit touches, with
            a
            neighbor on either side; None if they are not known.
        """
        self._whole = (PythonText(before), PythonText(after))
        self._parts = None if parts is None else [(PythonText(old), PythonText(new)) for old, new in parts]

    def flaw(self) -> str | None:
        """Return the error in the new text, with its line; None if it parses or the old one does not."""
        if self._parts is not None and all(new.tree is not None for _, new in self._parts):
            return None
        before, after = self._whole
        return after.flaw if after.flaw is not None and before.flaw is None else None

    def hides(self, *, whole: bool = False) -> bool:
        """Report whether more statements than before follow one that always leaves their block.

        :param whole: whether the old text's outermost block may contain, outside the parts, a statement that leaves it.
        """
        parts = None if whole else self._parsed_parts()
        if parts is None or any(each.leaves for part in parts for each in part):
            parts = [self._whole]
        return sum(new.unreachable() for _, new in parts) > sum(old.unreachable() for old, _ in parts)

    def new_inner_imports(self) -> tuple[str, ...]:
        """Return the import statements inside functions of the new text; possibly only those in the touched parts."""
        parts = self._parsed_parts() or [self._whole]
        return tuple(each for _, new in parts for each in new.inner_imports())

    def old_inner_imports(self) -> tuple[str, ...]:
        """Return all import statements inside functions of the old text."""
        return self._whole[0].inner_imports()

    def _parsed_parts(self) -> list[tuple[PythonText, PythonText]] | None:
        """Return the parsed parts, None if they are not known or one does not parse."""
        if self._parts is None or any(each.tree is None for part in self._parts for each in part):
            return None
        return self._parts


def flaw(text: str) -> str | None:
    """Return the error that prevents parsing the text, with its line; None if there is none or it is unknown."""
    return PythonText(text).flaw


def means_the_same(before: str, after: str) -> bool:
    """Report whether two texts are equal code with a different layout; False if unknown."""
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
    """Yield the statements below a node, block by block; expressions contain none."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block
