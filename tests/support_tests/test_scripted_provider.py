"""The scripted server itself: its output, and its detection of a client that disconnects."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from scripted_provider import (
    ScriptedUpstream,
    answer,
    cut,
    drip,
    error,
    error_in_stream,
    hang_up,
    in_thread,
    raw,
    stall,
)

PATHS = ("/v1/chat/completions", "/v1/messages")


_LOST = (httpx.NetworkError, httpx.RemoteProtocolError)


async def _bytes_until_lost(upstream: ScriptedUpstream, path: str) -> bytes:
    got = b""
    async with httpx.AsyncClient() as client, client.stream("POST", upstream.url + path, json={}) as response:
        try:
            async for chunk in response.aiter_bytes():
                got += chunk
        except _LOST:
            return got
    raise AssertionError("the connection was not lost")


async def _post(upstream: ScriptedUpstream, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(upstream.url + path, json={"model": "small"})


@pytest.mark.parametrize("path", PATHS)
async def test_it_says_the_same_on_both_wires(path: str) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.says("a été 🐍", size=3)
        response = await _post(upstream, path)
    data = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    anthropic = [each["delta"]["text"] for each in data if each.get("type") == "content_block_delta"]
    openai = [choice["delta"].get("content", "") for each in data for choice in each.get("choices", ())]
    assert "".join(anthropic or openai) == "a été 🐍"
    assert upstream.requests[0].body == {"model": "small"}
    assert upstream.requests[0].wire == ("anthropic" if path == "/v1/messages" else "openai")


@pytest.mark.parametrize("path", PATHS)
async def test_a_drip_is_the_same_bytes(path: str) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.script(answer("slow 🐍"), drip("slow 🐍", step=1))
        assert (await _post(upstream, path)).content == (await _post(upstream, path)).content


async def test_replies_come_in_order_and_then_418() -> None:
    async with ScriptedUpstream() as upstream:
        upstream.script(error(429, retry_after="1"), lambda seen: raw([seen.body["model"].encode()]))
        first, second, third = [await _post(upstream, PATHS[0]) for _ in range(3)]
        upstream.always(error(503, "loading"))
        fourth = await _post(upstream, PATHS[0])
    assert (first.status_code, first.headers["retry-after"]) == (429, "1")
    assert second.text == "small"
    assert third.status_code == 418
    assert (fourth.status_code, fourth.text) == (503, "loading")


@pytest.mark.parametrize("path", PATHS)
async def test_an_error_stands_after_the_text(path: str) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.script(error_in_stream({"type": "overloaded_error"}, "some text", size=3))
        body = (await _post(upstream, path)).text
    assert 0 < body.index('"som"') < body.index("overloaded_error")
    assert "[DONE]" not in body
    assert "message_stop" not in body


@pytest.mark.parametrize("path", PATHS)
async def test_it_breaks_off(path: str) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.script(hang_up(), cut("", after=0), cut("0123456789", after=1, size=4))
        with pytest.raises(_LOST):
            await _post(upstream, path)
        nothing = await _bytes_until_lost(upstream, path)
        something = await _bytes_until_lost(upstream, path)
    assert nothing == b""
    assert b"0123" in something
    assert b"4567" not in something


async def test_it_sees_the_client_leave() -> None:
    async with ScriptedUpstream() as upstream:
        upstream.script(stall())
        task = asyncio.create_task(_post(upstream, PATHS[0]))
        seen = await upstream.seen()
        assert not seen.closed.is_set()
        task.cancel()
        await asyncio.wait_for(seen.closed.wait(), 60)
        assert seen.closed_at is not None


async def test_a_connection_may_be_used_again() -> None:
    async with ScriptedUpstream() as upstream, httpx.AsyncClient() as client:
        upstream.always(answer("again"))
        for _ in range(3):
            await client.post(upstream.url + PATHS[0], json={})
    assert [seen.connection for seen in upstream.requests] == [0, 0, 0]


def test_it_runs_beside_synchronous_code() -> None:
    with in_thread() as upstream:
        upstream.says("from a thread")
        assert "from a" in httpx.post(upstream.url + PATHS[0], json={}).text
