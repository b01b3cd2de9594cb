"""What is known of a draft without a comparison is true, and so much that each draft costs what came and no more."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_editor import URI, Desk, Manner
from virtual_time import run

from tuppence.core.answer.patch import Patch
from tuppence.core.text import diff
from tuppence.core.text.document import Document, Span, apply
from tuppence.lsp.output import regions
from tuppence.lsp.output.regions import line_changes
from tuppence.lsp.output.unchanged_ends import UnchangedEnds
from tuppence.lsp.output.writer import Writer

LINE = st.sampled_from(["x\n", "x\n", "y\n", "    z = 1\n", "\n"])
STEPS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20), st.lists(LINE, max_size=3), st.booleans()), max_size=12
)


def _ends_are_equal(ends: tuple[int, int], held: str, draft: str) -> bool:
    head, tail = ends
    return held[:head] == draft[:head] and held[len(held) - tail :] == draft[len(draft) - tail :]


@given(st.lists(LINE, max_size=12), STEPS)
def test_what_is_known_is_true_and_changes_no_edit(
    lines: list[str], steps: Sequence[tuple[int, int, list[str], bool]]
) -> None:
    """Each step edits the draft; sometimes what was sent lands, and the draft as it is now goes on its way."""
    held = sent = draft = "".join(lines)
    ends = UnchangedEnds(len(draft))
    for at, gone, come, lands in steps:
        start = min(at, len(draft))
        new = "".join(come)
        draft = draft[:start] + new + draft[start + gone :]
        ends.edited(start, start + len(new), len(draft))
        if lands:
            ends.settle(landed=True)
            held, sent = sent, draft
            ends.sent(len(draft))
        known = ends.known(len(held))
        assert _ends_are_equal(known, held, draft)
        document = Document(URI, "python", 1, f"before\n{held}\nafter\n")
        span = Span(7, 7 + len(held))
        edits = line_changes(document, draft, span, held, known)
        assert edits == line_changes(document, draft, span, held)
        assert apply(document.text, edits) == f"before\n{draft}\nafter\n"


def test_after_a_draft_that_did_not_land_nothing_is_known() -> None:
    ends = UnchangedEnds(100)
    ends.edited(50, 60, 110)
    assert ends.known(100) == (50, 50)
    ends.sent(110)
    ends.settle(landed=False)
    assert ends.known(100) == ends.known(110) == (0, 0)
    ends.sent(110)
    ends.edited(70, 71, 111)
    ends.settle(landed=True)
    assert ends.known(110) == (70, 40)
    assert ends.known(109) == (0, 0), "somebody else changed what is there"
    assert UnchangedEnds().known(0) == (0, 0)


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the code points of each comparison, and of each text that is split into lines."""
    seen: list[int] = []
    reached, longest, pieces = diff._reached, diff._longest, regions._pieces

    def counted(is_equal: Callable[[int, int], bool]) -> Callable[[int, int], bool]:
        def compare(low: int, high: int) -> bool:
            seen.append(high - low)
            return is_equal(low, high)

        return compare

    def split(text: str, newline: str) -> list[str]:
        seen.append(len(text))
        return pieces(text, newline)

    monkeypatch.setattr(diff, "_reached", lambda limit, is_equal: reached(limit, counted(is_equal)))
    monkeypatch.setattr(diff, "_longest", lambda limit, is_equal: longest(limit, counted(is_equal)))
    monkeypatch.setattr(regions, "_pieces", split)
    return seen


def _answered(old: str, new: str) -> None:
    """Stream a new text for an old one, each line a draft of its own."""

    async def play() -> None:
        text = f"import os\n\n\n{old}\n\n\nend\n"
        target = Span(len("import os\n\n\n"), len("import os\n\n\n") + len(old))
        desk = Desk(Manner(streams=True, tells="before the reply", delay=0.01), text, target, random.Random(1))  # noqa: S311 - no secrets
        document = desk.documents.get(URI)
        assert document is not None
        writer, patch = Writer(desk, document, target, "run"), Patch(document, target)
        for line in f"```python\n{new}\n```\n".splitlines(keepends=True):
            writer.draft(patch.feed(line))
            await asyncio.sleep(0.1)
        writer.draft(patch.finish())
        await writer.keep(patch.final(), "Fix")
        writer.close()
        assert desk.text == f"import os\n\n\n{new}\n\n\nend\n"

    run(play())


SHAPES: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "every line is new": (lambda n: f"    first_{n} = old()", lambda n: f"    then{n}: int = {n * n}"),
    "most lines stay": (lambda n: f"    x{n} = old()", lambda n: f"    x{n} = old()" if n % 5 else f"    y{n} = new()"),
    "all lines are alike": (lambda _n: "    pass", lambda n: "    pass" if n % 7 else "    return"),
    "every second line goes": (lambda n: f"    x{n} = old()", lambda n: f"    x{2 * n} = old()"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_all_drafts_examine_grows_with_the_answer(shape: str, examined: list[int]) -> None:
    old, new = SHAPES[shape]
    cost: list[float] = []
    for size in (100, 400):
        examined.clear()
        answer = "\n".join(map(new, range(size)))
        _answered("\n".join(map(old, range(size))), answer)
        cost.append(sum(examined) / len(answer))
    small, large = cost
    assert large <= 1.5 * small + 20, "code points examined for each one of the answer"
