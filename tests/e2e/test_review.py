"""Findings of a review: shown as they come, moving with the text, gone with their line; and their own fixes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from scenario import messages, until
from scripted_provider import Reply, Talk, events
from server import Stage, pick, stage, titles

from editor import Buffer, Editor

pytestmark = pytest.mark.asyncio(loop_scope="module")
SRC = """\
def mean(xs):
    total = sum(xs)
    return total / len(xs)


def first(xs):
    return xs[0]
"""
EMPTY = """\
severity: error
line: `    return total / len(xs)`
problem: An empty list divides by zero.
```
    return total / len(xs) if xs else 0.0
```
---
"""
NAME = """\
severity: hint
line: `    total = sum(xs)`
problem: The name says little.
---
"""
BROKEN = """\
severity: warning
line: `    total = sum(xs)`
problem: A generator would do.
```
    total = sum(x for x in xs
```
---
"""
TWO_LINES = """\
severity: warning
line:
```
    total = sum(xs)
    return total / len(xs)
```
problem: This could be one line.
```
    return sum(xs) / len(xs)
```
---
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="s")
async def _shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for all tests that need nothing special of theirs."""
    async with stage(tmp_path_factory.mktemp("review")) as s:
        yield s


_count = iter(range(1000))


def opened(s: Stage) -> Buffer:
    """Open a document whose code no other test has asked about: an answer would be kept."""
    number = next(_count)
    return s.editor.open(s.write(f"r{number}.py", f"{SRC}# {number}\n".replace("total", f"total{number}")), "python")


def told(buffer: Buffer, reply: str) -> str:
    """Return a reply that speaks of the document's own names."""
    number = buffer.text.rpartition("# ")[2].strip()
    return reply.replace("total", f"total{number}")


async def review(s: Stage, buffer: Buffer, reply: str, part: str = "def mean") -> None:
    """Review the definition around a part of the text, and be told this."""
    s.upstream.says(told(buffer, reply))
    menu = await s.editor.menu(buffer, buffer.text.index(part))
    again = [action for action in menu if action.title.startswith("Ask again")]
    await s.editor.run(again[0] if again else pick(menu, "Review"))


def shown(s: Stage, buffer: Buffer) -> list[tuple[int, str]]:
    """Return the findings as the editor has them: the line, from 0, and the message."""
    return [(each.range.start.line, each.message) for each in s.editor.seen.diagnostics.get(buffer.uri, [])]


async def come(s: Stage, buffer: Buffer, expected: list[tuple[int, str]]) -> None:
    try:
        await until(lambda: shown(s, buffer) == expected)
    except TimeoutError:
        assert shown(s, buffer) == expected


ZERO, LITTLE = "An empty list divides by zero.", "The name says little."


async def test_each_finding_is_shown_when_it_is_complete(s: Stage) -> None:
    buffer, gate = opened(s), asyncio.Event()

    async def play(talk: Talk) -> None:
        await talk.head()
        *pieces, last, usage, done = events("openai", told(buffer, EMPTY + NAME), size=10)
        half = len(told(buffer, EMPTY)) // 10 + 2
        for piece in pieces[:half]:
            await talk.chunk(piece)
        await gate.wait()
        for piece in (*pieces[half:], last, usage, done):
            await talk.chunk(piece)
        await talk.end()

    s.upstream.script(Reply(play))
    running = asyncio.create_task(s.editor.run(pick(await s.editor.menu(buffer, 0), "Review")))
    await come(s, buffer, [(2, ZERO)])
    assert not running.done()
    gate.set()
    await running
    await come(s, buffer, [(2, ZERO), (1, LITTLE)])
    first, second = s.editor.seen.diagnostics[buffer.uri]
    assert (first.severity, first.source) == (types.DiagnosticSeverity.Error, "tuppence")
    assert second.severity == types.DiagnosticSeverity.Hint
    line = buffer.text.splitlines()[2]
    assert (first.range.start.character, first.range.end.character) == (4, len(line))
    assert s.entries()[-1].outcome == "kept"
    assert "Reviewed `mean`: small, 2 findings" in messages(s)[-1]


