"""Seccomp filters for test runs, as classic BPF programs in bytes.

A filter is a deny list, because the system calls that arbitrary projects' tests need cannot be listed. It denies what
bypasses the other isolation: Unix domain sockets (and datagram pairs, which can send to one), io_uring (which opens
sockets without a socket call), mounts, namespaces, access to other processes, kernel settings, input injection into
terminals, and every call newer than this list. A call for another architecture kills the process.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Instruction = tuple[int, int, int, int]
"""Opcode, jump if true, jump if false, operand."""

_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_KILL, _ERROR, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in ``struct seccomp_data``; an argument has 8 bytes, low half first."""
_NEWEST = 469
"""The highest call number known here. From 424 on, numbers are equal on all architectures; x32 numbers are higher."""
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_STREAM, _DATAGRAM, _SEQUENCE, _TYPE = 1, 2, 5, 0xF
_TCP = 6
_CONNECTS = 0x20000000
"""MSG_FASTOPEN: sending with this flag opens a connection."""
_NAMESPACES = 0x7E020000
"""All namespace flags of ``clone`` and ``unshare`` except CLONE_NEWTIME."""
_NEW_TIME = 0x80
_INTO_TERMINALS = (0x5412, 0x541C, 0x541D, 0x5423)
"""TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD."""
_WHO_IS_SIGNALLED = (0x8901, 0x8902)
"""FIOSETOWN, SIOCSPGRP."""
_OWNER_OF_SIGNALS = (8, 10, 15)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX."""
_SHARED_SEGMENT = 65_536
"""Maximum bytes of a System V shared memory segment, which no memory limit counts."""

_REFUSED = """
ptrace:101:117 process_vm_readv:310:270 process_vm_writev:311:271 kcmp:312:272 pidfd_getfd:438:438
process_madvise:440:440 process_mrelease:448:448 keyctl:250:219 add_key:248:217 request_key:249:218 bpf:321:280
userfaultfd:323:282 perf_event_open:298:241 fanotify_init:300:262 lookup_dcookie:212:18 quotactl:179:60
quotactl_fd:443:443 acct:163:89 swapon:167:224 swapoff:168:225 reboot:169:142 kexec_load:246:104
kexec_file_load:320:294 init_module:175:105 finit_module:313:273 delete_module:176:106 iopl:172: ioperm:173:
modify_ldt:154: settimeofday:164:170 clock_settime:227:112 clock_adjtime:305:266 sethostname:170:161
setdomainname:171:162 syslog:103:116 vhangup:153:58 mount:165:40 umount2:166:39 pivot_root:155:41 chroot:161:51
open_tree:428:428 move_mount:429:429 fsopen:430:430 fsconfig:431:431 fsmount:432:432 fspick:433:433
mount_setattr:442:442 open_tree_attr:467:467 name_to_handle_at:303:264 open_by_handle_at:304:265 setns:308:268
migrate_pages:256:238 uselib:134: ustat:136: sysfs:139: nfsservctl:180:42
"""
"""Name, number on x86-64, number on AArch64."""
_UNKNOWN = """
io_uring_setup:425:425 io_uring_enter:426:426 io_uring_register:427:427 clone3:435:435 memfd_create:319:279
memfd_secret:447:447
"""
"""Calls that fail with ENOSYS, so that programs use their fallback.

