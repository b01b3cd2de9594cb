"""The form of an edit is requested at the end of the prompt, so that the shared bytes do not change on either wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.prompt.test_stable_prefix import KINDS, NOW, beginning, context, model, texts

from tuppence.core.actions import ACTIONS, FIX
from tuppence.core.answer.forms import search_replace
from tuppence.core.models.model import Quirks
from tuppence.core.prompt.compose import SYSTEM, compose
from tuppence.core.prompt.edit_blocks import BLOCKS, in_blocks, takes_blocks
from tuppence.core.prompt_cache.breakpoints import mark
from tuppence.core.text.lines import split
from tuppence.providers import find_wire


@pytest.mark.parametrize(("wire", "quirks"), KINDS)
@pytest.mark.parametrize("action", ACTIONS)
def test_what_stands_before_the_tail_is_the_same(wire: str, quirks: Quirks, action: Any) -> None:
    plain = compose(action, context("f7", "/home/a", (), ()), 100)
    assert beginning(wire, quirks, in_blocks(plain)) == beginning(wire, quirks, plain)


@pytest.mark.parametrize(("wire", "quirks"), KINDS)
def test_only_the_end_of_the_last_message_is_another(wire: str, quirks: Quirks) -> None:
    plain, row = compose(FIX, context("f7", "/home/a", (), ()), 100), model(wire, quirks)
    bodies: list[Any] = [
        find_wire(wire).request(mark(each, row, "here", (), NOW), row, None).body for each in (plain, in_blocks(plain))
    ]
    whole, blocks = map(texts, bodies)
    assert blocks[:-1] == whole[:-1]
    assert blocks[-1] == f"{whole[-1]}\n\n{BLOCKS}"
    last = bodies[1]["messages"][-1]["content"]
    said = last if isinstance(last, str) else last[-1]["text"]
    assert said.endswith(BLOCKS)
    inserted = json.dumps(f"\n\n{BLOCKS}")[1:-1]
    assert json.dumps(bodies[1]).replace(inserted, "") == json.dumps(bodies[0])


def test_everything_but_the_tail_of_a_prompt_stays() -> None:
    plain = compose(FIX, context("f7", "/home/a", (), ()), 1234)
    asked = in_blocks(plain)
    assert (asked.system, asked.shared, asked.max_output) == (SYSTEM, plain.shared, 1234)
    assert asked.tail == f"{plain.tail}\n\n{BLOCKS}"
    assert "imports" in BLOCKS
    assert "imports" in FIX.instruction, "which says how"


@pytest.mark.parametrize(
    ("target", "takes"),
    [
        ("def f(x):\n    return x\n", True),
        ("", False),
        (" \n\t\n", False),
        ("x = 1\n<<<<<<< HEAD\nx = 2\n=======\nx = 3\n>>>>>>> main\n", False),
        ("Title\n=======\n", False),
        ("def f():\n    '''\n    Title\n    =======  \n    '''\n", False),
        ("x = 1\r\n=======\r\nx = 2", False),
        ("x = 1\r=======\rx = 2", False),
        (">>>>>>> main", False),
        ("\t------- search\nx", False),
        ("x\n+++++++ REPLACE", False),
        ("# ======================= settings\nx = 1", True),
        ("def f():\n    '''\n    Parameters\n    ----------\n    '''\n", True),
        ("a ======= b", True),
        ("====\n", True),
        ("return '<<<<<<< SEARCH'", True),
    ],
)
def test_a_target_with_a_line_like_a_mark_takes_no_blocks(target: str, takes: bool) -> None:  # noqa: FBT001
    assert takes_blocks(target, f"import os\n\n\n{target}") is takes


def test_a_file_that_is_about_blocks_takes_none_anywhere() -> None:
    """An answer that begins with such a line could be code of this file."""
    target = "def f(x):\n    return x\n"
    assert takes_blocks(target, f"{target}\n<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> main\n")
    assert not takes_blocks(target, f'{target}\nWORDS = """\n<<<<<<< SEARCH\n"""\n')
    assert not takes_blocks(target, f'{target}\nWORDS = """\r    ------- ORIGINAL\r"""\r')


odd = st.lists(
    st.tuples(
        st.sampled_from(["", " ", "\t", "\f", "    ", "\u00a0"]),
        st.sampled_from(["<", "-", "=", ">", "+"]),
        st.integers(3, 11),
        st.sampled_from(["", " ", "  "]),
        st.sampled_from(["", "SEARCH", "original", "SEARCH>", "Replace", "UPDATED", "x", "HEAD"]),
        st.sampled_from(["\n", "\r\n", "\r", " \n", ""]),
    ).map(lambda parts: f"{parts[0]}{parts[1] * parts[2]}{parts[3]}{parts[4]}{parts[5]}"),
    max_size=4,
).map("x = 1\n".join)


@given(odd)
def test_no_line_of_a_target_that_takes_blocks_is_read_as_a_mark(target: str) -> None:
    if takes_blocks(target, target):
        assert not any(search_replace._mark(line) for line, _ in split(target))
        assert search_replace.looks_like_search_replace("<<<<<<< SEARCH\nx", target)


def test_what_is_asked_for_is_what_is_read() -> None:
    (block,) = search_replace.read_blocks(BLOCKS)
    assert block.search == ("the lines that change, copied from the target",)
    assert block.replace == ("the lines that take their place",)
    assert search_replace.looks_like_search_replace(BLOCKS)


def test_the_words_are_few() -> None:
    assert len(BLOCKS) < 900
    assert BLOCKS.count("<<<<<<< SEARCH\n") == BLOCKS.count("\n=======\n") == BLOCKS.count("\n>>>>>>> REPLACE\n") == 1
