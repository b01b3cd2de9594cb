"""Whose reservation it is: a process by its host, its number and its birth, and whether it still lives.

A number alone says little, because numbers are given again; so where the system tells when a process began (Linux),
that is part of its name. Of a process elsewhere nothing can be known: its reservation is taken for abandoned once no
request could last so long.
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
"""Longer than any request lasts, its wait for a turn included."""
_BIRTH = 19
"""Where the start time stands in /proc/PID/stat, counted after the program's name."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, named so that no later one has the same name."""

    host: str
    """The machine's name, and where the system has one (Linux) its id: many machines are called the same."""
    pid: int
    born: str
    """When it began, as the system tells; empty where it does not."""


@cache
def me() -> Process:
    """Return this process."""
    return Process(f"{platform.node()} {_machine()}".strip(), os.getpid(), _born(os.getpid()))


def gone(other: Process, since: datetime, now: datetime) -> bool:
    """Report whether a process that made a reservation at ``since`` has ended for certain."""
    mine = me()
    if other.host == mine.host and other.born:
        return _born(other.pid) != other.born
    if other.host == mine.host and sys.platform != "win32":  # On Windows, asking after a process would end it.
        try:
            os.kill(other.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
    return now - since > LONGEST and other != mine


def _machine() -> str:
    """Return a word for this machine, which says no more than whether another one is the same; empty where none is."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with suppress(OSError):
            if found := Path(path).read_bytes().strip():
                return hashlib.sha256(b"tuppence " + found).hexdigest()[:12]
    return ""


def _born(pid: int) -> str:
    """Return the boot and the tick of it at which a process began; empty where there is none, or no way to know."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    if status[0] == "Z":  # It has ended, and its parent has not noticed yet.
        return ""
    return f"{boot}/{status[_BIRTH]}"
