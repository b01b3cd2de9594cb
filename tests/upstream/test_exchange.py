"""One exchange: the number of waits for the network, and immediate delivery of the data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, suppress
from typing import Any

import pytest
from scripted_provider import Reply, ScriptedUpstream, Talk, raw

from tuppence.core.models.model import Model, Provider
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import Broken
from tuppence.providers import Stop, Text
from tuppence.upstream import ModelClient, Piece, RetryPolicy, limits
from tuppence.upstream.exchange import Exchange

PROMPT = Prompt("s", ("f",), "t", 100)
PATIENCE = RetryPolicy(connect=20, first_event=60, between_events=60)
STOP = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each wait with a time-out."""
    seen: list[None] = []
    real = Exchange._timed

    async def counted(self: Exchange, work: Awaitable[Any]) -> Any:
        seen.append(None)
        return await real(self, work)

    monkeypatch.setattr(Exchange, "_timed", counted)
    return seen


def delta(text: str) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode()


def row(server: ScriptedUpstream) -> Model:
    return Model(provider=Provider("acme", "openai", server.openai, None), id="m-1", tier="budget")


async def ask(server: ScriptedUpstream, pieces: list[Piece]) -> None:
    client = ModelClient(PATIENCE)
    try:
        async with aclosing(client.answer(PROMPT, row(server), None)) as answer:
            async for piece in answer:
                pieces.append(piece)  # noqa: PERF401 - what came before an error is wanted
    finally:
        await client.close()


def texts(pieces: list[Piece]) -> list[str]:
    return [piece.text for piece in pieces if isinstance(piece, Text)]


async def test_all_events_of_one_read_take_one_wait(server: ScriptedUpstream, waits: list[None]) -> None:
    said = [f"{number} " for number in range(50)]
    server.script(raw([b"".join(map(delta, said)) + STOP]))
    pieces: list[Piece] = []
    await ask(server, pieces)
    assert texts(pieces) == said
    assert isinstance(pieces[-1], Stop)
    assert len(waits) <= 4, "the response, the chunk, which may come in two reads, and the end"


async def test_an_event_is_handed_out_while_the_next_is_on_its_way(server: ScriptedUpstream) -> None:
    rest = asyncio.Event()

    async def play(talk: Talk) -> None:
        await talk.head(200, {})
        await talk.chunk(delta("one") + delta("two") + delta("three")[:20])
        await rest.wait()
        await talk.chunk(delta("three")[20:] + STOP)
        await talk.end()

    server.script(Reply(play))
    pieces: list[Piece] = []
    client = ModelClient(PATIENCE)
    async with aclosing(client.answer(PROMPT, row(server), None)) as answer:
        async for piece in answer:
            pieces.append(piece)
            if texts(pieces) == ["one", "two"]:
                rest.set()  # Never, if the second waited for the third.
    await client.close()
    assert texts(pieces) == ["one", "two", "three"]


async def test_the_bound_on_events_holds_within_one_read(
    server: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EVENTS", 10)
    server.script(raw([b"".join(delta(f"{number} ") for number in range(50)) + STOP]))
    pieces: list[Piece] = []
    with pytest.raises(Broken, match="more than 10 events"):
        await ask(server, pieces)
    assert texts(pieces) == [f"{number} " for number in range(10)], "what came before it was handed out"


async def test_an_error_behind_events_of_the_same_read_comes_after_them(server: ScriptedUpstream) -> None:
    problem = b'data: {"error": {"message": "no", "type": "server_error"}}\n\n'
    server.script(raw([delta("one") + delta("two") + problem + delta("three")]))
    pieces: list[Piece] = []
    with pytest.raises(Exception, match="acme cannot answer now"):
        await ask(server, pieces)
    assert texts(pieces) == ["one", "two"]


async def test_all_chunks_of_one_read_are_one_batch(server: ScriptedUpstream, waits: list[None]) -> None:
    said = [f"{number} " for number in range(50)]

    async def play(talk: Talk) -> None:
        await talk.head(200, {})
        await asyncio.sleep(0.05)
        # Each is a chunk of HTTP, and all are there when the client reads.
        await talk.bytes(b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in (*map(delta, said), STOP)))
        await talk.end()

    server.script(Reply(play))
    client = ModelClient(PATIENCE)
    async with aclosing(client.batches(PROMPT, row(server), None)) as batches:
        come = [batch async for batch in batches]
    await client.close()
    pieces = [piece for batch in come for piece in batch]
    assert texts(pieces) == said
    bytes_ = sum(map(len, map(delta, said))) + 64 * len(said)
    assert len(come) <= 2 + bytes_ // 4_096 + 1, (
        "the request, one for each turn of the event loop, one for a second read"
    )
    assert len(waits) <= 4


@pytest.mark.parametrize("ending", ["stop", "fail"])
async def test_a_call_that_ends_amid_a_batch_hangs_up(server: ScriptedUpstream, ending: str) -> None:
    async def play(talk: Talk) -> None:
        await talk.head(200, {})
        await talk.chunk(delta("one"))
        await talk.seen.closed.wait()

    server.script(Reply(play))
    client = ModelClient(PATIENCE)
    with suppress(ZeroDivisionError):
        async with aclosing(client.batches(PROMPT, row(server), None)) as batches:
            async for batch in batches:
                if texts(list(batch)) and ending == "stop":
                    break
                if texts(list(batch)):
                    raise ZeroDivisionError
    await server.requests[0].closed.wait()
    assert server.requests[0].closed.is_set()
    await client.close()