async def test_findings_move_with_edits_and_vanish_with_their_line(s: Stage) -> None:
    buffer = opened(s)
    await review(s, buffer, EMPTY + NAME)
    await come(s, buffer, [(2, ZERO), (1, LITTLE)])
    s.editor.type(buffer, 0, 0, "import os\n\n")
    await come(s, buffer, [(4, ZERO), (3, LITTLE)])
    # An edit that leaves all offsets as they are and moves the lines all the same.
    s.editor.type(buffer, 6, 7, "\n")
    await come(s, buffer, [(5, ZERO), (4, LITTLE)])
    end = buffer.text.index("sum(xs)")
    s.editor.type(buffer, end, end + 3, "max")
    await come(s, buffer, [(5, ZERO)])
    s.editor.type(buffer, buffer.text.index("    return"), buffer.text.index("    return"), " ")
    await come(s, buffer, [])


async def test_a_finding_can_be_dismissed_and_all_of_them_cleared(s: Stage) -> None:
    buffer = opened(s)
    await review(s, buffer, EMPTY + NAME)
    await come(s, buffer, [(2, ZERO), (1, LITTLE)])
    menu = await s.editor.menu(buffer, buffer.text.index("return"))
    await s.editor.run(pick(menu, f"Dismiss: {ZERO}"))
    await come(s, buffer, [(1, LITTLE)])
    await s.editor.run(pick(menu, f"Dismiss: {ZERO}"))
    menu = await s.editor.menu(buffer, 0)
    assert pick(menu, "Clear all review findings").kind == "source.review.clear"
    await s.editor.run(pick(menu, "Clear all review findings"))
    await come(s, buffer, [])
    assert not [each for each in titles(await s.editor.menu(buffer, 0)) if "Dismiss" in each or "Clear" in each]


async def test_a_finding_s_own_fix_is_applied_without_another_call(s: Stage) -> None:
    buffer = opened(s)
    await review(s, buffer, EMPTY + NAME)
    await come(s, buffer, [(2, ZERO), (1, LITTLE)])
    asked = len(s.upstream.requests)
    s.editor.type(buffer, 0, 0, "# 😀\r\n")
    at = buffer.text.index("return")
    own = s.editor.seen.diagnostics[buffer.uri]
    menu = await s.editor.menu(buffer, at, diagnostics=own, trigger_kind=types.CodeActionTriggerKind.Automatic)
    assert titles(menu) == [f"Apply: {ZERO}", f"Dismiss: {ZERO}"]
    apply = menu[0]
    assert (apply.kind, apply.tags) == ("quickfix", (types.CodeActionTag.LlmGenerated,))
    assert apply.is_preferred
    assert (menu[1].kind, menu[1].is_preferred) == ("source.review.dismiss", None)
    quick = await s.editor.menu(buffer, at, diagnostics=own, only=["quickfix"])
    assert titles(quick) == [f"Apply: {ZERO}"]
    assert apply.diagnostics is not None
    assert apply.diagnostics[0].message == ZERO
    before = buffer.text
    await s.editor.run(apply)
    assert buffer.text == before.replace(" / len(xs)", " / len(xs) if xs else 0.0")
    await come(s, buffer, [(2, LITTLE)])
    assert len(s.upstream.requests) == asked

    # It was made for one version of the text, and the editor refuses it for another.
    assert apply.edit is not None
    assert not s.editor.apply(apply.edit)


async def test_a_fix_that_does_not_parse_is_not_offered_and_a_model_can_be_asked(s: Stage) -> None:
    buffer = opened(s)
    await review(s, buffer, BROKEN)
    menu = await s.editor.menu(buffer, buffer.text.index("sum(xs)"))
    assert titles(menu)[:2] == ["Fix: A generator would do", "Dismiss: A generator would do."]
    name = told(buffer, "total")
    s.upstream.says(f"```python\ndef mean(xs):\n    {name} = sum(iter(xs))\n    return {name} / len(xs)\n```")
    await s.editor.run(menu[0])
    assert f"{name} = sum(iter(xs))" in buffer.text
    assert "A generator would do." in s.upstream.requests[-1].body["messages"][-1]["content"]
    await come(s, buffer, [])


