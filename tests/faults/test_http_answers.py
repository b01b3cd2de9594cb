"""Answers in odd HTTP: other types, codings, lengths and headers, other servers' words, answers without an end."""

from __future__ import annotations

import gzip
import itertools
import zlib
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
    plain,
    refusal,
    steps,
    whole,
)
from scripted_provider import events

Count = Callable[[str, object], None]
PORTAL = b"<!DOCTYPE html><html><head><title>Hotel WiFi</title></head><body>Please sign in.</body></html>"
NO_STREAM = "small: mine did not stream its answer. Check the base_url, and that the server can stream."
NO_HTTP = "mine answered with something that is not HTTP. Check its base_url"
PAGE = "did not stream its answer, but sent a web page"
REDIRECT = "and a redirect is never followed. Set its base_url to the address that answers."
CLOSED = "mine closed the connection before it answered. Ask again, or choose another model."


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as made:
        yield made


def sent(
    headers: dict[str, str | None] | None = None, change: Callable[[bytes], bytes] = bytes, extra: bytes = b""
) -> Script:
    """Answer with these headers, and the body changed so, in chunks."""
    return lambda seen: [head(headers=headers, extra=extra), chunk(change(body(seen.wire, ANSWER))), END]


def good(name: str, script: Script) -> Case:
    """Return a case whose answer comes whole and counted."""
    return Case(name=name, scripts=[script], tries=1, bill="counted")


