"""The folder in which the embedded server and its clients meet.

    door          locked by whoever is joining or ending, so that nobody joins a server that is about to end
    seat          locked by the server for as long as it lives: the proof that the state file is about somebody alive
    state.json    where the server listens, its key and its process; written once it answers
    leases/       a file for each client, locked for as long as the client lives
    log           what the server last said

All proofs of life are locks held by an open file, which the kernel gives back however a process ends; no process is
ever judged by its number, which may have been given to another. The folder's name holds the machine's, since a home may
be shared by several. Locks are flock on POSIX systems and msvcrt.locking on Windows; the latter has never been tried.
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
        # A shared lock, so that two processes that only look never take each other for the server.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


class Lock:
    """A lock on a file, which ends with the process that holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Report whether this object holds it."""
        return self._descriptor is not None

    def take(self, patience: float = 0) -> bool:
        """Take the lock within so many seconds and report whether that succeeded.

        :raises OSError: the file cannot be opened.
        """
        deadline = time.monotonic() + patience
        while not self._take():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def free(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def taken(self) -> bool:
        """Report whether somebody holds it."""
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
    """Where the server listens."""

    pid: int
    port: int
    key: str
    """Opens the server; whoever can read it is the user."""
    started: float
    """Seconds since the epoch."""


class LeaseDirectory:
    """The folder, and what is in it."""

    def __init__(self, path: Path) -> None:
        self.path = private_files.folder(path)
        self._leases = private_files.folder(path / "leases")
        self.log = path / "log"
        self._state = path / "state.json"

    @classmethod
    def usual(cls) -> LeaseDirectory:
        """Return the user's room on this machine."""
        import platformdirs

        name = f"embedded-{socket.gethostname() or 'here'}"
        return cls(platformdirs.user_state_path("tuppence", appauthor=False) / name)

    def door(self) -> Lock:
        """Return the lock that whoever joins or ends takes first."""
        return Lock(self.path / "door")

    def seat(self) -> Lock:
        """Return the lock that the server holds."""
        return Lock(self.path / "seat")

    def taken(self) -> bool:
        """Report whether a server lives, be it still loading."""
        return self.seat().taken()

    def lease(self) -> Lock:
        """Return a new client's lease, not yet taken."""
        return Lock(self._leases / f"{os.getpid()}-{secrets.token_hex(4)}")

    def leases(self) -> list[float]:
        """Return when each living client last asked to use the server (epoch seconds), clearing dead ones away.

        Hold the door: a lease is a file for a moment before it is locked.
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
                continue  # Its client gave it back in this moment, or Windows keeps a file that is open.
        return alive

    def state(self) -> State | None:
        """Return what the server that lives wrote down, or None where none lives or it is still loading."""
        if not self.taken():
            return None
        try:
            kept = json.loads(self._state.read_text(encoding="utf-8"))
            return State(int(kept["pid"]), int(kept["port"]), str(kept["key"]), float(kept["started"]))
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None

    def write(self, state: State) -> None:
        """Write down where the server listens."""
        private_files.write(self._state, json.dumps(asdict(state)))

    def clear(self) -> None:
        """Remove what a server wrote down."""
        self._state.unlink(missing_ok=True)
