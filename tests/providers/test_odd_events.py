"""Odd events on each wire by themselves: what a decoder makes of them, and what foreign JSON is read as."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from paths import RECORDED

from tuppence.errors import Broken, Busy, Refused
from tuppence.providers import CALLED, ProviderEvent, Stop, Text, Thinking, UsageReport, find_wire
from tuppence.providers._json import amount, money, parse


def decoded(wire: str, *payloads: Any) -> list[ProviderEvent]:
    """Return what a wire makes of these objects, to the end of the stream."""
    decoder = find_wire(wire).decoder()
    events = [event for each in payloads for event in decoder.feed("message", json.dumps(each))]
    return [*events, *decoder.finish()]


def text(events: Sequence[ProviderEvent], kind: type[Text | Thinking] = Text) -> str:
    """Return the text of one kind."""
    return "".join(each.text for each in events if isinstance(each, kind))


def choice(index: Any = 0, finish: Any = None, **more: Any) -> dict[str, Any]:
    """Return an event of the openai wire with one choice."""
    return {"choices": [{"index": index, "finish_reason": finish, **more}]}


def test_of_several_choices_the_first_that_came_is_read_with_its_own_stop() -> None:
    events = decoded(
        "openai",
        choice(2, delta={"content": "a"}),
        choice(0, delta={"content": "x"}),
        choice(0, "length", delta={}),
        choice(2, "stop", delta={"content": "b"}),
    )
    assert text(events) == "ab"
    assert events[-1] == Stop("end", "stop")


@pytest.mark.parametrize("index", [None, "a", -1, True, 1.5])
def test_an_index_that_is_none_is_the_first(index: Any) -> None:
    events = decoded("openai", choice(index, delta={"content": "a"}), choice(0, "stop", delta={"content": "b"}))
    assert text(events) == "ab"


def test_text_and_thinking_come_in_parts() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]}
    parts = [5, thought, {"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": None}]
    events = decoded("openai", choice(delta={"content": parts}), choice(delta={"content": "b"}, finish="stop"))
    assert (text(events), text(events, Thinking)) == ("ab", "hm")


def test_a_whole_message_is_read_once() -> None:
    whole = {"content": "ab"}
    assert text(decoded("openai", choice(message=whole, finish="stop"))) == "ab"
    pieces = (choice(delta={"content": "a"}, message=whole), choice(delta={"content": "b"}, message=whole))
    assert text(decoded("openai", *pieces, choice(message=whole, finish="stop"))) == "ab"
    message = {"type": "message", "content": [{"type": "text", "text": "ab"}], "stop_reason": "end_turn"}
    assert text(decoded("anthropic", message)) == "ab"
    piece = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "ab"}}
    assert text(decoded("anthropic", piece, message)) == "ab"


def test_an_end_that_comes_twice_is_the_first_one() -> None:
    piece = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "ab"}}
    end = {"type": "message_stop"}
    late = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}
    done = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    events = decoded("anthropic", piece, done, end, late, end)
    assert [each for each in events if isinstance(each, Stop)] == [Stop("end", "end_turn")]


@pytest.mark.parametrize("reason", ["tool_calls", "stop", "weird"])
def test_a_tool_call_is_named_by_the_stop(reason: str) -> None:
    call = choice(delta={"tool_calls": [{"index": 0}]})
    assert decoded("openai", call, choice(delta={}, finish=reason)) == [Stop("end", CALLED)]
    used = {"type": "content_block_start", "content_block": {"type": "tool_use", "name": "rm"}}
    assert decoded("anthropic", used, {"type": "message_delta", "delta": {"stop_reason": reason}}) == [
        Stop("end", CALLED)
    ]


def test_a_tool_call_does_not_hide_that_the_limit_was_reached() -> None:
    call = choice(delta={"tool_calls": [{"index": 0}]})
    assert decoded("openai", call, choice(delta={}, finish="length")) == [Stop("length", "length")]


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"error": "boom"}, Broken),
        ({"error": {"code": "503"}}, Busy),
        ([{"error": {"code": 429}}], Busy),
        ({"object": "error", "code": 500}, Busy),
        ({"type": "error"}, Broken),
        ({"message": "boom", "code": 401}, Refused),
        ({"detail": "boom"}, Broken),
    ],
)
def test_an_error_is_one_in_any_form(wire: str, payload: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        decoded(wire, payload)


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize("data", ["boom", '{"message": "boom"}', "[1, 2]"])
def test_an_event_that_is_called_an_error_is_one(wire: str, data: str) -> None:
    with pytest.raises(Broken, match="broke off with an error"):
        tuple(find_wire(wire).decoder().feed("error", data))


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_a_message_without_a_status_is_no_error(wire: str) -> None:
    assert not tuple(find_wire(wire).decoder().feed("", '{"message": "You are third in the queue.", "code": 0}'))


def test_what_a_message_counts_of_the_answer_at_its_start_is_no_count() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 7, "output_tokens": 3}}}
    (report, _) = decoded("anthropic", start, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    assert isinstance(report, UsageReport)
    assert (report.usage.fresh, report.usage.output) == (7, 0)


def test_more_cached_tokens_than_there_are_is_no_count() -> None:
    counts = {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}
    report = decoded("openai", {"usage": counts}, choice(finish="stop"))[0]
    assert isinstance(report, UsageReport)
    assert (report.usage.prompt, report.usage.cache_read, report.usage.output) == (0, None, 3)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0.0123", "0.0123"),
        ("3", "3"),
        ("1e308", "1000000"),
        ("1e-40", "1e-40"),
        ("1e-41", None),
        ("0e-999", "0"),
        ("-1", None),
        ("NaN", None),
        ("-Infinity", None),
        ('"3"', None),
        ("true", None),
        (f"1.{'5' * 50}", None),
        ("1e99999999999999999999", None),
        ("9" * 5000, None),
    ],
)
def test_an_amount_is_a_number_that_can_be_one(written: str, read: str | None) -> None:
    assert money(parse(f'{{"cost": {written}, "other": 1}}'), "cost") == (None if read is None else Decimal(read))


def test_a_number_that_python_does_not_read_leaves_the_rest_as_it_is() -> None:
    assert parse(f'{{"a": {"9" * 5000}, "b": 1e99999999999999999999, "c": 0.5, "d": 7}}') == {
        "a": None,
        "b": None,
        "c": Decimal("0.5"),
        "d": 7,
    }
    assert amount(Decimal("sNaN")) is None


@pytest.mark.parametrize("data", ["", "hello", "[]", "[1, 2]", "[[{}]]", '"x"', "null", f"{'[' * 100_000}"])
def test_what_is_no_object_is_refused(data: str) -> None:
    with pytest.raises(Broken, match="not its protocol"):
        parse(data)


@pytest.mark.parametrize(
    ("ticks", "usd"),
    [(1, "1E-10"), (37_756_000, "0.0037756000"), (10**10, "1.0000000000"), (10**29, "1000000")]
    + [(each, None) for each in (0, -5, True, 1.5, "7", None, [3])],
)
def test_xais_ticks_are_money_where_they_are_a_number_above_none(ticks: object, usd: str | None) -> None:
    counts = {"prompt_tokens": 1, "completion_tokens": 1, "cost_in_usd_ticks": ticks}
    found = list(find_wire("openai").decoder().feed("message", json.dumps({"choices": [], "usage": counts})))
    assert [each.cost for each in found if isinstance(each, UsageReport)] == [Decimal(usd) if usd else None]


@pytest.mark.parametrize(
    ("counts", "answer", "thinking"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}, 9, 0),
        ({"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 10}, 9, 0),
        ({"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": -1}, 9, 0),
        ({"prompt_tokens": 0, "completion_tokens": 9, "total_tokens": 50}, 9, 0),
        ({"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 50}, 0, 45),
        ({"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14, "reasoning": 4}, 5, 4),
        ({"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 18, "reasoning": 4}, 9, 4),
        ({"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 99, "reasoning": 4}, 5, 4),
    ],
)
def test_a_total_tells_of_reasoning_where_it_can_be_nothing_else(
    counts: dict[str, int], answer: int, thinking: int
) -> None:
    usage = {**counts, "completion_tokens_details": {"reasoning_tokens": counts.get("reasoning", 0)}}
    (found,) = find_wire("openai").decoder().feed("message", json.dumps({"choices": [], "usage": usage}))
    assert isinstance(found, UsageReport)
    assert (found.usage.output, found.usage.thinking) == (answer, thinking)


@pytest.mark.parametrize(
    ("wire", "stem", "named"),
    [
        ("openai", "openai-azure", "gpt-4.1-mini-2025-04-14"),
        ("openai", "openai-xai", "grok-4.7"),
        ("openai", "openai-google", "gemini-3.8-flash"),
        ("openai", "openai-mistral", "mistral-large-4-0"),
    ],
)
def test_a_recorded_answer_names_its_model(wire: str, stem: str, named: str) -> None:
    decoder = find_wire(wire).decoder()
    for line in (RECORDED / f"{stem}.sse").read_text("utf-8").splitlines():
        if line.startswith("data: "):
            list(decoder.feed("message", line.removeprefix("data: ")))
    assert decoder.served == named
    assert decoder.identity
