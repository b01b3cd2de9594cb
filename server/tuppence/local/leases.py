"""The folder shared by the embedded server and its clients.

- ``door``: locked by a process that joins or ends, so that no client joins a server that is about to end
- ``seat``: locked by the server for its lifetime, which proves that the state file belongs to a live server
- ``state.json``: the server's port, key and process, written once it responds
- ``leases/``: one file for each client, locked for the client's lifetime
- ``log``: the last output of the server

Liveness is always proved by a lock on an open file, which the kernel releases however a process ends. Process numbers
are not used, because they are reused. The folder's name contains the machine's name, because several machines may share
a home folder. Locks use flock on POSIX systems and msvcrt.locking on Windows; the latter is untested.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tuppence.local import private_files

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    _probe = _lock
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _probe(descriptor: int) -> None:
        # A shared lock, so that two processes that only check are not taken for the server.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


class Lock:
    """A lock on a file, released when its process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Report whether this object holds the lock."""
        return self._descriptor is not None

    def take(self, patience: float = 0) -> bool:
        """Try to take the lock for ``patience`` seconds; report success.

        :raises OSError: the file cannot be opened.
        """
        deadline = time.monotonic() + patience
        while not self._take():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def free(self) -> None:
        """Release the lock, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def taken(self) -> bool:
        """Report whether any process holds the lock."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _probe(descriptor)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _take(self) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True


@dataclass(frozen=True, slots=True)
class State:
    """The address and identity of the server."""

    pid: int
    port: int
    key: str
    """Grants access to the server; only the user can read it."""
    started: float
    """Start time in seconds since the epoch."""


class LeaseDirectory:
    """The shared folder and its files."""

    def __init__(self, path: Path) -> None:
        self.path = private_files.folder(path)
        self._leases = private_files.folder(path / "leases")
        self.log = path / "log"
        self._state = path / "state.json"

    @classmethod
    def usual(cls) -> LeaseDirectory:
        """Return the user's folder on this machine."""
        import platformdirs

        name = f"embedded-{socket.gethostname() or 'here'}"
        return cls(platformdirs.user_state_path("tuppence", appauthor=False) / name)

    def door(self) -> Lock:
        """Return the lock that a process must take before it joins or ends."""
        return Lock(self.path / "door")

    def seat(self) -> Lock:
        """Return the lock that the server holds."""
        return Lock(self.path / "seat")

    def taken(self) -> bool:
        """Report whether a server is alive, even if it is still loading."""
        return self.seat().taken()

    def lease(self) -> Lock:
        """Return a new lease for a client, not yet locked."""
        return Lock(self._leases / f"{os.getpid()}-{secrets.token_hex(4)}")

    def leases(self) -> list[float]:
        """Return the last use time (epoch seconds) of each live client's lease, and remove those of dead clients.

        The caller must hold the door, because a new lease file exists for a moment before it is locked.
        """
        alive = []
        for path in self._leases.iterdir():
            try:
                lease = Lock(path)
                if not lease.take():
                    alive.append(path.stat().st_mtime)
                    continue
                path.unlink(missing_ok=True)
                lease.free()
            except OSError:
                continue  # The client just released it, or Windows does not remove an open file.
        return alive

    def state(self) -> State | None:
        """Return the state of the live server, or None if there is none or it is still loading."""
        if not self.taken():
            return None
        try:
            kept = json.loads(self._state.read_text(encoding="utf-8"))
            return State(int(kept["pid"]), int(kept["port"]), str(kept["key"]), float(kept["started"]))
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None

    def write(self, state: State) -> None:
        """Write the server's state."""
        private_files.write(self._state, json.dumps(asdict(state)))

    def clear(self) -> None:
        """Remove the state of a server."""
        self._state.unlink(missing_ok=True)
