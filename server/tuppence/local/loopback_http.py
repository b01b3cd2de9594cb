"""Small HTTP requests to servers on this machine.

No proxy, redirect or TLS is used. A response that is late, large or not JSON counts as none, because any program may
listen at a port.
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
    """Return the JSON of a GET response with status 200, or None."""
    return await _json("GET", url, seconds, key=key)


async def post(url: str, seconds: float, body: object, key: str | None = None) -> Any:
    """POST a body as JSON and return the JSON of a response with status 200, or None."""
    return await _json("POST", url, seconds, body=body, key=key)


async def _json(method: str, url: str, seconds: float, *, body: object = None, key: str | None = None) -> Any:
    client = await asyncio.to_thread(_client, seconds)
    import httpx

    # A small compressed body could become a large one here.
    headers = {"accept-encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        async with (
            asyncio.timeout(seconds),
            client,
            client.stream(method, url, headers=headers, json=body) as response,
        ):
            data = await _body(response) if response.status_code == httpx.codes.OK else b""
        return json.loads(data)
    except (httpx.HTTPError, OSError, ValueError, RecursionError):  # asyncio's TimeoutError is an OSError.
        return None


def _client(seconds: float) -> httpx.AsyncClient:
    """Return a client; call it in a thread, because the first client takes a tenth of a second."""
    import httpx

    _load()

    # A default client takes 30 ms to load certificates; this one loads none, because loopback uses plain HTTP.
    trusting_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=seconds, verify=trusting_nobody)


@cache
def _load() -> None:
    """Load the modules that httpx would otherwise load in the event loop with its first request."""
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
