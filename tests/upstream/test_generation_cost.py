"""A provider is asked a few times for an answer's cost, only as long as it may still report it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from tests.providers.test_generation_cost import SAID

from tuppence.core.models.usage import Usage
from tuppence.providers import HttpRequest, UsageReport
from tuppence.upstream import generation_cost
from tuppence.upstream.generation_cost import PAUSES

ASKED = HttpRequest("http://127.0.0.1:9/v1/generation?id=gen-1", {"authorization": "Bearer key"}, {})
KNOWN = Usage(fresh=600, cache_read=400, output=50, thinking=20)


def reply(status: int, body: bytes = json.dumps({"data": SAID}).encode(), **headers: str) -> httpx.Response:
    """Return a response whose body comes in two pieces, as from a socket."""

    async def pieces() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        yield body[len(body) // 2 :]

    return httpx.Response(status, content=pieces(), headers=headers)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that are asked for, none of which is made."""
    found: list[float] = []
    real = asyncio.sleep

    async def noted(seconds: float) -> None:
        found.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", noted)
    return found


async def ask(answer: Callable[[int], httpx.Response]) -> tuple[UsageReport | None, list[httpx.Request]]:
    """Ask a provider that answers each question, by its number from 0; return what was found and what was asked."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(len(seen) - 1)

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
        return await generation_cost.ask(client, ASKED), seen


async def test_what_it_says_at_once_is_taken(pauses: list[float]) -> None:
    found, seen = await ask(lambda _: reply(200))
    assert found is not None
    assert found.usage == KNOWN
    assert (len(seen), pauses) == (1, [PAUSES[0]])
    assert (seen[0].method, str(seen[0].url), seen[0].content) == ("GET", ASKED.url, b"")
    assert seen[0].headers["authorization"] == "Bearer key"
    assert seen[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [200, 404, 408, 409, 425, 429, 500, 503, 599])
async def test_not_yet_is_asked_again_to_the_last_pause(pauses: list[float], status: int) -> None:
    found, seen = await ask(lambda _: reply(status, b"{}"))
    assert found is None
    assert len(seen) == len(PAUSES)
    assert pauses == list(PAUSES)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 402, 403, 405, 410, 422])
async def test_a_refusal_or_a_redirect_is_the_end(pauses: list[float], status: int) -> None:
    found, seen = await ask(lambda _: reply(status, location="http://127.0.0.1:1/"))
    assert found is None
    assert (len(seen), len(pauses)) == (1, 1)


async def test_what_is_said_late_is_taken(pauses: list[float]) -> None:
    last = len(PAUSES) - 1
    found, seen = await ask(lambda at: reply(200) if at == last else reply(404))
    assert found is not None
    assert found.usage == KNOWN
    assert (len(seen), pauses) == (len(PAUSES), list(PAUSES))


async def test_a_connection_that_fails_is_tried_again(pauses: list[float]) -> None:
    def answer(at: int) -> httpx.Response:
        if at < 2:
            raise httpx.ConnectError("refused") if at else httpx.ReadTimeout("silence")
        return reply(200)

    found, seen = await ask(answer)
    assert found is not None
    assert (len(seen), pauses) == (3, list(PAUSES[:3]))


@pytest.mark.parametrize(("size", "is_read"), [(-1, True), (0, False), (1, False)])
async def test_a_body_of_the_bounds_size_is_not_taken_for_a_whole_one(
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    is_read: bool,  # noqa: FBT001
) -> None:
    body = json.dumps({"data": SAID}).encode()
    monkeypatch.setattr(generation_cost, "_BODY", 1000)
    padded = body.ljust(1000 + size)
    found, seen = await ask(lambda _: reply(200, padded))
    assert (found is not None) is is_read
    assert len(seen) == len(pauses) == (1 if is_read else len(PAUSES))
