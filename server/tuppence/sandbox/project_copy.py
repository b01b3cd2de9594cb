"""A copy of a project in a folder of its own, in which tests can be run and code be mutated.

Nothing in the project is written or locked. Left out: what belongs to tools (environments, caches, version
control), what is private by its own name or by the name of what it links to, links that leave the project, and what is
no regular file. A project that is too large is not copied at all, because half a project proves nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from tuppence.sandbox.order import Place
from tuppence.sandbox.programs import is_inside

_SKIPPED = frozenset(
    (
        *(".git", ".hg", ".svn", ".venv", "venv", "env", "node_modules", "__pycache__", ".tox", ".nox", ".idea"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".vscode", "dist", "build", "target"),
    )
)
_NOTES = frozenset({".cache", ".vite", ".vite-temp", ".vitest"})
MOST_FILES = 4_000
MOST_BYTES = 40_000_000
_MOST_ENTRIES = 40_000
"""Entries of folders that are looked at, whatever they are."""
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class TooLarge(Exception):
    """The project has more files or bytes than are copied for one trial."""


def copy(root: Path, place: Path, is_private: Callable[[Path], bool]) -> None:
    """Copy a project.

    :param is_private: tells of a path inside the project, relative to it, whether it stays out.
    :raises TooLarge: nothing that was copied so far is of use.
    """
    count = size = 0
    place.mkdir(parents=True, exist_ok=True)
    for inner in _files(root):
        source = _true_place(root, inner)
        if source is None or is_private(inner) or is_private(source):
            continue
        text = _read(root, source, MOST_BYTES - size)
        if text is None:
            continue
        count, size = count + 1, size + len(text)
        if count > MOST_FILES:
            raise TooLarge
        goal = place / inner
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_bytes(text)


def link(root: Path, place: Place, names: Sequence[str]) -> list[Path]:
    """Let a copy see what is in folders of packages that were left out of it, under the same names.

    The folders are the copy's own and only what is in them is linked: tools keep their notes beside the packages, and
    may do so here. Those of earlier runs are left out. A package that is a part of the project is the copy's own, and
    one that lies in no folder of packages is not there.

    :returns: the folders to which the links lead.
    """
    found: dict[Path, None] = {}
    for name in names:
        source = (root / name).resolve()
        goal = place.origin / name
        if not source.is_dir() or source.name != name or goal.exists():
            continue
        goal.mkdir(parents=True)
        found[source] = None
        for each in _packages(source):
            target = each.resolve()
            packages = next((one for one in target.parents if one.name == name), None)
            inner = each.relative_to(source)
            if packages is not None:
                found[packages] = None
                _link(goal / inner, target)
            elif is_inside(target, root.resolve()):
                _link(goal / inner, place.project / target.relative_to(root.resolve()))
    return list(found)


def _link(goal: Path, target: Path) -> None:
    goal.parent.mkdir(exist_ok=True)
    goal.symlink_to(target)


def _packages(folder: Path) -> Iterator[Path]:
    """Yield the packages of a folder, those with an owner in their name too."""
    for each in folder.iterdir():
        if each.name.startswith("@") and each.is_dir() and not each.is_symlink():
            yield from each.iterdir()
        elif each.name not in _NOTES:
            yield each


def _files(root: Path) -> Iterator[Path]:
    """Yield the files of a project and the links to files in it, relative to it.

    :raises TooLarge: there are more entries than are looked at.
    """
    seen = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(each for each in folders if each not in _SKIPPED)
        seen += len(folders) + len(names)
        if seen > _MOST_ENTRIES:
            raise TooLarge
        for name in sorted(names):
            yield Path(folder, name).relative_to(root)


def _true_place(root: Path, inner: Path) -> Path | None:
    """Return where a file lies inside the project, links followed; None where they lead out of it or nowhere."""
    if not (root / inner).is_symlink():
        return inner
    with suppress(OSError, RuntimeError):
        target = (root / inner).resolve(strict=True)
        if target.is_relative_to(root.resolve()):
            return target.relative_to(root.resolve())
    return None


def _read(root: Path, inner: Path, most: int) -> bytes | None:
    """Return the bytes of a regular file, None where it is none; no part of its path inside the project is a link.

    :raises TooLarge: it has more bytes than asked for.
    """
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in inner.parts:
            inside = os.open(name, _OPEN, dir_fd=handle)
            os.close(handle)
            handle = inside
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        if os.fstat(handle).st_size > most:
            raise TooLarge
        with closing(os.fdopen(os.dup(handle), "rb")) as file:
            text = file.read(most + 1)
    except OSError:  # It is gone, a link by now, or may not be read.
        return None
    finally:
        os.close(handle)
    if len(text) > most:
        raise TooLarge
    return text
