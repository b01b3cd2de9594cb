"""Split a stream of bytes into messages: the protocol's two headers, an empty line, the body.

The parser is strict for the reason given in lsp/transport.py. It does not parse the body.
"""

from __future__ import annotations

import asyncio

from tuppence.errors import Broken

LONGEST_BODY = 64 * 1024 * 1024
"""The largest message in bytes; a file of that size could not be edited anyway."""
_LONGEST_LINE = 1024
"""The longest header line in bytes."""
_MOST_LINES = 4
"""The most header lines of one message, including the empty one."""


def frame(body: bytes) -> bytes:
    """Return a message with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def read_message(reader: asyncio.StreamReader, longest: int | None = None) -> bytes | None:
    """Return the body of the next message, or None at the end of the stream.

    :param longest: the largest body in bytes; None for ``LONGEST_BODY``.
    :raises Broken: the data is not a message.
    """
    length: int | None = None
    try:
        for _ in range(_MOST_LINES):
            line = await _line(reader)
            if not line and length is not None:
                return await reader.readexactly(length)
            length = _length(line, length, LONGEST_BODY if longest is None else longest)
    except asyncio.IncompleteReadError:
        return None
    raise Broken("A message has too many header lines.")


def _length(line: bytes, known: int | None, longest: int) -> int | None:
    """Return the length after one more header line.

    :raises Broken: the line is not a permitted header, or it gives no single valid length.
    """
    name, colon, value = line.partition(b":")
    if not colon or name.lower() not in (b"content-length", b"content-type"):
        raise Broken("Something other than the Language Server Protocol was sent.")
    if name.lower() == b"content-type":
        return known
    digits = value.strip()
    if known is not None or not digits.isdigit() or len(digits) > len(str(LONGEST_BODY)):
        raise Broken("A message has no single length that makes sense.")
    if int(digits) > longest:
        raise Broken(f"A message of {int(digits) >> 20} MB is over the limit of {longest >> 20} MB.")
    return int(digits)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise Broken("A header line is too long.") from error
    if len(line) > _LONGEST_LINE:
        raise Broken("A header line is too long.")
    return line.rstrip(b"\r\n")
