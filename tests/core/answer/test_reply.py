"""Prose and fences, however the reply is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.answer.reply import Fence, Parts, Reply, replacement

PIECES = st.sampled_from(
    ["```", "````", "~~~", "```python", "```imports", "```md", '"""', "x = 1", "    ", "\n", "\r\n", "\r", "prose", "`"]
)


def read(text: str, size: int = 7) -> Parts:
    reply = Reply()
    for at in range(0, len(text), size):
        reply.feed(text[at : at + size])
    return reply.finish()


def check(text: str, *codes: str) -> Parts:
    """Every fence is closed, and these are their contents."""
    parts = read(text)
    assert [fence.text for fence in parts.fences] == list(codes)
    assert all(fence.closed for fence in parts.fences)
    return parts


def test_one_fence_between_prose() -> None:
    parts = check("Sure!\n```python\nx = 1\ny = 2\n```\nDone.\n", "x = 1\ny = 2")
    assert parts.prose == "Sure!\nDone.\n"
    assert parts.fences[0].info == "python"


def test_content_is_exact() -> None:
    check("```\n\tx = 1  \r\n\n  y\n\n```", "\tx = 1  \r\n\n  y\n")


def test_tildes_and_longer_fences_hold_shorter_ones() -> None:
    check("~~~\n```\n~~~", "```")
    check("````md\n```\nx\n```\n````", "```\nx\n```")


def test_a_bare_fence_in_a_docstring_does_not_close() -> None:
    code = '"""Doc.\n\n```\nexample\n```\n"""\nx = 1'
    check(f"```python\n{code}\n```\nThat is all.", code)


def test_an_indented_fence_in_a_docstring_does_not_close() -> None:
    code = 'def f():\n    """Doc.\n\n    ```\n    example\n    ```\n    """'
    check(f"```python\n{code}\n```", code)


def test_a_tagged_fence_nests() -> None:
    code = "const doc = `\n```js\nf()\n```\n`"
    check(f"```js\n{code}\n```", code)


def test_bare_fences_in_markdown_pair_up() -> None:
    code = "# Title\n```\nmake\n```\nend"
    check(f"```markdown\n{code}\n```", code)
    parts = check("```markdown\n# Title\n```\nThat is all.", "# Title")
    assert parts.prose == "That is all."


def test_markdown_then_another_fence() -> None:
    check("```md\n# Title\n```\nand\n```js\nx\n```\n", "# Title", "x")


def test_a_stray_triple_quote_misleads_nobody() -> None:
    check('```python\n# Write """ here.\nx = 1\n```\nDone.', '# Write """ here.\nx = 1')


def test_the_same_opening_said_twice() -> None:
    check("```python\n```python\nx = 1\n```", "x = 1")


def test_a_fence_behind_a_colon() -> None:
    parts = check("Here it is: ```python\nx = 1\n```\n", "x = 1")
    assert parts.prose == "Here it is: \n"


def test_a_closing_fence_that_stands_too_deep_or_glued() -> None:
    check("```python\ndef f():\n    return 1\n    ```", "def f():\n    return 1")
    check("```python\nreturn 1```\n", "return 1")


def test_a_stray_closing_fence_is_nothing() -> None:
    check("```python\nx = 1\n```\n```\n", "x = 1")


def test_inline_code_of_three_backticks_is_prose() -> None:
    assert read("Use ``` x ``` here\n```\ny\n```").fences == (Fence("", "y", closed=True),)
    assert read("``` x ``` is it\n```\ny\n```").fences == (Fence("", "y", closed=True),)


def test_imports() -> None:
    parts = check(
        "```python\nx = sqrt(2)\n```\n```imports\nfrom math import sqrt\n```", "x = sqrt(2)", "from math import sqrt"
    )
    code, wanted = replacement(parts)
    assert code == parts.fences[0]
    assert wanted == parts.fences[1]


@pytest.mark.parametrize("info", ["imports", "python imports", "python:imports", "Imports"])
def test_imports_first_or_marked_otherwise(info: str) -> None:
    code, wanted = replacement(check(f"```{info}\nimport os\n```\n```python\nos.x\n```", "import os", "os.x"))
    assert code is not None
    assert wanted is not None
    assert (code.text, wanted.text) == ("os.x", "import os")


def test_imports_end_a_fence_left_open() -> None:
    check("```python\nx = 1\n\n```imports\nimport os\n```", "x = 1\n", "import os")


def test_cut_off() -> None:
    parts = read("```python\ndef f():\n    return")
    assert parts.fences == (Fence("python", "def f():\n    return", closed=False),)
    assert not read("```python\n").fences[0].closed


def test_no_fence_is_one_implicit_fence() -> None:
    assert read("\n\n    return 1\n\n").fences == (Fence("", "    return 1", closed=True, implicit=True),)
    assert read(" \n").fences == ()


def test_lines_come_as_they_are_complete() -> None:
    reply = Reply()
    (prose,) = reply.feed("a\n```py\nx")
    assert (prose.text, prose.fence) == ("a", None)
    assert reply.feed(" = 1\r") == ()
    (line,) = reply.feed("\ny")
    assert (line.text, line.ending) == ("x = 1", "\r\n")
    assert line.fence is not None
    assert (line.fence.number, line.fence.info) == (0, "py")


@given(st.lists(PIECES, max_size=30), st.integers(1, 5))
def test_cutting_changes_nothing(pieces: list[str], size: int) -> None:
    text = "".join(pieces)
    assert read(text, size) == read(text, max(len(text), 1))


@given(st.lists(PIECES, max_size=30))
def test_nothing_is_invented(pieces: list[str]) -> None:
    text = "".join(pieces)
    parts = read(text)
    for fence in parts.fences:
        assert fence.text in text


@given(st.text(alphabet="ab \"'\n\té😀", max_size=40), st.sampled_from(["```", "````", "~~~"]))
def test_what_holds_no_fence_and_no_open_string_comes_back_exactly(code: str, marks: str) -> None:
    assert read(f"{marks}python\n{code}\n{marks}\nbye").fences == (Fence("python", code, closed=True),)


@pytest.mark.parametrize(("outer", "inner"), [("'''", '"""'), ('"""', "'''")])
def test_a_fence_in_a_string_that_holds_the_other_quotes_ends_nothing(outer: str, inner: str) -> None:
    code = f"x = {outer}\n{inner}\n```\n{outer}\ny"
    check(f"```python\n{code}\n```\nend\n", code)


def test_the_end_is_taken_once() -> None:
    reply = Reply()
    reply.feed("```\nx\n```\nand")
    parts = reply.finish()
    assert reply.finish() is parts
    assert parts.prose == "and"
