"""Everything about a request that is decided before a model is asked: its context, its difficulty, and the model.

What reads files or takes a while is done in a thread, all of it in one: to look around, to compose and to measure, and
to choose (engine/choice.py). Each change of the thread costs a wait, longer where the machine is busy. engine/run.py
asks, and engine/answer_cache.py keeps answers for the next identical question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tuppence.config import Config
from tuppence.config.policy import is_public, routing_policy
from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS
from tuppence.core.answer.insert_tests import TestLocation
from tuppence.core.answer_builder import Task
from tuppence.core.checks.slop import Evidence
from tuppence.core.models.model import Model
from tuppence.core.models.usage import TokenMeasure, estimate, estimate_length, measure
from tuppence.core.prompt import context as contexts
from tuppence.core.prompt.compose import SYSTEM, Prompt, TestFile, compose, compose_brief
from tuppence.core.prompt.context import Context, Surroundings
from tuppence.core.prompt.edit_blocks import in_blocks, takes_blocks
from tuppence.core.routing.candidates import RoutingRequest, allowance, thoughts
from tuppence.core.routing.planner import pair, paired, planned, to_plan, with_plan
from tuppence.core.routing.quality import RUN
from tuppence.core.routing.router import Route
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import DeferredPackages, Packages
from tuppence.engine.answer_cache import surroundings
from tuppence.engine.choice import Standing, choice, is_anybody_ready, last_resort, standing
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


async def prepare(
    request: Request, session: Session, around: Surroundings | None = None, *, whole_table: bool = True
) -> PreparedRequest:
    """Return the plan for a request.

    :param around: the target's surroundings, if they were just collected.
    :param whole_table: whether the route's table is to hold the models that lack a key too.
    :raises Unfit: the document or target cannot be sent to a model.
    :raises NoModel: no model may answer.
    """
    if (config := session.config()).is_unread:
        mistake = config.mistakes[0]
        what = (
            f"No model is asked, because the configuration cannot be read. {config.path}:{mistake.line}: {mistake.what}"
        )
        raise NoModel(what, mistake.remedy)
    work = _Preparation(request, session, around, await standing(request, session, whole=whole_table))
    if request.action.fixes_diagnostics and not request.diagnostics:
        await session.fair_share.give_way()
        await asyncio.to_thread(work.look)
        # Some editors (Helix, eglot) do not pass on other servers' diagnostics; the linter can be asked directly. Its
        # remarks on style are left out, because they would distract the model from the bug that the user means.
        said = await lint(request.document, request.path)
        work.request = replace(request, diagnostics=tuple(each for each in said if each.severity == "error"))
    none: NoModel | None = None
    for budget in BUDGETS:
        try:
            return await work.fitted(budget)
        except NoModel as error:
            none = error
        except Unfit as unfit:
            if none is None:
                return await _long(work, unfit)
            # A smaller selection helps only if some model may answer at all.
            if await is_anybody_ready(session):
                raise
            raise none from None
    assert none is not None
    raise none


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """The properties of a request that do not depend on the model."""

    context: Context
    tests: TestFile | None
    prompt: Prompt
    """The whole prompt, without secrets."""
    disclosure: Disclosure
    need: RoutingRequest
    size: TokenMeasure
    """Of the prompt."""
    evidence: Evidence


class _Preparation:
    """One request that is prepared, with a context of one size after another until one fits."""

    def __init__(self, request: Request, session: Session, around: Surroundings | None, known: Standing) -> None:
        self.request = request
        self.session = session
        self._known = known
        self._around = around
        self._place: TestLocation | None = None
        self._is_looked = False

    def look(self) -> None:
        """Find the target's surroundings, and where its tests go if tests are asked for, once; reads files.

        :raises Unfit: the document is never sent to a model.
        """
        if self._is_looked:
            return
        request, session = self.request, self.session
        if request.path is not None and (private := session.workspace.why_private(request.path)):
            raise Unfit(f"{request.path.name} is never sent to a model: {private}.")
        self._place = _place(request, session) if request.action.shape == "tests" else None
        self._around = self._around or surroundings(request, session)
        self._is_looked = True

    async def fitted(self, budget: int) -> PreparedRequest:
        """Return the plan with a context of about so many tokens; all of it in one thread, where somebody may answer.

        :raises Unfit: the target does not fit, or what would be sent cannot be judged.
        :raises NoModel: nobody may answer.
        """
        await self.session.fair_share.give_way()
        measured, route = await asyncio.to_thread(self._planned, budget)
        if route is None:
            route = await last_resort(measured.need, self._known, self.session)
        prepared = PreparedRequest(
            request=self.request,
            context=measured.context,
            difficulty=measured.need.difficulty,
            need=measured.need,
            route=route,
            task=replace(self._task(), evidence=measured.evidence),
            tests=measured.tests,
            measured=measured.prompt,
            size=measured.size,
            disclosure=measured.disclosure,
        )
        return _paired(prepared, self.session.config())

    def _planned(self, budget: int) -> tuple[_Measured, Route | None]:
        """Look around, compose the prompt, measure it and choose who answers; None where nobody known may."""
        self.look()
        lacking = self._known.lacking(self.session)
        measured = self._measure(budget, self._known.compared(self._known.configured, lacking))
        return measured, choice(measured.need, self._known, lacking)

    def _measure(self, budget: int, models: Iterable[Model]) -> _Measured:
        """Compose the prompt, once, and measure it for these models; reads files.

        :raises Unfit: the target does not fit, or what would be sent cannot be judged.
        """
        request, session, place = self.request, self.session, self._place
        assert self._around is not None
        context = _gather(request, self._around, budget)
        tests: TestFile | None = None
        if place is not None and request.path is not None:
            share = budget // _SHARE
            tests, cut = tests_placement.describe(place, request.path, request.tree, session.workspace, share)
            context = replace(context, cut=context.cut + cut)
        whole = compose(request.action, context, 0, tests)
        disclosure = disclose(request, Composed(prompt=whole, context=context, place=place, tests=tests), session)
        whole = disclosure.masked(whole)
        size = measure(whole.parts)
        # As much as the reservation will ask for: else a model is chosen that the budget then refuses.
        need = replace(
            _need(request, context, whole, models, session),
            most_tokens=size.at_most(),
            outcomes=self._known.outcomes,
        )
        evidence = _grounds(request, context, session)
        evidence = replace(evidence, shown=disclosure.words(evidence.shown))
        return _Measured(
            context=context, tests=tests, prompt=whole, disclosure=disclosure, need=need, size=size, evidence=evidence
        )

    def _task(self) -> Task:
        request = self.request
        return Task(
            action=request.action,
            document=request.document,
            tree=request.tree,
            language=language(request.document.language),
            target=request.target,
            place=self._place,
        )


async def _long(work: _Preparation, unfit: Unfit) -> PreparedRequest:
    """Return the plan for a target that is too long for a usual prompt.

    :raises Unfit: no model has such a long context; the message names the longest one.
    """
    for budget in LARGER:
        try:
            return await work.fitted(budget)
        except Unfit as error:
            unfit = error
        except NoModel:
            if not await is_anybody_ready(work.session):
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


def _need(
    request: Request, context: Context, whole: Prompt, models: Iterable[Model], session: Session
) -> RoutingRequest:
    code = request.document.slice(request.target.span)
    variants = [variant for row in models for variant in row.variants()]
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
    if request.action.shape != "tests":
        return ""
    root = session.workspace.folder(request.path) if request.path else None
    return RUN if runs_tests(session.config(), root, request.document.language) else ""


def _place(request: Request, session: Session) -> TestLocation:
    return tests_placement.find_test_location(
        request.path, request.document, request.tree, session.workspace, session.open_document
    )
