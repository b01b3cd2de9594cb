"""The socket: answers, retries, cancels, keys and errors, over real connections to a scripted server."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
import unmeasured
import virtual_time
from scripted_provider import (
    Reply,
    ScriptedUpstream,
    answer,
    cut,
    drip,
    error,
    error_in_stream,
    events,
    hang_up,
    raw,
    redirect,
    stall,
)
from virtual_provider import Played, VirtualProvider
from work import done_in_turns

from tuppence.core.models.model import Model, Provider
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import Broken, Busy, Refused, TuppenceError
from tuppence.providers import HttpRequest, Stop, Text, Thinking, UsageReport, wire_names
from tuppence.upstream import ModelClient, Piece, RequestSent, RetryPolicy, RetryScheduled, client, limits
from tuppence.upstream.connections import opening

WIRES = wire_names()
PROMPT = Prompt("Be brief.", ("the very secret source of a person",), "Explain it.", 100)
QUICK = RetryPolicy(connect=2, first_event=3, between_events=3, base=0.01, cap=0.05)
HARD = "été 🐍\u2028\u0085`x`\n"


def model(upstream: ScriptedUpstream, wire: str, key_env: str | None = "ACME_API_KEY") -> Model:
    base = upstream.openai if wire == "openai" else upstream.anthropic
    return Model(provider=Provider("acme", wire, base, key_env), id="m-1", tier="budget")


async def ask(
    row: Model, key: str | None = None, patience: RetryPolicy = QUICK, prompt: Prompt = PROMPT
) -> list[Piece]:
    upstream = ModelClient(patience)
    try:
        return [piece async for piece in upstream.answer(prompt, row, key)]
    finally:
        await upstream.close()


async def fail(row: Model, key: str | None = None, patience: RetryPolicy = QUICK) -> TuppenceError:
    with pytest.raises(TuppenceError) as caught:
        await ask(row, key, patience)
    assert caught.value.message.endswith(".")
    assert "{" not in str(caught.value)
    return caught.value


def said(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


def of(kind: type[Any], pieces: list[Piece]) -> list[Any]:
    return [piece for piece in pieces if isinstance(piece, kind)]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.mark.parametrize("wire", WIRES)
async def test_an_answer_arrives_with_its_counts(server: ScriptedUpstream, wire: str) -> None:
    usage = Usage(fresh=7, cache_read=100, cache_write=20, output=9)
    server.says(HARD, thinking="Hm.", usage=usage, size=2)
    pieces = await ask(model(server, wire), " secret\n")
    assert said(pieces) == HARD
    assert "".join(piece.text for piece in of(Thinking, pieces)) == "Hm."
    assert of(UsageReport, pieces)[-1] == UsageReport(usage)
    assert isinstance(pieces[-1], Stop)
    assert pieces[-1].reason == "end"
    seen = server.requests[0]
    assert pieces[0] == RequestSent(model(server, wire))
    assert seen.headers["x-api-key" if wire == "anthropic" else "authorization"].removeprefix("Bearer ") == "secret"
    assert seen.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("wire", WIRES)
async def test_bytes_may_come_one_at_a_time(server: ScriptedUpstream, wire: str) -> None:
    server.script(answer(HARD), drip(HARD))
    whole, dripped = await ask(model(server, wire)), await ask(model(server, wire))
    assert dripped == whole
    assert said(whole) == HARD


async def test_a_half_character_in_the_source_is_no_crash(server: ScriptedUpstream) -> None:
    server.says("fine")
    assert said(await ask(model(server, "openai"), prompt=replace(PROMPT, tail="a\ud800b"))) == "fine"
    assert server.requests[0].body["messages"][1]["content"].endswith("a?b")


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "first", [error(429), error(500), error(529), error(408), error(409), hang_up(), cut("", after=0)]
)
async def test_a_busy_server_is_asked_again(server: ScriptedUpstream, wire: str, first: Reply) -> None:
    server.script(first, answer("now"))
    pieces = await ask(model(server, wire))
    assert said(pieces) == "now"
    assert [type(piece) for piece in pieces[:3]] == [RequestSent, RetryScheduled, RequestSent]
    assert of(RetryScheduled, pieces)[0].why.startswith("acme ")
    assert 0 < of(RetryScheduled, pieces)[0].seconds <= 0.05
    assert len(server.requests) == 2


@pytest.mark.parametrize("reply", [error(503), hang_up()])
async def test_three_times_is_enough(server: ScriptedUpstream, reply: Reply) -> None:
    server.always(reply)
    assert isinstance(await fail(model(server, "openai")), Busy)
    assert len(server.requests) == 3


@pytest.mark.parametrize("reply", [stall(), stall(headers=True)])
async def test_a_silent_server_is_asked_once(server: ScriptedUpstream, reply: Reply) -> None:
    server.always(reply)
    problem = await fail(model(server, "openai"), patience=replace(QUICK, first_event=0.2))
    assert isinstance(problem, Busy)
    assert problem.message == "acme did not begin to answer within 0.2 s."
    assert len(server.requests) == 1


async def test_a_dead_server_is_busy() -> None:
    async with ScriptedUpstream() as gone:
        row = model(gone, "openai")
    problem = await fail(row)
    assert isinstance(problem, Busy)
    assert problem.message == f"acme cannot be reached at {row.provider.base_url}."


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
async def test_a_refusal_is_not_asked_again(server: ScriptedUpstream, status: int) -> None:
    server.always(error(status, headers={"x-should-retry": "true", "retry-after": "0"}))
    assert isinstance(await fail(model(server, "anthropic")), Refused)
    assert len(server.requests) == 1


async def test_an_empty_account_is_not_asked_again(server: ScriptedUpstream) -> None:
    server.always(error(429, {"error": {"code": "insufficient_quota"}}))
    assert isinstance(await fail(model(server, "openai")), Refused)
    assert len(server.requests) == 1


async def test_a_wrong_key_is_named_by_its_variable(server: ScriptedUpstream) -> None:
    server.script(error(401))
    problem = await fail(model(server, "anthropic"), "secret")
    assert str(problem).startswith("acme refused the key in ACME_API_KEY (401")
    assert str(problem).endswith("Set a valid key, then ask again.")


async def test_a_server_may_decline_another_try(server: ScriptedUpstream) -> None:
    server.always(error(503, headers={"x-should-retry": "false"}))
    assert isinstance(await fail(model(server, "openai")), Busy)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "0.2"}, 0.2), ({"retry-after-ms": "150", "retry-after": "9"}, 0.15), ({"retry-after": "0"}, 0)],
)
async def test_a_pause_is_as_long_as_asked(server: ScriptedUpstream, headers: dict[str, str], seconds: float) -> None:
    server.script(error(429, headers=headers), answer("now"))
    pieces = await ask(model(server, "openai"))
    assert of(RetryScheduled, pieces)[0].seconds == pytest.approx(seconds)
    first, second = server.requests
    assert seconds <= second.at - first.at <= seconds + 0.01


async def test_a_long_pause_is_left_to_the_next_model(server: ScriptedUpstream) -> None:
    server.always(error(429, retry_after="21"))
    problem = await fail(model(server, "openai"))
    assert isinstance(problem, Busy)
    assert problem.after == 21
    assert len(server.requests) == 1


@pytest.mark.parametrize("wire", WIRES)
async def test_an_overload_under_200_is_asked_again_before_the_first_event(server: ScriptedUpstream, wire: str) -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "code": 529}}
    server.script(raw([f"event: error\ndata: {json.dumps(body)}\n\n".encode()]), answer("now"))
    assert said(await ask(model(server, wire))) == "now"
    assert len(server.requests) == 2


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (error_in_stream({"type": "overloaded_error", "code": 529}, "some text"), Busy, "acme cannot answer now (529"),
        (cut("some text", after=1), Broken, "acme broke off in the middle of the answer."),
        (stall("some text"), Broken, "acme broke off in the middle of the answer: no word came for 3 s."),
    ],
)
async def test_nothing_is_asked_again_after_the_first_text(
    server: ScriptedUpstream, wire: str, reply: Reply, kind: type[TuppenceError], message: str
) -> None:
    server.always(reply)
    pieces: list[Piece] = []
    with pytest.raises(TuppenceError) as caught:
        await _drain(ModelClient(QUICK), model(server, wire), pieces)
    assert said(pieces)
    assert type(caught.value) is kind
    assert caught.value.message.startswith(message)
    assert len(server.requests) == 1


@pytest.mark.parametrize("wire", WIRES)
async def test_a_stream_without_an_end_is_broken(server: ScriptedUpstream, wire: str) -> None:
    opening_events = events("anthropic" if wire == "anthropic" else "openai", "some text")[:3]
    server.script(raw(opening_events))
    problem = await fail(model(server, wire))
    assert isinstance(problem, Broken)
    assert problem.message == "acme ended before the answer did."


@pytest.mark.parametrize("wire", WIRES)
async def test_a_connection_lost_after_the_answer_loses_nothing(server: ScriptedUpstream, wire: str) -> None:
    async def play(talk: Any) -> None:
        await talk.head()
        for event in events(talk.seen.wire, "whole")[:-1]:
            await talk.chunk(event)
        await asyncio.sleep(0.02)
        talk.cut()

    server.script(Reply(play))
    pieces = await ask(model(server, wire))
    assert said(pieces) == "whole"
    assert isinstance(pieces[-1], Stop)


async def test_comments_alone_are_no_answer(server: ScriptedUpstream) -> None:
    async def play(talk: Any) -> None:
        await talk.head()
        while True:
            await talk.chunk(b": keep-alive\n\n")
            await asyncio.sleep(0.02)

    server.always(Reply(play))
    problem = await fail(model(server, "openai"), patience=replace(QUICK, retries=0))
    assert problem.message == "acme did not begin to answer within 3 s."


async def test_a_slow_reader_costs_the_model_no_time(server: ScriptedUpstream) -> None:
    server.says("one two three four", size=5)
    text = ""
    async with aclosing(ModelClient(QUICK).answer(PROMPT, model(server, "openai"), None)) as pieces:
        async for piece in pieces:
            await asyncio.sleep(2 * QUICK.between_events)
            text += piece.text if isinstance(piece, Text) else ""
    assert text == "one two three four"


@pytest.mark.parametrize("body", ['{"choices": [{"message": {"content": "x"}}]}', "<html>Welcome</html>", ""])
async def test_an_answer_that_is_no_stream_is_broken(server: ScriptedUpstream, body: str) -> None:
    server.script(raw([body.encode()], headers={"content-type": "application/json"}))
    problem = await fail(model(server, "openai"))
    assert isinstance(problem, Broken)
    assert problem.message == "acme did not stream its answer."


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/html"])
async def test_an_answer_in_odd_clothes_is_counted_and_a_page_is_not(server: ScriptedUpstream, kind: str) -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}
    whole = json.dumps({"choices": [{"message": {"content": "x"}}], "usage": counts})
    body = {"application/json": whole, "text/plain": 'data: {"choices": []}\n\n', "text/html": "<p>Sign in</p>"}[kind]
    server.script(raw([body.encode()], headers={"content-type": kind}))
    pieces: list[Piece] = []
    with pytest.raises(Broken, match="did not stream its answer"):
        await _drain(ModelClient(QUICK), model(server, "openai"), pieces)
    (sending,) = of(RequestSent, pieces)
    assert sending.fate() == ("turned away" if kind == "text/html" else "with the server")
    counted = [UsageReport(Usage(fresh=7, cache_read=2, output=4))] if kind == "application/json" else []
    assert of(UsageReport, pieces) == counted


@pytest.mark.parametrize("wire", WIRES)
async def test_an_answer_that_began_and_broke_off_before_a_word_may_be_charged_for(
    server: ScriptedUpstream, wire: str
) -> None:
    async def play(talk: Any) -> None:
        await talk.head()
        await talk.chunk(b": thinking\n\n")
        talk.cut()

    server.always(Reply(play))
    pieces: list[Piece] = []
    with pytest.raises(Busy):
        await _drain(ModelClient(replace(QUICK, retries=1)), model(server, wire), pieces)
    assert [each.fate() for each in of(RequestSent, pieces)] == ["with the server"] * 2


@pytest.mark.parametrize("wire", WIRES)
async def test_an_error_under_200_without_a_stream_is_that_error(server: ScriptedUpstream, wire: str) -> None:
    body = json.dumps({"type": "error", "error": {"type": "authentication_error"}})
    server.script(raw([body.encode()], headers={"content-type": "application/json"}))
    assert (await fail(model(server, wire))).message.startswith("acme refused the key in ACME_API_KEY (401")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(server: ScriptedUpstream, status: int) -> None:
    async with ScriptedUpstream() as elsewhere:
        server.always(redirect(f"{elsewhere.url}/v1/chat/completions", status))
        problem = await fail(model(server, "openai"), "secret")
        assert elsewhere.requests == []
    assert isinstance(problem, Refused)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    ["http://example.com/v1", "http://localhost.example.com", "http://127.0.0.1.nip.io", "http://0x7f.1", "http://10.0.0.1",
     "http://localhost@example.com/", "http://[::ffff:10.0.0.1]/", "http://example.com#@127.0.0.1/"],
)  # fmt: skip
async def test_a_key_goes_only_over_https_or_to_loopback(url: str) -> None:
    row = Model(provider=Provider("acme", "openai", url, "ACME_API_KEY"), id="m", tier="budget")
    problem = await fail(row, "secret")
    assert isinstance(problem, Refused)
    assert "secret" not in str(problem)


@pytest.mark.parametrize("url", ["ftp://example.com", "example.com/v1", "", "http://", "http://[::1"])
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    problem = await fail(Model(provider=Provider("acme", "openai", url), id="m", tier="budget"))
    assert isinstance(problem, Refused)
    assert "base_url" in str(problem)


@pytest.mark.parametrize("key", ["se\ncret", "sécret", "se cret", "se\x00cret"])
async def test_a_key_that_no_header_can_carry_is_not_quoted(server: ScriptedUpstream, key: str) -> None:
    problem = await fail(model(server, "openai"), key)
    assert isinstance(problem, Refused)
    assert problem.message == "acme was not asked: the key in ACME_API_KEY holds characters that no key has."
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:1", True),
        ("http://LOCALHOST", True),
        ("https://localhost", True),
        ("https://example.com", False),
        ("https://127.0.0.1.example.com", False),
    ],
)
def test_loopback_has_a_way_of_its_own(url: str, near: bool) -> None:  # noqa: FBT001 - a table's column
    assert (opening(HttpRequest(url, {}, {}), "key") is opening(HttpRequest("http://localhost", {}, {}), None)) is near


async def test_loopback_is_never_proxied(server: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedUpstream() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        server.says("direct")
        assert said(await ask(model(server, "openai"), "secret")) == "direct"
        assert proxy.requests == []


async def test_the_users_proxy_is_used_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedUpstream() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        proxy.says("by proxy")
        row = Model(provider=Provider("lan", "openai", "http://models.test/v1"), id="m", tier="local")
        assert said(await ask(row)) == "by proxy"
        assert proxy.requests[0].path == "http://models.test/v1/chat/completions"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HTTPS_PROXY", "gopher://nowhere", "the proxy in the environment cannot be used"),
        ("ALL_PROXY", "http://[::1", "the proxy in the environment cannot be used"),
        ("SSL_CERT_FILE", "/nowhere/at/all.pem", "the certificates that the environment names cannot be read"),
    ],
)
async def test_an_environment_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    row = Model(provider=Provider("acme", "openai", "https://models.test/v1"), id="m", tier="local")
    problem = await fail(row, "secret")
    assert isinstance(problem, Refused)
    assert message in problem.message


async def test_no_connection_to_loopback_is_used_twice(server: ScriptedUpstream) -> None:
    server.always(answer("again"))
    upstream = ModelClient(QUICK)
    for _ in range(3):
        assert said([piece async for piece in upstream.answer(PROMPT, model(server, "openai"), None)]) == "again"
    await upstream.close()
    assert [seen.connection for seen in server.requests] == [0, 1, 2]
    async with asyncio.timeout(60):
        await asyncio.gather(*(seen.closed.wait() for seen in server.requests))


@pytest.mark.parametrize("charge", ["0.0042", "1E-7"])
async def test_a_gateways_charge_is_kept(server: ScriptedUpstream, charge: str) -> None:
    server.script(raw(events("openai", "x"), headers={"x-litellm-response-cost": charge}))
    assert of(UsageReport, await ask(model(server, "openai")))[-1].cost == Decimal(charge)


@pytest.mark.parametrize("charge", ["0.0", "None", "", "NaN", "-1"])
async def test_a_charge_that_says_nothing_is_unknown(server: ScriptedUpstream, charge: str) -> None:
    server.script(raw(events("openai", "x"), headers={"x-litellm-response-cost": charge}))
    assert of(UsageReport, await ask(model(server, "openai")))[-1].cost is None


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("max_tokens is too large: 100", True),
        ("cannot parse 'the very secret\nsource of a person'", False),
        ("the key sk-secret-0123 is unknown", False),
        ("the key sk-secret-0... is unknown", False),
    ],
)
async def test_neither_key_nor_source_is_quoted(server: ScriptedUpstream, words: str, shown: bool) -> None:  # noqa: FBT001 - a table's column
    server.script(error(400, {"error": {"message": words}}))
    problem = await fail(model(server, "openai"), "sk-secret-0123")
    assert (words in str(problem)) is shown
    assert problem.__context__ is None or problem.__suppress_context__


PHASES = {
    "before the answer": stall(),
    "after the headers": stall(headers=True),
    "in the middle": stall("some text that has begun"),
    "while it flows": answer("flowing " * 30_000, delay=0.005),  # for longer than a test may take
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("wire", WIRES)
async def test_a_cancel_closes_the_connection_at_once(server: ScriptedUpstream, wire: str, phase: str) -> None:
    server.always(PHASES[phase])
    upstream = ModelClient()
    task = asyncio.create_task(_drain(upstream, model(server, wire)))
    seen = await server.seen()
    await asyncio.sleep(0.05)
    task.cancel()
    assert await done_in_turns(task)
    assert task.cancelled()
    # No reply of these ends by itself, so it is the cancel that closes the connection.
    await seen.closed.wait()
    await asyncio.sleep(0.05)
    assert len(server.requests) == 1
    await upstream.close()


async def test_closing_the_generator_closes_the_connection(server: ScriptedUpstream) -> None:
    server.always(PHASES["while it flows"])
    pieces = ModelClient().answer(PROMPT, model(server, "openai"), None)
    async for piece in pieces:
        if isinstance(piece, Text):
            break
    assert await done_in_turns(asyncio.create_task(_close(pieces)))
    await server.requests[0].closed.wait()


async def test_a_cancel_during_the_pause_asks_no_more(server: ScriptedUpstream) -> None:
    server.always(error(429, retry_after="5"))
    task = asyncio.create_task(_drain(ModelClient(), model(server, "openai")))
    await server.seen()
    await asyncio.sleep(0.05)
    task.cancel()
    assert await done_in_turns(task)
    assert task.cancelled()
    assert len(server.requests) == 1


async def test_closing_before_the_bytes_go_out_opens_no_connection(server: ScriptedUpstream) -> None:
    pieces = ModelClient().answer(PROMPT, model(server, "openai"), None)
    assert isinstance(await anext(pieces), RequestSent)
    await pieces.aclose()
    await asyncio.sleep(0.05)
    assert server.requests == []


async def test_a_cancel_while_connecting_is_at_once() -> None:
    """A listener whose queue is full accepts no more: connecting hangs, as it does to a host that drops packets."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        full = [socket.socket() for _ in range(4)]
        for each in full:
            each.settimeout(0)
            with pytest.raises(BlockingIOError):
                each.connect(listener.getsockname())
        row = Model(
            provider=Provider("acme", "openai", f"http://127.0.0.1:{listener.getsockname()[1]}"), id="m", tier="local"
        )
        task = asyncio.create_task(_drain(ModelClient(), row))
        await asyncio.sleep(0.2)
        task.cancel()
        assert await done_in_turns(task)
        assert task.cancelled()
        problem = await fail(row, patience=replace(QUICK, connect=0.1, retries=0))
        assert problem.message == f"acme cannot be reached at {row.provider.base_url}."
        for each in full:
            each.close()


