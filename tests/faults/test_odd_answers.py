"""What is odd inside of an answer: the text is as it was or exactly the answer, one sentence says why, it is booked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from engine_run import Engine, Ran, engine
from scenario import FIXED, GOOD, SRC
from scripted_provider import WireName, raw, sse

Stream = Sequence[bytes]
Table = Mapping[str, tuple[Stream, str]]
"""By a case's name, the events of an answer and what is said of it; ``FIXED`` where the answer is used."""
EXACT = {"small": Decimal("0.000159"), "big": Decimal("0.0055")}
"""What 900 tokens of a prompt and 40 of an answer cost, USD."""
NEXT = "Ask again, or choose another model."
LATER = "Try again in a moment, or choose another model."
EMPTY = "The answer is empty."
CUT = "The answer was cut off inside its code block."
TOOL = "The model called a tool instead of answering, though none was offered. Choose another model."
NO_PROTOCOL = (
    "mine sent something that is not its protocol. big: mine sent something that is not its protocol. Ask again,"
)
ENDED = f"mine ended before the answer did. {NEXT}"
OTHER = "```python\ndef mean(xs):\n    return 0\n```"
JUNK = "Nothing of this is an answer. "
FOREIGN = {
    "JavaScript": "```javascript\nfunction mean(xs) {\n    return xs.reduce((a, b) => a + b) / xs.length;\n}\n```",
    "JavaScript without a name": "```\nfunction mean(xs) {\n    return xs.reduce((a, b) => a + b) / xs.length;\n}\n```",
    "JavaScript under Python's name": "```python\nconst mean = (xs) => xs.reduce((a, b) => a + b) / xs.length;\n```",
    "JavaScript without a fence": "function mean(xs) {\n    return xs.reduce((a, b) => a + b) / xs.length;\n}\n",
    "Ruby": "```ruby\ndef mean(xs)\n  xs.sum / xs.size\nend\n```",
    "Go": "```go\nfunc mean(xs []float64) float64 {\n\treturn sum(xs) / float64(len(xs))\n}\n```",
    "C": "```c\ndouble mean(double *xs, int n) {\n    return sum(xs, n) / n;\n}\n```",
    "a shell": "```bash\nsed -i 's/len(x)/len(xs)/' stats.py\n```",
    "a statement that Python can read": "```javascript\nmean = sum(xs) / len(xs)\n```",
    "JSON": '```json\n{"mean": "sum(xs) / len(xs)"}\n```',
}
"""Answers in another language than the target's."""
PROSE = {
    "English": "I would divide by the length of the list instead.",
    "English with code in it": "I would divide by len(xs) instead of len(x).",
    "Chinese": "应该用 len(xs) 代替 len(x)。",
    "Arabic": "يجب القسمة على طول القائمة.",
    "one word": "Done",
}
AROUND = {
    "French": f"Voici la correction :\n{GOOD}\nBonne journée.",
    "Chinese": f"修复如下\n{GOOD}",
    "Arabic": f"الإصلاح:\n{GOOD}",
}
"""A whole answer with talk in another human language around it."""


def chunk(delta: Any = None, finish: Any = None, index: Any = 0, **more: Any) -> bytes:
    """Return one event of the openai wire."""
    return sse({"id": "c", "choices": [{"index": index, "delta": delta or {}, "finish_reason": finish}], **more})


def said(text: str, **how: Any) -> list[bytes]:
    """Return a text in pieces, on the openai wire."""
    return [chunk({"content": text[start : start + 30]}, **how) for start in range(0, len(text), 30)]


def odd(event: Any, name: str = "") -> bytes:
    """Return an event whose data is written as it is given."""
    return sse(event, name)


USAGE = {"prompt_tokens": 900, "completion_tokens": 40}
DONE = sse("[DONE]")
COUNTS = [sse({"choices": [], "usage": USAGE}), DONE]
END = [chunk({}, "stop"), *COUNTS]
WHOLE = [*said(GOOD), *END]
CALL = {"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": {"name": "rm", "arguments": "{}"}}]}
LONG = json.dumps(GOOD).encode()

