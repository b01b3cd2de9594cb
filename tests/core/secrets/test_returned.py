"""A reply's placeholders become secrets line by line, however it is cut, and a line without an end is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import Planter

from tuppence.core.secrets.replacements import Replacements, replacements
from tuppence.core.secrets.returned import LONGEST, ReturningText

TOKEN = "ghp_" + Planter(1).chars("abcdefABCDEF0123456789", 36)
SECRETS = replacements([(TOKEN, "GitHub token", 4)], b"0" * 32, lambda _: False)
[KNOWN] = SECRETS.all
REPLY = f'```python\nx = "{KNOWN.placeholder}"\r\ny = 1\rz = "{KNOWN.placeholder}"\n```'


@pytest.mark.attack("what comes back", "a placeholder cut across chunks")
@given(st.lists(st.integers(0, len(REPLY)), max_size=12))
def test_any_cut_gives_the_same_text(cuts: list[int]) -> None:
    text = ReturningText(SECRETS, Replacements())
    ends = [0, *sorted(cuts), len(REPLY)]
    found = [text.feed(REPLY[start:end]) for start, end in pairwise(ends)]
    found.append(text.finish())
    assert "".join(part for part, _ in found) == REPLY.replace(KNOWN.placeholder, TOKEN)
    assert not any(why for _, why in found)
    assert not any(KNOWN.placeholder in part for part, _ in found)


@pytest.mark.attack("hostile sizes", "a line without an end")
def test_a_line_without_an_end_is_refused() -> None:
    text = ReturningText(SECRETS, Replacements())
    said = [text.feed("x" * 1000)[1] for _ in range(LONGEST // 1000 + 1)]
    assert not any(said[:-1])
    assert said[-1] == "The answer has more than 200,000 characters in a line, where no secret can be put back."
    text = ReturningText(SECRETS, Replacements())
    assert not any(text.feed("x" * 999 + "\n")[1] for _ in range(LONGEST // 100))
