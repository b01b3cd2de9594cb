"""Files that are read on our own account: regular ones, up to a size, inside one folder wherever links lead.

A path is followed to its real place first, and the file is then opened from the folder down, one name after the other
and never through a link, so that a link which is put there in between is met and not followed. What is opened is looked
at once more: no pipe, device or socket is read, and no call waits for one. Sizes are counted while reading, because
what a file says of its size need not be true. Windows has no such calls; there the place is checked before and after.
Hard links cannot be told from files, and a folder that another file system is mounted on is a folder.
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
"""Device, inode, bytes, and the times in nanoseconds of the last changes of a file's text and of its facts."""
_MOST_LINKS = 40
"""Links in one path; as for Linux, more are a circle."""
_LONGEST = 8_192
"""Characters of a path; no system takes longer ones."""
_CHUNK = 1 << 16
_WALKS = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether the platform opens a file from its folder."""
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
    """A file that is not read, and why as a clause: ``it is a symbolic link``."""


class Missing(Unreadable):
    """There is no such file."""


def places(path: Path) -> tuple[Path, ...]:
    """Return every place by which a path leads: first as it is spelled, last where it really lies.

    In each of them all folders above the first link are real. What does not exist is taken as it is spelled.

    :raises Unreadable: the links lead in a circle, or it is no path.
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
    """Return where a path really lies.

    :raises Unreadable: the links lead in a circle, or it is no path.
    """
    return places(path)[-1]


def root_of(path: Path, roots: Iterable[Path]) -> Path | None:
    """Return the innermost of these real folders in which a path really lies; None for none."""
    try:
        return root_of_real(real(path), roots)
    except Unreadable:
        return None


def root_of_real(place: Path, roots: Iterable[Path]) -> Path | None:
    """Return the innermost of these real folders that holds a path whose folders are real; None for none."""
    holding = [root for root in roots if place.is_relative_to(root)]
    return max(holding, key=lambda root: len(root.parts), default=None)


def identity(facts: os.stat_result) -> Identity:
    """Return what changes when a file does."""
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def read(path: Path, root: Path, most: int) -> bytes:
    """Return what is in a file that lies in a folder.

    :param root: the folder, without links in its path.
    :param most: bytes.
    :raises Unreadable: it lies elsewhere, is no regular file, is larger, or cannot be read.
    """
    return read_place(real(path), root, most)


def read_place(place: Path, root: Path, most: int) -> bytes:
    """Return what is in a file whose real place was looked up, and perhaps judged, before; no link is followed now.

    :raises Unreadable: as ``read``, or a link has come into its path.
    """
    if not place.is_relative_to(root):
        raise Unreadable(LEADS_OUT)
    with _opened_within(root, place.relative_to(root).parts) as file:
        return _bytes(file, most)


def read_here(path: Path, most: int, *, follow: bool) -> bytes:
    """Return what is in a file that is not held to a folder: a user's own, or one whose folder was walked already.

    :param most: bytes.
    :param follow: whether the file itself may be a link, or the device by which people say that there is none.
    :raises Unreadable: it is no regular file, is larger, or cannot be read.
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
    """Return what is in a folder, sorted by name: names with ``folder``, ``file``, or empty for anything else.

    :param root: the folder in which it has to lie, without links in its path.
    :param most: entries; of more, any are returned. A link is neither a folder nor a file.
    :raises Unreadable: it lies elsewhere, or cannot be read.
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
    """Open a file from a folder down; no name of it may be a link by now."""
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
    """Open a folder from another one down, and return its descriptor."""
    folder = os.open(root, _THROUGH if parts else last)
    for count, part in enumerate(parts, 1):
        above = folder
        try:
            folder = os.open(part, last if count == len(parts) else _THROUGH, dir_fd=above)
        finally:
            os.close(above)
    return folder


def _check(facts: os.stat_result) -> None:
    """Refuse what is no regular file."""
    if stat.S_ISLNK(facts.st_mode):
        raise Unreadable(LINKED)
    if not stat.S_ISREG(facts.st_mode):
        raise Unreadable("it is no regular file")


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
    """Give the system's errors as ours."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Missing("there is no such file") from error
    except OSError as error:
        why = LINKED if error.errno == errno.ELOOP else f"it cannot be read ({error.strerror or 'no reason given'})"
        raise Unreadable(why) from error
    except ValueError as error:
        raise Unreadable("its name is none that a file can have") from error
