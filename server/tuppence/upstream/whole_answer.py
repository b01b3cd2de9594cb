"""An answer that comes as one JSON object although a stream was asked for, as of a gateway that streams nothing.

It is read within the limits of length and time that hold for the first word of a stream, and handed on in pieces: what
is done with a piece may not hold up the event loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal

from tuppence.providers import ProviderEvent, Text, Thinking
from tuppence.upstream import limits
from tuppence.upstream.deadlines import COUNTED, Deadlines

if TYPE_CHECKING:
    import httpx

_PIECE = 4_096
"""Characters of the answer's text that are handed on at a time."""


async def collect(
    response: httpx.Response, deadlines: Deadlines, is_whole: Callable[[str], bool]
) -> tuple[str, Exception | None]:
    """Return a body, and the error that ended it; None where it came to its end.

    Where a body is whole and its end does not come, that is waited for two seconds.

    :param is_whole: reports whether a text is a whole answer; called in a thread.
    :raises TooLong: it is longer than any answer.
    :raises Broken: it is compressed in a way that is not understood.
    """
    import httpx

    body = bytearray()
    async with aclosing(limits.pieces(response)) as pieces:
        while True:
            reading = asyncio.ensure_future(anext(pieces, b""))
            try:
                if body[-8:].rstrip().endswith((b"}", b"]")):
                    await deadlines.wait(asyncio.wait((reading,), timeout=COUNTED))
                    if not reading.done() and await asyncio.to_thread(is_whole, decoded(body)):
                        return decoded(body), None
                piece = await deadlines.wait(reading)
            except (httpx.HTTPError, OSError) as error:  # A time-out of ours is an OSError too.
                return decoded(body), error
            finally:
                reading.cancel()
                await asyncio.wait((reading,))
            if not piece:
                return decoded(body), None
            body += piece


def decoded(body: bytes | bytearray) -> str:
    """Return the text of a body, which is UTF-8 whatever the headers say."""
    return body.decode(errors="replace").removeprefix("\ufeff")


def flaw(text: str) -> Literal["", "cut", "more"]:
    """Return what is wrong with a text that begins as a JSON object: its end is missing, or something is behind it.

    It is empty for one object, and for a text that begins otherwise.
    """
    text = text.strip()
    if not text.startswith("{"):
        return ""
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return "cut"
    return "more" if end < len(text) else ""


def split(event: ProviderEvent) -> Iterator[ProviderEvent]:
    """Yield an event in pieces, each of bounded length."""
    if not isinstance(event, Text | Thinking):
        yield event
        return
    for start in range(0, len(event.text), _PIECE):
        yield type(event)(event.text[start : start + _PIECE])
