"""Transport the bytes: over the standard streams, or with one client at a time over a socket or loopback.

Other users of the machine can connect to loopback: lsp/clients/admission.py decides who is admitted before a message is
parsed. Clients that are not yet admitted do not occupy the seat, use few descriptors, and only for a short time.

A web page can make a browser send bytes to any port of this machine, and a reader that skips unknown header lines would
find the LSP message in the body of such a request. So a message may have only the protocol's two headers: the first
line that is anything else ends the connection before its message is run.

This module does not parse messages. lsp/protocol/stdio.py reserves the standard streams for the protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from tuppence.errors import TuppenceError
from tuppence.lsp.protocol.framing import frame, read_message
from tuppence.lsp.protocol.lifecycle import Server
from tuppence.lsp.protocol.stdio import PipeWriter, pipe_reader, take_streams

if TYPE_CHECKING:
    from tuppence.lsp.clients.listener import Caller

_SILENCE = 10.0
"""Seconds within which a socket client must have sent its first message."""
_WAITING = 16
"""The most clients that may wait before their first message. With one more, the longest waiting client is dropped."""
_FIRST = 1 << 20
"""The largest first message of an unknown client in bytes."""
_LOOK = 1.0
"""Seconds between two checks that the editor is still running."""


def serve(config: Path | None, tcp: str | None, socket: Path | None = None) -> int:
    """Serve one editor on the standard streams; return the exit code.

    :param tcp: HOST:PORT on loopback, where one editor after the other is served instead.
    :param socket: a file that is made a socket, where one editor after the other is served instead.
    """
    try:
        if socket is not None:
            return asyncio.run(_serve_socket(config, socket))
        if tcp is not None:
            return asyncio.run(_serve_tcp(config, *_address(tcp)))
        return asyncio.run(_serve_streams(config, *_streams()))
    except TuppenceError as error:
        _say(str(error))
        return 2


async def _serve_streams(config: Path | None, incoming: int, outgoing: int) -> int:
    server = _create(config)
    ended = server.protocol.ended
    writer = PipeWriter(outgoing, ended.set)
    server.protocol.set_writer(writer)
    watch = asyncio.create_task(_watch_editor(server))
    try:
        _end_on_signal(ended.set)
        await _converse(server, pipe_reader(incoming))
    finally:
        watch.cancel()
        writer.close()
    return server.protocol.exit_code


async def _serve_tcp(config: Path | None, host: str, port: int) -> int:
    from tuppence.lsp.clients.listener import listen

    with listen(host, port) as listener:
        bound_host, bound_port = listener.getsockname()[:2]
        _say(f"listening on {f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}")
        return await _Seat(config).serve(listener)


async def _serve_socket(config: Path | None, path: Path) -> int:
    from tuppence.lsp.clients.socket_file import SocketFile

    file = SocketFile(path)
    try:
        _say(f"listening at {file.path}")
        return await _Seat(config).serve(file.listener)
    finally:
        file.close()


async def _converse(server: Server, reader: asyncio.StreamReader, first: bytes | None = None) -> None:
    """Run one conversation until it ends for any reason, and clean up after it.

    :raises Broken: the other side does not speak the protocol.
    """
    reading = asyncio.create_task(_receive_all(server, reader, first))
    ending = asyncio.create_task(server.protocol.ended.wait())
    try:
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
    finally:
        reading.cancel()
        ending.cancel()
        await server.protocol.wind_up()
        await server.tidy_up()
        server.shutdown()  # type: ignore[no-untyped-call]  # pygls does not annotate it


async def _receive_all(server: Server, reader: asyncio.StreamReader, first: bytes | None) -> None:
    body = first if first is not None else await read_message(reader)
    while body is not None:
        server.protocol.receive(body)
        # What a request asks about is the text as it is now: let its task begin before the next change is applied.
        await asyncio.sleep(0)
        body = await read_message(reader)


class _Seat:
    """The place for the single client. Each client gets its own server, so that no state is left from the last one."""

    def __init__(self, config: Path | None) -> None:
        from tuppence.lsp.clients.admission import Admission

        self.ended = asyncio.Event()
        """Set when a client sent ``exit``, or on a signal, and the seat is empty."""
        self.exit_code = 0
        """The process's exit code once it has ended."""
        self.admission = Admission()
        self._config = config
        self._server: Server | None = None
        self._waiting: list[Caller] = []

    async def serve(self, listener: socket.socket) -> int:
        """Serve one client after the other until the end; return the exit code."""
        from tuppence.lsp.clients import peer_user

        if not peer_user.is_known():
            self.admission.token.text()
            _say(f"a client has to send the text of {self.admission.token.path} as initializationOptions.token")
        _end_on_signal(self.stop)
        accepting = asyncio.create_task(self._accept(listener))
        ending = asyncio.create_task(self.ended.wait())
        await asyncio.wait({accepting, ending}, return_when=asyncio.FIRST_COMPLETED)
        if accepting.done():
            accepting.result()
        accepting.cancel()
        return self.exit_code

    async def _accept(self, listener: socket.socket) -> None:
        from tuppence.lsp.clients.listener import accept

        talks: set[asyncio.Task[None]] = set()
        async with aclosing(accept(listener, self.admission, _say)) as clients:
            async for client in clients:
                talk = asyncio.create_task(self._welcome(client))
                talks.add(talk)
                talk.add_done_callback(talks.discard)

    async def _welcome(self, client: Caller) -> None:
        """Serve a client that is admitted and proves that it speaks the protocol, if the seat is free."""
        from tuppence.lsp.clients.admission import NotAdmitted

        try:
            first = await self._first(client)
            if first is None:
                return
            if self._server is not None:
                _say("a second client was turned away: one at a time")
                return
            await self._seat(client.reader, client.writer, first)
        except NotAdmitted as error:
            client.writer.write(frame(error.body))
            _say(f"a client was turned away: {error.message}")
        except (TuppenceError, TimeoutError, ConnectionError) as error:
            _say(f"a connection was closed: {str(error) or 'it stayed silent'}")
        finally:
            client.writer.close()

    async def _first(self, client: Caller) -> bytes | None:
        """Return the first message of an admitted client, or None if it disconnected.

        If too many clients wait, the one that has waited longest is dropped.

        :raises NotAdmitted: the client is not admitted.
        """
        self._waiting.append(client)
        if len(self._waiting) > _WAITING:
            self._waiting.pop(0).writer.transport.abort()
        try:
            first = await asyncio.wait_for(read_message(client.reader, None if client.is_known else _FIRST), _SILENCE)
        finally:
            if client in self._waiting:
                self._waiting.remove(client)
        if first is not None and not client.is_known:
            await asyncio.to_thread(self.admission.check, first)
        return first

    def stop(self) -> None:
        """End the conversation, if there is one, and stop serving."""
        if self._server is None:
            self.ended.set()
        else:
            self._server.protocol.ended.set()

    async def _seat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes) -> None:
        self._server = server = _create(self._config)
        server.protocol.set_writer(writer)
        try:
            await _converse(server, reader, first)
        finally:
            self._server = None
            # A client that only disconnected may return; `exit` ends the server.
            if server.protocol.ended.is_set():
                self.exit_code = server.protocol.exit_code
                self.ended.set()


