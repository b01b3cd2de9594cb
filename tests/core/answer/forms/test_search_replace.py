"""SEARCH/REPLACE blocks: read in the forms that models write, applied where they are certain, else refused."""

from __future__ import annotations

import difflib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EXAMPLES
from work import lines as lines_run

from tuppence.core.answer.forms.search_replace import (
    MalformedBlocks,
    SearchReplaceBlock,
    apply_blocks,
    looks_like_search_replace,
    may_become_search_replace,
    read_blocks,
)

RUNS = EXAMPLES or 300
CODE = "import os\n\n\ndef f(a):\n    b = a\n    return b\n\n\ndef g():\n    return 1\n"
BLOCK = "<<<<<<< SEARCH\n    b = a\n    return b\n=======\n    return a\n>>>>>>> REPLACE"
CHANGED = CODE.replace("    b = a\n    return b\n", "    return a\n")


def applied(original: str, reply: str) -> str:
    return apply_blocks(original, read_blocks(reply))


def refused(original: str, reply: str) -> str:
    with pytest.raises(MalformedBlocks) as caught:
        applied(original, reply)
    return str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        BLOCK,
        f"Sure, here is the fix:\n\nsrc/app.py\n```python\n{BLOCK}\n```\nIt returns a.",
        f"```python\nsrc/app.py\n{BLOCK}\n```",
        f"`src/app.py`\n{BLOCK}\n",
        BLOCK.replace("<<<<<<<", "<<<<<").replace(">>>>>>>", ">>>>>").replace("=======", "====="),
        BLOCK.replace("<<<<<<<", "<<<<<<<<<").replace(">>>>>>>", ">>>>>>>>>").replace("=======", "========="),
        BLOCK.replace("SEARCH", "search").replace("REPLACE", "replace"),
        BLOCK.replace("SEARCH", "SEARCH   ").replace("=======", "=======  ").replace("REPLACE", "REPLACE\t"),
        BLOCK.replace("<<<<<<< SEARCH", "<<<<<<< SEARCH>"),
        BLOCK.replace("<<<<<<< SEARCH", "<<<<<<<SEARCH").replace(">>>>>>> REPLACE", ">>>>>>>REPLACE"),
        BLOCK.replace("\n", "\r\n"),
        BLOCK.replace("<<<<<<<", "-------").replace(">>>>>>>", "+++++++"),
        BLOCK.replace("SEARCH", "ORIGINAL").replace("REPLACE", "UPDATED"),
        BLOCK.replace("SEARCH\n", "SEARCH\n:start_line:99\n:end_line:100\n-------\n"),
        BLOCK.replace("SEARCH\n", "SEARCH\n```python\n")
        .replace("=======", "```\n=======\n```python")
        .replace("\n>>>>", "\n```\n>>>>"),
        BLOCK.replace("SEARCH\n", "SEARCH\n\n").replace("=======\n", "=======\n\n"),
        BLOCK.replace("\n=======", "\n\n=======").replace("\n>>>>", "\n\n>>>>"),
        BLOCK.replace("\n    ", "\n"),
        BLOCK.replace("\n    ", "\n      "),
        BLOCK.replace("b = a", "b = a  "),
        re.sub("^", "   ", f"1. So:\n```python\n{BLOCK}\n```", flags=re.MULTILINE),
    ],
)
def test_the_forms_that_models_write(reply: str) -> None:
    assert looks_like_search_replace(reply, CODE)
    assert applied(CODE, reply) == CHANGED


def test_several_blocks_in_any_order_and_no_two_on_the_same_lines() -> None:
    other = "<<<<<<< SEARCH\nimport os\n=======\nimport os\nimport re\n>>>>>>> REPLACE"
    expected = CHANGED.replace("import os\n", "import os\nimport re\n")
    assert applied(CODE, f"{BLOCK}\n\n{other}") == applied(CODE, f"{other}\nand\n{BLOCK}") == expected
    assert refused(CODE, f"{BLOCK}\n{other}\n{BLOCK}") == "Edits 1 and 3 of the answer change the same lines."
    next_to_it = "<<<<<<< SEARCH\ndef f(a):\n=======\ndef f(b):\n>>>>>>> REPLACE"
    assert applied(CODE, f"{next_to_it}\n{BLOCK}") == CHANGED.replace("f(a)", "f(b)")


def test_what_is_not_certain_is_refused() -> None:
    assert refused("x = 1\ny\nx = 1\n", "<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE").endswith("2 times.")
    deeper = "x = 1\nif y:\n    x = 1\n"
    assert refused(deeper, "<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE").endswith("in the code 2 times.")
    assert refused(CODE, BLOCK.replace("b = a", "b = c")) == "The answer's edit seeks lines that are not in the code."
    flat = BLOCK.replace("    return b", "return b")
    assert "not in the code" in refused(CODE, flat)
    assert "says nothing" in refused(CODE, "<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE")
    assert "says nothing" in refused("\n\n", "<<<<<<< SEARCH\n\n=======\nx\n>>>>>>> REPLACE")
    half = "<<<<<<< SEARCH\n        return b\n=======\nreturn a\n>>>>>>> REPLACE"
    assert "not indented alike" in refused(CODE, half)


