"""What an explanation would cost, and the session in which a hover may request one by itself.

Foreseeing reads the project and the tier table; it sends nothing, looks for no server and starts no model. Who waits
for whom, and what is shown, is the editor side's affair (lsp/features/hover.py).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from tuppence.config import Override
from tuppence.config.policy import routing_policy
from tuppence.core.answer.markdown import clean
from tuppence.core.billing.entry import money
from tuppence.core.models.model import Model
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
    """What a hover needs to ask by itself."""

    model: Model
    session: Session
    """In it nobody but this model can be asked."""


@dataclass(frozen=True, slots=True)
class CachedExplanation:
    """A kept explanation."""

    text: str
    """Markdown, as the model wrote it."""
    source: str
    """Who wrote it, and at what cost, in one line."""
    is_stale: bool = False
    """Whether it is about what the code was before it was edited."""


async def quote(request: Request, session: Session) -> Quote:
    """Return what is known about a question that nobody has asked yet.

    :raises Unfit: it could not be sent to a model.
    """
    lines = (await asyncio.to_thread(request.tree.counts, request.target.span)).get("lines", 0)
    try:
        prepared = await prepare(request, session.offline())
    except NoModel:
        code = request.document.slice(request.target.span)
        seen = await asyncio.to_thread(profile, request.document.language, code)
        return Quote(lines, rate(seen, request.action.id))
    model = prepared.route.model
    row = prepared.route.row(model.name)
    return Quote(lines, prepared.difficulty, model.id, row.cost if row else None)


def with_cheapest_only(request: Request, session: Session, only: Model | None = None) -> Session:
    """Return a session for requests that no user confirmed: only the price counts, and a pin holds.

    Its answers are kept apart from those that a person asked for at a quality of their own.

    :param only: the one model that may be asked; None for all that are known.
    """
    config = session.config()
    pin = routing_policy(config, request.action, request.document.language).pin
    own = replace(
        config,
        models=(only,) if only else config.models,
        quality=0.0,
        # Nobody is there who could be asked about a premium model.
        premium="use" if config.premium == "use" else "never",
        actions={request.action.id: Override(model=pin)},
        languages={},
    )
    known = tuple if only else session.own_models.known_servers
    models = replace(session.own_models, known_servers=known, installed_embedded=tuple)
    disclosures = session.disclosures.unannounced()
    return replace(session, config=lambda: own, own_models=models, disclosures=disclosures).offline()


async def authorize(request: Request, session: Session) -> HoverGrant:
    """Return the leave to ask one model, for at most what a hover may cost.

    :raises TuppenceError: none may be asked; the sentence says why.
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


def remembered(request: Request, session: Session) -> CachedExplanation | None:
    """Return the explanation of exactly this code that a person asked for, else the one that a hover asked for."""
    about = answer_cache.content_key(request, session)
    if kept := answer_cache.explanation(request, about, session):
        return CachedExplanation(kept.text, f"{clean(kept.model)}, kept: asking again is free")
    if kept := answer_cache.explanation(request, about, with_cheapest_only(request, session)):
        return CachedExplanation(kept.text, f"{clean(kept.model)}, asked by a hover for {money(kept.cost)}")
    return None


def outdated(request: Request, session: Session) -> CachedExplanation | None:
    """Return the last explanation of this definition where its code has changed since; None where there is none.

    To be asked only where ``remembered`` has nothing.
    """
    kept = answer_cache.latest_for(request, session)
    return CachedExplanation(kept.text, f"{clean(kept.model)}, kept", is_stale=True) if kept else None