def test_importing_the_stream_imports_no_http() -> None:
    code = "import sys, tuppence.upstream; sys.exit(bool({'httpx', 'httpx_sse', 'anyio', 'email'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=unmeasured.environment()).returncode == 0


async def _close(pieces: AsyncIterator[Piece]) -> None:
    assert isinstance(pieces, AsyncGenerator)
    await pieces.aclose()


async def _drain(upstream: ModelClient, row: Model, into: list[Piece] | None = None) -> None:
    async for piece in upstream.answer(PROMPT, row, None):
        if into is not None:
            into.append(piece)


async def test_a_client_that_was_opened_ahead_sends_nothing_and_is_the_one_that_asks(server: ScriptedUpstream) -> None:
    server.says("hello")
    upstream = ModelClient(QUICK)
    await upstream.open_ahead(model(server, "openai"))
    (opened,) = upstream._clients.values()
    assert (server.requests, server._connections) == ([], 0)
    assert said([piece async for piece in upstream.answer(PROMPT, model(server, "openai"), None)]) == "hello"
    assert list(upstream._clients.values()) == [opened]
    await upstream.close()
    assert opened.is_closed


async def test_what_an_answer_cost_is_not_asked_where_nobody_would_say(server: ScriptedUpstream) -> None:
    upstream = ModelClient(QUICK)
    no_question = model(server, "openai")
    assert no_question.provider.bill is None
    assert await upstream.bill(no_question, "secret", "gen-1") is None
    provider = Provider("acme", "openai", "http://models.test/v1", "ACME_API_KEY", bill="generation?id={id}")
    assert await upstream.bill(replace(no_question, provider=provider), "secret", "gen-1") is None, "a key over http"
    assert (server.requests, upstream._clients) == ([], {})


