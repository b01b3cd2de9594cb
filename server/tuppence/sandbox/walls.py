"""The walls around one test run: ``sandbox/walls.py ORDER`` puts them up and becomes the command, or ends before it.

It is started by ``sandbox/launcher.py``, is a script by itself, and imports nothing of tuppence. ORDER is JSON, as
sandbox/order.py writes it; its ``wall`` is one of these:

- ``bubblewrap``: the program ``bwrap`` puts up what the next one does, and starts this script again inside;
- ``namespaces``: files, processes, network, shared memory and host name of its own. Of the files of outside only those
  that ORDER lists are there at all, read-only; the copy of the project lies in memory, within a size;
- ``landlock``: the files of outside that are not listed cannot be opened, and none can be written. There is no network.

Inside of each, Landlock (where the kernel has it) and a filter of system calls hold too; the last wall is none without
both. A byte is written to ``begun`` when all is up; whatever ends before that has run nothing.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

NO_WALL = 121
_KILLED = 128
_LARGEST_FILE = 200_000_000
_OPEN_FILES = 4096
_NICE = 5
_PDEATHSIG, _DUMPABLE, _SECCOMP, _BOUNDING, _SECUREBITS, _NO_NEW_PRIVS, _AMBIENT = 1, 4, 22, 24, 28, 38, 47
_FILTER, _CLEAR_ALL, _CAPABILITIES = 2, 4, 64
_NO_ROOT = 0xEF
"""All secure bits but the one that keeps powers: for root as for anyone, a new program has none."""
_NEW_MOUNTS, _APART = 0x20000, 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""Namespaces of mounts; of cgroups, host name, System V's objects, users, processes and network."""
_PRIVATE_BELOW, _BIND_BELOW, _NO_SUID_NO_DEV, _DETACH = 0x4000 | 0x40000, 0x4000 | 0x1000, 0x2 | 0x4, 2
_MOUNT_SETATTR, _HERE, _RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 1
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_READS = 1 << 0 | 1 << 2 | 1 << 3
_WRITE_FILE, _REFER, _TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_WRITES = sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))
"""Landlock's rights to write files and to make and remove entries of folders, in its first version."""
_SCOPES, _SCOPED = 6, 0b11
"""Since which version Landlock keeps a process from abstract sockets and signals to those outside, and how."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_MOST_INODES = 40_000
Order = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Become the command of an order; return only where the wall could not be put up."""
    order: Order = json.loads(arguments[0])
    libc = ctypes.CDLL(None, use_errno=True)
    with suppress(OSError):  # Whatever fails before the command began, the wall is not there.
        _WALLS[order["wall"]](libc, order)
    return NO_WALL


def _by_nothing_more(libc: ctypes.CDLL, order: Order) -> None:
    """Become the command inside of bwrap."""
    _become(libc, order, wall="bubblewrap")


def _by_bubblewrap(libc: ctypes.CDLL, order: Order) -> None:
    """Become bwrap, which starts this script again inside."""
    del libc
    reading, writing = os.pipe()
    os.write(writing, bytes.fromhex(order["filters"]["apart"]))
    os.close(writing)
    spoken = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # What bwrap complains of is no output of the command.
    for each in (reading, spoken, order["begun"]):
        os.set_inheritable(each, True)  # noqa: FBT003 - the function takes no name
    filtered = ["--seccomp", str(reading)] if order["filters"]["apart"] else []
    inner = json.dumps({**order, "wall": "", "spoken": spoken})
    script = [order["python"], "-I", "-S", str(Path(__file__).resolve()), inner]
    command = [order["bwrap"], *order["options"], *filtered, "--", *script]
    os.execv(command[0], command)  # noqa: S606 - the command was put together by tuppence, no shell reads it


