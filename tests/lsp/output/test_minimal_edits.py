"""Edits during streaming are small, touch only changed lines, and leave the cursor in place."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_editor import URI, Desk, Manner
from strategies import EXAMPLES, grown, worked_on
from virtual_time import run
from work import lines as lines_run
from work import memory

from tuppence.core.answer.patch import Patch
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.lsp.output.regions import line_changes
from tuppence.lsp.output.writer import Writer

HEAD, TAIL = "import os\n\n\n", "\n\n\ndef other():\n    return 1\n"
OLD = (
    "def mean(xs):\n    total = 0\n    for x in xs:\n        total += x\n    if not total:\n        raise ValueError\n"
    "    return total / len(x)"
)


def stream(old: str, new: str) -> Desk:
    """Stream a new text for an old one, so slowly that each line is a batch of its own."""

    async def play() -> Desk:
        text = f"{HEAD}{old}{TAIL}"
        target = Span(len(HEAD), len(HEAD) + len(old))
        desk = Desk(Manner(streams=True, tells="before the reply", delay=0.01), text, target, random.Random(1))  # noqa: S311 - no secrets
        document = desk.documents.get(URI)
        assert document is not None
        writer, patch = Writer(desk, document, target, "run"), Patch(document, target)
        for line in f"```python\n{new}\n```\n".splitlines(keepends=True):
            writer.draft(patch.feed(line))
            await asyncio.sleep(1)
        writer.draft(patch.finish())
        await writer.keep(patch.final(), "Fix")
        writer.close()
        assert desk.text == f"{HEAD}{new}{TAIL}"
        return desk

    return run(play())


def in_vscode(offset: int, edit: Edit, old: str) -> int:
    """Return where VS Code has a cursor after an edit: what is replaced is written over, the rest moves along."""
    new, span = edit.text, edit.span
    shorter = min(len(new), len(span))
    gone = old[span.start : span.end]
    same = next((at for at in range(shorter) if gone[at] != new[at]), shorter)
    start, new, gone = span.start + same, new[same:], gone[same:]
    same = next(
        (at for at in range(min(len(new), len(gone))) if gone[-1 - at] != new[-1 - at]), min(len(new), len(gone))
    )
    end, length = start + len(gone) - same, len(new) - same
    if offset < start:
        return offset
    return offset + length - (end - start) if offset >= end else min(offset, start + length)


def in_neovim(offset: int, edit: Edit, old: str) -> int:
    """Return where Neovim has a cursor after an edit: its row stays among those that come, rows below move.

    What is between two line starts is changed as whole lines (``set_lines`` in the client's stream.lua): a cursor in
    them stays in one of those that come, where any come.
    """
    come = edit.text.count("\n")
    starts = (old[at - 1 : at] in ("", "\n") for at in (edit.span.start, edit.span.end))
    bottom = max(0, come - 1) if all(starts) and edit.text[-1:] in ("", "\n") else come
    row, first, last = (old.count("\n", 0, at) for at in (offset, edit.span.start, edit.span.end))
    grown = edit.text.count("\n") - (last - first)
    column = offset - (old.rfind("\n", 0, offset) + 1)
    if row > last or (row == last and offset >= edit.span.end):
        row += grown
    elif first <= row:
        row = min(row, first + bottom)
    lines = apply(old, [edit]).split("\n")
    return sum(len(line) + 1 for line in lines[:row]) + min(column, len(lines[row]))


@pytest.mark.parametrize("follow", [in_vscode, in_neovim])
@pytest.mark.parametrize(
    ("gone", "come"),
    [
        # One line for another, alike and not.
        ("    return total / len(x)", "    return total / len(xs)"),
        ("        total += x", "        total = total + x"),
        ("    total = 0", "    assert xs, 'nothing has no mean'"),
        # Several lines for several others.
        ("    if not total:\n        raise ValueError", "    if total == 0:\n        raise ValueError(xs)"),
        ("        total += x\n    if not total:", "        total = plus(total, x)\n    if total is None:"),
        # One that is alike, and the next ones that are not.
        ("def mean(xs):\n    total = 0\n", "def mean(xs=()):\n    assert xs\n    result = 0.0\n"),
        # Lines come and go.
        ("    total = 0", '    """Return it."""\n    total = 0'),
        ("    if not total:\n        raise ValueError\n", ""),
        ("    for x in xs:\n        total += x\n", "    total = sum(xs)\n"),
    ],
)
def test_a_cursor_stays_in_its_line_or_in_what_takes_its_place(
    follow: Callable[[int, Edit, str], int], gone: str, come: str
) -> None:
    new = OLD.replace(gone, come)
    desk = stream(OLD, new)
    before = f"{HEAD}{OLD}{TAIL}"
    changed = Span(before.index(gone), before.index(gone) + len(gone))
    for offset in (
        at + 2 for at in range(len(before) - 2) if before[at - 1] == "\n" and before[at : at + 2].strip("\n")
    ):
        text, cursor = before, offset
        for batch in desk.taken:
            for edit in reversed(batch):
                cursor = follow(cursor, edit, text)
                text = apply(text, [edit])
        if offset < changed.start or offset >= changed.end or line(before, offset) in come.split("\n"):
            assert line(text, cursor) == line(before, offset)
        elif come:
            assert line(text, cursor) in come.split("\n")


@pytest.mark.parametrize("follow", [in_vscode, in_neovim])
def test_a_cursor_stays_in_a_line_that_is_rewritten_with_others_after_it(
    follow: Callable[[int, Edit, str], int],
) -> None:
    desk = stream(OLD, OLD.replace("(xs):\n    total = 0\n", "(xs=()):\n    assert xs\n    result = 0.0\n"))
    text = f"{HEAD}{OLD}{TAIL}"
    cursor = asked = text.index("mean")
    for batch in desk.taken:
        for edit in reversed(batch):
            cursor = follow(cursor, edit, text)
            text = apply(text, [edit])
    assert cursor == asked


def line(text: str, offset: int) -> str:
    """Return the line of an offset."""
    return text[text.rfind("\n", 0, offset) + 1 :].split("\n", 1)[0]


def test_a_line_that_is_rewritten_is_one_edit() -> None:
    desk = stream(OLD, OLD.replace("total += x", "total += float(x)").replace("ValueError", "ValueError(xs)"))
    assert [[edit.text for edit in batch] for batch in desk.taken] == [
        ["        total += float(x)\n"],
        ["        raise ValueError(xs)\n"],
    ]


def test_a_line_that_stays_is_in_no_edit() -> None:
    new = OLD.replace("    total = 0", "    count = 0\n    total = 0").replace(
        "    if not total:\n", "    if total is None:\n"
    )
    desk = stream(OLD, new)
    for edit in (edit for batch in desk.taken for edit in batch):
        assert not set(edit.text.split("\n")) & set(OLD.split("\n"))


def test_what_is_sent_live_is_little_more_than_what_changes() -> None:
    old = "\n".join(f"    value_{number} = compute({number})" for number in range(300))
    new = old.replace("_7", "_seven").replace("    value_100 = compute(100)\n", "")
    desk = stream(old, new)
    changed = sum(len(each.encode()) + 1 for each in new.split("\n") if each not in old.split("\n"))
    edits = sum(many for many, _ in desk.sent)
    assert 10 < edits < 50
    assert sum(size for _, size in desk.sent) <= 1.5 * changed + 200 * edits


def expect_little(old: list[str], new: list[str]) -> None:
    """Expect that little more is sent than what has to come in."""
    before, after = "\n".join(old), "\n".join(new)
    desk = stream(before, after)
    document = Document(URI, "python", 1, before)
    edits = line_changes(document, after, Span(0, len(before)), "")
    changed = sum(len(edit.text.encode()) for edit in edits)
    assert sum(size for _, size in desk.sent) <= 1.5 * changed + 200 * sum(many for many, _ in desk.sent)


def test_stretches_that_go_between_long_lines_that_stay_cost_nothing() -> None:
    kept = [f"    kept_{number} = compute({'x' * 80})" for number in range(24)]
    gone = [f"    gone_{number}" for number in range(31 * 8)]
    old = [line for at in range(8) for line in (*gone[31 * at : 31 * at + 31], *kept[3 * at : 3 * at + 3])]
    expect_little(old, kept)


@settings(max_examples=EXAMPLES or 200, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_done_to_a_long_block_little_is_sent(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - lines, no secrets
    block = grown(dice)
    expect_little(block, worked_on(dice, block))


def test_ten_thousand_chunks_a_second_on_ten_thousand_lines() -> None:
    lines = [f"    value_{number} = compute({number})" for number in range(10_000)]
    text = "\n".join(lines)
    patch = Patch(Document(URI, "python", 1, text), Span(0, len(text)))
    reply = "```python\n" + "\n".join(each if number % 5 else f"{each}  # new" for number, each in enumerate(lines))
    chunks = [reply[at : at + 4] for at in range(0, len(reply), 4)]
    assert len(chunks) > 80_000
    _, ran = lines_run(lambda: [patch.feed(chunk) for chunk in chunks[:-1000]])
    _, held = memory(lambda: [patch.feed(chunk) for chunk in chunks[-1000:]])
    print(f"{ran / len(chunks):.1f} lines a chunk, {held} bytes for the last thousand")
    assert ran / len(chunks) < 40
    assert held < len(text) / 2, "no chunk copies the document"


def test_a_batch_costs_little_on_ten_thousand_lines() -> None:
    lines = [f"    value_{number} = compute({number})\n" for number in range(10_000)]
    text = "".join(lines)
    document = Document(URI, "python", 1, text)
    wanted = "".join([*lines[:5000], "    other = 1\n", *lines[5001:]])
    expected = (Edit(document.full_line_span(5000), "    other = 1\n"),)
    line_changes(document, wanted, Span(0, len(text)), text)
    found, ran = lines_run(lambda: line_changes(document, wanted, Span(0, len(text)), text))
    assert found == expected
    print(f"{ran} lines a batch")
    assert ran < 500
