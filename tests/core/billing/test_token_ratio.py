"""Characters per token are learned from the provider's counts, stored in the ledger, and used for estimates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from scenario import FIXED, GOOD, SRC
from scripted_provider import cut
from server import Stage, pick, stage

from tuppence.core.billing.entry import Entry
from tuppence.core.billing.token_ratio import ENOUGH, Paces
from tuppence.core.models.usage import PACE, Usage

COUNTED = Entry(
    run="r", session="s", at=datetime(2026, 11, 21, tzinfo=UTC), action="fix", language="go", provider="mine",
    model="small", tier="budget", usage=Usage(fresh=3000, cache_read=1000), cost=Decimal(0), estimated=False,
    difficulty=None, outcome="kept", best_cost=None, reason="", seconds=1.0, characters=8000,
)  # fmt: skip


def test_too_few_tokens_tell_nothing() -> None:
    paces = Paces()
    paces.add({("mine/small", "go"): (3 * ENOUGH - 3, ENOUGH - 1)})
    assert paces.of("mine/small", "go") is None
    assert paces.usual("go") == PACE
    paces.add({("mine/small", "python"): (2, 1)})
    assert paces.of("mine/small", "python") == (3 * ENOUGH - 1) / ENOUGH, "all languages together"
    assert paces.of("mine/large", "go") is None


def test_enough_tokens_are_believed() -> None:
    paces = Paces()
    paces.add({("mine/small", "go"): (2 * ENOUGH, ENOUGH)})
    assert paces.of("mine/small", "go") == paces.of("mine/small", "rust") == paces.usual("go") == 2.0


@pytest.mark.parametrize(
    ("entry", "learned"),
    [
        (COUNTED, 2.0),
        (replace(COUNTED, estimated=True), None),
        (replace(COUNTED, characters=None), None),
        (replace(COUNTED, usage=None), None),
        (replace(COUNTED, usage=Usage(output=5000)), None),
    ],
    ids=["counted", "an estimate", "nobody knows its length", "not counted", "no prompt counted"],
)
def test_only_what_a_provider_counted_is_learned_from(entry: Entry, learned: float | None) -> None:
    paces = Paces()
    paces.learn(entry)
    assert paces.of("mine/small", "go") == learned


def test_a_language_goes_before_all_languages() -> None:
    paces = Paces()
    paces.add({("mine/small", "go"): (2000, 1000), ("mine/small", "python"): (8000, 2000)})
    paces.add({("mine/large", "go"): (4000, 1000)})
    assert paces.of("mine/small", "go") == 2.0
    assert paces.of("mine/small", "rust") == 10 / 3
    assert paces.usual("go") == 3.0


async def fix(s: Stage) -> str:
    buffer = s.editor.open(s.write("stats.py", SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
    return buffer.text


async def test_an_estimate_in_a_new_server_uses_what_an_old_one_learned(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.upstream.says(GOOD, usage=Usage(fresh=2000, cache_read=0, output=20))
        assert await fix(s) == FIXED
    (counted,) = s.entries()
    assert counted.characters is not None
    pace = counted.characters / 2000
    assert pace < PACE / 1.2, "or the test would show nothing"
    async with stage(tmp_path) as s:
        s.upstream.script(cut(GOOD, after=2), cut(GOOD, after=2), cut(GOOD, after=2))
        await fix(s)
    lost = s.entries()[1]
    assert lost.estimated
    assert lost.usage is not None
    assert lost.characters is not None
    assert lost.usage.fresh == -int(-lost.characters // pace)