def _by_namespaces(libc: ctypes.CDLL, order: Order) -> None:
    """Make the namespaces, and be the parent of the first process in them."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_APART | _NEW_MOUNTS) != 0:
        return
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    with suppress(OSError):
        socket.sethostname("localhost")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # The loopback is there and switched off; tests that talk to themselves need it.
        name = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, _GET_FLAGS, name))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))
    first = os.fork()
    if first == 0:
        with suppress(OSError):
            _lead(libc, order)
        os._exit(NO_WALL)
    os._exit(_code(os.waitpid(first, 0)[1]))


def _lead(libc: ctypes.CDLL, order: Order) -> None:
    """Be the first process of the new numbers: with it, all others end."""
    libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _build(libc, order)
    _drop(libc)
    _filter(libc, order["filters"]["apart"])
    command = os.fork()
    if command == 0:
        with suppress(OSError):
            _become(libc, order, wall="namespaces")
        os._exit(NO_WALL)
    os.close(order["begun"])
    while True:
        ended, status = os.wait()
        if ended == command:
            os._exit(_code(status))


def _build(libc: ctypes.CDLL, order: Order) -> None:
    """Make a root folder in memory that shows what the order lists, and move into it.

    :raises OSError: the kernel does not let us.
    """
    root = order["root"]
    _mount(libc, "/", "/", _PRIVATE_BELOW)
    _mount(libc, "tmpfs", root, _NO_SUID_NO_DEV, "size=4194304,mode=755")
    for kind, target, given in order["view"]:
        goal = Path(f"{root}{target}")
        if kind == "link":
            goal.parent.mkdir(parents=True, exist_ok=True)
            goal.symlink_to(given)
        elif kind == "memory":
            goal.mkdir(parents=True, exist_ok=True)
            kept = f"size={given},nr_inodes={_MOST_INODES},mode=755"
            _mount(libc, "tmpfs", str(goal), _NO_SUID_NO_DEV, kept)
        elif kind == "bind":
            _bind(libc, given, goal)
        elif kind == "devices":
            _make_devices(libc, goal)
        elif kind == "processes":
            goal.mkdir(exist_ok=True)
            with suppress(OSError):  # In some containers it may not be mounted; most tests do without.
                _mount(libc, "proc", str(goal), _NO_SUID_NO_DEV)
                _set_read_only(libc, str(goal))
    _set_read_only(libc, root, below=False)
    _set_read_only(libc, f"{root}/dev", below=False)
    os.chdir(root)
    _must(libc.pivot_root(b".", b"."))
    _must(libc.umount2(b".", _DETACH))
    os.chdir("/")


def _bind(libc: ctypes.CDLL, source: str, goal: Path) -> None:
    """Show a file or folder of outside, read-only."""
    if Path(source).is_dir():
        goal.mkdir(parents=True, exist_ok=True)
    else:
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.touch()
    _mount(libc, source, str(goal), _BIND_BELOW)
    _set_read_only(libc, str(goal))


def _make_devices(libc: ctypes.CDLL, goal: Path) -> None:
    goal.mkdir()
    _mount(libc, "tmpfs", str(goal), _NO_SUID_NO_DEV, "size=65536,mode=755")
    for name in _DEVICES:
        (goal / name).touch()
        _mount(libc, f"/dev/{name}", str(goal / name), _BIND_BELOW)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (goal / name).symlink_to(f"/proc/self/{target}")
    (goal / "pts").mkdir()
    (goal / "shm").mkdir()
    with suppress(OSError):
        _mount(libc, "devpts", str(goal / "pts"), 0x2 | 0x8, "newinstance,ptmxmode=0666,mode=620")
        (goal / "ptmx").symlink_to("pts/ptmx")


def _mount(libc: ctypes.CDLL, what: str, target: str, flags: int, data: str = "") -> None:
    """Mount a file system by its kind, or what lies at a place."""
    kind = None if what.startswith("/") else os.fsencode(what)
    _must(libc.mount(os.fsencode(what), os.fsencode(target), kind, ctypes.c_ulong(flags), os.fsencode(data)))


def _set_read_only(libc: ctypes.CDLL, place: str, *, below: bool = True) -> None:
    """Let a mount, and those below it, be written to no more; older kernels than 5.12 cannot."""
    asked = (ctypes.c_uint64 * 4)(_READ_ONLY | 0x2, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(asked))
    flags = _RECURSIVE if below else 0
    _must(libc.syscall(_MOUNT_SETATTR, _HERE, os.fsencode(place), flags, ctypes.byref(asked), size))


def _must(status: int) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not let us")


def _drop(libc: ctypes.CDLL) -> None:
    """Give up all powers, for good, and let no process look into this one."""
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    status = libc.prctl(_SECUREBITS, _NO_ROOT, 0, 0, 0)
    if os.geteuid() == 0:  # Root would have its powers back in a new program.
        _must(status)
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    for each in range(_CAPABILITIES):
        libc.prctl(_BOUNDING, each, 0, 0, 0)
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _must(libc.capset(ctypes.byref(head), ctypes.byref((ctypes.c_uint32 * 6)())))
    _must(libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))


def _by_landlock(libc: ctypes.CDLL, order: Order) -> None:
    _drop(libc)
    _become(libc, order, wall="landlock")


def _become(libc: ctypes.CDLL, order: Order, *, wall: str) -> None:
    """Turn this process into the command, within its limits, where the walls around it are up.

    :raises OSError: they are not.
    """
    begun, work = order["begun"], order["work"]
    if "spoken" in order:
        os.dup2(order["spoken"], 2)
    os.closerange(3, begun)
    os.closerange(begun + 1, _OPEN_FILES)
    os.set_inheritable(begun, False)  # noqa: FBT003 - the function takes no name
    shutil.copytree(order["origin"], order["project"], symlinks=True, copy_function=shutil.copyfile)
    for name in ("home", "tmp"):
        Path(work, name).mkdir()
    os.chdir(order["project"])
    with suppress(PermissionError):  # It may lead a session already.
        os.setsid()
    libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.nice(_NICE)
    _limit(order, is_apart=wall != "landlock")
    _must(libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    version = _confine(libc, order, reads=wall == "landlock")
    if wall == "landlock":
        program = order["filters"]["scoped" if version >= _SCOPES else "shared"]
        if not version or not program:
            os._exit(NO_WALL)
        _filter(libc, program)
    os.write(begun, b"1")
    command = order["command"]
    try:
        os.execv(command[0], command)  # noqa: S606 - the command was put together by tuppence, no shell reads it
    except OSError as error:
        os.write(2, f"{error}\n".encode())
        os._exit(127)


def _limit(order: Order, *, is_apart: bool) -> None:
    import resource

    for limit, amount in (
        (resource.RLIMIT_CPU, int(order["seconds"]) + 1),
        *(((resource.RLIMIT_AS, order["addresses"]),) if order["addresses"] else ()),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        # Only among numbers of one's own are no others of the user's processes counted.
        *(((resource.RLIMIT_NPROC, order["processes"]),) if is_apart else ()),
    ):
        with suppress(ValueError, OSError):  # A limit that is lower already stays.
            resource.setrlimit(limit, (amount, amount))


def _filter(libc: ctypes.CDLL, program: str) -> None:
    """Let the kernel refuse system calls by a program, for this process and all that it starts."""
    code = bytes.fromhex(program)
    if not code:
        return
    held = ctypes.create_string_buffer(code, len(code))
    given = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    _must(libc.prctl(_SECCOMP, _FILTER, ctypes.c_char_p(given), 0, 0))


def _confine(libc: ctypes.CDLL, order: Order, *, reads: bool) -> int:
    """Forbid this process and its children to write outside of the copy, and to signal others, by Landlock.

    :param reads: whether they may not read what the order does not list, either.
    :returns: Landlock's version; 0 where there is none.
    """
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return 0
    writes = _WRITES | (_REFER if version > 1 else 0) | (_TRUNCATE if version > 2 else 0)  # noqa: PLR2004 - as documented
    scoped = _SCOPED if version >= _SCOPES else 0
    asked = (ctypes.c_uint64 * 3)(writes | (_READS if reads else 0), 0, scoped)
    size = ctypes.sizeof(asked) if scoped else ctypes.sizeof(ctypes.c_uint64)
    rules = libc.syscall(_CREATE_RULESET, ctypes.byref(asked), size, 0)
    on_files = _WRITE_FILE | (writes & _TRUNCATE)
    read = _READS if reads else 0
    places = [(order["work"], writes | read), *((f"/dev/{name}", on_files | read & 1 << 2) for name in _DEVICES)]
    if reads:
        sources = [given for kind, _, given in order["view"] if kind == "bind"]
        places += [(each, _READS if Path(each).is_dir() else _READS & ~(1 << 3)) for each in sources]
    else:
        places += [("/dev/shm", writes), ("/tmp", writes), ("/dev/pts", on_files)]  # noqa: S108 - they are the run's own
    for place, allowed in places:
        with suppress(OSError):
            handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
            rule = allowed.to_bytes(8, sys.byteorder) + handle.to_bytes(4, sys.byteorder)
            libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
            os.close(handle)
    status = libc.syscall(_RESTRICT_SELF, rules, 0)
    os.close(rules)
    return version if status == 0 else 0


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else _KILLED - code


_WALLS = {
    "": _by_nothing_more,
    "bubblewrap": _by_bubblewrap,
    "namespaces": _by_namespaces,
    "landlock": _by_landlock,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
