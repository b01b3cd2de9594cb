"""What reads a model's words comes to its end on texts that took a pattern minutes, hours or for ever.

Nothing here looks at a clock: each text is so long that a search which tries its parts against each other never ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tuppence.core.answer.answer_reading import _BINDS
from tuppence.core.answer.reply import Fence, Reply
from tuppence.core.checks import diagnostic_diff, generated_tests_reach, hunks, lost_code, placeholders
from tuppence.core.checks.doubts import import_tables, imports
from tuppence.core.checks.doubts.security import security_doubts
from tuppence.core.checks.hunks import Hunk
from tuppence.core.checks.invented_names import named
from tuppence.core.checks.literals import _LITERAL, _around, models
from tuppence.core.checks.placeholders import diff_in, elision_in
from tuppence.core.syntax.code_lines import CodeLine
from tuppence.core.syntax.languages import language
from tuppence.core.text.document import Document

LONG = 60_000
DOCUMENT = Document("file:///a.py", "python", 1, "x = 1\n")
GAPS = {
    "a gap in a comment": "# x" + " " * LONG + "x",
    "gaps in a comment": "# " + "x   " * (LONG // 4),
    "a gap behind the dots": "# ..." + " " * LONG + "rest",
    "a gap in a comment of two lines": "/* x" + " " * LONG + "*" * LONG,
    "dots": "... " * (LONG // 4),
    "words that are the rest of": "# " + "the rest of the " * (LONG // 16),
    "brackets": "[(<" * (LONG // 3),
}


@pytest.mark.attack("hostile sizes", "a long line where code may be left out")
@pytest.mark.parametrize("line", GAPS.values(), ids=GAPS)
def test_code_left_out_is_looked_for_in_short_lines(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    stands = placeholders._COMMENT

    class Pattern:
        def fullmatch(self, text: str) -> object:
            looked.append(len(text))
            return stands.fullmatch(text)

    monkeypatch.setattr(placeholders, "_COMMENT", Pattern())
    elision_in(line, "")
    assert looked == [min(len(" ".join(line.split())), placeholders._LONG)]


def test_a_placeholder_with_a_gap_is_still_one() -> None:
    assert elision_in("x = 1\n  #   ...   existing code   ...\n", "") == "#   ...   existing code   ..."


@pytest.mark.attack("hostile sizes", "marks of a conflict, over and over")
def test_marks_of_a_conflict_are_looked_for_once() -> None:
    begun = "<<<<<<< a\n=======\n" * (LONG // 18)
    assert not diff_in(Fence("", begun, closed=True), DOCUMENT)
    assert diff_in(Fence("", begun + ">>>>>>> b\n", closed=True), DOCUMENT)
    assert not diff_in(Fence("", ">>>>>>> b\n<<<<<<< a\n=======", closed=True), DOCUMENT)
    assert not diff_in(Fence("", "<<<<<<< a\nx\n>>>>>>> b\n", closed=True), DOCUMENT)


@pytest.mark.attack("hostile sizes", "a reply without a fence")
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (" " * LONG + "x", " " * LONG + "x"),
        ("x" + " " * LONG + "x", "x" + " " * LONG + "x"),
        ("x" + " \t" * LONG, "x"),
        (" \n" * LONG + "  x", "  x"),
        ("\r\n \r\tx\n\r\n ", "\tx"),
    ],
)
def test_blank_ends_of_a_reply_are_found_in_one_pass(reply: str, code: str) -> None:
    reading = Reply()
    reading.feed(reply)
    assert reading.finish().fences[0].text == code


def test_a_reply_of_blanks_holds_nothing() -> None:
    reading = Reply()
    reading.feed(" \n\t")
    assert not reading.finish().fences


@pytest.mark.attack("hostile sizes", "quotation marks, over and over")
@pytest.mark.parametrize(
    "make", [lambda n: '\\"' * n, lambda n: "`\\" * n, lambda n: "'" * n, lambda n: "x = '" + "\\" * n]
)
def test_literals_are_looked_for_near_their_beginning(make: Callable[[int], str]) -> None:
    assert models(Hunk(0, (make(4_000),), ("model = 'gpt-4'",)))[0] == ""


@pytest.mark.attack("hostile sizes", "runs of fence marks")
@pytest.mark.parametrize("text", ["`" * LONG, "~" * LONG, "~" * LONG + "\nx", "``" + " `" * 10_000])
def test_names_in_an_explanation_are_looked_for_in_one_pass(text: str) -> None:
    assert not named(text, "x = 1", language("python")).is_invented


@pytest.mark.attack("hostile sizes", "a long line above a definition")
@pytest.mark.parametrize("line", ["x" * LONG, "_" * LONG, "a_" * (LONG // 2), "a: " * (LONG // 3), "a:" * (LONG // 2)])
def test_the_name_that_a_line_binds_is_looked_for_near_its_beginning(line: str) -> None:
    assert _BINDS.match(line) is None


@pytest.mark.parametrize(
    ("line", "name"),
    [("x = 1", "x"), ("let x: int = 2", "x"), ("const $a = f()", "a"), ("self.y = 3", "y"), ("x == 1", "")],
)
def test_a_line_binds_a_name(line: str, name: str) -> None:
    found = _BINDS.match(line)
    assert (found[1] if found else "") == name


RUNS = {
    "letters": "x" * LONG,
    "underscores": "_" * LONG,
    "spaces": "a" + " " * LONG + "x",
    "tabs": "\t" * LONG + "x",
    "blank lines": "x" + "\n" * LONG + "x",
    "digits": "1" * LONG,
    "folders": "a/" * (LONG // 2),
    "generics": "a<" * (LONG // 2),
}
PATTERNS = {
    "lost_code._GUARD": lost_code._GUARD.match,
    "lost_code._CALL": lost_code._CALL.search,
    "lost_code._IMPORTS": lost_code._IMPORTS.match,
    "hunks._DEFINES": hunks._DEFINES.match,
    "diagnostic_diff._NUMBER": diagnostic_diff._NUMBER.search,
    "generated_tests_reach._MODULE": generated_tests_reach._MODULE.search,
    "imports._GO_EMBED": imports._GO_EMBED.search,
    "imports._C_FILE": imports._C_FILE.search,
    "imports._C_MACRO": imports._C_MACRO.search,
    "imports._DEFINE": imports._DEFINE.search,
    "the hint of C": import_tables.FAMILIES["include"].hint.search,
}


@pytest.mark.attack("hostile sizes", "a run of one character")
@pytest.mark.parametrize("search", PATTERNS.values(), ids=PATTERNS)
def test_a_run_is_read_once(search: Callable[[str], object], record_property: Callable[[str, object], None]) -> None:
    record_property("cases", len(RUNS))
    for what, text in RUNS.items():
        assert search(text) is None, what


@pytest.mark.attack("hostile sizes", "quotation marks where SQL may be")
@pytest.mark.parametrize(
    "text",
    [
        "'" * 1_000,
        '"' + "'" * 998,
        "`" * 1_000,
        "'UPDATE " * 70 + " SET" * 100,
        "'INSERT INTO" + "'" * 980,
        "f'" + "'" * 998,
    ],
    ids=lambda text: text[:8],
)
def test_sql_is_looked_for_in_one_pass(text: str) -> None:
    line = CodeLine(text, text, text, "")
    assert not security_doubts([], [line] * 50, "python")


def test_sql_that_is_composed_is_still_a_doubt() -> None:
    for text in (
        """x = "SELECT a FROM b WHERE c = '%s'" % d""",
        """x = 'UPDATE "a" SET b = ' + c""",
        '''x = """INSERT INTO a VALUES (""" + b''',
        "x = 'it' 'UPDATE a SET b = ' + c",
    ):
        line = CodeLine(text, text, text, "")
        assert "composes SQL from text" in " ".join(security_doubts([], [line], "python")), text


@pytest.mark.attack("hostile sizes", "literals that may name a model")
def test_what_a_line_speaks_of_is_looked_for_near_a_literal() -> None:
    line = "x = [" + "".join(f"'yi-{at}'," for at in range(LONG // 9)) + "]"
    assert models(Hunk(0, (line,), ("model = 'yi-0'",)))[0] == ""
    assert len(_around(next(each for each in _LITERAL.finditer(line) if each.start() > LONG // 2))) < 1_000


@pytest.mark.attack("hostile sizes", "many new lines for many old ones")
def test_each_new_line_is_paired_once() -> None:
    class Lines(tuple[str, ...]):
        __slots__ = ()
        read = 0

        def __iter__(self) -> Iterator[str]:
            Lines.read += len(self)
            return super().__iter__()

    for old, new in ((1_000, 30_000), (7, 3), (3, 7), (5, 0)):
        Lines.read = 0
        come = Lines(str(at) for at in range(new))
        found = list(hunks.singly(Hunk(0, ("",) * old, come)))
        assert [text for each in found for text in each.new] == list(map(str, range(new)))
        assert Lines.read <= 2 * new
