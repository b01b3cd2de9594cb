"""A reply in another unit of indentation gets the file's; text, alignment and what is not certain stay."""

from __future__ import annotations

import io
import random
import tokenize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_code import definitions
from strategies import EXAMPLES
from work import lines as lines_run

from tuppence.core.answer.indent_unit import to_file_unit
from tuppence.core.syntax.languages import language
from tuppence.core.text.document import Document, Span

BODY = "        if a:\n            return 1\n        return 2"
CODE = f"class A:\n«    def f(self, a):\n{BODY}»\n\n    def g(self):\n        pass\n"
NUMBER = 60 if EXAMPLES else 30
"""Pieces of real code."""
UNITS = ["\t", "  ", "   ", "    ", "        "]


def run(reply: str, around: str = CODE, language_id: str = "python", newline: str = "\n") -> str | None:
    """Convert a reply for the place between the marks « and »."""
    around = around.replace("\n", newline)
    start, end = around.index("«"), around.index("»") - 1
    document = Document("", language_id, 1, around.replace("«", "").replace("»", ""))
    lines = to_file_unit(reply.split("\n"), document, Span(start, end), language(language_id))
    return None if lines is None else "\n".join(lines)


def units(text: str, unit: str) -> str:
    """Return a text in four spaces in another unit."""
    lines = []
    for line in text.split("\n"):
        body = line.lstrip(" ")
        depth, rest = divmod(len(line) - len(body), 4)
        lines.append(unit * depth + " " * rest + body)
    return "\n".join(lines)


NEW = "    def f(self, a):\n        if a:\n            return 3\n        return 2"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mine", UNITS)
@pytest.mark.parametrize("files", UNITS)
def test_any_unit_becomes_the_files(files: str, mine: str, newline: str) -> None:
    around = units(CODE.replace("«    def", "    «def"), files).replace(f"{files}«", f"«{files}")
    expected = units(NEW, files) if files != mine else None
    assert run(units(NEW, mine), around, newline=newline) == expected


@pytest.mark.parametrize("mine", UNITS)
@pytest.mark.parametrize("files", UNITS)
def test_a_reply_at_the_margin_stays_there(files: str, mine: str) -> None:
    around = units(CODE.replace("«    def", "    «def"), files).replace(f"{files}«", f"«{files}")
    dedented = "\n".join(line[4:] for line in NEW.split("\n"))
    expected = units(dedented, files) if files != mine else None
    assert run(units(dedented, mine), around) == expected


@pytest.mark.parametrize("mine", UNITS)
@pytest.mark.parametrize("files", UNITS)
def test_a_reply_at_the_files_margin_in_its_own_unit(files: str, mine: str) -> None:
    around = units(CODE.replace("«    def", "    «def"), files).replace(f"{files}«", f"«{files}")
    dedented = "\n".join(line[4:] for line in NEW.split("\n"))
    mixed = "\n".join(files + line for line in units(dedented, mine).split("\n"))
    result = run(mixed, around)
    # Tabs after spaces, and spaces after tabs, are one indentation of which nothing says where it parts.
    assert result in ((units(NEW, files), None) if files != mine else (None,))
    assert result is not None or files == mine or "\t" in (files, mine)


def test_one_line_in_the_other_kind_of_white_space() -> None:
    tabs = "func f() {\n\tif a {\n«\t\tretrun 1»\n\t}\n}\n"
    assert run("        return 1", tabs, "go") == "\t\treturn 1"
    assert run("    return 1", tabs, "go") == "\t\treturn 1"
    assert run("\treturn 1", "if a:\n«    retrun 1»\nif b:\n    pass\n") == "    return 1"
    assert run("return 1", tabs, "go") is None
    assert run("     return 1", tabs, "go") is None
    assert run("  return 1", "if a:\n«    retrun 1»\nif b:\n    pass\n") is None


def test_what_is_aligned_stays_aligned() -> None:
    around = "func f() {\n«\tif a {\n\t\tg(1, 2)\n\t}»\n}\n"
    reply = "    if a {\n        g(1,\n          2)\n        h(\n            3)\n    }"
    assert run(reply, around, "go") == "\tif a {\n\t\tg(1,\n\t\t  2)\n\t\th(\n\t\t\t3)\n\t}"
    odd = "    if a {\n        x := 1 +\n              2\n    }"
    assert run(odd, around, "go") == "\tif a {\n\t\tx := 1 +\n\t\t\t  2\n\t}"
    comment = "    /*\n     * a\n     */\n    if a {\n        g(1, 2)\n    }"
    assert run(comment, around, "go") == "\t/*\n\t * a\n\t */\n\tif a {\n\t\tg(1, 2)\n\t}"


