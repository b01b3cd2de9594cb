"""How hard code is: by what can be counted in it, never easier for more of anything, never easy for want of code."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS
from tuppence.core.routing.difficulty import (
    CUT,
    DIAGNOSTICS,
    FEATURES,
    LINES,
    UNKNOWN,
    Difficulty,
    Feature,
    level,
    rate,
)
from tuppence.core.routing.features import COUNTED, CodeProfile, profile
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Span

KNOTTY = """async def gather(sources, limit):
    seen = {}
    for source in sources:
        async for item in source:
            if item.key in seen:
                try:
                    for other in seen[item.key]:
                        while other.next:
                            other = await other.next()
                            if other.limit > limit and other.open:
                                continue
                except KeyError:
                    pass
            seen.setdefault(item.key, []).append(item)
    return sorted(seen.values(), key=lambda group: len(group))
"""
IDS = [each.id for each in ACTIONS]
names = st.sampled_from([each.name for each in (*FEATURES, LINES)])


def counted(**counts: int) -> CodeProfile:
    return CodeProfile("", {}, counts)


@pytest.mark.parametrize("action", IDS)
def test_the_counts_are_what_a_person_would_count(action: str) -> None:
    found = rate(profile("python", KNOTTY), action)
    expected = {
        "loops": 4,
        "branches": 2,
        "awaits": 1,
        "try": 1,
        "closures": 1,
        "conditions": 1,
        "depth": 7,
        "lines": 15,
    }
    assert {name: found.counts[name] for name in expected} == expected
    assert (found.level, found.reasons) == ("hard", ("nested 7 deep", "4 loops", "1 await", "15 lines"))
    assert str(found) == "hard: nested 7 deep, 4 loops, 1 await, 15 lines"


@pytest.mark.parametrize("action", IDS)
def test_plain_code_is_simple_whatever_is_asked(action: str) -> None:
    found = rate(profile("python", "def add(a, b):\n    return a + b\n"), action)
    assert (found.level, found.reasons) == ("simple", ("2 lines",))
    assert 0 < found.value < 0.2


@pytest.mark.parametrize("code", [None, "", " \n\t\n"])
def test_code_that_cannot_be_seen_is_never_easy(code: str | None) -> None:
    assert rate(profile("python", code) if code is not None else None, "fix") == UNKNOWN
    assert shipped().gain("fix", "python", code).rated == UNKNOWN
    assert (UNKNOWN.value, UNKNOWN.level, UNKNOWN.reasons) == (0.5, "moderate", ("the code is not known",))


def test_diagnostics_count_where_they_are_to_be_corrected() -> None:
    seen, told = counted(lines=4), [Diagnostic(Span(0, 1), "odd")] * 3
    assert rate(seen, "fix", 3).reasons == ("3 diagnostics", "4 lines")
    assert rate(seen, "fix", 3).value > rate(seen, "fix").value
    for action in ("explain", "tests", "review", "an action that is not there"):
        assert rate(seen, action, 3) == rate(seen, action) == rate(seen, "fix")
    assert shipped().gain("fix", "python", "x = 1\n", told).rated.counts["diagnostics"] == 3


def test_each_level_has_a_third() -> None:
    assert [level(each) for each in (0.0, 0.33, 0.34, 0.66, 0.67, 1.0)] == [
        *("simple", "simple", "moderate", "moderate", "hard", "hard")
    ]


@pytest.mark.parametrize("feature", [*FEATURES, LINES, DIAGNOSTICS], ids=lambda feature: feature.name)
def test_each_count_makes_code_harder_and_is_named(feature: Feature) -> None:
    one, many = (rate(counted(**{"lines": 1, feature.name: count}), "fix", 0) for count in (1, 60))
    if feature is DIAGNOSTICS:
        one, many = (rate(counted(lines=1), "fix", count) for count in (1, 60))
    assert many.value > one.value > 0
    assert feature.shown(1) in one.reasons
    assert feature.shown(60) in many.reasons


@settings(max_examples=40)
@given(st.dictionaries(names, st.integers(0, 10**9)), names, st.integers(1, 10**9))
def test_more_of_anything_is_never_easier(counts: dict[str, int], name: str, more: int) -> None:
    counts["lines"] = counts.get("lines", 0) or 1
    less = rate(counted(**counts), "review")
    found = rate(counted(**{**counts, name: counts.get(name, 0) + more}), "review")
    assert 0 < less.value <= found.value < 1


@settings(max_examples=40)
@given(st.dictionaries(names, st.integers(0, 10_000)))
def test_no_more_is_named_than_is_read_in_whatever_order_it_was_counted(counts: dict[str, int]) -> None:
    found = rate(counted(**counts), "explain")
    assert found == rate(counted(**dict(reversed(counts.items()))), "explain")
    assert len(found.reasons) <= 4
    assert found == UNKNOWN or found.reasons[-1].endswith(("line", "lines"))


def test_a_long_table_is_not_hard() -> None:
    table = "static const int rows[] = {\n" + "    1, 2, 3, 4, 5, 6, 7, 8,\n" * 700 + "};\n"
    found = rate(profile("c", table), "explain")
    assert (found.level, found.reasons) == ("simple", ("702 lines",))
    assert rate(counted(lines=10**6, cases=10**6), "explain").level != "hard"


def test_what_was_not_counted_is_said() -> None:
    long = "x = 1\n" * (COUNTED // 6 + 1)
    found = rate(profile("python", long), "fix")
    assert found.reasons == (f"{COUNTED // 6 + 1} lines", CUT)
    assert rate(profile("python", long[:COUNTED]), "fix").level == "simple"
    assert CUT not in rate(profile("python", long[:COUNTED]), "fix").reasons


@pytest.mark.parametrize(
    "front", ["# nothing\n" * 3000, "\n" * COUNTED, "x = 1\n" * 9000, f"x = {'(' * 900}1{')' * 900}\n"]
)
def test_what_is_behind_much_else_is_never_simple(front: str) -> None:
    found = rate(profile("python", front + KNOTTY), "fix")
    assert found.level != "simple"
    assert found.value >= UNKNOWN.value
    assert CUT in found.reasons or found.level == "hard"


def test_the_level_comes_first_in_words() -> None:
    assert str(Difficulty(0.4, "moderate", ("2 loops", "9 lines"))) == "moderate: 2 loops, 9 lines"