OPENAI_ERRORS: Table = {
    "a string": ([odd({"error": "model crashed"})], 'It says: "model crashed"'),
    "an object": ([odd({"error": {"message": "x", "type": "server_error", "code": None}})], "(500, server_error)"),
    "a number for its code": ([odd({"error": {"message": "x", "code": 502}})], "mine cannot answer now (502)"),
    "digits for its code": ([odd({"error": {"message": "litellm: x", "code": "500"}})], "mine cannot answer now (500)"),
    "in a list": (
        [odd([{"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED"}}])],
        "limits how often",
    ),
    "OpenRouter": (
        [odd({"error": {"code": "server_error", "message": "x"}, "choices": [{"index": 0, "finish_reason": "error"}]})],
        "(500, server_error)",
    ),
    "in a choice": (
        [odd({"choices": [{"index": 0, "finish_reason": "error", "error": {"code": 502, "message": "x"}}]})],
        "mine cannot answer now (502)",
    ),
    "Azure's filter": (
        [odd({"error": {"message": "filtered", "code": "content_filter", "status": 400}})],
        'mine does not accept the request for small (400, content_filter). It says: "filtered"',
    ),
    "vLLM without an error around it": (
        [odd({"object": "error", "message": "x", "type": "InternalServerError", "code": 500})],
        "mine cannot answer now (500, InternalServerError)",
    ),
    "a detail": ([odd({"detail": "Not authenticated"})], 'It says: "Not authenticated"'),
    "a message and a status": ([odd({"message": "x", "status": 500})], "mine cannot answer now (500)"),
    "true": ([odd({"error": True})], NEXT),
    "a number": ([odd({"error": 5})], NEXT),
    "an event of that name": ([odd({"message": "boom"}, "error")], 'It says: "boom"'),
    "an event of that name with text": ([odd("boom", "error")], 'It says: "boom"'),
}
OPENAI: Table = {
    "Azure's filter amid": ([*said(GOOD)[:1], chunk({}, "content_filter"), *COUNTS], "The model refused to answer."),
    "an empty error": ([odd({"error": {}}), odd({"error": None}), *WHOLE], "FIXED"),
    "unknown events and fields": ([odd({"object": "ping"}), odd({"foo": [1]}, "weird"), *WHOLE], "FIXED"),
    "a queue's message": ([odd({"message": "You are third in the queue."}), *WHOLE], "FIXED"),
    "a tool": ([chunk(CALL), chunk({}, "tool_calls"), *COUNTS], TOOL),
    "a tool, and stop": ([chunk(CALL), *END], TOOL),
    "a function": ([chunk({"function_call": {"name": "x"}}), chunk({}, "function_call"), *COUNTS], TOOL),
    "a tool behind the answer": ([*said(GOOD), chunk(CALL), chunk({}, "tool_calls"), *COUNTS], "FIXED"),
    "parts": ([chunk({"content": [{"type": "text", "text": GOOD}]}), *END], "FIXED"),
    "parts in pieces": (
        [
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": OTHER}]}]}),
            chunk({"content": [{"type": "text", "text": GOOD[:20]}]}),
            chunk({"content": GOOD[20:]}),
            *END,
        ],
        "FIXED",
    ),
    "odd parts": (
        [chunk({"content": [5, None, {"type": "image_url"}, {"type": "text", "text": GOOD}]}), *END],
        "FIXED",
    ),
    "null": ([chunk({"content": None}), *said(GOOD), chunk({"content": None}), *END], "FIXED"),
    "a number for text": ([chunk({"content": 5}), *WHOLE], "FIXED"),
    "an object for text": ([chunk({"content": {"text": GOOD}}), *END], EMPTY),
    "reasoning": ([chunk({"reasoning": OTHER}), chunk({"reasoning_content": OTHER}), *WHOLE], "FIXED"),
    "reasoning beside text": ([chunk({"reasoning": OTHER, "content": GOOD}), *END], "FIXED"),
    "no choices": ([odd({"choices": []}), odd({"id": "c"}), odd({"choices": None}), *WHOLE], "FIXED"),
    "choices that are none": ([odd({"choices": {"0": {"delta": {"content": JUNK}}}}), *WHOLE], "FIXED"),
    "choices of nothing": ([odd({"choices": [None, 5]}), *WHOLE], "FIXED"),
    "the second choice only": ([*said(GOOD, index=1), chunk({}, "stop", index=1), *COUNTS], "FIXED"),
    "an index that is none": ([*said(GOOD, index="a"), chunk({}, "stop", index=None), *COUNTS], "FIXED"),
    "two choices in turn": (
        [*(each for piece in said(GOOD) for each in (piece, chunk({"content": JUNK}, index=1))), *END],
        "FIXED",
    ),
    "the other stops first": (
        [*said(GOOD)[:1], chunk({"content": JUNK}, index=1), chunk({}, "length", index=1), *said(GOOD)[1:], *END],
        "FIXED",
    ),
    "two choices in one event": (
        [odd({"choices": [{"index": 1, "delta": {"content": JUNK}}, {"index": 0, "delta": {"content": GOOD}}]}), *END],
        "FIXED",
    ),
    "a refusal": ([chunk({"refusal": "I cannot"}), *END], "The model refused to answer."),
    "no mark of the end": ([*said(GOOD), *END[:-1]], "FIXED"),
    "neither stop nor mark": (said(GOOD), ENDED),
    "the mark twice": ([*WHOLE, DONE], "FIXED"),
    "the mark amid": ([*said(GOOD)[:1], DONE, *said(GOOD)[1:], *END], CUT),
    "more behind the stop": ([*said(GOOD), END[0], chunk({"content": f"\n{JUNK}"}), *COUNTS], "FIXED"),
    "more behind the mark": ([*WHOLE, *said(OTHER)], "FIXED"),
    "other code behind the stop": ([*said(GOOD), END[0], *said(f"\n{OTHER}"), *COUNTS], "FIXED"),
    "roles only": ([*[chunk({"role": "assistant"})] * 3, chunk({"role": "user"}), *WHOLE], "FIXED"),
    "empty": (END, EMPTY),
    "blank": ([chunk({"content": "  \n \n"}), *END], EMPTY),
    "an unknown reason": ([*said(GOOD), chunk({}, "weird"), *COUNTS], "FIXED"),
    "a number for a reason": ([*said(GOOD), chunk({}, 5), *END], "FIXED"),
    "keys twice": ([b'data: {"choices":[{"index":0,"delta":{"content":"x","content":%s}}]}\n\n' % LONG, *END], "FIXED"),
    "no number": ([chunk({"content": GOOD}, logprobs=float("nan")), *END], "FIXED"),
    "a huge number": (
        [b'data: {"created":%s,"choices":[{"index":0,"delta":{"content":%s}}]}\n\n' % (b"9" * 5000, LONG), *END],
        "FIXED",
    ),
    "a huge exponent": (
        [b'data: {"created":1e99999999999999999999,"choices":[{"delta":{"content":%s}}]}\n\n' % LONG, *END],
        "FIXED",
    ),
    "deep nesting": ([b'data: {"x":%s%s}\n\n' % (b"[" * 50_000, b"]" * 50_000), *WHOLE], NO_PROTOCOL),
    "half a character": ([b'data: {"choices":[{"delta":{"content":"\\ud800\\n"}}]}\n\n', *WHOLE], "FIXED"),
    "a mark at the beginning": ([b"\xef\xbb\xbf" + WHOLE[0], *WHOLE[1:]], "FIXED"),
    "a mark before the data": ([WHOLE[0].replace(b"data: ", b"data: \xef\xbb\xbf"), *WHOLE[1:]], "FIXED"),
    "CRLF": ([each.replace(b"\n", b"\r\n") for each in WHOLE], "FIXED"),
    "CR": ([each.replace(b"\n", b"\r") for each in WHOLE], "FIXED"),
    "no space": ([each.replace(b"data: ", b"data:") for each in WHOLE], "FIXED"),
    "a whole message": (
        [odd({"choices": [{"index": 0, "message": {"content": GOOD}, "finish_reason": "stop"}], "usage": USAGE}), DONE],
        "FIXED",
    ),
    "each piece with all of it": (
        [
            *(chunk({"content": piece}, message={"content": GOOD}) for piece in (GOOD[:20], GOOD[20:])),
            odd({"choices": [{"index": 0, "message": {"content": GOOD}, "finish_reason": "stop"}], "usage": USAGE}),
            DONE,
        ],
        "FIXED",
    ),
    "a list": ([odd([1, 2]), *WHOLE], NO_PROTOCOL),
    "a string": ([odd('"hello"'), *WHOLE], NO_PROTOCOL),
    "no JSON": ([odd("hello"), *WHOLE], NO_PROTOCOL),
    "a page": ([b"<html>hello</html>\n\n"], ENDED),
    "nothing": ([b"\n"], ENDED),
    **{f"in {name}": ([*said(text), *END], "SAME") for name, text in FOREIGN.items()},
    **{f"only talk: {name}": ([*said(text), *END], "SAME") for name, text in PROSE.items()},
    **{f"talk in {name}": ([*said(text), *END], "FIXED") for name, text in AROUND.items()},
}


