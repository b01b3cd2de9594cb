"""Small text files of the project, read when they are asked for.

Nothing is read that lies outside the folders that are given, wherever links lead, and None is given for what is no
small text: binaries, huge files, other encodings than UTF-8, files that cannot be read, and what is no regular file.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from tuppence import regular_files
from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.parser import Tree, parse
from tuppence.regular_files import Unreadable, root_of

LARGEST = 300_000
"""Bytes; a larger file is not read for context."""


def read_text(path: Path, roots: Iterable[Path], largest: int = LARGEST) -> str | None:
    """Return a file's text, None where it is no small text or lies in none of the folders.

    :param roots: folders without links in their paths.
    :param largest: bytes.
    """
    root = root_of(path, roots)
    if root is None:
        return None
    try:
        data = regular_files.read(path, root, largest)
    except Unreadable:
        return None
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def tree(path: Path, roots: Iterable[Path]) -> Tree | None:
    """Return a file, parsed, None where it is no small text or lies in none of the folders."""
    text = read_text(path, roots)
    return None if text is None else _tree(text, str(path))


@lru_cache(maxsize=128)
def _tree(text: str, path: str) -> Tree:
    return parse(text, by_suffix(path))
