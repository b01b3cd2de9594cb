"""A document with and without an earlier answer: mapping of positions, and edits that are already applied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.answer.earlier import EarlierAnswer, without
from tuppence.core.text.document import Document, Edit, Span, apply

BEFORE = "import a\n\ndef f():\n    one\n\nend\n"
AFTER = "import a\nimport b\n\ndef f():\n    two\n    three\n\nend\n"
OLD, NEW = "def f():\n    one", "def f():\n    two\n    three"
AT = len("import a\n")


def earlier(*, has_imports: bool = False) -> EarlierAnswer:
    """Return the example."""
    start = AFTER.index(NEW)
    return without(
        Document("u", "python", 7, AFTER),
        (Span(start, start + len(NEW)), OLD),
        [(Span(AT, AT + len("import b\n")), "")],
        runs=("r",),
        has_imports=has_imports,
    )


def edits(code: str, imports: str = "") -> tuple[Edit, ...]:
    """Return an answer to the original."""
    start = BEFORE.index(OLD)
    found = (Edit(Span(start, start + len(OLD)), code),)
    return (Edit(Span(AT, AT), imports), *found) if imports else found


def test_the_original_is_the_text_before_and_no_version_of_the_document() -> None:
    found = earlier()
    assert found.original == Document("u", "python", None, BEFORE)
    assert found.original.slice(found.target.place) == OLD
    [part] = found.others
    assert (part.text, part.before, part.place) == ("import b\n", "", Span(AT, AT))


def test_imports_that_may_be_needed_stay_in_the_original_and_can_be_put_back() -> None:
    found = earlier(has_imports=True)
    assert found.original.text == BEFORE.replace("import a\n", "import a\nimport b\n")
    assert found.original.slice(found.target.place) == OLD
    [part] = found.others
    assert (found.original.slice(part.place), part.before) == ("import b\n", "")


@pytest.mark.parametrize(
    ("code", "imports", "repeated"),
    [
        (NEW, "import b\n", True),
        (NEW, "", True),
        (NEW, "import c\n", False),
        (NEW, "import b\nimport c\n", False),
        (OLD, "", False),
        (OLD, "import b\n", False),
        (f"{NEW}\n", "import b\n", False),
        (NEW.replace("two", "2"), "import b\n", False),
    ],
)
def test_which_edits_say_what_is_there(code: str, imports: str, *, repeated: bool) -> None:
    assert earlier().is_repeated_by(edits(code, imports)) is repeated


def test_a_line_that_is_edited_by_itself_counts_as_the_whole_target() -> None:
    start = BEFORE.index("    one")
    assert earlier().is_repeated_by((Edit(Span(start, start + 7), "    two\n    three"),))
    assert not earlier().is_repeated_by((Edit(Span(start, start + 7), "    two"),))


def test_what_lies_elsewhere_is_found_in_both() -> None:
    found = earlier()
    for word in ("import a", "end"):
        at = BEFORE.index(word)
        assert found.document.slice(found.landing(Span(at, at + len(word)))) == word


PIECES = st.lists(st.tuples(st.text("ab\r\n🐍", max_size=4), st.text("xy\n", max_size=4), st.text("z", max_size=3)))


@given(PIECES, st.text("ab", max_size=3), st.booleans(), st.data())
def test_putting_back_part_by_part_gives_the_original(
    pieces: list[tuple[str, str, str]],
    end: str,
    has_imports: bool,  # noqa: FBT001 - drawn by Hypothesis
    data: st.DataObject,
) -> None:
    pieces = [(f"{between} ", f"{now}.", before) for between, now, before in [*pieces, ("", "t", "o")]]
    text, spans = "", []
    for between, now, before in pieces:
        text += between
        spans.append((Span(len(text), len(text) + len(now)), before))
        text += now
    target = data.draw(st.sampled_from(spans))
    others = [each for each in spans if each is not target]
    document = Document("u", "python", 1, text + end)
    found = without(document, target, others, runs=(), has_imports=has_imports)
    parts = (found.target, *found.others)
    assert [part.before for part in (found.target, *found.others)] == [target[1], *(each[1] for each in others)]
    for part in parts:
        was = found.original.slice(part.place)
        assert was == (part.text if has_imports and part is not found.target else part.before)
    # From the original the document comes back, edit by edit.
    again = apply(found.original.text, [Edit(part.place, part.text) for part in parts])
    assert again == document.text
    assert found.is_repeated_by([Edit(part.place, part.text) for part in parts])
