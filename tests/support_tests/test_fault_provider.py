"""The failing provider and its bench: each step works as documented, and faults of a run are detected."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fault_bench import ANSWER, Bench, Case, bench, held, sentence_faults
from fault_provider import (
    DROP,
    END,
    PAUSE,
    RESET,
    SILENCE,
    Arrived,
    FaultProvider,
    Step,
    Steps,
    chunk,
    head,
    plain,
    refusal,
    turns,
    whole,
)
from virtual_time import Sockets

REQUEST = b"POST /v1/messages HTTP/1.1\r\nX-Odd: Yes\r\nContent-Length: 2\r\n\r\n{}"


async def _got(provider: FaultProvider, request: bytes = REQUEST) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_a_script_is_sent_as_it_is_and_the_request_is_noted() -> None:
    async with FaultProvider() as provider:
        provider.script([b"not ", PAUSE, b"HTTP", DROP], [b"half", RESET])
        assert await _got(provider) == b"not HTTP"
        with pytest.raises(ConnectionResetError):
            await _got(provider)
        first, _ = provider.requests
        assert (first.path, first.wire, first.headers["x-odd"], first.json) == ("/v1/messages", "anthropic", "Yes", {})
        await provider.left()


async def test_silence_ends_when_the_client_leaves_and_a_connection_is_used_again() -> None:
    async with FaultProvider() as provider:
        provider.script(plain(200, b"one"), lambda seen: [seen.path.encode(), SILENCE])
        reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
        writer.write(REQUEST + REQUEST)
        assert (await reader.readuntil(b"one/v1/messages")).startswith(
            b"HTTP/1.1 200 Scripted\r\ncontent-length: 3\r\n"
        )
        assert [each.connection for each in provider.requests] == [0, 0]
        assert provider.open == 1
        writer.close()
        await provider.left()
        assert provider.open == 0


async def test_an_event_is_waited_for_and_a_script_can_begin_before_the_request() -> None:
    gate = asyncio.Event()
    async with FaultProvider(begins="connected") as provider:
        provider.script([b"a", gate, b"b", DROP])
        reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
        assert await reader.readexactly(1) == b"a"
        await turns()
        gate.set()
        assert await reader.read() == b"b"
        writer.close()


def test_a_minute_passes_at_once_beside_sockets_and_threads() -> None:
    async def work() -> float:
        began = asyncio.get_running_loop().time()
        async with FaultProvider() as provider:
            provider.always([SILENCE])
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(_got(provider), 60)
            async with asyncio.timeout(1):  # The thread is waited for, however long it takes.
                await asyncio.to_thread(time.sleep, 0.05)
            await asyncio.wait_for(asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80), 1)
        return asyncio.get_running_loop().time() - began

    with asyncio.Runner(loop_factory=Sockets) as runner:
        assert runner.run(work()) >= 60


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def test_the_bench_sees_what_does_not_hold(on: Bench) -> None:
    good = Case(name="good", scripts=[whole(ANSWER)], bill="counted", tries=1)
    ended = on.ended(good)
    assert held(good, ended) == []
    for wrong, words in (
        (replace(good, bill="nothing"), "nothing was due"),
        (replace(good, bill="estimate"), "estimate was due"),
        (replace(good, tries=2), "1 requests arrived"),
        (replace(good, says="refused"), "the text became"),
        (replace(good, seconds=-1), "it took"),
    ):
        assert any(words in each for each in held(wrong, ended)), words
    assert held(good, replace(ended, tries=4)) == ["4 requests arrived, 1 were due"]
    assert held(good, replace(ended, events=[*ended.events[-1:], ended.done]))
    with pytest.raises(AssertionError, match=r"2 faults in 2 cases(.|\n)*good \(openai\)(.|\n)*good \(anthropic\)"):
        on.tries(replace(good, bill="nothing"))
    assert on.tries(good) == 2
    assert on.alternates(good, good, good) == 3


def test_the_bench_sees_what_is_left_behind(on: Bench) -> None:
    sockets: list[socket.socket] = []
    tasks: list[asyncio.Task[bool]] = []

    def leak(_seen: Arrived) -> Steps:
        sockets.append(socket.socket())
        tasks.append(asyncio.get_running_loop().create_task(asyncio.Event().wait()))
        return [RESET]

    left = on.ended(Case(name="leak", scripts=[leak], says="closed")).left
    assert left.startswith("3 tasks")
    assert left.endswith("3 files")
    for each in sockets:
        each.close()


@pytest.mark.parametrize(
    "why",
    [
        "",
        "mine is busy.",
        "It is busy. Ask again.",
        "mine is busy. mine is busy. Ask again.",
        "mine is busy (ConnectError). Ask again.",
        "{provider} of mine is busy. Ask again.",
        "mine is busy. Ask again",
        "mine is busy. Traceback (most recent call last). Ask again.",
        "mine is busy. " + "Ask again. Or do not. " * 40,
    ],
)
def test_the_bench_judges_sentences(why: str) -> None:
    assert list(sentence_faults(why))


def test_the_bench_lets_a_good_sentence_pass() -> None:
    assert not list(sentence_faults("mine cannot answer now (503). Try again in a moment, or choose another model."))


def test_an_error_has_the_form_of_both_wires() -> None:
    first, content = refusal(503, {"retry-after": "7"})
    assert first.startswith(b"HTTP/1.1 503 Scripted\r\n")
    assert b"retry-after: 7\r\n" in first
    assert f"content-length: {len(content)}\r\n".encode() in first
    assert head(version="1.0", headers={"transfer-encoding": None}).startswith(b"HTTP/1.0 200 OK\r\ncontent-type")
    assert chunk(b"abc") + END == b"3\r\nabc\r\n0\r\n\r\n"
    assert all(isinstance(each, Step) for each in (PAUSE, SILENCE, DROP, RESET))
