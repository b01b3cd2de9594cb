"""The process around one test run: ``sandbox/launcher.py ORDER``, where ORDER is JSON (sandbox/order.py writes it).

It gives the command limits of time, memory, processes and bytes, and ends whatever the command started, even what it
let go. It also ends when its standard input does, so that nothing outlives a server that was killed. It is a script by
itself and imports nothing of tuppence, because it runs in an interpreter of its own.

Around the command is the first of the order's walls that can be put up (``sandbox/walls.py``). The bytes of memory are
for all its processes together, as seen from time to time; the addresses are for each, by the kernel.

Its exit status is the command's; 120 where too many bytes were written, 121 where no wall can be put up and so nothing
was run, 122 where the memory was used up, 123 where there were too many processes, 124 where the time was up, 128 and
the signal's number where it was killed.
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
"""Seconds between two looks at what all the processes use."""
_PATIENCE = 3.0
"""Seconds within which the processes that were left behind must be gone."""
_SHARED_BYTES = 16_000_000
"""From so many bytes on, what a process shares with others is divided among them."""
_PDEATHSIG, _CHILD_SUBREAPER = 1, 36
Order = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Run the command of an order and return its exit status."""
    order: Order = json.loads(arguments[0])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    for wall in order["walls"]:
        status = _attempt(libc, {**order, "wall": wall})
        if status is not None:
            return status
    return NO_WALL


def _attempt(libc: ctypes.CDLL, order: Order) -> int | None:
    """Run the command behind one wall; return its exit status, None where the wall could not be put up."""
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
    """Remove a folder with all that is in it, whatever its modes; no link is followed."""
    for place, folders, _ in os.walk(folder):
        for each in (place, *(f"{place}/{name}" for name in folders)):
            if not Path(each).is_symlink():
                with suppress(OSError):
                    Path(each).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _wait(child: int, order: Order) -> int:
    """Wait for a child, and return its status or the limit that was reached."""
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
            # The kernel limits each process; all of them together are limited here.
            count, used = _used(order["processes"])
            if count > order["processes"] or used > order["memory"]:
                return TOO_MANY if count > order["processes"] else OUT_OF_MEMORY
            if order["wall"] == "landlock" and _is_over(order["work"], order["room"]):
                return TOO_LARGE
            look = time.monotonic() + _LOOK
        time.sleep(_TICK)


def _used(most: int) -> tuple[int, int]:
    """Return how many processes descend from this one, and the bytes that they hold; no more than so many."""
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
    """Return the bytes that a process holds by itself, and its share of what it holds with others."""
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
    """Report whether the files of a folder take more than so many bytes, each at least a block."""
    size = 0
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            with suppress(OSError):
                size += max(4096, os.lstat(f"{place}/{name}").st_blocks * 512)
            if size > most:
                return True
    return False


def _is_alone() -> bool:
    """Report whether the process that started this one is gone."""
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and not os.read(0, 1)


def _end_all(child: int) -> None:
    """Kill the command, and whatever it started, to the last process."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # It leads its own session, and perhaps the numbers that all have.
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
