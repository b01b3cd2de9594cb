"""A provider without sockets, for tests in virtual time: it sends its data at given times of the loop's clock.

provider = VirtualProvider(Played(after=3, status=429, headers={"retry-after": "5"}), Played(parts=[(0, b"...")]))
provider.install(monkeypatch)
virtual_time.run(...)          # any ModelClient asks it
assert provider.asked == [0.0, 8.0]
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tuppence.upstream import client as upstream_client

Part = tuple[float, bytes]
"""Seconds of silence, and the bytes sent after them."""


@dataclass(frozen=True)
class Played:
    """One reply."""

    parts: Iterable[Part] = ()
    after: float = 0.0
    """The delay before the headers in seconds."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    """Whether the connection stays open after the last part."""
    refused: bool = False
    """Whether the connection is refused."""
    unreachable: bool = False
    """Whether connecting times out."""


class VirtualProvider(httpx.AsyncBaseTransport):
    """A transport that plays its replies, one per request, and repeats the last one for all further requests.

    A reply may be a function of the times at which all requests so far arrived, this one included.
    """

    def __init__(self, *replies: Played | Callable[[list[float]], Played]) -> None:
        self._replies = replies
        self.asked: list[float] = []
        """The arrival time of each request, by the loop's clock."""
        self.closed = 0
        """The number of bodies that were closed."""

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make every client use this transport. Run thread work inline, because threads do not follow virtual time."""

        async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
            return work(*arguments)

        monkeypatch.setattr(upstream_client, "opening", lambda _request, _key: self._open)
        monkeypatch.setattr(asyncio, "to_thread", at_once)

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        await request.aread()
        reply = self._replies[min(len(self.asked), len(self._replies) - 1)]
        self.asked.append(asyncio.get_running_loop().time())
        if not isinstance(reply, Played):
            reply = reply(self.asked)
        await asyncio.sleep(reply.after)
        if reply.unreachable:
            raise httpx.ConnectTimeout("late", request=request)
        if reply.refused:
            raise httpx.ConnectError("refused", request=request)
        kind = "text/event-stream" if reply.status == 200 else "application/json"
        return httpx.Response(reply.status, headers={"content-type": kind, **reply.headers}, stream=_Body(reply, self))


class _Body(httpx.AsyncByteStream):
    def __init__(self, reply: Played, provider: VirtualProvider) -> None:
        self._reply = reply
        self._provider = provider

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for silence, data in self._reply.parts:
            await asyncio.sleep(silence)
            yield data
        if self._reply.hangs:
            await asyncio.get_running_loop().create_future()

    async def aclose(self) -> None:
        self._provider.closed += 1
