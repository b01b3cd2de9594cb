"""How hard a request is, and what stands out in its code: from the code, and never easy for want of a signal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS
from tuppence.core.routing.difficulty import FEATURES, PLAIN, Difficulty, outstanding
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Span

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


@pytest.mark.parametrize("action", [each.id for each in ACTIONS])
def test_difficulty_is_the_share_of_measured_answers_that_is_expected_to_miss(action: str) -> None:
    models, measured = shipped().models.values(), shipped().measured_id(action)
    usual = 1 - sum(each.quality[measured] for each in models) / len(models)
    unknown = shipped().gain(action, "python", None)
    assert (unknown.difficulty, unknown.reasons) == (None, ("the code is not known",))
    assert unknown.usual == pytest.approx(usual)
    known = shipped().gain(action, "python", KNOTTY)
    if measured == "tests":
        assert known.difficulty == unknown.usual, "what code says of tests was not fitted"
        return
    shifts = [each.quality[measured] + known.shifts[name] for name, each in shipped().models.items()]
    assert known.difficulty == pytest.approx(1 - sum(shifts) / len(shifts), abs=0.02)
    assert set(known.shifts.values()) == {0.0}, "code unlike what was measured says nothing of the models"


def test_what_stands_out_is_named() -> None:
    tree = parse(KNOTTY, language("python"))
    knotty = outstanding(tree.counts(Span(0, len(KNOTTY))))
    assert "async" in knotty
    assert len(knotty) == 3
    assert outstanding(parse("def f():\n    return 1\n", language("python")).counts(Span(0, 21))) == ()
    assert str(Difficulty(0.376, knotty)) == f"0.38: {', '.join(knotty)}"
    assert str(Difficulty(0.376, ())) == f"0.38: {PLAIN}"


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
    assert outstanding(counts) == (words,)


@given(st.sampled_from([each.name for each in FEATURES]))
def test_what_is_one_is_never_many(name: str) -> None:
    assert not [reason for reason in outstanding({name: 1}) if reason.startswith("1 ")]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_feature_stands_out_where_there_is_much_of_it(feature: object) -> None:
    name = feature.name  # type: ignore[attr-defined]  # parametrize gives no type
    assert len(outstanding({name: 60})) == 1


@given(st.dictionaries(st.sampled_from([each.name for each in FEATURES]), st.integers(0, 10_000)))
def test_no_more_is_named_than_is_read(counts: dict[str, int]) -> None:
    assert len(outstanding(counts)) <= min(3, len(counts))
    assert outstanding(counts) == outstanding(dict(reversed(counts.items())))