def event(kind: str, **more: Any) -> bytes:
    """Return one event of the anthropic wire."""
    return sse({"type": kind, **more}, kind)


def start(index: Any = 0, kind: str = "text", **more: Any) -> bytes:
    """Return the start of a block."""
    return event("content_block_start", index=index, content_block={"type": kind, kind: "", **more})


def delta(text: Any, index: Any = 0, kind: str = "text_delta", key: str = "text") -> bytes:
    """Return a piece of a block."""
    return event("content_block_delta", index=index, delta={"type": kind, key: text})


def pieces(text: str, index: Any = 0) -> list[bytes]:
    """Return a text in pieces, on the anthropic wire."""
    return [delta(text[at : at + 30], index) for at in range(0, len(text), 30)]


def ending(reason: Any = "end_turn") -> list[bytes]:
    """Return the end of an answer."""
    return [event("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": 40}), event("message_stop")]


BEGUN = event("message_start", message={"id": "m", "content": [], "usage": {"input_tokens": 900, "output_tokens": 1}})
ANSWER = [BEGUN, start(), *pieces(GOOD), event("content_block_stop", index=0), *ending()]
USED = [start(0, "tool_use", id="t", name="rm"), delta("{}", 0, "input_json_delta", "partial_json")]
REPLY = {"type": "message", "content": [{"type": "text", "text": GOOD}], "stop_reason": "end_turn"}

