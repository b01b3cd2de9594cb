"""Statuses of HTTP that are no answer: each is one sentence, costs nothing, and is asked again three times at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from fault_bench import ANSWER, Bench, Case, bench
from fault_provider import END, Arrived, Script, Steps, body, chunk, head, plain, refusal, whole

Count = Callable[[str, object], None]
REFUSED = (400, 401, 402, 403, 404, 405, 407, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 426, 428)
REFUSED_TOO = (431, 444, 449, 451, 460, 499, 511)
BUSY = (408, 409, 425, 429, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 520, 521, 522, 523, 524, 525, 526, 527)
BUSY_TOO = (529, 530, 598, 599, 600, 999)
PAGE = b"<!DOCTYPE html><html><body><h1>Bad gateway</h1><script>alert(1)</script></body></html>"
HTML = {"content-type": "text/html"}
WORDS = {
    401: "mine refused the key in MINE_API_KEY (401",
    402: "Check its credit or its spending limit.",
    407: "The proxy before mine wants a name and a password (407",
    413: "The request is too long for small at mine (413",
    429: "mine limits how often it may be asked (429",
    511: "The network wants you to sign in before mine can be reached (511",
}
"""What is said of a status, beside its number."""
DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as made:
        yield made


def due(status: int) -> str:
    """Return what must be said of a status."""
    return WORDS.get(status, f"({status}")


@pytest.mark.fault("provider", "each status of an error")
@pytest.mark.parametrize("shift", [0, pytest.param(1, marks=pytest.mark.long)], ids=["some", "the others"])
def test_a_status_is_a_sentence(on: Bench, shift: int, record_property: Count) -> None:
    """A status comes with a page or with an error object; the other tries what the first leaves out."""
    cases = [
        Case(
            name=f"{status}",
            scripts=[plain(status, PAGE, HTML) if (at + shift) % 2 else refusal(status)],
            says=due(status),
            tries=1 if status in (*REFUSED, *REFUSED_TOO) else 3,
        )
        for at, status in enumerate((*REFUSED, *REFUSED_TOO, *BUSY, *BUSY_TOO))
    ]
    record_property("cases", on.alternates(*cases))


FORMS: tuple[tuple[str, float | None], ...] = (
    ("0", 0),
    ("7", 7),
    ("7.5", 7.5),
    ("-5", 0),
    ("20", 20),
    (format_datetime(datetime(2026, 10, 21, 7, 28, 7, tzinfo=UTC), usegmt=True), 7),
    (format_datetime(datetime(2026, 10, 21, 7, 27, tzinfo=UTC), usegmt=True), 0),
    ("Wednesday, 21-Oct-26 07:28:07 GMT", 7),
    ("soon", None),
    ("", None),
    ("nan", None),
    ("inf", None),
    ("-inf", None),
    ("0x10", None),
    ("7, 8", None),
    ("9" * 400, None),
    ("Wed, 99 Foo 2026 99:99:99 GMT", None),
    ("\x7f", None),
)
"""Values of retry-after, and the seconds that they mean."""
HOURS = ("3600", "86400.5", format_datetime(datetime(2099, 10, 21, tzinfo=UTC), usegmt=True))
"""Waits that no person waits for: nothing is asked again."""


@pytest.mark.fault("provider", "each form of retry-after")
@pytest.mark.parametrize(
    "status", [503, pytest.param(429, marks=pytest.mark.long), pytest.param(529, marks=pytest.mark.long)]
)
def test_a_wait_is_kept_and_no_longer(on: Bench, status: int, record_property: Count) -> None:
    def asking(value: str) -> list[bytes]:
        return plain(status, b"", {"retry-after": value, "date": DATE})

    cases = [
        Case(
            name=f"retry-after: {value[:40]}",
            scripts=[asking(value)],
            says=due(status),
            tries=3,
            seconds=2 if seconds is None else 2 * seconds + 1,
        )
        for value, seconds in FORMS
    ]
    cases += [
        Case(name=f"retry-after: {value}", scripts=[asking(value)], says=due(status), tries=1, seconds=1)
        for value in HOURS
    ]
    cases += [
        Case(name=f"{value[:40]}, then an answer", scripts=[asking(value), whole(ANSWER)], tries=2, bill="counted")
        for value, _ in FORMS
    ]
    record_property("cases", on.alternates(*cases))


@pytest.mark.fault("provider", "each form of retry-after")
def test_a_wait_is_as_long_as_asked(on: Bench, record_property: Count) -> None:
    cases = [(value, seconds) for value, seconds in FORMS if seconds]
    for value, seconds in cases:
        scripts: list[Script] = [plain(503, b"", {"retry-after": value, "date": DATE}), whole(ANSWER)]
        ended = on.ended(Case(name=value, scripts=scripts, bill="counted"))
        assert seconds <= round(ended.seconds, 6) < seconds + 1
    ahead = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    ended = on.ended(Case(name="by our clock", scripts=[plain(503, b"", {"retry-after": ahead}), whole(ANSWER)]))
    assert 1 <= ended.seconds < 10
    record_property("cases", len(cases) + 1)


@pytest.mark.fault("provider", "each form of retry-after")
def test_a_wait_is_named(on: Bench, record_property: Count) -> None:
    waits = [*HOURS, *(value for value, seconds in FORMS if seconds)]
    for value in waits:
        script = plain(429, b"", {"retry-after": value, "date": DATE})
        ended = on.ended(Case(name=value, scripts=[script], says=due(429)))
        assert "Try again in" in ended.done.why
        assert "in a moment" not in ended.done.why
    record_property("cases", len(waits))


@pytest.mark.fault("provider", "a limit that is not over soon")
def test_a_spending_limit_is_not_asked_again(on: Bench, record_property: Count) -> None:
    codes = ("insufficient_quota", "billing_error", "insufficient_balance", "exceeded_current_quota_error")
    cases = [
        Case(
            name=code,
            scripts=[refusal(429, {"retry-after": "1"}, {"type": code, "code": code})],
            says=WORDS[402],
            tries=1,
        )
        for code in codes
    ]
    record_property("cases", on.tries(*cases))


def _without_reason(seen: Arrived) -> Steps:
    return [head("200"), chunk(body(seen.wire, ANSWER)), END]


@pytest.mark.fault("provider", "odd status lines")
def test_a_status_that_is_none(on: Bench, record_property: Count) -> None:
    odd = "mine answered with something that is not HTTP."
    cases = [
        Case(name=f"{line!r}", scripts=[plain(line)], says=odd)
        for line in ("000 Nothing", "99 Low", "-1 Low", "20 Short", "2000 Long", "OK", "", "0x200 OK", "1e2 OK")
    ]
    cases += [
        Case(name="no words", scripts=[_without_reason], tries=1, bill="counted"),
        Case(name="204", scripts=[plain(204, b"", {"content-length": None})], says="did not stream its answer (204)"),
        Case(name="205", scripts=[plain(205)], says="did not stream its answer (205)", tries=1),
        Case(name="202", scripts=[plain(202)], says="did not stream its answer (202)", tries=1),
        Case(name="300", scripts=[plain(300)], says="did not stream its answer (300)", tries=1),
        Case(name="304", scripts=[plain(304, b"", {"content-length": None})], says="(304)", tries=1),
    ]
    record_property("cases", on.alternates(*cases))
