"""Server-sent events are those that httpx_sse reads, wherever the stream is cut, and long ones cost no more."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, cast

import httpx
import pytest
from httpx_sse import EventSource
from hypothesis import example, given
from hypothesis import strategies as st

from tuppence.upstream.event_stream import EventStream, ServerSentEvent

SAID = ["data: one", "data:two", "data", "data:  three", "event: ping", "event:", ":", ": still here", "", "data:"]
ODD = ["id: 7", "retry: 10", "retry: x", "unknown: y", " data: indented", "data : no", "DATA: no"]
LINES = st.one_of(st.sampled_from([*SAID, *ODD]), st.text(alphabet="dat: é😀\u2028\x0b\x0c\x85\x00", max_size=12))
ENDS = st.sampled_from(["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n", "\n\r"])


class _Whole:
    """A response whose text is all there, as httpx_sse takes it."""

    def __init__(self, text: str) -> None:
        self.headers = {"content-type": "text/event-stream"}
        self._text = text

    def iter_text(self) -> list[str]:
        return [self._text] if self._text else []


def expected(text: str) -> list[ServerSentEvent]:
    """Return the events as httpx_sse reads them."""
    events = EventSource(cast("httpx.Response", _Whole(text))).iter_sse()
    return said([ServerSentEvent(each.event, each.data) for each in events])


def read(parts: list[str]) -> list[ServerSentEvent]:
    stream = EventStream()
    return [event for part in parts for event in stream.feed(part)]


def said(events: list[ServerSentEvent]) -> list[ServerSentEvent]:
    """Return the events without those that have neither a name nor data, which say nothing."""
    return [each for each in events if each.name != "message" or each.data]


@given(st.lists(st.tuples(LINES, ENDS), max_size=12), st.lists(st.integers(0, 200), max_size=6))
@example([("data: x", "\r\n"), ("", "\r\n"), ("data: y", "\r")], [8])
@example([("data: x", "\r"), ("data: y", "\r\r")], [8, 16])
def test_any_stream_in_any_parts_is_read_as_httpx_sse_reads_it(lines: list[tuple[str, str]], cuts: list[int]) -> None:
    text = "".join(line + end for line, end in lines)
    places = [0, *sorted(min(each, len(text)) for each in cuts), len(text)]
    parts = [text[low:high] for low, high in pairwise(places)]
    assert said(read(parts)) == expected(text)
    assert said(read(list(text))) == expected(text)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_an_event_is_there_with_its_last_character(end: str) -> None:
    stream = EventStream()
    assert stream.feed(f"data: one{end}data: two{end}") == []
    assert stream.feed(end) == [ServerSentEvent("message", "one\ntwo")]
    assert stream.feed(f"event: ping{end}data: x{end}{end}data: y{end}{end}") == [
        ServerSentEvent("ping", "x"),
        ServerSentEvent("message", "y"),
    ]


def test_what_has_no_end_is_no_event() -> None:
    assert read(["data: one\n\ndata: two"]) == [ServerSentEvent("message", "one")]
    assert read(["data: one\n"]) == []


class _Counted(str):
    """A text that counts the characters of such texts that were searched for line ends."""

    searched = 0
    __slots__ = ()

    def split(self, *where: Any) -> list[str]:
        _Counted.searched += len(self)
        return super().split(*where)


@pytest.mark.attack("hostile sizes", "one event in many parts")
def test_a_line_in_many_parts_is_searched_once() -> None:
    line = f"data: {json.dumps('x' * 200_000)}\n\n"
    _Counted.searched = 0
    parts: list[str] = [_Counted(line[at : at + 100]) for at in range(0, len(line), 100)]
    assert read(parts) == [ServerSentEvent("message", line[len("data: ") : -2])]
    assert _Counted.searched == len(line)
