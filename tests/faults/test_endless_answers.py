"""An answer that goes on beyond its limit is ended here, and costs no more than was reserved for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine_run import Ran, engine
from scenario import FIXED, GOOD, SRC
from scripted_provider import Reply, Talk, WireName, events
from server import CONFIG

from tuppence.core.actions import EXPLAIN
from tuppence.core.billing.entry import Entry
from tuppence.core.models.usage import Usage

WIRES: tuple[WireName, ...] = ("openai", "anthropic")
ENOUGH = 40_000
"""Code points of an answer that is 20 times as long as its limit."""
BUDGET = f"[budget]\nday = 1\n{CONFIG}"


def _words() -> Iterator[str]:
    """Yield words that do not repeat."""
    for number in range(ENOUGH // 16):
        yield f"value_{number * 7919 % 99_991} = {number};{chr(10) if number % 5 else ' '}"


WORDS = "".join(_words())
BLOB = "".join(f"{number * 2_654_435_761 % 2**32:08x}" for number in range(ENOUGH // 8))
IDEOGRAPHS = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(ENOUGH // 4))


class Flood:
    """Answers until nobody listens."""

    def __init__(self, text: str, *, size: int = 200, thinking: str = "") -> None:
        self._text, self._size, self._thinking = text, size, thinking

    def reply(self) -> Reply:
        """Return the answer."""

        async def play(talk: Talk) -> None:
            await talk.head()
            for event in events(talk.seen.wire, self._text, size=self._size, thinking=self._thinking):
                await talk.chunk(event)
                await asyncio.sleep(0)
            await talk.end()

        return Reply(play)


def ended(ran: Ran, entry: Entry) -> None:
    """Hold a run and its entry against an answer that was ended."""
    assert ran.text == SRC
    assert "mine wrote on beyond the limit of 538 tokens, so the answer was ended here" in entry.reason
    assert "mine wrote on beyond the limit of 538 tokens, so the answer was ended here" in ran.said
    assert "The answer was cut off at the model's output limit." in ran.said
    assert (entry.estimated, entry.outcome) == (True, "failed check")
    assert entry.usage is not None
    assert entry.usage.output + entry.usage.thinking == 538, "as much as was reserved, no more"
    rate = 25 if entry.model == "big" else 0.6
    assert entry.cost is not None
    assert float(entry.cost) < (1245 * 5 + 538 * rate) / 1e6


FLOODS: dict[str, Callable[[], Flood]] = {
    "code": lambda: Flood(f"```python\n{WORDS}"),
    "prose": lambda: Flood(WORDS),
    "thinking": lambda: Flood("", thinking=WORDS),
    "thinking, then code": lambda: Flood(f"```python\n{WORDS[5000:]}", thinking=WORDS[:1500]),
    "one word": lambda: Flood(BLOB),
    "ideographs": lambda: Flood(IDEOGRAPHS),
    "one event": lambda: Flood(f"```python\n{WORDS}", size=ENOUGH * 2),
    "a character an event": lambda: Flood(f"```python\n{WORDS[:9000]}", size=1),
}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("provider", "an answer beyond its limit is ended")
async def test_an_answer_without_end_is_ended_and_costs_no_more_than_was_reserved(
    tmp_path: Path, wire: WireName, record_property: Callable[[str, object], None]
) -> None:
    async with engine(tmp_path, config=BUDGET, wire=wire) as e:
        for name, flood in FLOODS.items():
            first, second = flood(), flood()
            e.server.script(first.reply(), second.reply())
            ran = await e.fix(name)
            assert [each.model for each in ran.entries] == ["small", "big"], name
            for entry in ran.entries:
                ended(ran, entry)
            assert len(ran.said) < 1000
            for seen in e.server.requests[-2:]:
                await asyncio.wait_for(seen.closed.wait(), 60)
    record_property("cases", len(FLOODS))


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("provider", "an honest answer at its limit is not ended")
async def test_an_answer_that_reaches_its_limit_is_read_to_its_end(tmp_path: Path, wire: WireName) -> None:
    talk = " ".join(f"Word{number}" for number in range(490))
    async with engine(tmp_path, wire=wire) as e:
        e.server.says(f"{GOOD}\n{talk}", thinking="hm " * 20, usage=Usage(fresh=900, output=538), size=50)
        ran = await e.fix()
    assert ran.text == FIXED
    (entry,) = ran.entries
    assert not entry.estimated
    assert entry.usage == Usage(fresh=900, cache_read=None, output=538)
    assert "ended here" not in ran.said


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("provider", "talk without end behind a whole answer")
async def test_code_that_is_whole_is_kept_where_only_the_talk_after_it_has_no_end(
    tmp_path: Path, wire: WireName
) -> None:
    async with engine(tmp_path, wire=wire) as e:
        flood = Flood(f"{GOOD}\n\n{WORDS}")
        e.server.script(flood.reply())
        ran = await e.fix()
        await asyncio.wait_for(e.server.requests[0].closed.wait(), 60)
    assert ran.text == FIXED
    (entry,) = ran.entries
    assert entry.estimated
    assert entry.outcome == "kept"
    assert "mine wrote on beyond the limit of 538 tokens" in ran.said


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("provider", "an explanation without end")
async def test_an_explanation_without_end_is_ended(tmp_path: Path, wire: WireName) -> None:
    async with engine(tmp_path, wire=wire) as e:
        e.server.script(Flood(WORDS).reply(), Flood(WORDS).reply())
        ran = await e.fix(action=EXPLAIN)
        limits = [seen.body["max_tokens"] for seen in e.server.requests]
    for entry, limit in zip(ran.entries, limits, strict=True):
        assert entry.estimated
        assert entry.usage is not None
        assert entry.usage.output == limit
        assert f"beyond the limit of {limit:,} tokens" in entry.reason
