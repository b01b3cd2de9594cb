"""Isolate one test run: ``sandbox/walls.py ORDER`` sets up the isolation and then executes the command.

This standalone script is started by ``sandbox/launcher.py`` and imports nothing from tuppence. ORDER is the JSON that
sandbox/order.py writes; its ``wall`` is an isolation method:

- ``bubblewrap``: ``bwrap`` sets up namespaces as described below and starts this script again inside them.
- ``namespaces``: separate mount, process, network, IPC and UTS namespaces. Only the outside files that ORDER lists are
  visible, read-only. The copy of the project is in memory, with a size limit.
- ``landlock``: outside files that are not listed cannot be opened, none can be written, and there is no network.

Each method also applies Landlock (where the kernel has it) and a seccomp filter; ``landlock`` requires both. One byte
is written to ``begun`` when the isolation is complete; if the script ends before that, nothing was run.
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
"""All securebits except SECBIT_KEEP_CAPS: a new program gets no capabilities, not even as root."""
_NEW_MOUNTS, _APART = 0x20000, 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""CLONE_NEWNS; and the flags for cgroup, UTS, IPC, user, PID and network namespaces."""
_PRIVATE_BELOW, _BIND_BELOW, _NO_SUID_NO_DEV, _DETACH = 0x4000 | 0x40000, 0x4000 | 0x1000, 0x2 | 0x4, 2
_MOUNT_SETATTR, _HERE, _RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 1
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_READS = 1 << 0 | 1 << 2 | 1 << 3
_WRITE_FILE, _REFER, _TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_WRITES = sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))
"""Landlock's access rights of ABI version 1 that write files or create and remove directory entries."""
_SCOPES, _SCOPED = 6, 0b11
"""Landlock's ABI version that added scopes, and the scopes for abstract sockets and signals."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_MOST_INODES = 40_000
Order = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Execute the command of an order; return only if the isolation method does not work here."""
    order: Order = json.loads(arguments[0])
    libc = ctypes.CDLL(None, use_errno=True)
    with suppress(OSError):  # Any failure before the command starts means that this method does not work here.
        _WALLS[order["wall"]](libc, order)
    return NO_WALL


def _by_nothing_more(libc: ctypes.CDLL, order: Order) -> None:
    """Execute the command inside bwrap."""
    _become(libc, order, wall="bubblewrap")


def _by_bubblewrap(libc: ctypes.CDLL, order: Order) -> None:
    """Execute bwrap, which starts this script again inside."""
    del libc
    reading, writing = os.pipe()
    os.write(writing, bytes.fromhex(order["filters"]["apart"]))
    os.close(writing)
    spoken = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # bwrap's own messages are not output of the command.
    for each in (reading, spoken, order["begun"]):
        os.set_inheritable(each, True)  # noqa: FBT003 - the function takes no name
    filtered = ["--seccomp", str(reading)] if order["filters"]["apart"] else []
    inner = json.dumps({**order, "wall": "", "spoken": spoken})
    script = [order["python"], "-I", "-S", str(Path(__file__).resolve()), inner]
    command = [order["bwrap"], *order["options"], *filtered, "--", *script]
    os.execv(command[0], command)  # noqa: S606 - the command was put together by tuppence, no shell reads it


def _by_namespaces(libc: ctypes.CDLL, order: Order) -> None:
    """Create the namespaces and wait for the first process in them."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_APART | _NEW_MOUNTS) != 0:
        return
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    with suppress(OSError):
        socket.sethostname("localhost")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # A new network namespace has a disabled loopback interface, which tests may need.
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
    """Run as the first process of the PID namespace; when it ends, the kernel kills all others."""
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
    """Create a root folder in memory with the files that the order lists, and change to it.

    :raises OSError: the kernel does not permit it.
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
            with suppress(OSError):  # Some containers forbid this mount; most tests work without it.
                _mount(libc, "proc", str(goal), _NO_SUID_NO_DEV)
                _set_read_only(libc, str(goal))
    _set_read_only(libc, root, below=False)
    _set_read_only(libc, f"{root}/dev", below=False)
    os.chdir(root)
    _must(libc.pivot_root(b".", b"."))
    _must(libc.umount2(b".", _DETACH))
    os.chdir("/")


def _bind(libc: ctypes.CDLL, source: str, goal: Path) -> None:
    """Mount an outside file or folder read-only."""
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
    """Mount a file system by type, or bind a path."""
    kind = None if what.startswith("/") else os.fsencode(what)
    _must(libc.mount(os.fsencode(what), os.fsencode(target), kind, ctypes.c_ulong(flags), os.fsencode(data)))


def _set_read_only(libc: ctypes.CDLL, place: str, *, below: bool = True) -> None:
    """Make a mount and the mounts below it read-only. Needs Linux 5.12."""
    asked = (ctypes.c_uint64 * 4)(_READ_ONLY | 0x2, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(asked))
    flags = _RECURSIVE if below else 0
    _must(libc.syscall(_MOUNT_SETATTR, _HERE, os.fsencode(place), flags, ctypes.byref(asked), size))


def _must(status: int) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not let us")


def _drop(libc: ctypes.CDLL) -> None:
    """Drop all capabilities permanently and prevent other processes from inspecting this one."""
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    status = libc.prctl(_SECUREBITS, _NO_ROOT, 0, 0, 0)
    if os.geteuid() == 0:  # Otherwise root would regain its capabilities on exec.
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
    """Apply the resource limits and filters, then execute the command.

    :raises OSError: the isolation is incomplete.
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
    with suppress(PermissionError):  # The process may be a session leader already.
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
        # Without a PID namespace, the limit would count the user's other processes too.
        *(((resource.RLIMIT_NPROC, order["processes"]),) if is_apart else ()),
    ):
        with suppress(ValueError, OSError):  # A lower limit that is set already stays.
            resource.setrlimit(limit, (amount, amount))


def _filter(libc: ctypes.CDLL, program: str) -> None:
    """Install a seccomp filter for this process and its descendants."""
    code = bytes.fromhex(program)
    if not code:
        return
    held = ctypes.create_string_buffer(code, len(code))
    given = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    _must(libc.prctl(_SECCOMP, _FILTER, ctypes.c_char_p(given), 0, 0))


def _confine(libc: ctypes.CDLL, order: Order, *, reads: bool) -> int:
    """Use Landlock to prevent this process and its children from writing outside the copy and signaling others.

    :param reads: whether to prevent reading files that the order does not list, too.
    :returns: Landlock's ABI version; 0 if it is not available.
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
