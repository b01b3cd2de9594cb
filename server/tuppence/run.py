"""The way of one request, from a person's question to an answer that is kept or text that is put back.

    tier 0 or kept -> plan (context, difficulty, route) -> attempt (prompt, stream, checks) -> keep, climb or put back

``run`` is an async generator of steps (core/steps.py). Closing or cancelling it at any point closes the connection and
enters the account once. It applies nothing to any text: whoever consumes the steps does that, and tells the ledger
when an answer could not be applied after all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from tuppence import plan as plans
from tuppence.account import Account, Attempt
from tuppence.core.accounts import Outcome
from tuppence.core.checks import Verdict
from tuppence.core.making import Making, begin
from tuppence.core.models import Model
from tuppence.core.prompt import compose
from tuppence.core.route import Route
from tuppence.core.steps import Answer, Done, Progress, PutBack, Routed, Step
from tuppence.errors import Busy, TuppenceError
from tuppence.house import House
from tuppence.plan import Ask, Plan
from tuppence.providers import Event, Text, Thinking
from tuppence.stream import Sending, Waiting
from tuppence.verify import safe_fix

FALLBACKS = 3
"""How many other models are tried, one after another, while providers cannot answer."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """An attempt ended with this answer, fit or not."""

    answer: Answer


async def run(ask: Ask, house: House, account: Account) -> AsyncGenerator[Step, None]:
    """Yield what happens while a question is answered; the last step is ``Done``, unless the run is cancelled.

    No TuppenceError leaves it: an error becomes the ``why`` of ``Done``.

    :param account: the run's own, still empty; it is right at every moment, after a cancellation too.
    """
    ending: Outcome = "cancelled"
    try:
        async with aclosing(_answer(ask, house, account)) as steps:
            async for step in steps:
                yield step
    except TuppenceError as error:
        ending = "failed"
        yield _done(None, account, why=str(error))
    finally:
        if not account.entries:
            house.record(account.enter_free("", "", house.now(), ending))


async def _answer(ask: Ask, house: House, account: Account) -> AsyncGenerator[Step, None]:
    if ask.action.id == "fix" and ask.chosen is not None and not ask.above:
        yield Progress("Asking the linter")
        if edits := await safe_fix(ask.document, ask.chosen, ask.path):
            house.record(account.enter_free("ruff", "ruff", house.now(), "kept"))
            verdict = Verdict(fit=True, proved="the linter's own safe fix", reasons=())
            yield _done(Answer(verdict, edits=edits), account)
            return
    if answer := plans.kept(ask, house):
        house.record(account.enter_free("kept", answer.model, house.now(), "kept"))
        for step in answer.steps:
            yield step
        yield replace(_done(answer.answer, account), kept=True)
        return
    yield Progress("Reading the project")
    plan = await plans.make(ask, house)
    account.difficulty = plan.difficulty.value
    yield Routed(plan.route, plan.context.cut)
    async with aclosing(_climb(plan, house, account)) as steps:
        async for step in steps:
            yield step


async def _climb(plan: Plan, house: House, account: Account) -> AsyncGenerator[Step, None]:
    """Try the first model; another where its provider cannot answer; a better one, once, where the check fails."""
    spare = list(plan.route.spare[:FALLBACKS])
    above = list(plan.route.ladder[1:])
    model, climbed = plan.route.model, False
    while True:
        answer: Answer | None = None
        try:
            async with aclosing(_attempt(model, plan, house, account)) as steps:
                async for step in steps:
                    if isinstance(step, _Judged):
                        answer = step.answer
                    else:
                        yield step
        except Busy as busy:
            house.health.failed(model.provider.name, busy.after)
            found = _next(spare, above, house)
            if found is None:
                raise
            yield PutBack(busy.message)
            yield Routed(_turn(plan, found, f"{model.id} cannot answer now, so {found.id} is asked"), ())
            model = found
            continue
        assert answer is not None
        if answer.verdict.fit:
            plans.keep(plan, answer, model, account, house)
            yield _done(answer, account)
            return
        why = " ".join(answer.verdict.reasons)
        yield PutBack(why)
        if climbed or not above:
            yield _done(None, account, why=f"{why} The text is as it was.")
            return
        found = above.pop(0)
        yield Routed(_turn(plan, found, f"{model.id}: {why} So {found.id} gets a try"), ())
        model, climbed = found, True


async def _attempt(model: Model, plan: Plan, house: House, account: Account) -> AsyncGenerator[Step | _Judged, None]:
    """Ask one model once; enter it in the account, however it ends."""
    prompt = compose(plan.ask.action, plan.context, plans.limit(plan, model), plan.tests)
    attempt = Attempt(model, prompt)
    outcome: Outcome = "cancelled"
    try:
        gate = house.turns.of(model)
        if gate.locked():
            yield Progress(f"Waiting for a turn at {model.provider.name}")
        async with gate:
            yield Progress(f"Asking {model.id}")
            making = begin(plan.work)
            async with aclosing(house.upstream.answer(prompt, model, house.keys.of(model.provider))) as pieces:
                async for piece in pieces:
                    match piece:
                        case Sending():
                            attempt.sent = True
                        case Waiting():
                            yield Progress(f"{piece.why} Trying again in {piece.seconds:.0f} s")
                        case _:
                            attempt.note(piece)
                            for step in _show(piece, making, attempt):
                                yield step
        house.health.works(model.provider.name)
        yield Progress("Checking the answer")
        steps, answer = await asyncio.to_thread(making.finish, attempt.stop.reason if attempt.stop else "end")
        outcome = "kept" if answer.verdict.fit else "failed check"
        for step in steps if answer.verdict.fit else ():
            yield step
        yield _Judged(replace(answer, reply="".join(attempt.received)))
    except TuppenceError:
        attempt.refused = not attempt.received and attempt.metered is None
        outcome = "failed"
        raise
    finally:
        house.record(account.enter(attempt, plan.route, outcome, house.now()))


def _show(piece: Event, making: Making, attempt: Attempt) -> tuple[Step, ...]:
    """Return what a person sees of one event."""
    match piece:
        case Text():
            return making.feed(piece.text)
        case Thinking() if len(attempt.thought) == 1:
            return (Progress(f"{attempt.model.id} is thinking"),)
        case _:
            return ()


def _next(spare: list[Model], above: list[Model], house: House) -> Model | None:
    """Take the next model whose provider is not resting: an adequate one first, else one from up the ladder."""
    for models in (spare, above):
        while models:
            model = models.pop(0)
            if model.provider.name not in house.health.resting():
                return model
    return None


def _turn(plan: Plan, model: Model, reason: str) -> Route:
    return replace(plan.route, model=model, expected_cost=None, reason=reason)


def _done(answer: Answer | None, account: Account, why: str = "") -> Done:
    last = account.entries[-1] if account.entries else None
    return Done(
        answer=answer,
        model=last.model if last else "",
        tier=last.tier if last else "",
        cost=account.total,
        estimated=account.estimated,
        why=why,
    )
