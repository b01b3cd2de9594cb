"""Answer one request: prepare, approve, attempt, verify; then keep, escalate or fall back.

    quick fix or cached answer
      -> prepare      what the model will see, how hard it is, who should answer     engine/prepare.py
      -> approve      the user's consent where the configuration asks for it         engine/approval.py
      -> attempt      queue, reserve, stream, build, check, verify, settle           engine/attempt.py
      -> keep         deliver and cache | escalate once | fall back to a provider    engine/fallback.py

Closing the generator at any point closes the connection and enters each attempt in the receipt once. A run applies
nothing to any text: the consumer of its events does, and tells the ledger when an answer could not be applied.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace

from tuppence.core.billing.entry import Outcome
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer, Event, ModelChosen, Retracted, RunFinished, StatusLine
from tuppence.core.models.model import Model
from tuppence.core.pauses import pause_with
from tuppence.core.prompt.context import Surroundings
from tuppence.engine import answer_cache
from tuppence.engine.approval import Approval
from tuppence.engine.attempt import Accepted, ModelAttempt, PlanWriting, ProviderUnavailable, Rejected
from tuppence.engine.disclosure.announcement import announced
from tuppence.engine.fallback import Fallbacks
from tuppence.engine.prepare import prepare
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import EditorCheck, PreparedRequest, Request, RunContext
from tuppence.engine.session import Session
from tuppence.errors import OverBudget, TuppenceError
from tuppence.linters import ready_fix


async def run(
    request: Request, session: Session, receipt: Receipt, editor_check: EditorCheck | None = None
) -> AsyncGenerator[Event, None]:
    """Yield what happens while a request is answered; the last event is ``RunFinished`` unless the run is canceled.

    No TuppenceError leaves it: an error becomes the ``why`` of ``RunFinished``.

    :param receipt: the run's own, still empty; it is right at every moment, after a cancellation too.
    :param editor_check: the last check of an edit that passed the others, by the editor that would show it.
    """
    pause_with(session.fair_share.pause)
    ending: Outcome = "cancelled"
    try:
        async with aclosing(_events(RunContext(request, session, receipt, editor_check))) as events:
            async for event in events:
                yield event
    except TuppenceError as error:
        ending = "failed"
        yield _finished(None, receipt, why=str(error))
    finally:
        if not receipt.entries:
            session.ledger_writer.record(receipt.add_free("", "", session.now(), ending))


async def _events(context: RunContext) -> AsyncGenerator[Event, None]:
    request, session, receipt = context.request, context.session, context.receipt
    if request.action.fixes_diagnostics and request.diagnostic is not None and not _is_repeated(request):
        yield StatusLine("Asking the linter")
        if fix := await ready_fix(request.document, request.diagnostic, request.path):
            session.ledger_writer.record(receipt.add_free(fix.tool, fix.tool, session.now(), "kept"))
            yield _finished(Answer(Verdict.accepted(fix.proved), edits=fix.edits), receipt)
            return
    await session.fair_share.give_way()
    key, around, cached = await _looked_up(request, session)
    if cached:
        for event in _replayed(cached, context):
            yield event
        return
    yield StatusLine("Reading the project")
    prepared = replace(await prepare(request, session, around, whole_table=False), cache_key=key)
    receipt.rate(prepared.difficulty.value)
    # An answer given while equally little money was left is good enough now.
    wanted = prepared.route.wanted
    is_other = bool(key) and wanted != answer_cache.usual_quality(request, session)
    if is_other and (cached := await asyncio.to_thread(answer_cache.lookup, request, key, session, wanted)):
        for event in _replayed(cached, context):
            yield event
        return
    approval = Approval(prepared, context)
    async with aclosing(approval.events()) as events:
        async for event in events:
            yield event
    planning = PlanWriting(approval.result, context)
    async with aclosing(planning.events()) as events:
        async for event in events:
            yield event
    async with aclosing(_attempts(planning.result, context)) as events:
        async for event in events:
            yield event


async def _looked_up(
    request: Request, session: Session
) -> tuple[str, Surroundings | None, answer_cache.CachedAnswer | None]:
    """Return the content key, the target's surroundings and the cached answer; nothing if answers are not cached."""
    if not answer_cache.is_kept(request, session):
        return "", None, None

    def look() -> tuple[str, Surroundings, answer_cache.CachedAnswer | None]:
        around = answer_cache.surroundings(request, session)
        key = answer_cache.content_key(request, session, around)
        return key, around, answer_cache.lookup(request, key, session)

    return await asyncio.to_thread(look)


def _is_repeated(request: Request) -> bool:
    """Report whether the question was asked before, and the user wants a model's answer to it."""
    return bool(request.better_than) or request.bypass_cache


async def _attempts(prepared: PreparedRequest, context: RunContext) -> AsyncGenerator[Event, None]:
    """Call the chosen model; another one if its provider cannot answer; once a better one if a check fails."""
    said = announced(prepared, context.session)
    for sentence in said:
        yield StatusLine(sentence)
    yield ModelChosen(prepared.route, (*said, *prepared.context.cut))
    fallbacks = Fallbacks(prepared, context)
    while (route := fallbacks.current) is not None:
        attempt = ModelAttempt(prepared, route, context)
        try:
            async with aclosing(attempt.events()) as events:
                async for event in events:
                    yield event
        except OverBudget as over:
            raise fallbacks.explained(over) from None
        match attempt.result:
            case Accepted(answer):
                await _store(prepared, answer, route.model, context)
                yield _finished(answer, context.receipt)
                return
            case Rejected() as rejected:
                if rejected.was_shown:
                    yield Retracted(rejected.why)
                fallbacks.escalate(rejected)
            case ProviderUnavailable() as unavailable:
                fallbacks.next_provider(unavailable)
        async with aclosing(fallbacks.events()) as events:
            async for event in events:
                yield event
    yield _finished(None, context.receipt, why=fallbacks.why)


async def _store(prepared: PreparedRequest, answer: Answer, model: Model, context: RunContext) -> None:
    """Store an answer in the cache, if its action allows that."""
    if prepared.cache_key:
        await asyncio.to_thread(answer_cache.store, prepared, answer, model, context.receipt, context.session)


def _replayed(cached: answer_cache.CachedAnswer, context: RunContext) -> Iterator[Event]:
    """Yield the events of an answer from the cache."""
    receipt, session = context.receipt, context.session
    session.ledger_writer.record(receipt.add_free("kept", cached.model, session.now(), "kept"))
    yield from cached.steps
    yield replace(_finished(cached.answer, receipt), kept=True)


def _finished(answer: Answer | None, receipt: Receipt, why: str = "") -> RunFinished:
    last = receipt.entries[-1] if receipt.entries else None
    return RunFinished(
        answer=answer,
        model=last.model if last else "",
        tier=last.tier if last else "",
        cost=receipt.total,
        estimated=receipt.estimated,
        why=why,
        notes=tuple(receipt.notes),
    )
