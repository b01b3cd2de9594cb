"""Ways out of a run, each a function that returns whether it got anywhere: run by tests/sandbox/test_walls.py.

The text of this file goes into a generated test; ``HERE`` says what is where outside. It imports only what Python has.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import mmap
import os
import platform
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

HERE: dict[str, Any] = {}
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.shmat.restype = ctypes.c_void_p
X86 = platform.machine() == "x86_64"
EXPECTED = (OSError, subprocess.SubprocessError, termios.error)
"""What a way out ends in that is closed; anything else is a fault of this file."""


def call(number: int, *arguments: Any) -> int:
    """Make a system call; raise where it fails."""
    status = int(LIBC.syscall(ctypes.c_long(number), *arguments))
    if status < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return status


def must(status: int) -> bool:
    if status < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return True


def in_a_child(deed: Callable[[], object]) -> bool:
    """Report whether a deed went well in a process of its own, which it may kill."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if deed() is not False else 1)
        except BaseException:  # noqa: BLE001 - the child must end here
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def connects(address: Any, kind: int = socket.SOCK_STREAM, family: int = socket.AF_UNIX) -> bool:
    with closing(socket.socket(family, kind)) as one:
        one.settimeout(2)
        one.connect(address)
        one.send(b"x")
    return True


def socket_by_path() -> bool:
    return connects(HERE["socket"])


def socket_in_the_run_time_folder() -> bool:
    return connects(HERE["run"])


def socket_in_the_environment() -> bool:
    return connects(HERE["venv_socket"])


def socket_in_the_home_folder() -> bool:
    return connects(HERE["home_socket"])


def socket_of_datagrams() -> bool:
    return connects(HERE["datagrams"], socket.SOCK_DGRAM)


def socket_without_a_file() -> bool:
    return connects(b"\0" + HERE["abstract"].encode())


def pair_of_datagrams_sent_elsewhere() -> bool:
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return one.sendto(b"x", HERE["datagrams"]) > 0


def pair_of_raw_sockets_connected_elsewhere() -> bool:
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW)
    one.connect(HERE["datagrams"])
    return True


def pair_of_streams_connected_elsewhere() -> bool:
    one, other = socket.socketpair()
    other.close()
    one.shutdown(socket.SHUT_RDWR)
    one.connect(HERE["socket"])
    return True


def socket_by_a_link_of_our_own() -> bool:
    Path("way").symlink_to(HERE["socket"])
    return connects("way")


def socket_by_the_root_of_another() -> bool:
    return connects(f"/proc/{HERE['process']}/root{HERE['socket']}")


def socket_by_the_other_numbers_of_calls() -> bool:
    return call(0x40000000 | 41, 1, 1, 0) >= 0 if X86 else False


def socket_by_calls_of_32_bits() -> bool:
    """Call socketcall(SOCKET, {AF_UNIX, SOCK_STREAM, 0}) by ``int 0x80``."""
    if not X86:
        return False

    def deed() -> bool:
        page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, 7)
        place = ctypes.addressof(ctypes.c_char.from_buffer(page))
        low = struct.pack("<I", (place + 512) & 0xFFFFFFFF)
        page[512:524] = struct.pack("<III", 1, 1, 0)
        page[:20] = b"\x53\xb8\x66\0\0\0\xbb\x01\0\0\0\xb9" + low + b"\xcd\x80\x5b\xc3"[:4]
        return int(ctypes.CFUNCTYPE(ctypes.c_int)(place)()) >= 0

    return in_a_child(deed)


def io_uring() -> bool:
    return call(425, 4, ctypes.create_string_buffer(120)) >= 0


def tmux() -> bool:
    folder = Path(HERE["tmux"])
    subprocess.run(["tmux", "-S", str(folder), "new-session", "-d", f"touch {HERE['canary']}"], check=True, timeout=5)
    return True


def netlink_of_the_firewall() -> bool:
    return bool(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12))


def raw_packets() -> bool:
    return bool(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))


