"""Drops a connection on which something came behind an answer, so that it answers no other request.

A connection is kept for the next request, and httpcore hands whatever was read behind an answer to that one. What comes
while a connection is idle stays in the system, where httpcore looks for it before each request; but what was read
together with an answer is in one of three places in this process: HTTP's parser, the socket's queue, or TLS. httpcore
gives no way to them, so this module follows its attributes and those of h11 and anyio, which it uses. Where these
are not as expected, each connection is closed after its answer (``tests/upstream/test_leftovers.py`` fails then).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx

_PARSER = ("_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state")
"""The way from an httpx response's stream to h11's parser of its connection: through httpx twice, then httpcore."""
_QUEUE = ("_protocol", "read_queue")
"""The way from anyio's socket to the pieces that were received and not read."""


class Checked(httpx.AsyncByteStream):
    """The body of a response, whose connection is kept only if nothing came behind the body."""

    def __init__(self, response: httpx.Response) -> None:
        """Take the stream of a response in whose place this one is put."""
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream
        self._network = response.extensions.get("network_stream")

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return what yields the body."""
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        """Give the connection back to be kept, or close it."""
        if self._network is not None:
            parser = _follow(self._stream, _PARSER)
            if parser is None:
                await self._network.aclose()
            elif parser.trailing_data[0] or _is_unread(getattr(self._network, "_stream", None)):
                parser.send_failed()  # It says that the connection is of no further use: httpcore closes it.
        await self._stream.aclose()


def _is_unread(stream: Any) -> bool:
    """Report whether something was received that the parser has not seen; also where that cannot be known.

    :param stream: anyio's: a socket, or TLS over another stream.
    """
    while (below := getattr(stream, "transport_stream", None)) is not None:
        if _holds_plaintext(getattr(stream, "_ssl_object", None)):
            return True
        stream = below
    queue = _follow(stream, _QUEUE)
    return queue is None or len(queue) > 0


def _holds_plaintext(secured: ssl.SSLObject | None) -> bool:
    """Report whether TLS has a whole record that was not read, or has ended; a byte that is there is lost."""
    if secured is None:
        return True
    try:
        secured.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


def _follow(start: Any, names: tuple[str, ...]) -> Any:
    """Return what attributes lead to, one after the other; None where one is missing."""
    for name in names:
        start = getattr(start, name, None)
    return start
