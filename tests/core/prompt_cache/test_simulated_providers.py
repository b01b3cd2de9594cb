"""A sitting through the real prompt, wires and accounts, against providers' caches by their published rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.caching.lost import KINDS, account
from benchmarks.caching.published import Automatic, Block, Detected, Marked, Never
from benchmarks.caching.recorded import CASES, Case, mean, measure, report
from benchmarks.caching.sitting import plan

from tuppence.config import load
from tuppence.core.models.usage import Usage

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG = 3400 * 2
"""Characters of 2,000 tokens."""


def block(letter: str, mark: str = "") -> Block:
    return Block(letter * LONG, mark)


def test_the_played_marked_cache_keeps_the_published_rules() -> None:
    cache = Marked(1024, lookback=2)
    first = (block("a", "+"), block("b"), block("c", "+"), Block("t" * 340))
    assert cache.take(first, NOW) == Usage(fresh=100, cache_read=0, cache_write=6000)
    assert cache.take(first, NOW + timedelta(minutes=4)) == Usage(fresh=100, cache_read=6000)
    assert cache.take(first, NOW + timedelta(minutes=8)) == Usage(fresh=100, cache_read=6000), "a hit refreshes"
    assert cache.take(first, NOW + timedelta(minutes=14)) == Usage(fresh=100, cache_read=0, cache_write=6000), "expired"
    edited = (block("a"), block("x", "+"), Block("t" * 340))
    assert cache.take(edited, NOW + timedelta(minutes=15)) == Usage(fresh=100, cache_read=2000, cache_write=2000)
    far = (block("a"), block("y"), block("z"), block("w", "+"), Block("t" * 340))
    assert cache.take(far, NOW + timedelta(minutes=16)) == Usage(fresh=100, cache_read=0, cache_write=8000), "look-back"
    hour = (block("h", "1h"), Block("t" * 340))
    assert cache.take(hour, NOW) == Usage(fresh=100, cache_read=0, cache_write_1h=2000)
    assert cache.take(hour, NOW + timedelta(minutes=50)) == Usage(fresh=100, cache_read=2000)
    short = (Block("s" * 3400, "+"), Block("t" * 340))
    assert cache.take(short, NOW) == Usage(fresh=1100, cache_read=0), "below the minimum"


def test_the_other_played_caches_keep_theirs() -> None:
    shared, one, other, third = block("a"), Block("t" * 340), Block("u" * 340), Block("v" * 340)
    automatic = Automatic(1024, 128, timedelta(minutes=10))
    assert automatic.take((shared, one), NOW) == Usage(fresh=2100, cache_read=0)
    assert automatic.take((shared, other), NOW) == Usage(fresh=180, cache_read=1920)
    assert automatic.take((shared, other), NOW + timedelta(hours=1)) == Usage(fresh=2100, cache_read=0)
    detected = Detected()
    reads = [detected.take((shared, tail), NOW).cache_read for tail in (one, other, third)]
    assert reads == [0, 0, 2000], "only the third request reads what two had in common"
    assert Never().take((shared, one), NOW) == Usage(fresh=2100, cache_read=0)


MARKED = [case for case in CASES if isinstance(case.cache(), Marked)]
OTHERS = [case for case in CASES if case not in MARKED]


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.name)
async def test_where_the_provider_takes_no_marks_its_own_cache_is_hit(case: Case, tmp_path: Path) -> None:
    found = report(await measure(case, plan("moving on", 1), tmp_path), case)
    assert found["tuppence"] == found["one mark"] == found["automatic"] <= 0.58
    assert found["of ideal"] >= (0.62 if "deepseek" in case.name else 0.95), (
        "DeepSeek reads what two requests had before"
    )


def test_both_wires_are_measured() -> None:
    wires = {model.provider.wire for model in load().models for case in CASES if model.name == case.name}
    assert wires == {"anthropic", "openai"}
    assert len(MARKED) + len(OTHERS) == len(CASES) == 12


@pytest.mark.slow
@pytest.mark.parametrize("case", MARKED[:2], ids=lambda case: case.name + case.note)
async def test_six_sittings_cost_less_than_half_of_uncached_ones(case: Case) -> None:
    found = await mean(case, "moving on")
    assert found["tuppence"] <= 0.47
    assert found["of ideal"] >= (0.96 if case.note else 0.945)


@pytest.mark.parametrize("case", MARKED, ids=lambda case: case.name + case.note)
async def test_a_sitting_costs_half_of_an_uncached_one(case: Case, tmp_path: Path) -> None:
    result = await measure(case, plan("moving on", 1), tmp_path)
    found = report(result, case)
    long = "haiku" in case.name  # Its cache keeps nothing below 4,096 tokens.
    assert found["tuppence"] <= (0.48 if long else 0.49)
    assert found["tuppence"] < found["one mark"] < found["automatic"]
    assert found["automatic"] > 1, "left to itself, the cache writes each prompt and reads none"
    assert found["of ideal"] >= (0.93 if long else 0.97 if case.note else 0.95)
    cache = case.cache()
    assert isinstance(cache, Marked)
    lost = account(result, cache)
    named = sum(lost[kind] for kind in KINDS)
    assert named == pytest.approx((1 - found["of ideal"]) * lost["ideal"], abs=2), "each lost token has one reason"
