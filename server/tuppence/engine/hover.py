"""The price of an explanation, and the session in which a hover may request one by itself.

An estimate reads the project and the tier table; it sends nothing, searches no server and starts no model.
lsp/features/hover.py decides what waits and what is shown.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from tuppence.config import Override
from tuppence.config.policy import routing_policy
from tuppence.core.answer.markdown import clean
from tuppence.core.billing.entry import money
from tuppence.core.models.model import Model
from tuppence.core.prompt.context import Surroundings
from tuppence.core.routing.difficulty import rate
from tuppence.core.routing.features import profile
from tuppence.core.routing.quote import Quote, dearest, frugal
from tuppence.engine import answer_cache
from tuppence.engine.disclosure.consent import refuse_unasked
from tuppence.engine.prepare import prepare, prompt
from tuppence.engine.request import Request
from tuppence.engine.session import Session
from tuppence.errors import NoModel, OverBudget
from tuppence.upstream import RetryPolicy


@dataclass(frozen=True, slots=True)
class HoverGrant:
    """The permission for a hover to ask a model by itself."""

    model: Model
    session: Session
    """A session in which only this model can be asked."""


@dataclass(frozen=True, slots=True)
class CachedExplanation:
    """A cached explanation."""

    text: str
    """The Markdown as the model wrote it."""
    source: str
    """One line on which model wrote it, and at what cost."""
    is_stale: bool = False
    """Whether it concerns the code before an edit."""


async def quote(request: Request, session: Session, around: Surroundings | None = None) -> Quote:
    """Return what is known about a question that was not asked yet.

    :param around: the target's surroundings, if they were just collected.
    :raises Unfit: it could not be sent to a model.
    """
    try:
        prepared = await prepare(request, session.offline(), around)
    except NoModel:
        code = request.document.slice(request.target.span)
        seen = await asyncio.to_thread(profile, request.document.language, code)
        return Quote(seen.counts["lines"], rate(seen, request.action.id))
    model = prepared.route.model
    row = prepared.route.row(model.name)
    lines = prepared.difficulty.counts.get("lines", 0)
    return Quote(lines, prepared.difficulty, model.id, row.cost if row else None)


def with_cheapest_only(request: Request, session: Session, only: Model | None = None) -> Session:
    """Return a session for requests that the user did not confirm: only the price counts, and a pin applies.

    Its answers are cached separately from those that the user requested at a certain quality.

    :param only: the only model that may be asked; None for all known ones.
    """
    config = session.config()
    pin = routing_policy(config, request.action, request.document.language).pin
    own = replace(
        config,
        models=(only,) if only else config.models,
        quality=0.0,
        # The user cannot be asked about a premium model here.
        premium="use" if config.premium == "use" else "never",
        actions={request.action.id: Override(model=pin)},
        languages={},
    )
    known = tuple if only else session.own_models.known_servers
    models = replace(session.own_models, known_servers=known, installed_embedded=tuple)
    disclosures = session.disclosures.unannounced()
    return replace(session, config=lambda: own, own_models=models, disclosures=disclosures).offline()


async def authorize(request: Request, session: Session) -> HoverGrant:
    """Return the permission to ask one model, for at most the cost limit of a hover.

    :raises TuppenceError: no model may be asked; the sentence says why.
    """
    prepared = await prepare(request, with_cheapest_only(request, session))
    model = frugal(prepared.route.table)
    if model is None:
        raise NoModel("Not asked by itself: no price is known of any model that may answer.")
    if rests := session.providers.breakers.rests(model):
        raise NoModel(f"Not asked by itself: {rests}.")
    refuse_unasked(request, model, session)
    most = dearest(prompt(prepared, model), model, RetryPolicy().retries + 1, session.now())
    cap = session.config().hover_cap
    if most is None or most > cap:
        raise OverBudget(f"Not asked by itself: it could cost {money(most)}, and hover_cap is {money(cap)}.")
    return HoverGrant(model, with_cheapest_only(request, session, model))


def recall(request: Request, session: Session) -> tuple[CachedExplanation | None, Surroundings | None]:
    """Return the best cached explanation of a definition, a stale one included, and the target's surroundings.

    The surroundings are None where answers are not cached. It reads files.
    """
    around = answer_cache.surroundings(request, session) if answer_cache.is_kept(request, session) else None
    return remembered(request, session, around) or outdated(request, session), around


def remembered(request: Request, session: Session, around: Surroundings | None = None) -> CachedExplanation | None:
    """Return the explanation of exactly this code that the user requested, else the one that a hover requested.

    :param around: the target's surroundings, if they were just collected; else they are read.
    """
    about = answer_cache.content_key(request, session, around)
    if kept := answer_cache.explanation(request, about, session):
        return CachedExplanation(kept.text, f"{clean(kept.model)}, kept: asking again is free")
    if kept := answer_cache.explanation(request, about, with_cheapest_only(request, session)):
        return CachedExplanation(kept.text, f"{clean(kept.model)}, asked by a hover for {money(kept.cost)}")
    return None


def outdated(request: Request, session: Session) -> CachedExplanation | None:
    """Return the last explanation of this definition if its code has changed since; None if there is none.

    Call this only if ``remembered`` returned None.
    """
    kept = answer_cache.latest_for(request, session)
    return CachedExplanation(kept.text, f"{clean(kept.model)}, kept", is_stale=True) if kept else None
