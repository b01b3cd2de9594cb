"""What tree-sitter lets pass in Python: its grammar takes wrong indentation and a ``try`` without ``except``.

The server's own interpreter is asked. It may be older than the project's, so an error that newer syntax can cause is
not believed, and checks.py asks only about a file that it could read before.
"""

from __future__ import annotations

import ast
import warnings

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


def means_the_same(before: str, after: str) -> bool:
    """Report whether two texts are the same code, laid out in two ways; not where nobody can tell."""
    if max(len(before), len(after)) > _LONGEST or "".join(before.split()) != "".join(after.split()):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(before)) == ast.dump(ast.parse(after))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