SHORT = ("hunter", "tr0ub4d", 'x"7\\', "é-z", "größe", "\ud800ab")
AROUND = (
    "({})", "\n{}\n", "\t{}\r\n", "\x08{}\f", "“{}”", "\u2032{}\u2033", "a\\{}.\n", "«{}»", "\u2028{}\x00",
    "{}s {}", "_{} {}", "é{}é-{}",
)  # fmt: skip


@pytest.mark.attack("what leaves", "the outermost guard")
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("around", AROUND)
def test_a_short_secret_is_found_wherever_it_is_a_word(wire: str, around: str) -> None:
    row = Model(provider=Provider("acme", wire, "http://127.0.0.1:1"), id="m-1", tier="budget")
    for value in SHORT:
        text = f"x = {around.replace('{}', value)}"
        for prompt in (replace(PROMPT, tail=text), replace(PROMPT, shared=(f"{text} more",))):
            with pytest.raises(Refused, match="Nothing was sent"):
                client._written(replace(prompt, withheld=("other-thing", value)), row, None)


async def test_a_word_that_only_holds_a_short_secret_is_sent(server: ScriptedUpstream) -> None:
    server.says("fine")
    harmless = replace(PROMPT, tail="hunters, a_hunter\nhunter2 éhunter", withheld=("hunter",))
    assert said(await ask(model(server, "openai"), prompt=harmless)) == "fine"


