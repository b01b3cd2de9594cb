"""Find programs, and the files that a program needs to run.

Names are resolved here, never by the operating system: relative entries of PATH, folders of the project and
world-writable files are skipped.
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
"""Folders that are shared by many programs."""


def search_path(root: Path | None = None) -> tuple[str, ...]:
    """Return the absolute folders of PATH that are not inside the project."""
    entries = dict.fromkeys(os.environ.get("PATH", os.defpath).split(os.pathsep))
    return tuple(each for each in entries if Path(each).is_absolute() and not (root and is_inside(Path(each), root)))


def look(name: str, root: Path | None = None) -> str | None:
    """Return the absolute path of the first program with a name, or None.

    :param root: a project; programs inside it, also through links, are skipped.
    """
    for folder in search_path(root):
        path = Path(folder, name)
        if is_program(path) and not (root and is_inside(path, root)):
            return str(path)
    return None


def is_program(path: Path) -> bool:
    """Return whether a path is an executable file that is not world-writable."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and not mode & stat.S_IWOTH and os.access(path, os.X_OK)


def reach(program: str, root: Path | None = None) -> tuple[Path, ...]:
    """Return the files and folders that a program must be able to read: its installation, for each link to it.

    :param root: a project, which is left out.
    """
    found = dict.fromkeys(place for hop in _hops(Path(program)) for place in prefix(hop, root))
    return tuple(found)


def prefix(program: Path, root: Path | None = None) -> tuple[Path, ...]:
    """Return a program's installation: the parent of its ``bin``, or less if that folder holds other things too."""
    inner = program.parent
    if inner.name == _SHIMS and not is_wide(
        inner.parent, root
    ):  # The shims by which pyenv and similar tools select a version.
        return (inner.parent,)
    if inner.name not in _BINARIES:
        return (program,)
    around = inner.parent
    if not is_wide(around, root):
        return (around,)
    return (program, *(each for each in around.glob("lib/python3*") if each.is_dir()))


def is_wide(folder: Path, root: Path | None = None) -> bool:
    """Return whether a folder is shared, the home folder, a project, or a parent of one of these."""
    home = Path.home()
    homes = {home, home.resolve(), *((root, root.resolve()) if root else ())}
    if any(each.is_relative_to(folder) or each / ".local" == folder for each in homes):
        return True
    shared = {*_SHARED, tempfile.gettempdir()}
    return any(Path(each).is_relative_to(one) for each in shared for one in (folder, folder.resolve()))


def _hops(path: Path) -> Iterator[Path]:
    """Yield a path and the target of each link that it leads through."""
    for _ in range(_MOST_LINKS):
        yield path
        if not path.is_symlink():
            break
        path = Path(os.path.normpath(path.parent / path.readlink()))
    yield path.resolve()


def is_inside(path: Path, root: Path) -> bool:
    """Return whether a path is inside a folder, as written or through links."""
    roots = {root, root.resolve()}
    return any(each.is_relative_to(one) for each in (path, path.resolve()) for one in roots)
