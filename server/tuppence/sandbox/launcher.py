"""The process around one test run: ``sandbox/launcher.py SECONDS BYTES ADDRESSES PROCESSES FOLDER COMMAND ...``.

It gives the command limits of time, memory and processes, lets it change files in one folder only and signal nobody
outside, gives it a network and shared memory of its own in which there is only itself, and leaves no process behind:
whatever the command started, and whoever let it go, is ended with it. There are two walls around the files, and one of
them must stand: mounts of its own that are read-only outside the folder (where the kernel lets a user make them, which
the network and the shared memory need too), and Landlock, which knows writing but neither modes nor times of files.
It also ends when its standard input does, so that nothing outlives a server that was killed. It stands alone and
imports nothing of tuppence, because it runs in an interpreter of its own.

The bytes are for all its processes together, as seen from time to time; the addresses are for each, by the kernel.
What it does not do: it hides no file, and does not keep the command from a socket that is a file.

Its exit status is the command's; 121 where neither wall can be put up and so nothing was run, 122 where the memory was
used up, 123 where there were too many processes, 124 where the time was up, 128 and the signal's number where it was
killed.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path

NO_WALL, OUT_OF_MEMORY, TOO_MANY, TIME_IS_UP = 121, 122, 123, 124
_KILLED = 128
_LARGEST_FILE = 200_000_000
_TICK = 0.02
_LOOK = 0.1
"""Seconds between two looks at what all the processes use."""
_PATIENCE = 3.0
"""Seconds within which the processes that were left behind must be gone."""
_NICE = 5
_PDEATHSIG, _CHILD_SUBREAPER, _NO_NEW_PRIVS = 1, 36, 38
_NEW_MOUNTS, _NEW_USER, _NEW_PIDS, _NEW_NET = 0x20000, 0x10000000, 0x20000000, 0x40000000
_PRIVATE_BELOW, _BIND_BELOW, _NO_SUID_NO_DEV = 0x4000 | 0x40000, 0x4000 | 0x1000, 0x2 | 0x4
_MOUNT_SETATTR, _HERE, _RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 1
_SET_SECUREBITS, _NO_ROOT = 28, 0b11
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_WRITE_FILE, _REFER, _TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_WRITES = sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))
"""Landlock's rights to write files and to make and remove entries of folders, in its first version."""
_SCOPES, _SCOPED = 6, 0b11
"""Since which version Landlock keeps a process from abstract sockets and signals to those outside, and how."""
_RULE_BYTES = 12
_SEMAPHORES = "/dev/shm"  # noqa: S108 - where the C library keeps what processes share; no file of ours goes there
_SHARED = b"size=268435456,mode=1777"


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    seconds, memory, addresses, processes, folder, *command = arguments
    libc = _libc()
    is_apart = False
    if libc is not None:
        libc.prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
        is_apart = _isolate(libc)
    limits = (float(seconds), int(addresses), int(processes) if is_apart else 0)
    child = os.fork()
    if child == 0:
        is_shut = is_apart and _lead(libc, folder)
        _become(command, limits, folder, is_shut=is_shut)
    status = _wait(child, time.monotonic() + float(seconds), int(memory), int(processes))
    _end_all(child)
    return status


def _isolate(libc: ctypes.CDLL) -> bool:
    """Give the processes to come a network and numbers of their own; report whether the kernel let us.

    Where it does not, the network is there, and processes are ended one by one.
    """
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_USER | _NEW_NET | _NEW_PIDS) != 0:
        return False
    with suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # The loopback is there and switched off; tests that talk to themselves need it.
        name = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, _GET_FLAGS, name))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))
    return True


def _lead(libc: ctypes.CDLL | None, folder: str) -> bool:
    """Be the first process of the new numbers: with it, all others end.

    Return in the one that becomes the command, and report whether the files outside the folder are read-only for it.
    """
    assert libc is not None
    os.setsid()
    libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    is_shut = False
    if libc.unshare(_NEW_MOUNTS) == 0 and libc.mount(None, b"/", None, _PRIVATE_BELOW, None) == 0:
        libc.mount(b"proc", b"/proc", b"proc", 0, None)  # Where it may not, /proc tells the numbers of outside.
        is_shut = _shut(libc, os.fsencode(folder))
    # Root keeps its powers over what belongs to it alone across a new program, and could open the mounts again.
    is_shut = libc.prctl(_SET_SECUREBITS, _NO_ROOT, 0, 0, 0) == 0 and is_shut
    command = os.fork()
    if command == 0:
        return is_shut
    while True:
        ended, status = os.wait()
        if ended == command:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else _KILLED - code)


