"""Spans arranged by how they are nested, compared with looking at each span."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.references import referenced_by
from tuppence.core.text.document import Document, Span
from tuppence.core.text.nesting import Level, nested

END = 40
spans = st.builds(lambda ends: Span(*sorted(ends)), st.tuples(st.integers(0, END), st.integers(0, END)))
many_spans = st.lists(spans, max_size=20).map(lambda found: sorted(found, key=lambda span: (span.start, -span.end)))


def are_nested(one: Span, other: Span) -> bool:
    """Return whether one lies in the other or they share no code point."""
    return one.covers(other) or other.covers(one) or one.end <= other.start or other.end <= one.start


@st.composite
def definitions(draw: st.DrawFn) -> list[Span]:
    """Return spans as those of definitions are: none is empty, and none overlaps another that it does not lie in."""
    found: list[Span] = []
    for span in draw(many_spans):
        if span and all(are_nested(span, each) for each in found):
            found.append(span)
    return found


def outermost(found: list[Span], chosen: list[int]) -> list[int]:
    """Return those of the chosen spans that do not lie in one chosen before them."""
    kept: list[int] = []
    reached = -1
    for index in chosen:
        if found[index].end > reached:
            kept.append(index)
            reached = found[index].end
    return kept


def each_level(level: Level) -> list[Level]:
    return [level, *(deep for inner in level.inner.values() for deep in each_level(inner))]


@given(definitions(), spans)
def test_the_outermost_spans_apart_from_a_span_are_those_found_by_looking_at_each(
    found: list[Span], here: Span
) -> None:
    assert nested(found).apart(here) == outermost(
        found, [index for index, each in enumerate(found) if not each.touches(here)]
    )


@given(many_spans, spans)
def test_the_spans_around_a_span_are_those_found_by_looking_at_each(found: list[Span], here: Span) -> None:
    around = [index for index, _ in nested(found).around(here)]
    assert sorted(around) == [index for index, each in enumerate(found) if each.covers(here)]
    assert all(not found[inner].covers(found[outer]) or inner < outer for inner, outer in pairwise(around))


@given(many_spans)
def test_each_span_has_one_place_and_a_level_is_in_order(found: list[Span]) -> None:
    levels = each_level(nested(found))
    assert sorted(index for level in levels for index in level.members) == list(range(len(found)))
    for level in levels:
        for one, other in pairwise(found[index] for index in level.members):
            assert one.start <= other.start
            assert one.end < other.end


def test_thousands_of_nested_spans_need_no_recursion() -> None:
    deep = [Span(at, 10_000 - at) for at in range(4_000)]
    found = nested(deep)
    assert len(list(found.around(Span(5_000, 5_000)))) == 4_000
    assert found.apart(Span(5_000, 5_000)) == []
    assert found.apart(Span(0, 0)) == [1]


def lines_looked_up(functions: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many offsets are looked up for a second request about a file of so many functions."""
    text = "RATE = 2\n\n\n" + "".join(
        f"def f{n}(a):\n    b = f{n + 1}(a)\n    return b * RATE\n\n\n" for n in range(functions)
    )
    tree = parse(text, language("python"))
    blocks = tree.blocks()
    referenced_by(tree, blocks[0].span)
    count = 0
    line_at = Document.line_at

    def counted(document: Document, offset: int) -> int:
        nonlocal count
        count += 1
        return line_at(document, offset)

    with monkeypatch.context() as patched:
        patched.setattr(Document, "line_at", counted)
        found = referenced_by(tree, blocks[functions // 2].span)
    assert found == ("RATE = 2", tree.lines.slice(blocks[functions // 2 + 1].span).strip())
    return count


def test_a_second_request_about_a_file_does_not_look_at_each_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_looked_up(2_000, monkeypatch) == lines_looked_up(200, monkeypatch) < 20