async def test_a_fix_of_two_lines_falls_when_the_second_one_changes(s: Stage) -> None:
    buffer = opened(s)
    await review(s, buffer, TWO_LINES)
    at = buffer.text.index("sum(xs)")
    assert titles(await s.editor.menu(buffer, at))[0] == "Apply: This could be one line."
    end = buffer.text.index("len(xs)") + len("len(xs)")
    s.editor.type(buffer, end, end, " * 2")
    await until(lambda: buffer.version == 2)
    assert titles(await s.editor.menu(buffer, at))[0] == "Fix: This could be one line"


async def test_a_review_replaces_the_findings_of_the_one_before(s: Stage) -> None:
    buffer = opened(s)
    await review(s, buffer, "severity: hint\nline: `    return xs[0]`\nproblem: It may be empty.\n", "def first")
    await review(s, buffer, NAME)
    await come(s, buffer, [(6, "It may be empty."), (1, LITTLE)])

    # The same code again is answered by the kept answer, at no cost and without doubling anything.
    asked = len(s.upstream.requests)
    await s.editor.run(pick(await s.editor.menu(buffer, 0), "Review"))
    await come(s, buffer, [(6, "It may be empty."), (1, LITTLE)])
    assert len(s.upstream.requests) == asked

    # Asked again, what was found before goes when the new answer is whole; other definitions keep theirs.
    await review(s, buffer, EMPTY)
    await come(s, buffer, [(6, "It may be empty."), (2, ZERO)])
    menu = await s.editor.menu(buffer, 0)
    s.upstream.says("I have no idea.")
    await s.editor.run(pick(menu, "Again with a better model"))
    await come(s, buffer, [(6, "It may be empty."), (2, ZERO)])
    s.upstream.says("No findings.")
    await s.editor.run(pick(await s.editor.menu(buffer, 0), "Again with a better model"))
    await come(s, buffer, [(6, "It may be empty.")])


async def test_closing_takes_the_findings_down_and_opening_starts_afresh(s: Stage) -> None:
    buffer = opened(s)
    await review(s, buffer, EMPTY)
    await come(s, buffer, [(2, ZERO)])
    s.editor.close(buffer)
    await come(s, buffer, [])
    again = s.editor.open(buffer.uri, "python", buffer.text)
    assert [each for each in titles(await s.editor.menu(again, 0)) if "Clear" in each or "Again" in each] == []
    await s.editor.run(pick(await s.editor.menu(again, 0), "Review"))
    await come(s, again, [(2, ZERO)])
    s.editor.type(again, 0, 0, "\n")
    await come(s, again, [(3, ZERO)])


async def test_an_editor_without_versioned_edits_has_the_version_compared_for_it(tmp_path: Path) -> None:
    def plain(editor: Editor) -> None:
        workspace = editor.capabilities.workspace
        assert workspace is not None
        workspace.workspace_edit = None

    async with stage(tmp_path, before=plain) as s:
        buffer = opened(s)
        await review(s, buffer, EMPTY)
        at = buffer.text.index("return")
        menu = await s.editor.menu(buffer, at)
        apply: Any = pick(menu, f"Apply: {ZERO}")
        assert apply.edit is None
        s.editor.type(buffer, 0, 0, "\n")
        before = buffer.text
        await s.editor.run(apply)
        assert buffer.text == before
        assert messages(s)[-1] == "The document changed after the menu was opened. Open the menu again."
        await s.editor.run(pick(await s.editor.menu(buffer, at + 1), "Apply"))
        assert buffer.text == before.replace(" / len(xs)", " / len(xs) if xs else 0.0")
        await s.editor.run(apply)
        assert messages(s)[-1] == "That finding is not there any more. Review again if you want it."
        assert len(s.upstream.requests) == 1