def sockets_of_other_kinds() -> bool:
    opened = False
    for family in (38, 40, 31, 41, 42, 44, 21, 29):
        try:
            socket.socket(family, socket.SOCK_STREAM).close()
        except OSError:
            continue
        opened = True
    return opened


def tcp_outside() -> bool:
    return connects(("127.0.0.1", HERE["port"]), family=socket.AF_INET)


def tcp_by_the_first_packet() -> bool:
    with closing(socket.socket()) as one:
        return one.sendto(b"x", 0x20000000, ("127.0.0.1", HERE["port"])) > 0


def udp_outside() -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
        one.sendto(b"x", ("127.0.0.1", HERE["udp"]))
    return False  # It is sent into a network of its own, or not; the one outside says whether it came.


def reads_the_home_folder() -> bool:
    return "secret" in Path(HERE["key"]).read_text()


def reads_the_private_file_of_the_project() -> bool:
    return "secret" in Path(HERE["private"]).read_text()


def reads_another_file() -> bool:
    return "secret" in Path(HERE["other"]).read_text()


def reads_by_the_root_of_another() -> bool:
    return "secret" in Path(f"/proc/{HERE['process']}/root{HERE['key']}").read_text()


def reads_by_the_folder_of_the_first() -> bool:
    return any("secret" in Path(f"/proc/1/{each}{HERE['key']}").read_text() for each in ("root", "cwd"))


def reads_by_a_link() -> bool:
    Path("link").symlink_to(HERE["key"])
    return "secret" in Path("link").read_text()


def reads_shadow() -> bool:
    return bool(Path("/etc/shadow").read_bytes())


def reads_the_environment_of_another() -> bool:
    return b"=" in Path(f"/proc/{HERE['process']}/environ").read_bytes()


def reads_the_memory_of_the_first() -> bool:
    return os.open("/proc/1/mem", os.O_RDWR) >= 0


def reads_the_disk() -> bool:
    return any(os.open(each, os.O_RDONLY) >= 0 for each in HERE["disks"]) if HERE["disks"] else False


def inherits_a_file() -> bool:
    return os.read(HERE["inherited"], 1) == b"s"


def shares_memory() -> bool:
    number = LIBC.shmget(HERE["shm"], 0, 0o600)
    return must(number) and LIBC.shmat(number, None, 0) not in (None, ctypes.c_void_p(-1).value)


def shares_semaphores() -> bool:
    return must(LIBC.semget(HERE["shm"], 0, 0o600))


def shares_messages() -> bool:
    return must(LIBC.msgget(HERE["shm"], 0o600))


def shares_queues() -> bool:
    return must(LIBC.syscall(240 if X86 else 180, HERE["queue"].encode(), os.O_RDWR, 0, None))


def shares_a_file_in_memory() -> bool:
    return bool(Path(HERE["devshm"]).read_bytes())


def writes_a_file_in_memory() -> bool:
    Path(HERE["devshm"] + "-new").write_text("x")
    return False  # It may be the run's own; the test looks outside.


def ptrace() -> bool:
    return must(LIBC.ptrace(16, HERE["process"], None, None))


def ptrace_of_the_first() -> bool:
    return must(LIBC.ptrace(0x4206, 1, None, None))


def reads_memory_of_another() -> bool:
    into = ctypes.create_string_buffer(4)
    ours = (ctypes.c_size_t * 2)(ctypes.addressof(into), 4)
    theirs = (ctypes.c_size_t * 2)(HERE["address"], 4)
    return call(310 if X86 else 270, HERE["process"], ours, ctypes.c_ulong(1), theirs, ctypes.c_ulong(1), 0) > 0


def signals() -> bool:
    os.kill(HERE["process"], signal.SIGTERM)
    return True


def signals_all() -> bool:
    os.kill(HERE["group"], signal.SIGTERM)
    return True


def signals_by_an_owner() -> bool:
    one, _ = os.pipe()
    fcntl.fcntl(one, 10, signal.SIGTERM)
    fcntl.fcntl(one, fcntl.F_SETOWN, HERE["process"])
    return True


