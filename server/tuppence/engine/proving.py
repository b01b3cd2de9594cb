"""Whether the tests that a model wrote are run, and the trial that is made of them.

Nothing is run but where the user's own configuration says so twice: ``run_tests``, and a folder under ``trusted`` that
the project lies in. A workspace can say neither. How it is run is trial's affair.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tuppence.core.answer.insert_tests import added
from tuppence.core.checks.generated_tests import fresh
from tuppence.core.events import Answer
from tuppence.core.text.document import apply
from tuppence.engine.request import Plan
from tuppence.engine.session import House
from tuppence.engine.verify import runs_tests
from tuppence.sandbox import Case, prove


def is_wanted(plan: Plan, answer: Answer, house: House) -> bool:
    """Report whether an answer's tests are to be run."""
    if answer.written is None or not answer.verdict.fit:
        return False
    return runs_tests(house.config(), _root(plan, house), plan.work.language.id)


async def proved(plan: Plan, answer: Answer, house: House) -> Answer:
    """Return the answer with the verdict of a trial."""
    work, root = plan.work, _root(plan, house)
    assert answer.written is not None
    assert work.place is not None
    assert root is not None
    assert plan.ask.path is not None
    before = work.place.document.text
    tests = await asyncio.to_thread(Path(work.place.path).resolve)
    after = apply(before, added(work.place.document, work.language, answer.written))
    case = Case(
        language=work.language.id,
        root=root,
        source=plan.ask.path.resolve(),
        code=work.document.text,
        target=work.target.span,
        tests=tests,
        text=after,
        names=fresh(before, after, work.language),
        is_private=house.workspace.is_secret,
    )
    if not tests.is_relative_to(root):
        doubt = "the tests were not run: their file lies outside the project"
        return replace(answer, verdict=replace(answer.verdict, doubts=(*answer.verdict.doubts, doubt)))
    verdict = await prove(case)
    return replace(answer, verdict=replace(verdict, proved=verdict.proved or answer.verdict.proved))


def _root(plan: Plan, house: House) -> Path | None:
    return house.workspace.folder(plan.ask.path) if plan.ask.path else None
