"""Read files safely: regular files only, up to a size limit, inside one root folder.

A path is resolved first. The file is then opened from the root down, one path component at a time and never through a
symbolic link, so a link that is created after the check is not followed. The open file is checked again: pipes, devices
and sockets are never read, and no call blocks on one. Bytes are counted while reading, because the size that a file
system reports may be wrong. Windows lacks these system calls; there, the path is checked before and after reading.
Hard links look like ordinary files, and a mount point looks like an ordinary folder.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

Identity = tuple[int, int, int, int, int]
"""Device, inode, size in bytes, and the times of the last content and metadata changes in nanoseconds."""
_MOST_LINKS = 40
"""Maximum symbolic links in one path, as on Linux; more count as a cycle."""
_LONGEST = 8_192
"""Maximum characters of a path; no operating system accepts longer ones."""
_CHUNK = 1 << 16
_WALKS = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether the platform can open a file relative to an open folder."""
_PASS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0)
_THROUGH = _PASS | getattr(os, "O_PATH", 0)
_READ = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
LINKED = "it is a symbolic link"
LEADS_OUT = "a symbolic link leads out of the folder that is open"
CIRCLE = "its symbolic links lead in a circle"


class Unreadable(Exception):
    """A file cannot or must not be read. The message is a clause: ``it is a symbolic link``."""


class Missing(Unreadable):
    """The file does not exist."""


def places(path: Path) -> tuple[Path, ...]:
    """Return each step of resolving a path: first the path as written, last the resolved path.

    In each step, the folders above the first link contain no link. A path that does not exist stays as written.

    :raises Unreadable: the links form a cycle, or the path is invalid.
    """
    if len(str(path)) > _LONGEST:
        raise Unreadable("its path is too long")
    spelled = Path(os.path.abspath(path)) if ".." not in path.parts else Path.cwd() / path
    if os.name == "nt":
        real = Path(os.path.realpath(path))
        return (real,) if real == spelled else (spelled, real)
    found: list[Path] = []
    waiting, done = list(reversed(spelled.parts[1:])), spelled.anchor
    while waiting:
        part = waiting.pop()
        if part in {"", ".", ".."}:
            done = os.path.dirname(done) if part == ".." else done
            continue
        here = os.path.join(done, part)
        try:
            target = os.readlink(here)
        except ValueError:
            raise Unreadable("its name is none that a file can have") from None
        except OSError:
            done = here
            continue
        if len(found) == _MOST_LINKS:
            raise Unreadable(CIRCLE)
        found.append(Path(os.path.normpath(os.path.join(here, *reversed(waiting)))))
        waiting.extend(reversed(target.split("/")))
        done = spelled.anchor if target.startswith("/") else done
    return (*found, Path(done))


def real(path: Path) -> Path:
    """Return the resolved path.

    :raises Unreadable: the links form a cycle, or the path is invalid.
    """
    return places(path)[-1]


def root_of(path: Path, roots: Iterable[Path]) -> Path | None:
    """Return the innermost root that contains the resolved path, or None. Roots must be resolved already."""
    try:
        return root_of_real(real(path), roots)
    except Unreadable:
        return None


def root_of_real(place: Path, roots: Iterable[Path]) -> Path | None:
    """Return the innermost root that contains a path that is resolved already, or None."""
    holding = [root for root in roots if place.is_relative_to(root)]
    return max(holding, key=lambda root: len(root.parts), default=None)


def identity(facts: os.stat_result) -> Identity:
    """Return the metadata that changes whenever the file changes."""
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def read(path: Path, root: Path, most: int) -> bytes:
    """Return the contents of a file inside a root folder.

    :param root: the resolved root folder.
    :param most: maximum size in bytes.
    :raises Unreadable: the file is outside the root, is not a regular file, is too large, or cannot be read.
    """
    return read_place(real(path), root, most)


def read_place(place: Path, root: Path, most: int) -> bytes:
    """Return the contents of a file whose path was resolved (and perhaps judged) before. No link is followed.

    :raises Unreadable: as for ``read``, or the path contains a link by now.
    """
    if not place.is_relative_to(root):
        raise Unreadable(LEADS_OUT)
    with _opened_within(root, place.relative_to(root).parts) as file:
        return _bytes(file, most)


