"""Read small text files of the project.

Nothing outside the given folders is read, whatever links point to. None is returned for anything that is not a small
text: binaries, huge files, encodings other than UTF-8, unreadable files, and anything that is not a regular file.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from tuppence import regular_files
from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.parser import Tree, parse
from tuppence.regular_files import Unreadable, root_of_real

LARGEST = 300_000
"""Bytes; a larger file is not read for context."""


def root_of(path: Path, roots: Iterable[Path]) -> Path | None:
    """Return the innermost root that holds the file where it really lies, symbolic links resolved."""
    return regular_files.root_of(path, roots)


def read_text(path: Path, roots: Iterable[Path], largest: int = LARGEST) -> str | None:
    """Return a file's text, None where it is no small text or lies in none of the folders.

    :param roots: folders without links in their paths.
    :param largest: bytes.
    """
    try:
        return read_place(regular_files.real(path), roots, largest)
    except Unreadable:
        return None


def read_place(place: Path, roots: Iterable[Path], largest: int = LARGEST) -> str | None:
    """Return the text of a file whose real place is known, None as for ``read_text``, or where a link is there now."""
    root = root_of_real(place, roots)
    try:
        return None if root is None else text_of(regular_files.read_place(place, root, largest))
    except Unreadable:
        return None


def text_of(data: bytes) -> str | None:
    """Return the text that bytes are, None where they are none."""
    try:
        return None if b"\0" in data else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def tree(place: Path, roots: Iterable[Path], name: str) -> Tree | None:
    """Return a file whose real place is known, parsed as its name says, None as for ``read_place``."""
    text = read_place(place, roots)
    return None if text is None else _tree(text, name)


@lru_cache(maxsize=128)
def _tree(text: str, path: str) -> Tree:
    return parse(text, by_suffix(path))
