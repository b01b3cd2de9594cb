"""The process around one test run: ``sandbox/launcher.py ORDER``, where ORDER is JSON (sandbox/order.py writes it).

The launcher limits the command's time, memory, processes and written bytes, and at the end kills everything that the
command started, daemons included. It also stops when its standard input closes, so no process outlives a killed server.
It is a standalone script that imports nothing from tuppence, because it runs in a separate interpreter.

The command runs inside the first isolation method of the order that works here (``sandbox/walls.py``). The memory limit
is for all processes together and is sampled; the address space limit is per process and enforced by the kernel.

The exit status is the command's, or: 120 too many bytes written, 121 no isolation method works here (nothing was run),
122 out of memory, 123 too many processes, 124 timed out, 128 plus the signal number if killed by a signal.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

TOO_LARGE, NO_WALL, OUT_OF_MEMORY, TOO_MANY, TIME_IS_UP = 120, 121, 122, 123, 124
_KILLED = 128
_TICK = 0.02
_LOOK = 0.1
"""Seconds between two samples of what the processes use."""
_PATIENCE = 3.0
"""Maximum seconds to wait for killed processes to end."""
_SHARED_BYTES = 16_000_000
"""Bytes of shared memory above which a process is charged only its share (PSS)."""
_PDEATHSIG, _CHILD_SUBREAPER = 1, 36
Order = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Run the command of an order and return the exit status."""
    order: Order = json.loads(arguments[0])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    for wall in order["walls"]:
        status = _attempt(libc, {**order, "wall": wall})
        if status is not None:
            return status
    return NO_WALL


def _attempt(libc: ctypes.CDLL, order: Order) -> int | None:
    """Run the command with one isolation method; return the exit status, or None if the method does not work."""
    work = Path(order["work"])
    clear(work)
    work.mkdir()
    begun, beginning = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.set_inheritable(beginning, True)  # noqa: FBT003 - the function takes no name
        script = [order["python"], "-I", "-S", order["script"], json.dumps({**order, "begun": beginning})]
        os.execv(script[0], script)  # noqa: S606 - the command was put together by tuppence, no shell reads it
    os.close(beginning)
    status = _wait(child, order)
    _end_all(child)
    ready, _, _ = select.select([begun], [], [], 0)
    has_begun = bool(ready) and os.read(begun, 1) != b""
    os.close(begun)
    return status if has_begun or status == TIME_IS_UP else None


def clear(folder: Path) -> None:
    """Remove a folder tree regardless of permissions, without following links."""
    for place, folders, _ in os.walk(folder):
        for each in (place, *(f"{place}/{name}" for name in folders)):
            if not Path(each).is_symlink():
                with suppress(OSError):
                    Path(each).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _wait(child: int, order: Order) -> int:
    """Wait for a child and return its exit status, or that of the limit it reached."""
    end, look = time.monotonic() + order["seconds"], 0.0
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _KILLED - code
        now = time.monotonic()
        if now > end or _is_alone():
            return TIME_IS_UP
        if now > look:
            # The kernel limits each process; this limits their sum.
            count, used = _used(order["processes"])
            if count > order["processes"] or used > order["memory"]:
                return TOO_MANY if count > order["processes"] else OUT_OF_MEMORY
            if order["wall"] == "landlock" and _is_over(order["work"], order["room"]):
                return TOO_LARGE
            look = time.monotonic() + _LOOK
        time.sleep(_TICK)


def _used(most: int) -> tuple[int, int]:
    """Return the number of descendant processes and the bytes that they use. Stops counting at ``most`` processes."""
    waiting, count, used = [str(os.getpid())], -1, 0
    while waiting and count <= most:
        process = waiting.pop()
        count += 1
        with suppress(OSError, ValueError):
            used += _held(process) if count else 0
        for each in Path(f"/proc/{process}/task").glob("*/children"):
            with suppress(OSError):
                waiting += each.read_text(encoding="ascii").split()
    return count, used


def _held(process: str) -> int:
    """Return the bytes of a process's private memory plus its share of shared memory."""
    own = _bytes(f"/proc/{process}/status", "RssAnon:")
    shared = _bytes(f"/proc/{process}/status", "RssShmem:")
    if shared > _SHARED_BYTES:
        with suppress(OSError, ValueError):
            shared = _bytes(f"/proc/{process}/smaps_rollup", "Pss_Shmem:")
    return own + shared


def _bytes(path: str, name: str) -> int:
    lines = Path(path).read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


def _is_over(folder: str, most: int) -> bool:
    """Return whether the files in a folder use more than ``most`` bytes, counting at least a block for each."""
    size = 0
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            with suppress(OSError):
                size += max(4096, os.lstat(f"{place}/{name}").st_blocks * 512)
            if size > most:
                return True
    return False


def _is_alone() -> bool:
    """Return whether the parent process has ended."""
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and not os.read(0, 1)


def _end_all(child: int) -> None:
    """Kill the command and all its descendants."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # The child leads its own session and process group.
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
