"""Replies assembled at random from parts of real answers never change the file outside the target."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from tests.core.answer.test_extract_target import CASES, FILES

from tuppence.core.actions import FIX
from tuppence.core.answer_builder import Task, builder_for
from tuppence.core.events import EditsDrafted, Event
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span, apply

REPLIES = 150
"""For each language."""
ODD = (
    *("", "}", "{", "```", "import os", "package main", "class Foo {", "# x", "// y", "...", "return 1", "@@ -1 +1 @@"),
    *("- a", "+ b", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "12: x", "\ufeff", "<think>", "</think>", "“a”"),
    *("&lt;", "\t", "    ", "print(1)", "'''", '"""', "`", "def area(shape):"),
)
FORMS = (
    "```\n{}\n```",
    "{}",
    "Here:\n```x\n{}\n```\nUse it so:\n```\nfoo\n```",
    "```imports\nimport os\n```\n```\n{}\n```",
)


def work(known: str, dice: random.Random) -> Task:
    """Return a task about a definition of a file, or about some of its lines."""
    text = FILES[known]
    document, tree = Document("file:///p/shape.x", known, 1, text), parse(text, language(known))
    at = text.index(dice.choice([needle for each, needle, _ in CASES if each == known]))
    ends = sorted(dice.sample(range(len(text)), 2)) if dice.random() < 0.2 else (at, at)
    target = find_target(document, tree, Span(*ends)) or find_target(document, tree, Span(at, at))
    assert target is not None
    return Task(action=FIX, document=document, tree=tree, language=tree.language, target=target)


def reply(task: Task, dice: random.Random) -> str:
    """Return the target, or the file, with some lines lost, changed or put in, in one of the forms."""
    file = task.document.text.split("\n")
    lines = list(dice.choice([file, *[task.document.slice(task.target.span).split("\n")] * 3]))
    for _ in range(dice.randrange(6)):
        at = dice.randrange(len(lines)) if lines else 0
        match dice.randrange(4):
            case 0 if lines:
                lines.pop(at)
            case 1 if lines:
                lines[at] = lines[at].replace("return", "return 5 +")
            case 2 if lines:
                lines[at] += dice.choice(ODD)
            case _:
                lines.insert(at, dice.choice([*ODD, *file]))
    return dice.choice(FORMS).format("\n".join(lines))


def edits(events: tuple[Event, ...], live: str) -> str:
    """Return a live text after what some events draft."""
    for event in events:
        for edit in event.edits if isinstance(event, EditsDrafted) else ():
            live = live[: edit.span.start] + edit.text + live[edit.span.end :]
    return live


def pieces(text: str, dice: random.Random) -> Iterator[str]:
    while text:
        size = dice.randint(1, 40)
        yield text[:size]
        text = text[size:]


@pytest.mark.parametrize("known", FILES)
def test_what_is_kept_leaves_the_rest_of_the_file(known: str) -> None:
    dice = random.Random(known)  # noqa: S311 - samples, no secrets
    kept = 0
    for _ in range(REPLIES):
        task = work(known, dice)
        said, text, tree = reply(task, dice), task.document.text, task.tree
        builder, live = builder_for(task), text
        for piece in pieces(said, dice):
            live = edits(builder.feed(piece), live)
        rest, answer = builder.finish("end")
        live = edits(rest, live)
        if not answer.verdict.fit:
            continue
        kept += 1
        after = apply(text, answer.edits)
        new = parse(after, tree.language)
        assert new.faults() <= tree.faults(), said
        outside = [each.name for each in tree.blocks() if each.name and not task.target.span.covers(each.span)]
        there = [each.name for each in new.blocks()]
        assert all(there.count(name) >= outside.count(name) for name in outside), said
        assert "import" in said or after.endswith(text[task.target.span.end :]), said
        assert "import" in said or "#include" in said or "use " in said or live == after, said
    assert kept > REPLIES // 50
