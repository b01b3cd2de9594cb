"""The attributes of httpx, httpcore, h11 and anyio that upstream/leftovers.py follows are where it expects them."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import h11
import httpx
import pytest
from certificates import Authority
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


def talk(folder: Path) -> tuple[ssl.SSLObject, ssl.SSLObject, ssl.MemoryBIO]:
    """Return a client and a server of TLS that have introduced each other, and where the client's bytes come from."""
    authority = Authority(folder)
    trusting = ssl.create_default_context(cafile=str(authority.path))
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname="models.test")
    server = authority.server("models.test").wrap_bio(to_server, to_client, server_side=True)
    for _ in range(2):
        for each in (client, server):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() is not None
    assert server.version() is not None
    return client, server, to_client


def quits(server: ssl.SSLObject, _raw: ssl.MemoryBIO) -> None:
    """Say that nothing more comes; the other side has not said it yet."""
    with pytest.raises(ssl.SSLWantReadError):
        server.unwrap()


BEHIND: dict[str, tuple[Callable[[ssl.SSLObject, ssl.MemoryBIO], object], bool]] = {
    "nothing": (lambda _server, _raw: None, False),
    "a record": (lambda server, _raw: server.write(b"HTTP/1.1 200"), True),
    "half the head of a record": (lambda _server, raw: raw.write(b"\x17\x03"), False),
    "no TLS": (lambda _server, raw: raw.write(b"HTTP/1.1 200 OK\r\n\r\n"), True),
    "a record that was changed": (lambda _server, raw: raw.write(b"\x17\x03\x03\x00\x20" + bytes(32)), True),
    "the end": (quits, True),
}


@pytest.mark.parametrize("kind", BEHIND)
def test_what_tls_has_read_and_not_handed_out_is_found(tmp_path: Path, kind: str) -> None:
    client, server, raw = talk(tmp_path)
    server.write(b"an answer")
    assert client.read(100) == b"an answer"
    comes, is_there = BEHIND[kind]
    comes(server, raw)
    below = SimpleNamespace(_protocol=SimpleNamespace(read_queue=deque()))
    stream = SimpleNamespace(transport_stream=below, _ssl_object=client)
    assert leftovers._is_unread(stream) is is_there


def test_where_tls_is_not_where_it_was_expected_something_may_have_come() -> None:
    below = SimpleNamespace(_protocol=SimpleNamespace(read_queue=deque()))
    assert leftovers._is_unread(SimpleNamespace(transport_stream=below))
    assert not leftovers._is_unread(below)


async def test_a_response_that_came_over_no_socket_is_read_and_closed() -> None:
    closed: list[bool] = []

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"

        async def aclose(self) -> None:
            closed.append(True)

    class Memory(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Body())

    async with httpx.AsyncClient(event_hooks=connections._HOOKS, transport=Memory()) as client:
        response = await client.send(client.build_request("GET", "http://models.test"), stream=True)
        assert closed == []
        assert await response.aread() == b"data: 1\n\n"
    assert closed == [True]
