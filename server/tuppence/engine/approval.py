"""Ask the user before an expensive or premium model is called, if the configuration requires it.

Expensive means that the expected cost, including the run's cost so far, is above ``ask_above``. The maximum cost is
shown in the question but does not decide, because it is many times higher: the user would be asked every time, and soon
agree without reading. A budget limits it. Consent is valid for one request, or for a model until the server ends.
Without consent, the best model that needs none answers and says so; if there is none, nothing is sent. A pin is the
user's consent to a premium model. If the user picked a model by its displayed price, a higher estimate also requires
consent; without it, no other model answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from decimal import Decimal

from tuppence.config.policy import routing_policy
from tuppence.config.shipped import shipped
from tuppence.core.billing.entry import about, money
from tuppence.core.events import Event, StatusLine
from tuppence.core.models.model import Model
from tuppence.core.routing.candidates import bound
from tuppence.core.routing.router import Route, choose
from tuppence.engine.prepare import output_limit
from tuppence.engine.request import PreparedRequest, RunContext
from tuppence.engine.session import Session
from tuppence.errors import NoModel, OverBudget

PATIENCE = 120.0
"""Seconds to wait for the user; no answer means no consent."""
ABOUT = Decimal("1.1")
"""Factor by which an estimate may exceed the displayed price without a question: it was displayed as "about"."""
DISPLAYED = Decimal("0.0001")
"""Resolution of displayed prices in USD: smaller differences are rounding."""
_NOTHING = Decimal(0)


class Approval:
    """A stage: the user's consent to the chosen model, if the configuration requires it."""

    result: PreparedRequest
    """The request as the user approved it; its route may be a cheaper one. Set when ``events()`` has ended."""

    def __init__(self, prepared: PreparedRequest, context: RunContext) -> None:
        self.result = prepared
        self._context = context

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield a status line while the user is asked.

        :raises OverBudget: the user did not agree, and no other model is available.
        """
        if why := approval_reason(self.result.route.model, self.result, self._context):
            yield StatusLine(f"Waiting for your answer: {why}")
            self.result = await approve_route(self.result, why, self._context.session)


def approval_reason(model: Model, prepared: PreparedRequest, context: RunContext) -> str:
    """Return why the user is asked before a model is called, or an empty string if that is not needed."""
    session, spent = context.session, context.receipt.total
    config = session.config()
    if model.name in session.approvals.approved_models:
        return ""
    row = prepared.route.row(model.name)
    price = row.cost if row else None
    would_cost = "" if price is None else f"would cost {about(price)}{_at_most(model, prepared)}"
    if more := _more_than_shown(model, prepared, price):
        return f"{model.title} {would_cost}{more}"
    if _asked_for(model, prepared, session):
        return f"{model.title} is a premium model{f' and {would_cost}' if would_cost else ''}"
    if price is None or (spent or _NOTHING) + price <= config.ask_above:
        return ""
    besides = f", with {money(spent)} spent already" if spent else ""
    return f"{model.title} {would_cost}{besides}"


async def approve_route(prepared: PreparedRequest, why: str, session: Session) -> PreparedRequest:
    """Return the plan that the user agrees to, given why its model needs consent.

    :raises OverBudget: without consent no model may answer.
    """
    model = prepared.route.model
    cheaper = _cheaper(prepared, session)
    rated = f"{prepared.request.action.verb} was rated {prepared.difficulty.level}"
    if await _agreed(f"{rated}, and {why}. Ask it?", model, _instead(cheaper), session):
        return prepared
    if cheaper is None:
        raise OverBudget(
            f"{why[0].upper()}{why[1:]}, and there was no consent to it.", _remedy(model, prepared, session)
        )
    told = f"there was no consent to {model.title}"
    return replace(prepared, route=replace(cheaper, reason=f"{cheaper.reason}; {told}", told=told))


async def approve_model(model: Model, why: str, session: Session) -> bool:
    """Ask whether a model may be called after another one; return whether it may."""
    return await _agreed(f"{why}. Ask it, because the answer before did not come or did not hold?", model, (), session)


def _remedy(model: Model, prepared: PreparedRequest, session: Session) -> str:
    row = prepared.route.row(model.name)
    if _more_than_shown(model, prepared, row.cost if row else None):
        return "Ask again for the new price."
    setting = 'set premium = "use"' if _asked_for(model, prepared, session) else "raise `ask_above`"
    return f"Ask again, or {setting}."


def _more_than_shown(model: Model, prepared: PreparedRequest, price: Decimal | None) -> str:
    """Return a clause saying that a model costs more than displayed when the user picked it; empty if it does not."""
    quoted = prepared.request.quoted
    if quoted is None or price is None or model.name != prepared.request.model:
        return ""
    most = max(quoted * ABOUT, quoted + DISPLAYED)
    return f", more than the {money(quoted)} that was shown" if price > most else ""


def _asked_for(model: Model, prepared: PreparedRequest, session: Session) -> bool:
    """Report whether consent is needed because the model is premium."""
    return session.config().premium == "ask" and model.tier == "premium" and not _pinned(prepared, session)


def _at_most(model: Model, prepared: PreparedRequest) -> str:
    most = bound(model, prepared.need, output_limit(prepared, model))
    return "" if most is None else f", {money(most)} at most"


async def _agreed(question: str, model: Model, others: tuple[str, ...], session: Session) -> bool:
    once, always = f"Ask {model.title}", f"Always ask {model.title}"
    try:
        async with asyncio.timeout(PATIENCE):
            picked = await session.approvals.ask_user(question, (once, always, *others))
    except TimeoutError:
        return False
    if picked == always:
        session.approvals.approved_models.add(model.name)
    return picked in (once, always)


def _instead(cheaper: Route | None) -> tuple[str, ...]:
    """Return the possible answers other than yes."""
    if cheaper is None:
        return ("Ask nobody",)
    price = "" if cheaper.expected_cost is None else f" ({money(cheaper.expected_cost)})"
    return (f"Ask {cheaper.model.title} instead{price}",)


def _cheaper(prepared: PreparedRequest, session: Session) -> Route | None:
    """Return the route among the models that need no consent, None if there is none."""
    if prepared.request.model or _pinned(prepared, session):
        return None
    request, config = prepared.request, session.config()
    policy = routing_policy(config, request.action, request.document.language, request.better_than)
    allowed = replace(policy, within=config.ask_above, premium="never" if config.premium == "ask" else policy.premium)
    fit = [row.model for row in prepared.route.table if not row.why_not and row.model != prepared.route.model]
    try:
        return choose(prepared.need, fit, {}, shipped(), allowed)
    except NoModel:
        return None


def _pinned(prepared: PreparedRequest, session: Session) -> bool:
    request = prepared.request
    return (
        routing_policy(session.config(), request.action, request.document.language, request.better_than).pin is not None
    )
