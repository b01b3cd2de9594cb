"""Accept connections one at a time and identify the peer of each first.

A connection of another user is closed at once: nothing is read from it, and it uses at most one file descriptor,
however many connections that user opens. Further connections wait in the kernel's queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from tuppence.errors import TuppenceError
from tuppence.lsp.clients.admission import Admission, NotAdmitted
from tuppence.lsp.protocol.framing import frame

QUEUE = 128
"""Length of the kernel's queue of unaccepted connections; a client that finds it full retries after a second."""
_PAUSE = 0.1
"""Seconds before the next attempt after running out of file descriptors."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A connection that may belong to the user."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_known: bool
    """Whether the kernel identified the peer as the user."""


def listen(host: str, port: int) -> socket.socket:
    """Listen on a local address; port 0 selects a free port.

    :raises TuppenceError: the address is not available.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=QUEUE)
    except OSError as error:
        reason = error.strerror or str(error)
        raise TuppenceError(f"tuppence cannot listen on {host}:{port}: {reason}.", "Choose another port.") from error


async def accept(
    listener: socket.socket, admission: Admission, say: Callable[[str], None]
) -> AsyncGenerator[Caller, None]:
    """Yield connections that may belong to the user, forever; ``say`` gets a sentence about each rejected one."""
    loop = asyncio.get_running_loop()
    listener.settimeout(0)
    while True:
        try:
            connection, _ = await loop.sock_accept(listener)
        except ConnectionError:  # The client disconnected before the connection was accepted.
            continue
        except OSError:
            await asyncio.sleep(_PAUSE)
            continue
        try:
            is_known = await asyncio.to_thread(admission.recognize, connection)
            reader, writer = await asyncio.open_connection(sock=connection)
        except NotAdmitted as error:
            say(f"a client was turned away: {error.message}")
            _refuse(connection, error)
        except OSError:
            connection.close()
        except BaseException:
            connection.close()
            raise
        else:
            yield Caller(reader, writer, is_known)


def _refuse(connection: socket.socket, error: NotAdmitted) -> None:
    """Send one message, as far as possible without blocking, and close the connection."""
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.send(frame(error.body))
        connection.shutdown(socket.SHUT_WR)
