"""Changed lines that the request explains, and lines that it did not ask for."""

from __future__ import annotations

import pytest

from tuppence.core.checks.hunks import Hunk, hunks, unasked, words
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Edit, Span

LINES = [f"row_{n} = make_{n}(left_{n}, right_{n})" for n in range(20)]
BLOCK = """\
alpha = 1
beta = 2
gamma = 3
delta = 4
for item in basket:
    weigh(item)

    pack(item)
    label(item)
else:
    close(basket)
    tidy(table)
    rest(hands)
    lock(door)
epsilon = 5
zeta = 6
eta = 7
theta = 8
"""
METHOD = """\
def settle(account):
    opened = account.open()
    counted = opened.count()
    checked = counted.check()
    written = checked.write()
    closed = written.close()
    return closed
"""


def changed(before: str, edits: dict[str, str]) -> tuple[Document, tuple[Hunk, ...]]:
    """Return a document and its hunks after one edit of the whole, made of replacements that occur once."""
    after = before
    for old, new in edits.items():
        assert after.count(old) == 1, old
        after = after.replace(old, new)
    document = Document("file:///a.py", "python", 1, before)
    return document, hunks(document, [Edit(Span(0, len(before)), after)])


def check(before: str, edits: dict[str, str], about: tuple[str, str], expected: list[str]) -> None:
    """Compare the lines that nobody asked about; a line that only comes is named by what it is to be."""
    document, found = changed(before, edits)
    at, message = about
    diagnostic = Diagnostic(Span(before.index(at), before.index(at) + len(at)), message)
    stray = unasked(found, document, [diagnostic])
    assert [line for hunk in stray for line in hunk.old or hunk.new] == expected


def rows(*numbers: int) -> dict[str, str]:
    """Return edits of these lines that bring and take no name of any other."""
    return {LINES[n]: f"row_{n} = make_{n}(left_{n}, right_{n}, extra_{n})" for n in numbers}


def test_three_lines_to_either_side_of_a_diagnostic_are_near() -> None:
    check(
        "\n".join(LINES), rows(5, 6, 7, 9, 13, 14, 15), ("make_10", "wrong"), [LINES[5], LINES[6], LINES[14], LINES[15]]
    )


def test_without_a_diagnostic_every_line_may_be_meant() -> None:
    document, found = changed("\n".join(LINES), rows(3, 15))
    assert len(found) == 2
    assert unasked(found, document, []) == ()


def test_a_diagnostic_at_the_end_of_the_text_is_about_its_last_lines() -> None:
    text = "\n".join(LINES)
    document, found = changed(text, rows(2, 18))
    beyond = Diagnostic(Span(len(text) + 5, len(text) + 9), "unexpected end of file")
    assert [hunk.old for hunk in unasked(found, document, [beyond])] == [(LINES[2],)]


def test_a_statement_with_a_block_stands_for_all_of_the_block() -> None:
    edits = {"lock(door)": "lock(gate)", "label(item)": "label(thing)", "theta = 8": "theta = 9"}
    check(BLOCK, edits, ("for", "loop can be simpler"), ["theta = 8"])


def test_a_block_ends_with_what_stands_as_deep_and_does_not_go_on() -> None:
    # The fourth line behind the loop is no longer near it.
    check(BLOCK, {"eta = 7\nt": "eta = 70\nt", "theta = 8": "theta = 80"}, ("for", "slow"), ["theta = 8"])
    check(BLOCK, {"alpha = 1": "alpha = 10", "beta = 2": "beta = 20"}, ("for", "slow"), ["alpha = 1"])


def test_a_definitions_first_line_stands_for_all_of_it_only_where_the_message_does() -> None:
    far = {"closed = written.close()": "closed = written.shut()"}
    check(METHOD, far, ("settle", "first line should be in imperative mood"), ["    closed = written.close()"])
    check(METHOD, far, ("settle", "`settle` is too complex (12 > 10)"), [])


@pytest.mark.parametrize(
    ("about", "asked"),
    [
        (("make_2", "wrong"), True),
        (("row_2 = make_2(left_2", "wrong"), True),
        ((LINES[2], "wrong"), False),
        (("left_2", "`make_2` is gone"), True),
        (("left_2", "make_2 is gone"), False),
    ],
    ids=["it marks the name", "it marks three", "it marks a whole line", "it quotes the name", "it only says it"],
)
def test_a_name_that_a_diagnostic_marks_or_quotes_is_a_reason_anywhere(about: tuple[str, str], *, asked: bool) -> None:
    far = "total = make_2(others)"
    check("\n".join((*LINES, far)), {far: "total = made_2(others)"}, about, [] if asked else [far])


def test_a_name_that_the_marked_line_gains_or_loses_is_a_reason_anywhere() -> None:
    text = "\n".join((*LINES[:10], "count = row_1", "shown = row_5", "cents = row_9"))
    renamed = {LINES[1]: LINES[1].replace("row_1", "first"), "count = row_1": "count = first"}
    check(text, renamed, ("left_1", "bad"), [])
    # What a line only near by gains is none.
    check(text, {**rows(3), "shown = row_5": "shown = extra_3"}, ("left_1", "bad"), ["shown = row_5"])
    check(text, {**rows(1), "shown = row_5": "shown = extra_1"}, ("left_1", "bad"), [])


def test_words_of_every_line_and_single_letters_are_no_reason() -> None:
    assert words(["if self.x is None and total_2:", "return True"]) == {"total_2"}
    text = "\n".join(("for self in a:", *LINES[:8], "self.a = 1"))
    check(text, {"self.a = 1": "self.a = 2"}, ("self in a", "bad"), ["self.a = 1"])


def test_lines_that_only_come_or_go_count_too() -> None:
    text = "\n".join(LINES)
    check(text, {f"{LINES[15]}\n": f"{LINES[15]}\nadded = 1\n"}, ("make_2", "bad"), ["added = 1"])
    check(text, {f"{LINES[15]}\n": ""}, ("make_2", "bad"), [LINES[15]])
    check(text, {f"{LINES[3]}\n": f"{LINES[3]}\nadded = 1\n"}, ("make_2", "bad"), [])


def test_a_hunk_is_told_line_by_line() -> None:
    text = "\n".join(LINES)
    document, found = changed(text, rows(4, 5, 6, 7))
    assert [(hunk.first, len(hunk.old), hunk.size) for hunk in found] == [(4, 4, 4)]
    near = Diagnostic(Span(text.index("make_2"), text.index("make_2") + 6), "bad")
    assert [(hunk.first, hunk.old, hunk.new) for hunk in unasked(found, document, [near])] == [
        (n, (LINES[n],), (rows(n)[LINES[n]],)) for n in (6, 7)
    ]


def test_white_space_is_no_change() -> None:
    deeper = {line: f"    {line}" for line in LINES[3:8]}
    assert changed("\n".join(LINES), deeper)[1] == ()
    assert changed("a = 1\nb = 2\n", {"a = 1\n": "a = 1\n\n\n"})[1] == ()


def test_what_follows_a_hunk_is_the_first_line_that_stays() -> None:
    text = "a = 1\nb = 2\nc = 3"
    assert changed(text, {"b = 2": "b = 4"})[1] == (Hunk(1, ("b = 2",), ("b = 4",), "c = 3"),)
    assert changed(text, {"c = 3": "c = 4"})[1] == (Hunk(2, ("c = 3",), ("c = 4",), ""),)
    assert changed(text, {"b = 2\n": "b = 4\n\nd = 5\n"})[1][0].size == 2