A filter cannot read the arguments of ``clone3``, and no limit counts the contents of memory files.
"""
_OF_OTHERS = """
sched_setaffinity:203:122 sched_setscheduler:144:119 sched_setparam:142:118 sched_setattr:314:274 prlimit64:302:261
move_pages:279:239
"""
"""Calls whose first argument is a process; only 0, the caller, is allowed if other processes are visible."""
_OUTSIDE = """
shmget:29:194 shmat:30:196 shmctl:31:195 semget:64:190 semop:65:193 semtimedop:220:192 semctl:66:191 msgget:68:186
msgsnd:69:189 msgrcv:70:188 msgctl:71:187 mq_open:240:180 mq_unlink:241:181 truncate:76:45 connect:42:203
listen:50:201
"""
"""Calls denied where a run shares the host's message queues, shared memory, files and network."""
_OF_FILES = """
chmod:90: fchmod:91:52 fchmodat:268:53 fchmodat2:452:452 chown:92: fchown:93:55 lchown:94: fchownat:260:54 utime:132:
utimes:235: futimesat:261: utimensat:280:88 setxattr:188:5 lsetxattr:189:6 fsetxattr:190:7 removexattr:197:14
lremovexattr:198:15 fremovexattr:199:16 setxattrat:463:463 removexattrat:466:466 file_setattr:469:469
"""
"""Calls that change modes, owners and times. Without a mount to protect outside files, they do nothing."""
_SIGNALS = """
kill:62:129 tkill:200:130 tgkill:234:131 rt_sigqueueinfo:129:138 rt_tgsigqueueinfo:297:240 pidfd_send_signal:424:424
"""
_LOOKED_AT = """
socket:41:198 socketpair:53:199 clone:56:220 unshare:272:97 ioctl:16:29 fcntl:72:25 shmget:29:194 personality:135:92
"""
_NETWORK = "socket:41:198 sendto:44:206 sendmsg:46:211 sendmmsg:307:269"
_PRIORITIES = "setpriority:141:140 ioprio_set:251:30"


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of one architecture, each a BPF program; empty for an unknown architecture."""

    apart: bytes = b""
    """For a run in its own mount, process, network and IPC namespaces."""
    scoped: bytes = b""
    """For a run without these namespaces, where Landlock prevents signals to other processes."""
    shared: bytes = b""
    """For a run without these namespaces, where only the filter prevents signals to other processes."""


def filters(machine: str = "") -> Filters:
    """Return the filters for a machine.

    :param machine: a value of ``platform.machine()``; empty for this machine.
    """
    known = {"x86_64": (0xC000003E, 1), "aarch64": (0xC00000B7, 2)}.get(machine or platform.machine())
    if known is None:
        return Filters()
    architecture, column = known

    def numbers(table: str) -> Mapping[str, int]:
        rows = (row.split(":") for row in table.split())
        return {row[0]: int(row[column]) for row in rows if row[column]}

    return Filters(*(_packed(_program(architecture, numbers, kind)) for kind in ("apart", "scoped", "shared")))


def _program(architecture: int, numbers: Callable[[str], Mapping[str, int]], kind: str) -> list[Instruction]:
    """Return the instructions: checks of the architecture and the call number, then a block for each call."""
    blocks: dict[int, list[Instruction]] = {}
    if kind != "apart":
        blocks |= dict.fromkeys(numbers(_OUTSIDE).values(), _refuse(errno.EPERM))
        blocks |= dict.fromkeys(numbers(_OF_FILES).values(), _refuse(0))
        blocks |= {number: _without_network(name) for name, number in numbers(_NETWORK).items()}
        blocks |= dict.fromkeys(numbers(_OF_OTHERS).values(), _only(0, (0,)))
        blocks |= {number: _of_one(3 if name == "ioprio_set" else 2) for name, number in numbers(_PRIORITIES).items()}
    if kind == "shared":
        blocks |= dict.fromkeys(numbers(_SIGNALS).values(), _refuse(errno.EPERM))
    for name, number in numbers(_LOOKED_AT).items():
        blocks.setdefault(number, _looked_at()[name])
    blocks |= dict.fromkeys(numbers(_REFUSED).values(), _refuse(errno.EPERM))
    blocks |= dict.fromkeys(numbers(_UNKNOWN).values(), _refuse(errno.ENOSYS))
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_ABOVE, 0, 1, _NEWEST),
        *_refuse(errno.ENOSYS),
    ]
    for number, block in sorted(blocks.items()):
        program += [(_EQUAL, 0, len(block), number), *block]
    return [*program, (_RETURN, 0, 0, _ALLOW)]


def _looked_at() -> Mapping[str, list[Instruction]]:
    """Return the blocks of the calls that are denied for some arguments only."""
    internet = [_argument(1), (_AND, 0, 0, _TYPE), *_choice((_STREAM, _DATAGRAM), errno.EPERM)]
    routing = [_argument(2), *_choice((0,), errno.EPERM)]
    return {
        "socket": [
            _argument(0),
            (_EQUAL, 3, 0, _INET),
            (_EQUAL, 2, 0, _INET6),
            (_EQUAL, 1 + len(internet), 0, _NETLINK),
            *_refuse(errno.EPERM),
            *internet,
            *routing,
        ],
        # A datagram pair can be connected to another socket; a stream pair cannot.
        "socketpair": [
            _argument(0),
            (_EQUAL, 1, 0, _UNIX),
            *_refuse(errno.EPERM),
            _argument(1),
            (_AND, 0, 0, _TYPE),
            *_choice((_STREAM, _SEQUENCE), errno.EPERM),
        ],
        "clone": _none_of(0, _NAMESPACES),
        "unshare": _none_of(0, _NAMESPACES | _NEW_TIME),
        "ioctl": _all_but(1, (*_INTO_TERMINALS, *_WHO_IS_SIGNALLED)),
        "fcntl": _all_but(1, _OWNER_OF_SIGNALS),
        "shmget": [_argument(1), (_ABOVE, 0, 1, _SHARED_SEGMENT), *_refuse(errno.ENOMEM), *_small_argument(1)],
        "personality": _only(0, (0, 0xFFFFFFFF)),
    }


def _without_network(name: str) -> list[Instruction]:
    """Return the block of a network call without a network namespace: a socket can be created but not used."""
    if name != "socket":
        return _none_of(2 if name == "sendmsg" else 3, _CONNECTS)
    stream = [_argument(1), (_AND, 0, 0, _TYPE), (_EQUAL, 1, 0, _STREAM), *_refuse(errno.EPERM)]
    domain = [_argument(0), (_EQUAL, 2, 0, _INET), (_EQUAL, 1, 0, _INET6), *_refuse(errno.EPERM)]
    return [*domain, *stream, *_only(2, (0, _TCP))]


def _argument(index: int, half: int = 0) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index + 4 * half)


def _refuse(error: int) -> list[Instruction]:
    return [(_RETURN, 0, 0, _ERROR | error)]


def _choice(allowed: Sequence[int], error: int) -> list[Instruction]:
    """Allow certain values of the loaded word."""
    tests = [(_EQUAL, len(allowed) - at, 0, value) for at, value in enumerate(allowed)]
    return [*tests, *_refuse(error), (_RETURN, 0, 0, _ALLOW)]


def _only(index: int, allowed: Sequence[int]) -> list[Instruction]:
    return [_argument(index), *_choice(allowed, errno.EPERM)]


def _of_one(users: int) -> list[Instruction]:
    """Allow changes to the calling process only, not to another process or to all processes of a user."""
    return [_argument(0), (_EQUAL, 0, 1, users), *_refuse(errno.EPERM), *_only(1, (0,))]


def _all_but(index: int, refused: Sequence[int]) -> list[Instruction]:
    tests = [(_EQUAL, len(refused) - at, 0, value) for at, value in enumerate(refused)]
    return [_argument(index), *tests, (_RETURN, 0, 0, _ALLOW), *_refuse(errno.EPERM)]


def _none_of(index: int, bits: int) -> list[Instruction]:
    return [_argument(index), (_ANY_BIT, 0, 1, bits), *_refuse(errno.EPERM), (_RETURN, 0, 0, _ALLOW)]


def _small_argument(index: int) -> list[Instruction]:
    """Deny an argument whose upper half is not 0."""
    return [_argument(index, 1), *_choice((0,), errno.ENOMEM)]


def _packed(program: Sequence[Instruction]) -> bytes:
    return b"".join(struct.pack("<HBBI", *each) for each in program)
