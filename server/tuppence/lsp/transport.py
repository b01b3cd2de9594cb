"""Where the bytes come from: the standard streams, or one TCP client at a time on loopback.

A web page can make a browser send bytes to any port of this machine, and a reader that skips the header lines it does
not know would find the LSP message in the body of such a request. So a message may have the protocol's two headers and
no other: the first line that is anything else ends the connection before its message is run.

This file does not look into a message. How the standard streams are kept clean stands in lsp/protocol/stdio.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tuppence.errors import TuppenceError
from tuppence.lsp.protocol.framing import read_message
from tuppence.lsp.protocol.lifecycle import Server
from tuppence.lsp.protocol.stdio import PipeWriter, pipe_reader, take_streams

_SILENCE = 10.0
"""Seconds in which a TCP client must have sent its first message."""
_LOOK = 1.0
"""Seconds between two looks whether the editor still lives."""


def serve(config: Path | None, tcp: str | None) -> int:
    """Serve one editor on the standard streams, or one after the other at ``tcp`` (HOST:PORT); return the exit code."""
    try:
        if tcp is None:
            return asyncio.run(_serve_streams(config, *_streams()))
        return asyncio.run(_serve_tcp(config, *_address(tcp)))
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
    seat = _Seat(config)
    try:
        listener = await asyncio.start_server(seat.welcome, host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise TuppenceError(f"tuppence cannot listen on {host}:{port}: {reason}.", "Choose another port.") from error
    bound_host, bound_port = listener.sockets[0].getsockname()[:2]
    _say(f"listening on {f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}")
    _end_on_signal(seat.stop)
    await seat.ended.wait()
    listener.close()
    return seat.exit_code


async def _converse(server: Server, reader: asyncio.StreamReader, first: bytes | None = None) -> None:
    """Run one conversation to its end, however it ends, and clean up after it.

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
    """The place for the one TCP client; each gets a server of its own, so that nothing is left of the last one."""

    def __init__(self, config: Path | None) -> None:
        self.ended = asyncio.Event()
        """Set when a client sent ``exit``, or on a signal, and the seat is empty."""
        self.exit_code = 0
        """The process's exit code once it has ended."""
        self._config = config
        self._server: Server | None = None

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to a client that shows that it speaks the protocol, if the seat is free."""
        try:
            first = await asyncio.wait_for(read_message(reader), _SILENCE)
            if first is None:
                return
            if self._server is not None:
                _say("a second client was turned away: one at a time")
                return
            await self._seat(reader, writer, first)
        except (TuppenceError, TimeoutError, ConnectionError) as error:
            _say(f"a connection was closed: {str(error) or 'it stayed silent'}")
        finally:
            writer.close()

    def stop(self) -> None:
        """End the conversation, if there is one, and with it the serving."""
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
            # A client that only went away may come back; one that said `exit` meant it.
            if server.protocol.ended.is_set():
                self.exit_code = server.protocol.exit_code
                self.ended.set()


def _end_on_signal(stop: Callable[[], None]) -> None:
    """Make SIGINT and SIGTERM an orderly end, where the platform and the thread allow it."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop)


async def _watch_editor(server: Server) -> None:
    """End the conversation when the editor's process is gone; its pipes may outlive it in a child of its own.

    A process that can't be seen from the start is one of another machine or container.
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

    :raises TuppenceError: it is no address, or one that others can reach.
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
