"""The way of one request, from a person's question to an answer that is kept or text that is put back.

    tier 0 or kept -> plan (context, difficulty, route) -> attempt (prompt, stream, checks) -> keep, climb or put back

``run`` is an async generator of steps (core/events.py). Closing or cancelling it at any point closes the connection and
enters each attempt in the account once. It applies nothing to any text: whoever consumes the steps does that, and
tells the ledger when an answer could not be applied after all.

Another model is asked in two cases, and both are told to the person:
- The provider cannot answer now (a limit, an overload, a time-out, no connection) and no word of an answer came: the
  next adequate model is asked, a few times over if need be.
- The answer does not hold (empty, cut off, refused by the model, not parsing, broken off): the next better model gets
  one try.
A person who wants to be asked before a dear model is (engine/approval.py) is asked in both.
A provider that refuses the request itself (a wrong key, no credit, an unknown model) is no such case: the person has
to know, and asking elsewhere would hide it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from tuppence.core import actions
from tuppence.core.answer_builder import builder_for
from tuppence.core.billing.entry import Outcome
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import (
    Answer,
    EditsDrafted,
    Event,
    FindingAdded,
    MarkdownChunk,
    ModelChosen,
    Retracted,
    RunFinished,
    StatusLine,
)
from tuppence.core.models.model import Model
from tuppence.core.models.usage import PACE
from tuppence.core.routing.router import Route
from tuppence.engine import answer_cache, approval
from tuppence.engine import prepare as plans
from tuppence.engine.attempt import Attempt
from tuppence.engine.fallback import Fallbacks, Unavailable
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import PreparedRequest, Request
from tuppence.engine.session import Session
from tuppence.engine.spending import SpendGuard, settle_cost
from tuppence.engine.stream import Repetitive, stream_answer
from tuppence.engine.verify import EditorCheck, run_tests, should_run_tests, verify_edit
from tuppence.errors import Broken, Busy, OverBudget, TuppenceError
from tuppence.linters import ready_fix


@dataclass(frozen=True, slots=True)
class _Judged:
    """An attempt ended with this answer, fit or not."""

    answer: Answer
    remedy: str = ""
    """What the person could do about one that is not fit, where an error says so."""


async def run(
    request: Request, session: Session, receipt: Receipt, inspect: EditorCheck | None = None
) -> AsyncGenerator[Event, None]:
    """Yield what happens while a question is answered; the last step is ``RunFinished``, unless the run is cancelled.

    No TuppenceError leaves it: an error becomes the ``why`` of ``RunFinished``.

    :param receipt: the run's own, still empty; it is right at every moment, after a cancellation too.
    :param inspect: the last look at an edit that is fit as far as can be told here, by whoever shows it.
    """
    ending: Outcome = "cancelled"
    try:
        async with aclosing(_answer(request, session, receipt, inspect)) as steps:
            async for step in steps:
                yield step
    except TuppenceError as error:
        ending = "failed"
        yield _done(None, receipt, why=str(error))
    finally:
        if not receipt.entries:
            session.record(receipt.add_free("", "", session.now(), ending))


async def _answer(
    request: Request, session: Session, receipt: Receipt, inspect: EditorCheck | None
) -> AsyncGenerator[Event, None]:
    receipt.project = session.workspace.project(request.path) if request.path else ""
    if request.action.fixes_diagnostics and request.diagnostic is not None and not request.better_than:
        yield StatusLine("Asking the linter")
        if fix := await ready_fix(request.document, request.diagnostic, request.path):
            session.record(receipt.add_free(fix.tool, fix.tool, session.now(), "kept"))
            yield _done(Answer(Verdict(fit=True, proved=fix.proved), edits=fix.edits), receipt)
            return
    about = await asyncio.to_thread(answer_cache.content_key, request, session)
    if answer := answer_cache.lookup(request, about, session):
        for step in _again(answer, session, receipt):
            yield step
        return
    yield StatusLine("Reading the project")
    prepared = replace(await plans.prepare(request, session), cache_key=about)
    receipt.difficulty = prepared.difficulty.value
    if answer := answer_cache.lookup(
        request, about, session, prepared.route.wanted
    ):  # Given while money was as short as it is now.
        for step in _again(answer, session, receipt):
            yield step
        return
    async with aclosing(_settled(prepared, session, receipt)) as settled:
        async for each in settled:
            if isinstance(each, PreparedRequest):
                prepared = each
            else:
                yield each
    yield ModelChosen(prepared.route, prepared.context.cut)
    async with aclosing(_climb(prepared, session, receipt, inspect)) as steps:
        async for step in steps:
            yield step


def _again(replay: answer_cache.CachedAnswer, session: Session, receipt: Receipt) -> Iterator[Event]:
    """Give a kept answer once more."""
    session.record(receipt.add_free("kept", replay.model, session.now(), "kept"))
    yield from replay.steps
    yield replace(_done(replay.answer, receipt), kept=True)


async def _settled(
    prepared: PreparedRequest, session: Session, receipt: Receipt
) -> AsyncGenerator[Event | PreparedRequest, None]:
    """Have the person agree, and a plan written, where either is wanted; the last thing is the question as settled."""
    if why := approval.approval_reason(prepared.route.model, prepared, receipt.total, session):
        yield StatusLine(f"Waiting for your word: {why}")
        prepared = await approval.approve_route(prepared, why, session)
    yield prepared
    if prepared.planner is not None:
        async with aclosing(_advised(prepared, prepared.planner, session, receipt)) as advised:
            async for each in advised:
                yield each


async def _advised(
    prepared: PreparedRequest, planner: Model, session: Session, receipt: Receipt
) -> AsyncGenerator[Event | PreparedRequest, None]:
    """Have a plan written first; the last thing is the question with it, or without where none could be had."""
    settled = plans.advised(prepared, planner, "")
    if approval.approval_reason(
        planner, prepared, receipt.total, session
    ):  # A plan is no matter to trouble a person with.
        yield settled
        return
    route = replace(
        prepared.route, model=planner, expected_cost=None, reason=f"plans it for {prepared.route.model.title}"
    )
    yield ModelChosen(route, ())
    work = replace(prepared.task, action=actions.EXPLAIN, place=None)
    with suppress(TuppenceError):  # A plan that is not to be had costs nobody the answer; at its end that is told.
        async with aclosing(_attempt(replace(prepared, task=work), route, session, receipt, None)) as steps:
            async for step in steps:
                if isinstance(step, _Judged):
                    settled = plans.advised(prepared, planner, step.answer.reply)
                elif isinstance(step, StatusLine):
                    yield step
    yield settled


async def _climb(
    prepared: PreparedRequest, session: Session, receipt: Receipt, inspect: EditorCheck | None
) -> AsyncGenerator[Event, None]:
    """Try the first model; another where its provider cannot answer; a better one, once, where the check fails."""
    fallbacks = Fallbacks(prepared, session, prepared.route, inspect)
    while True:
        model = fallbacks.route.model
        end: _Judged | Unavailable | None = None
        is_shown = inspect is not None
        async with aclosing(_afforded(fallbacks, receipt)) as steps:
            async for step in steps:
                if isinstance(step, _Judged | Unavailable):
                    end = step
                else:
                    is_shown = is_shown or isinstance(step, EditsDrafted | FindingAdded | MarkdownChunk)
                    yield step
        match end:
            case _Judged(answer) if answer.verdict.fit:
                answer_cache.store(prepared, answer, model, receipt, session)
                yield _done(answer, receipt)
                return
            case _Judged(answer, remedy):
                why = " ".join(answer.verdict.reasons)
                fallbacks.reasons.append(f"{model.id}: {why}")
                if is_shown:
                    yield Retracted(why)
                fallbacks.found = fallbacks.escalate()
                reason = f"asked after {model.id}, whose answer was not kept: {why}"
            case Unavailable(error):
                remedy = error.remedy
                fallbacks.reasons.append(error.message)
                fallbacks.found = fallbacks.next_provider(end)
                reason = f"asked instead of {model.id}: {error.message}"
            case _:
                raise AssertionError("an attempt ends with an answer, an error or a cancellation")
        async for step in _agree(fallbacks, receipt):
            yield step
        if fallbacks.found is None:
            yield _done(None, receipt, why=" ".join((*fallbacks.reasons, remedy)).strip())
            return
        yield fallbacks.next(fallbacks.found, reason.rstrip("."))


async def _agree(fallbacks: Fallbacks, receipt: Receipt) -> AsyncGenerator[StatusLine, None]:
    """Ask the person about the model that would be asked next, where the configuration wants that."""
    while fallbacks.found is not None and (
        why := approval.approval_reason(fallbacks.found, fallbacks.prepared, receipt.total, fallbacks.session)
    ):
        yield StatusLine(f"Waiting for your word: {why}")
        if await approval.approve_model(fallbacks.found, why, fallbacks.session):
            return
        fallbacks.found = fallbacks.after_refusal(fallbacks.found)


async def _afforded(fallbacks: Fallbacks, receipt: Receipt) -> AsyncGenerator[Event | _Judged | Unavailable, None]:
    """Ask the model whose turn it is; where the budget ends here, say also why those before it were not enough."""
    try:
        async with aclosing(
            _attempt(fallbacks.prepared, fallbacks.route, fallbacks.session, receipt, fallbacks.editor_check)
        ) as steps:
            async for step in steps:
                yield step
    except OverBudget as over:
        raise OverBudget(" ".join((*fallbacks.reasons, over.message)), over.remedy) from None


async def _attempt(
    prepared: PreparedRequest, route: Route, session: Session, receipt: Receipt, inspect: EditorCheck | None
) -> AsyncGenerator[Event | _Judged | Unavailable, None]:
    """Ask one model once; enter it in the account, however it ends.

    :raises TuppenceError: it will not be answered, and no other model should be asked instead.
    """
    model = route.model
    prompt = plans.prompt(prepared, model)
    pace = session.pace(model, receipt.language) or PACE
    attempt = Attempt(model=model, prompt=prompt, at=session.now(), chars_per_token=pace)
    guard = SpendGuard(session, receipt, route, plans.minimum_output(prepared))
    outcome: Outcome = "cancelled"
    try:
        making = builder_for(prepared.task)
        async with aclosing(stream_answer(prepared, attempt, making, guard)) as steps:
            async for step in steps:
                yield step
        session.provider_health.works(model.provider.name)
        yield StatusLine("Checking the answer")
        steps_left, answer = await asyncio.to_thread(making.finish, attempt.stop.reason if attempt.stop else "end")
        answer = await verify_edit(prepared.request, answer)
        for step in steps_left if answer.verdict.fit else ():
            yield step
        if should_run_tests(prepared, answer, session):
            yield StatusLine("Running the tests")
            answer = await run_tests(prepared, answer, session)
        if inspect is not None and answer.verdict.fit and answer.edits:
            answer = replace(answer, verdict=await inspect(answer))
        outcome = "planned" if prepared.planner else "kept" if answer.verdict.fit else "failed check"
        route = route if prepared.planner else replace(route, reason=f"{route.reason}; {answer.verdict.words}")
        yield _Judged(replace(answer, reply="".join(attempt.received)))
    except (Busy, Broken) as error:
        outcome = "failed check" if isinstance(error, Repetitive) else "failed"
        if isinstance(error, Broken) or attempt.answering:
            yield _Judged(Answer(Verdict(fit=False, proved="nothing", reasons=(error.message,))), error.remedy)
            return
        session.provider_health.failed(model.provider.name, error.after)
        yield Unavailable(error, "model" if attempt.rejected else "provider")
    except TuppenceError:
        outcome = "failed"
        raise
    finally:
        settle_cost(session, receipt.add_attempt(attempt, route, outcome), attempt, route.best.price)


def _done(answer: Answer | None, receipt: Receipt, why: str = "") -> RunFinished:
    last = receipt.entries[-1] if receipt.entries else None
    return RunFinished(
        answer=answer,
        model=last.model if last else "",
        tier=last.tier if last else "",
        cost=receipt.total,
        estimated=receipt.estimated,
        why=why,
    )