def test_a_string_is_text() -> None:
    around = 'def f():\n«\tif a:\n\t\tx = """\n\t\ta\n  b\n"""»\n\ndef g():\n\tpass\n'
    same = 'def f():\n    if a:\n        x = """\n        c\n  b\n"""\n        y()'
    assert run(same, around.replace("def f():\n«\t", "«def f():\n\t")) == (
        'def f():\n\tif a:\n\t\tx = """\n        c\n  b\n"""\n\t\ty()'
    )


def test_a_docstring_that_did_not_change_does_not_change() -> None:
    around = '«def f():\n\t"""A.\n\n\tB\n\t\tc.\n\t"""\n\treturn 1»\n'
    reply = '    """A.\n\n    B\n        c.\n    D.\n    """\n    return 2'
    assert run(f"def f():\n{reply}", around) == ('def f():\n\t"""A.\n\n\tB\n\t\tc.\n    D.\n\t"""\n\treturn 2')


@pytest.mark.parametrize(
    ("reply", "around", "language_id"),
    [
        (NEW, CODE, "python"),
        ("x = 1", CODE, "python"),
        ("", CODE, "python"),
        ("\n\n", CODE, "python"),
        ("a:\n  b", "«a:\n    b»\nc:\n    d:\n        e\n", "yaml"),
        ("- a\n    - b", "«- a\n  - c»\n- d\n  - e\n", "markdown"),
        ("all:\n    x", "«all:\n\ty»\n", "makefile"),
        ("f x =\n    1", "«f x =\n  2»\n", "haskell"),
        ("if a; then\n    b\nfi", "«if a; then\n\tc\nfi»\n", "shellscript"),
        ("if a\n    x = <<~B\n      c\n    B\nend", "«if a\n\td\nend»\n", "ruby"),
        ("if a\n    x = 'b\n    c'\nend", "«if a\n\td\nend»\n", "ruby"),
        ("if a:\n \tb\n\tc", "«if a:\n    b»\nif d:\n    e\n", "python"),
        ("if a:\n    b", "«c»\n", "python"),
        ("if a:\n  b\nelse:\n    c", "«if a:\n    c»\nif d:\n    e\n", "python"),
        ("g(\n        1)", "«g(2)»\nif a:\n    b\nif c:\n    d\n", "python"),
        ("      if a:\n          b", CODE, "python"),
        ("if a {\n    b()\n}", "«x»\n\ty\n z\n  u\n", "go"),
    ],
)
def test_what_is_not_certain_stays(reply: str, around: str, language_id: str) -> None:
    assert run(reply, around, language_id) is None


def test_languages_without_a_grammar() -> None:
    around = "«if a\n\tb = 'c'\nend»\n"
    assert run("if a\n  b = 'd'  # e's\nend", around, "ruby") == "if a\n\tb = 'd'  # e's\nend"
    assert run("if (a) {\n    b();\n}", "«if (a) {\n\tc();\n}»\n", "php") == "if (a) {\n\tb();\n}"
    assert run('if a {\n    b("""\n    c\n    """)\n}', "«if a {\n\tc()\n}»\n", "swift") == (
        'if a {\n\tb("""\n    c\n    """)\n}'
    )


def read(text: str) -> tuple[list[int], set[int]]:
    """Return the lines of Python that begin in no bracket and no string, and those that begin in a string."""
    lines, strings, is_first = [], set(), True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            continue
        if token.type == tokenize.STRING or "FSTRING" in tokenize.tok_name[token.type]:
            strings |= set(range(token.start[0], token.end[0]))
        if is_first:
            lines.append(token.start[0] - 1)
        is_first = token.type == tokenize.NEWLINE
    return lines, strings