def test_a_fence_on_one_side_never_gets_into_code() -> None:
    one = BLOCK.replace("=======\n", "=======\n```python\n").replace("\n>>>>", "\n```\n>>>>")
    assert "code fence" in refused(CODE, one)
    other = BLOCK.replace("SEARCH\n", "SEARCH\n```\n").replace("\n====", "\n```\n====")
    assert "not in the code" in refused(CODE, other)


def test_a_fence_of_the_document_is_text() -> None:
    readme = "# A\n\n```sh\nmake\n```\n"
    reply = "<<<<<<< SEARCH\n```sh\nmake\n```\n=======\n```bash\nmake\n```\n>>>>>>> REPLACE"
    assert applied(readme, reply) == readme.replace("sh\n", "bash\n")


def test_a_deletion_and_the_fence_around_what_goes() -> None:
    assert applied(CODE, "<<<<<<< SEARCH\n    b = a\n=======\n>>>>>>> REPLACE") == CODE.replace("    b = a\n", "")
    fenced = "<<<<<<< SEARCH\n```\n    b = a\n```\n=======\n>>>>>>> REPLACE"
    assert applied(CODE, fenced) == CODE.replace("    b = a\n", "")
    assert applied("a\nb", "<<<<<<< SEARCH\nb\n=======\n>>>>>>> REPLACE") == "a"
    assert applied("a\nb\n", "<<<<<<< SEARCH\nb\n=======\n>>>>>>> REPLACE") == "a\n"
    assert applied("a\n", "<<<<<<< SEARCH\na\n=======\n>>>>>>> REPLACE") == ""


def test_an_empty_original_is_written() -> None:
    assert applied("", "<<<<<<< SEARCH\n=======\nx = 1\ny = 2\n>>>>>>> REPLACE") == "x = 1\ny = 2"
    assert "not in the code" in refused("", "<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("", "no complete edit"),
        ("Looks fine to me.\n=======\n", "no complete edit"),
        ("<<<<<<< SEARCH\na\n=======\nb", "breaks off in its edit 1"),
        (f"{BLOCK}\n<<<<<<< SEARCH\na", "breaks off in its edit 2"),
        ("<<<<<<< SEARCH\na\n>>>>>>> REPLACE", "not divided"),
        ("<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE", "more than one place"),
        ("a\n>>>>>>> REPLACE", "without a beginning"),
        (f"{BLOCK}\n>>>>>>> REPLACE", "Edit 2 of the answer ends without a beginning"),
        ("<<<<<<< SEARCH\na\n=======\nb\n<<<<<<< SEARCH\nc\n=======\nd\n>>>>>>> REPLACE", "no end before the next"),
    ],
)
def test_marks_that_do_not_pair_up(reply: str, said: str) -> None:
    with pytest.raises(MalformedBlocks, match=said):
        read_blocks(reply)


def test_an_underlined_heading_does_not_divide() -> None:
    reply = "<<<<<<< SEARCH\nTitle\n=====\n=======\nName\n=====\n>>>>>>> REPLACE"
    assert read_blocks(reply) == (SearchReplaceBlock(("Title", "====="), ("Name", "=====")),)
    inside = '<<<<<<< SEARCH\n    """T\n    =======\n=======\n    """N\n    =======\n>>>>>>> REPLACE'
    assert read_blocks(inside) == (SearchReplaceBlock(('    """T', "    ======="), ('    """N', "    =======")),)


def test_line_endings() -> None:
    windows = CODE.replace("\n", "\r\n")
    assert applied(windows, BLOCK) == CHANGED.replace("\n", "\r\n")
    one = read_blocks("<<<<<<< SEARCH\nb\n=======\nb\nc\nd\n>>>>>>> REPLACE")
    assert apply_blocks("a\nb\r\n", one) == "a\nb\r\nc\nd\n"
    assert apply_blocks("b", one, "\r\n") == "b\r\nc\r\nd"
    with pytest.raises(MalformedBlocks, match="line ending"):
        apply_blocks("a\rb\n\nc", (SearchReplaceBlock(("a", "b"), ("a", "")),))


def test_shared_lines_stay_as_the_original_has_them() -> None:
    original = "if a:  \n    b\n    c\n"
    assert applied(original, "<<<<<<< SEARCH\nif a:\n    b\n=======\nif a:\n    d\n>>>>>>> REPLACE") == (
        "if a:  \n    d\n    c\n"
    )