def _shut(libc: ctypes.CDLL, folder: bytes) -> bool:
    """Make all mounts read-only but a folder, and the shared memory one's own; report whether the kernel did."""
    there, shared = Path.cwd(), Path(_SEMAPHORES)
    places = (folder, *((os.fsencode(shared),) if shared.is_dir() else ()))
    for place in places[1:]:
        if libc.mount(b"tmpfs", place, b"tmpfs", _NO_SUID_NO_DEV, _SHARED) != 0:
            return False
    if libc.mount(folder, folder, None, _BIND_BELOW, None) != 0 or not _set_writable(libc, b"/", writable=False):
        return False
    is_open = all(_set_writable(libc, place, writable=True) for place in places)
    os.chdir(there)  # The folder that this process stood in lies under the new mount.
    return is_open


def _set_writable(libc: ctypes.CDLL, place: bytes, *, writable: bool) -> bool:
    """Let the mounts from a place down be written to, or no more; older kernels than 5.12 do not know how."""
    asked = (ctypes.c_uint64 * 4)(0 if writable else _READ_ONLY, _READ_ONLY if writable else 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(asked))
    return bool(libc.syscall(_MOUNT_SETATTR, _HERE, place, _RECURSIVE, ctypes.byref(asked), size) == 0)


def _become(command: list[str], limits: tuple[float, int, int], folder: str, *, is_shut: bool) -> None:
    """Turn this process into the command, within its limits: seconds, addresses and processes, 0 for any."""
    import resource

    seconds, addresses, processes = limits
    os.setsid()
    os.nice(_NICE)
    libc = _libc()
    if libc is not None:
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        is_shut = _confine(libc, folder) or is_shut
    if not is_shut:
        os._exit(NO_WALL)
    for limit, amount in (
        (resource.RLIMIT_CPU, int(seconds) + 1),
        *(((resource.RLIMIT_AS, addresses),) if addresses else ()),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
        # Only among numbers of one's own are no others of the user's processes counted.
        *(((resource.RLIMIT_NPROC, processes),) if processes else ()),
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


def _wait(child: int, end: float, memory: int, processes: int) -> int:
    look = 0.0
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
            count, used = _used(processes)
            if count > processes or used > memory:
                return TOO_MANY if count > processes else OUT_OF_MEMORY
            look = time.monotonic() + _LOOK
        time.sleep(_TICK)


def _used(most: int) -> tuple[int, int]:
    """Return how many processes descend from this one, and the bytes that they hold alone; no more than so many."""
    waiting, count, pages = [str(os.getpid())], -1, 0
    while waiting and count <= most:
        process = waiting.pop()
        count += 1
        with suppress(OSError, ValueError, IndexError):
            _, resident, shared, *_ = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
            pages += max(0, int(resident) - int(shared)) if count else 0
        for each in Path(f"/proc/{process}/task").glob("*/children"):
            with suppress(OSError):
                waiting += each.read_text(encoding="ascii").split()
    return count, pages * os.sysconf("SC_PAGE_SIZE")


def _is_alone() -> bool:
    """Report whether whoever started this process is gone."""
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


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _confine(libc: ctypes.CDLL, folder: str) -> bool:
    """Forbid this process and its children to write anywhere but in a folder, and to signal others; report if so."""
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return False
    rights = _WRITES | (_REFER if version > 1 else 0) | (_TRUNCATE if version > 2 else 0)  # noqa: PLR2004 - as documented
    scoped = _SCOPED if version >= _SCOPES else 0
    asked = (ctypes.c_uint64 * 3)(rights, 0, scoped)
    size = ctypes.sizeof(asked) if scoped else ctypes.sizeof(ctypes.c_uint64)
    rules = libc.syscall(_CREATE_RULESET, ctypes.byref(asked), size, 0)
    on_files = _WRITE_FILE | (rights & _TRUNCATE)
    for place, allowed in ((folder, rights), (_SEMAPHORES, rights), (os.devnull, on_files)):
        with suppress(OSError):
            handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
            rule = allowed.to_bytes(8, sys.byteorder) + handle.to_bytes(_RULE_BYTES - 8, sys.byteorder)
            libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
            os.close(handle)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(libc.syscall(_RESTRICT_SELF, rules, 0) == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
