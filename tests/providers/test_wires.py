"""Both wires: what they ask for, what they make of recorded answers cut anywhere, and of errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource
from hypothesis import given
from hypothesis import strategies as st
from paths import RECORDED

from tuppence.core.models.model import CacheRules, Model, Provider, Quirks
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import Broken, Busy, ConfigError, Refused, TuppenceError
from tuppence.providers import ProviderEvent, Stop, Text, Thinking, UsageReport, find_wire, wire_names
from tuppence.providers._errors import named
from tuppence.providers._json import count
from tuppence.providers._think_tags import InlineThinking

RECORDINGS = sorted(RECORDED.glob("*.sse"))
PROMPT = Prompt("Be brief.", ("Conventions.\n\n", "def f(): ...\n\n"), "Explain it.", 1000)
HARD = "été 🐍a\u2028b\u0085\fc"

# One row a recording: text, thinking, the last counts, the provider's own charge, the reason to stop.
EXPECTED: dict[str, tuple[str, str, Usage | None, str | None, Stop]] = {
    "anthropic-llamacpp": ("I'm glad to meet you", "", Usage(1, 22, output=6), None, Stop("length", "max_tokens")),
    "anthropic-plain": (HARD, "", Usage(21, 188, 500, 1000, output=15), None, Stop("end", "end_turn")),
    "anthropic-refusal": ("", "", Usage(12, 0, output=2), None, Stop("refused", "refusal")),
    "anthropic-thinking": ("Yes", "Hm, naïve.", Usage(40, None, output=64), None, Stop("length", "max_tokens")),
    "openai-azure": ("Yes", "", Usage(20, 0, output=2), None, Stop("end", "stop")),
    "openai-deepseek": ("Yes", "Hm, naïve.", Usage(36, 64, output=10, thinking=20), None, Stop("length", "length")),
    "openai-filtered": ("No", "", None, None, Stop("refused", "content_filter")),
    "openai-google": ("Yes", "", Usage(7, None, output=2, thinking=86), None, Stop("end", "stop")),
    "openai-llamacpp": ("🐍🐍", "", Usage(26, 0, output=6), None, Stop("length", "length")),
    "openai-mistral": ("Yes, naïve.", "Hm.", Usage(36, 64, output=46), None, Stop("length", "model_length")),
    "openai-moonshot": ("Yes", "", Usage(20, 10, output=2), None, Stop("end", "stop")),
    "openai-ollama": ("Yes <think> is text", "\nHm, 1 </ 2", Usage(26, None, output=12), None, Stop("end", "stop")),
    "openai-openrouter": (
        "Yes",
        "Hm.",
        Usage(50, 0, output=4, thinking=3),
        "0.00012345678901234567890",
        Stop("end", "stop"),
    ),
    "openai-plain": (HARD, "", Usage(22, 1920, 64, output=44, thinking=256), None, Stop("end", "stop")),
    "openai-xai": ("Yes", "Hm.", Usage(26, 6, output=9, thinking=94), "0.0037756000", Stop("end", "stop")),
}


SPENT = {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}
KINDS = ("message_start", "content_block_start", "content_block_delta", "message_delta", "error", "x")
KEYS = re.findall(
    r"\w+",
    """type choices delta usage message error content index cost prompt_tokens prompt_tokens_details content_block
    text input_tokens cache_creation finish_reason code""",
)
JSON = st.recursive(
    st.none() | st.integers() | st.text() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


def model(wire: str, **fields: Any) -> Model:
    return Model(
        provider=Provider("acme", wire, "https://acme.test/v1/", "ACME_API_KEY"), id="m-1", tier="budget", **fields
    )


def decode(wire: str, chunks: Iterable[bytes]) -> list[ProviderEvent]:
    return list(_decoded(wire, chunks))


def _decoded(wire: str, chunks: Iterable[bytes]) -> Iterator[ProviderEvent]:
    decoder = find_wire(wire).decoder()
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=iter(chunks))
    for event in EventSource(response).iter_sse():
        yield from decoder.feed(event.event or "message", event.data)
    yield from decoder.finish()


def joined(events: Iterable[ProviderEvent], kind: type[Text | Thinking]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind) and isinstance(event, Text | Thinking))


def wire_of(path: Path) -> str:
    return path.stem.partition("-")[0]


def test_every_wire_has_recordings_and_every_recording_an_expectation() -> None:
    assert {wire_of(path) for path in RECORDINGS} == set(wire_names()) == {"anthropic", "openai"}
    assert {path.stem for path in RECORDINGS} == set(EXPECTED)


def test_there_is_no_other_wire() -> None:
    with pytest.raises(ConfigError, match="anthropic, openai"):
        find_wire("_failure")


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_means(path: Path) -> None:
    events = decode(wire_of(path), [path.read_bytes()])
    text, thinking, usage, cost, stop = EXPECTED[path.stem]
    metered = [event for event in events if isinstance(event, UsageReport)]
    assert joined(events, Text) == text
    assert joined(events, Thinking) == thinking
    assert (metered[-1] if metered else None) == (usage and UsageReport(usage, Decimal(cost) if cost else None))
    assert [event for event in events if isinstance(event, Stop)] == [stop]
    assert events[-1] == stop


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_means_the_same_wherever_it_is_cut(path: Path) -> None:
    body, wire = path.read_bytes(), wire_of(path)
    whole = decode(wire, [body])
    for at in range(1, len(body)):
        assert decode(wire, [body[:at], body[at:]]) == whole, at
    assert decode(wire, [body[at : at + 1] for at in range(len(body))]) == whole


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_truncated_recording_is_whole_or_broken(path: Path) -> None:
    body, wire = path.read_bytes(), wire_of(path)
    whole = decode(wire, [body])
    for at in range(len(body)):
        got: list[ProviderEvent] = []
        try:
            got.extend(_decoded(wire, [body[:at]]))
        except Broken as error:
            assert "ended before the answer did" in error.message  # noqa: PT017 - a whole answer is right as well
            assert joined(whole, Text).startswith(joined(got, Text))
        else:
            assert joined(got, Text) == joined(whole, Text), at
            assert got[-1] == whole[-1], at


@pytest.mark.parametrize("wire", wire_names())
@given(payload=JSON, kind=st.sampled_from(KINDS))
def test_nonsense_is_no_crash(wire: str, payload: Any, kind: str) -> None:
    decoder = find_wire(wire).decoder()
    body = {**payload, "type": kind} if isinstance(payload, dict) else payload
    try:
        events = list(decoder.feed(kind, json.dumps(body)))
    except TuppenceError as error:
        assert error.message  # noqa: PT017 - no error is right as well
    else:
        assert all(isinstance(event, ProviderEvent) for event in events)


@pytest.mark.parametrize("wire", wire_names())
@pytest.mark.parametrize("data", ["<html>", "5", "[" * 100_000, '{"a": NaN', "9" * 5000])
def test_what_is_not_the_protocol_is_broken(wire: str, data: str) -> None:
    with pytest.raises(Broken, match="not its protocol"):
        list(find_wire(wire).decoder().feed("message", data))


@given(
    st.lists(st.sampled_from(("<", "<think>", "</think>", "think", ">", "/", " ", "\n", "a", "é🐍")), max_size=12).map(
        "".join
    ),
    st.data(),
)
def test_inline_thinking_is_the_same_however_it_is_cut(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    whole, pieces = _split([text]), _split([text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)])
    assert pieces == whole
    if not text.lstrip().startswith("<think>"):
        assert whole == ("", text)


def _split(pieces: list[str]) -> tuple[str, str]:
    inline = InlineThinking()
    events = [event for piece in pieces for event in inline.feed(piece)] + list(inline.finish())
    return joined(events, Thinking), joined(events, Text)


def test_anthropic_asks() -> None:
    request = find_wire("anthropic").request(PROMPT, model("anthropic"), "secret")
    assert request.url == "https://acme.test/v1/v1/messages"
    assert request.headers == {"anthropic-version": "2023-06-01", "x-api-key": "secret"}
    assert request.body == {
        "model": "m-1",
        "max_tokens": 1000,
        "stream": True,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Conventions.\n\n"},
                    {"type": "text", "text": "def f(): ...\n\n"},
                    {"type": "text", "text": "Explain it."},
                ],
            }
        ],
    }


def test_anthropic_is_asked_for_nothing_to_warm_its_cache() -> None:
    prompt = replace(PROMPT, tail="", max_output=0, marks=(2,))
    body: Any = find_wire("anthropic").request(prompt, model("anthropic"), None).body
    assert (body["max_tokens"], body["stream"]) == (0, False)
    content = body["messages"][0]["content"]
    assert [each["text"] for each in content] == list(PROMPT.shared)
    assert "cache_control" in content[-1]
    usage = {"input_tokens": 3, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 40, "output_tokens": 0}
    whole = {"type": "message", "content": [], "stop_reason": "max_tokens", "usage": usage}
    decoder = find_wire("anthropic").decoder()
    assert [*decoder.feed("message", json.dumps(whole)), *decoder.finish()] == [
        UsageReport(Usage(fresh=3, cache_read=900, cache_write=40)),
        Stop("length", "max_tokens"),
    ]
    assert list(find_wire("anthropic").decoder().feed("message", json.dumps({"usage": usage}))) == []
    assert [find.warms for find in map(find_wire, ("anthropic", "openai"))] == [True, False]


def test_openai_asks() -> None:
    request = find_wire("openai").request(PROMPT, model("openai"), "secret")
    assert request.url == "https://acme.test/v1/chat/completions"
    assert request.headers == {"authorization": "Bearer secret"}
    assert request.body == {
        "model": "m-1",
        "max_tokens": 1000,
        "stream": True,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Conventions.\n\ndef f(): ...\n\nExplain it."},
        ],
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize("number", [-1, 10**9 + 1, 10**20, True, 1.5, "7"])
def test_a_count_that_cannot_be_is_none(number: object) -> None:
    assert count({"a": number, "b": 3}, "a", "b") == 3
    assert count({"a": number}, "a") is None


@pytest.mark.parametrize("wire", wire_names())
def test_no_key_is_no_header(wire: str) -> None:
    headers = find_wire(wire).request(PROMPT, model(wire), None).headers
    assert not {"authorization", "x-api-key"} & set(headers)


@pytest.mark.parametrize("wire", wire_names())
def test_quirks_reach_the_body(wire: str) -> None:
    quirks = Quirks(
        limit="max_completion_tokens",
        temperature=0.3,
        thinking_off={"thinking": {"type": "disabled"}},
        stream_usage=False,
    )
    body = find_wire(wire).request(PROMPT, model(wire, quirks=quirks, max_output=64), None).body
    assert body["temperature"] == 0.3
    assert body["thinking"] == {"type": "disabled"}
    assert body["max_completion_tokens" if wire == "openai" else "max_tokens"] == 64
    assert "stream_options" not in body


@pytest.mark.parametrize(("marks", "life"), [((), ""), ((2,), ""), ((0, 1, 2), "1h")])
def test_anthropics_marks_stand_after_their_blocks(marks: tuple[int, ...], life: str) -> None:
    prompt = replace(PROMPT, marks=marks, life=life)
    body: Any = find_wire("anthropic").request(prompt, model("anthropic"), None).body
    blocks = [*body["system"], *body["messages"][0]["content"]]
    mark = {"type": "ephemeral"} | ({"ttl": life} if life else {})
    assert [block.get("cache_control") for block in blocks] == [mark if at in marks else None for at in range(4)]


@pytest.mark.parametrize(
    ("mark", "life", "written"),
    [
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, "", {"prompt_cache_breakpoint": {"mode": "explicit"}}),
        ({"cache_control": {"type": "ephemeral"}}, "", {"cache_control": {"type": "ephemeral"}}),
        ({"cache_control": {"type": "ephemeral"}}, "1h", {"cache_control": {"type": "ephemeral", "ttl": "1h"}}),
    ],
)
def test_an_openai_row_says_what_its_mark_is(mark: dict[str, object], life: str, written: dict[str, object]) -> None:
    row = model("openai", cache=CacheRules("explicit"), quirks=Quirks(cache_mark=mark))
    body: Any = find_wire("openai").request(replace(PROMPT, marks=(0, 2), life=life), row, None).body
    pieces = [part for message in body["messages"] for part in message["content"]]
    assert [{key: value for key, value in part.items() if key not in ("type", "text")} for part in pieces] == [
        written,
        {},
        written,
        {},
    ]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert "".join(part["text"] for part in pieces) == "Be brief.Conventions.\n\ndef f(): ...\n\nExplain it."


@pytest.mark.parametrize("wire", wire_names())
def test_how_to_cache_is_told_in_the_rows_words(wire: str) -> None:
    options = {"prompt_cache_options": {"mode": "explicit"}, "cache_prompt": True}
    body = find_wire(wire).request(PROMPT, model(wire, quirks=Quirks(cache_options=options)), None).body
    assert {key: body[key] for key in options} == options


def test_the_file_is_a_message_of_its_own_where_its_end_is_cached() -> None:
    row = model("openai", quirks=Quirks(file_message=True))
    messages: Any = find_wire("openai").request(PROMPT, row, None).body["messages"]
    assert [each["content"] for each in messages] == ["Be brief.", "Conventions.\n\ndef f(): ...\n\n", "Explain it."]
    alone: Any = find_wire("openai").request(replace(PROMPT, shared=()), row, None).body["messages"]
    assert [each["content"] for each in alone] == ["Be brief.", "Explain it."]


def test_the_key_of_a_prefix_is_that_of_its_beginning() -> None:
    row = model("openai", quirks=Quirks(cache_key="prompt_cache_key"))
    edited, other = ("Conventions.\n\n", "def g(): ..."), ("Others.\n\n", "def f(): ...")
    first, second, third = (
        find_wire("openai").request(replace(PROMPT, shared=shared), row, None).body["prompt_cache_key"]
        for shared in (PROMPT.shared, edited, other)
    )
    assert first == second != third
    assert len(str(first)) <= 64


def test_the_key_goes_into_a_header_where_the_row_names_one() -> None:
    row = model("openai", quirks=Quirks(cache_header="x-grok-conv-id", cache_key="k"))
    request = find_wire("openai").request(PROMPT, row, "secret")
    assert request.headers == {"authorization": "Bearer secret", "x-grok-conv-id": request.body["k"]}


@pytest.mark.parametrize("wire", wire_names())
@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"type": "invalid_request_error", "message": "bad"}, Refused, "does not accept the request for m-1 (400"),
        (400, {"type": "exceed_context_size_error", "code": 400}, Refused, "The request is too long for m-1 at acme"),
        (400, {"type": "api_error"}, Refused, "acme does not accept"),
        (401, {"type": "authentication_error"}, Refused, "acme refused the key in ACME_API_KEY (401, auth"),
        (402, {}, Refused, "acme will not serve this account (402)."),
        (403, {}, Refused, "acme does not let the key in ACME_API_KEY use m-1 (403)."),
        (404, {}, Refused, "acme does not know m-1 (404)."),
        (413, {}, Refused, "too long"),
        (418, {}, Refused, "(418)"),
        (422, {}, Refused, "(422)"),
        (408, {}, Busy, "(408)"),
        (409, {}, Busy, "(409)"),
        (429, {"type": "rate_limit_error"}, Busy, "acme limits how often it may be asked (429, rate_limit_error)."),
        (429, {"type": "insufficient_quota", "code": "insufficient_quota"}, Refused, "will not serve this account"),
        (429, SPENT, Refused, "acme will not serve this account (429, enforced"),
        (500, {}, Busy, "acme cannot answer now (500)."),
        (529, {"type": "overloaded_error"}, Busy, "(529, overloaded_error)"),
    ],
)  # fmt: skip
def test_a_status_means(wire: str, status: int, body: dict[str, Any], kind: type[TuppenceError], message: str) -> None:
    error = named(find_wire(wire).failure(status, {}, json.dumps({"error": body})), model(wire))
    assert type(error) is kind
    assert message in error.message
    assert error.remedy


@pytest.mark.parametrize(
    "body", ["", "<html>503</html>", '{"error": "model \\"x\\" not found"}', '{"error": null}', "[]"]
)
def test_a_status_needs_no_body(body: str) -> None:
    error = find_wire("openai").failure(404, {}, body)
    assert isinstance(error, Refused)
    assert error.remedy.startswith("It says: " if "model" in body else "Check")


@pytest.mark.parametrize("status", [400, 403, 429])
@pytest.mark.parametrize("words", ["Your credit balance is too low.", "Insufficient account balance", "spending LIMIT"])
def test_an_empty_account_is_known_by_its_words_unless_a_wait_is_named(status: int, words: str) -> None:
    body = json.dumps({"error": {"type": "invalid_request_error", "message": words}})
    error = find_wire("anthropic").failure(status, {}, body)
    assert isinstance(error, Refused)
    assert error.message.startswith(f"{{provider}} will not serve this account ({status}")
    for header in ("retry-after", "retry-after-ms"):
        other = find_wire("anthropic").failure(status, {header: "5"}, body)
        assert "will not serve this account" not in other.message


def test_a_server_may_ask_for_another_try() -> None:
    failure = find_wire("openai").failure
    assert isinstance(failure(418, {"x-should-retry": "true"}, ""), Busy)
    assert isinstance(failure(400, {"x-should-retry": "true"}, ""), Refused)


def test_a_provider_cannot_move_the_cursor() -> None:
    error = find_wire("openai").failure(400, {}, json.dumps({"error": {"message": "a\x1b[2Jb\n\u202ec" + "x" * 999}}))
    assert error.remedy.startswith(r'It says: "a\x1b[2Jb \u202ecxxx')
    assert len(error.remedy) < 250


@pytest.mark.parametrize(
    ("wire", "data", "kind"),
    [
        ("anthropic", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, Busy),
        ("anthropic", {"type": "error", "error": {"type": "invalid_request_error"}}, Refused),
        ("anthropic", {"type": "error", "error": {"type": "a_new_one"}}, Broken),
        ("openai", {"error": {"code": 502, "message": "x"}, "choices": [{"finish_reason": "error"}]}, Busy),
        ("openai", {"error": {"code": 401}}, Refused),
        ("openai", {"error": {"code": 1302}}, Broken),
        ("openai", {"error": "text"}, Broken),
        ("openai", {"error": {"code": "insufficient_quota"}}, Refused),
        ("openai", {"choices": [{"finish_reason": "insufficient_system_resource"}]}, Busy),
    ],
)
def test_an_error_object_in_the_stream(wire: str, data: dict[str, Any], kind: type[TuppenceError]) -> None:
    with pytest.raises(kind) as caught:
        list(find_wire(wire).decoder().feed("message", json.dumps(data)))
    assert type(caught.value) is kind


def test_done_without_a_reason_is_an_end() -> None:
    assert decode("openai", [b"data: [DONE]\n\n"]) == [Stop("end", "")]


def test_a_refusal_in_words_is_a_refusal() -> None:
    said = b'data: {"choices":[{"delta":{"refusal":"No."},"finish_reason":null}]}\n\n'
    ended = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
    assert decode("openai", [said, ended]) == [Text("No."), Stop("refused", "content_filter")]
