"""An account's rate limits: obeyed, learned, bounded, in order, and released by stopped requests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
import virtual_time
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.core.models.model import Model, Provider
from tuppence.core.models.usage import Usage
from tuppence.engine.admission.rate_limits import RateLimiter, Ticket
from tuppence.upstream.rate_headers import KINDS, RateReading


def model(limits: Mapping[str, int] | None = None) -> Model:
    provider = Provider("mine", "openai", "http://127.0.0.1:1")
    return Model(provider=provider, id="m", tier="budget", rate_limits=limits or {})


@dataclass
class Line:
    """A line before a model in virtual time, and who went when."""

    limits: Mapping[str, int] = field(default_factory=dict)
    headers: tuple[RateReading, ...] = ()
    """What each answer says."""
    takes: float = 1.0
    """Seconds until the headers, and as many again until the end."""
    usage: Usage | None = None
    went: list[tuple[str, float]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    limiter: RateLimiter = field(init=False)

    def __post_init__(self) -> None:
        self.limiter = RateLimiter(model(self.limits), lambda: asyncio.get_running_loop().time())

    async def go(self, name: str, prompt: int = 10) -> None:
        """Wait, send, hear and end."""
        ticket = Ticket.of(name, prompt)
        try:
            await self.admit(ticket, lambda: None)
            self.limiter.sent(ticket)
            self.went.append((name, asyncio.get_running_loop().time()))
            await asyncio.sleep(self.takes)
            self.limiter.heard(ticket, self.headers)
            await asyncio.sleep(self.takes)
        finally:
            self.limiter.ended(ticket, self.usage)

    async def admit(self, ticket: Ticket, check: Callable[[], object]) -> None:
        """Wait as the first in the line and before."""
        async with aclosing(self.limiter.admit(ticket, check)) as delays:
            async for delay in delays:
                self.said.append(delay.line)

    def burst(self, count: int, prompt: int = 10) -> list[float]:
        """Send so many at the same time; return when each went."""

        async def work() -> None:
            await asyncio.gather(*(self.go(str(each), prompt) for each in range(count)))

        virtual_time.run(work())
        assert [name for name, _ in self.went] == [str(each) for each in range(count)], "in the order of their coming"
        assert self.limiter.waiting == ()
        return self.times

    @property
    def times(self) -> list[float]:
        """When each went, to a thousandth of a second."""
        return [round(at, 3) for _, at in self.went]


def test_requests_a_minute_are_obeyed_and_the_wait_is_named() -> None:
    line = Line({"requests_per_minute": 3})
    assert line.burst(7) == [0, 0, 0, 60, 60, 60, 120]
    assert line.said == ["Waiting 60 s for mine's limit of requests a minute"] * 2


def test_any_minute_counts_not_the_clocks() -> None:
    async def work(line: Line) -> None:
        await line.go("a")
        await asyncio.sleep(48)
        await asyncio.gather(*(line.go(name) for name in "bcd"))

    line = Line({"requests_per_minute": 2})
    virtual_time.run(work(line))
    assert line.times == [0, 50, 60, 110]


def test_tokens_a_minute_count_what_was_used() -> None:
    line = Line({"tokens_per_minute": 100}, usage=Usage(fresh=40, cache_read=20, output=30))
    # The second is estimated to fit, is found to have used more, and the third waits for both.
    assert line.burst(4, prompt=45) == [0, 0, 60, 60]
    assert set(line.said) == {"Waiting 60 s for mine's limit of tokens a minute"}


def test_what_is_read_from_a_cache_is_no_input_where_inputs_are_limited() -> None:
    line = Line({"input_tokens_per_minute": 100}, usage=Usage(fresh=10, cache_read=90, output=1), takes=0.1)

    async def work() -> None:
        for name in "abcde":
            await line.go(name, 50)

    virtual_time.run(work())
    assert line.times == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


def test_tokens_of_answers_count_once_they_are_known() -> None:
    line = Line({"output_tokens_per_minute": 100}, usage=Usage(fresh=1, output=70, thinking=40), takes=0.1)

    async def work() -> None:
        for name in "ab":
            await line.go(name)

    virtual_time.run(work())
    assert line.times == pytest.approx([0, 60])


def test_a_request_that_is_larger_than_the_limit_goes_alone() -> None:
    line = Line({"tokens_per_minute": 10, "input_tokens_per_minute": 10})
    assert line.burst(3, prompt=1000) == [0, 60, 120]


def test_so_many_under_way() -> None:
    line = Line({"concurrent_requests": 2}, takes=5)
    assert line.burst(5) == [0, 0, 10, 10, 20]
    assert set(line.said) == {"Waiting for mine's limit of 2 requests at the same time"}


def test_a_retry_counts_as_a_request() -> None:
    line = Line({"requests_per_minute": 3})

    async def work() -> None:
        ticket = Ticket.of("retried", 1)
        await line.admit(ticket, lambda: None)
        for _ in range(3):
            line.limiter.sent(ticket)
        line.limiter.ended(ticket, None)
        await line.go("a")

    virtual_time.run(work())
    assert line.times == [60]


def test_what_a_header_leaves_is_obeyed() -> None:
    line = Line(headers=(RateReading("requests", 0, 2, 20),), takes=0.5)

    async def work() -> None:
        await line.go("first")
        await asyncio.gather(*(line.go(name) for name in "abcde"))

    virtual_time.run(work())
    assert line.said[0] == "Waiting 20 s for mine's limit of requests"
    # One goes first, and its headers say how it goes on.
    assert line.times == pytest.approx([0, 20.6, 41.2, 61.8, 82.4, 103])


@pytest.mark.parametrize("reset", [3600, 86_400, 1e15])
def test_what_a_header_says_delays_for_a_bounded_time_and_that_is_said(reset: float) -> None:
    line = Line(headers=tuple(RateReading(kind, 0, 1, reset) for kind in KINDS))

    async def work() -> None:
        await line.go("first")
        await line.go("second")

    virtual_time.run(work())
    assert line.times == [0, 62]
    assert line.said[0].startswith("Waiting 60 s for mine's limit of ")
    assert line.said[0].endswith("and is asked before that")


READINGS = st.builds(
    RateReading,
    st.sampled_from(KINDS),
    st.integers(0, 10**12),
    st.none() | st.integers(1, 10**12),
    st.floats(0, 1e15, allow_nan=False),
)


@settings(max_examples=60)
@given(st.lists(READINGS, max_size=4), st.integers(0, 10**9), st.integers(2, 5))
def test_no_header_delays_anybody_for_longer_than_a_minute_each(
    readings: list[RateReading], prompt: int, count: int
) -> None:
    line = Line(headers=tuple(readings), takes=0.25)
    at = 0.0

    async def work() -> None:
        nonlocal at
        await line.go("first", prompt)
        await asyncio.gather(*(line.go(str(each), prompt) for each in range(count)))
        at = asyncio.get_running_loop().time()

    virtual_time.run(work())
    assert len(line.went) == count + 1
    assert at <= 0.5 + count * 60.5


def test_a_pause_that_a_provider_asks_for_holds_the_others() -> None:
    now = 0.0
    limiter = RateLimiter(model(), lambda: now)
    limiter.heard(Ticket.of("a", 1), (), 5.0)
    delay = limiter._delay(Ticket.of("b", 1))
    assert delay is not None
    assert (delay.seconds, delay.line) == (5, "Waiting 5 s: mine asked for a pause")
    now = 5.1
    assert limiter._delay(Ticket.of("b", 1)) is None
    limiter.heard(Ticket.of("a", 1), (), 1e12)
    delay = limiter._delay(Ticket.of("b", 1))
    assert delay is not None
    assert delay.seconds == pytest.approx(60)


@pytest.mark.parametrize("seed", range(20))
def test_whoever_is_stopped_nobody_is_lost_and_no_minute_has_more(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    line = Line({"requests_per_minute": 4, "concurrent_requests": 3}, takes=2)

    async def work() -> None:
        tasks = []
        for number in range(30):
            tasks.append(asyncio.create_task(line.go(str(number))))
            await asyncio.sleep(chance.random() * 4)
            if chance.random() < 0.3:
                chance.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    virtual_time.run(work())
    times = [at for _, at in line.went]
    assert [int(name) for name, _ in line.went] == sorted(int(name) for name, _ in line.went)
    assert all(sum(at <= each < at + 60 for each in times) <= 4 for at in times)
    assert line.limiter.waiting == ()
    assert not line.limiter._running


def test_a_check_ends_the_wait() -> None:
    line = Line({"requests_per_minute": 1})
    gone: list[float] = []

    async def wait_with(check: list[str]) -> None:
        def look() -> None:
            if check:
                raise RuntimeError(check[0])

        ticket = Ticket.of("b", 1)
        with pytest.raises(RuntimeError, match="broken"):
            await line.admit(ticket, look)
        line.limiter.ended(ticket, None)
        gone.append(asyncio.get_running_loop().time())

    async def work() -> None:
        await line.go("a")
        check: list[str] = []
        waiting = asyncio.create_task(wait_with(check))
        await asyncio.sleep(3)
        check.append("broken")
        line.limiter.wake()
        await waiting

    virtual_time.run(work())
    assert gone == [5]
    assert line.limiter.waiting == ()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_header_is_obeyed(kind: str) -> None:
    line = Line(headers=tuple(RateReading(each, 0, None, 7) for each in KINDS if each == kind))

    async def work() -> None:
        await line.go("a")
        await line.go("b")

    virtual_time.run(work())
    assert line.times == [0, 8.1]
