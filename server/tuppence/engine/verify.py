"""What is asked of an answer beyond its own words: whether a tool that looks at the edited text agrees.

The answer's own form is judged in core/answer_builder.py; what its reader's editor can add comes in as an ``Inspect``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tuppence.config.config import Config
from tuppence.config.policy import is_within
from tuppence.core.checks.diagnostic_diff import Case, silenced
from tuppence.core.checks.outside import written_again
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import apply
from tuppence.engine.request import Ask
from tuppence.linters import recheck
from tuppence.sandbox import runs

Inspect = Callable[[Answer], Awaitable[Verdict]]
"""Returns the verdict on an answer that edits and was fit so far: the same, one that proved more, or a failed one."""


def case(ask: Ask, answer: Answer) -> Case:
    """Return an answer as a case for the tools that judge the text."""
    return Case(chosen=ask.chosen, target=ask.target.span, name=ask.target.name, edits=answer.edits)


async def second_look(ask: Ask, answer: Answer) -> Answer:
    """Return an answer with what the tools that need no editor say of it."""
    if not (answer.verdict.fit and answer.edits):
        return answer
    document = ask.document
    if why := await asyncio.to_thread(_why_not, ask, apply(document.text, answer.edits)):
        return replace(answer, verdict=Verdict(fit=False, proved="nothing", reasons=(why,)))
    return replace(answer, verdict=await recheck(answer.verdict, case(ask, answer), document, ask.path))


def _why_not(ask: Ask, after: str) -> str:
    """Return what the two texts alone have against an edit, empty for nothing."""
    if ask.chosen is not None and (words := silenced(ask.document.text, after)):
        return f"It silences the complaint (“{words}”) and leaves its cause."
    if again := written_again(ask.tree, parse(after, ask.tree.language), ask.target.span):
        return f"It writes `{again}` again, which stands elsewhere in the file."
    return ""


def runs_tests(config: Config, root: Path | None, language_id: str) -> bool:
    """Report whether generated tests are run: where the user's own file says so, in a folder that it trusts.

    :param root: the project's folder, resolved; None where there is none.
    """
    return config.run_tests and runs(language_id) and is_within(root, config.trusted)
