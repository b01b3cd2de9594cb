"""Everything about a request that is decided before a model is asked: its context, its difficulty, and the model.

Reading files and long computations are done in threads, in a few steps: one to collect the context, one to compose and
measure the prompt. engine/run.py sends requests, and engine/answer_cache.py caches answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from tuppence.config import Config
from tuppence.config.policy import is_public, routing_policy
from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS
from tuppence.core.answer.insert_tests import TestLocation
from tuppence.core.answer_builder import Task
from tuppence.core.billing.budget import left, thrifty
from tuppence.core.checks.slop import Evidence
from tuppence.core.models.model import Model
from tuppence.core.models.usage import at_most, estimate, estimate_length
from tuppence.core.prompt import context as contexts
from tuppence.core.prompt.compose import SYSTEM, Prompt, TestFile, compose, compose_brief
from tuppence.core.prompt.context import Context, Surroundings
from tuppence.core.prompt.edit_blocks import in_blocks, takes_blocks
from tuppence.core.routing.candidates import RoutingRequest, allowance, thoughts
from tuppence.core.routing.planner import pair, paired, planned, to_plan, with_plan
from tuppence.core.routing.quality import RUN
from tuppence.core.routing.router import Route, choose
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import DeferredPackages, Packages
from tuppence.engine.answer_cache import surroundings
from tuppence.engine.disclosure.disclosure import Disclosure
from tuppence.engine.disclosure.sources import Composed, disclose
from tuppence.engine.request import PreparedRequest, Request
from tuppence.engine.session import Session
from tuppence.engine.verify import runs_tests
from tuppence.errors import NoModel, Unfit
from tuppence.linters import lint
from tuppence.workspace import tests_placement

BUDGETS = (24_000, 6_000, 2_500)
"""Target numbers of prompt tokens; the next smaller one is tried if no model has room. Many models get worse above
the first."""
LARGER = (48_000, 96_000, 192_000, 384_000)
"""Numbers of prompt tokens for a selection that is larger than the first target by itself, which only long contexts
can hold."""
_SHARE = 8
"""The maximum share of the prompt for an existing test file, as a divisor."""
_TOLD = 40
"""Maximum number of diagnostics in a prompt; more are noise, and take room from the code."""
_GRAVEST = ("error", "warning", "information", "hint")


async def prepare(request: Request, session: Session, around: Surroundings | None = None) -> PreparedRequest:
    """Return the plan for a request.

    :param around: the target's surroundings, if they were just collected.
    :raises Unfit: the document or target cannot be sent to a model.
    :raises NoModel: no model may answer.
    """
    if (config := session.config()).is_unread:
        mistake = config.mistakes[0]
        what = (
            f"No model is asked, because the configuration cannot be read. {config.path}:{mistake.line}: {mistake.what}"
        )
        raise NoModel(what, mistake.remedy)
    seen, place = await asyncio.to_thread(_look, request, session, around)
    if request.action.fixes_diagnostics and not request.diagnostics:
        # Some editors (Helix, eglot) do not pass on other servers' diagnostics; the linter can be asked directly. Its
        # remarks on style are left out, because they would distract the model from the bug that the user means.
        said = await lint(request.document, request.path)
        request = replace(request, diagnostics=tuple(each for each in said if each.severity == "error"))
    known = language(request.document.language)
    work = Task(
        action=request.action,
        document=request.document,
        tree=request.tree,
        language=known,
        target=request.target,
        place=place,
    )
    none: NoModel | None = None
    for budget in BUDGETS:
        try:
            return await _fitted(work, request, seen, budget, session)
        except NoModel as error:
            none = error
        except Unfit as unfit:
            if none is None:
                return await _long(work, request, seen, session, unfit)
            # A smaller selection helps only if some model may answer at all.
            if await _anybody(session):
                raise
            raise none from None
    assert none is not None
    raise none


def _look(request: Request, session: Session, around: Surroundings | None) -> tuple[Surroundings, TestLocation | None]:
    """Return the target's surroundings, and the location for requested tests; reads files.

    :raises Unfit: the document is never sent to a model.
    """
    if request.path is not None and (private := session.workspace.why_private(request.path)):
        raise Unfit(f"{request.path.name} is never sent to a model: {private}.")
    place = _place(request, session) if request.action.shape == "tests" else None
    return around or surroundings(request, session), place


def prompt(prepared: PreparedRequest, model: Model) -> Prompt:
    """Return the prompt for a model: the whole one, or the brief one if the model is too small for it.

    It contains no secret, whatever its source: everything that is sent to a provider passes through here.
    """
    return prepared.disclosure.masked(_prompt(prepared, model))


def _prompt(prepared: PreparedRequest, model: Model) -> Prompt:
    limit = output_limit(prepared, model)
    if model.quirks.brief:
        return compose_brief(prepared.request.action, prepared.context, limit)
    whole = replace(prepared.measured, max_output=limit)
    if prepared.planner is not None:
        return to_plan(whole, thoughts(model, prepared.need, shipped()))
    row = prepared.route.row(model.name)
    asked = with_plan(whole, prepared.advice)
    return in_blocks(asked) if row is not None and row.edit == "blocks" else asked


def advised(prepared: PreparedRequest, planner: Model, advice: str) -> PreparedRequest:
    """Return the plan for the answering model, with the planner's text; empty text if it wrote nothing."""
    return replace(prepared, planner=None, advice=advice, route=planned(prepared.route, planner, advice))


