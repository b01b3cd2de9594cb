"""Where programs are looked for, and what a program needs to see of the disk to run.

A name is looked up by us and never by the system: no relative entry of the path, no folder of the project, and no file
that everyone may write can lend a program.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_MOST_LINKS = 20
_BINARIES = ("bin", "sbin", "Scripts")
_SHIMS = "shims"
_SHARED = ("/dev", "/etc", "/home", "/mnt", "/media", "/opt", "/proc", "/run", "/srv", "/sys", "/tmp", "/var/tmp")  # noqa: S108
"""Folders in which many things lie that belong to no program."""


def search_path(root: Path | None = None) -> tuple[str, ...]:
    """Return the folders of the path in which a program may lie: absolute ones that are not in a project."""
    entries = dict.fromkeys(os.environ.get("PATH", os.defpath).split(os.pathsep))
    return tuple(each for each in entries if Path(each).is_absolute() and not (root and is_inside(Path(each), root)))


def look(name: str, root: Path | None = None) -> str | None:
    """Return the absolute path of the first program of a name, None where there is none.

    :param root: a project; nothing in it is found, by its name or by where links lead.
    """
    for folder in search_path(root):
        path = Path(folder, name)
        if is_program(path) and not (root and is_inside(path, root)):
            return str(path)
    return None


def is_program(path: Path) -> bool:
    """Report whether a path is a program, one that not everyone may write."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and not mode & stat.S_IWOTH and os.access(path, os.X_OK)


def reach(program: str, root: Path | None = None) -> tuple[Path, ...]:
    """Return the files and folders that a program needs to see: the place it is installed at, link by link.

    :param root: a project, which is not among them.
    """
    found = dict.fromkeys(place for hop in _hops(Path(program)) for place in prefix(hop, root))
    return tuple(found)


def prefix(program: Path, root: Path | None = None) -> tuple[Path, ...]:
    """Return what belongs to a program: the folder around its ``bin``, or less where that holds more than programs."""
    inner = program.parent
    if inner.name == _SHIMS and not is_wide(
        inner.parent, root
    ):  # The small scripts by which pyenv and its like choose a version.
        return (inner.parent,)
    if inner.name not in _BINARIES:
        return (program,)
    around = inner.parent
    if not is_wide(around, root):
        return (around,)
    return (program, *(each for each in around.glob("lib/python3*") if each.is_dir()))


def is_wide(folder: Path, root: Path | None = None) -> bool:
    """Report whether a folder holds more than a program: what all share, the home folder, a project, or around them."""
    home = Path.home()
    homes = {home, home.resolve(), *((root, root.resolve()) if root else ())}
    if any(each.is_relative_to(folder) or each / ".local" == folder for each in homes):
        return True
    shared = {*_SHARED, tempfile.gettempdir()}
    return any(Path(each).is_relative_to(one) for each in shared for one in (folder, folder.resolve()))


def _hops(path: Path) -> Iterator[Path]:
    """Yield a path and each that its links lead to."""
    for _ in range(_MOST_LINKS):
        yield path
        if not path.is_symlink():
            break
        path = Path(os.path.normpath(path.parent / path.readlink()))
    yield path.resolve()


def is_inside(path: Path, root: Path) -> bool:
    """Report whether a path lies in a folder, by its name or by where links lead from there."""
    roots = {root, root.resolve()}
    return any(each.is_relative_to(one) for each in (path, path.resolve()) for one in roots)