ANTHROPIC_ERRORS: Table = {
    "overloaded": ([event("error", error={"type": "overloaded_error", "message": "x"})], "(529, overloaded_error)"),
    "a string": ([event("error", error="boom")], 'It says: "boom"'),
    "without a type": ([odd({"error": {"type": "api_error", "message": "x"}})], "(500, api_error)"),
    "a string without a type": ([odd({"error": "boom"})], 'It says: "boom"'),
    "a number for its code": (
        [odd({"type": "error", "error": {"code": 529, "message": "x"}})],
        "cannot answer now (529)",
    ),
    "in a list": ([odd([{"error": {"code": 429, "message": "x"}}])], "limits how often"),
    "an event of that name": ([odd({"message": "boom"}, "error")], 'It says: "boom"'),
    "an event of that name with text": ([odd("boom", "error")], 'It says: "boom"'),
}
ANTHROPIC: Table = {
    "unknown events and deltas": (
        [event("weird", x=1), BEGUN, event("ping"), delta("x", 0, "odd"), *ANSWER[1:]],
        "FIXED",
    ),
    "a tool": ([BEGUN, *USED, *ending("tool_use")], TOOL),
    "a tool, and the end": ([BEGUN, *USED, *ending()], TOOL),
    "a tool behind the answer": ([*ANSWER[:-2], *USED, *ending("tool_use")], "FIXED"),
    "no start of a block": ([BEGUN, *pieces(GOOD), *ending()], "FIXED"),
    "odd indices": ([BEGUN, start(7), *pieces(GOOD, -1), *ending()], "FIXED"),
    "indices that are none": ([BEGUN, start("a"), *pieces(GOOD, None), *ending()], "FIXED"),
    "two blocks": ([BEGUN, start(), *pieces(GOOD[:20]), start(1), *pieces(GOOD[20:], 1), *ending()], "FIXED"),
    "thinking between": (
        [
            *ANSWER[:2],
            *(e for each in pieces(GOOD) for e in (each, delta("hm", 1, "thinking_delta", "thinking"))),
            *ending(),
        ],
        "FIXED",
    ),
    "stopped twice": ([*ANSWER, event("message_stop")], "FIXED"),
    "no stop": (ANSWER[:-1], "FIXED"),
    "no end at all": (ANSWER[:-2], ENDED),
    "more behind the stop": ([*ANSWER, *pieces(f"\n{OTHER}")], "FIXED"),
    "other code behind the end": ([*ANSWER[:-1], *pieces(f"\n{OTHER}"), ANSWER[-1]], "FIXED"),
    "stopped amid": ([*ANSWER[:3], event("message_stop"), *ANSWER[3:]], CUT),
    "empty": ([BEGUN, *ending()], EMPTY),
    "blank": ([BEGUN, start(), *pieces("  \n"), *ending()], EMPTY),
    "an unknown reason": ([*ANSWER[:-2], *ending("weird")], "FIXED"),
    "a number for a reason": ([*ANSWER[:-2], *ending(5)], "FIXED"),
    "a refusal": ([BEGUN, start(), *pieces("I cannot"), *ending("refusal")], "The model refused to answer."),
    "null for text": ([BEGUN, delta(None), delta(5), delta({"a": 1}), *ANSWER[1:]], "FIXED"),
    "text at a block's start": ([BEGUN, start(text=GOOD), *ending()], "FIXED"),
    "a whole message": ([odd({**REPLY, "usage": {"input_tokens": 900, "output_tokens": 40}})], "FIXED"),
    "the other wire's mark": ([*ANSWER, DONE], "FIXED"),
    "the other wire's mark for a stop": ([*ANSWER[:-1], DONE], "FIXED"),
    "a mark at the beginning": ([b"\xef\xbb\xbf" + ANSWER[0], *ANSWER[1:]], "FIXED"),
    "CRLF": ([each.replace(b"\n", b"\r\n") for each in ANSWER], "FIXED"),
    "CR": ([each.replace(b"\n", b"\r") for each in ANSWER], "FIXED"),
    "deep nesting": ([b'data: {"x":%s%s}\n\n' % (b"[" * 50_000, b"]" * 50_000), *ANSWER], NO_PROTOCOL),
    "a huge number": ([b'data: {"type":"ping","x":%s}\n\n' % (b"9" * 5000), *ANSWER], "FIXED"),
    "no JSON": ([odd("hello"), *ANSWER], NO_PROTOCOL),
    "the other wire": (WHOLE, ENDED),
    **{f"in {name}": ([BEGUN, *pieces(text), *ending()], "SAME") for name, text in FOREIGN.items()},
    **{f"only talk: {name}": ([BEGUN, *pieces(text), *ending()], "SAME") for name, text in PROSE.items()},
    **{f"talk in {name}": ([BEGUN, *pieces(text), *ending()], "FIXED") for name, text in AROUND.items()},
}
NOBODY: dict[str, Stream] = {
    "no start of the message": ANSWER[1:],
    "null for the message": [event("message_start", message=None), *ANSWER[1:]],
}
"""Answers that are whole, but whose prompt nobody counted."""


