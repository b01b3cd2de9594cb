"""The standard streams: nothing is waited for on the event loop, and all arrives in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuppence.lsp.protocol.stdio import PipeWriter, pipe_reader

LARGE = bytes(range(256)) * 4_000
"""More than any pipe or socket takes at once."""
Ends = tuple[int, int]
"""What is read and what is written."""


def pipe() -> Ends:
    return os.pipe()


def sockets() -> Ends:
    """Return what Node gives its child processes."""
    one, other = socket.socketpair()
    return one.detach(), other.detach()


@pytest.fixture(params=[pipe, sockets])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    made: Callable[[], Ends] = request.param
    out, into = made()
    made_as = {each: os.fstat(each).st_ino for each in (out, into)}
    yield out, into
    for each, inode in made_as.items():
        # A number that a test has closed may be another file's by now.
        with contextlib.suppress(OSError):
            if os.fstat(each).st_ino == inode:
                os.close(each)


def never() -> None:
    raise AssertionError("the other side was lost")


async def test_a_message_that_fits_is_there_when_the_call_returns(ends: Ends) -> None:
    out, into = ends
    writer = PipeWriter(into, never)
    writer.write(b"one")
    os.set_blocking(out, False)
    assert os.read(out, 100) == b"one", "no thread had to have its turn"
    writer.write(b"two")
    assert os.read(out, 100) == b"two"
    writer.close()


async def test_what_does_not_fit_stops_nothing_and_comes_in_order(ends: Ends) -> None:
    out, into = ends
    writer = PipeWriter(into, never)
    sent = [b"first", LARGE, b"second", LARGE, b"third"]
    for each in sent:
        writer.write(each)  # Nobody reads yet.
    wanted = b"".join(sent)

    def read() -> bytes:
        got = b""
        while len(got) < len(wanted):
            got += os.read(out, 10_000)
        return got

    assert await asyncio.to_thread(read) == wanted
    writer.close()


async def test_small_messages_behind_a_large_one_are_not_overtaken_while_it_is_read(ends: Ends) -> None:
    out, into = ends
    writer = PipeWriter(into, never)
    sent, got = bytearray(), bytearray()
    os.set_blocking(out, False)
    for number in range(400):
        message = LARGE if number % 100 == 0 else b"%d;" % number
        sent += message
        writer.write(message)
        await asyncio.sleep(0)
        got += _there(out)
    while len(got) < len(sent):
        await asyncio.sleep(0)
        got += _there(out)
    assert got == sent
    writer.close()


def _there(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 3_000)
    except BlockingIOError:
        return b""


@pytest.mark.parametrize("size", [3, len(LARGE)])
async def test_a_reader_that_is_gone_is_told_of(ends: Ends, size: int) -> None:
    out, into = ends
    lost = asyncio.Event()
    writer = PipeWriter(into, lost.set)
    os.close(out)
    writer.write(LARGE[:size])
    await lost.wait()
    writer.write(b"more")
    writer.close()


async def test_an_end_waits_only_for_a_moment_for_what_is_not_read(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    out, into = ends
    monkeypatch.setattr("tuppence.lsp.protocol.stdio._FLUSH", 0.01)
    before = set(threading.enumerate())
    writer = PipeWriter(into, lambda: None)
    writer.write(LARGE)
    writer.close()
    # Its thread must end before the descriptors are closed: their numbers are those of the next test's.
    os.close(out)
    for thread in set(threading.enumerate()) - before:
        await asyncio.to_thread(thread.join)


async def test_all_that_is_written_is_read_up_to_the_end(ends: Ends) -> None:
    out, into = ends
    threads = threading.active_count()
    reader = pipe_reader(out)
    assert threading.active_count() == threads, "the event loop reads it"
    os.write(into, b"one\n")
    assert await reader.readline() == b"one\n"
    writer = PipeWriter(into, never)
    writer.write(LARGE)
    assert await reader.readexactly(len(LARGE)) == LARGE
    writer.close()
    os.close(into)
    assert await reader.read() == b""


async def test_a_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(LARGE)
    descriptor = os.open(path, os.O_RDONLY)
    assert await pipe_reader(descriptor).read() == LARGE
    os.close(descriptor)


async def test_a_large_input_leaves_the_event_loop_its_turns(ends: Ends) -> None:
    out, into = ends
    sending = threading.Thread(target=_write_all, args=(into, LARGE * 3), daemon=True)
    reader = pipe_reader(out)
    sending.start()
    turns = 0
    left = 3 * len(LARGE)
    while left:
        left -= len(await reader.read(1 << 20))
        turns += 1
    assert turns >= 3 * len(LARGE) / (1 << 16)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
