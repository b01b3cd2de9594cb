"""Small questions over HTTP to servers on this machine.

No proxy is used, no redirect followed, no TLS spoken, and an answer that is late, large or no JSON is no answer: who
listens at a port may be anybody.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

HOST = "127.0.0.1"
LARGEST = 4_000_000


async def get(url: str, seconds: float, key: str | None = None) -> Any:
    """Return the JSON that a GET answers with status 200, or None."""
    return await _json("GET", url, seconds, key=key)


async def post(url: str, seconds: float, body: object, key: str | None = None) -> Any:
    """Return the JSON that a POST of JSON answers with status 200, or None."""
    return await _json("POST", url, seconds, body=body, key=key)


async def _json(method: str, url: str, seconds: float, *, body: object = None, key: str | None = None) -> Any:
    client = await asyncio.to_thread(_client, seconds)
    import httpx

    # A compressed body could be small on the way and large here.
    headers = {"accept-encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        async with (
            asyncio.timeout(seconds),
            client,
            client.stream(method, url, headers=headers, json=body) as response,
        ):
            data = await _body(response) if response.status_code == httpx.codes.OK else b""
        return json.loads(data)
    except (httpx.HTTPError, OSError, ValueError, RecursionError):  # asyncio's TimeoutError is an OSError
        return None


def _client(seconds: float) -> httpx.AsyncClient:
    """Return a client; called in a thread, because the first one takes a tenth of a second."""
    import httpx

    _load()

    # A default client spends 30 ms on loading certificates; this one trusts none, since loopback speaks plain HTTP.
    trusting_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=seconds, verify=trusting_nobody)


@cache
def _load() -> None:
    """Load what httpx would load with its first request, in the event loop."""
    import anyio
    import httpcore

    httpcore.AnyIOBackend()
    anyio.run(anyio.sleep, 0)


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        return b""
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > LARGEST:
            return b""
    return bytes(data)
