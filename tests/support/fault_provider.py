r"""A provider that fails below HTTP: a server on loopback that sends the bytes of a script, valid or not.

    async with FaultProvider() as provider:
        provider.script(refusal(503, {"retry-after": "7"}), whole("answer"))  # one script a request, in order
        provider.script([head(), chunk(b"data: {"), RESET])                   # a script is a list of steps
        provider.always(lambda request: [head(), *repeat(chunk(b": ping\n\n"))])  # or a function of the request
        ...
        assert len(provider.requests) == 2

The steps of a script: bytes are sent; ``PAUSE`` lets the client read them; an ``asyncio.Event`` is awaited; ``SILENCE``
waits until the client disconnects; ``DROP`` closes the connection; ``RESET`` resets it (SO_LINGER). A number waits this
many seconds, which pass at once in virtual time (``virtual_time.Sockets``), as do a client's time-outs. Where
well-formed HTTP is enough, ``scripted_provider`` is easier to use.

A script begins once the whole request was read, or at the point that ``begins`` names. After its script, a connection
continues with the next request, as HTTP specifies. The path of a request selects the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, Self

from scripted_provider import USAGE, WireName, events

TURNS = 8
"""Turns of the event loop after which a client on the same loop has read what was sent."""


class Step(Enum):
    """The steps of a script other than sending bytes."""

    PAUSE = "let the client read what was sent"
    SILENCE = "wait until the client leaves"
    DROP = "close the connection in order"
    RESET = "reset the connection"


PAUSE, SILENCE, DROP, RESET = Step.PAUSE, Step.SILENCE, Step.DROP, Step.RESET


@dataclass(frozen=True)
class Arrived:
    """One request, as far as it was read before its script began."""

    path: str
    headers: Mapping[str, str]
    """The headers, with names in lower case."""
    body: bytes
    connection: int
    """The number of its connection, from 0."""

    @property
    def wire(self) -> WireName:
        """The wire format that the path belongs to."""
        return "anthropic" if self.path.endswith("/messages") else "openai"

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


Steps = Iterable[bytes | float | asyncio.Event | Step]
_Step = bytes | float | asyncio.Event | Step
Script = Callable[[Arrived], Steps] | Steps
"""The answer to one request. Use a function if the steps are a generator or depend on the wire."""
Begin = Literal["connected", "headers", "body"]
"""When a script begins: before anything of the request is read, after its headers, or after its body."""


class FaultProvider:
    """The server, an async context manager. It answers a request beyond the script with a plain 418."""

    def __init__(self, tls: ssl.SSLContext | None = None, begins: Begin = "body") -> None:
        self.requests: list[Arrived] = []
        """All requests that arrived, retries included."""
        self.connections = 0
        """The number of accepted connections, without those whose TLS handshake failed."""
        self.port = 0
        self.begins: Begin = begins
        self._tls = tls
        self._scripts: deque[Script] = deque()
        self._always: Script = refusal(418)
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def open(self) -> int:
        """The number of connections that are open on the server's side."""
        return len(self._open)

    @property
    def serving(self) -> set[asyncio.Task[Any]]:
        """The tasks that serve the open connections."""
        return set(self._open)

    def base(self, wire: WireName, host: str = "127.0.0.1") -> str:
        """Return the ``base_url`` of a provider that uses this wire."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{host}:{self.port}{'' if wire == 'anthropic' else '/v1'}"

    def script(self, *scripts: Script) -> None:
        """Add scripts, one for each future request."""
        self._scripts.extend(scripts)

    def always(self, script: Script) -> None:
        """Answer all requests beyond the scripts in this way."""
        self._always = script

    def forget(self) -> None:
        """Discard the unused scripts and the recorded requests."""
        self._scripts.clear()
        self._always = refusal(418)
        self.requests.clear()
        self.begins = "body"

    async def left(self) -> None:
        """Wait until all connections are closed. Only the time-out of the test limits the wait."""
        while self._open:
            await asyncio.wait(self._open)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        number, self.connections = self.connections, self.connections + 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(_Connection(reader, writer), number)
        finally:
            writer.transport.abort()
            self._open.discard(task)

    async def _serve(self, connection: _Connection, number: int) -> None:
        while self.begins == "connected" or await connection.waits_for_a_byte():
            request = await connection.request(number, self.begins)
            self.requests.append(request)
            script = self._scripts.popleft() if self._scripts else self._always
            for step in script(request) if callable(script) else script:
                if not await connection.play(step):
                    return
            if self.begins == "connected":
                return


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    first: bytes = b""

    async def waits_for_a_byte(self) -> bool:
        """Return whether another byte arrives before the client disconnects."""
        if not self.first:
            with contextlib.suppress(ConnectionError):
                self.first = await self.reader.read(1)
        return bool(self.first)

    async def request(self, number: int, begins: Begin) -> Arrived:
        """Read a request as far as a script requires."""
        first, self.first = self.first, b""
        if begins == "connected":
            return Arrived("", {}, b"", number)
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.strip().split("\r\n")
        pairs = (each.partition(":") for each in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        size = int(headers.get("content-length", "0")) if begins == "body" else 0
        return Arrived(line.split(" ")[1], headers, await self.reader.readexactly(size), number)

    async def play(self, step: bytes | float | asyncio.Event | Step) -> bool:
        """Perform one step; return whether the connection is still open."""
        match step:
            case bytes():
                self.writer.write(step)
                await self.writer.drain()
            case float() | int():
                return await self._waits_for(asyncio.sleep(step))
            case asyncio.Event():
                return await self._waits_for(step.wait())
            case Step.PAUSE:
                await turns()
            case Step.SILENCE:
                while await self.waits_for_a_byte():
                    self.first = b""
                return False
            case Step.DROP:
                self.writer.close()
                with contextlib.suppress(OSError):
                    await self.writer.wait_closed()
                return False
            case Step.RESET:
                raw: socket.socket = self.writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.writer.transport.abort()
                return False
        return True

    async def _waits_for(self, what: Awaitable[object]) -> bool:
        """Wait for something; return whether it happened before the client disconnected."""
        leaving, waiting = asyncio.ensure_future(self.waits_for_a_byte()), asyncio.ensure_future(what)
        try:
            await asyncio.wait((leaving, waiting), return_when=asyncio.FIRST_COMPLETED)
            return waiting.done() or bool(self.first)
        finally:
            for each in (leaving, waiting):
                each.cancel()
            await asyncio.gather(leaving, waiting, return_exceptions=True)


def steps(*each: _Step) -> Steps:
    """Return steps of several types as one script."""
    return each


async def turns(count: int = TURNS) -> None:
    """Yield to the event loop this many times."""
    for _ in range(count):
        await asyncio.sleep(0)


def head(
    status: int | str = "200 OK",
    headers: Mapping[str, str | None] | None = None,
    *,
    version: str = "1.1",
    extra: bytes = b"",
) -> bytes:
    """Return a status line and the headers of a chunked event stream, changed by ``headers``; None removes a header.

    :param extra: further lines, sent verbatim.
    """
    usual: dict[str, str | None] = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    fields = usual | dict(headers or {})
    if "content-length" in fields:
        fields["transfer-encoding"] = None
    line = f"{status} Scripted" if isinstance(status, int) else status
    lines = [f"HTTP/{version} {line}", *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n" + extra + b"\r\n"


def chunk(data: bytes) -> bytes:
    """Return one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


END = b"0\r\n\r\n"
"""The end of a chunked body."""


def body(wire: WireName, text: str, **how: Any) -> bytes:
    """Return the body of a complete answer on a wire; ``how`` is as for ``scripted_provider.events``."""
    return b"".join(events(wire, text, **{"usage": USAGE, **how}))


def whole(text: str, **how: Any) -> Callable[[Arrived], Steps]:
    """Return a script that sends a valid answer on either wire."""
    return lambda request: [head(), chunk(body(request.wire, text, **how)), END]


def plain(
    status: int | str, content: bytes = b"", headers: Mapping[str, str | None] | None = None, **how: Any
) -> list[bytes]:
    """Return a script that answers with a body of known length, by default without a content type."""
    fields = {"content-type": None, "content-length": str(len(content)), **(headers or {})}
    return [head(status, fields, **how), content]


def refusal(status: int | str, headers: Mapping[str, str | None] | None = None, error: Any = None) -> list[bytes]:
    """Return a script that answers with an error in the form that both wires share."""
    about = {"type": "error", "error": {"type": "scripted_error", "message": "scripted"} if error is None else error}
    return plain(status, json.dumps(about).encode(), {"content-type": "application/json", **(headers or {})})
