"""The policy toward one provider: time-outs, tries, pauses, in virtual time and on both wires."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import virtual_time
from scripted_provider import events, sse
from virtual_provider import Part, Played, VirtualProvider

from tuppence.core.models.model import Model, Provider
from tuppence.core.models.time_limits import TimeLimits
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import Broken, Busy, Refused, TuppenceError
from tuppence.providers import Stop, Text
from tuppence.upstream import ModelClient, Piece, RequestSent, RetryPolicy, RetryScheduled

WIRES = ("openai", "anthropic")
TEXT = "one two three four five six seven eight nine ten"
PATIENCE = RetryPolicy(connect=5, first_event=60, between_events=60, total=600)
PROMPT = Prompt("s", ("f",), "t", 100)
SILENT = {
    "openai": [
        b": keep-alive\n\n",
        sse({"choices": []}),
        sse({"choices": [{"delta": {"content": ""}}]}),
        b"\n\n",
        sse(""),
    ],
    "anthropic": [
        sse({"type": "ping"}, "ping"),
        b": keep-alive\n\n",
        sse({"type": "content_block_delta", "delta": {"type": "text_delta", "text": ""}}),
        sse({"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "x"}}),
        sse({"type": "unheard_of"}, "unheard_of"),
        sse({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 1}}),
    ],
}
"""What a server may send that is no word of an answer."""


@dataclass
class Heard:
    """What came of a call."""

    pieces: list[Piece] = field(default_factory=list)
    error: TuppenceError | None = None
    seconds: float = 0.0
    asked: list[float] = field(default_factory=list)
    leftover: int = 0
    """Tasks that were still there afterwards."""

    @property
    def text(self) -> str:
        """The answer's text."""
        return "".join(each.text for each in self.pieces if isinstance(each, Text))

    @property
    def stopped(self) -> bool:
        """Whether the answer ended."""
        return any(isinstance(each, Stop) for each in self.pieces)


Ask = Callable[..., Heard]


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    """Either wire."""
    return str(request.param)