def limits_another() -> bool:
    import resource

    return bool(resource.prlimit(HERE["process"], resource.RLIMIT_CPU, (1, 1)))


def slows_all() -> bool:
    os.setpriority(os.PRIO_USER, os.getuid(), 19)
    return os.getpriority(os.PRIO_PROCESS, HERE["process"]) == 19


def joins_namespaces() -> bool:
    handle = os.open(f"/proc/{HERE['process']}/ns/net", os.O_RDONLY)
    return must(LIBC.setns(handle, 0))


def joins_those_of_the_first() -> bool:
    return must(LIBC.setns(os.open("/proc/self/ns/user", os.O_RDONLY), 0))


def nsenter() -> bool:
    return subprocess.run(["nsenter", "-t", str(HERE["process"]), "-a", "true"], check=False).returncode == 0


def makes_a_user() -> bool:
    return in_a_child(lambda: must(LIBC.unshare(0x10000000)))


def makes_a_user_by_clone() -> bool:
    child = LIBC.syscall(56 if X86 else 220, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return must(child)


def makes_a_user_by_clone3() -> bool:
    asked = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    child = LIBC.syscall(435, ctypes.byref(asked), 64)
    if child == 0:
        os._exit(0)
    return must(child)


def mounts() -> bool:
    Path("over").mkdir()
    return must(LIBC.mount(b"tmpfs", b"over", b"tmpfs", 0, None))


def opens_the_root_again() -> bool:
    return must(LIBC.mount(None, b"/", None, 0x20 | 0x1000, None))


def opens_a_mount_by_its_handle() -> bool:
    return call(428, -100, b"/usr", 1) >= 0


def opens_the_root_by_an_attribute() -> bool:
    return call(442, -100, b"/", 0x8000, ctypes.byref((ctypes.c_uint64 * 4)(0, 1, 0, 0)), ctypes.c_size_t(32)) >= 0


def unmounts() -> bool:
    return must(LIBC.umount2(b"/usr", 2))


def chroot() -> bool:
    os.chroot(".")
    return True


def names_a_file_by_its_handle() -> bool:
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    return call(303 if X86 else 264, -100, b"/usr", handle, ctypes.byref(ctypes.c_int()), 0) >= 0


def writes_the_system() -> bool:
    Path("/usr/written-by-a-test").write_text("x")
    return True


def writes_the_root() -> bool:
    Path("/written-by-a-test").write_text("x")
    return True


def writes_devices() -> bool:
    Path("/dev/written-by-a-test").write_text("x")
    return True


def writes_the_kernel() -> bool:
    setting = Path("/proc/sys/kernel/core_pattern")
    setting.write_text(setting.read_text())
    return True


def writes_the_kernel_s_trigger() -> bool:
    return os.open("/proc/sysrq-trigger", os.O_WRONLY) >= 0


def writes_groups() -> bool:
    return any(os.open(each, os.O_WRONLY) >= 0 for each in ("/sys/fs/cgroup/cgroup.procs", "/sys/power/state"))


def writes_the_project() -> bool:
    Path(HERE["project"], "stats.py").write_text("theirs")
    return False  # A folder of that name may be the run's own; the test looks outside.


def writes_a_hook() -> bool:
    Path(HERE["project"], ".git", "hooks", "pre-commit").write_text("theirs")
    return True


def writes_the_environment() -> bool:
    Path(HERE["venv"], "written-by-a-test.pth").write_text("import os")
    return True


def writes_the_interpreter() -> bool:
    Path(sys.base_prefix, "written-by-a-test").write_text("x")
    return True


def writes_the_copy_that_is_kept() -> bool:
    (Path.cwd().parent.parent / "origin" / "stats.py").write_text("theirs")
    return True


def changes_a_mode() -> bool:
    Path(HERE["other"]).chmod(0o777)
    return Path(HERE["other"]).stat().st_mode & 0o777 == 0o777


def changes_a_time() -> bool:
    os.utime(HERE["other"], (1, 1))
    return int(Path(HERE["other"]).stat().st_mtime) == 1


def truncates() -> bool:
    os.truncate(HERE["other"], 0)
    return True


def links_out_of_the_copy() -> bool:
    os.link(HERE["other"], "mine")
    return True


def renames_out_of_the_copy() -> bool:
    Path("thing").write_text("x")
    Path("thing").rename(HERE["other"])
    return True


def puts_words_into_a_terminal() -> bool:
    _, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSTI, b"x")
    return True