def read_here(path: Path, most: int, *, follow: bool) -> bytes:
    """Return the contents of a file without checking its root: a file of the user's, or one in a checked folder.

    :param most: maximum size in bytes.
    :param follow: whether the file may be a symbolic link, or the null device (which reads as an empty file).
    :raises Unreadable: the file is not a regular file, is too large, or cannot be read.
    """
    with _mapped():
        target = os.path.realpath(path) if follow else path
        if follow and target == os.devnull:
            return b""
        _check(os.stat(target, follow_symlinks=False))
        file = os.open(target, _READ)
        try:
            _check(os.fstat(file))
            return _bytes(file, most)
        finally:
            os.close(file)


def listed(folder: Path, root: Path, most: int) -> list[tuple[str, str]]:
    """Return the entries of a folder, sorted by name, each with its kind: ``folder``, ``file`` or ``""``.

    :param root: the resolved root that must contain the folder.
    :param most: maximum number of entries; which ones are left out beyond it is undefined.
    :raises Unreadable: the folder is outside the root, or cannot be read.

    A symbolic link has the kind ``""``.
    """
    place = real(folder)
    if not place.is_relative_to(root):
        raise Unreadable(LEADS_OUT)
    with _mapped():
        if not _WALKS or os.scandir not in os.supports_fd:
            with os.scandir(place) as entries:
                return sorted((each.name, _kind(each)) for each in islice(entries, most))
        inside = _folder(root, place.relative_to(root).parts, _PASS)
        try:
            with os.scandir(inside) as entries:
                return sorted((each.name, _kind(each)) for each in islice(entries, most))
        finally:
            os.close(inside)


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        return (
            "folder" if entry.is_dir(follow_symlinks=False) else "file" if entry.is_file(follow_symlinks=False) else ""
        )
    except OSError:
        return ""


@contextmanager
def _opened_within(root: Path, parts: tuple[str, ...]) -> Iterator[int]:
    """Open a file from a folder down, one component at a time, refusing links."""
    if not parts:
        raise Unreadable("it is a folder")
    with _mapped():
        if _WALKS:
            folder = _folder(root, parts[:-1], _THROUGH)
            try:
                _check(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
                file = os.open(parts[-1], _READ, dir_fd=folder)
            finally:
                os.close(folder)
        else:
            place = root.joinpath(*parts)
            _check(os.stat(place, follow_symlinks=False))
            file = os.open(place, _READ)
        try:
            _check(os.fstat(file))
            if not _WALKS and Path(os.path.realpath(place)) != place:
                raise Unreadable(LEADS_OUT)
            yield file
        finally:
            os.close(file)


def _folder(root: Path, parts: tuple[str, ...], last: int) -> int:
    """Open a folder below another one and return its descriptor."""
    folder = os.open(root, _THROUGH if parts else last)
    for count, part in enumerate(parts, 1):
        above = folder
        try:
            folder = os.open(part, last if count == len(parts) else _THROUGH, dir_fd=above)
        finally:
            os.close(above)
    return folder


def _check(facts: os.stat_result) -> None:
    """Raise ``Unreadable`` unless the file is a regular file."""
    if stat.S_ISLNK(facts.st_mode):
        raise Unreadable(LINKED)
    if not stat.S_ISREG(facts.st_mode):
        raise Unreadable("it is not a regular file")


def _bytes(file: int, most: int) -> bytes:
    pieces: list[bytes] = []
    left = most + 1
    while left > 0 and (piece := os.read(file, min(left, _CHUNK))):
        pieces.append(piece)
        left -= len(piece)
    if left <= 0:
        raise Unreadable(f"it is larger than {most:,} bytes")
    return b"".join(pieces)


@contextmanager
def _mapped() -> Iterator[None]:
    """Translate ``OSError`` to ``Unreadable`` or ``Missing``."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Missing("there is no such file") from error
    except OSError as error:
        why = LINKED if error.errno == errno.ELOOP else f"it cannot be read ({error.strerror or 'no reason given'})"
        raise Unreadable(why) from error
    except ValueError as error:
        raise Unreadable("its name is none that a file can have") from error
