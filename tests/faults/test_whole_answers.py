"""An answer that comes as one JSON object although a stream was asked for: it is used whole, or not at all."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from fault_bench import ANSWER, SOURCE, WIRES, Bench, Bill, Case, bench
from fault_provider import DROP, END, PAUSE, RESET, SILENCE, Arrived, Script, Step, Steps, chunk, head, plain, whole

from tuppence.core.models.usage import Usage

Count = Callable[[str, object], None]
JSON: dict[str, str | None] = {"content-type": "application/json"}
NO_STREAM = "small: mine did not stream its answer. Check the base_url, and that the server can stream."
BROKE = "small: mine broke off in the middle of the answer. Ask again, or choose another model."
LATE = "mine did not begin to answer within 120 s. Choose another model."
LIMIT = 125
"""Seconds in which a first word is due, and a little more."""
LONG = "\n".join(f"const value{number * 7919 % 99_991} = {number};" for number in range(3_000))


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as made:
        yield made


def reply(wire: str, text: str = ANSWER, **over: Any) -> dict[str, Any]:
    """Return a whole answer; ``over`` are parts of it by OpenAI's names, ``message`` and ``more`` whole objects."""
    reason, counts = over.get("reason", "stop"), over.get("counts", (120, 60))
    if wire == "openai":
        message = {"role": "assistant", "content": text} | over.get("message", {})
        choice = {"index": 0, "message": message, "finish_reason": reason}
        usage = {"prompt_tokens": counts[0], "completion_tokens": counts[1]} if counts else None
        whole = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], "usage": usage}
    else:
        reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "tool_use"}
        content = over.get("content", [{"type": "text", "text": text}])
        usage = {"input_tokens": counts[0], "output_tokens": counts[1]} if counts else None
        whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content}
        whole |= {"stop_reason": reasons.get(reason, reason), "stop_sequence": None, "usage": usage}
    return {**whole, **over.get("more", {})}


def made(wire: str, text: str = ANSWER, *, indent: int | None = None, ascii_only: bool = False, **over: Any) -> bytes:
    """Return a whole answer as JSON."""
    return json.dumps(reply(wire, text, **over), indent=indent, ensure_ascii=ascii_only).encode()


def sent(change: Callable[[bytes], bytes] = bytes, headers: dict[str, str | None] | None = None, **how: Any) -> Script:
    """Answer with a whole answer, changed so, of a known length."""
    return lambda seen: plain(200, change(made(seen.wire, **how)), JSON | (headers or {}))


def chunked(*steps: Callable[[bytes], Steps], end: bool = True) -> Script:
    """Answer in chunks, made of a whole answer."""

    def script(seen: Arrived) -> Steps:
        whole = made(seen.wire)
        yield head(headers=JSON)
        for each in steps:
            yield from each(whole)
        if end:
            yield END

    return script


def good(name: str, script: Script, bill: Bill = "counted") -> Case:
    """Return a case whose answer is used."""
    return Case(name=name, scripts=[script], tries=1, bill=bill, seconds=10)


@pytest.mark.fault("provider", "a whole answer although a stream was asked for")
def test_a_whole_answer_is_used_and_counted(on: Bench, record_property: Count) -> None:
    def oversized(*then: Step) -> Script:
        def script(seen: Arrived) -> Steps:
            whole = made(seen.wire)
            return [head(headers=JSON | {"content-length": str(len(whole) + 100)}), whole, PAUSE, *then]

        return script

    def closed(seen: Arrived) -> Steps:
        return [head(headers=JSON | {"transfer-encoding": None}, version="1.0"), made(seen.wire), DROP]

    blank = itertools.repeat(chunk(b"\n   "), 20)
    cases = [
        good("of a known length", sent()),
        good("indented", sent(indent=2)),
        good("in ASCII", sent(ascii_only=True)),
        good("a byte order mark", sent(lambda data: b"\xef\xbb\xbf" + data)),
        good("a line's end behind it", sent(lambda data: data + b"\r\n\n")),
        good("with a charset", sent(headers={"content-type": "application/json; charset=utf-8"})),
        good("another charset", sent(headers={"content-type": "Application/JSON;charset=latin-1"})),
        good("packed", sent(gzip.compress, {"content-encoding": "gzip"})),
        good("in chunks", chunked(lambda whole: [chunk(whole[:70]), chunk(whole[70:])])),
        good("in bytes", chunked(lambda whole: [chunk(bytes([each])) for each in whole])),
        good("blank space first", chunked(lambda _: blank, lambda whole: [chunk(whole)])),
        good("without an end, dropped", oversized(DROP)),
        good("without an end, silent", oversized(SILENCE)),
        good("chunks without an end", chunked(lambda whole: [chunk(whole), PAUSE, SILENCE], end=False)),
        good("a pause behind a brace", chunked(lambda whole: [chunk(whole[: whole.rindex(b"}")]), 4.0, chunk(b"}")])),
        good("HTTP/1.0", closed),
        good("other fields", sent(more={"provider": "x", "error": None, "created": 1, "x": [{"a": {}}]})),
        good("a large field", sent(more={"trace": "x" * 300_000})),
        good("no counts", sent(counts=None), "estimate"),
    ]
    record_property("cases", on.tries(*cases[:2]) + on.alternates(*cases[2:]))
    assert on.ended(good("counts", sent(counts=(210, 70)))).entries[0].usage == Usage(fresh=210, output=70)
    charged = on.ended(good("a charge", sent(headers={"x-litellm-response-cost": "0.0004"})))
    assert str(charged.entries[0].cost) == "0.0004"