@pytest.mark.fault("provider", "wrong or no content type")
def test_a_type_that_is_not_a_streams(on: Bench, record_property: Count) -> None:
    wrong = (
        "application/json",
        "text/plain",
        "application/x-ndjson",
        "application/octet-stream",
        "",
        "x",
        "text/event",
    )
    cases = [
        Case(name=f"{kind!r}", scripts=[sent({"content-type": kind})], says=NO_STREAM, tries=1, bill="estimate")
        for kind in (*wrong, None, "text/event-stream2")
    ]
    cases += [Case(name="html", scripts=[sent({"content-type": "text/html"})], says=PAGE, tries=1, bill="estimate")]
    right = (
        "TEXT/Event-Stream",
        "text/event-stream ; charset=latin-1",
        "text/event-stream;charset=utf-16",
        " text/event-stream",
    )
    cases += [good(f"{kind!r}", sent({"content-type": kind})) for kind in right]
    cases += [good("two types", sent(extra=b"X-Content-Type: text/html\r\n"))]
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "a captive portal, an empty answer")
def test_somebody_else_answers(on: Bench, record_property: Count) -> None:
    html = {"content-type": "text/html; charset=utf-8"}
    stream = {"content-type": "text/event-stream"}
    cases = [
        Case(name="portal, 200", scripts=[plain(200, PORTAL, html)], says=PAGE, tries=1),
        Case(name="portal, 203", scripts=[plain(203, PORTAL, html)], says=f"{PAGE} (203)", tries=1),
        Case(
            name="portal, 200 as XHTML",
            scripts=[plain(200, PORTAL, {"content-type": "Application/XHTML+xml"})],
            says=PAGE,
        ),
        Case(name="portal, 200 of no type", scripts=[plain(200, PORTAL)], says=NO_STREAM, tries=1),
        Case(
            name="portal, 302", scripts=[plain(302, b"", {"location": "http://wifi.example/"})], says=REDIRECT, tries=1
        ),
        Case(
            name="portal, 511",
            scripts=[plain(511, PORTAL, html)],
            says="Sign in with a browser, then ask again.",
            tries=1,
        ),
        Case(name="portal as a stream", scripts=[plain(200, PORTAL, stream)], says="mine ended", bill="estimate"),
        Case(name="a script", scripts=[plain(200, b"<script>", {"content-type": "text/javascript"})], says=NO_STREAM),
        Case(name="empty", scripts=[plain(200)], says=NO_STREAM, tries=1),
        Case(name="empty, endless", scripts=[[head(200, {"content-type": None}), DROP]], says=NO_STREAM, tries=1),
        Case(name="an empty stream", scripts=[plain(200, b"", stream)], says="mine ended", bill="estimate", tries=1),
        Case(
            name="no chunk", scripts=[[head(), END]], says="mine ended before the answer did", bill="estimate", tries=1
        ),
        Case(
            name="a line's end", scripts=[[head(), chunk(b"\n\n\n"), END]], says="mine ended", bill="estimate", tries=1
        ),
    ]
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "1xx before the answer")
def test_what_comes_before_an_answer_is_passed_over(on: Bench, record_property: Count) -> None:
    def behind(*lines: bytes | Step) -> Script:
        return lambda seen: [*lines, *whole(ANSWER)(seen)]

    early = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n"
    cases = [
        good("100", behind(b"HTTP/1.1 100 Continue\r\n\r\n")),
        good("100 without words", behind(b"HTTP/1.1 100\r\n\r\n")),
        good("103", behind(early)),
        good("103 in a read of its own", behind(early, PAUSE)),
        good("102 ten times", behind(*[b"HTTP/1.1 102 Processing\r\n\r\n"] * 10)),
        good("199", behind(b"HTTP/1.1 199 Odd\r\n\r\n")),
        Case(
            name="101", scripts=[[b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", PAUSE, DROP]], says="mine"
        ),
        Case(name="100 and an end", scripts=[[b"HTTP/1.1 100 Continue\r\n\r\n", PAUSE, DROP]], says=CLOSED, tries=3),
    ]
    record_property("cases", on.alternates(*cases))


def deflated(data: bytes) -> bytes:
    """Pack without zlib's header, as some servers understand ``deflate``."""
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


@pytest.mark.fault("provider", "compressed although nobody asked")
def test_an_answer_that_is_packed(on: Bench, record_property: Count) -> None:
    unknown = "small: mine compressed its answer in a way that was not asked for. Check the base_url."
    cases = [
        good("gzip", sent({"content-encoding": "gzip"}, gzip.compress)),
        good("GZip", sent({"content-encoding": " GZip "}, gzip.compress)),
        good("x-gzip", sent({"content-encoding": "x-gzip"}, gzip.compress)),
        good("deflate", sent({"content-encoding": "deflate"}, zlib.compress)),
        good("raw deflate", sent({"content-encoding": "deflate"}, deflated)),
        good("identity", sent({"content-encoding": "identity"})),
        good(
            "gzip with more behind it", sent({"content-encoding": "gzip"}, lambda data: gzip.compress(data) + b"more")
        ),
    ]
    cases += [
        Case(name=name, scripts=[sent({"content-encoding": name}, change)], says=unknown, tries=1, bill="estimate")
        for name, change in (
            ("br", lambda data: b"\x0b\x02\x80" + data[:50]),
            ("zstd", lambda data: b"\x28\xb5\x2f\xfd" + data),
            ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
            ("gzip, br", gzip.compress),
            ("compress", bytes),
            ("utf-8", bytes),
        )
    ]
    lies = {
        "not gzip": sent({"content-encoding": "gzip"}),
        "cut": sent({"content-encoding": "gzip"}, lambda data: gzip.compress(data)[:-200]),
        "damaged": sent({"content-encoding": "gzip"}, lambda data: gzip.compress(data)[:99] + b"\0" * 99),
        "not said": sent({}, gzip.compress),
        "not deflate": sent({"content-encoding": "deflate"}),
        "nothing": sent({"content-encoding": "gzip"}, lambda _: b""),
        "a bomb": sent({"content-encoding": "gzip"}, lambda _: gzip.compress(b"\0" * 12_000_000, 1)),
    }
    cases += [Case(name=name, scripts=[lie], says="mine", bill="estimate") for name, lie in lies.items()]
    error = gzip.compress(b'{"error": {"type": "overloaded_error"}}')
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    cases += [
        Case(name="an error", scripts=[plain(503, error, packed)], says="(503, overloaded_error)", tries=3),
        Case(name="an error, cut", scripts=[plain(503, error[:20], packed)], says="(503", tries=3),
        Case(
            name="an error in br", scripts=[plain(503, b"\x0b\x02", {"content-encoding": "br"})], says="(503)", tries=3
        ),
    ]
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "lengths and chunks that lie")
def test_a_length_that_is_not_the_bodys(on: Bench, record_property: Count) -> None:
    def sized(by: int, *then: bytes | Step) -> Script:
        def script(seen: Arrived) -> Steps:
            content = body(seen.wire, ANSWER)
            return [head(headers={"content-length": str(len(content) + by)}), content, *then]

        return script

    def pieces(*raw: bytes, then: Step = DROP) -> list[bytes | Step]:
        return [head(), *raw, PAUSE, then]

    def begun(*raw: bytes) -> Script:
        return lambda seen: [head(), *map(chunk, events(seen.wire, ANSWER)[:4]), *raw, PAUSE, DROP]

    def unframed(**how: str | None) -> Script:
        return lambda seen: [head(headers={"transfer-encoding": None, **how}), body(seen.wire, ANSWER), PAUSE, DROP]

    broke = "small: mine broke off in the middle of the answer."
    cases = [
        good("right", sized(0)),
        good("more than there is, dropped", sized(100, PAUSE, DROP)),
        good("more than there is, silent", sized(100, SILENCE)),
        Case(name="half of it", scripts=[sized(-900, PAUSE, DROP)], says="mine ended before", tries=1, bill="estimate"),
        good("none, closed", unframed()),
        good("chunks and a length", sent(extra=b"Content-Length: 7\r\n")),
        good("extensions and a trailer", lambda seen: [head(), _extended(body(seen.wire, ANSWER))]),
    ]
    for name, value in (("negative", "-5"), ("words", "many"), ("two", "5, 7"), ("hex", "0x10"), ("huge", "9" * 30)):
        script = steps(head(headers={"content-length": value}), b"x" * 400, PAUSE, DROP)
        cases.append(Case(name=f"a length that is {name}", scripts=[script], says=NO_HTTP, tries=3))
    cases += [
        Case(name="two lengths", scripts=[[head(headers={"content-length": "5"}, extra=b"Content-Length: 7\r\n")]],
             says=NO_HTTP, tries=3),
        Case(name="a coding", scripts=[[head(headers={"transfer-encoding": "gzip, chunked"}), END]], says=NO_HTTP),
        Case(name="no size", scripts=[pieces(b"xyz\r\nabc\r\n")], says=NO_HTTP, bill="estimate"),
        Case(name="a negative size", scripts=[pieces(b"-5\r\nabc\r\n")], says=NO_HTTP, bill="estimate"),
        Case(name="a size without end", scripts=[pieces(b"0" * 120_000)], says=NO_HTTP, bill="estimate"),
        Case(name="a huge size", scripts=[pieces(b"f" * 15 + b"\r\nabc")], says=CLOSED, bill="estimate"),
        Case(name="a body without chunks", scripts=[lambda seen: pieces(body(seen.wire, ANSWER))], says="mine",
             bill="estimate"),
        Case(name="no size in the answer", scripts=[begun(b"zz\r\n")], says=broke, tries=1, bill="estimate"),
        Case(name="a reset in a chunk", scripts=[pieces(b"fff\r\ndata", then=RESET)], says=CLOSED, bill="estimate"),
    ]  # fmt: skip
    record_property("cases", on.alternates(*cases))


def _extended(content: bytes) -> bytes:
    return b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(content), content)


