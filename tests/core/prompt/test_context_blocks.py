"""Where a file is cut into blocks: at definitions, and so that an edit leaves every block above it as it was."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.core.actions import EXPLAIN
from tuppence.core.models.usage import estimate
from tuppence.core.prompt.compose import Prompt, compose
from tuppence.core.prompt.context import LEAST, MOST, Question, Surroundings, breaks, gather
from tuppence.core.prompt_cache.prefix import chain, shared
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target
from tuppence.core.text.document import Document, Span

BODY = "    total = 0\n    for each in range(10):\n        total += each\n    return total\n"


def source(count: int, indent: str = "") -> str:
    """Return so many functions, of about 40 tokens each."""
    functions = (f"def f{each}():\n    # {'x' * 40}\n{BODY}" for each in range(count))
    return "\n\n".join("".join(f"{indent}{line}\n" for line in each.splitlines()) for each in functions)


def composed(text: str) -> Prompt:
    """Return the prompt about the first line of a Python file."""
    document, tree = Document("file:///a.py", "python", 1, text), parse(text, language("python"))
    target = Target(Span(0, text.index("\n")), "", "lines")
    return compose(EXPLAIN, gather(Question(document, tree, target), Surroundings(), 100_000), 1)


def test_blocks_end_before_definitions_and_are_not_too_small() -> None:
    text = source(100)
    found = breaks(parse(text, language("python")))
    assert len(found) > 5
    for start, end in pairwise((0, *found)):
        assert text[end:].startswith("def f")
        assert LEAST <= estimate(text[start:end]) < MOST


def test_a_long_class_is_cut_between_its_methods() -> None:
    text = f"class A:\n{source(100, '    ')}"
    found = breaks(parse(text, language("python")))
    assert len(found) > 3
    for start, end in pairwise((0, *found)):
        assert text[end:].startswith("    def f")
        assert MOST <= estimate(text[start:end]) < 2 * MOST


def test_a_comment_goes_with_its_definition() -> None:
    commented = "\n\n".join(f"# Says {each}.\n{part}" for each, part in enumerate(source(40).split("\n\n\n")))
    for cut in breaks(parse(commented, language("python"))):
        assert commented[cut:].startswith("# Says")


@pytest.mark.parametrize("text", ["", "x = 1\n", source(3)])
def test_a_small_file_is_one_block(text: str) -> None:
    assert breaks(parse(text, language("python"))) == ()


def test_the_blocks_joined_are_the_file_in_its_fence() -> None:
    text = source(60)
    prompt = composed(text)
    assert len(prompt.shared) > 4
    assert "".join(prompt.shared) == f"The file:\n\n```python\n{text}```\n\n"


@given(st.integers(0, 59), st.sampled_from(["", "\n", "    # a remark\n", "    more = 1\n" * 30]))
@settings(max_examples=60, deadline=None)
def test_an_edit_leaves_the_blocks_above_it(which: int, added: str) -> None:
    text = source(60)
    at = text.index(BODY, text.index(f"def f{which}()"))
    before, after = composed(text), composed(text[:at] + added + text[at:])
    kept = shared(chain(before), chain(after))
    untouched = sum(map(len, before.shared[: kept - 1])) - len("The file:\n\n```python\n")
    assert at - untouched < 3.4 * 2 * MOST, "only the block of the edit and those below are other blocks"
    if not added:
        assert kept == len(chain(before))


def test_a_link_is_named_for_what_a_person_can_find() -> None:
    text = source(60)
    prompt = composed(text)
    links = chain(prompt)
    assert [link.name for link in links[:2]] == ["the instructions", "the file from its first line"]
    cuts = breaks(parse(text, language("python")))
    lines = [text[:cut].count("\n") + 1 for cut in cuts]
    assert [link.name for link in links[2:]] == [f"the file from line {line}" for line in lines]
    assert [link.tokens for link in links] == sorted({link.tokens for link in links})
    assert links[-1].tokens == estimate(prompt.system + "".join(prompt.shared))
