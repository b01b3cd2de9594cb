"""How hard a request is: from the code, with reasons, and never easy for want of a signal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.actions import ACTIONS
from tuppence.core.difficulty import FEATURES, judge
from tuppence.core.languages import language
from tuppence.core.syntax import parse
from tuppence.core.text import Span

KNOTTY = """async def gather(sources, limit):
    seen = {}
    for source in sources:
        async for item in source:
            if item.key in seen:
                try:
                    for other in seen[item.key]:
                        while other.next:
                            other = other.next
                            if other.limit > limit:
                                continue
                except KeyError:
                    pass
            seen.setdefault(item.key, []).append(item)
    return sorted(seen.values(), key=lambda group: len(group))
"""


def test_no_code_is_neither_easy_nor_hard_and_says_so() -> None:
    for action in ACTIONS:
        assert judge(action.id, None).value == 0.5
    assert judge("fix", None).reasons == ("the code is not known",)


def test_knotty_code_is_harder_than_a_plain_line() -> None:
    tree = parse(KNOTTY, language("python"))
    knotty = judge("fix", tree.counts(Span(0, len(KNOTTY))))
    plain = judge("fix", parse("def f():\n    return 1\n", language("python")).counts(Span(0, 21)))
    assert plain.value < 0.4
    assert knotty.value > 0.6
    assert str(knotty).startswith("hard 0.")
    assert "async" in knotty.reasons
    assert len(knotty.reasons) == 3


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"closures": 1}, "a closure"),
        ({"closures": 2}, "2 closures"),
        ({"try": 1}, "an exception handler"),
        ({"try": 3}, "3 exception handlers"),
        ({"loops": 2}, "2 loops"),
        ({"async": 1}, "async"),
        ({"async": 4}, "async"),
    ],
)
def test_reasons_read_well_in_every_number(counts: dict[str, int], words: str) -> None:
    assert judge("fix", counts).reasons == (words,)


@given(st.sampled_from([each.name for each in FEATURES]))
def test_what_is_one_is_never_many(name: str) -> None:
    assert not [reason for reason in judge("fix", {name: 1}).reasons if reason.startswith("1 ")]


def test_reading_is_easier_than_changing() -> None:
    counts = {"lines": 40, "loops": 2}
    assert judge("explain", counts).value < judge("fix", counts).value < judge("review", counts).value


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_feature_makes_it_harder(feature: object) -> None:
    name = feature.name  # type: ignore[attr-defined]  # parametrize gives no type
    assert judge("fix", {name: 60}).value > judge("fix", {}).value
    assert judge("fix", {name: 60}).reasons


@given(st.dictionaries(st.sampled_from([each.name for each in FEATURES]), st.integers(0, 10_000)))
def test_it_is_a_share_with_reasons_that_count(counts: dict[str, int]) -> None:
    found = judge("review", counts)
    assert 0 < found.value <= 1
    assert judge("review", counts) == found