def test_code_that_holds_blocks_is_no_block() -> None:
    document = f'TEXT = """\n{BLOCK}\n"""\n'
    assert not looks_like_search_replace(f"```\n{document}```", document)
    assert not looks_like_search_replace(f"```\n{document}```", "")
    assert not looks_like_search_replace(BLOCK, document)
    assert not looks_like_search_replace("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n", "")
    assert not looks_like_search_replace("x = 1 <<<<<<< SEARCH\n", "")
    assert not looks_like_search_replace("-- search\n------ SEARCH ------\n", "")


def test_it_is_recognized_before_anything_is_code() -> None:
    for above in ("", "src/app.py\n", "\n\n", "```python\n", "# src/app.py\n", "// ./a/b.ts\n", "**a.py**:\n"):
        assert may_become_search_replace(above)
        assert may_become_search_replace(f"{above}<<<<<<<")
        assert looks_like_search_replace(f"{above}<<<<<<< SEARCH\n")
    for code in ("import os\n", "def f():\n", "x = 1\n", "a.py\nimport os\n", "x\n" * 30):
        assert not may_become_search_replace(code)


LINES = st.sampled_from(
    ["", "a", "b", "    a", "    b", "        a", "\ta", "}", "=======", "=====", ">>>>>>> REPLACE"]
)


def rendered(old: list[str], new: list[str], context: int) -> str:
    """Return blocks that make the old lines the new ones, with so many lines around each change."""
    groups = difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context)
    blocks = []
    for group in groups:
        search, replace = old[group[0][1] : group[-1][2]], new[group[0][3] : group[-1][4]]
        blocks.append("\n".join(["<<<<<<< SEARCH", *search, "=======", *replace, ">>>>>>> REPLACE"]))
    return "\n\n".join(blocks)


@settings(max_examples=RUNS)
@given(st.lists(LINES, min_size=1, max_size=12), st.lists(LINES, max_size=12), st.integers(0, 3), st.booleans())
def test_the_edited_text_byte_for_byte_or_nothing(old: list[str], new: list[str], context: int, crlf: bool) -> None:  # noqa: FBT001
    newline = "\r\n" if crlf else "\n"
    reply = rendered(old, new, context)
    try:
        result = applied(newline.join([*old, ""]), reply)
    except MalformedBlocks:
        return
    assert result == newline.join([*new, ""])


@settings(max_examples=RUNS)
@given(st.data(), st.integers(1, 3), st.sampled_from(["", "    ", "\t"]))
def test_lines_that_are_all_different_are_never_refused(data: st.DataObject, context: int, shift: str) -> None:
    count = data.draw(st.integers(1, 20))
    old = [f"{shift}{'    ' * (at % 3)}line {at}" for at in range(count)]
    new = [line for line in old if data.draw(st.integers(0, 4))]
    for at in data.draw(st.lists(st.integers(0, count), max_size=4)):
        new.insert(min(at, len(new)), f"{shift}new {at}")
    reply = rendered([line.removeprefix(shift) for line in old], [line.removeprefix(shift) for line in new], context)
    if old != new:
        assert applied("\n".join([*old, ""]), reply) == "\n".join([*new, ""])


@settings(max_examples=RUNS)
@given(st.lists(st.sampled_from(["<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "a", "", "```"]), max_size=12))
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    try:
        result = applied("a\n", "\n".join(lines))
    except MalformedBlocks:
        return
    assert result.replace("```", "a").replace("\n", "").strip("a") == ""


@pytest.mark.parametrize("text", ["<", "=", "-", "`", " ", "\t", "<<<<<<< SEARCH ", "a.", "/"])
def test_a_line_of_64_kb_costs_one_look(text: str) -> None:
    line = text * (65536 // len(text))

    def look() -> tuple[bool, bool]:
        return looks_like_search_replace(line, line), may_become_search_replace(line + "x")

    _, many = lines_run(look)
    assert many < 60


def test_repetitive_texts_cost_no_square() -> None:
    def cost(count: int) -> int:
        block = SearchReplaceBlock(("a",) * (count // 2) + ("b",), ("c",))

        def work() -> None:
            with pytest.raises(MalformedBlocks):
                apply_blocks("a\n" * count, (block,))

        return lines_run(work)[1]

    assert cost(4000) < 2.2 * cost(2000)


def test_code_that_is_less_deep_than_its_marks_keeps_its_depth() -> None:
    block = "  <<<<<<< SEARCH\n    b = a\nreturn b\n  =======\n    b = a\n\n  return a\n  >>>>>>> REPLACE"
    (found,) = read_blocks(block)
    assert found.search == ("    b = a", "return b")
    assert found.replace == ("  b = a", "", "return a")


@pytest.mark.parametrize(
    ("above", "is_one"),
    [("", True), ("Here:\n", True), ('x = """\n', False), ("y = '''\n", False), ('"""a"""\n', True)],
)
def test_a_block_in_an_open_string_is_none(above: str, *, is_one: bool) -> None:
    assert looks_like_search_replace(f"{above}{BLOCK}\n") is is_one