async def ran(e: Engine, name: str, stream: Stream, tries: int = 2) -> Ran:
    """Fix the example where every request is answered so; at most three tries of a model, or one where it answered."""
    before = len(e.server.requests)
    e.server.always(raw([b"".join(stream)]))
    found = await e.fix(name)
    assert len(e.server.requests) - before <= tries, name
    for model in e.session.config().models:  # Each case begins as if nothing had failed before.
        e.session.providers.breakers.works(model)
    return found


def check(name: str, found: Ran, due: str) -> None:
    """Hold what came of an answer against what is due: the text, the sentence and the entries."""
    if due == "FIXED":
        assert found.text == FIXED, (name, found.said)
        (entry,) = found.entries
        assert (entry.outcome, entry.cost, entry.estimated) == ("kept", EXACT["small"], False), (name, entry)
        return
    assert found.text == SRC, name
    assert found.said.startswith("Could not fix `mean`. "), name
    assert due == "SAME" or due in found.said, (name, found.said)
    assert len(found.said) < 700, name
    for entry in found.entries:
        assert entry.outcome in ("failed", "failed check"), name
        assert entry.cost is not None
        assert entry.cost == EXACT[entry.model] or entry.estimated or entry.cost == 0, (name, entry)
        assert entry.cost <= EXACT[entry.model], name


