r"""A scripted model server on loopback for every test that needs one: real sockets, real HTTP, any misbehavior.

    async with ScriptedUpstream() as upstream:
        upstream.says("```python\nreturn 1\n```")             # on either wire, chosen by the request's path
        upstream.script(error(429, retry_after="1"), answer("now"))  # one reply a request, in order
        upstream.script(lambda seen: answer(seen.body["model"]))     # or a function of the request
        ...                                                     # upstream.openai and upstream.anthropic are base URLs
        assert upstream.requests[0].body["model"] == "small"

A request beyond the script is answered with 418, which no client retries. ``upstream.always(reply)`` answers
everything beyond the script; ``in_thread()`` runs a server for synchronous code. Both wire formats are implemented from
their documentation, not from tuppence's own decoders, so that the two can disagree.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tuppence.core.models.usage import Usage

WireName = Literal["openai", "anthropic"]
USAGE = Usage(fresh=120, cache_read=0, output=40)
"""The usage that an answer reports if the test gives none."""
_CUT_OFF = (ConnectionError, asyncio.IncompleteReadError)


@dataclass
class Seen:
    """One request that arrived."""

    path: str
    headers: Mapping[str, str]
    """The headers, with names in lower case."""
    body: Any
    """The parsed JSON; None if there was none."""
    at: float
    """The time of its arrival, by the loop's clock."""
    connection: int
    """The number of its connection, from 0."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client closes the connection."""
    closed_at: float | None = None
    """The time at which the client closed the connection, by the loop's clock."""
    raw: bytes = b""
    """The raw body."""

    @property
    def wire(self) -> WireName:
        """The wire format that the path belongs to."""
        return "anthropic" if self.path.endswith("/messages") else "openai"


