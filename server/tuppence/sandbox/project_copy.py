"""A copy of a project in a folder of its own, in which tests can be run and code be mutated.

Nothing in the project is written or locked. Left out: what belongs to tools (environments, caches, version
control), what is private, links that leave the project. A project that is too large is not copied at all, because half
a project proves nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_SKIPPED = frozenset(
    (
        *(".git", ".hg", ".svn", ".venv", "venv", "env", "node_modules", "__pycache__", ".tox", ".nox", ".idea"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".vscode", "dist", "build", "target"),
    )
)
_NOTES = frozenset({".cache", ".vite", ".vite-temp", ".vitest"})
MOST_FILES = 4_000
MOST_BYTES = 40_000_000


class TooLarge(Exception):
    """The project has more files or bytes than are copied for one trial."""


def copy(root: Path, place: Path, is_private: Callable[[Path], bool]) -> None:
    """Copy a project.

    :param is_private: tells of a path inside the project, relative to it, whether it stays out.
    :raises TooLarge: nothing that was copied so far is of use.
    """
    count = size = 0
    for source in _files(root):
        inner = source.relative_to(root)
        if is_private(inner):
            continue
        count, size = count + 1, size + source.stat().st_size
        if count > MOST_FILES or size > MOST_BYTES:
            raise TooLarge
        goal = place / inner
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, goal)


def link(root: Path, place: Path, names: Sequence[str]) -> None:
    """Let a copy see what is in folders of the project that were left out of it, under the same names.

    The folders are the copy's own and only what is in them is linked: tools keep their notes beside the packages, and
    may do so here. Those of earlier runs are left out.
    """
    for name in names:
        source, goal = root / name, place / name
        if source.is_dir() and not goal.exists():
            goal.mkdir(parents=True)
            for each in source.resolve().iterdir():
                if each.name not in _NOTES:
                    (goal / each.name).symlink_to(each.resolve())


def _files(root: Path) -> Iterator[Path]:
    """Yield the regular files of a project, those that a link inside it leads to included."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(each for each in folders if each not in _SKIPPED)
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and path.resolve().is_relative_to(root):
                yield path