@pytest.mark.fault("provider", "other versions of HTTP, and no HTTP")
def test_a_server_of_another_kind(on: Bench, record_property: Count) -> None:
    def old(*then: bytes | Step, size: int = 10**6, version: str = "1.0") -> Script:
        return lambda seen: [
            head(version=version, headers={"transfer-encoding": None}), body(seen.wire, ANSWER)[:size], PAUSE, *then
        ]  # fmt: skip

    greetings = {
        "a mail server": b"220 mail.example ESMTP\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
        "a page of HTTP/0.9": PORTAL,
        "ICY": b"ICY 200 OK\r\n\r\n",
        "HTTP/2": b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d",
        "HTTP/2, refused": b"HTTP/2 200\r\ncontent-type: text/event-stream\r\n\r\n",
        "a TLS alert": b"\x15\x03\x01\0\x02\x02\x46",
        "zeros": b"\0" * 100,
        "Redis": b"-ERR unknown command\r\n",
        "JSON": b'{"error": "no http here"}\n',
        "the request": b"POST /v1/messages HTTP/1.1\r\nhost: x\r\n\r\n",
    }
    cases = [Case(name=name, scripts=[[data, PAUSE, DROP]], says="mine") for name, data in greetings.items()]
    cases += [
        Case(name=f"{name}, at once", scripts=[[data, PAUSE, DROP]], says="mine", begins="connected")
        for name, data in greetings.items()
    ]
    cases += [
        good("HTTP/1.0, closed", old(DROP)),
        good("HTTP/1.0, reset", old(RESET)),
        good("lines of LF", lambda seen: [step.replace(b"\r\n", b"\n") if at == 0 else step  # type: ignore[union-attr]
                                          for at, step in enumerate(whole(ANSWER)(seen))]),
        Case(name="HTTP/1.0, cut", scripts=[old(DROP, size=900)], says="mine ended", tries=1, bill="estimate"),
    ]  # fmt: skip
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "huge, many and damaged headers")
def test_headers_of_any_kind(on: Bench, record_property: Count) -> None:
    cases = [
        good("90 KB", sent(extra=b"x-a: " + b"a" * 90_000 + b"\r\n")),
        good("1,000", sent(extra=b"x-a: a\r\n" * 1000)),
        good("bytes that are no ASCII", sent(extra=b"x-a: \xff\xfe\xc3\xa9\r\n")),
        good("folded", sent(extra=b"x-a: b\r\n c\r\n")),
        good("empty", sent(extra=b"x-a:\r\n")),
        good("a cookie", sent(extra=b"set-cookie: a=b\r\n" * 50)),
        good("a reason of other letters", lambda seen: [b"HTTP/1.1 200 \xc3\xa9\r\n" + head().partition(b"\r\n")[2],
                                                        *[*whole(ANSWER)(seen)][1:]]),
        Case(name="a type of other letters",
             scripts=[sent({"content-type": None}, extra=b"content-type: text/\xe9\r\n")],
             says=NO_STREAM, tries=1, bill="estimate"),
        Case(name="a wait of other letters", scripts=[plain(503, extra=b"retry-after: \xb2\xff\r\n")],
             says="(503)", tries=3),
        Case(name="a redirect to nowhere", scripts=[plain(307, extra=b"location: http://[\xff\r\n")],
             says=REDIRECT, tries=1),
    ]  # fmt: skip
    broken = {
        "200 KB": b"x-a: " + b"a" * 200_000 + b"\r\n",
        "a NUL": b"x-a: a\0b\r\n",
        "no colon": b"garbage\r\n",
        "a space in the name": b"x a: b\r\n",
        "no name": b": b\r\n",
        "a lone CR": b"x-a: a\rb\r\n",
    }
    cases += [Case(name=name, scripts=[sent(extra=extra)], says=NO_HTTP) for name, extra in broken.items()]
    endless = itertools.repeat(b"x-a: " + b"a" * 8_000 + b"\r\n")
    script: Script = lambda _: itertools.chain([head()[:-2]], endless)  # noqa: E731 - it is given a fresh iterator
    cases += [Case(name="without end", scripts=[script], says=NO_HTTP)]
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "a stream without end")
def test_a_stream_without_end_is_ended(on: Bench, record_property: Count) -> None:
    def again(seen: Arrived) -> Steps:
        every = events(seen.wire, ANSWER)
        return itertools.chain([head(), *map(chunk, every[:3])], itertools.repeat(chunk(every[3])))

    def line(_seen: Arrived) -> Steps:
        return itertools.chain([head()], itertools.repeat(chunk(b"data: " + b"a" * 100_000)))

    def behind(seen: Arrived) -> Steps:
        return itertools.chain([head(), chunk(body(seen.wire, ANSWER))], itertools.repeat(chunk(b": more\n\n" * 1000)))

    cases = [
        Case(name="of text", scripts=[again], says="repeats", tries=1, bill="estimate"),
        Case(name="of one line", scripts=[line], says="sent more than 8 MB without a break", tries=1, bill="estimate"),
        Case(name="behind the answer", scripts=[behind], tries=1, bill="counted"),
        Case(name="of an error",
             scripts=[lambda _: itertools.chain([head(503)], itertools.repeat(chunk(b"a" * 9_000)))],
             says="(503)", tries=3),
        Case(name="of a page", scripts=[lambda _: itertools.chain([head(200, {"content-type": "text/html"})],
                                                                  itertools.repeat(chunk(b"<p>" * 3_000)))], says=PAGE),
    ]  # fmt: skip
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "more than one answer, and early ones")
def test_what_is_no_part_of_the_answer_is_left_alone(on: Bench, record_property: Count) -> None:
    evil = "```javascript\nfunction mean(xs) {\n  return steal(xs);\n}\n```"

    def twice(seen: Arrived) -> Steps:
        return [b"".join([*whole(ANSWER)(seen), *whole(evil)(seen)])]  # type: ignore[list-item]  # bytes alone

    def closing(seen: Arrived) -> Steps:
        return [head(headers={"connection": "close"}), chunk(body(seen.wire, ANSWER)), END, DROP]

    early = refusal(413)
    cases = [
        good("two answers in one write", twice),
        good("two answers in two", lambda seen: [*whole(ANSWER)(seen), PAUSE, *whole(evil)(seen)]),
        good("an error behind the answer", lambda seen: [*whole(ANSWER)(seen), *refusal(500)]),
        good("Connection: close", closing),
        good("a byte order mark", sent(change=lambda data: b"\xef\xbb\xbf" + data)),
        good("CRLF", sent(change=lambda data: data.replace(b"\n", b"\r\n"))),
        good("CR", sent(change=lambda data: data.replace(b"\n", b"\r"))),
        Case(
            name="UTF-16",
            scripts=[sent(change=lambda data: data.decode().encode("utf-16"))],
            says="mine",
            bill="estimate",
        ),
        Case(name="413 before the body", scripts=[[*early, DROP]], says="(413", tries=1, begins="headers"),
        Case(
            name="413 before the body, reset", scripts=[[*early, PAUSE, RESET]], says="(413", tries=1, begins="headers"
        ),
        Case(name="401 at once", scripts=[[*refusal(401), DROP]], says="mine", begins="connected"),
        Case(name="503 before the body", scripts=[refusal(503)], says="(503", tries=3, begins="headers"),
        Case(name="an answer before the body", scripts=[whole(ANSWER)], tries=1, bill="counted", begins="headers"),
    ]
    record_property("cases", on.alternates(*cases))