def puts_words_into_a_terminal_by_a_long_number() -> bool:
    _, terminal = os.openpty()
    return call(16 if X86 else 29, terminal, ctypes.c_ulong(0x100000000 | termios.TIOCSTI), b"x") >= 0


def adds_a_key() -> bool:
    return call(248 if X86 else 217, b"user", b"a", b"b", ctypes.c_size_t(1), -3) >= 0


def loads_a_program_into_the_kernel() -> bool:
    return call(321 if X86 else 280, 0, ctypes.create_string_buffer(128), 128) >= 0


def watches_the_kernel() -> bool:
    return (
        call(298 if X86 else 241, ctypes.create_string_buffer(struct.pack("II", 1, 128) + bytes(120)), 0, -1, -1, 0)
        >= 0
    )


def handles_page_faults() -> bool:
    return call(323 if X86 else 282, 1) >= 0


def keeps_files_in_no_folder() -> bool:
    return call(319 if X86 else 279, b"a", 0) >= 0


def takes_a_segment(size: int) -> bool:
    """Make a segment of shared memory and remove it; return whether it was made."""
    number = LIBC.shmget(0, ctypes.c_size_t(size), 0o1600)
    return must(number) and must(LIBC.shmctl(number, 0, None))


def takes_a_large_segment() -> bool:
    return takes_a_segment(1 << 30)


def takes_a_segment_larger_than_32_bits() -> bool:
    return takes_a_segment(1 << 32)


def has_powers() -> bool:
    lines = Path("/proc/self/status").read_text().splitlines()
    return any(int(line.split()[1], 16) for line in lines if line.startswith(("CapPrm", "CapEff", "CapInh", "CapAmb")))


def may_get_powers() -> bool:
    return "NoNewPrivs:\t1" not in Path("/proc/self/status").read_text()


def makes_a_device() -> bool:
    os.mknod("disk", 0o60600, os.makedev(254, 0))
    return True


def fills_memory_by_files() -> bool:
    """Write until there is no room, in all folders; report whether it was more than a run may write."""
    block, total = bytes(1 << 22), 0
    for folder in (".", "/tmp", "/dev/shm", "/dev", "/", "/run", "/var/tmp"):  # noqa: S108
        try:
            for number in range(1000):
                with Path(folder, f"large-{number}").open("wb", buffering=0) as file:
                    while file.tell() < 100_000_000:
                        total += file.write(block)
                        if total > HERE["most"]:
                            return True
        except OSError:
            pass
    for path in (*Path().glob("large-*"), *Path("/tmp").glob("large-*"), *Path("/dev/shm").glob("large-*")):  # noqa: S108
        path.unlink()
    return False


def leaves_a_core() -> bool:
    def deed() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))

    return in_a_child(deed)


def ways() -> dict[str, Callable[[], bool]]:
    """Return all ways out by name."""
    helpers = {"call", "must", "in_a_child", "connects", "takes_a_segment", "ways", "tried"}
    here = {
        name: each for name, each in globals().items() if callable(each) and getattr(each, "__module__", "") == __name__
    }
    return {name: each for name, each in here.items() if name not in helpers and not name.startswith("test")}


def tried(skipped: tuple[str, ...] = ()) -> str:
    """Try each, and return as JSON which got out and which failed by a fault of their own."""
    out, faults = [], {}
    for name, way in ways().items():
        if name in skipped:
            continue
        try:
            if way():
                out.append(name)
        except EXPECTED:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is to be known
            faults[name] = repr(error)
    return json.dumps({"out": out, "faults": faults, "tried": len(ways()) - len(skipped)})
