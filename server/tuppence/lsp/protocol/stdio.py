"""Reserve the standard streams for the protocol, and never block the event loop on them.

Anything that a library prints goes to stderr, the editor's log; only the protocol has the real stdin and stdout. The
event loop reads the available data and writes what fits. A thread is used only where waiting is necessary: for the rest
of what an editor does not read, which must not stop the loop, and for a stdin that cannot be polled, whose read must
not delay the end of the process. A thread for each message would cost a switch of Python's lock, which a busy event
loop gives up only every 5 milliseconds. This module does not interpret the data.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import select
import sys
import threading
from collections.abc import Callable
from functools import partial

_READ = 1 << 16
"""The most bytes per read."""
_FLUSH = 2.0
"""Seconds allowed for writing the last answers."""


def take_streams() -> tuple[int, int]:
    """Take stdin and stdout for the protocol, and replace them by an empty stdin and by stderr."""
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
    """Return a reader for a descriptor. If the descriptor cannot be polled, a daemon thread reads it."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()

    def take() -> None:
        if data := _read(descriptor):
            reader.feed_data(data)
        else:
            loop.remove_reader(descriptor)
            reader.feed_eof()

    def pump() -> None:
        while data := _read(descriptor):
            _tell(loop, partial(reader.feed_data, data))
        _tell(loop, reader.feed_eof)

    try:
        loop.add_reader(descriptor, take)
    except (NotImplementedError, OSError):  # Windows; a file.
        threading.Thread(target=pump, name="tuppence-stdin", daemon=True).start()
    return reader


class PipeWriter:
    """A writer that writes at once what the other side accepts, and the rest in a thread."""

    def __init__(self, descriptor: int, lost: Callable[[], None]) -> None:
        """Write to a descriptor; ``lost`` is called in the event loop when that becomes impossible."""
        self._descriptor = descriptor
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._ready = _ready_to_write(descriptor)
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._behind = 0
        self._thread = threading.Thread(target=self._run, name="tuppence-stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Write after everything written earlier, without blocking."""
        with self._lock:
            is_next = not self._behind
        rest = self._write_what_fits(data) if is_next else data
        if rest:
            with self._lock:
                self._behind += 1
            self._queue.put(rest)

    def close(self) -> None:
        """Wait briefly for the remaining data to be written."""
        self._queue.put(None)
        self._thread.join(_FLUSH)

    def _write_what_fits(self, data: bytes) -> bytes:
        """Write as much as possible without blocking; return the rest."""
        rest = memoryview(data)
        try:
            while rest and self._ready():
                rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]
        except OSError:
            _tell(self._loop, self._lost)
            return b""
        return bytes(rest)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            rest = memoryview(data)
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except OSError:
                    _tell(self._loop, self._lost)
                    return
            with self._lock:
                self._behind -= 1


def _ready_to_write(descriptor: int) -> Callable[[], bool]:
    """Return a function that reports whether ``select.PIPE_BUF`` bytes can be written without blocking."""
    if not hasattr(select, "poll"):  # Windows
        return lambda: False
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return lambda: bool(poll.poll(0))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _READ)
    except OSError:
        return b""


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Schedule a function in the event loop, unless the loop is closed."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
