"""Small text files of the project, read when they are asked for and kept while they stay the same.

It never follows a path out of the roots, and gives None for what is no small text: binaries, huge files, other
encodings than UTF-8, files that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.parser import Tree, parse

LARGEST = 300_000
"""Bytes; a larger file is not read for context."""


def read_text(path: Path, largest: int = LARGEST) -> str | None:
    """Return a file's text, None where it is no small text.

    :param largest: bytes; the text of a larger file than ``LARGEST`` is read again each time.
    """
    try:
        facts = path.stat()
    except OSError:
        return None
    if facts.st_size > largest or not path.is_file():
        return None
    if facts.st_size > LARGEST:
        return _text.__wrapped__(str(path), facts.st_mtime_ns, facts.st_size)
    return _text(str(path), facts.st_mtime_ns, facts.st_size)


def tree(path: Path) -> Tree | None:
    """Return a file, parsed, None where it is no small text."""
    text = read_text(path)
    return None if text is None else _tree(text, str(path))


def root_of(path: Path, roots: Iterable[Path]) -> Path | None:
    """Return the innermost root that holds the file where it really lies, symbolic links resolved."""
    try:
        real = path.resolve()
    except (OSError, RuntimeError):
        return None
    holding = [root for root in roots if real.is_relative_to(root)]
    return max(holding, key=lambda root: len(root.parts), default=None)


@lru_cache(maxsize=256)
def _text(path: str, _modified: int, _size: int) -> str | None:
    try:
        data = Path(path).read_bytes()
    except OSError:
        return None
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=128)
def _tree(text: str, path: str) -> Tree:
    return parse(text, by_suffix(path))
