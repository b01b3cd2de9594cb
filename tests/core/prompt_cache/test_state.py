"""What a provider's cache probably holds, where marks go, for how long, and why a request found nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.models.model import CacheRules, Model, Provider
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.prompt.compose import Prompt
from tuppence.core.prompt_cache.breakpoints import DOUBT, LOOKBACK, MOST, Prospect, choose, mark, weights
from tuppence.core.prompt_cache.prefix import chain
from tuppence.core.prompt_cache.state import Trace, entries, explain, reach, usage, warm

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
BLOCK = 1700
"""Characters of a block; 500 tokens."""
EXPLICIT = CacheRules("explicit", 1000, ("5m", "1h"))
AUTOMATIC = CacheRules("automatic", 1000)
PRICE = Price(Rates(Decimal(2), Decimal(10), Decimal("0.2"), Decimal("2.5"), Decimal(4)))


def model(rules: CacheRules, price: Price | None = PRICE) -> Model:
    return Model(
        provider=Provider("p", "anthropic", "http://127.0.0.1:1"), id="m", tier="budget", cache=rules, price=price
    )


def prompt(blocks: str, target: int = 1) -> Prompt:
    """Return a prompt with a block a letter; the system text is a block too."""
    shared = tuple(("" if at else "\n\n\n") + each * (BLOCK if at else BLOCK - 3) for at, each in enumerate(blocks))
    return Prompt("s" * BLOCK, shared, "t" * 100, 1, file_at=1, target_at=target)


def trace(blocks: str, minutes: float = 1, **how: Any) -> Trace:
    """Return what is left of a request that was sent so many minutes ago, marked after its last block."""
    sent = prompt(blocks)
    known: dict[str, Any] = {
        "run": "r",
        "action": "explain",
        "name": "a.py",
        "place": "a",
        "model": "p/m",
        "at": NOW - timedelta(minutes=minutes),
        "links": chain(sent),
        "size": 500 * len(blocks) + 530,
        "held": (len(blocks),),
        "life": "",
        "expected": 0,
    }
    return Trace(**known | how)


def held(blocks: str, rules: CacheRules, *traces: Trace) -> int:
    return reach(chain(prompt(blocks)), model(rules), traces, NOW)


@pytest.mark.parametrize(
    ("blocks", "rules", "traces", "expected"),
    [
        ("abcd", EXPLICIT, (), 0),
        ("abcd", EXPLICIT, (trace("abcd"),), 5),
        ("abcd", EXPLICIT, (trace("abcd", minutes=6),), 0),
        ("abcd", EXPLICIT, (trace("abcd", minutes=6, life="1h"),), 5),
        ("abcd", EXPLICIT, (trace("abcd", model="p/other"),), 0),
        ("abxd", EXPLICIT, (trace("abcd"),), 0),
        ("abxd", EXPLICIT, (trace("abcd", held=(2, 4)),), 3),
        ("abxd", EXPLICIT, (trace("abcd", held=(2, 4), read=0, written=0, prompt=2500),), 0),
        ("abxd", AUTOMATIC, (trace("abcd"),), 3),
        ("xbcd", AUTOMATIC, (trace("abcd"),), 0),
        ("abcd", AUTOMATIC, (trace("abcd", read=0, prompt=2500),), 5),
        ("abcd", replace(AUTOMATIC, uses=2), (trace("abcd"),), 0),
        ("abcd", replace(AUTOMATIC, uses=2), (trace("abcd"), trace("abxx")), 3),
        ("abcd", CacheRules("none"), (trace("abcd"),), 0),
        ("a", replace(AUTOMATIC, minimum=4000), (trace("a"),), 0),
    ],
)
def test_the_cache_holds(blocks: str, rules: CacheRules, traces: tuple[Trace, ...], expected: int) -> None:
    assert held(blocks, rules, *traces) == expected


def test_what_a_provider_did_not_read_is_believed_less() -> None:
    row, links = model(AUTOMATIC), chain(prompt("abcd"))
    kept = trace("abcd", expected=2500, prompt=2530, read=2500, size=2530)
    lost = replace(kept, read=0)
    full = warm(links, row, [kept] * 8, NOW)
    assert full == links[-1].tokens
    assert warm(links, row, [lost] * 8, NOW) == round(full * 2 / 10)
    assert warm(links, row, [*[lost] * 20, *[kept] * 8], NOW) == full
    assert warm(links, row, (), NOW) == 0


def test_what_is_held_until_when_is_told_by_this_models_live_traces_alone() -> None:
    links, mine = chain(prompt("abcd")), model(EXPLICIT)
    sent = trace("abcd", read=0, written=2500)
    assert entries(links, mine, (sent,), NOW) == {4: sent.at + timedelta(minutes=5)}
    for other in (
        trace("abcd", read=0, written=2500, model="p/other"),
        trace("abcd", read=0, written=0),
        trace("abcd", read=0, written=2500, minutes=-60 * 24),
        trace("abcd", read=0, written=2500, minutes=6),
    ):
        assert entries(links, mine, (other,), NOW) == {}, "it says nothing"
        assert entries(links, mine, (other, sent), NOW) == {4: sent.at + timedelta(minutes=5)}


@pytest.mark.parametrize(("life", "long"), [("5m", False), ("59m", False), ("1h", True), ("3600s", True), ("1d", True)])
def test_what_is_written_for_an_hour_or_more_has_a_bucket_of_its_own(life: str, *, long: bool) -> None:
    counts = usage(EXPLICIT, life, 7, 11)
    assert (counts.cache_read, counts.cache_write, counts.cache_write_1h) == (7, 0 if long else 11, 11 if long else 0)


def marks(sent: Prompt, *traces: Trace, rules: CacheRules = EXPLICIT) -> tuple[int, ...]:
    return mark(sent, model(rules), "a", traces, NOW).marks


def test_the_last_shared_block_is_marked_and_what_is_too_short_is_not() -> None:
    assert marks(prompt("a")) == (1,)
    assert marks(prompt("abc")) == (1, 2, 3)
    assert marks(prompt(""), rules=replace(EXPLICIT, minimum=2000)) == ()
    assert marks(prompt("abc"), rules=replace(EXPLICIT, minimum=3000)) == ()


@pytest.mark.parametrize("rules", [AUTOMATIC, CacheRules("none")])
def test_only_an_explicit_cache_takes_marks(rules: CacheRules) -> None:
    assert marks(prompt("abc"), rules=rules) == ()


def test_marks_stand_before_the_target_and_the_edit_and_are_spread_over_the_rest() -> None:
    blocks = "abcdefghijklmnop"
    assert marks(prompt(blocks, target=5)) == (4, 7, 11, 16)
    assert marks(prompt(blocks, target=16)) == (4, 9, 15, 16)
    edited = marks(prompt(blocks, target=16), trace("abcdefgXijklmnop"))
    assert {7, 15, 16} <= set(edited)


def test_an_entry_that_is_about_to_expire_is_kept_alive_by_a_mark() -> None:
    blocks = "abcdefghijklmnop"
    fresh = trace(blocks, 1, held=(3, 8, 12, 16))
    old = trace(blocks[:6] + "?" * 10, 4.5, held=(6,))
    assert 6 in marks(prompt(blocks, target=1), old, fresh)
    assert 6 not in marks(prompt(blocks, target=1), fresh)


def test_what_a_mark_inside_of_what_was_read_keeps_is_not_counted_on() -> None:
    blocks = "abcdefgh"
    first = trace(blocks, 3, held=(8,), prompt=4530, read=0, written=4500, size=4530)
    again = replace(first, at=NOW - timedelta(minutes=1), held=(4, 8), read=4500, written=0)
    links, row = chain(prompt(blocks)), model(EXPLICIT)
    assert set(entries(links, row, [first, again], NOW)) == {8}
    assert set(entries(links, row, [replace(first, held=(4, 8)), again], NOW)) == {4, 8}
    assert entries(links, row, [first], NOW + timedelta(minutes=3)) == {}
    assert set(entries(links, row, [first, again], NOW + timedelta(minutes=3))) == {8}, "a hit refreshes"


@given(st.lists(st.integers(100, 900), min_size=1, max_size=90), st.data())
def test_the_spread_is_no_worse_than_any_other_single_mark(lengths: list[int], data: st.DataObject) -> None:
    tokens = list(accumulate(lengths))
    prospect = Prospect(
        tokens=tokens,
        file_at=1,
        target_at=data.draw(st.integers(1, len(tokens))),
        edited_at=data.draw(st.none() | st.integers(1, len(tokens))),
        left=data.draw(st.dictionaries(st.integers(0, len(tokens) - 1), st.floats(0.01, 1.0), max_size=5)),
        least=500,
    )
    found = choose(prospect, 1, ())
    free = [at for at in range(len(tokens) - 1) if tokens[at] >= 500]
    assert len(found) == min(1, len(free))
    if found:
        best = expected(prospect, found)
        assert all(expected(prospect, [at]) <= best + 1e-6 for at in free)
    three = choose(prospect, 3, ())
    assert len(set(three)) == len(three) == min(3, len(free))
    assert expected(prospect, three) >= expected(prospect, found) - 1e-6


def expected(prospect: Prospect, marked: Sequence[int]) -> float:
    """Return how many tokens the next request may be expected to read, reckoned the long way."""
    total = 0.0
    for edit, weight in enumerate(weights(prospect)):
        missed = 1.0
        for at in reversed(range(edit)):
            sure = at in prospect.left or at > max(prospect.left, default=-1)
            chance = (1.0 if sure else DOUBT) if at in marked else prospect.left.get(at, 0.0)
            total += weight * missed * chance * prospect.tokens[at]
            missed *= 1 - chance
    return total


def test_a_far_entry_is_seen_from_a_mark() -> None:
    blocks = "".join(chr(97 + each) for each in range(60))
    changed = blocks[:20] + "?" * 40
    found = marks(prompt(changed, target=60), trace(blocks, held=(20, 60), place="elsewhere"))
    assert any(20 <= at < 20 + LOOKBACK for at in found), "else the entry would be too far back to be found"


@given(st.integers(0, 70), st.integers(1, 70), st.integers(0, 70), st.integers(0, 3000))
def test_marks_are_few_ascending_and_long_enough(count: int, target: int, same: int, minimum: int) -> None:
    blocks = "".join(chr(1000 + each) for each in range(count))
    former = trace(blocks[:same] + "?" * 5)
    rules = CacheRules("explicit", minimum, ("5m",))
    sent = prompt(blocks, min(target, max(count, 1)))
    found = marks(sent, former, rules=rules)
    assert list(found) == sorted(set(found))
    assert len(found) <= MOST
    long_enough = chain(sent)[-1].tokens * 1.25 >= minimum
    assert (found[-1:] == (count,)) == long_enough
    inside = sum(link.tokens >= minimum for link in chain(sent)[:-1])
    assert len(found) == (min(MOST, 1 + inside) if long_enough else 0)


def life(*minutes: float, rules: CacheRules = EXPLICIT, price: Price | None = PRICE) -> str | None:
    """Return the time to live after requests with such gaps between them; None where no mark was set."""
    ago, traces = 1.0, [trace("abc", 1.0)]
    for gap in minutes:
        ago += gap
        traces.insert(0, trace("abc", ago))
    made = mark(prompt("abc"), model(rules, price), "a", traces, NOW)
    return (made.life or "5m") if made.marks else None


def test_the_time_to_live_follows_the_gaps() -> None:
    assert life() == "5m"
    assert life(*[1] * 20) == "5m"
    assert life(*[20] * 20) == "1h"
    assert life(*[20] * 60, rules=CacheRules("explicit", 1000, ("5m",))) is None, "five minutes never see a second use"
    assert life(*[300] * 60) is None
    assert life(*[300] * 60, price=None) == "5m"


def test_where_a_prompt_costs_nothing_the_shortest_time_to_live_does() -> None:
    free = Price(Rates(Decimal(0), Decimal(0)))
    assert life(1, 30, 90, price=free) == life(1, 30, 90, price=None) == "5m"


def test_documents_that_were_left_show_that_requests_end() -> None:
    left = [trace("abc", 500 + each, place=str(each)) for each in range(40)]
    assert not mark(prompt("abc"), model(EXPLICIT), "a", left[::-1], NOW).marks


@pytest.mark.parametrize(
    ("last", "before", "rules", "said"),
    [
        (trace("abcd", 0, prompt=2530, read=2490), (), EXPLICIT, "hit"),
        (trace("abcd", 0), (), EXPLICIT, "it ended before the provider counted anything"),
        (trace("abcd", 0, prompt=2530, read=None), (), AUTOMATIC, "unknown: the provider does not say what it reads"),
        (trace("abcd", 0, prompt=2530, read=0), (), CacheRules("none"), "this model has no prompt cache"),
        (
            trace("", 0, prompt=530, read=0),
            (trace(""),),
            EXPLICIT,
            "below the model's minimum: 501 tokens can be shared, and it keeps none under 1000",
        ),
        (
            trace("a", 0, prompt=1030, read=0),
            (trace("a"),),
            replace(EXPLICIT, minimum=1100),
            "probably below the model's minimum: about 1001 of 1100 tokens can be shared",
        ),
        (
            trace("abcd", 0, prompt=2530, read=0),
            (trace("abcd", 1, prompt=2530, read=0, held=()),),
            EXPLICIT,
            "the same was sent 60 s earlier without a cache mark, which would have cost more than it saves",
        ),
        (trace("abcd", 0, prompt=2530, read=0), (), EXPLICIT, "the first request about a.py to this model"),
        (
            trace("abcd", 0, prompt=2530, read=0),
            (trace("abcd", model="p/other"), trace("xyz", place="b")),
            EXPLICIT,
            "the first request about a.py to this model",
        ),
        (
            trace("abcd", 0, prompt=2530, read=1000),
            (trace("abcd", 9), trace("aXcd", 2), trace("abXd", 3)),
            AUTOMATIC,
            "expired: the same was sent 9 min earlier, and is kept for 5 min",
        ),
        (
            trace("abcd", 0, prompt=2530, read=1000),
            (trace("aXcd", 1), trace("abXd", 3)),
            EXPLICIT,
            "the first block that differs from 3 min earlier: the file from line 1",
        ),
        (
            trace("abcd", 0, prompt=2530, read=0),
            (trace("abcd", 1),),
            replace(AUTOMATIC, uses=2),
            "this provider reads a prefix after 2 requests had it, and this was number 2",
        ),
        (
            trace("abcd", 0, prompt=2530, read=0),
            (trace("abcd", 1, prompt=2530, read=0),),
            AUTOMATIC,
            "the same was sent 60 s earlier, and the provider no longer had it",
        ),
    ],
)
def test_a_miss_is_explained(last: Trace, before: tuple[Trace, ...], rules: CacheRules, said: str) -> None:
    assert explain(last, before, rules) == said
