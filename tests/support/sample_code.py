"""Real code for measurements, from the standard library of the Python that runs the tests."""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

LINES = 60
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def snippets(number: int) -> list[str]:
    """Return this many pieces of sixty lines each, always in one order and regardless of what they contain."""
    found = _snippets()
    assert len(found) >= number
    return list(found[:number])


def definitions(number: int) -> list[str]:
    """Return this many functions and classes of 20 to 60 lines, the size of a typical target, always in one order."""
    found = _definitions()
    assert len(found) >= number
    return list(found[:number])


@cache
def _snippets() -> tuple[str, ...]:
    found: list[str] = []
    for text in _texts():
        lines = text.splitlines(keepends=True)
        found += ["".join(lines[start : start + LINES]) for start in range(0, len(lines) - LINES, LINES)]
    return _shuffled(found)


@cache
def _definitions() -> tuple[str, ...]:
    found: list[str] = []
    for text in _texts():
        lines = text.splitlines(keepends=True)
        found += [
            "".join(lines[node.lineno - 1 : node.end_lineno])[node.col_offset :]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, _DEFINITIONS) and node.end_lineno and 20 <= node.end_lineno - node.lineno < LINES
        ]
    return _shuffled(found)


def _texts() -> Iterator[str]:
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        yield path.read_text("utf-8", errors="replace")


def _shuffled(found: list[str]) -> tuple[str, ...]:
    random.Random(0).shuffle(found)  # noqa: S311 - a draw that can be repeated
    return tuple(found)