async def test_certificates_that_cannot_be_read_are_named_for_loopback_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all.pem")
    row = Model(provider=Provider("acme", "openai", "https://127.0.0.1:9/v1"), id="m", tier="local")
    problem = await fail(row)
    assert isinstance(problem, Refused)
    assert problem.message == "acme was not asked: the certificates that the environment names cannot be read."


async def test_a_request_to_warm_a_cache_is_answered_by_one_object_with_counts_alone(server: ScriptedUpstream) -> None:
    whole = {
        "id": "msg_1", "type": "message", "role": "assistant", "content": [], "stop_reason": "max_tokens",
        "usage": {"input_tokens": 3, "cache_creation_input_tokens": 4000, "output_tokens": 0},
    }  # fmt: skip
    body = json.dumps(whole).encode()
    server.script(raw([body[:40], body[40:]], headers={"content-type": "application/json"}))
    pieces = await ask(model(server, "anthropic"), prompt=replace(PROMPT, tail="", max_output=0))
    assert server.requests[0].body["stream"] is False
    assert said(pieces) == ""
    assert of(UsageReport, pieces) == [UsageReport(Usage(fresh=3, cache_write=4000, output=0))]
    assert [type(each) for each in pieces] == [RequestSent, UsageReport, Stop]


async def test_one_object_that_is_cut_is_no_answer(server: ScriptedUpstream) -> None:
    server.always(raw([b'{"type": "message", "content": [], "us'], headers={"content-type": "application/json"}))
    row = model(server, "anthropic")
    with pytest.raises(TuppenceError):
        await ask(row, prompt=replace(PROMPT, tail="", max_output=0))


