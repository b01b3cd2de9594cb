"""Addresses and routes: unknown names, closed ports, proxies, redirects, reused connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fault_bench import ANSWER, KEY, Bench, Case, bench
from fault_provider import DROP, PAUSE, RESET, SILENCE, FaultProvider, Script, Step, head, plain, refusal, steps, whole

Count = Callable[[str, object], None]
PAGE = b"<!DOCTYPE html><html><body>Blocked by the proxy</body></html>"
HTML = {"content-type": "text/html"}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have names under .test be this machine, and others unknown in the way that their beginning says."""
    resolve = socket.getaddrinfo

    def lookup(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.endswith(".test"):
            return resolve("127.0.0.1", *rest, **more)
        if name.endswith(".invalid"):
            code = getattr(socket, name.partition(".")[0].upper().replace("-", "_"))
            raise socket.gaierror(code, "by the test")
        return resolve(host, *rest, **more)

    async def at_once(_loop: object, host: Any, port: Any, **more: Any) -> Any:
        return lookup(host, port, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    # In a thread it would take real time, in which the virtual one goes on.
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", at_once)


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as made:
        yield made


@pytest.mark.fault("provider", "a name that is not known")
def test_a_host_that_has_no_address(on: Bench, record_property: Count) -> None:
    codes = ("EAI-NONAME", "EAI-AGAIN", "EAI-FAIL", "EAI-NODATA", "EAI-FAMILY", "EAI-SYSTEM")
    hosts = [f"{code.lower()}.models.invalid" for code in codes if hasattr(socket, code.replace("-", "_"))]
    cases = [
        Case(
            name=host,
            says=f"mine cannot be reached at https://{host}. A name cannot be looked up: check the network",
            base=f"https://{host}",
            tries=0,
            seconds=5,
        )
        for host in hosts
    ]
    record_property("cases", on.alternates(*cases))
    assert on.provider.requests == []


@pytest.mark.fault("provider", "refused")
def test_a_port_where_nothing_listens(on: Bench, record_property: Count) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = [
        f"http://127.0.0.1:{port}",
        f"http://localhost:{port}",
        f"https://localhost:{port}",
        f"https://models.test:{port}",
    ]
    cases = [
        Case(name=place, says=f"mine cannot be reached at {place}. Check that it runs", base=place, tries=0, seconds=5)
        for place in (*places, "http://[::1]:9", f"http://127.0.0.2:{port}")
    ]
    record_property("cases", on.tries(*cases))


@pytest.mark.fault("provider", "never connected")
def test_a_host_that_takes_no_connection(on: Bench) -> None:
    """A listener whose queue is full accepts no more: connecting hangs, as it does to a host that drops packets."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        full = [socket.socket() for _ in range(4)]
        for each in full:
            each.setblocking(False)  # noqa: FBT003 - the library's own
            with pytest.raises(BlockingIOError):
                each.connect(listener.getsockname())
        place = f"http://127.0.0.1:{listener.getsockname()[1]}"
        on.tries(Case(name="full", says=f"mine cannot be reached at {place}.", base=place, tries=0, seconds=60))
        for each in full:
            each.close()


@pytest.mark.fault("provider", "a redirect to another host")
@pytest.mark.parametrize(
    "status", [302, 308, *(pytest.param(each, marks=pytest.mark.long) for each in (301, 303, 307))]
)
def test_a_redirect_is_not_followed(on: Bench, status: int, record_property: Count) -> None:
    elsewhere = FaultProvider()
    on.do(elsewhere.__aenter__())
    elsewhere.always(whole(ANSWER))
    port = elsewhere.port
    here = f"127.0.0.1:{port}/v1/messages"
    places: tuple[str, ...] = (
        f"http://{here}",
        f"http://localhost:{port}/",
        f"//{here}",
        f"http://{KEY}@{here}",
        f"https://{here}",
    )
    places += ("/v2", "v2", "", "::", "javascript:alert(1)", "http://[", "http://a..b/", "http://" + "a" * 300, "\x7f")
    says = "and a redirect is never followed. Set its base_url to the address that answers."
    cases = [
        Case(name=place, scripts=[plain(status, b"", {"location": place})], says=says, tries=1) for place in places
    ]
    try:
        record_property("cases", on.alternates(*cases))
        assert elsewhere.connections == 0
    finally:
        on.do(elsewhere.__aexit__())


@pytest.mark.fault("provider", "a proxy that does not let through")
def test_a_proxy_answers_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Count) -> None:
    provider = FaultProvider()
    with bench(tmp_path, provider) as on:
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{provider.port}")
        refused = "The proxy does not connect to mine. Check HTTPS_PROXY and NO_PROXY."
        tunnels: dict[str, tuple[Script, str]] = {
            "a page as 403": (plain(403, PAGE, HTML), refused),
            "a page as 502": (plain(502, PAGE, HTML), refused),
            "407": (plain(407, b"", {"proxy-authenticate": "Basic"}), refused),
            "302": (plain(302, b"", {"location": "http://wifi.example/"}), refused),
            "503": (refusal(503), refused),
            "a drop": ([DROP], "mine"),
            "a reset": ([RESET], "mine"),
            "no HTTP": ([b"SSH-2.0-OpenSSH_9.6\r\n", PAUSE, DROP], "mine"),
            "a tunnel to nothing": ([head("200 OK", {"content-type": None, "transfer-encoding": None}), DROP], "mine"),
            "a tunnel to HTTP": (
                [b"HTTP/1.1 200 OK\r\n\r\n", PAUSE, head(400), PAUSE, DROP],
                "mine cannot be reached by TLS",
            ),
            "silence": ([SILENCE], "mine"),
        }
        cases = [
            Case(name=name, scripts=[script], says=says, base="https://models.test")
            for name, (script, says) in tunnels.items()
        ]
        tried = on.alternates(*cases)
        assert {each.path for each in provider.requests} == {"models.test:443"}
        record_property("cases", tried)


@pytest.mark.fault("provider", "a proxy that does not let through")
def test_a_proxy_answers_in_place_of_a_server_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Count
) -> None:
    provider = FaultProvider()
    with bench(tmp_path, provider, has_key=False, kept=1) as on:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{provider.port}")
        asked = "The proxy before mine wants a name and a password (407). Write them into HTTPS_PROXY"
        cases = [
            Case(name="a page", scripts=[plain(200, PAGE, HTML)], says="sent a web page", tries=1),
            Case(name="407", scripts=[plain(407, PAGE, HTML)], says=asked, tries=1),
            Case(name="502", scripts=[plain(502, PAGE, HTML)], says="mine cannot answer now (502)", tries=3),
            Case(name="a drop", scripts=[[DROP]], says="mine closed the connection", tries=3),
            Case(name="an answer", scripts=[whole(ANSWER)], tries=1, bill="counted"),
        ]
        tried = on.tries(*[replace(each, base="http://models.test") for each in cases])
        assert provider.requests[-1].path.startswith("http://models.test/")
        record_property("cases", tried)


@pytest.mark.fault("provider", "a connection that was kept and is closed")
def test_a_connection_that_was_closed_meanwhile(tmp_path: Path, record_property: Count) -> None:
    """A client that keeps its connections finds out late that a server did not."""
    late = plain(408, b"", {"connection": "close"})
    answer = whole(ANSWER)

    def then(*more: bytes | Step) -> Script:
        return lambda seen: [*answer(seen), *more]

    with bench(tmp_path, host="models.test", has_key=False, kept=1) as on:
        good = Case(name="first", scripts=[answer], tries=1, bill="counted")
        number = 0
        rows: tuple[tuple[str, Script, list[Script], int], ...] = (
            ("kept", answer, [answer], 1),
            ("dropped while idle", then(DROP), [answer], 1),
            ("reset while idle", then(RESET), [answer], 1),
            ("408 while idle", then(*late, DROP), [answer], 1),
            ("dropped by the next request", answer, [steps(DROP), answer], 2),
            ("reset by the next request", answer, [steps(RESET), answer], 2),
            ("408 to the next request", answer, [steps(*late, DROP), answer], 2),
            ("closed as it had said", lambda seen: [head(headers={"connection": "close"}), *[*answer(seen)][1:], DROP],
             [answer], 1),

        )  # fmt: skip
        for name, first, second, tries in rows:
            for wire in ("openai", "anthropic"):
                on.ended(good, wire)  # One that is kept, whatever was before.
                before = Case(name=f"{name}, before", scripts=[first], tries=1, bill="counted")
                after = Case(name=name, scripts=second, tries=tries, bill="counted")
                number += on.tries(before, after, wires=[wire])
        record_property("cases", number)
        assert on.provider.connections < number + number // 2, "connections were kept"
