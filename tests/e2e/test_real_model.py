"""The whole server on a real model: llama.cpp speaks both wire formats, so nothing here is scripted.

The model is far too small to judge what it says. What is real, and asserted: the streams, the counts, the prompt
cache, that cancelling stops the computation, and that every action reaches a defined end.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from benchmarks.caching.served import WHOLE, measure, ten
from server import pick, stage

from tuppence.core.models.model import Quirks
from tuppence.local import Embedded, Endpoint

# A hang guard, not a bar: a model on a busy machine with two processors is slow, and that is no failure.
pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]

SOURCE = '''def mean(values):
    """Return the arithmetic mean."""
    total = 0
    for value in values:
        total += value
    return total / len(value)
'''
CONFIG = """
[providers.mine]
wire = "{wire}"
base_url = "@BASE@"
key_env = "OWN_KEY"
[[models]]
id = "smollm2-135m"
provider = "mine"
tier = "local"
price = {{ input = 1, output = 2, cache_read = 0.1 }}
context = 8192
max_output = 400
quirks = {{ temperature = 0.0 }}
"""


BETTER = """
[providers.played]
wire = "{wire}"
base_url = "{base}"
[[models]]
id = "better"
provider = "played"
tier = "workhorse"
price = {{ input = 3, output = 15 }}
context = 100000
max_output = 8000
ability = {{ fix = 0.9 }}
"""


@pytest.fixture
async def endpoint(home: Path, tmp_path: Path) -> AsyncIterator[Endpoint]:
    embedded = Embedded(home, state=tmp_path / "state")
    yield await embedded.start()
    embedded.release()
    await asyncio.to_thread(embedded.stop)


@pytest.mark.parametrize("wire", ["openai", pytest.param("anthropic", marks=pytest.mark.long)])
async def test_every_action_reaches_a_defined_end(wire: str, endpoint: Endpoint, tmp_path: Path) -> None:
    base = endpoint.base_url if wire == "openai" else endpoint.base_url.removesuffix("/v1")
    async with stage(tmp_path, wire=wire, config=CONFIG.replace("@BASE@", base), keys={"OWN_KEY": endpoint.key}) as s:
        buffer = s.editor.open(s.write("stats.py", SOURCE), "python")
        for verb in ("Explain", "Review", "Generate tests", "Fix"):
            menu = await s.editor.menu(buffer, buffer.text.index("total"))
            await s.editor.run(pick(menu, verb))
        ends = [message.message for message in s.editor.seen.messages]
        assert len(ends) == 4, ends
        for verb, past, end in zip(
            ("explain", "review", "generate tests for", "fix"),
            ("Explained", "Reviewed", "Wrote tests for", "Fixed"),
            ends,
            strict=True,
        ):
            assert end.startswith((f"{past} `mean`", f"Could not {verb} `mean`")), end
        entries = s.entries()
    assert [entry.action for entry in entries] == ["explain", "review", "tests", "fix"]
    for entry in entries:
        assert entry.usage is not None
        # llama.cpp reports its counts on both wires, at the end; an answer that went round in circles never got there.
        assert not entry.estimated or entry.outcome == "failed check"
        usage = entry.usage
        assert usage.output > 0
        expected = usage.fresh * Decimal(1) + (usage.cache_read or 0) * Decimal("0.1") + usage.output * Decimal(2)
        assert entry.cost == expected / 1_000_000
    # The first request fills the prompt cache; the next, about the same file, reads all but its own short tail.
    # Right after an answer that was cut off llama.cpp is still busy with it: the next one gets another, empty slot.
    shares = [
        (entry.usage.cache_read or 0) / entry.usage.prompt
        for before, entry in itertools.pairwise(entries)
        if entry.usage and not entry.estimated and not before.estimated
    ]
    print(f"{wire}: shares of the prompt read from the cache: {', '.join(f'{share:.0%}' for share in shares)}")
    assert shares
    assert min(shares) > 0.7


async def test_later_actions_on_a_file_of_1800_tokens_read_it_from_the_cache(endpoint: Endpoint) -> None:
    row = replace(Embedded().row(endpoint), quirks=Quirks(temperature=0.0), max_output=4)
    cold, *later = await measure("tuppence", ten()[:4], WHOLE, endpoint, row)
    for each in later:
        print(f"{cold.seconds:.2f} s cold, then {each.share:.1%} read and {each.seconds / cold.seconds:.3f}x as long")
    assert cold.usage.prompt > WHOLE
    assert cold.share < 0.1
    assert min(each.share for each in later) >= 0.95


async def test_what_the_small_model_cannot_do_a_better_one_is_asked_for(endpoint: Endpoint, tmp_path: Path) -> None:
    """The cheap model is real, and loses its way in the whole prompt; the better one is played."""
    small = CONFIG.replace("@BASE@", endpoint.base_url) + "ability = {{ fix = 0.8 }}\n"
    config = small + BETTER
    async with stage(tmp_path, config=config, keys={"OWN_KEY": endpoint.key}, streams=True) as s:
        s.upstream.says(f"```python\n{SOURCE.replace('len(value)', 'len(values)')}```")
        buffer = s.editor.open(s.write("stats.py", SOURCE), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("total")), "Fix"))
        assert buffer.text == SOURCE.replace("len(value)", "len(values)")
        first, second = s.entries()
        assert (first.model, first.outcome) == ("smollm2-135m", "failed check")
        assert (second.model, second.outcome) == ("better", "kept")
        assert first.usage is not None
        assert first.usage.output > 0
        assert second.reason.startswith("asked after smollm2-135m, whose answer was rejected: ")
        last = s.editor.seen.costs[-1].last
        assert first.cost
        assert second.cost
        assert Decimal(last.cost.usd) == first.cost + second.cost
        print(f"{s.editor.seen.messages[-1].message} The first try cost {first.cost}, the second {second.cost}.")


async def test_a_cancel_stops_the_computation(endpoint: Endpoint, tmp_path: Path) -> None:
    config = CONFIG.replace("@BASE@", endpoint.base_url)
    async with stage(tmp_path, config=config, keys={"OWN_KEY": endpoint.key}) as s:
        buffer = s.editor.open(s.write("stats.py", SOURCE), "python")
        menu = await s.editor.menu(buffer, buffer.text.index("total"))
        run = s.editor.start(pick(menu, "Explain"), "run-1")
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(_busy, endpoint):  # noqa: ASYNC110 - another process tells no event
                await asyncio.sleep(0.02)
        stop = (await s.editor.menu(buffer, 0))[0]
        assert stop.title == "Stop: Explain `mean`"
        await s.editor.run(stop)
        while await asyncio.to_thread(_busy, endpoint):  # noqa: ASYNC110 - another process tells no event
            await asyncio.sleep(0.02)
        (place,) = [each for each in await asyncio.to_thread(_slots, endpoint) if "id_task" in each]
        (left,) = place["next_token"]
        assert left["has_next_token"], "it was stopped before its own end"
        assert left["n_decoded"] < place["params"]["n_predict"]
        await asyncio.wait([run])
        assert buffer.text == SOURCE
        (entry,) = s.entries()
    assert (entry.outcome, entry.estimated) == ("cancelled", True)


def _busy(endpoint: Endpoint) -> bool:
    """Report whether the model server computes for anybody."""
    return any(slot["is_processing"] for slot in _slots(endpoint))


def _slots(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Return what the model server says of its places for a computation."""
    url = endpoint.base_url.removesuffix("/v1") + "/slots"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {endpoint.key}"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - loopback
        found: list[dict[str, Any]] = json.load(reply)
    return found
