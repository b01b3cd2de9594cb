"""The standard streams, kept for the protocol alone and off the event loop's thread.

Whatever a library prints goes to stderr, the editor's log; the protocol alone has the real stdin and stdout. Reading
and writing have a thread each: an editor that does not read must not stop the loop, and a read that is under way must
not hold up the end of the process. This file does not know what is read or written.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from functools import partial

_FLUSH = 2.0
"""Seconds that the last answers get to be written."""


def take_streams() -> tuple[int, int]:
    """Take stdin and stdout for the protocol; leave an empty stdin behind, and stderr in place of stdout."""
    if sys.stdout is not None:
        sys.stdout.flush()
    incoming, outgoing, nowhere = os.dup(0), os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # There is no stderr.
        os.dup2(nowhere, 1)
    os.close(nowhere)
    return incoming, outgoing


def pipe_reader(descriptor: int) -> asyncio.StreamReader:
    """Return a reader that a daemon thread feeds: a read that is under way can't hold up the end of the process."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()

    def pump() -> None:
        while data := _read(descriptor):
            _tell(loop, partial(reader.feed_data, data))
        _tell(loop, reader.feed_eof)

    threading.Thread(target=pump, name="tuppence-stdin", daemon=True).start()
    return reader


class PipeWriter:
    """Writes in a thread of its own: an editor that does not read must not stop the event loop."""

    def __init__(self, descriptor: int, lost: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tuppence-stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Write, after all that was written before, without waiting."""
        self._queue.put(data)

    def close(self) -> None:
        """Wait a moment for what is still to be written."""
        self._queue.put(None)
        self._thread.join(_FLUSH)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            rest = memoryview(data)
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except OSError:
                    _tell(self._loop, self._lost)
                    return


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:
        return b""


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Have the event loop do something, unless it is closed by now."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
