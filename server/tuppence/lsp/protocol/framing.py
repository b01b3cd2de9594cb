"""How one message is cut from a stream of bytes: the protocol's two headers, an empty line, the body.

Strict on purpose: lsp/transport.py says why. It does not look into the body.
"""

from __future__ import annotations

import asyncio

from tuppence.errors import Broken

LONGEST_BODY = 64 * 1024 * 1024
"""Bytes of one message; a file of that size could not be worked on anyway."""
_LONGEST_LINE = 1024
"""Bytes of one header line."""
_MOST_LINES = 4
"""Header lines of one message, the empty one included."""


def frame(body: bytes) -> bytes:
    """Return a message as it goes over the wire."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def read_message(reader: asyncio.StreamReader, longest: int | None = None) -> bytes | None:
    """Return the body of the next message, None at the end of the stream.

    :param longest: bytes that it may have; None for ``LONGEST_BODY``.
    :raises Broken: something other than a message.
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
    """Return the length that one header line gives, or else what is known."""
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