@pytest.mark.fault("provider", "a whole answer although a stream was asked for")
def test_the_forms_of_a_whole_answer(on: Bench, record_property: Count) -> None:
    openai = {
        "parts": sent(message={"content": [{"type": "text", "text": ANSWER}]}),
        "reasoning": sent(message={"reasoning_content": "hm"}),
        "thinking in the text": sent(text=f"<think>hm</think>\n{ANSWER}"),
        "several choices": sent(
            more={
                "choices": [
                    {"index": 1, "message": {"content": "no"}, "finish_reason": "length"},
                    {"index": 0, "message": {"content": ANSWER}, "finish_reason": "stop"},
                ]
            }
        ),
        "in a list": sent(lambda data: b"[%s]" % data),
    }
    thinking = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": ANSWER}]
    pieces = [{"type": "text", "text": part} for part in (ANSWER[:20], ANSWER[20:])]
    anthropic = {"thinking": sent(content=thinking), "pieces": sent(content=pieces)}
    count = on.tries(*[good(name, script) for name, script in openai.items()], wires=["openai"])
    count += on.tries(*[good(name, script) for name, script in anthropic.items()], wires=["anthropic"])
    record_property("cases", count)


@pytest.mark.fault("provider", "a whole answer although a stream was asked for")
def test_a_whole_answer_that_is_cut_is_refused(on: Bench, record_property: Count) -> None:
    def refused(name: str, script: Script, says: str = BROKE) -> Case:
        return Case(name=name, scripts=[script], says=says, tries=1, bill="estimate", seconds=LIMIT)

    def cut(at: int) -> Script:
        return sent(lambda data: data[:at])

    def broken(*behind: float | Step) -> Script:
        return chunked(lambda data: [chunk(data[:200]), PAUSE, *behind], end=False)

    def slow(piece: Callable[[bytes], Iterable[int]]) -> Script:
        return chunked(lambda data: itertools.chain.from_iterable((chunk(bytes([each])), 1.0) for each in piece(data)))

    packed = sent(lambda data: gzip.compress(data)[:-90], {"content-encoding": "gzip"})
    ends = (1, 14, 27, 90, 131, 150, -60, -20, -2, -1)  # Two of them are within a character of several bytes.
    cases = [
        *(refused(f"cut at {at}", cut(at)) for at in ends),
        refused("dropped amid it", broken(DROP)),
        refused("reset amid it", broken(RESET)),
        refused("silent amid it", broken(SILENCE)),
        refused("a byte a second", slow(lambda data: data)),
        refused("blank space a second", slow(lambda _: itertools.repeat(32)), LATE),
        refused("nothing", [head(headers=JSON), SILENCE], LATE),
        refused("packed and cut", packed, "mine"),
    ]
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "a whole answer although a stream was asked for")
def test_an_object_that_is_no_whole_answer_is_refused(on: Bench, record_property: Count) -> None:
    def of(value: Any) -> Script:
        return sent(lambda _: json.dumps(value).encode())

    chunk_object = {"choices": [{"index": 0, "delta": {"content": ANSWER}, "finish_reason": "stop"}]}
    values: tuple[Any, ...] = (
        *({}, [], None, "no", 7, [[{}]], {"status": "ok"}, {"type": "message"}, {"content": ANSWER}),
        *({"choices": []}, {"choices": [7]}, {"choices": [{"message": {}}]}, chunk_object),
    )
    cases = [
        *(Case(name=repr(value)[:40], scripts=[of(value)], says=NO_STREAM, tries=1) for value in values),
        Case(name="no reason to stop", scripts=[sent(reason=None)], says=NO_STREAM, tries=1, bill="estimate"),
        Case(name="no reason and no counts", scripts=[sent(reason="", counts=None)], says=NO_STREAM, tries=1),
        Case(name="nothing", scripts=[plain(200, b"", JSON)], says=NO_STREAM, tries=1),
        Case(name="a word", scripts=[plain(200, b"OK", JSON)], says=NO_STREAM, tries=1),
        Case(name="a page", scripts=[plain(200, b"<html>Sign in</html>", JSON)], says=NO_STREAM, tries=1),
        Case(name="two answers", scripts=[sent(lambda data: data + data)], says=NO_STREAM, tries=1, bill="estimate"),
        Case(name="an error", scripts=[of({"error": {"type": "overloaded_error"}})], says="(529", tries=3),
        Case(name="a wrong key", scripts=[of({"error": {"type": "authentication_error"}})], says="(401", tries=1),
        Case(name="8 MB", scripts=[sent(more={"trace": "x" * 8_000_000})], says="more than 8 MB", tries=1,
             bill="estimate"),
        Case(name="words without end", says=NO_STREAM, tries=1,
             scripts=[lambda _: itertools.chain([head(headers=JSON)], itertools.repeat(chunk(b"x" * 9_000)))]),
        Case(name="blank space without end", says=NO_STREAM, tries=1,
             scripts=[lambda _: itertools.chain([head(headers=JSON)], itertools.repeat(chunk(b" " * 9_000)))]),
        Case(name="without end", says="more than 8 MB", tries=1, bill="estimate",
             scripts=[lambda _: itertools.chain([head(headers=JSON)], itertools.repeat(chunk(b'{"a":' * 20_000)))]),
    ]  # fmt: skip
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "a whole answer although a stream was asked for")
def test_what_holds_for_a_stream_holds_for_a_whole_answer(on: Bench, record_property: Count) -> None:
    finishes = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
    code = SOURCE[: SOURCE.index("}") + 1]
    rows: dict[str, tuple[str, str, tuple[int, int]]] = {
        "good": (ANSWER, "stop", (120, 60)),
        "at its limit": (ANSWER, "length", (120, 600)),
        "cut at its limit": (ANSWER[:60], "length", (120, 600)),
        "cut without saying so": (ANSWER[:60], "stop", (120, 20)),
        "filtered": (ANSWER, "content_filter", (120, 60)),
        "empty": ("", "stop", (120, 60)),
        "a word": ("Done", "stop", (120, 60)),
        "the code as it was": (f"```javascript\n{code}\n```", "stop", (120, 60)),
        "code of nothing": ("```javascript\n```", "stop", (120, 0)),
        "twelve times its limit": (f"```javascript\n{LONG}", "stop", (120, 30_000)),
        "twelve times its limit, counted low": (f"```javascript\n{LONG}", "stop", (120, 60)),
        "words beyond its limit": (LONG, "length", (120, 900)),
        "counts beyond belief": (ANSWER, "stop", (120, 900_000_000)),
        "a prompt beyond belief": (ANSWER, "stop", (900_000_000, 60)),
    }
    for at, (name, (text, reason, counts)) in enumerate(rows.items()):
        wire = WIRES[at % len(WIRES)]
        usage = dict(zip(("prompt_tokens", "completion_tokens"), counts, strict=True))
        if wire == "anthropic":
            usage = dict(zip(("input_tokens", "output_tokens"), counts, strict=True))
        finish = finishes[reason] if wire == "anthropic" else reason
        streamed = on.ended(Case(name=name, scripts=[whole(text, usage=usage, finish=finish, size=200)]), wire)
        found = on.ended(Case(name=name, scripts=[sent(text=text, reason=reason, counts=counts)]), wire)
        assert found.done.why == streamed.done.why, (name, wire)
        assert (found.done.answer is None) == (streamed.done.answer is None), (name, wire)
        assert [each.outcome for each in found.entries] == [each.outcome for each in streamed.entries], (name, wire)
        if streamed.done.answer is not None and found.done.answer is not None:
            assert found.done.answer.edits == streamed.done.answer.edits, (name, wire)
        (entry,), (like,) = found.entries, streamed.entries
        assert entry.cost == like.cost or like.estimated, (name, wire)
        assert not found.left
    record_property("cases", len(rows))