async def test_a_character_in_two_pieces_is_one_and_half_of_one_is_a_mark(server: ScriptedUpstream) -> None:
    def piece(text: str) -> bytes:
        return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode()

    stop = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    server.script(raw([piece("a\ud83d"), piece("\udc0d"), piece("\ud83d"), stop]))
    pieces = await ask(model(server, "openai"))
    assert [each.text for each in of(Text, pieces)] == ["a", "🐍", "\ufffd"]
    assert isinstance(pieces[-1], Stop)


@pytest.mark.parametrize("error", [httpx.LocalProtocolError("a header"), httpx.UnsupportedProtocol("gopher")])
async def test_a_request_that_cannot_be_sent_is_refused_and_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tried: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        tried.append(request)
        raise error

    monkeypatch.setattr(client, "opening", lambda *_: lambda: httpx.AsyncClient(transport=httpx.MockTransport(refuse)))
    problem = await fail(Model(provider=Provider("acme", "openai", "https://models.test/v1"), id="m", tier="local"))
    assert isinstance(problem, Refused)
    assert problem.message == "The request to acme cannot be sent."
    assert len(tried) == 1


@pytest.mark.parametrize("whole", [True, False])
def test_what_comes_without_end_behind_an_answer_takes_nothing_from_it(
    monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    monkeypatch.setattr(limits, "EVENT", 2000)
    said_all = b'data: {"choices": [{"delta": {"content": "yes"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    said_half = b'data: {"choices": [{"delta": {"content": "yes"}}]}\n\n'
    provider = VirtualProvider(Played(parts=[(0, said_all if whole else said_half), (0, b"x" * 5000)]))
    provider.install(monkeypatch)
    row = Model(provider=Provider("acme", "openai", "https://models.test/v1"), id="m", tier="local")
    if whole:
        assert said(virtual_time.run(ask(row))) == "yes"
        return
    with pytest.raises(Broken, match="without a break"):
        virtual_time.run(ask(row))