@dataclass
class Talk:
    """One request, and the means to answer it in any way."""

    seen: Seen
    writer: asyncio.StreamWriter

    async def head(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Send the status line and the headers of a chunked answer."""
        lines = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **(headers or {})}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.bytes(f"HTTP/1.1 {status} Scripted\r\n{text}\r\n".encode())

    async def chunk(self, data: bytes) -> None:
        """Send one chunk of the body."""
        if data:
            await self.bytes(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        """End the body properly."""
        await self.bytes(b"0\r\n\r\n")

    async def bytes(self, data: bytes) -> None:
        """Send bytes verbatim, valid HTTP or not."""
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        """Drop the connection without a response."""
        self.writer.transport.abort()


@dataclass(frozen=True)
class Reply:
    """The answer to one request."""

    play: Callable[[Talk], Awaitable[None]]


Script = Reply | Callable[[Seen], Reply]


class ScriptedUpstream:
    """The server, an async context manager."""

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self._replies: deque[Script] = deque()
        self._always: Script = error(418, {"error": {"message": "nothing is scripted", "type": "unscripted"}})
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections = 0
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai(self) -> str:
        """The base URL for a provider on the openai wire."""
        return f"{self.url}/v1"

    @property
    def anthropic(self) -> str:
        """The base URL for a provider on the anthropic wire."""
        return self.url

    def says(self, text: str, **how: Any) -> None:
        """Queue an answer; ``how`` is as for ``answer``."""
        self.script(answer(text, **how))

    def script(self, *replies: Script) -> None:
        """Queue replies, one for each future request."""
        self._replies.extend(replies)

    def unscript(self) -> None:
        """Discard the unused replies."""
        self._replies.clear()

    def always(self, reply: Script) -> None:
        """Answer every request beyond the script in this way."""
        self._always = reply

    async def seen(self, count: int = 1) -> Seen:
        """Wait, for a minute at most, until this many requests have arrived, and return the last of them."""
        async with asyncio.timeout(60):
            while len(self.requests) < count:  # noqa: ASYNC110 - in_thread's requests arrive on another loop
                await asyncio.sleep(0.002)
        return self.requests[count - 1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number, self._connections = self._connections, self._connections + 1
        try:
            with contextlib.suppress(*_CUT_OFF, asyncio.CancelledError):
                await self._serve(reader, writer, number)
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(*_CUT_OFF, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        first = await reader.read(1)
        while first:
            seen = await _read(first, reader, number)
            self.requests.append(seen)
            watch = asyncio.create_task(_next_byte(reader))
            try:
                reply = self._replies.popleft() if self._replies else self._always
                first = await _play(reply if isinstance(reply, Reply) else reply(seen), Talk(seen, writer), watch)
            finally:
                watch.cancel()
            if not first:
                seen.closed_at = asyncio.get_running_loop().time()
                seen.closed.set()


async def _play(reply: Reply, talk: Talk, watch: asyncio.Task[bytes]) -> bytes:
    """Send the reply until it ends or the client disconnects; return the first byte of the next request, or nothing."""
    playing = asyncio.create_task(_quietly(reply.play(talk)))
    try:
        await asyncio.wait((playing, watch), return_when=asyncio.FIRST_COMPLETED)
        return await watch
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def _quietly(playing: Awaitable[None]) -> None:
    with contextlib.suppress(ConnectionError):
        await playing


async def _next_byte(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(1)
    except ConnectionError:
        return b""


async def _read(first: bytes, reader: asyncio.StreamReader, connection: int) -> Seen:
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.strip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parsed = json.loads(body) if body else None
    return Seen(request.split(" ")[1], headers, parsed, asyncio.get_running_loop().time(), connection, raw=body)


@contextlib.contextmanager
def in_thread() -> Iterator[ScriptedUpstream]:
    """Run a server in its own thread, for synchronous tests. ``requests`` and ``script`` may be used from outside."""
    upstream, started, stop = ScriptedUpstream(), threading.Event(), threading.Event()

    async def run() -> None:
        async with upstream:
            started.set()
            while not stop.is_set():  # noqa: ASYNC110 - the event belongs to another thread
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(60), "the scripted server did not start"
    try:
        yield upstream
    finally:
        stop.set()
        thread.join(10)


def answer(  # noqa: PLR0913 - each is a keyword with a default, and a test names the one that it is about
    text: str,
    *,
    wire: WireName | None = None,
    size: int = 7,
    delay: float = 0.0,
    usage: Usage | Mapping[str, Any] | None = USAGE,
    thinking: str = "",
    finish: str | None = None,
) -> Reply:
    """Send a valid answer in pieces of ``size`` characters, ``delay`` seconds apart. ``finish`` is the wire's value."""

    async def play(talk: Talk) -> None:
        await talk.head()
        for event in events(wire or talk.seen.wire, text, size=size, usage=usage, thinking=thinking, finish=finish):
            await talk.chunk(event)
            await asyncio.sleep(delay)
        await talk.end()

    return Reply(play)


def error(
    status: int, body: Any = None, headers: Mapping[str, str] | None = None, *, retry_after: str | None = None
) -> Reply:
    """Answer with an HTTP error. The body is JSON (a dict), verbatim text, or by default the form both wires share."""
    if body is None:
        body = {"type": "error", "error": {"type": "scripted_error", "message": f"scripted {status}"}}
    content = body if isinstance(body, str) else json.dumps(body)
    extra = {**(headers or {}), **({} if retry_after is None else {"retry-after": retry_after})}
    return raw([content.encode()], status=status, headers={"content-type": "application/json", **extra})


def error_in_stream(problem: Mapping[str, Any], text: str = "", *, size: int = 7) -> Reply:
    """Answer 200, send some text, and then an error object in the wire's own form."""

    async def play(talk: Talk) -> None:
        await talk.head()
        wire = talk.seen.wire
        for event in events(wire, text, size=size)[: _opening(wire, text, size)]:
            await talk.chunk(event)
        name = "error" if wire == "anthropic" else ""
        body = {"type": "error", "error": problem} if wire == "anthropic" else {"error": problem, "choices": []}
        await talk.chunk(sse(body, name))
        await talk.end()

    return Reply(play)


def cut(text: str, *, after: int, size: int = 7) -> Reply:
    """Drop the connection after this many pieces of text; 0 drops it after the headers."""

    async def play(talk: Talk) -> None:
        await talk.head()
        wire = talk.seen.wire
        keep = _opening(wire, text[: after * size], size) if after else 0
        for event in events(wire, text, size=size)[:keep]:
            await talk.chunk(event)
        await asyncio.sleep(0.02)  # The sent data must arrive before the reset.
        talk.cut()

    return Reply(play)


def hang_up() -> Reply:
    """Drop the connection before the first byte of a response."""

    async def play(talk: Talk) -> None:
        await asyncio.sleep(0)
        talk.cut()

    return Reply(play)


def stall(text: str = "", *, headers: bool = False, size: int = 7) -> Reply:
    """Accept the request, then send nothing more: at once, after the headers, or after some text."""

    async def play(talk: Talk) -> None:
        if headers or text:
            await talk.head()
        wire = talk.seen.wire
        for event in events(wire, text, size=size)[: _opening(wire, text, size)] if text else ():
            await talk.chunk(event)
        await asyncio.Event().wait()

    return Reply(play)


def drip(text: str, *, step: int = 1, delay: float = 0.0, **how: Any) -> Reply:
    """Send a valid answer in chunks of ``step`` bytes, wherever they split it; ``how`` is as for ``events``."""

    async def play(talk: Talk) -> None:
        await talk.head()
        body = b"".join(events(talk.seen.wire, text, **how))
        for start in range(0, len(body), step):
            await talk.chunk(body[start : start + step])
            await asyncio.sleep(delay)
        await talk.end()

    return Reply(play)


def redirect(location: str, status: int = 307) -> Reply:
    """Redirect to another location."""
    return raw([b""], status=status, headers={"location": location})


def raw(chunks: Iterable[bytes], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with these chunks as the body."""
    kept: Sequence[bytes] = tuple(chunks)

    async def play(talk: Talk) -> None:
        await talk.head(status, headers)
        for chunk in kept:
            await talk.chunk(chunk)
        await talk.end()

    return Reply(play)


def events(  # noqa: PLR0913 - as answer
    wire: WireName,
    text: str,
    *,
    size: int = 7,
    usage: Usage | Mapping[str, Any] | None = USAGE,
    thinking: str = "",
    finish: str | None = None,
) -> list[bytes]:
    """Return a complete answer as server-sent events, one bytes object each."""
    compose = _anthropic if wire == "anthropic" else _openai
    return compose(_pieces(text, size), _pieces(thinking, size), usage, finish)


def sse(data: Any, name: str = "") -> bytes:
    """Return one server-sent event."""
    content = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    if not isinstance(data, str) and any("\ud800" <= each <= "\udfff" for each in content):
        content = json.dumps(data)  # Half of a surrogate pair can only be sent as an escape.
    return (f"event: {name}\n" if name else "").encode() + f"data: {content}\n\n".encode()


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _opening(wire: WireName, text: str, size: int) -> int:
    """Return the number of events up to and including the last piece of text."""
    return len(_pieces(text, size)) + (2 if wire == "anthropic" else 1)


def _openai(
    text: list[str], thinking: list[str], usage: Usage | Mapping[str, Any] | None, finish: str | None
) -> list[bytes]:
    def chunk(delta: Mapping[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "scripted", "choices": [choice]})

    counts = _openai_usage(usage) if isinstance(usage, Usage) else usage
    last: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "scripted",
        "choices": [],
        "usage": counts,
    }
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"reasoning_content": piece}) for piece in thinking),
        *(chunk({"content": piece}) for piece in text),
        chunk({}, finish or "stop"),
        *([] if counts is None else [sse(last)]),
        sse("[DONE]"),
    ]


def _openai_usage(usage: Usage) -> dict[str, Any]:
    written = usage.cache_write + usage.cache_write_1h
    details = {"cached_tokens": usage.cache_read, **({"cache_write_tokens": written} if written else {})}
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output + usage.thinking,
        "total_tokens": usage.prompt + usage.output + usage.thinking,
        **({} if usage.cache_read is None else {"prompt_tokens_details": details}),
        **({"completion_tokens_details": {"reasoning_tokens": usage.thinking}} if usage.thinking else {}),
    }


def _anthropic(
    text: list[str], thinking: list[str], usage: Usage | Mapping[str, Any] | None, finish: str | None
) -> list[bytes]:
    counts = _anthropic_usage(usage) if isinstance(usage, Usage) else dict(usage or {})
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
    }
    last = {"output_tokens": counts.get("output_tokens", 0)} if usage is not None else {}
    stop = {"stop_reason": finish or "end_turn", "stop_sequence": None}

    def block(index: int, kind: str, pieces: list[str]) -> list[bytes]:
        start = {"type": "content_block_start", "index": index, "content_block": {"type": kind, kind: ""}}
        deltas = [{"type": f"{kind}_delta", kind: piece} for piece in pieces]
        return [
            sse(start, "content_block_start"),
            *(sse({"type": "content_block_delta", "index": index, "delta": d}, "content_block_delta") for d in deltas),
            sse({"type": "content_block_stop", "index": index}, "content_block_stop"),
        ]

    return [
        sse(
            {"type": "message_start", "message": {**message, "usage": {**counts, "output_tokens": 1}}}, "message_start"
        ),
        *(block(0, "thinking", thinking) if thinking else []),
        *block(1 if thinking else 0, "text", text),
        sse({"type": "message_delta", "delta": stop, "usage": last}, "message_delta"),
        sse({"type": "message_stop"}, "message_stop"),
    ]


def _anthropic_usage(usage: Usage) -> dict[str, Any]:
    written = usage.cache_write + usage.cache_write_1h
    split = {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": usage.cache_write_1h}
    return {
        "input_tokens": usage.fresh,
        "output_tokens": usage.output + usage.thinking,
        **({} if usage.cache_read is None else {"cache_read_input_tokens": usage.cache_read}),
        **({"cache_creation_input_tokens": written, "cache_creation": split} if written else {}),
    }
