"""Connections that end, stall or are cut: the text is safe, and one sentence says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fault_bench import ANSWER, Bench, Case, bench
from fault_provider import (
    DROP,
    END,
    PAUSE,
    RESET,
    SILENCE,
    Arrived,
    Script,
    Step,
    Steps,
    body,
    chunk,
    head,
    refusal,
    steps,
    whole,
)
from scripted_provider import WireName, events

Count = Callable[[str, object], None]
CLOSED = "mine closed the connection before it answered. Ask again, or choose another model."
BROKE_OFF = "small: mine broke off in the middle of the answer. Ask again, or choose another model."
ENDS = (DROP, RESET)


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as made:
        yield made


def first(count: int, *then: bytes | float | Step) -> Script:
    """Send the head and so many events of the answer; a negative count leaves out as many."""
    return lambda seen: [head(), *map(chunk, events(seen.wire, ANSWER)[:count]), *then]


@pytest.mark.fault("provider", "dropped or reset before the answer")
@pytest.mark.parametrize("end", ENDS, ids=str)
def test_a_connection_that_ends_before_the_answer(on: Bench, end: Step, record_property: Count) -> None:
    begun = [PAUSE, end]
    cases = [
        Case(name="before a byte", scripts=[[end]], says=CLOSED, tries=3),
        Case(name="once it is open", scripts=[[end]], says=CLOSED, tries=3, begins="connected"),
        Case(name="behind the request's headers", scripts=[[end]], says=CLOSED, tries=3, begins="headers"),
        Case(name="in the status line", scripts=[[b"HTTP/1.1 20", *begun]], says=CLOSED, tries=3),
        Case(name="in the headers", scripts=[[head()[:-9], *begun]], says=CLOSED, tries=3),
        Case(name="in an error's body", scripts=[[refusal(503)[0], b'{"er', *begun]], says="now (503)", tries=3),
        # An answer began: somebody may charge for each.
        Case(name="behind the headers", scripts=[[head(), *begun]], says=CLOSED, tries=3, bill="estimate"),
        Case(name="in a chunk's size", scripts=[[head(), b"1", *begun]], says=CLOSED, tries=3, bill="estimate"),
        Case(name="behind a comment", scripts=[[head(), chunk(b": x\n\n"), *begun]], says=CLOSED, bill="estimate"),
        Case(name="behind the first event", scripts=[first(1, *begun)], says=CLOSED, bill="estimate"),
    ]
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "dropped or reset in the answer")
@pytest.mark.parametrize("end", ENDS, ids=str)
def test_a_connection_that_ends_in_the_answer(on: Bench, end: Step, record_property: Count) -> None:
    def mid_event(seen: Arrived) -> Steps:
        return [head(), chunk(b"".join(events(seen.wire, ANSWER)[:4])[:-9]), PAUSE, end]

    cases = [
        Case(name="behind the third event", scripts=[first(3, PAUSE, end)], says=BROKE_OFF, tries=1, bill="estimate"),
        Case(name="in the fourth", scripts=[mid_event], says=BROKE_OFF, tries=1, bill="estimate"),
        Case(name="before the last three", scripts=[first(-3, PAUSE, end)], says=BROKE_OFF, tries=1, bill="estimate"),
        Case(name="before the last", scripts=[first(-1, PAUSE, end)], tries=1, bill="counted"),
        Case(name="behind the last", scripts=[first(99, PAUSE, end)], tries=1, bill="counted"),
        Case(name="in place of the end", scripts=[first(99, b"0\r", PAUSE, end)], tries=1, bill="counted"),
    ]
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "recovers")
def test_a_provider_that_recovers_is_asked_again(on: Bench, record_property: Count) -> None:
    good = whole(ANSWER)
    cases = [
        Case(name="dropped once", scripts=[[DROP], good], tries=2, bill="counted"),
        Case(name="reset twice", scripts=[[RESET], [RESET], good], tries=3, bill="counted"),
        Case(name="503 and a reset", scripts=[refusal(503), [RESET], good], tries=3, bill="counted"),
        Case(name="dropped behind the headers", scripts=[[head(), PAUSE, DROP], good], tries=2, bill="estimate"),
        Case(name="a reset behind three answers", scripts=[[RESET], [RESET], [RESET], good], says=CLOSED, tries=3),
    ]
    record_property("cases", on.tries(*cases))


@pytest.mark.fault("provider", "silent")
def test_silence_ends_by_a_time_out(on: Bench, record_property: Count) -> None:
    late, broke = "mine did not begin to answer within", "small: mine broke off in the middle of the answer"
    cases = [
        Case(name="before a byte", scripts=[[SILENCE]], says=late, bill="estimate"),
        Case(name="in the status line", scripts=[[b"HTTP/1.1 20", SILENCE]], says=late, bill="estimate"),
        Case(name="behind the headers", scripts=[[head(), SILENCE]], says=late, bill="estimate"),
        Case(name="behind a comment", scripts=[[head(), chunk(b": x\n\n"), SILENCE]], says=late, bill="estimate"),
        Case(name="behind the first event", scripts=[first(1, SILENCE)], says=late, bill="estimate"),
        Case(name="behind 100", scripts=[[b"HTTP/1.1 100 Continue\r\n\r\n", SILENCE]], says=late, bill="estimate"),
        Case(name="in the answer", scripts=[first(4, SILENCE)], says=broke, tries=1, bill="estimate"),
        Case(name="before the last three", scripts=[first(-3, SILENCE)], says=broke, tries=1, bill="estimate"),
        Case(name="before the last", scripts=[first(-1, SILENCE)], tries=1, bill="counted"),
        Case(name="behind the last", scripts=[first(99, SILENCE)], tries=1, bill="counted", seconds=1),
        Case(name="in an error", scripts=[[refusal(503)[0], SILENCE]], says="mine cannot answer now (503)", seconds=30),
    ]
    record_property("cases", on.alternates(*cases))


def slowly(data: bytes, pause: Step | float = PAUSE) -> Iterator[bytes | float | Step]:
    """Send bytes one by one."""
    for at in range(len(data)):
        yield data[at : at + 1]
        yield pause


def forever(start: bytes, piece: bytes, seconds: float) -> Iterator[bytes | float]:
    """Send a beginning, and then one piece again and again."""
    yield start
    while True:
        yield piece
        yield seconds


@pytest.mark.fault("provider", "slow")
def test_a_slow_answer_is_an_answer_as_long_as_there_is_news(on: Bench, record_property: Count) -> None:
    def bytes_alone(seen: Arrived) -> Steps:
        return slowly(head() + chunk(body(seen.wire, ANSWER)) + END)

    def a_byte_a_second(seen: Arrived) -> Steps:
        return slowly(head() + chunk(body(seen.wire, ANSWER)) + END, 1.0)

    def an_event_a_second(seen: Arrived) -> Steps:
        return [head(), *(step for event in events(seen.wire, ANSWER) for step in (chunk(event), 1.0)), END]

    late = "mine did not begin to answer within"
    pings, hints = chunk(b": ping\n\n"), b"HTTP/1.1 102 Processing\r\n\r\n"
    cases = [
        Case(name="a byte at a time", scripts=[bytes_alone], tries=1, bill="counted"),
        Case(name="an event a second", scripts=[an_event_a_second], tries=1, bill="counted"),
        Case(name="a byte a second", scripts=[a_byte_a_second], says="mine", bill="estimate"),
        Case(name="pings alone", scripts=[lambda _: forever(head(), pings, 5.0)], says=late, bill="estimate"),
        Case(name="1xx alone", scripts=[lambda _: forever(b"", hints, 5.0)], says=late, bill="estimate"),
    ]
    record_property("cases", on.alternates(*cases))


CUTS = 75
"""Bytes behind which an answer is cut, on each wire."""


def cut(wire: WireName, at: int, end: Step) -> Case:
    """Return a case that cuts an answer behind so many bytes, and what must come of it there.

    What the bytes mean is said here by their offsets, from the events alone.
    """
    every = events(wire, ANSWER)
    whole_answer = head() + b"".join(map(chunk, every)) + END
    ends = [len(head())]
    for event in every:
        ends.append(ends[-1] + len(chunk(event)))
    data = [end_ - len(b"\r\n") for end_ in ends]  # An event is whole before its chunk is.
    begun = data[3 if wire == "anthropic" else 2]
    stopped = data[-2] if wire == "anthropic" else data[-3]
    counted = data[-2]
    script = steps(whole_answer[:at], PAUSE, end)
    if at < len(head()):
        return Case(name=f"{at} bytes", scripts=[script], says=CLOSED, tries=3)
    if at < begun:
        return Case(name=f"{at} bytes", scripts=[script], says=CLOSED, bill="estimate")
    if at < stopped:
        return Case(name=f"{at} bytes", scripts=[script], says=BROKE_OFF, tries=1, bill="estimate")
    return Case(name=f"{at} bytes", scripts=[script], tries=1, bill="estimate" if at < counted else "counted")


@pytest.mark.fault("provider", "cut at a byte")
@pytest.mark.parametrize("part", [0, pytest.param(1, marks=pytest.mark.long)], ids=["some", "the others"])
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_an_answer_that_is_cut_behind_any_byte(on: Bench, wire: WireName, part: int, record_property: Count) -> None:
    length = len(head() + b"".join(map(chunk, events(wire, ANSWER))) + END)
    places = [number * length // CUTS for number in range(1, CUTS)]
    # The bytes around the ends of the head and of the last events, where one more or less makes the difference.
    places += [len(head()) + by for by in (-1, 0, 1)] + [length - by for by in range(1, 9)]
    cases = [cut(wire, at, ENDS[at % 2]) for at in sorted(set(places))[part::2]]
    record_property("cases", on.tries(*cases, wires=[wire]))


@pytest.mark.fault("provider", "half a character")
def test_a_character_that_is_split_or_cut(on: Bench, record_property: Count) -> None:
    def split(seen: Arrived) -> Steps:
        content = body(seen.wire, ANSWER, size=99)
        at = content.index("🐍".encode())
        pieces = [content[:at], *(content[at + by : at + by + 1] for by in range(4)), content[at + 4 :]]
        return [head(), *(step for piece in pieces for step in (chunk(piece), PAUSE)), END]

    def behind(rest: bytes) -> Script:
        return lambda seen: [head(), chunk(body(seen.wire, ANSWER) + rest), END]

    def inside(length: int, *then: bytes | Step) -> Script:
        def script(seen: Arrived) -> Steps:
            content = body(seen.wire, ANSWER, size=99)
            return [head(), chunk(content[: content.index("🐍".encode()) + length]), PAUSE, *then]

        return script

    cases = [Case(name="split over reads", scripts=[split], tries=1, bill="counted")]
    cases += [
        Case(name=f"half of one behind the answer: {rest!r}", scripts=[behind(rest)], tries=1, bill="counted")
        for rest in (b"\xf0\x9f", b"\xc3", b"\xff\xfe", b"\0\0\0", b"data: {\xf0\x9f", b"\xef\xbb\xbf")
    ]
    cases += [
        Case(name=f"cut in one, behind {length} bytes", scripts=[inside(length, *then)], says="mine", bill="estimate")
        for length in (1, 2, 3)
        for then in ([DROP], [RESET], [END])
    ]
    record_property("cases", on.alternates(*cases))