def converted(code: str, files: str, mine: str, outer: int) -> tuple[list[str] | None, list[str], list[str]]:
    """Return a reply in one unit, to real code in another: as converted, as it should be, and as it was."""
    lines = code.rstrip("\n").split("\n")
    _, strings = read(code)

    def written(unit: str) -> list[str]:
        moved = [f"{'    ' * outer}{line}" if line.strip() else line for line in lines]
        return [line if at in strings else units(moved[at], unit) for at, line in enumerate(lines)]

    old, new = written(files), written(mine)
    head = "".join(f"{files * at}class Z:\n" for at in range(outer))
    block = "\n".join(old)
    document = Document("", "python", 1, f"{head}{block}\n\n\ndef z():\n{files}pass\n")
    target = Span(len(head), len(head) + len(block))
    return to_file_unit(new, document, target, language("python")), old, new


@pytest.mark.parametrize("files", ["\t", "  ", "    "])
def test_real_code_in_the_files_unit_stays(files: str) -> None:
    for code in definitions(NUMBER):
        dice = random.Random(len(code))  # noqa: S311
        whole = code.rstrip("\n").split("\n")
        lines = [units(line, files) for line in whole]
        document = Document("", "python", 1, "\n".join([*lines, ""]))
        reply = [line.replace("e", "x") if dice.random() < dice.random() else line for line in lines]
        at = dice.randrange(len(reply))
        reply[at:at] = [f"{reply[at][: len(reply[at]) - len(reply[at].lstrip())]}if new:", f"{files * 3}pass"]
        assert to_file_unit(reply, document, Span(0, len(document.text) - 1), language("python")) is None


PAIRS = [(files, mine) for files in ("\t", "  ", "    ") for mine in ("\t", "  ", "    ") if files != mine]


@pytest.mark.parametrize("outer", [0, 1])
@pytest.mark.parametrize(("files", "mine"), PAIRS)
def test_real_code(files: str, mine: str, outer: int) -> None:
    right = wrong = 0
    for code in definitions(NUMBER):
        result, old, new = converted(code, files, mine, outer)
        if result is None:
            continue
        assert [line.strip() for line in result] == [line.strip() for line in old]
        is_right = all(result[at] == old[at] for at in read(code)[0])
        right, wrong = right + is_right, wrong + (not is_right)
        assert result != new
    print(f"{files!r} from {mine!r}, {outer} deep: {right} of {NUMBER} right, {wrong} wrong")
    assert right >= 0.9 * NUMBER
    assert not wrong


LINES = st.sampled_from(
    ["if a:", "else:", "  b", "    b", "\tb", "\t\tc", "        c", '"""', "(", ")", "", "# d", " \te", "f(1,"]
)
TABS = units(CODE.replace("«    def", "    «def"), "\t").replace("\t«", "«\t")


@settings(max_examples=EXAMPLES or 400, deadline=None)
@given(
    st.lists(LINES, min_size=1, max_size=8),
    st.sampled_from([CODE, units(CODE.replace("«    def", "    «def"), "\t").replace("\t«", "«\t")]),
)
def test_nothing_but_white_space_before_lines_changes(lines: list[str], around: str) -> None:
    result = run("\n".join(lines), around)
    if result is not None:
        assert [line.strip() for line in result.split("\n")] == [line.strip() for line in lines]


def test_long_replies_cost_no_square() -> None:
    def cost(count: int) -> int:
        reply = "def f():\n" + "    if a:\n        b(1,\n          2)\n" * count
        return lines_run(lambda: run(reply, "«def f():\n\tpass»\n"))[1]

    assert cost(400) < 2.2 * cost(200)


SPACES = "def a():\n    if x:\n        return 1\n    return 2\n\n\n"
TABS = "def f(a):\n\tif a:\n\t\treturn 1\n\treturn 2"


def test_a_target_in_tabs_in_a_file_in_spaces_keeps_its_tabs() -> None:
    reply = "def f(a):\n    if a:\n        return 3\n    return 2"
    assert run(reply, f"{SPACES * 3}«{TABS}»\n") == reply.replace("    ", "\t")


def test_a_target_in_spaces_in_a_file_in_tabs_needs_several_steps_to_keep_them() -> None:
    tabs = f"{TABS}\n\n\n" * 3
    few = "def f(a):\n    return 1"
    assert run("def f(a):\n    return 3", f"{tabs}«{few}»\n") == "def f(a):\n\treturn 3"
    many = units("def f(a):\n    if a:\n        return 1\n    if b:\n        return 2\n    return 3", "    ")
    assert run(many.replace("3", "4"), f"{tabs}«{many}»\n") is None
