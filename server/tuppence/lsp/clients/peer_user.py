"""Which user of this machine is at the other end of a connection, by what the kernel says of it.

Linux says it: of a socket that is a file by SO_PEERCRED, of a connection on loopback by sock_diag(7), which is asked
for the client's own end of it, or where that is not there in ``/proc/net/tcp`` and ``tcp6``. What it says counts only
while that end is open and connected: once it is closed the kernel gives 0 for the user, which would read as root.
Elsewhere, and for connections whose other end is in another network namespace or behind a redirection, the system does
not say it, and the answer is None.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from asyncio import trsock
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_OVERFLOW = Path("/proc/sys/kernel/overflowuid")
_USUAL_OVERFLOW = 65534
_PIECE = 1 << 16
_CREDENTIALS = struct.Struct("3i")
_OPEN = 1
"""The kernel's number for the state "established"."""
_STATE, _USER, _INODE = 3, 7, 9
"""The columns of a row."""

# From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
_SOCK_DIAG, _REQUEST, _SECONDS = 4, 1, 5.0
_BY_FAMILY = 20
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=4BI")
_NO_COOKIE = struct.pack("=3I", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_ANSWER = struct.Struct("=BB2x2s2s32x12x12xII")
"""Family, state, the ports at both ends, user and inode."""

Connected = socket.socket | trsock.TransportSocket


def peer_user(connection: Connected) -> int | None:
    """Return the user at the other end of a connection, None where the system does not say; reads files."""
    if sys.platform != "linux":
        return None
    try:
        found = _of_file(connection) if connection.family == socket.AF_UNIX else _of_loopback(connection)
        return None if found is None or found == _nameless() else found
    except (OSError, ValueError, IndexError):
        return None


def _nameless() -> int:
    """Return the user whom the kernel gives for those of other user namespaces: it may be anybody."""
    try:
        return int(_OVERFLOW.read_text("ascii"))
    except OSError:
        return _USUAL_OVERFLOW


def is_known() -> bool:
    """Report whether this system says who is at the other end of a connection on loopback."""
    return sys.platform == "linux" and os.access(_TABLES[0], os.R_OK)


def _of_file(connection: Connected) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    assert isinstance(raw, bytes)
    user: int = _CREDENTIALS.unpack(raw)[1]
    return user


def _of_loopback(connection: Connected) -> int | None:
    """Return the user of the other end of a TCP connection.

    Of all connections on this machine only one has these two addresses and ports.
    """
    theirs, ours = connection.getpeername(), connection.getsockname()
    try:
        return _asked(connection.family, theirs, ours)
    except OSError:  # A container may have no such socket, and a kernel no such module.
        users = [user for table in _TABLES for user in _users(table, _rows(theirs), _rows(ours))]
        return users[0] if len(users) == 1 else None


def _asked(family: int, theirs: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """Ask the kernel for the user of the socket at their end; None where that end is not open.

    :raises OSError: it says nothing of it.
    """
    hosts = b"".join(socket.inet_pton(family, host).ljust(16, b"\0") for host in (theirs[0], ours[0]))
    ports = struct.pack("!H", theirs[1]), struct.pack("!H", ours[1])
    question = _QUESTION.pack(family, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + b"".join(ports) + hosts + _NO_COOKIE
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, 1, 0) + question)
        said = kernel.recv(_PIECE)
    if len(said) < _HEADER.size + _ANSWER.size or _HEADER.unpack_from(said)[1] != _BY_FAMILY:
        raise OSError("no answer")
    _, state, near, far, user, inode = _ANSWER.unpack_from(said, _HEADER.size)
    return user if state == _OPEN and (near, far) == ports and inode else None


def _users(table: Path, theirs: tuple[bytes, ...], ours: tuple[bytes, ...]) -> Iterator[int]:
    wanted = {b": " + here + b" " + there + b" " for here, there in zip(theirs, ours, strict=True)}
    try:
        for line in _lines(table):
            if any(each in line for each in wanted):
                columns = line.decode("ascii").split()
                if int(columns[_STATE], 16) == _OPEN and columns[_INODE] != "0":
                    yield int(columns[_USER])
    except FileNotFoundError:  # A kernel without IPv6.
        return


def _lines(table: Path) -> Iterator[bytes]:
    """Yield a table's lines that may be a row, in pieces: others can make it long, and reading it lets threads run."""
    with table.open("rb", buffering=_PIECE) as file:
        yield from file


def _rows(address: tuple[str, int]) -> tuple[bytes, ...]:
    """Return how an address with its port is written in the tables: as IPv4 and as its image in IPv6, or as IPv6.

    Each 32 bits are written as the number that they are in this machine's memory.
    """
    host, port = ip_address(address[0].partition("%")[0]), address[1]
    if isinstance(host, IPv6Address) and host.ipv4_mapped:
        host = host.ipv4_mapped
    images = (host, IPv6Address(b"\0" * 10 + b"\xff\xff" + host.packed)) if isinstance(host, IPv4Address) else (host,)
    return tuple(b"%b:%04X" % (_hex(each.packed), port) for each in images)


def _hex(packed: bytes) -> bytes:
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return b"".join(b"%08X" % word for word in words)
