"""The fewest edits between two lists of lines: right for any, and quick for those that are all alike."""

from __future__ import annotations

import random
from collections.abc import Callable
from difflib import SequenceMatcher
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from work import lines as lines_run

from tuppence.core.text import diff
from tuppence.core.text.diff import common_ends, differences, longer_ends, matches, single_edit
from tuppence.core.text.document import Edit, Span, apply
from tuppence.lsp.output.regions import Change, PendingEdits, Region

FEW = st.lists(st.sampled_from(["}", "{", "", "x", "y"]), max_size=40)
BRACES = [random.Random(7).choice(["{", "}", "  {", "  }"]) for _ in range(500)]  # noqa: S311 - no secrets


def patched(old: list[str], new: list[str]) -> list[str]:
    """Return the old lines with what differs put in its place."""
    result = list(old)
    for first, last, low, high in reversed(differences(old, new)):
        result[first:last] = new[low:high]
    return result


@given(FEW, FEW)
def test_common_ends_are_those_of_a_comparison_item_by_item(old: list[str], new: list[str]) -> None:
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    tail = next((at for at in range(shorter - head) if old[-1 - at] != new[-1 - at]), shorter - head)
    assert common_ends(old, new) == common_ends(old, tuple(new)) == (head, tail)
    assert common_ends("".join(f"{each:1}" for each in old), "".join(f"{each:1}" for each in new)) == (head, tail)


@given(st.text("ab", max_size=300), st.text("ab", max_size=5), st.text("ab", max_size=300), st.integers(0, 9))
def test_common_ends_of_which_some_is_known_are_the_same(before: str, new: str, after: str, less: int) -> None:
    old = before + after
    whole = common_ends(old, before + new + after)
    known = (max(0, len(before) - less), max(0, len(after) - less))
    span = Span(3, 3 + len(old))
    assert longer_ends(f"...{old}...", span, before + new + after, known) == whole
    assert longer_ends(f"...{old}...", span, before + new + after, (0, 0)) == whole
    assert longer_ends(f"...{old}...", span, old, (len(old), len(old))) == (len(old), 0)


@given(st.text("ab\n", max_size=12), st.text("ab\n", max_size=12))
def test_a_single_edit_makes_one_text_of_another_and_is_none_where_they_are_equal(old: str, new: str) -> None:
    edits = single_edit(old, new)
    assert apply(old, edits) == new
    assert (edits == ()) is (old == new)


@given(FEW, FEW, st.sampled_from([0, 3, 10_000]), st.sampled_from([0, 2, 64]))
def test_what_differs_makes_the_new_of_the_old_whatever_way_it_is_found(
    old: list[str], new: list[str], pairs: int, few: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff, "_PAIRS", pairs)
        patch.setattr(diff, "_FEW", few)
        patch.setattr(diff, "_RARE", 2)
        assert patched(old, new) == new
        ranges = differences(old, new)
    assert all(one[1] <= two[0] and one[3] <= two[2] for one, two in pairwise(ranges))
    assert all(first < last or low < high for first, last, low, high in ranges)


def interleaved(count: int) -> list[str]:
    return [line for number in range(count) for line in (f"x{number}", "}")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["}"] * 500, interleaved(250)),
        (BRACES, BRACES[250:] + BRACES[:250]),
        (["{", "}"] * 250, ["x", *["}", "{"] * 249, "y"]),
        (["}"] * 5000, interleaved(2500)),
        ([*BRACES, *interleaved(500)], [*interleaved(500), *BRACES]),
    ],
)
def test_lines_that_are_all_alike_cost_little(old: list[str], new: list[str]) -> None:
    result, ran = lines_run(lambda: patched(old, new))
    assert result == new
    print(f"{ran / (len(old) + len(new)):.1f} lines of code a line of text")
    assert ran / (len(old) + len(new)) < 25


def test_a_few_changes_among_braces_are_found_as_such() -> None:
    new = list(BRACES)
    for at in range(0, 500, 20):
        new[at] = f"new {at}"
    assert sum(high - low for _, _, low, high in differences(BRACES, new)) == 25


def test_a_replacement_everywhere_during_a_flight_costs_little() -> None:
    text = "".join(f"value_{number} = old\n" for number in range(20_000))
    where = [found for found in range(0, len(text), 3000) if text.find("old", found) >= 0]
    edits = [Edit(Span(at, at + 3), "newer") for at in sorted({text.find("old", each) for each in where}, reverse=True)]
    assert len(edits) > 100
    target = Region(Span(0, 5), text[:5], "v")
    flight = PendingEdits([Change(target, Edit(Span(at, at + 1), "")) for at in range(5)])
    found, ran = lines_run(lambda: flight.find(text, edits))
    assert found is None
    print(f"{ran / len(edits):.1f} lines an edit")
    assert ran / len(edits) < 800


@pytest.mark.attack("hostile sizes", "lines that are everywhere, in an answer")
def test_runs_of_equal_lines_are_found_without_comparing_all_pairs(
    record_property: Callable[[str, object], None],
) -> None:
    shapes = [
        ([f"a{at}" if at % 2 else "" for at in range(3_000)], [f"b{at}" if at % 2 else "" for at in range(6_000)]),
        (["}"] * 3_000, ["x", "}"] * 3_000),
        ([""] * 3_000 + ["end"], ["end"] + [""] * 6_000),
    ]
    record_property("cases", len(shapes))
    for old, new in shapes:
        found = list(matches(old, new))
        assert found
        at = there = 0
        for first, low, size in found:
            assert first >= at
            assert low >= there
            assert old[first : first + size] == new[low : low + size]
            at, there = first + size, low + size


@given(old=st.lists(st.sampled_from("abc}")), new=st.lists(st.sampled_from("abc}")))
def test_runs_of_equal_lines_are_the_libraries_where_there_are_few(old: list[str], new: list[str]) -> None:
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    assert list(matches(old, new)) == [tuple(block) for block in blocks if block.size]
