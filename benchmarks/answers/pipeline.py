"""One reply through the real pipeline, without a model and an editor: what became of it.

The reply is fed in random pieces to the builder that a run uses; the live edits are made in a text of their own, one
after the other, and must give what the final edits give. Then come the checks of the engine, the linter aside.
"""

from __future__ import annotations

import ast
import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from unittest import mock

from benchmarks.answers.mine import Case
from benchmarks.answers.rendering import Rendered, Shape
from tuppence.core.actions import FIX
from tuppence.core.answer_builder import Task, builder_for
from tuppence.core.checks.slop import Evidence
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer, EditsDrafted, Event
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import apply
from tuppence.engine import verify
from tuppence.engine.request import Request

Fate = Literal["exact", "layout", "refused", "damaged", "kept"]
"""What became of a reply.

``exact``: kept, and the document is one of those that are right, byte for byte. ``layout``: kept, and it differs in
white space at the beginning and end of lines alone. ``refused``: the text is as it was. ``damaged``: a reply that means
the right text was kept, and the document is none that is right. ``kept``: a bad or harmful reply was kept.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one reply, and where to look."""

    shape: str
    language: str
    case: str
    fate: Fate
    doubts: tuple[str, ...]
    why: str
    """Why it was refused."""
    is_live_right: bool
    """Whether the live edits gave what the final ones give."""
    seen: tuple[str, str, str] | None = None
    """The old text, the reply and the result, where someone wants to see them."""


def chunks(text: str, dice: random.Random) -> Iterator[str]:
    """Yield a text in pieces, as models send them."""
    size = dice.choice([1, 4, 12, 40, 400])
    at = 0
    while at < len(text):
        step = dice.randint(1, size)
        yield text[at : at + step]
        at += step


def judge(shape: Shape, case: Case, reply: Rendered, dice: random.Random) -> Outcome:
    """Return what became of a reply to a case."""
    case = reply.case or case
    document = case.document
    tree = parse(document.text, language(document.language))
    task = Task(
        action=FIX,
        document=document,
        tree=tree,
        language=tree.language,
        target=case.target,
        evidence=Evidence((), "", case.packages),
    )
    builder = builder_for(task)
    events: list[Event] = []
    for chunk in chunks(reply.text, dice):
        events += builder.feed(chunk)
    last, answer = builder.finish(reply.stop)
    events += last
    live = document.text
    for event in events:
        if isinstance(event, EditsDrafted):
            for edit in event.edits:
                live = apply(live, [edit])
    request = Request(run="", action=FIX, document=document, tree=tree, target=case.target, path=None)
    answer = _verified(request, answer)
    fit = answer.verdict.fit
    after = apply(document.text, answer.edits) if fit else document.text
    return Outcome(
        shape.title,
        document.language,
        case.key,
        _fate(shape, reply, after, fit=fit),
        answer.verdict.doubts if fit else (),
        " ".join(answer.verdict.reasons),
        not fit or _agrees(case, answer, live),
        (case.old, reply.text, _within(case, after)),
    )


def _verified(request: Request, answer: Answer) -> Answer:
    """Return what the engine says of an answer; the linter, which is a process, has nothing to say."""

    async def unsaid(verdict: Verdict, *_: Any) -> Verdict:
        return verdict

    with mock.patch.object(verify, "recheck", unsaid):
        return asyncio.run(verify.verify_edit(request, answer))


def _fate(shape: Shape, reply: Rendered, after: str, *, fit: bool) -> Fate:
    if not fit:
        return "refused"
    if after in reply.expected:
        return "exact"
    if any(_laid_out_alike(after, each, shape) for each in reply.expected):
        return "layout"
    return "kept" if shape.group in ("bad", "harmful") else "damaged"


def _laid_out_alike(one: str, other: str, shape: Shape) -> bool:
    if shape.group in ("bad", "harmful") or _stripped(one) != _stripped(other):
        return False
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError):
        return not _is_python(one, other)


def _is_python(*texts: str) -> bool:
    """Report whether at least one of the texts is Python."""
    for text in texts:
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        return True
    return False


def _stripped(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


def _agrees(case: Case, answer: Answer, live: str) -> bool:
    """Report whether the live edits gave the final text; imports, which are not drafted, may be lacking from it."""
    text = case.document.text
    if live == apply(text, answer.edits):
        return True
    span = case.target.span
    inside = [edit for edit in answer.edits if span.covers(edit.span)]
    return len(inside) < len(answer.edits) and live == apply(text, inside)


def _within(case: Case, after: str) -> str:
    """Return what of a document changed, with the target at least."""
    text, span = case.document.text, case.target.span
    before = next((at for at, (a, b) in enumerate(zip(text, after, strict=False)) if a != b), len(text))
    start = min(span.start, text.rfind("\n", 0, before) + 1)
    return after[start : max(start, len(after) - (len(text) - span.end))]
