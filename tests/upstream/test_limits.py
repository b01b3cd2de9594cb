"""A server that sends without end: the amount read is bounded, measured by what the server could send."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from functools import cache
from itertools import repeat

import httpx
import pytest
from scripted_provider import Reply, ScriptedUpstream, Talk, answer

from tuppence.core.models.model import Model, Provider
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import Broken, TuppenceError
from tuppence.local import loopback_http
from tuppence.providers import Text, UsageReport, wire_names
from tuppence.providers._think_tags import InlineThinking
from tuppence.upstream import ModelClient, Piece, RetryPolicy, generation_cost, limits
from tuppence.upstream.limits import ANSWER, EVENT, BoundedText

WIRES = wire_names()
PATIENCE = RetryPolicy(connect=20, first_event=60, between_events=60, base=0.01, cap=0.05)
BUFFERS = 8_000_000
"""Bytes that sockets and the two libraries may hold of what was sent and not read."""
PIECE = 65_536
LINE_REMEDY = "Ask again, or choose another model."


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


class Flood:
    """Sends pieces until the client hangs up or there are none; counts the bytes that were taken."""

    def __init__(self, pieces: Callable[[], Iterator[bytes]], **headers: str) -> None:
        self.taken = 0
        self._pieces = pieces
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reply = Reply(self._play)
        self.status = 200

    async def _play(self, talk: Talk) -> None:
        await talk.head(self.status, self._headers)
        for piece in self._pieces():
            await talk.chunk(piece)
            self.taken += len(piece)
        await talk.end()


def model(upstream: ScriptedUpstream, wire: str) -> Model:
    base = upstream.openai if wire == "openai" else upstream.anthropic
    return Model(provider=Provider("acme", wire, base, None), id="m-1", tier="budget")


async def ask(row: Model, pieces: list[Piece]) -> None:
    client = ModelClient(PATIENCE)
    try:
        async for piece in client.answer(Prompt("s", ("f",), "t", 100), row, None):
            pieces.append(piece)  # noqa: PERF401 - what came before the error is wanted
    finally:
        await client.close()


def delta(text: str) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode()


ENDLESS: dict[str, Callable[[], Iterator[bytes]]] = {
    "one line": lambda: repeat(b"x" * PIECE),
    "one line of data": lambda: iter([b"data: ", *[b"x" * PIECE] * 10_000]),
    "one line of half characters": lambda: repeat(b"\xf0\x9f" * (PIECE // 2)),
    "one line behind an answer": lambda: iter([delta("hello"), *[b"x" * PIECE] * 10_000]),
    "lines without a blank one": lambda: repeat(b"data: x\n" * (PIECE // 8)),
    "carriage returns between lines": lambda: repeat(b"data: x\r" * (PIECE // 8)),
    "an event's name": lambda: iter([b"event: ", *[b"x" * PIECE] * 10_000]),
    "an id": lambda: iter([b"id: ", *[b"1" * PIECE] * 10_000]),
    "one comment": lambda: iter([b":", *[b" " * PIECE] * 10_000]),
}
UNENDING: dict[str, Callable[[], Iterator[bytes]]] = {
    "comments": lambda: repeat(b": ping\n\n" * (PIECE // 8)),
    "blank lines": lambda: repeat(b"\n" * PIECE),
    "events that say nothing": lambda: repeat(b"data: {}\n\n" * (PIECE // 10)),
    "events of another kind": lambda: repeat(b"event: x\r\ndata: {}\r\n\r\n" * (PIECE // 22)),
    "long events": lambda: repeat(b"data: " + b" " * (4 * PIECE) + b"\n\n"),
    "text": lambda: repeat(delta("word " * 10_000)),
}


@pytest.mark.attack("what comes back", "a line without end")
@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("wire", WIRES)
async def test_a_line_without_end_is_cut_off(server: ScriptedUpstream, wire: str, kind: str) -> None:
    flood = Flood(ENDLESS[kind])
    server.always(flood.reply)
    with pytest.raises(Broken) as caught:
        await ask(model(server, wire), [])
    assert caught.value.message == "acme sent more than 8 MB without a break."
    assert caught.value.remedy == LINE_REMEDY
    await server.requests[0].closed.wait()
    assert EVENT - PIECE < flood.taken < EVENT + BUFFERS
    assert len(server.requests) == 1, "it is not asked again"


@pytest.mark.attack("what comes back", "an answer without end")
@pytest.mark.parametrize("kind", ["long events", "text"])
async def test_an_answer_without_end_is_cut_off(server: ScriptedUpstream, kind: str) -> None:
    flood, pieces = Flood(UNENDING[kind]), list[Piece]()
    server.always(flood.reply)
    with pytest.raises(Broken) as caught:
        await ask(model(server, "openai"), pieces)
    assert caught.value.message == "acme sent more than 32 MB for one answer."
    await server.requests[0].closed.wait()
    assert flood.taken < ANSWER + BUFFERS
    assert sum(len(piece.text) for piece in pieces if isinstance(piece, Text)) < ANSWER
    assert len(server.requests) == 1


@pytest.mark.attack("what comes back", "an answer without end")
@pytest.mark.parametrize("kind", UNENDING)
@pytest.mark.parametrize("wire", WIRES)
async def test_many_small_pieces_without_end_are_cut_off(
    server: ScriptedUpstream, wire: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER", 2_000_000)
    monkeypatch.setattr(limits, "EVENTS", 5_000)
    flood, pieces = Flood(UNENDING[kind]), list[Piece]()
    server.always(flood.reply)
    with pytest.raises(Broken, match=r"acme sent more than (2 MB|5,000 events) for one answer\."):
        await ask(model(server, wire), pieces)
    await server.requests[0].closed.wait()
    assert flood.taken < 2_000_000 + BUFFERS


async def test_the_event_loop_has_its_turn_among_many_events(server: ScriptedUpstream) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    server.script(Flood(lambda: iter([b"data: {}\n\n" * 20_000])).reply)
    beside = asyncio.create_task(others())
    with pytest.raises(Broken):
        await ask(model(server, "openai"), [])
    beside.cancel()
    assert turns > 20_000 * 10 / 4096, "one at least for each 4 KB"


@pytest.mark.parametrize("size", [1, 40, 4_000, 10_000])
async def test_pieces_that_are_there_already_leave_the_event_loop_its_turns(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    turns = read = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def decoded(_response: httpx.Response) -> AsyncGenerator[bytes, None]:
        for _ in range(400_000 // (size + 100)):
            yield b"x" * size  # Nothing is waited for: all came with one read.

    async def wait(work: Awaitable[bytes]) -> bytes:
        return await work

    monkeypatch.setattr(limits, "_decoded", decoded)
    beside = asyncio.create_task(others())
    await asyncio.sleep(0)
    async with aclosing(BoundedText(httpx.Response(200), wait).aiter_text()) as text:
        async for part in text:
            read += len(part)
            assert turns >= (read - 1) // 4096, "one for each 4 KB"
            assert turns >= (read - 1) // size // 64, "one for each 64 pieces"
    beside.cancel()
    assert read == 400_000 // (size + 100) * size


@cache
def bomb(size: int, wrapped: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    return wrapped(b"x" * size)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.attack("what comes back", "a body that unpacks to much more")
@pytest.mark.parametrize(
    ("coding", "size", "wrapped"),
    [
        ("gzip", 300_000_000, gzip.compress),
        ("GZIP", 20_000_000, gzip.compress),
        ("deflate", 20_000_000, zlib.compress),
        ("deflate", 20_000_000, deflated),
    ],
)
async def test_what_unpacks_to_much_more_is_cut_off(
    server: ScriptedUpstream,
    coding: str,
    size: int,
    wrapped: Callable[[bytes], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed = bomb(size, wrapped)
    unpacked = 0
    real = limits._Unpacking.feed

    def counted(self: limits._Unpacking, data: bytes) -> Iterator[bytes]:
        nonlocal unpacked
        for piece in real(self, data):
            unpacked += len(piece)
            assert len(piece) <= PIECE
            yield piece

    monkeypatch.setattr(limits._Unpacking, "feed", counted)
    server.always(Flood(lambda: iter([packed]), content_encoding=coding).reply)
    with pytest.raises(Broken, match="more than 8 MB"):
        await ask(model(server, "openai"), [])
    assert EVENT < unpacked <= EVENT + PIECE


@pytest.mark.attack("what comes back", "a body that unpacks to much more")
@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
async def test_a_packing_that_was_not_asked_for_is_not_unpacked(server: ScriptedUpstream, coding: str) -> None:
    server.always(Flood(lambda: repeat(b"x" * PIECE), content_encoding=coding).reply)
    with pytest.raises(Broken, match="compressed its answer in a way that was not asked for"):
        await ask(model(server, "openai"), [])


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, deflated])
async def test_a_proxy_that_packs_answers_is_understood(
    server: ScriptedUpstream, pack: Callable[[bytes], bytes]
) -> None:
    coding = "gzip" if pack is gzip.compress else "deflate"
    packed = pack(delta("hello é") + b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
    pieces: list[Piece] = []
    server.script(Flood(lambda: (packed[at : at + 1] for at in range(len(packed))), content_encoding=coding).reply)
    await ask(model(server, "openai"), pieces)
    assert "".join(piece.text for piece in pieces if isinstance(piece, Text)) == "hello é"


@pytest.mark.attack("what comes back", "an error without end")
@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_an_error_without_end_is_read_at_its_beginning(
    server: ScriptedUpstream, status: int, coding: str
) -> None:
    piece = b"x" * PIECE if coding == "identity" else bomb(100_000_000)
    flood = Flood(lambda: repeat(piece), content_type="application/json", content_encoding=coding)
    flood.status = status
    server.always(flood.reply)
    with pytest.raises(TuppenceError):
        await ask(model(server, "openai"), [])
    await server.requests[0].closed.wait()
    assert flood.taken < BUFFERS * len(server.requests)


@pytest.mark.attack("what comes back", "a redirect with a body without end")
async def test_the_body_of_a_redirect_is_not_read(server: ScriptedUpstream) -> None:
    flood = Flood(lambda: repeat(b"x" * PIECE), location="/elsewhere")
    flood.status = 302
    server.always(flood.reply)
    with pytest.raises(TuppenceError, match="never followed"):
        await ask(model(server, "openai"), [])
    await server.requests[0].closed.wait()
    assert flood.taken < BUFFERS
    assert len(server.requests) == 1


@pytest.mark.attack("what comes back", "headers without end")
async def test_headers_without_end_are_cut_off(server: ScriptedUpstream) -> None:
    taken = 0

    async def play(talk: Talk) -> None:
        nonlocal taken
        await talk.bytes(b"HTTP/1.1 200 OK\r\nx: ")
        while True:
            await talk.bytes(b"y" * PIECE)
            taken += PIECE

    server.always(Reply(play))
    with pytest.raises(TuppenceError):
        await ask(model(server, "openai"), [])
    await server.requests[0].closed.wait()
    assert taken < BUFFERS * len(server.requests)


@pytest.mark.attack("what comes back", "a content-length that lies")
@pytest.mark.parametrize("length", [10, 10**15])
async def test_a_length_that_lies_changes_no_limit(server: ScriptedUpstream, length: int) -> None:
    taken = 0

    async def play(talk: Talk) -> None:
        nonlocal taken
        await talk.bytes(
            f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\n\r\n".encode()
        )
        while True:
            await talk.bytes(b"x" * PIECE)
            taken += PIECE

    server.always(Reply(play))
    with pytest.raises(Broken):
        await ask(model(server, "openai"), [])
    await server.requests[0].closed.wait()
    assert taken < EVENT + BUFFERS


@pytest.mark.attack("what comes back", "JSON that is deep or huge")
@pytest.mark.parametrize(
    "data",
    [
        '{"a":' * 100_000,
        "[" * 1_000_000,
        '{"usage":{"prompt_tokens":' + "9" * 1_000_000 + "}}",
        '{"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":1e999999999}}',
        '{"usage":{"cost":' + "9" * 100_000 + ".5}}",
    ],
)
async def test_deep_or_huge_json_is_no_crash(server: ScriptedUpstream, data: str) -> None:
    server.always(Flood(lambda: iter([b"data: " + data.encode() + b"\n\n"])).reply)
    with pytest.raises(Broken):
        await ask(model(server, "openai"), [])


@pytest.mark.attack("what comes back", "a flood behind the end of an answer")
async def test_what_follows_the_end_of_an_answer_is_no_error(server: ScriptedUpstream) -> None:
    done = delta("hello") + b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    flood, pieces = Flood(lambda: iter([done, *[b"x" * PIECE] * 10_000])), list[Piece]()
    server.always(flood.reply)
    await ask(model(server, "openai"), pieces)
    assert [piece.text for piece in pieces if isinstance(piece, Text)] == ["hello"]
    await server.requests[0].closed.wait()
    assert flood.taken < EVENT + BUFFERS


async def test_a_large_answer_below_the_limits_is_whole(server: ScriptedUpstream) -> None:
    text = "".join(f"line {n}\n" for n in range(100_000))
    server.script(answer(text, size=10_000), answer(text, size=len(text)))
    for _ in range(2):
        pieces: list[Piece] = []
        await ask(model(server, "openai"), pieces)
        assert "".join(piece.text for piece in pieces if isinstance(piece, Text)) == text
        assert any(isinstance(piece, UsageReport) for piece in pieces)


@pytest.mark.attack("what comes back", "an answer about costs without end")
@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
async def test_an_answer_about_costs_is_bounded(
    server: ScriptedUpstream, coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_cost, "PAUSES", (0.0, 0.0))
    piece = b" " * PIECE if coding != "gzip" else bomb(100_000_000)
    flood = Flood(lambda: repeat(piece), content_type="application/json", content_encoding=coding)
    server.always(flood.reply)
    provider = Provider("acme", "openai", server.openai, None, bill="generation?id={id}")
    row = Model(provider=provider, id="m-1", tier="budget")
    client = ModelClient(PATIENCE)
    assert await client.bill(row, None, "gen-1") is None
    await client.close()
    assert flood.taken < BUFFERS
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.attack("what comes back", "a local server's answer without end")
@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
async def test_a_local_servers_answer_is_bounded(server: ScriptedUpstream, coding: str) -> None:
    piece = b" " * PIECE if coding != "gzip" else bomb(100_000_000)
    flood = Flood(lambda: repeat(piece), content_type="application/json", content_encoding=coding)
    server.always(flood.reply)
    assert await loopback_http.get(f"{server.url}/v1/models", 60) is None
    await server.requests[0].closed.wait()
    assert flood.taken < loopback_http.LARGEST + BUFFERS


@pytest.mark.attack("what comes back", "white space before an answer")
def test_white_space_is_not_held_for_ever() -> None:
    inline, held, out = InlineThinking(), 0, 0
    for _ in range(20_000):
        out += sum(len(each.text) for each in inline.feed(" "))
        held = max(held, len(inline._held))
    out += sum(len(each.text) for each in inline.finish())
    assert held <= 1001
    assert out == 20_000