def output_limit(prepared: PreparedRequest, model: Model) -> int:
    """Return the maximum number of answer tokens: ample for the action, within the model's limit and context."""
    return allowance(model, prepared.need, shipped())


async def _fitted(work: Task, request: Request, around: Surroundings, budget: int, session: Session) -> PreparedRequest:
    """Return the plan with a context of about ``budget`` tokens."""
    measured = await asyncio.to_thread(_measure, work, request, around, budget, session)
    outcomes = await session.feedback.of(request.action.id, session.ledger)
    need = replace(measured.need, outcomes=outcomes)
    prepared = PreparedRequest(
        request=request,
        context=measured.context,
        difficulty=need.difficulty,
        need=need,
        route=await _route(need, request, session),
        task=replace(work, evidence=measured.evidence),
        tests=measured.tests,
        measured=measured.prompt,
        disclosure=measured.disclosure,
    )
    return _paired(prepared, session.config())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """The properties of a request that do not depend on the model."""

    context: Context
    tests: TestFile | None
    prompt: Prompt
    """The whole prompt, without secrets."""
    disclosure: Disclosure
    need: RoutingRequest
    evidence: Evidence


def _measure(work: Task, request: Request, around: Surroundings, budget: int, session: Session) -> _Measured:
    """Compose and measure a request's prompt once; reads files, so it must run in a thread.

    :raises Unfit: the target does not fit, or the text to send cannot be judged.
    """
    context = _gather(request, around, budget)
    tests: TestFile | None = None
    if work.place is not None and request.path is not None:
        share = budget // _SHARE
        tests, cut = tests_placement.describe(work.place, request.path, request.tree, session.workspace, share)
        context = replace(context, cut=context.cut + cut)
    whole = compose(request.action, context, 0, tests)
    disclosure = disclose(request, Composed(prompt=whole, context=context, place=work.place, tests=tests), session)
    whole = disclosure.masked(whole)
    # As much as the reservation will require: otherwise a model is chosen that the budget then refuses.
    need = replace(_need(request, context, whole, session), most_tokens=at_most(whole.parts))
    evidence = _grounds(request, context, session)
    evidence = replace(evidence, shown=disclosure.words(evidence.shown))
    return _Measured(context=context, tests=tests, prompt=whole, disclosure=disclosure, need=need, evidence=evidence)


async def _long(work: Task, request: Request, around: Surroundings, session: Session, unfit: Unfit) -> PreparedRequest:
    """Return the plan for a target that is too long for a usual prompt.

    :raises Unfit: no model has such a long context; the message names the longest one.
    """
    for budget in LARGER:
        try:
            return await _fitted(work, request, around, budget, session)
        except Unfit as error:
            unfit = error
        except NoModel:
            if not await _anybody(session):
                raise
            break
    raise unfit


def _paired(prepared: PreparedRequest, config: Config) -> PreparedRequest:
    """Return the plan with a planner, if the user enabled pairs and one is worth its cost."""
    hard = prepared.difficulty.value > config.pair_above
    pinned = (
        routing_policy(
            config, prepared.request.action, prepared.request.document.language, prepared.request.better_than
        ).pin
        is not None
    )
    # A model that the user picked by its price answers alone, at that price.
    alone = pinned or bool(prepared.request.model)
    found = pair(prepared.route, prepared.need, shipped()) if hard and not alone else None
    return prepared if found is None else replace(prepared, route=paired(prepared.route, found), planner=found.planner)


def _grounds(request: Request, context: Context, session: Session) -> Evidence:
    shown = "\n".join((context.conventions, *(each.text for each in context.definitions)))
    edits = request.action.shape in ("replacement", "tests")
    path, known = request.path, request.tree.language
    root = session.workspace.root(path) if path else None

    def find() -> Packages:
        return session.workspace.packages(path, known) or Packages()

    packages = DeferredPackages(find) if edits and root is not None else None
    return Evidence(context.diagnostics, shown, packages, root.as_uri() if root else "")


