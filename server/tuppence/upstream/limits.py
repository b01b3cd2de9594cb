"""Limits on the size of an answer: bytes are counted as they are decoded, before they are collected.

A server may be untrusted, broken or hostile, and an endless line would fill the memory. Responses are read only through
this module. A compressed body, which no request asks for, is decompressed in pieces, so that a small body cannot become
a large one at once.
"""

from __future__ import annotations

import asyncio
import codecs
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from tuppence.errors import Broken
from tuppence.upstream.started import Started

if TYPE_CHECKING:
    import httpx

EVENT = 8_000_000
"""Maximum bytes of one server-sent event, and so of one line. The longest known one, a whole answer in one event,
has less than a tenth of that."""
ANSWER = 32_000_000
"""Maximum bytes of one answer with everything around its text: 100,000 tokens, each in its own event, have about
that many."""
EVENTS = 250_000
"""Maximum number of events of one answer, for that reason."""
_PIECE = 65_536
"""Number of bytes that are decompressed at a time."""
_TURN = 4_096
"""Number of bytes after which other tasks may run, however many reads they came in: this many can hold 400 events,
which take 20 microseconds each."""
_PIECE_COST = 64
"""Bytes added to the size of each piece: extracting an HTTP chunk from the received data costs time, however short
the chunk is."""
_GZIP = 0x1F
"""The first byte of data compressed by gzip."""
_REMEDY = "Ask again, or choose another model."
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})


class TooLong(Broken):
    """A server sent more than any answer has."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{{provider}} sent more than {what}.", _REMEDY)


def check_events(read: int) -> None:
    """Check that an answer with ``read`` events may have another one.

    :raises TooLong: it may not.
    """
    if read >= EVENTS:
        raise TooLong(f"{EVENTS:,} events for one answer")


async def read(response: httpx.Response, limit: int, data: bytearray) -> None:
    """Append the beginning of a body to ``data``, up to ``limit`` bytes; after an error, ``data`` has a part.

    :raises Broken: it is compressed in a way that is not understood.
    """
    async with aclosing(_decoded(response)) as pieces:
        async for piece in pieces:
            data += piece[: limit - len(data)]
            if len(data) >= limit:
                return


async def pieces(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield the body of an answer that is one object, decompressed.

    :raises TooLong: it is longer than the longest event.
    :raises Broken: it is compressed in a way that is not understood.
    """
    whole = 0
    async with aclosing(_decoded(response)) as found:
        async for piece in found:
            whole += len(piece)
            if whole > EVENT:
                raise TooLong(f"{EVENT // 10**6} MB without a break")
            yield piece


class BoundedText:
    """The text of a streamed response, within the limits; what is there already is handed out together."""

    def __init__(self, response: httpx.Response, wait: Callable[[Awaitable[bytes]], Awaitable[bytes]]) -> None:
        """Read a response.

        :param wait: waits for the result of a network read, within the remaining time.
        """
        self._response = response
        self._wait = wait

    async def aiter_text(self) -> AsyncGenerator[str, None]:
        """Yield the text, which is UTF-8 whatever the headers say, in parts of at most ``_TURN`` bytes.

        A part holds all pieces that need no wait, and is handed out before the next one is waited for.

        :raises TooLong: an event, or the whole answer, exceeds its limit.
        :raises Broken: its compression is unsupported.
        """
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")  # A stream may begin with a byte order mark.
        ready: list[bytes] = []
        try:
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    if piece:
                        ready.append(piece)
                    elif text := decoder.decode(_taken(ready)):
                        yield text
        except Exception:  # What came before an error is handed out before it.
            if text := decoder.decode(_taken(ready)):
                yield text
            raise
        if text := decoder.decode(_taken(ready), final=True):
            yield text

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body in pieces, and an empty one before each wait and each turn of the event loop."""
        bounds, since_turn = _Bounds(), 0
        async with aclosing(_decoded(self._response)) as pieces:
            while True:
                coming = Started(anext(pieces, b""))
                if coming.waits:
                    try:
                        yield b""
                    except BaseException:
                        await coming.abandon()
                        raise
                    piece = await self._wait(coming)
                else:
                    piece = await coming
                if not piece:
                    return
                bounds.count(piece)
                for start in range(0, len(piece), _TURN):
                    part = piece[start : start + _TURN]
                    if since_turn + len(part) > _TURN:
                        since_turn = 0
                        yield b""
                        await asyncio.sleep(0)
                    since_turn += len(part) + _PIECE_COST
                    yield part


class _Bounds:
    """Counts the bytes of an answer, and of the event that is not complete yet."""

    def __init__(self) -> None:
        self._whole = self._event = 0
        self._tail = b""

    def count(self, piece: bytes) -> None:
        """Take in a piece.

        :raises TooLong: an event or the whole is longer than any.
        """
        self._whole += len(piece)
        behind = _behind_event(self._tail + piece)
        self._event = self._event + len(piece) if behind is None else behind
        self._tail = (self._tail + piece)[-3:]
        if self._event > EVENT:
            raise TooLong(f"{EVENT // 10**6} MB without a break")
        if self._whole > ANSWER:
            raise TooLong(f"{ANSWER // 10**6} MB for one answer")


def _taken(ready: list[bytes]) -> bytes:
    """Return what is ready, and leave nothing there."""
    taken = b"".join(ready)
    ready.clear()
    return taken


def _behind_event(data: bytes) -> int | None:
    """Return the number of bytes after the last blank line, None if there is none."""
    ends = [at + len(mark) for mark in (b"\n\n", b"\r\r", b"\r\n\r\n") if (at := data.rfind(mark)) >= 0]
    return len(data) - max(ends) if ends else None


async def _decoded(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield a decompressed body in pieces of bounded size.

    :raises Broken: it is compressed in a way that is not understood.
    """
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        async for piece in response.aiter_raw():
            yield piece
    elif coding in _COMPRESSED:
        unpacking = _Unpacking()
        async for piece in response.aiter_raw():
            for unpacked in unpacking.feed(piece):
                yield unpacked
    else:
        raise Broken("{provider} compressed its answer in a way that was not asked for.", "Check the base_url.")


class _Unpacking:
    """Decompresses gzip or deflate data in pieces."""

    def __init__(self) -> None:
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._is_first = True

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Yield the output for more input bytes.

        :raises Broken: the input is invalid.
        """
        if self._is_first and packed:
            self._is_first = False
            if packed[0] & 0x0F != zlib.DEFLATED and packed[0] != _GZIP:
                self._unpack = zlib.decompressobj(-zlib.MAX_WBITS)  # Some servers send "deflate" without its header.
        try:
            while packed:
                if piece := self._unpack.decompress(packed, _PIECE):
                    yield piece
                packed = self._unpack.unconsumed_tail
                if self._unpack.eof:
                    return
        except zlib.error:
            raise Broken("{provider} sent something that is not its protocol.", _REMEDY) from None
