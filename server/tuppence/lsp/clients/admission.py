"""Decide which clients are served: the user who started the server, as the kernel identifies the peer, else by token.

Data from another user is never parsed. If the kernel cannot identify the peer, the first message must be an
``initialize`` whose ``initializationOptions.token`` is the contents of a file that only the user can read.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from tuppence.errors import Broken, TuppenceError
from tuppence.local import private_files
from tuppence.lsp.clients.peer_user import Connected, peer_user

_REFUSED = -32803
"""LSP's "request failed"."""
_SIZE = 32
"""Bytes of randomness in a token."""
_LONGEST = 1000
"""Maximum bytes of the token file."""


class NotAdmitted(TuppenceError):
    """The client is not served; ``body`` is the JSON-RPC message to send to it."""

    def __init__(self, message: str, remedy: str, request: int | str | None = None) -> None:
        super().__init__(message, remedy)
        error = {"code": _REFUSED, "message": str(self)}
        self.body = json.dumps({"jsonrpc": "2.0", "id": request, "error": error}).encode("ascii")


class Token:
    """A secret in a file that only the user can read; created on first use and shared by later servers."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """The path of the file."""
        if self._path is None:
            from platformdirs import user_state_path

            self._path = user_state_path("tuppence", appauthor=False) / "tcp-token"
        return self._path

    def text(self) -> str:
        """Return the token. A missing token, or one that other users may have read, is created.

        :raises Broken: the file cannot be written.
        """
        if found := self._read():
            return found
        private_files.folder(self.path.parent)
        made = secrets.token_urlsafe(_SIZE)
        try:
            private_files.write(self.path, f"{made}\n")
        except OSError as error:
            what = f"The token cannot be written to {self.path}: {error.strerror}."
            raise Broken(what, "Make the folder writable for you.") from error
        return made

    def _read(self) -> str:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            descriptor = os.open(self.path, flags)
        except OSError:
            return ""
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode) or not _private(about):
                return ""
            found = file.read(_LONGEST).decode("ascii", "replace").strip()
        return found if len(found) >= _SIZE else ""


class Admission:
    """Decides whether a connection is served."""

    def __init__(self, token: Token | None = None) -> None:
        self.token = token or Token()

    def recognize(self, connection: Connected) -> bool:
        """Return whether the peer is known to be the user; False if the peer is unknown. May read files.

        :raises NotAdmitted: the peer is another user.
        """
        user = peer_user(connection)
        if user is not None and user != os.geteuid():
            raise NotAdmitted(
                f"This server belongs to user {os.geteuid()} of this machine, and user {user} connected.",
                "Start a server of your own.",
            )
        return user is not None

    def check(self, body: bytes) -> None:
        """Check the first message of an unknown peer.

        :raises NotAdmitted: the message is not an ``initialize`` with the token.
        """
        request, given = _given(body)
        if given is None or not hmac.compare_digest(given, self.token.text().encode()):
            raise NotAdmitted(
                "The system does not say who connected, and `initialize` did not hold the token.",
                f"Set initializationOptions.token to the text of {self.token.path}.",
                request,
            )


def _given(body: bytes) -> tuple[int | str | None, bytes | None]:
    """Return the request id and the token of an ``initialize``; None for each that is missing."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(message, dict) or message.get("method") != "initialize":
        return None, None
    request = message.get("id")
    given = _field(_field(message.get("params"), "initializationOptions"), "token")
    known = request if isinstance(request, int | str) else None
    return known, given.strip().encode("utf-8", "surrogatepass") if isinstance(given, str) else None


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _private(about: os.stat_result) -> bool:
    """Return whether a file belongs to the user and is closed to others. Windows has no such modes."""
    if os.name == "nt":
        return True
    return about.st_uid == os.geteuid() and not about.st_mode & 0o077