pytestmark = pytest.mark.timeout(600)
ALL: Sequence[tuple[WireName, Table]] = (("openai", OPENAI), ("anthropic", ANTHROPIC))
ERRORS: Sequence[tuple[WireName, Table, Stream]] = (
    ("openai", OPENAI_ERRORS, WHOLE[:1]),
    ("anthropic", ANTHROPIC_ERRORS, ANSWER[:3]),
)


@pytest.mark.parametrize(("wire", "table"), ALL, ids=["openai", "anthropic"])
@pytest.mark.fault("provider", "an odd answer")
async def test_an_odd_answer_is_used_whole_or_not_at_all(
    tmp_path: Path, wire: WireName, table: Table, record_property: Callable[[str, object], None]
) -> None:
    async with engine(tmp_path, wire=wire) as e:
        for name, (stream, due) in table.items():
            check(name, await ran(e, name, stream), due)
    record_property("cases", len(table))


@pytest.mark.parametrize(("wire", "table", "begun"), ERRORS, ids=["openai", "anthropic"])
@pytest.mark.fault("provider", "an error under HTTP 200")
async def test_an_error_inside_of_an_answer_is_a_sentence(
    tmp_path: Path, wire: WireName, table: Table, begun: Stream, record_property: Callable[[str, object], None]
) -> None:
    async with engine(tmp_path, wire=wire) as e:
        for name, (stream, due) in table.items():
            first = await ran(e, f"{name}, first", stream, tries=6)
            check(name, first, due)
            assert all(entry.cost == 0 for entry in first.entries), name
            amid = await ran(e, f"{name}, amid", [*begun, *stream])
            check(name, amid, due)
            assert all(entry.estimated and entry.cost for entry in amid.entries), name
    record_property("cases", 2 * len(table))


@pytest.mark.fault("provider", "an answer whose prompt nobody counted")
async def test_an_answer_whose_prompt_nobody_counted_is_used_and_estimated(tmp_path: Path) -> None:
    async with engine(tmp_path, wire="anthropic") as e:
        for name, stream in NOBODY.items():
            found = await ran(e, name, stream)
            assert found.text == FIXED, name
            (entry,) = found.entries
            assert entry.estimated, name


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.fault("provider", "a whole answer although a stream was asked for")
async def test_an_answer_that_is_no_stream_is_used_and_booked_as_counted(tmp_path: Path, wire: WireName) -> None:
    body: dict[str, Any] = {"choices": [{"index": 0, "message": {"content": GOOD}, "finish_reason": "stop"}]}
    body = (
        {**body, "usage": USAGE} if wire == "openai" else {**REPLY, "usage": {"input_tokens": 900, "output_tokens": 40}}
    )
    async with engine(tmp_path, wire=wire) as e:
        e.server.always(raw([json.dumps(body).encode()], headers={"content-type": "application/json"}))
        found = await e.fix()
    assert found.text == FIXED
    assert found.said.startswith("Fixed `mean`: small")
    assert [(each.cost, each.estimated) for each in found.entries] == [(EXACT["small"], False)]
