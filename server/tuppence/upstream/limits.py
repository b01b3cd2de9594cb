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

    :raises Broken: its compression is unsupported.
    """
    async with aclosing(_decoded(response)) as pieces:
        async for piece in pieces:
            data += piece[: limit - len(data)]
            if len(data) >= limit:
                return


class BoundedText:
    """A response's headers and text, within the limits, in the form that :class:`httpx_sse.EventSource` reads.

    The caller has checked the media type, because httpx_sse recognizes it only in lower case.
    """

    def __init__(self, response: httpx.Response, wait: Callable[[Awaitable[bytes]], Awaitable[bytes]]) -> None:
        """Read a response.

        :param wait: waits for the result of a network read, within the remaining time.
        """
        self.headers = {"content-type": "text/event-stream"}
        self._response = response
        self._wait = wait

    async def aiter_text(self) -> AsyncGenerator[str, None]:
        """Yield the text, decoded as UTF-8 whatever the headers say.

        :raises TooLong: an event, or the whole answer, exceeds its limit.
        :raises Broken: its compression is unsupported.
        """
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")  # A stream may begin with a byte order mark.
        whole = event = since_turn = 0
        tail = b""
        async with aclosing(_decoded(self._response)) as pieces:
            while piece := await self._wait(anext(pieces, b"")):
                whole += len(piece)
                behind = _behind_event(tail + piece)
                event = event + len(piece) if behind is None else behind
                tail = (tail + piece)[-3:]
                if event > EVENT:
                    raise TooLong(f"{EVENT // 10**6} MB without a break")
                if whole > ANSWER:
                    raise TooLong(f"{ANSWER // 10**6} MB for one answer")
                for start in range(0, len(piece), _TURN):
                    part = piece[start : start + _TURN]
                    if since_turn + len(part) > _TURN:
                        since_turn = 0
                        await asyncio.sleep(0)
                    since_turn += len(part) + _PIECE_COST
                    if text := decoder.decode(part):
                        yield text
        if text := decoder.decode(b"", final=True):
            yield text


def _behind_event(data: bytes) -> int | None:
    """Return the number of bytes after the last blank line, None if there is none."""
    ends = [at + len(mark) for mark in (b"\n\n", b"\r\r", b"\r\n\r\n") if (at := data.rfind(mark)) >= 0]
    return len(data) - max(ends) if ends else None


async def _decoded(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield a decompressed body in pieces of bounded size.

    :raises Broken: its compression is unsupported.
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
