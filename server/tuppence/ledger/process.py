"""Identify the process of a reservation, and detect whether it has ended.

A process is identified by host, number and start time. Numbers are reused, so the start time is included where the
system reports it (Linux). A process on another host cannot be checked: its reservation counts as abandoned once no
request could last that long.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

LONGEST = timedelta(hours=1)
"""Longer than any request lasts, including its wait for a turn."""
_BIRTH = 19
"""Index of the start time in /proc/PID/stat, counted after the program's name."""


@dataclass(frozen=True, slots=True)
class Process:
    """The identity of one process, which no later process has."""

    host: str
    """The machine's name, and on Linux its id, because many machines share a name."""
    pid: int
    born: str
    """The start time as reported by the system; empty if it reports none."""


@cache
def me() -> Process:
    """Return the identity of this process."""
    return Process(f"{platform.node()} {_machine()}".strip(), os.getpid(), _born(os.getpid()))


def gone(other: Process, since: datetime, now: datetime) -> bool:
    """Report whether a process that made a reservation at ``since`` has certainly ended."""
    mine = me()
    if other.host == mine.host and other.born:
        return _born(other.pid) != other.born
    if other.host == mine.host and sys.platform != "win32":  # On Windows, os.kill would end the process.
        try:
            os.kill(other.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
    return now - since > LONGEST and other != mine


def _machine() -> str:
    """Return an identifier of this machine that reveals nothing else; empty if there is none."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with suppress(OSError):
            if found := Path(path).read_bytes().strip():
                return hashlib.sha256(b"tuppence " + found).hexdigest()[:12]
    return ""


def _born(pid: int) -> str:
    """Return the boot id and the tick at which a process began; empty if it does not exist, or if that is unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    if status[0] == "Z":  # A zombie: the process has ended, and its parent has not collected it.
        return ""
    return f"{boot}/{status[_BIRTH]}"
