"""Everything that is checked about an answer beyond the reply's own form, and the order of all checks.

An answer is checked in this order; the first check that rejects it ends the list:

1. The reply itself: refused, cut off, empty, several code blocks, placeholders for code, edits that cannot be applied
   (:mod:`tuppence.core.checks.structure`, called by :mod:`tuppence.core.answer_builder`).
2. The edit brings no characters that do not show (:mod:`tuppence.core.checks.doubts.hidden_characters`). The edited
   text parses; the target is there once, in its place and under its name
   (:mod:`~tuppence.core.checks.target_structure`); and no definition was lost (:mod:`~tuppence.core.checks.structure`,
   :mod:`~tuppence.core.checks.lost_definitions`).
3. The edit leaves no code out (:mod:`tuppence.core.checks.lost_code`); what it drops, and what it makes less secure
   (:mod:`~tuppence.core.checks.doubts.security`), is a doubt. So is what its imports shadow or smuggle, where that is
   not refused (:mod:`~tuppence.core.checks.doubts.imports`).
   The edit is of use: few signs of slop (:mod:`tuppence.core.checks.slop`); an explanation names nothing that does not
   exist (:mod:`~tuppence.core.checks.invented_names`); generated tests reach their target
   (:mod:`~tuppence.core.checks.generated_tests`).
4. It silences no diagnostic, and repeats no definition from elsewhere in the file (:func:`verify_edit`).
5. The linter, on the text as it would be: the diagnostic is gone, and no new one came (:mod:`tuppence.linters`).
6. Generated tests, run in the sandbox (:func:`run_tests`), only where the user's own configuration says so twice:
   ``run_tests``, and a folder under ``trusted`` that contains the project. A workspace can set neither.
7. The editor's other language servers, on the text as it is (``EditorCheck``,
   :mod:`tuppence.lsp.features.other_servers`).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tuppence.config.config import Config
from tuppence.config.policy import is_within
from tuppence.core.answer.insert_tests import added
from tuppence.core.checks.diagnostic_diff import EditUnderReview, silenced
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.generated_tests import fresh
from tuppence.core.checks.lost_definitions import duplicated_definition
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer
from tuppence.core.text.document import apply
from tuppence.core.text.shown_text import quoted
from tuppence.engine.request import PreparedRequest, Request
from tuppence.engine.session import Session
from tuppence.linters import recheck
from tuppence.sandbox import TrialInput, prove, runs


def case(request: Request, answer: Answer) -> EditUnderReview:
    """Return an answer as a case for the tools that judge the text."""
    return EditUnderReview(
        chosen=request.diagnostic, target=request.target.span, name=request.target.name, edits=answer.edits
    )


async def verify_edit(request: Request, answer: Answer) -> Answer:
    """Return an answer with the results of the tools that need no editor, and without its trees."""
    edited, answer = answer.edited, replace(answer, edited=None)
    if not (answer.verdict.fit and answer.edits):
        return answer
    if request.earlier is not None and request.earlier.is_repeated_by(answer.edits):
        # It passed the checks when it was written there, so another verdict would be no news.
        return replace(answer, agrees=True)
    edited = edited or EditedText(request.document, answer.edits, request.tree)
    if why := await asyncio.to_thread(why_not, request, edited):
        return replace(answer, verdict=Verdict.rejected(why))
    verdict = await recheck(answer.verdict, case(request, answer), request.document, request.path)
    return replace(answer, verdict=verdict)


def why_not(request: Request, edited: EditedText) -> str:
    """Return an objection to an edit from the two texts alone; empty if there is none."""
    chosen = request.diagnostic
    told = [] if chosen is None else [chosen, *(each for each in request.diagnostics if each != chosen)]
    if told and (words := silenced(request.document, edited.after.text, told)):
        return f"It silences the complaint ({quoted(words, 80, '“')}) and leaves its cause."
    if again := duplicated_definition(edited.old, edited.new, request.target.span):
        return f"It writes {quoted(again, 80, '`')} again, which is already elsewhere in the file."
    return ""


def runs_tests(config: Config, root: Path | None, language_id: str) -> bool:
    """Report whether generated tests are run: if the user's own file enables it, in a folder that it trusts.

    :param root: the resolved project folder; None if there is none.
    """
    return config.run_tests and runs(language_id) and is_within(root, config.trusted)


async def should_run_tests(prepared: PreparedRequest, answer: Answer, session: Session) -> bool:
    """Report whether an answer's tests should be run."""
    if answer.written is None or not answer.verdict.fit:
        return False
    return runs_tests(session.config(), await asyncio.to_thread(_root, prepared, session), prepared.task.language.id)


async def run_tests(prepared: PreparedRequest, answer: Answer, session: Session) -> Answer:
    """Return the answer with the verdict of a test run."""
    work, root = prepared.task, await asyncio.to_thread(_root, prepared, session)
    assert answer.written is not None
    assert work.place is not None
    assert root is not None
    assert prepared.request.path is not None
    before = work.place.document.text
    tests = await asyncio.to_thread(Path(work.place.path).resolve)
    after = apply(before, added(work.place.document, work.language, answer.written))
    case = TrialInput(
        language=work.language.id,
        root=root,
        source=await asyncio.to_thread(prepared.request.path.resolve),
        code=work.document.text,
        target=work.target.span,
        tests=tests,
        text=after,
        names=fresh(before, after, work.language),
        is_private=session.workspace.is_secret,
    )
    if not tests.is_relative_to(root):
        doubt = "the tests were not run: their file lies outside the project"
        return replace(answer, verdict=replace(answer.verdict, doubts=(*answer.verdict.doubts, doubt)))
    verdict = await prove(case)
    return replace(answer, verdict=replace(verdict, proved=verdict.proved or answer.verdict.proved))


def _root(prepared: PreparedRequest, session: Session) -> Path | None:
    return session.workspace.folder(prepared.request.path) if prepared.request.path else None
