"""The standard streams, for the protocol alone, without a wait on the event loop's thread.

Whatever a library prints goes to stderr, the editor's log; the protocol alone has the real stdin and stdout. The event
loop reads what is there and writes what fits. Only what would have to be waited for has a thread: the rest of what an
editor does not read, which must not stop the loop, and a stdin that cannot be asked whether it is ready: a read of it
must not hold up the end of the process. A thread for each message would cost a change of Python's lock, which a busy
event loop gives away every 5 milliseconds. This file does not know what is read or written.
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
"""Bytes that are read at once."""
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
    """Return what reads a descriptor; where it can't be asked whether it is ready, a daemon thread waits for it."""
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
    """Writes what the other side takes at once, and the rest in a thread."""

    def __init__(self, descriptor: int, lost: Callable[[], None]) -> None:
        """Write to a descriptor; ``lost`` is called in the event loop when that is no longer possible."""
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
        """Write, after all that was written before, without waiting."""
        with self._lock:
            is_next = not self._behind
        rest = self._write_what_fits(data) if is_next else data
        if rest:
            with self._lock:
                self._behind += 1
            self._queue.put(rest)

    def close(self) -> None:
        """Wait a moment for what is still to be written."""
        self._queue.put(None)
        self._thread.join(_FLUSH)

    def _write_what_fits(self, data: bytes) -> bytes:
        """Write as much as is taken without a wait; return the rest."""
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
    """Return what says whether ``select.PIPE_BUF`` bytes can be written without a wait."""
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
    """Have the event loop do something, unless it is closed by now."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
