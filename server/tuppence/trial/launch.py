"""The process around one test run: ``launch.py SECONDS BYTES FOLDER COMMAND ...``.

It gives the command limits of time and memory, lets it write in one folder only (where the kernel can: Linux, by
Landlock), and leaves no process behind: whatever the command started, and whoever let it go, is ended with it. It also
ends when its standard input does, so that nothing outlives a server that was killed. It stands alone and imports
nothing of tuppence, because it runs in an interpreter of its own.

Its exit status is the command's; 124 where the time was up, 128 and the signal's number where it was killed.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

TIME_IS_UP = 124
_KILLED = 128
_LARGEST_FILE = 200_000_000
_TICK = 0.02
_PATIENCE = 3.0
"""Seconds within which the processes that were left behind must be gone."""
_PDEATHSIG, _CHILD_SUBREAPER, _NO_NEW_PRIVS = 1, 36, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_WRITE_FILE, _REFER, _TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_WRITES = sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))
"""Landlock's rights to write files and to make and remove entries of folders, in its first version."""
_RULE_BYTES = 12
_SEMAPHORES = "/dev/shm"  # noqa: S108 - where the C library keeps what processes share; no file of ours goes there


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    seconds, memory, folder, *command = arguments
    libc = _libc()
    if libc is not None:
        libc.prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        _become(command, float(seconds), int(memory), folder)
    status = _wait(child, time.monotonic() + float(seconds))
    _end_all(child)
    return status


def _become(command: list[str], seconds: float, memory: int, folder: str) -> None:
    """Turn this process into the command, within its limits."""
    import resource

    os.setsid()
    libc = _libc()
    if libc is not None:
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _confine(libc, folder)
    for limit, amount in (
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # A limit that is lower already stays.
            resource.setrlimit(limit, (amount, amount))
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execv(command[0], command)  # noqa: S606 - the command was put together by tuppence, no shell reads it
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(127)


def _wait(child: int, end: float) -> int:
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _KILLED - code
        if time.monotonic() > end or _is_alone():
            return TIME_IS_UP
        time.sleep(_TICK)


def _is_alone() -> bool:
    """Report whether whoever started this process is gone."""
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and not os.read(0, 1)


def _end_all(child: int) -> None:
    """Kill the command, and whatever it started, to the last process."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        # Orphans become children of this process, so killing children until none is left reaches all.
        for each in _children():
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(_TICK)


def _children() -> list[int]:
    found: list[int] = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parent = each.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append(int(each.parent.name))
    return found


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _confine(libc: ctypes.CDLL, folder: str) -> None:
    """Forbid this process and its children to write anywhere but in a folder; nothing where the kernel cannot."""
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return
    rights = _WRITES | (_REFER if version > 1 else 0) | (_TRUNCATE if version > 2 else 0)  # noqa: PLR2004 - as documented
    asked = ctypes.c_uint64(rights)
    rules = libc.syscall(_CREATE_RULESET, ctypes.byref(asked), ctypes.sizeof(asked), 0)
    on_files = _WRITE_FILE | (rights & _TRUNCATE)
    for place, allowed in ((folder, rights), (_SEMAPHORES, rights), (os.devnull, on_files)):
        with suppress(OSError):
            handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
            rule = allowed.to_bytes(8, sys.byteorder) + handle.to_bytes(_RULE_BYTES - 8, sys.byteorder)
            libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
            os.close(handle)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.syscall(_RESTRICT_SELF, rules, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
