"""The queue before a provider: so many at once, in the order of their coming, and any of them may leave."""

from __future__ import annotations

import asyncio
import random

import pytest
import virtual_time

from tuppence.core.models.model import Model, Provider
from tuppence.engine.admission import Providers
from tuppence.engine.admission.queue import ProviderQueue, width


def row(at_once: int | None = None, tier: str = "budget") -> Model:
    provider = Provider("mine", "openai", "http://127.0.0.1:1", at_once=at_once)
    return Model(provider=provider, id="m", tier="local" if tier == "local" else "budget")


async def test_a_gate_lets_so_many_through_and_names_those_before() -> None:
    gate = ProviderQueue(2)
    order: list[str] = []
    leave = {name: asyncio.Event() for name in "abc"}

    async def pass_through(name: str) -> None:
        async with gate.turn(name):
            order.append(name)
            await leave[name].wait()

    a, b, c = (asyncio.create_task(pass_through(name)) for name in "abc")
    assert not gate.waiting
    await asyncio.sleep(0)
    assert order == ["a", "b"]
    assert ", ".join(gate.waiting) == "a, b, c"
    c.cancel()
    await asyncio.gather(c, return_exceptions=True)
    assert ", ".join(gate.waiting) == "a, b"
    leave["a"].set()
    await a
    assert not gate.waiting
    leave["b"].set()
    await b


@pytest.mark.parametrize("seed", range(30))
def test_whoever_leaves_and_however_wide_no_turn_is_lost_and_the_order_stays(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    gate, order, most = ProviderQueue(3), [], 0
    running: set[int] = set()

    async def pass_through(number: int) -> None:
        nonlocal most
        async with gate.turn(str(number)):
            order.append(number)
            running.add(number)
            most = max(most, len(running))
            try:
                await asyncio.sleep(chance.random() * 3)
            finally:
                running.discard(number)

    async def work() -> None:
        tasks = []
        for number in range(60):
            tasks.append(asyncio.create_task(pass_through(number)))
            await asyncio.sleep(chance.random() * 0.3)
            if chance.random() < 0.4:
                chance.choice(tasks).cancel()
            gate.widen(chance.randint(1, 5))
        await asyncio.gather(*tasks, return_exceptions=True)

    virtual_time.run(work())
    assert order == sorted(order)
    assert most <= 5
    assert (gate.waiting, running) == ((), set())


def test_a_turn_that_comes_as_its_request_is_canceled_goes_to_the_next() -> None:
    async def work() -> list[str]:
        gate, order, leave = ProviderQueue(1), [], asyncio.Event()

        async def first() -> None:
            async with gate.turn("a"):
                await leave.wait()
            b.cancel()  # It is its turn by now, and it has not run yet.

        async def pass_through(name: str) -> None:
            async with gate.turn(name):
                order.append(name)

        a = asyncio.create_task(first())
        await asyncio.sleep(0)
        b, c = (asyncio.create_task(pass_through(name)) for name in "bc")
        await asyncio.sleep(0)
        leave.set()
        await asyncio.gather(a, b, c, return_exceptions=True)
        return order

    assert virtual_time.run(work()) == ["c"]


def test_how_many_at_once_is_the_settings_word_else_as_is_usual() -> None:
    assert [width(row()), width(row(tier="local")), width(row(7)), width(row(2, "local"))] == [4, 1, 7, 2]


def test_a_changed_setting_holds_for_those_that_wait() -> None:
    async def work() -> None:
        providers, order, leave = Providers(), list[str](), asyncio.Event()

        async def pass_through(name: str, at_once: int) -> None:
            async with providers.queue(row(at_once)).turn(name):
                order.append(name)
                await leave.wait()

        tasks = [asyncio.create_task(pass_through(name, 1)) for name in "abc"]
        await asyncio.sleep(10)  # In virtual time: each has come as far as it can.
        assert order == ["a"]
        tasks.append(asyncio.create_task(pass_through("d", 3)))
        await asyncio.sleep(10)
        assert order == ["a", "b", "c"]
        leave.set()
        await asyncio.gather(*tasks)
        assert order == ["a", "b", "c", "d"]

    virtual_time.run(work())
