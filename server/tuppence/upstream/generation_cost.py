"""Ask a provider after an answer what it cost; several times, because that is known some seconds after the end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from tuppence import __version__
from tuppence.errors import Broken
from tuppence.providers import HttpRequest, UsageReport, _generation_cost
from tuppence.upstream import limits

if TYPE_CHECKING:
    import httpx

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each request."""
_SECONDS = 10.0
"""Seconds for one request and its response."""
_BODY = 65_536
_LATER = frozenset({404, 408, 409, 425, 429})
"""Statuses that mean "not yet", as those from 500 on do."""


async def ask(client: httpx.AsyncClient, request: HttpRequest) -> UsageReport | None:
    """Return what the provider charged; None if it does not say so after the last pause, or never will."""
    for pause in PAUSES:
        await asyncio.sleep(pause)
        status, body = await _answer(client, request)
        if status == 200 and (found := _generation_cost.read(body)):  # noqa: PLR2004 - HTTP's "OK"
            return found
        if status not in _LATER and 300 <= status < 500:  # noqa: PLR2004 - HTTP's redirects and refusals
            return None
    return None


async def _answer(client: httpx.AsyncClient, request: HttpRequest) -> tuple[int, str]:
    """Return the status and the body; status 0 if there was no response."""
    import httpx

    headers = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"tuppence/{__version__}",
        **request.headers,
    }
    asking = client.build_request("GET", request.url, headers=headers, timeout=_SECONDS)
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            response = await client.send(asking, stream=True)
            async with aclosing(response):
                await limits.read(response, _BODY, body)
    except (httpx.HTTPError, httpx.StreamError, OSError, Broken):
        return 0, ""
    if len(body) == _BODY:
        return 0, ""
    return response.status_code, body.decode("utf-8", "replace")
