"""The policy toward providers under a burst: limits, width, breakers and Stop, in virtual time and on both wires."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import virtual_time
from scripted_provider import events
from virtual_provider import Played, VirtualProvider

from tuppence.core.models.model import Model, Provider
from tuppence.core.prompt.compose import Prompt
from tuppence.engine.admission import Providers, Resting
from tuppence.errors import Busy
from tuppence.providers import Stop
from tuppence.upstream import ModelClient

WIRES = ("openai", "anthropic")
PROMPT = Prompt("s", ("f",), "t", 100)
Rule = Callable[[list[float]], Played]


@dataclass
class Outcome:
    """What became of one request."""

    name: str
    lines: list[str] = field(default_factory=list)
    """The progress lines."""
    began: float = 0.0
    ended: float = 0.0
    is_answered: bool = False
    error: Busy | None = None
    is_stopped: bool = False


@dataclass
class Desk:
    """A session's providers, a client, and one model."""

    wire: str
    monkeypatch: pytest.MonkeyPatch
    limits: dict[str, int] = field(default_factory=dict)
    at_once: int | None = None

    def run(self, provider: VirtualProvider, script: Callable[[Desk], Any]) -> list[Outcome]:
        """Run a script of calls in virtual time; return what became of each, in the order of their coming."""
        provider.install(self.monkeypatch)
        self.done: list[Outcome] = []

        async def work() -> None:
            before = len(asyncio.all_tasks())
            self.providers = Providers(asyncio.get_running_loop().time)
            self.client = ModelClient()
            await script(self)
            await self.client.close()
            assert len(asyncio.all_tasks()) == before, "a task is left"

        virtual_time.run(work())
        return self.done

    def model(self, name: str = "m") -> Model:
        """Return a model of the provider."""
        owner = Provider("acme", self.wire, "http://127.0.0.1:1", at_once=self.at_once)
        return Model(provider=owner, id=name, tier="budget", rate_limits=self.limits)

    async def call(self, name: str, model: str = "m") -> Outcome:
        """Ask once, as a run does."""
        row, outcome = self.model(model), Outcome(name)
        clock = asyncio.get_running_loop().time
        outcome.began = clock()
        self.done.append(outcome)
        is_rejected = False
        try:
            async with self.providers.admission(row, name, 10) as admission:
                async with aclosing(admission.lines()) as lines:
                    async for line in lines:
                        outcome.lines.append(line)

                def hear(status: int, headers: Any) -> None:
                    nonlocal is_rejected
                    is_rejected = True
                    admission.heard(status, headers)

                async with aclosing(self.client.answer(PROMPT, row, None, hear)) as pieces:
                    async for piece in pieces:
                        admission.note(piece)
                        outcome.is_answered = outcome.is_answered or isinstance(piece, Stop)
        except Busy as error:
            outcome.error = error
            if not isinstance(error, Resting):
                self.providers.failed(row, "model" if is_rejected else "provider", error)
        except asyncio.CancelledError:
            outcome.is_stopped = True
            raise
        finally:
            outcome.ended = clock()
        return outcome

    def start(self, name: str, model: str = "m") -> asyncio.Task[Outcome]:
        """Ask in the background."""
        return asyncio.create_task(self.call(name, model))


