"""How much of an answer is read: bytes are counted as they are decoded, before anything collects them.

A server may be anybody's, broken or hostile, and a line that never ends would fill the memory. Nothing of a response is
read but through this file. A compressed body, which no request asks for, is decompressed piece by piece, so that a
small body cannot become a large one at once.
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
"""Bytes of one server-sent event, and so of one line: the longest that is known, a whole answer in one event, has less
than a tenth."""
ANSWER = 32_000_000
"""Bytes of one answer with all that is around its text: 100,000 tokens, each in an event of its own, have about as
many."""
EVENTS = 250_000
"""Events of one answer, for the same reason."""
_PIECE = 65_536
"""Bytes that are decompressed at a time."""
_TURN = 4_096
"""Bytes after which the event loop has its turn, however many reads they came in: so many can hold 400 events, which
take 20 microseconds each."""
_PIECE_COST = 64
"""Bytes that a piece counts as beside its own: to take a chunk of HTTP out of what was read costs time, however short
the chunk is."""
_GZIP = 0x1F
"""The first byte of what gzip packed."""
_REMEDY = "Ask again, or choose another model."
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})


class TooLong(Broken):
    """A server sent more than any answer has."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{{provider}} sent more than {what}.", _REMEDY)


def check_events(read: int) -> None:
    """Pass an answer of which so many events were read, if it may have one more.

    :raises TooLong: it may not.
    """
    if read >= EVENTS:
        raise TooLong(f"{EVENTS:,} events for one answer")


async def read(response: httpx.Response, limit: int, data: bytearray) -> None:
    """Add the beginning of a body to ``data``, at most ``limit`` bytes; what came before an error is in it too.

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
    """A response as :class:`httpx_sse.EventSource` reads it: its headers and its text, within the limits.

    It is of the media type that is due, which the caller has seen to: httpx_sse knows it in lower case alone.
    """

    def __init__(self, response: httpx.Response, wait: Callable[[Awaitable[bytes]], Awaitable[bytes]]) -> None:
        """Read a response.

        :param wait: waits for what a read from the network gives, within the time that is left.
        """
        self.headers = {"content-type": "text/event-stream"}
        self._response = response
        self._wait = wait

    async def aiter_text(self) -> AsyncGenerator[str, None]:
        """Yield the text, which is UTF-8 whatever the headers say.

        :raises TooLong: an event or the whole is longer than any.
        :raises Broken: it is compressed in a way that is not understood.
        """
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")  # An event stream may begin with a mark.
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
    """Return how many bytes come behind the last blank line, None where there is none."""
    ends = [at + len(mark) for mark in (b"\n\n", b"\r\r", b"\r\n\r\n") if (at := data.rfind(mark)) >= 0]
    return len(data) - max(ends) if ends else None


async def _decoded(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield a body in pieces, each of a bounded size, without its compression.

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
    """What gzip or deflate packed, unpacked in pieces."""

    def __init__(self) -> None:
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._is_first = True

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Yield what more bytes add.

        :raises Broken: they are no such bytes.
        """
        if self._is_first and packed:
            self._is_first = False
            if packed[0] & 0x0F != zlib.DEFLATED and packed[0] != _GZIP:
                self._unpack = zlib.decompressobj(-zlib.MAX_WBITS)  # "deflate" without its header, as some send it.
        try:
            while packed:
                if piece := self._unpack.decompress(packed, _PIECE):
                    yield piece
                packed = self._unpack.unconsumed_tail
                if self._unpack.eof:
                    return
        except zlib.error:
            raise Broken("{provider} sent something that is not its protocol.", _REMEDY) from None
