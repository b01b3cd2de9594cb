"""Circuit breakers: the causes, the duration, and the single probe."""

from __future__ import annotations

import pytest

from tuppence.core.models.model import Model, Provider
from tuppence.engine.admission.breakers import Breakers, Resting


def model(provider: str, name: str = "m") -> Model:
    return Model(provider=Provider(provider, "openai", "http://127.0.0.1:1"), id=name, tier="budget")


ONE, TWO = model("one"), model("two")
BESIDE = model("one", "n")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> Breakers:
    return Breakers(clock)


def test_a_provider_rests_as_long_as_it_asks_and_not_less_than_usual(breakers: Breakers, clock: Clock) -> None:
    breakers.failed(ONE, "provider", "No.", 100)
    breakers.failed(TWO, "provider", "No.")
    breakers.failed(model("three"), "provider", "No.", 1)
    assert breakers.resting().keys() == {"one", "two", "three"}
    clock.now = 31.0
    assert breakers.resting().keys() == {"one"}
    assert breakers.rests(ONE) == "one could not answer a moment ago, and rests for 69 s"
    breakers.works(ONE)
    assert breakers.resting() == {}


@pytest.mark.parametrize("rest", [3600, 86_400, 1e15, float("inf")])
def test_nobody_rests_for_longer_than_an_hour(breakers: Breakers, clock: Clock, rest: float) -> None:
    breakers.failed(ONE, "model", "No.", rest)
    assert breakers.rests(ONE) == "m could not answer a moment ago, and rests for about an hour"
    clock.now = 3601
    assert breakers.rests(ONE) == ""


def test_a_model_opens_its_own_breaker_alone(breakers: Breakers) -> None:
    breakers.failed(ONE, "model", "No.")
    assert breakers.rests(ONE)
    assert not breakers.rests(BESIDE)
    assert breakers.resting().keys() == {"one/m"}


def test_a_provider_opens_it_for_all_its_models(breakers: Breakers) -> None:
    breakers.failed(ONE, "provider", "No.")
    assert breakers.rests(ONE)
    assert breakers.rests(BESIDE)
    assert not breakers.rests(TWO)


def test_a_provider_that_turns_a_model_away_is_there(breakers: Breakers) -> None:
    breakers.failed(ONE, "provider", "No.")
    breakers.failed(ONE, "model", "Overloaded.")
    assert breakers.resting().keys() == {"one/m"}


def test_one_request_is_the_probe_and_the_others_wait_for_it(breakers: Breakers, clock: Clock) -> None:
    breakers.failed(ONE, "provider", "No.")
    clock.now = 31.0
    since = breakers.now
    assert breakers.tried(ONE, since) is None
    probe = breakers.probe(ONE)
    known = breakers.tried(BESIDE, since)
    assert known is not None
    assert not known.is_set()
    assert breakers.rests(BESIDE) == "one could not answer a moment ago, and is being tried again"
    breakers.works(ONE)
    assert known.is_set()
    assert breakers.tried(BESIDE, since) is None
    assert breakers.resting() == {}
    probe.end()


def test_a_probe_that_fails_ends_the_others_and_says_why(breakers: Breakers, clock: Clock) -> None:
    breakers.failed(ONE, "provider", "No.")
    clock.now = 31.0
    since = breakers.now
    probe = breakers.probe(ONE)
    known = breakers.tried(BESIDE, since)
    breakers.failed(ONE, "provider", "one cannot be reached.", 200)
    assert known is not None
    assert known.is_set()
    with pytest.raises(Resting) as caught:
        breakers.tried(BESIDE, since)
    assert str(caught.value) == (
        "one was not asked: another request failed there a moment ago. one cannot be reached. "
        "Try again in about 3 minutes, or choose another model."
    )
    assert caught.value.fault == "provider"
    # A request that comes later knows of it and was sent here all the same: it is asked.
    assert breakers.tried(BESIDE, breakers.now) is None
    probe.end()


def test_a_probe_that_is_stopped_lets_another_try(breakers: Breakers, clock: Clock) -> None:
    breakers.failed(ONE, "model", "No.")
    clock.now = 31.0
    probe = breakers.probe(ONE)
    known = breakers.tried(ONE, breakers.now)
    probe.end()
    assert known is not None
    assert known.is_set()
    assert breakers.tried(ONE, breakers.now) is None
    second = breakers.probe(ONE)
    probe.end()
    assert breakers.tried(ONE, breakers.now) is not None, "an earlier probe ends no later one"
    second.end()


def test_where_nothing_is_open_nobody_waits(breakers: Breakers) -> None:
    for _ in range(3):
        breakers.probe(ONE)
        assert breakers.tried(ONE, breakers.now) is None