@pytest.mark.fault("provider", "a whole answer although a stream was asked for")
def test_a_whole_answer_that_says_that_it_failed_is_that_error(on: Bench, record_property: Count) -> None:
    """Some gateways report a breakdown as a complete answer: with a text so far, a reason to stop, and the error."""

    def failed(error: Any) -> Script:
        choice = {"index": 0, "message": {"content": ANSWER}, "finish_reason": "error", "error": error}
        return sent(more={"choices": [choice]})

    cases = [
        Case(
            name="for now", scripts=[failed({"code": 502, "message": "x"})], says="mine cannot answer now (502", tries=3
        ),
        Case(name="then an answer", scripts=[failed({"code": 502}), whole(ANSWER)], tries=2, bill="counted"),
        Case(name="for good", scripts=[failed({"code": 400, "message": "x"})], says="(400", tries=1),
        Case(name="unnamed", scripts=[failed(None)], says="mine", tries=1),
    ]
    record_property("cases", on.tries(*cases, wires=["openai"]))


@pytest.mark.fault("provider", "a whole answer although a stream was asked for")
def test_a_tool_call_in_a_whole_answer_is_named_as_one(on: Bench, record_property: Count) -> None:
    message = {"content": None, "tool_calls": [{"id": "t", "type": "function", "function": {"name": "rm"}}]}
    content = [{"type": "tool_use", "id": "t", "name": "rm", "input": {}}]
    script = sent(reason="tool_calls", message=message, content=content)
    for wire in WIRES:
        ended = on.ended(Case(name="a tool", scripts=[script]), wire)
        assert ended.done.why.startswith("small: The model called a tool instead of answering"), wire
        assert [each.estimated for each in ended.entries] == [False]
    record_property("cases", 2)
