"""A provider in a process of its own, which sends lines at a steady pace, each with the time at which it was sent.

``python -m benchmarks.speed.plain_provider LINES RATE [COUNT]`` prints the port at which it listens, on loopback. Each
answer is a function of LINES lines, in OpenAI's format, COUNT of them (or one) at a time, and RATE such times a second.
A line is an event and a chunk of HTTP, and holds ``time.monotonic_ns()``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
COUNTS = {"prompt_tokens": 500, "completion_tokens": 500}


def line(number: int) -> str:
    """Return a line that holds the present time."""
    return f"    x{number} = {time.monotonic_ns()}\n"


def sent_at(text: str) -> list[int]:
    """Return the times in lines, in nanoseconds."""
    return [int(words[2]) for words in map(str.split, text.splitlines()) if len(words) == 3 and words[1] == "="]  # noqa: PLR2004 - a name, a sign, a number


class _Provider:
    """Answers each request in the same way."""

    def __init__(self, lines: int, rate: float, at_once: int) -> None:
        self._lines = lines
        self._rate = rate
        self._at_once = at_once

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                headers = dict(each.lower().split(b": ", 1) for each in head.split(b"\r\n")[1:-2])
                asked = json.loads(await reader.readexactly(int(headers[b"content-length"])))
                writer.write(HEAD)
                name = asked["messages"][-1]["content"].rpartition("def ")[2].partition("(")[0]
                await self._answer(writer, name)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, name: str) -> None:
        writer.write(_delta(f"```python\ndef {name}(a, b):\n"))
        due = time.monotonic()
        for first in range(0, self._lines, self._at_once):
            due += 1 / self._rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            numbers = range(first, min(first + self._at_once, self._lines))
            writer.write(b"".join(_delta(line(number)) for number in numbers))
            await writer.drain()
        writer.write(_delta("    return a + b\n```\n") + _event({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
        writer.write(_event({"choices": [], "usage": COUNTS}) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await writer.drain()


def _delta(text: str) -> bytes:
    return _event({"id": "a", "model": "plain", "choices": [{"index": 0, "delta": {"content": text}}]})


def _event(payload: object) -> bytes:
    return _chunk(b"data: %b\n\n" % json.dumps(payload).encode())


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _main(lines: int, rate: float, at_once: int = 1) -> None:
    server = await asyncio.start_server(_Provider(lines, rate, at_once).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2]), *map(int, sys.argv[3:4])))
