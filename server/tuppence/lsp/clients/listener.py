"""Accepts connections one by one, and asks of each whose it is before anything else happens to it.

A connection of another user is closed as soon as that is known: no byte of it is read, and it never has more than one
descriptor here, however many he opens. The kernel's queue holds back the others meanwhile.
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
"""Connections that the kernel keeps until they are accepted; a client that finds it full tries again a second later."""
_PAUSE = 0.1
"""Seconds until the next try, where the process or the system has no descriptor left."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A connection that may be the user's own."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_known: bool
    """Whether the system says that it is; False where it says nothing."""


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address of this machine, port 0 for any that is free.

    :raises TuppenceError: that is not possible.
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
    """Yield the connections that may be the user's own, for ever; ``say`` gets a sentence about any other."""
    loop = asyncio.get_running_loop()
    listener.settimeout(0)
    while True:
        try:
            connection, _ = await loop.sock_accept(listener)
        except ConnectionError:  # It was gone before it was accepted.
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
    """Close a connection with one message, as far as that can be sent without waiting."""
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.send(frame(error.body))
        connection.shutdown(socket.SHUT_WR)
