"""What comes behind an answer on a connection that is kept: it never answers another request, and is never charged."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from fault_bench import ANSWER, WIRES, Bench, Case, bench
from fault_provider import END, PAUSE, FaultProvider, Script, Step, body, chunk, head, plain, refusal, whole

Count = Callable[[str, object], None]
HOST = "models.test"
EVIL = "```javascript\nfunction mean(xs) {\n  return steal(xs);\n}\n```"
SOME = ["http", pytest.param("https", marks=pytest.mark.long)]
_READ = 65_536
"""Bytes that httpcore reads at a time."""


@pytest.fixture(autouse=True)
def _name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a name that is no name of this machine lead to it: connections to this machine are not kept."""
    resolve = socket.getaddrinfo

    async def lookup(_loop: object, host: Any, port: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host in (HOST, HOST.encode()) else host, port, **more)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lookup)


@pytest.fixture(params=["http", "https"])
def on(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    context = None
    if request.param == "https":
        authority = Authority(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        context = authority.server(HOST)
    with bench(tmp_path, FaultProvider(context), host=HOST, has_key=False, kept=1) as made:
        yield made


def joined(*scripts: Script) -> Script:
    """Return a script that sends what others send, in one write."""

    def script(seen: Any) -> list[bytes]:
        return [b"".join(map(bytes, (part for each in scripts for part in played(each, seen))))]

    return script


def played(script: Script, seen: Any) -> Sequence[Any]:
    """Return the steps of a script."""
    return list(script(seen) if callable(script) else script)


def then(first: Script, *more: bytes | Step) -> Script:
    """Return a script that goes on with further steps."""
    return lambda seen: [*played(first, seen), *more]


def sized(text: str) -> Script:
    """Return a script that answers with a body of a known length."""

    def script(seen: Any) -> list[bytes]:
        return plain(200, body(seen.wire, text), {"content-type": "text/event-stream"})

    return script


def padded(text: str, size: int) -> Script:
    """Return a script whose answer, headers and all, has exactly so many bytes: what comes behind it is read later."""

    def script(seen: Any) -> list[bytes]:
        answer = body(seen.wire, text)
        fill = size
        for _ in range(3):  # The length of a length is part of it.
            made = b"".join(plain(200, b":" + b"." * fill + b"\n\n" + answer, {"content-type": "text/event-stream"}))
            fill -= len(made) - size
        assert len(made) == size
        return [made]

    return script


def trailed(text: str) -> Script:
    """Return a script whose chunked answer ends with trailers, which are part of it."""
    return lambda seen: [head(), chunk(body(seen.wire, text)), END[:3], b"x-sum: 7\r\nx-more: a\r\n\r\n"]


BEHIND: dict[str, Script] = {
    "in one write": joined(whole(ANSWER), whole(EVIL)),
    "in one write, of a known length": joined(sized(ANSWER), sized(EVIL)),
    "behind trailers": joined(trailed(ANSWER), whole(EVIL)),
    "three of them": joined(whole(ANSWER), whole(EVIL), whole(EVIL)),
    "in a write of its own": lambda seen: [*played(joined(whole(ANSWER)), seen), *played(joined(whole(EVIL)), seen)],
    "after a while": lambda seen: [*played(joined(whole(ANSWER)), seen), PAUSE, *played(joined(whole(EVIL)), seen)],
    "behind what one read takes": joined(padded(ANSWER, _READ), whole(EVIL)),
    "behind what two reads take": joined(padded(ANSWER, 2 * _READ), whole(EVIL)),
    "an error": joined(whole(ANSWER), refusal(500)),
    "half a status line": then(joined(whole(ANSWER), [b"HTTP/1."])),
    "one byte": joined(whole(ANSWER), [b"H"]),
    "an empty line": joined(whole(ANSWER), [b"\r\n"]),
    "a further chunk": joined(whole(ANSWER), [chunk(b"data: {}\n\n"), END]),
    "a provisional answer": joined(whole(ANSWER), [b"HTTP/1.1 100 Continue\r\n\r\n"], whole(EVIL)),
    "much": joined(whole(ANSWER), [b"." * 300_000]),
}


@pytest.mark.fault("provider", "something comes behind an answer")
def test_what_came_behind_an_answer_answers_no_other_request(on: Bench, record_property: Count) -> None:
    for at, (name, script) in enumerate(BEHIND.items()):
        wire, before = WIRES[at % len(WIRES)], on.provider.connections
        on.tries(Case(name=name, scripts=[script], tries=1, bill="counted"), wires=[wire])
        first = on.provider.requests[-1].connection
        after = Case(name=f"after {name}", scripts=[whole(ANSWER)], tries=1, bill="counted")
        on.tries(after, wires=[wire])
        assert on.provider.requests[-1].connection > first, f"{name}: the connection was used again"
        assert on.provider.connections <= before + 2
    record_property("cases", len(BEHIND))


@pytest.mark.parametrize("on", SOME, indirect=True)
@pytest.mark.fault("provider", "something comes behind an answer")
def test_what_came_behind_an_error_answers_no_second_try(on: Bench, record_property: Count) -> None:
    for status in (429, 503):
        behind = joined(refusal(status, {"retry-after": "1"}), whole(EVIL))
        again = Case(name=f"{status}", scripts=[behind, whole(ANSWER)], tries=2, bill="counted")
        on.tries(again)
    refused = Case(name="400", scripts=[joined(refusal(400), whole(EVIL))], says="400", tries=1)
    on.tries(refused, Case(name="after 400", scripts=[whole(ANSWER)], tries=1, bill="counted"))
    record_property("cases", 8)


@pytest.mark.parametrize("on", SOME, indirect=True)
@pytest.mark.fault("provider", "something comes behind an answer")
def test_a_connection_with_nothing_behind_its_answers_is_kept(on: Bench, record_property: Count) -> None:
    clean: dict[str, Script] = {
        "chunked": whole(ANSWER),
        "of a known length": sized(ANSWER),
        "with trailers": trailed(ANSWER),
        "in single bytes": lambda seen: [bytes([each]) for each in b"".join(map(bytes, played(whole(ANSWER), seen)))],
        "as long as one read": padded(ANSWER, _READ),
        "longer than one read": padded(ANSWER, _READ + 1),
        "longer than a record of TLS": padded(ANSWER, 20_000),
    }
    on.tries(Case(name="first", scripts=[whole(ANSWER)], tries=1, bill="counted"))
    opened, number = on.provider.connections, 0
    for name, script in clean.items():
        wire = WIRES[number % len(WIRES)]
        number += on.tries(Case(name=name, scripts=[script], tries=1, bill="counted"), wires=[wire])
    assert on.provider.connections == opened, "all of them came on one connection"
    record_property("cases", number)