def _gather(request: Request, around: Surroundings, budget: int) -> Context:
    # Every action gets equal room: otherwise two actions on one file could receive different bytes of it.
    room = budget - estimate(SYSTEM) - max(action.usual_output for action in ACTIONS)
    inside = [each for each in request.diagnostics if each.span.touches(request.target.span)]
    told = tuple(sorted(inside, key=lambda each: (_GRAVEST.index(each.severity), each.span))[:_TOLD])
    context = contexts.gather(contexts.Question(request.document, request.tree, request.target, told), around, room)
    if len(told) == len(inside):
        return context
    left_out = f"{len(inside) - len(told)} of the {len(inside)} diagnostics, the least grave, were left out."
    return replace(context, cut=(*context.cut, left_out))


def _need(request: Request, context: Context, whole: Prompt, session: Session) -> RoutingRequest:
    code = request.document.slice(request.target.span)
    variants = [variant for row in session.config().models for variant in row.variants()]
    warm = session.prompt_cache.warm(whole, variants, session.now())
    return RoutingRequest(
        action=request.action,
        gain=shipped().gain(request.action.id, request.document.language, code, context.diagnostics),
        prompt_tokens=estimate_length(
            whole.characters, session.ledger_writer.token_ratios.usual(request.document.language)
        ),
        target_tokens=estimate(code),
        when=session.now(),
        takes_blocks=request.action.shape == "replacement" and takes_blocks(code, request.document.text),
        check=_check(request, session),
        private=not is_public(session.config(), session.workspace.root(request.path) if request.path else None),
        warm=warm,
        written=session.prompt_cache.written(whole, variants, warm, session.now()),
    )


def _check(request: Request, session: Session) -> str:
    """Return the name of the check for the answer, if it differs from the action's usual one."""
    root = session.workspace.folder(request.path) if request.path else None
    is_run = request.action.shape == "tests" and runs_tests(session.config(), root, request.document.language)
    return RUN if is_run else ""


async def _route(need: RoutingRequest, request: Request, session: Session) -> Route:
    config = session.config()
    policy = routing_policy(config, request.action, request.document.language, request.better_than)
    policy = replace(policy, only=request.model or None)
    if (limits := session.limits()).any and (spent := await session.ledger_writer.spent(request.run)) is not None:
        need = replace(need, left=left(limits, spent)[0].amount)
        policy = replace(policy, thrifty=thrifty(limits, spent))
    models = (*config.models, *await session.own_models.find_servers())
    is_known = all(session.keys.is_known(model.provider) for model in models)
    lacking = _lacking(models, session) if is_known else await asyncio.to_thread(_lacking, models, session)
    resting = session.providers.breakers.resting()
    # If no other model may answer, a provider that just failed is better than none. If the budget prevents all, the
    # reservation gives a better message than routing can.
    ways = ((need, resting | lacking), (need, lacking), (replace(need, left=None), lacking))
    for each, ready in ways:
        with suppress(NoModel):
            route = choose(each, models, ready, shipped(), policy)
            return _told_of_rest(route, resting) if resting else route
    return choose(need, (*models, *await session.own_models.start_embedded()), lacking, shipped(), policy)


def _told_of_rest(route: Route, resting: Mapping[str, str]) -> Route:
    """Return a route whose reason also mentions a cheaper model that rests after a failure, or that its own model does.

    :param resting: why models and providers rest, by model row or provider name.
    """

    def why(model: Model) -> str:
        return resting.get(model.provider.name) or resting.get(model.row, "")

    if own := why(route.model):
        return replace(route, reason=f"{route.reason}; {own}, and is asked all the same")
    cost = next((row.cost for row in route.table if row.model.name == route.model.name), None)
    top = max((row.quality for row in route.table if not row.why_not), default=0.0)
    passed = {
        row.why_not: None
        for row in route.table
        if row.why_not
        and row.why_not == why(row.model)
        and row.quality >= route.wanted * top
        and row.cost is not None
        and (cost is None or row.cost < cost)
    }
    return replace(route, reason="; ".join((route.reason, *passed)))


def _lacking(models: tuple[Model, ...], session: Session) -> dict[str, str]:
    """Return the problems with providers' keys, by provider name; providers that can be asked are absent."""
    providers = {model.provider.name: model.provider for model in models}
    return {name: session.keys.lacking(each) for name, each in providers.items() if not session.keys.ready(each)}


async def _anybody(session: Session) -> bool:
    """Report whether any model has a provider that can be asked, whatever its context size."""
    models = (
        *session.config().models,
        *await session.own_models.find_servers(),
        *await session.own_models.start_embedded(),
    )
    return any(session.keys.ready(model.provider) for model in models)


def _place(request: Request, session: Session) -> TestLocation:
    return tests_placement.find_test_location(
        request.path, request.document, request.tree, session.workspace, session.open_document
    )
