"""What an explanation would cost, and the session in which a hover may request one by itself.

Foreseeing reads the project and the tier table; it sends nothing, looks for no server and starts no model. Who waits
for whom, and what is shown, is the editor side's affair (lsp/features/hover.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuppence.config import Override
from tuppence.config.policy import routing_policy
from tuppence.config.shipped import shipped
from tuppence.core.answer.markdown import clean
from tuppence.core.billing.entry import money
from tuppence.core.models.model import Model
from tuppence.core.routing.difficulty import Difficulty
from tuppence.core.routing.quote import Quote, dearest, frugal
from tuppence.engine import answer_cache
from tuppence.engine import prepare as plans
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


async def quote(ask: Request, session: Session) -> Quote:
    """Return what is known about a question that nobody has asked yet.

    :raises Unfit: it could not be sent to a model.
    """
    lines = ask.tree.counts(ask.target.span).get("lines", 0)
    try:
        plan = await plans.prepare(ask, session.offline())
    except NoModel:
        code = ask.document.slice(ask.target.span)
        gain = shipped().gain(ask.action.id, ask.document.language, code)
        return Quote(lines, Difficulty(gain.usual if gain.difficulty is None else gain.difficulty, gain.reasons))
    model = plan.route.model
    row = plan.route.row(model.name)
    return Quote(lines, plan.difficulty, model.id, row.cost if row else None)


def with_cheapest_only(ask: Request, session: Session, only: Model | None = None) -> Session:
    """Return a session for requests that no user confirmed: only the price counts, and a pin holds.

    Its answers are kept apart from those that a person asked for at a quality of their own.

    :param only: the one model that may be asked; None for all that are known.
    """
    config = session.config()
    pin = routing_policy(config, ask.action, ask.document.language).pin
    own = replace(
        config,
        models=(only,) if only else config.models,
        quality=0.0,
        # Nobody is there who could be asked about a premium model.
        premium="use" if config.premium == "use" else "never",
        actions={ask.action.id: Override(model=pin)},
        languages={},
    )
    known = tuple if only else session.known_local_models
    return replace(session, config=lambda: own, known_local_models=known, installed_embedded_model=tuple).offline()


async def authorize(ask: Request, session: Session) -> HoverGrant:
    """Return the leave to ask one model, for at most what a hover may cost.

    :raises TuppenceError: none may be asked; the sentence says why.
    """
    plan = await plans.prepare(ask, with_cheapest_only(ask, session))
    model = frugal(plan.route.table)
    if model is None:
        raise NoModel("Not asked by itself: no price is known of any model that may answer.")
    most = dearest(plans.prompt(plan, model), model, RetryPolicy().retries + 1, session.now())
    cap = session.config().hover_cap
    if most is None or most > cap:
        raise OverBudget(f"Not asked by itself: it could cost {money(most)}, and hover_cap is {money(cap)}.")
    return HoverGrant(model, with_cheapest_only(ask, session, model))


def remembered(ask: Request, session: Session) -> CachedExplanation | None:
    """Return the explanation of exactly this code that a person asked for, else the one that a hover asked for."""
    about = answer_cache.content_key(ask, session)
    if kept := answer_cache.explanation(ask, about, session):
        return CachedExplanation(kept.text, f"{clean(kept.model)}, kept: asking again is free")
    if kept := answer_cache.explanation(ask, about, with_cheapest_only(ask, session)):
        return CachedExplanation(kept.text, f"{clean(kept.model)}, asked by a hover for {money(kept.cost)}")
    return None


def outdated(ask: Request, session: Session) -> CachedExplanation | None:
    """Return the last explanation of this definition where its code has changed since; None where there is none.

    To be asked only where ``remembered`` has nothing.
    """
    kept = answer_cache.latest_for(ask, session)
    return CachedExplanation(kept.text, f"{clean(kept.model)}, kept", is_stale=True) if kept else None
