"""Identify the local user at the other end of a connection, as the kernel reports it.

On Linux, SO_PEERCRED reports the user of a Unix domain socket. For a loopback connection, sock_diag(7) is asked about
the client's socket, or ``/proc/net/tcp`` and ``tcp6`` are read where it is missing. The result is valid only while the
client's socket is open and connected: for a closed one the kernel reports user 0, which would mean root. The user is
unknown (None) on other systems, and if the peer is in another network namespace or behind a redirection.
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
_READS = 5
"""Maximum number of times that the tables are read. The kernel writes a table in pieces, so a row can be missing from
one reading, or be in it twice, while other connections open and close."""
_OPEN = 1
"""TCP_ESTABLISHED."""
_STATE, _USER, _INODE = 3, 7, 9
"""Column numbers of a row in ``/proc/net/tcp``."""

# From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
_SOCK_DIAG, _REQUEST, _SECONDS = 4, 1, 5.0
_BY_FAMILY = 20
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=4BI")
_NO_COOKIE = struct.pack("=3I", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_ANSWER = struct.Struct("=BB2x2s2s32x12x12xII")
"""Family, state, both ports, user and inode."""

Connected = socket.socket | trsock.TransportSocket


def peer_user(connection: Connected) -> int | None:
    """Return the user id at the other end of a connection; None if unknown. May read files."""
    if sys.platform != "linux":
        return None
    try:
        found = _of_file(connection) if connection.family == socket.AF_UNIX else _of_loopback(connection)
        return None if found is None or found == _nameless() else found
    except (OSError, ValueError, IndexError):
        return None


def _nameless() -> int:
    """Return the overflow user id, which the kernel reports for users of other user namespaces."""
    try:
        return int(_OVERFLOW.read_text("ascii"))
    except OSError:
        return _USUAL_OVERFLOW


def is_known() -> bool:
    """Return whether this system can identify the peer of a loopback connection."""
    return sys.platform == "linux" and os.access(_TABLES[0], os.R_OK)


def _of_file(connection: Connected) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    assert isinstance(raw, bytes)
    user: int = _CREDENTIALS.unpack(raw)[1]
    return user


def _of_loopback(connection: Connected) -> int | None:
    """Return the user id at the other end of a TCP connection.

    Both addresses and ports together identify one connection on this machine.
    """
    theirs, ours = connection.getpeername(), connection.getsockname()
    try:
        return _asked(connection.family, theirs, ours)
    except OSError:  # sock_diag may be unavailable in a container, or missing in the kernel.
        for _ in range(_READS):
            users = [user for table in _TABLES for user in _users(table, _rows(theirs), _rows(ours))]
            if len(users) == 1:
                return users[0]
        return None


def _asked(family: int, theirs: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """Ask sock_diag for the user of the client's socket; None if that socket is not open.

    :raises OSError: sock_diag gave no answer.
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
    except FileNotFoundError:  # The kernel has no IPv6.
        return


def _lines(table: Path) -> Iterator[bytes]:
    """Yield lines of a table, read in pieces: other users can make it long, and reading in pieces lets threads run."""
    with table.open("rb", buffering=_PIECE) as file:
        yield from file


def _rows(address: tuple[str, int]) -> tuple[bytes, ...]:
    """Return an address and port as written in the tables: IPv4 plus its IPv4-mapped IPv6 form, or IPv6.

    Each 32-bit word is written in the machine's byte order.
    """
    host, port = ip_address(address[0].partition("%")[0]), address[1]
    if isinstance(host, IPv6Address) and host.ipv4_mapped:
        host = host.ipv4_mapped
    images = (host, IPv6Address(b"\0" * 10 + b"\xff\xff" + host.packed)) if isinstance(host, IPv4Address) else (host,)
    return tuple(b"%b:%04X" % (_hex(each.packed), port) for each in images)


def _hex(packed: bytes) -> bytes:
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return b"".join(b"%08X" % word for word in words)
