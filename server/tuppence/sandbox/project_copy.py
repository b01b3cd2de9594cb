"""Copy a project to a separate folder, in which tests can run and code can be mutated.

Nothing in the project is written or locked. Left out are: tool folders (environments, caches, version control), files
that are private by their own name or that of their link target, links that leave the project, and anything that is not
a regular file. A project above the size limit is not copied at all, because tests of a partial copy prove nothing.
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
"""Maximum number of directory entries to visit."""
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class TooLarge(Exception):
    """The project exceeds the limit of files or bytes for one trial."""


def copy(root: Path, place: Path, is_private: Callable[[Path], bool]) -> None:
    """Copy a project.

    :param is_private: returns whether a path, relative to the project, must not be copied.
    :raises TooLarge: the project exceeds a limit; the incomplete copy must not be used.
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
    """Make package folders that were not copied (``node_modules``) available in a copy, by links to each package.

    The folders themselves are real, so that tools can write their caches beside the packages; existing caches are left
    out. A package that is part of the project refers to the copy; one outside a package folder is not linked.

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
    """Yield the packages in a folder, scoped packages included."""
    for each in folder.iterdir():
        if each.name.startswith("@") and each.is_dir() and not each.is_symlink():
            yield from each.iterdir()
        elif each.name not in _NOTES:
            yield each


def _files(root: Path) -> Iterator[Path]:
    """Yield the project's files and its links to files in it, as relative paths.

    :raises TooLarge: there are too many directory entries.
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
    """Return the resolved path of a file relative to the project; None if it is outside or does not exist."""
    if not (root / inner).is_symlink():
        return inner
    with suppress(OSError, RuntimeError):
        target = (root / inner).resolve(strict=True)
        if target.is_relative_to(root.resolve()):
            return target.relative_to(root.resolve())
    return None


def _read(root: Path, inner: Path, most: int) -> bytes | None:
    """Return the contents of a regular file, opened without following links; None for anything else.

    :raises TooLarge: the file has more than ``most`` bytes.
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
    except OSError:  # The file was removed, replaced by a link, or is not readable.
        return None
    finally:
        os.close(handle)
    if len(text) > most:
        raise TooLarge
    return text
