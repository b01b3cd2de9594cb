"""A Unix domain socket that other users can neither reach nor replace.

The socket has mode 0600, and its folder must belong to the user and be closed to others. No parent folder may belong to
another user or be writable by one: that user could replace the folder and receive what the editor sends. An existing
file is removed only if it is a socket of the user's without a listener.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from tuppence.errors import TuppenceError
from tuppence.lsp.clients.listener import QUEUE

_LINKS = 40
"""Maximum symbolic links in a path, as in the kernel."""
_OTHERS, _WRITERS = 0o077, 0o022
_CHOOSE = "Name a file in a folder that only you can enter, such as one in $XDG_RUNTIME_DIR."


class SocketFile:
    """A listening socket and its file."""

    def __init__(self, path: Path) -> None:
        """Listen at a path; a missing folder is created.

        :raises TuppenceError: the path cannot be used, or other users could reach it.
        """
        if not hasattr(socket, "AF_UNIX"):
            raise TuppenceError("This system has no sockets that are files.", "Use --tcp 127.0.0.1:PORT.")
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links that are checked
        try:
            _check(self.path.parent)
            _make_folder(self.path.parent)
            _check(self.path.parent)
            self.listener = _listen(self.path)
            about = self.path.lstat()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise TuppenceError(f"tuppence cannot listen at {self.path}: {reason}.", _CHOOSE) from error
        self._identity = about.st_dev, about.st_ino

    def close(self) -> None:
        """Stop listening, and remove the file if it is still this socket."""
        self.listener.close()
        with contextlib.suppress(OSError):
            about = self.path.lstat()
            if (about.st_dev, about.st_ino) == self._identity:
                self.path.unlink()


def _make_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = path.stat()
    if about.st_uid != os.geteuid() or about.st_mode & _OTHERS:
        what = f"The folder {path} is not yours alone, so that others could reach a socket in it."
        raise TuppenceError(what, f"chmod 700 it, or name another. {_CHOOSE}")


def _check(folder: Path) -> None:
    """Check that no other user can replace a folder, or a link or folder on the way to it.

    Folders that do not exist yet are not checked.

    :raises TuppenceError: another user can.
    """
    links, rest, at = 0, list(folder.parts[1:]), Path(folder.anchor)
    _judge(at, at.lstat())
    while rest:
        at /= rest.pop(0)
        if at.name == "..":
            at = at.parent.parent
            continue
        try:
            about = at.lstat()
        except FileNotFoundError:
            return
        _judge(at, about)
        if stat.S_ISLNK(about.st_mode):
            links += 1
            if links > _LINKS:
                raise TuppenceError(f"The path {folder} goes through too many links.", _CHOOSE)
            target = at.parent / at.readlink()
            rest, at = [*target.parts[1:], *rest], Path(target.anchor)


def _judge(path: Path, about: os.stat_result) -> None:
    is_link, is_sticky = stat.S_ISLNK(about.st_mode), bool(about.st_mode & stat.S_ISVTX)
    if about.st_uid not in (0, os.geteuid()) or (about.st_mode & _WRITERS and not is_link and not is_sticky):
        raise TuppenceError(f"Another user can replace {path}.", _CHOOSE)


def _listen(path: Path) -> socket.socket:
    _make_way(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
        listener.listen(QUEUE)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _make_way(path: Path) -> None:
    """Remove the socket that an ended server left behind, and nothing else."""
    try:
        about = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(about.st_mode) or about.st_uid != os.geteuid():
        raise TuppenceError(f"tuppence cannot listen at {path}: something else has that name.", "Choose another name.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:  # A server is listening, and its queue is full.
            pass
    raise TuppenceError(f"A server listens at {path} already.", "Choose another name, or end that one.")