@pytest.fixture(params=WIRES)
def desk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk on either wire."""
    return Desk(str(request.param), monkeypatch)


def good(wire: str, headers: dict[str, str] | None = None, after: float = 0.5) -> Played:
    """Return a whole answer."""
    body = b"".join(events("anthropic" if wire == "anthropic" else "openai", "fine"))
    return Played([(0.2, body)], after=after, headers=headers or {})


def limited(wire: str, most: int, window: float, *, form: str) -> tuple[Rule, list[float]]:
    """Return a provider with a limit of requests in any window, and when it turned one away."""
    turned: list[float] = []

    def rule(asked: list[float]) -> Played:
        now = asked[-1]
        recent = [at for at in asked if at > now - window and at not in turned]
        left = max(most - len(recent), 0)
        reset = max(recent[0] + window - now, 0.0) if recent else 0.0
        names = {
            "openai": ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
            "anthropic": (
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
            ),
        }[form]
        values = (str(most), str(left), f"{reset:.3f}s")
        headers = dict(zip(names, values, strict=True))
        if len(recent) > most:
            turned.append(now)
            return Played([(0, b"{}")], status=429, headers={**headers, "retry-after": f"{reset:.0f}"})
        return good(wire, headers)

    return rule, turned


async def burst(desk: Desk, count: int = 20) -> None:
    """Ask so often at the same time."""
    await asyncio.gather(*(desk.call(str(each)) for each in range(count)))


@pytest.mark.fault("policy", "a burst under a row's limit queues: no 429, in order, each wait said")
@pytest.mark.parametrize("most", [1, 3, 7])
def test_a_burst_under_a_rows_limit(desk: Desk, most: int, record_property: Any) -> None:
    record_property("cases", 20)
    rule, turned = limited(desk.wire, most, 60, form=desk.wire)
    provider = VirtualProvider(rule)
    desk.limits = {"requests_per_minute": most}
    done = desk.run(provider, burst)
    assert not turned
    assert all(each.is_answered for each in done)
    ends = [each.ended for each in done]
    assert ends == sorted(ends)
    assert all(each.lines for each in done[most:])
    assert all("limit of requests" in "".join(each.lines) for each in done[most::most])


@pytest.mark.fault("policy", "a burst under a limit known from headers alone")
@pytest.mark.parametrize(("most", "window"), [(4, 10), (5, 30), (8, 60), (12, 2)])
def test_a_burst_under_a_limit_that_headers_name(desk: Desk, most: int, window: float, record_property: Any) -> None:
    record_property("cases", 20)
    rule, turned = limited(desk.wire, most, window, form=desk.wire)

    async def script(desk: Desk) -> None:
        await desk.call("first")
        await burst(desk)

    done = desk.run(VirtualProvider(rule), script)
    assert not turned
    assert all(each.is_answered for each in done)


@pytest.mark.fault("policy", "absurd and hostile headers delay for a bounded time, and that is said")
@pytest.mark.parametrize("reset", ["3600s", "999999999", "2999-01-01T00:00:00Z", "1h", "24h0m0s", "9999999999999"])
def test_absurd_headers(desk: Desk, reset: str) -> None:
    headers = {
        f"{form.format(kind=kind, what=what)}": value
        for form in ("anthropic-ratelimit-{kind}-{what}", "x-ratelimit-{what}-{kind}")
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
        for what, value in (("remaining", "0"), ("limit", "1"), ("reset", reset))
    }

    async def script(desk: Desk) -> None:
        for name in "abc":
            await desk.call(name)

    done = desk.run(VirtualProvider(good(desk.wire, headers)), script)
    assert all(each.is_answered for each in done)
    assert all(each.ended - each.began <= 61 for each in done)
    assert all("and is asked before that" in each.lines[0] for each in done[1:])


@pytest.mark.fault("policy", "headers that make no sense delay nobody")
def test_senseless_headers(desk: Desk, record_property: Any) -> None:
    values = ("", "-1", "nan", "inf", "1e99", "soon", "0x0", "1,000", "null")
    record_property("cases", 3 * len(values))
    for what in ("remaining", "limit", "reset"):
        for value in values:
            usual = {"remaining": "5", "limit": "9", "reset": "9s", what: value}
            headers = {
                form.format(what=name): each
                for form in ("anthropic-ratelimit-requests-{what}", "x-ratelimit-{what}-requests")
                for name, each in usual.items()
            }
            reply = good(desk.wire, headers)

            async def script(desk: Desk) -> None:
                await desk.call("a")
                await desk.call("b")

            done = desk.run(VirtualProvider(reply), script)
            assert all(each.is_answered and each.ended - each.began < 1 for each in done), (what, value)


@pytest.mark.fault("policy", "no more at once than a provider's setting says")
@pytest.mark.parametrize("at_once", [None, 1, 2, 9])
def test_width(desk: Desk, at_once: int | None) -> None:
    desk.at_once = at_once
    provider = VirtualProvider(good(desk.wire))
    done = desk.run(provider, burst)
    # All answers take as long, so that they end in flights, each as wide as the setting.
    flights = [provider.asked.count(at) for at in sorted(set(provider.asked))]
    assert max(flights) == (at_once or 4)
    assert sum(flights) == 20
    assert [each.ended for each in done] == sorted(each.ended for each in done)
    waiting = done[(at_once or 4) :]
    assert all(each.lines[0].startswith("Waiting for a turn at acme: 0 ") for each in waiting)


@pytest.mark.fault("policy", "a server that refuses connections is asked by those under way alone")
def test_a_burst_at_a_refused_connection(desk: Desk) -> None:
    provider = VirtualProvider(Played(refused=True))
    done = desk.run(provider, burst)
    assert len(provider.asked) <= 4 * 3
    assert not any(each.is_answered for each in done)
    assert all(each.error for each in done)
    spared = [each for each in done if isinstance(each.error, Resting)]
    assert len(spared) == 16
    assert all("acme cannot be reached at http://127.0.0.1:1." in str(each.error) for each in spared)


@pytest.mark.fault("policy", "an overload opens the model's breaker alone")
def test_an_overload(desk: Desk) -> None:
    asked: list[str] = []

    async def script(desk: Desk) -> None:
        await desk.call("a")
        asked.extend(desk.providers.breakers.resting())
        await desk.call("b", "other")

    desk_done = desk.run(
        VirtualProvider(*[Played([(0, b"{}")], status=529)] * 3, good(desk.wire)),
        script,
    )
    assert asked == ["acme/m"]
    assert [each.is_answered for each in desk_done] == [False, True]


@pytest.mark.fault("policy", "after the rest one request tries, and the others follow its answer")
def test_a_probe_that_is_answered(desk: Desk) -> None:
    provider = VirtualProvider(*[Played(refused=True)] * 3, good(desk.wire, after=5))

    async def script(desk: Desk) -> None:
        await desk.call("a")
        await asyncio.sleep(31)
        await burst(desk, 6)

    done = desk.run(provider, script)[1:]
    assert all(each.is_answered for each in done)
    probe, *others = provider.asked[3:]
    assert all(at >= probe + 5 for at in others), "one request tried"
    assert any("Waiting until another request shows whether acme answers again" in each.lines for each in done)


@pytest.mark.fault("policy", "a probe that fails: nobody else is sent after it")
def test_a_probe_that_fails(desk: Desk) -> None:
    provider = VirtualProvider(Played(refused=True))

    async def script(desk: Desk) -> None:
        await desk.call("a")
        await asyncio.sleep(31)
        await burst(desk, 6)

    done = desk.run(provider, script)
    assert len(provider.asked) == 6
    assert all(each.error for each in done)


@pytest.mark.fault("policy", "a probe that is stopped: another one tries")
def test_a_probe_that_is_stopped(desk: Desk) -> None:
    provider = VirtualProvider(*[Played(refused=True)] * 3, Played(after=10_000), good(desk.wire))

    async def script(desk: Desk) -> None:
        await desk.call("a")
        await asyncio.sleep(31)
        probe = desk.start("probe")
        await asyncio.sleep(1)
        other = desk.start("other")
        await asyncio.sleep(1)
        probe.cancel()
        await asyncio.wait((probe, other))

    _, probe, other = desk.run(provider, script)
    assert probe.is_stopped
    assert other.is_answered
    assert other.ended - probe.ended < 1


@pytest.mark.fault("policy", "the only model is asked again at once where its user asks again")
def test_the_only_model(desk: Desk) -> None:
    provider = VirtualProvider(Played([(0, b"{}")], status=429, headers={"retry-after": "3600"}), good(desk.wire))

    async def script(desk: Desk) -> None:
        await desk.call("a")
        assert desk.providers.breakers.rests(desk.model()).endswith("rests for about an hour")
        await asyncio.sleep(90)
        await desk.call("b")

    first, second = desk.run(provider, script)
    assert first.error is not None
    assert "about an hour" in first.error.remedy
    assert second.is_answered
    assert second.ended - second.began < 2


WAITS: dict[str, tuple[dict[str, int], int | None, str]] = {
    "a turn": ({}, 1, "Waiting for a turn at acme: first is before it"),
    "a limit": ({"requests_per_minute": 1}, None, "Waiting 59 s for acme's limit of requests a minute"),
    "width of the row": ({"concurrent_requests": 1}, None, "acme's limit of 1 requests at the same time"),
}


@pytest.mark.fault("policy", "Stop stops in each line before a provider, and those behind move up")
@pytest.mark.parametrize("wait", WAITS)
def test_stop_in_a_line(desk: Desk, wait: str) -> None:
    desk.limits, desk.at_once, line = WAITS[wait]
    provider = VirtualProvider(good(desk.wire, after=100))

    async def script(desk: Desk) -> None:
        first = desk.start("first")
        await asyncio.sleep(1)
        second, third = desk.start("second"), desk.start("third")
        await asyncio.sleep(1)
        second.cancel()
        with suppress(asyncio.CancelledError):
            await second
        assert asyncio.get_running_loop().time() == 2
        await asyncio.wait((first, third))

    first, second, third = desk.run(provider, script)
    assert second.is_stopped
    assert line in second.lines[-1]
    assert len(provider.asked) == 2
    assert first.is_answered
    assert third.is_answered


@pytest.mark.fault("policy", "a 429 with a pause holds those behind it")
def test_a_pause_holds_the_others(desk: Desk) -> None:
    replies = [Played([(0, b"{}")], status=429, headers={"retry-after": "10"}), good(desk.wire)]
    provider = VirtualProvider(*replies)
    desk.at_once = 3

    async def script(desk: Desk) -> None:
        first = desk.start("first")
        await asyncio.sleep(1)
        await asyncio.gather(first, desk.call("second"), desk.call("third"))

    done = desk.run(provider, script)
    assert all(each.is_answered for each in done)
    assert provider.asked[0] == 0
    assert all(at >= 10 for at in provider.asked[1:])
    assert done[1].lines == ["Waiting 9 s: acme asked for a pause"]


@pytest.mark.fault("policy", "any mix of answers, failures, silence and Stop: nothing is held after it")
@pytest.mark.parametrize("seed", range(6))
def test_any_mix(desk: Desk, seed: int, record_property: Any) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    calls = 40
    record_property("cases", calls)
    desk.at_once = chance.choice([1, 2, 4])
    desk.limits = chance.choice([{}, {"requests_per_minute": 9}, {"concurrent_requests": 2}])

    def rule(_asked: list[float]) -> Played:
        after = chance.random() * 3
        wait = str(chance.choice([0, 1, 15, 40, 3600, -1, "soon"]))
        left = {"x-ratelimit-remaining-requests": str(chance.randint(0, 3)), "x-ratelimit-reset-requests": "5s"}
        kind = chance.random()
        if kind < 0.5:
            return good(desk.wire, left if chance.random() < 0.5 else None, after)
        if kind < 0.6:
            return Played(refused=True, after=after)
        if kind < 0.7:
            return Played(after=chance.choice([10.0, 1000.0]), hangs=True)
        status = chance.choice([429, 503, 529])
        return Played([(0, b"{}")], after=after, status=status, headers={"retry-after": wait, **left})

    async def script(desk: Desk) -> None:
        tasks = []
        for each in range(calls):
            tasks.append(desk.start(str(each), chance.choice(["m", "n"])))
            await asyncio.sleep(chance.random() * 8)
            if chance.random() < 0.25:
                chance.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for name in ("m", "n"):
            row = desk.model(name)
            assert desk.providers.queue(row).waiting == ()
            assert desk.providers.limiter(row).waiting == ()
            assert not desk.providers.limiter(row)._running
            assert desk.providers.breakers.tried(row, desk.providers.breakers.now) is None

    provider = VirtualProvider(rule)
    done = desk.run(provider, script)
    odd = [each for each in done if each.is_answered + (each.error is not None) + each.is_stopped != 1]
    assert not odd
    assert len(provider.asked) <= 3 * len(done)
    assert any(each.is_answered for each in done)
    assert any(each.error for each in done)
    assert all(each.ended - each.began < 61 * calls for each in done)