@pytest.fixture
def ask(wire: str, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask a provider that replies so, in virtual time; ``stop`` is when the person presses Stop."""

    def asking(
        *replies: Played,
        patience: RetryPolicy = PATIENCE,
        timeouts: TimeLimits = TimeLimits(),  # noqa: B008 - a frozen value
        stop: float | None = None,
    ) -> Heard:
        provider, heard = VirtualProvider(*replies), Heard()
        provider.install(monkeypatch)
        row = Model(provider=Provider("acme", wire, "http://127.0.0.1:1", timeouts=timeouts), id="m", tier="budget")

        async def listen() -> None:
            client = ModelClient(patience)
            try:
                async with aclosing(client.answer(PROMPT, row, None)) as pieces:
                    async for piece in pieces:
                        heard.pieces.append(piece)
            except TuppenceError as error:
                heard.error = error
            finally:
                await client.close()

        async def work() -> None:
            before = len(asyncio.all_tasks())
            task = asyncio.create_task(listen())
            await asyncio.wait((task,), timeout=stop)
            task.cancel()
            await asyncio.wait((task,))
            if not task.cancelled():
                task.result()
            heard.seconds = asyncio.get_running_loop().time()
            heard.leftover = len(asyncio.all_tasks()) - before

        virtual_time.run(work())
        heard.asked = provider.asked
        assert heard.leftover == 0
        assert heard.error is None or "{" not in str(heard.error)
        return heard

    return asking


def whole(wire: str, text: str = TEXT, every: float = 0.0) -> list[Part]:
    """Return a whole answer, an event after each so many seconds."""
    return [(every, each) for each in events("anthropic" if wire == "anthropic" else "openai", text)]


def begun(wire: str) -> list[Part]:
    """Return an answer's beginning, with some words."""
    return whole(wire)[:4]


def status(code: int, body: Any = None, **headers: str) -> Played:
    """Return an HTTP error."""
    content = json.dumps(body or {"error": {"message": "scripted"}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Played([(0, content)], status=code, headers=named)


def endless(part: bytes, every: float) -> Iterator[Part]:
    """Yield one thing for ever."""
    while True:
        yield every, part


# --- time-outs ---


@pytest.mark.fault("policy", "silence before the headers: asked once, the true time named")
def test_silence_before_the_headers(ask: Ask) -> None:
    heard = ask(Played(after=10_000))
    assert isinstance(heard.error, Busy)
    assert heard.error.message == "acme did not begin to answer within 60 s."
    assert (heard.asked, heard.seconds) == ([0], 60)


@pytest.mark.fault("policy", "silence behind the headers")
def test_silence_behind_the_headers(ask: Ask) -> None:
    heard = ask(Played(after=40, hangs=True))
    assert isinstance(heard.error, Busy)
    assert heard.error.message == "acme did not begin to answer within 60 s."
    assert (heard.asked, heard.seconds) == ([0], 60)


@pytest.mark.fault("policy", "pings and empty pieces before the first word renew nothing")
def test_pings_before_the_first_word(ask: Ask, wire: str, record_property: Any) -> None:
    record_property("cases", len(SILENT[wire]))
    for silent in SILENT[wire]:
        heard = ask(Played(endless(silent, 0.5)))
        assert heard.error is not None, silent
        assert heard.error.message == "acme did not begin to answer within 60 s."
        assert (heard.asked, heard.seconds) == ([0], 60)


@pytest.mark.fault("policy", "an answer that began, then pings alone")
def test_pings_after_the_first_word(ask: Ask, wire: str, record_property: Any) -> None:
    record_property("cases", len(SILENT[wire]))
    for silent in SILENT[wire]:
        heard = ask(Played((*begun(wire), *[(0.5, silent)] * 1000)))
        assert isinstance(heard.error, Broken), silent
        assert heard.error.message == "acme broke off in the middle of the answer: no word came for 60 s."
        assert TEXT.startswith(heard.text)
        assert heard.text
        assert heard.seconds == pytest.approx(60, abs=1)


@pytest.mark.fault("policy", "half an event a second is no word")
def test_an_event_that_comes_byte_by_byte(ask: Ask, wire: str) -> None:
    letters = b"data: " + b"x" * 1000
    heard = ask(Played((*begun(wire), *((1, bytes([each])) for each in letters))))
    assert isinstance(heard.error, Broken)
    assert "no word came for 60 s" in heard.error.message
    assert heard.seconds == pytest.approx(60)


@pytest.mark.fault("policy", "one byte a second is ended, or an answer where the settings wait for it")
def test_one_byte_a_second(ask: Ask, wire: str) -> None:
    body = b"".join(data for _, data in whole(wire, "ok"))
    drip = Played([(1, bytes([each])) for each in body])
    heard = ask(drip)
    assert heard.error is not None
    assert heard.error.message == "acme did not begin to answer within 60 s."
    heard = ask(drip, timeouts=TimeLimits(first_word=1000, idle=300, total=5000))
    assert (heard.text, heard.error, heard.stopped) == ("ok", None, True)
    heard = ask(drip, timeouts=TimeLimits(first_word=1000, idle=300, total=100))
    assert heard.error is not None
    assert (heard.seconds, heard.asked) == (100, [0])


@pytest.mark.fault("policy", "words that come slowly go on")
def test_slow_words(ask: Ask, wire: str) -> None:
    heard = ask(Played((*begun(wire), *((55, each) for _, each in whole(wire)[4:-3]), *whole(wire)[-3:])))
    assert (heard.text, heard.error, heard.stopped) == (TEXT, None, True)
    assert heard.seconds > 3 * 55


@pytest.mark.fault("policy", "a stream without end is ended by the whole time")
def test_a_stream_without_end(ask: Ask, wire: str) -> None:
    word = whole(wire)[3][1]
    heard = ask(Played(iter([*begun(wire), *[(1.0, word)] * 2000])))
    assert isinstance(heard.error, Broken)
    assert heard.error.message == "acme was still answering after 600 s, and was stopped."
    assert (heard.asked, heard.seconds) == ([0], 600)


@pytest.mark.fault("policy", "counts that grow are progress, repeated ones are none")
def test_growing_counts(ask: Ask, wire: str) -> None:
    def counts(tokens: int) -> bytes:
        if wire == "anthropic":
            return sse({"type": "message_delta", "delta": {}, "usage": {"output_tokens": tokens}}, "message_delta")
        return sse({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": tokens}})

    heard = ask(Played((*begun(wire), *((50, counts(tokens)) for tokens in range(10, 15)), *whole(wire)[4:])))
    assert (heard.text, heard.error) == (TEXT, None)
    heard = ask(Played((*begun(wire), *[(50, counts(10))] * 5, *whole(wire)[4:])))
    assert heard.error is not None
    assert heard.seconds == pytest.approx(110)


@pytest.mark.fault("policy", "a whole answer whose end mark is missing")
def test_a_missing_end_mark(ask: Ask, wire: str) -> None:
    pings = [(0.3, SILENT[wire][0])] * 400
    for rest in ([], pings):
        heard = ask(Played((*whole(wire)[:-1], *rest), hangs=True))
        assert (heard.text, heard.error, heard.stopped) == (TEXT, None, True)
        assert heard.seconds == pytest.approx(2)


@pytest.mark.fault("policy", "a reason to stop, and neither counts nor an end mark")
def test_a_missing_end_mark_and_no_counts(ask: Ask, wire: str) -> None:
    parts = [(0.0, each) for each in events("anthropic" if wire == "anthropic" else "openai", TEXT, usage=None)][:-1]
    heard = ask(Played((*parts, *[(1.0, SILENT[wire][0])] * 100), hangs=True))
    assert (heard.text, heard.error, heard.stopped) == (TEXT, None, True)
    assert heard.seconds <= 10


@pytest.mark.fault("policy", "words behind a reason to stop: it was none")
def test_words_behind_a_reason_to_stop(ask: Ask, wire: str) -> None:
    if wire == "anthropic":
        early = sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}})
    else:
        early = sse({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}})
    parts = whole(wire)
    heard = ask(Played((*parts[:4], (0, early), (1, parts[4][1]), *((30.0, each) for _, each in parts[5:]))))
    assert (heard.text, heard.error, heard.stopped) == (TEXT, None, True)


@pytest.mark.fault("policy", "a provider's own time-outs")
def test_a_providers_own_time_outs(ask: Ask, wire: str) -> None:
    heard = ask(Played(after=10_000), timeouts=TimeLimits(first_word=7))
    assert heard.error is not None
    assert heard.error.message == "acme did not begin to answer within 7 s."
    heard = ask(Played(begun(wire), hangs=True), timeouts=TimeLimits(idle=3))
    assert heard.error is not None
    assert "no word came for 3 s" in heard.error.message
    heard = ask(Played(after=10_000), timeouts=TimeLimits(total=4))
    assert heard.error is not None
    assert heard.error.message == "acme did not begin to answer within 4 s."


@pytest.mark.fault("policy", "no connection in time: asked once")
def test_no_connection_in_time(ask: Ask) -> None:
    heard = ask(Played(after=5, unreachable=True))
    assert isinstance(heard.error, Busy)
    assert heard.error.message == "acme cannot be reached at http://127.0.0.1:1."
    assert (heard.asked, heard.seconds) == ([0], 5)


# --- tries and pauses ---

BUSY = (408, 409, 425, 429, 500, 502, 503, 504, 520, 529)


@pytest.mark.fault("policy", "three tries in all, with pauses that grow and differ")
def test_three_tries_with_jitter(ask: Ask, wire: str, record_property: Any) -> None:
    record_property("cases", len(BUSY))
    firsts = set()
    for code in BUSY:
        heard = ask(status(code))
        assert isinstance(heard.error, Busy), code
        first, second, third = heard.asked
        firsts.add(second)
        assert 0.375 <= second - first <= 0.5
        assert 0.75 <= third - second <= 1
        heard = ask(status(code), Played(whole(wire)))
        assert (heard.text, len(heard.asked)) == (TEXT, 2)
    assert len(firsts) > 1


LEFT_ALONE = (
    ("0", 0.0, "in a moment"),
    ("3", 3.0, "in 3 s"),
    ("19.5", 19.5, "in 20 s"),
    ("21", None, "in 21 s"),
    ("300", None, "in about 5 minutes"),
    ("3600", None, "in about an hour"),
    ("86400", None, "in about a day"),
    ("999999999999", None, "in more than a week"),
    ("-5", 0.0, "in a moment"),
)


@pytest.mark.fault("policy", "each form of retry-after")
def test_each_form_of_retry_after(ask: Ask, record_property: Any) -> None:
    record_property("cases", 3 * len(LEFT_ALONE) + 5)
    for value, pause, words in LEFT_ALONE:
        date = "Wed, 21 Oct 2026 07:28:00 GMT"
        whole_seconds = int(float(value))
        forms = [{"retry_after": value}, {"retry_after_ms": str(float(value) * 1000)}]
        if whole_seconds == float(value) and 0 <= whole_seconds < 60:
            forms.append({"retry_after": date.replace(":00 GMT", f":{whole_seconds:02} GMT"), "date": date})
        for form in forms:
            heard = ask(status(429, **form))
            assert isinstance(heard.error, Busy)
            assert words in heard.error.remedy, form
            assert heard.error.message == "acme limits how often it may be asked (429)."
            pauses = [b - a for a, b in zip(heard.asked, heard.asked[1:], strict=False)]
            assert pauses == ([pytest.approx(pause)] * 2 if pause is not None else [])
    for value in ("", "soon", "1e9", "nan", "0x10"):
        heard = ask(status(503, retry_after=value))
        assert heard.error is not None
        assert heard.error.remedy == "Try again in a moment, or choose another model."
        assert len(heard.asked) == 3
        assert heard.seconds <= 1.5


SPENT = (
    (429, {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}),
    (429, {"error": {"type": "insufficient_quota"}}),
    (400, {"error": {"code": "billing_hard_limit_reached", "message": "Billing hard limit has been reached"}}),
    (429, {"error": {"code": "billing_hard_limit_reached"}}),
    (429, {"error": {"message": "Billing hard limit has been reached"}}),
    (402, {"error": {"message": "Payment required"}}),
    (402, {"error": {"code": "rate_limit_exceeded"}}),
    (402, None),
    (400, {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API."}}),
    (403, {"error": {"message": "Insufficient account balance"}}),
    (429, {"error": {"code": 1113, "message": "Insufficient balance or no resource package."}}),
    (429, {"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}),
    (429, {"error": {"type": "rate_limit_error", "message": "This account has reached its monthly spend limit."}}),
    (429, {"error": {"type": "exceeded_current_quota_error"}}),
)


@pytest.mark.fault("policy", "a spend limit is asked once")
def test_a_spend_limit_is_never_asked_again(ask: Ask, record_property: Any) -> None:
    record_property("cases", len(SPENT))
    for code, body in SPENT:
        heard = ask(status(code, body))
        assert isinstance(heard.error, Refused), body
        assert heard.error.message.startswith("acme will not serve this account ("), body
        assert heard.error.remedy == "Check its credit or its spending limit."
        assert heard.asked == [0]


@pytest.mark.fault("policy", "a rate limit that speaks of hard limits or of billing is one")
def test_a_rate_limit_that_speaks_of_billing(ask: Ask, wire: str) -> None:
    for words in ("You hit the hard limit of 60 requests per minute.", "Limit: 3 / min. See your account's billing."):
        heard = ask(status(429, {"error": {"message": words}}), Played(whole(wire)))
        assert (heard.text, len(heard.asked)) == (TEXT, 2)
    said = "Rate limit reached, please try again in 20s. Add a payment method to your billing to raise the spend limit."
    heard = ask(status(429, {"error": {"message": said}}, retry_after="2"), Played(whole(wire)))
    assert (heard.text, heard.asked) == (TEXT, [0, 2])


@pytest.mark.fault("policy", "all tries within one deadline")
def test_all_tries_are_within_one_deadline(ask: Ask) -> None:
    heard = ask(Played(after=50, status=503, headers={"retry-after": "15"}), patience=replace(PATIENCE, total=130))
    assert isinstance(heard.error, Busy)
    assert heard.seconds <= 130
    assert heard.asked == [0, 65]
    heard = ask(
        Played(after=50, status=503, headers={"retry-after": "15"}),
        Played(after=10_000),
        patience=replace(PATIENCE, total=100),
    )
    assert heard.error is not None
    assert heard.error.message == "acme did not begin to answer within 100 s."
    assert (heard.asked, heard.seconds) == ([0, 65], 100)


@pytest.mark.fault("policy", "nothing is asked again after the first word")
def test_nothing_is_asked_again_after_the_first_word(ask: Ask, wire: str) -> None:
    problem = {"type": "error", "error": {"type": "overloaded_error", "code": 529}}
    for end in ([(0.0, sse(problem, "error"))], []):
        heard = ask(Played((*begun(wire), *end)))
        assert heard.error is not None
        assert heard.text
        assert heard.asked == [0]


# --- Stop ---

STOPS = {
    "in a retry's wait": (status(429, retry_after="15"), 7.0, 1),
    "in the second wait": (status(503, retry_after="15"), 20.0, 2),
    "in the silence before headers": (Played(after=10_000), 30.0, 1),
    "in the silence behind them": (Played(hangs=True), 30.0, 1),
    "while nobody takes the connection": (Played(after=10_000, refused=True), 3.0, 1),
}


@pytest.mark.fault("policy", "Stop stops in every wait for a provider")
@pytest.mark.parametrize("moment", STOPS)
def test_stop(ask: Ask, moment: str) -> None:
    reply, at, asked = STOPS[moment]
    heard = ask(reply, stop=at)
    assert heard.seconds == at
    assert len(heard.asked) == asked
    assert heard.error is None
    assert isinstance(heard.pieces[0], RequestSent)
    assert sum(isinstance(each, RetryScheduled) for each in heard.pieces) == (asked if "wait" in moment else 0)


@pytest.mark.fault("policy", "Stop stops amid an answer, and while its end mark is awaited")
def test_stop_amid_an_answer(ask: Ask, wire: str) -> None:
    heard = ask(Played(begun(wire), hangs=True), stop=5.0)
    assert (heard.seconds, heard.error, heard.stopped) == (5, None, False)
    heard = ask(Played(whole(wire)[:-1], hangs=True), stop=1.0)
    assert (heard.seconds, heard.error, heard.stopped) == (1, None, False)
