"""Requests to this machine reach this machine, whatever a resolver says; no others do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from scripted_provider import ScriptedUpstream
from tests.upstream.test_client import ask, fail, said

from tuppence.core.models.model import Model, Provider
from tuppence.errors import Busy, Refused
from tuppence.upstream import loopback


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have every name resolve to another machine, as a bad hosts file would; return what was asked for."""
    names: list[str] = []
    resolve = socket.getaddrinfo

    def lie(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        names.append(name)
        literal = name.startswith("127.") or ":" in name
        return resolve(host if literal else "192.0.2.66", port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lie)
    return names


def row(url: str, key_env: str | None = "ACME_API_KEY") -> Model:
    return Model(provider=Provider("acme", "openai", url, key_env), id="m-1", tier="budget")


@pytest.mark.attack("keys", "localhost resolves to another machine")
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "models.localhost", "a.b.localhost."])
async def test_no_resolver_is_asked_for_this_machine(server: ScriptedUpstream, asked: list[str], host: str) -> None:
    server.says("here")
    url = server.openai.replace("127.0.0.1", host)
    assert url != server.openai
    assert said(await ask(row(url), "secret")) == "here"
    assert {name for name in asked if not name.startswith("127.") and ":" not in name} == set()
    seen = server.requests[0]
    assert seen.headers["authorization"] == "Bearer secret"
    assert seen.headers["host"].partition(":")[0].lower() == host.lower()


async def test_a_server_at_the_other_address_of_this_machine_is_found(
    server: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "ADDRESSES", ("127.0.0.2", "127.0.0.1"))
    server.says("there")
    assert said(await ask(row(server.openai.replace("127.0.0.1", "localhost")), "secret")) == "there"


async def test_a_server_that_is_not_there_is_said_by_its_name(asked: list[str]) -> None:
    async with ScriptedUpstream() as gone:
        url = gone.openai.replace("127.0.0.1", "localhost")
    problem = await fail(row(url), "secret")
    assert isinstance(problem, Busy)
    assert problem.message == f"acme cannot be reached at {url}."
    assert "localhost" not in asked


@pytest.mark.attack("keys", "localhost resolves to another machine")
async def test_a_certificate_is_asked_for_by_the_name(asked: list[str]) -> None:
    """A TLS server's first message holds the name that the client wants a certificate for."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        await fail(row(f"https://models.localhost:{port}/v1"), "secret")
    assert any(b"models.localhost" in each for each in heard)
    assert not [name for name in asked if "localhost" in name]


@pytest.mark.attack("keys", "a host that only looks like this machine")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.1/v1", "http://0x7f.1/v1", "http://2130706433/v1", "http://0.0.0.0/v1", "http://0/v1",
        "http://127.0.0.1./v1", "http://127.0.0.1@evil.example/v1", "http://localhost:80@evil.example/v1",
        "http://127.0.0.1\\@evil.example/v1", "http://localhost.evil.example/v1", "http://localhost%2eevil.example/v1",
        "http://localhost%00.evil.example/v1", "http://%6cocalhost/v1", "http://localhost。evil.example/v1",
        "http://ⓛocalhost/v1", "http://localhost#@evil.example/v1".replace("localhost", "evil.example"),
        "http://[::ffff:192.0.2.1]/v1", "http://[::127.0.0.1]/v1", "http://ip6-localhost/v1",
        "http://localhost.localdomain/v1", "http://user:pw@evil.example/v1", "http://evil.example?@localhost/v1",
    ],
)  # fmt: skip
async def test_a_key_is_not_sent_and_no_name_is_looked_up(asked: list[str], url: str) -> None:
    problem = await fail(row(url), "secret")
    assert isinstance(problem, Refused)
    assert "secret" not in str(problem)
    assert asked == []


@pytest.mark.attack("keys", "a host that is none")
@pytest.mark.parametrize(
    "host",
    [
        "a..b",
        "." * 3,
        "a" * 64 + ".com",
        "xn--a.com",
        "xn--",
        "\ud800.com",
        "😀.com",
        "a%20b",
        "x" * 300,
        "a.\u3002b",
        "%",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_host_that_is_none_is_one_sentence(asked: list[str], scheme: str, host: str) -> None:
    for key in ("secret", None):
        problem = await fail(row(f"{scheme}://{host}/v1", "ACME_API_KEY" if key else None), key)
        assert isinstance(problem, Refused)
        assert "base_url" in problem.message
    assert asked == []


@pytest.mark.attack("keys", "a host that is none")
@pytest.mark.parametrize("proxy", ["http://a..b:8", "http://" + "a" * 64 + ".com"])
async def test_a_proxy_whose_name_is_none_is_one_sentence(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    problem = await fail(row("https://models.example/v1"), "secret")
    assert isinstance(problem, Busy)
    assert problem.message == "acme cannot be reached at https://models.example/v1."


async def test_a_model_on_the_users_network_without_a_key_is_still_asked_by_name(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedUpstream
) -> None:
    resolve = socket.getaddrinfo

    def here(host: Any, *rest: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host in ("gpu-box", b"gpu-box") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    server.says("hello")
    far = replace(row(server.openai.replace("127.0.0.1", "gpu-box"), None))
    assert said(await ask(far)) == "hello"