def _end_on_signal(stop: Callable[[], None]) -> None:
    """Shut down in order on SIGINT, SIGTERM and SIGHUP, where the platform and the thread allow it."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop)


async def _watch_editor(server: Server) -> None:
    """End the conversation when the editor's process is gone; its pipes may live on in one of its child processes.

    If the process cannot be seen from the start, it belongs to another machine or container.
    """
    await server.protocol.began.wait()
    process = server.process_id or 0
    if not _lives(process):
        return
    while _lives(process):  # noqa: ASYNC110 - the end of a process that is not our child is no event
        await asyncio.sleep(_LOOK)
    server.protocol.ended.set()


def _lives(process: int) -> bool:
    if os.name == "nt" or process <= 0:  # On Windows signal 0 is a Ctrl+C; 0 and below are groups.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _streams() -> tuple[int, int]:
    if os.isatty(0):
        _say("tuppence serve is started by an editor: it speaks the Language Server Protocol on its standard streams.")
    return take_streams()


def _address(tcp: str) -> tuple[str, int]:
    """Return host and port.

    :raises TuppenceError: the address is invalid, or others can reach it.
    """
    host, _, port = tcp.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    if not (host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise TuppenceError(f"`{tcp}` is not an address.", "Give HOST:PORT, such as 127.0.0.1:7373.")
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise TuppenceError(f"tuppence serves this machine only, and `{host}` is not loopback.", "Use 127.0.0.1.")
    return host, int(port)


def _create(config: Path | None) -> Server:
    from tuppence.lsp.server import create_server

    return create_server(config)


def _say(sentence: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
