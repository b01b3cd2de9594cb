"""The attributes of httpx, httpcore, h11 and anyio that upstream/leftovers.py follows are where it expects them."""

from __future__ import annotations

from collections import deque

import h11
import httpx
import pytest
from fault_provider import END, FaultProvider, chunk, head

from tuppence.upstream import connections, leftovers

SCRIPT = [head(), chunk(b"data: 1\n\n"), END]


async def asked(client: httpx.AsyncClient, provider: FaultProvider) -> httpx.Response:
    """Ask for an answer, and leave its body unread."""
    return await client.send(client.build_request("GET", provider.base("anthropic")), stream=True)


async def test_a_response_leads_to_its_parser_and_its_socket() -> None:
    async with FaultProvider() as provider, httpx.AsyncClient(event_hooks=connections._HOOKS) as client:
        provider.always(SCRIPT)
        for number in range(3):
            response = await asked(client, provider)
            assert isinstance(response.stream, leftovers.Checked)
            parser = leftovers._follow(response.stream._stream, leftovers._PARSER)
            assert isinstance(parser, h11.Connection)
            assert parser.trailing_data[1] is False
            stream = getattr(response.extensions["network_stream"], "_stream", None)
            assert leftovers._follow(stream, leftovers._QUEUE) == deque()
            assert await response.aread() == b"data: 1\n\n"
            assert parser.our_state is h11.IDLE, "the connection is kept"
            assert (provider.connections, len(provider.requests)) == (1, number + 1)


@pytest.mark.parametrize("name", ["_PARSER", "_QUEUE"])
async def test_where_an_attribute_is_not_there_no_connection_is_kept(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, name, ("_renamed",))
    async with FaultProvider() as provider, httpx.AsyncClient(event_hooks=connections._HOOKS) as client:
        provider.always(SCRIPT)
        for number in range(3):
            response = await asked(client, provider)
            assert await response.aread() == b"data: 1\n\n"
            await provider.left()
            assert provider.connections == number + 1
