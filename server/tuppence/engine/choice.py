"""The router's choice for one request: who may be asked, from what is known of keys, rests and money.

What has to be awaited is gathered once for a request (:func:`standing`); then each choice is a plain function, which
belongs in a thread with the rest of the preparation: with a whole table of models it takes longer than a millisecond.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from tuppence.config.policy import routing_policy
from tuppence.config.shipped import shipped
from tuppence.core.billing.budget import left, thrifty
from tuppence.core.models.model import Model
from tuppence.core.routing.candidates import RoutingPolicy, RoutingRequest
from tuppence.core.routing.feedback import Outcomes
from tuppence.core.routing.router import Route, choose
from tuppence.engine.request import Request
from tuppence.engine.session import Session
from tuppence.errors import NoModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of the models at the beginning of a request."""

    configured: tuple[Model, ...]
    """The models of the configuration."""
    own: tuple[Model, ...]
    """The models of the servers on the user's machine."""
    policy: RoutingPolicy
    outcomes: Mapping[str, Outcomes]
    """What became of answers to such requests on this machine, by the model's name."""
    resting: dict[str, str]
    """Why a provider or a model rests after a failure, by the provider's or the row's name."""
    left: Decimal | None
    """USD that the budget leaves; None where there is no budget, or none is known."""
    whole: bool
    """Whether the route's table is to hold the models that lack a key too, which somebody is going to read."""

    @property
    def models(self) -> tuple[Model, ...]:
        """All of them."""
        return (*self.configured, *self.own)

    def lacking(self, session: Session) -> dict[str, str]:
        """Return what is wrong with each provider's key, by its name; may ask the keyring, so it belongs in a thread.

        Providers that can be asked are absent.
        """
        return lacking(self.models, session)

    def compared(self, models: tuple[Model, ...], lacking: Mapping[str, str]) -> tuple[Model, ...]:
        """Return which of the models are worth a row: all for a whole table, else those that do not lack a key.

        The model that the answer has to be better than is among them, because its quality is the floor.
        """
        if self.whole:
            return models
        above = self.policy.above
        return tuple(
            each
            for each in models
            if each.provider.name not in lacking
            or (above and any(variant.name == above for variant in each.variants()))
        )


async def standing(request: Request, session: Session, *, whole: bool) -> Standing:
    """Return what is known of the models before a request is measured."""
    config = session.config()
    policy = routing_policy(config, request.action, request.document.language, request.better_than)
    policy = replace(policy, only=request.model or None)
    remaining = None
    if (limits := session.limits()).any and (spent := await session.ledger_writer.spent(request.run)) is not None:
        remaining = left(limits, spent)[0].amount
        policy = replace(policy, thrifty=thrifty(limits, spent))
    return Standing(
        outcomes=await session.feedback.of(request.action.id, session.ledger),
        configured=config.models,
        own=await session.own_models.find_servers(),
        policy=policy,
        resting=session.providers.breakers.resting(),
        left=remaining,
        whole=whole,
    )


def choice(need: RoutingRequest, known: Standing, lacking: dict[str, str]) -> Route | None:
    """Return the choice among the models that are known, None where none of them may answer.

    :param lacking: what is wrong with each provider's key, by its name.
    """
    need = replace(need, left=known.left)
    models = known.compared(known.models, lacking)
    # Where nobody else may answer, a provider that failed a moment ago is better than none; and where the budget is in
    # the way, the reservation refuses in better words than a choice can.
    ways = ((need, known.resting | lacking), (need, lacking), (replace(need, left=None), lacking))
    for each, ready in ways:
        with suppress(NoModel):
            route = choose(each, models, ready, shipped(), known.policy)
            return _told_of_rest(route, known.resting) if known.resting else route
    return None


async def last_resort(need: RoutingRequest, known: Standing, session: Session) -> Route:
    """Return the choice where no other model may answer: the embedded one, which is started.

    :raises NoModel: it may not answer either; the sentence says what would make one eligible.
    """
    models = (*known.models, *await session.own_models.start_embedded())
    lacking = await asyncio.to_thread(known.lacking, session)
    return await asyncio.to_thread(choose, replace(need, left=known.left), models, lacking, shipped(), known.policy)


async def is_anybody_ready(session: Session) -> bool:
    """Report whether there is a model whose provider can be asked, whatever its size."""
    models = (
        *session.config().models,
        *await session.own_models.find_servers(),
        *await session.own_models.start_embedded(),
    )
    return any(session.keys.ready(model.provider) for model in models)


def lacking(models: tuple[Model, ...], session: Session) -> dict[str, str]:
    """Return what is wrong with each provider's key, by its name; those that can be asked are absent."""
    providers = {model.provider.name: model.provider for model in models}
    return {name: session.keys.lacking(each) for name, each in providers.items() if not session.keys.ready(each)}


def _told_of_rest(route: Route, resting: Mapping[str, str]) -> Route:
    """Return a route whose reason also says which cheaper model rests after a failure, or that its own does.

    :param resting: why each one that rests does, by the provider's or the row's name.
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
