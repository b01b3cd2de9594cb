"""Budgets: what the user allows to be spent, what of it is left, and what one call may cost at the most.

A bound is made of the dearest rates that may hold for the call, so that what it did cost is never more. Sums come from
the ledger; nothing is stored here, and no money is spent or refused by this file but in words.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import Any, Literal, get_args

from tuppence.core.billing.entry import add, amount, money
from tuppence.core.models.pricing import MILLION, Peak, Price, Rates
from tuppence.errors import OverBudget

Period = Literal["request", "session", "day", "month"]
PERIODS: tuple[Period, ...] = get_args(Period)
WHEN: dict[Period, str] = {
    "request": "for one request",
    "session": "this session",
    "day": "today",
    "month": "this month",
}
"""How each period is called after an amount."""
THRIFTY = 0.85
"""The quality of the preset of that name, which holds at most while a budget's soft share is used up."""
COMMAND = "tuppence budget"
"""Changes a limit; the period and the amount follow."""
_SOON = timedelta(hours=1)
"""No request waits longer for its turn: a peak that begins within it may hold when the request is billed."""
_DIGITS = 200
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the user allows, USD; None is no limit."""

    request: Decimal | None = None
    """One question of a person, its climbs to better models included."""
    session: Decimal | None = None
    """The life of one server."""
    day: Decimal | None = None
    """Since the user's midnight, by all servers on the ledger."""
    month: Decimal | None = None
    """Since the first of the user's month, by all servers on the ledger."""
    soft: Decimal = Decimal("0.8")
    """The share of a limit at which the router turns thrifty."""

    @property
    def any(self) -> bool:
        """Report whether there is a limit at all."""
        return any(getattr(self, period) is not None for period in PERIODS)

    def narrowed(self, other: Limits) -> Limits:
        """Return the tighter of both, limit by limit."""
        tighter: dict[str, Any] = {}
        for each in fields(self):
            known = [found for of in (self, other) if (found := getattr(of, each.name)) is not None]
            tighter[each.name] = min(known, default=None)
        return Limits(**tighter)


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was spent or is reserved, USD, by period."""

    request: Decimal = _ZERO
    session: Decimal = _ZERO
    day: Decimal = _ZERO
    month: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Remaining:
    """What one limit leaves."""

    amount: Decimal
    """USD; negative where more was spent, as after a limit was lowered."""
    limit: Decimal
    """USD."""
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEstimate:
    """A call that is about to be made."""

    model: str
    """The model's name, for a person."""
    price: Price | None
    """None is unknown."""
    prompt: int
    """Tokens that its prompt has at most."""
    least: int
    """Answer tokens below which asking is pointless."""
    most: int
    """Answer tokens that it would be allowed if money were no matter."""
    when: datetime
    """Now, with its time zone."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a call is granted."""

    tokens: int
    """Answer tokens to allow."""
    bound: Decimal | None
    """USD that it costs at most; None where its price is unknown."""


def left(limits: Limits, spent: Spent) -> tuple[Remaining, ...]:
    """Return what each limit leaves, the least first."""
    found = []
    for period in PERIODS:
        limit: Decimal | None = getattr(limits, period)
        if limit is not None:
            found.append(Remaining(add((limit, getattr(spent, period).copy_negate())), limit, period))
    return tuple(sorted(found, key=lambda each: each.amount))


def thrifty(limits: Limits, spent: Spent) -> bool:
    """Report whether the soft share of a limit is used up; a single request's own limit has no such share."""
    return any(
        each.limit - each.amount >= limits.soft * each.limit for each in left(limits, spent) if each.period != "request"
    )


def payload(limits: Limits, spent: Spent) -> dict[str, Any] | None:
    """Return the ``budget`` of the ``tuppence/cost`` notification: the limit that leaves least, None without any."""
    tightest = next((each for each in left(limits, spent) if each.period != "request"), None)
    if tightest is None:
        return None
    remains = max(tightest.amount, _ZERO)
    return {"left": amount(remains), "limit": amount(tightest.limit), "period": WHEN[tightest.period]}


def offer(bid: CallEstimate, limits: Limits, spent: Spent) -> Grant:
    """Return how long an answer the budget affords, and what the call then costs at most.

    :raises OverBudget: it affords less than the action needs, or nobody knows what the model costs.
    """
    if bid.price is None:
        if limits.any:
            raise OverBudget(
                f"Nobody states a price for {bid.model}, so your budget cannot hold what it would cost.",
                "State its price in a [[models]] row of your configuration, or choose another model.",
            )
        return Grant(bid.most, None)
    tokens = bid.most
    tightest = next(iter(left(limits, spent)), None)
    smallest = bound(bid, min(bid.least, bid.most))
    if tightest is not None and smallest:
        if smallest > tightest.amount:
            raise _over(bid, tightest, smallest)
        tokens = min(bid.most, _affordable(bid, tightest.amount))
    return Grant(tokens, bound(bid, tokens))


def bound(bid: CallEstimate, tokens: int) -> Decimal:
    """Return what a call costs at most with so many answer tokens, USD.

    :raises ValueError: its price is unknown.
    """
    into, out = _dearest(bid)
    with localcontext() as context:
        context.prec = _DIGITS
        return (bid.prompt * into + tokens * out) / MILLION


def _affordable(bid: CallEstimate, amount: Decimal) -> int:
    into, out = _dearest(bid)
    return int((amount * MILLION - bid.prompt * into) // out) if out else bid.most


def _dearest(bid: CallEstimate) -> tuple[Decimal, Decimal]:
    """Return the highest rates that a prompt token and an answer token of this call may be billed at."""
    if bid.price is None:
        raise ValueError("the price is unknown")
    price = bid.price
    may_hold = [price.base, *(step.rates for step in price.steps if step.above < bid.prompt)]
    may_hold += [peak.rates for peak in price.peaks if peak.holds(bid.when) or _begins(peak, bid.when)]
    return max(map(_input, may_hold)), max(map(_output, may_hold))


def _begins(peak: Peak, when: datetime) -> bool:
    """Report whether a peak begins while a request of that moment may still wait for its turn."""
    now = when.astimezone(UTC)
    for day in (now, now + _SOON):
        start = datetime.combine(day.date(), peak.start, UTC)
        if now < start <= now + _SOON and start.weekday() in peak.days:
            return True
    return False


def _input(rates: Rates) -> Decimal:
    return max(rates.input, *(rate or _ZERO for rate in (rates.cache_read, rates.cache_write, rates.cache_write_1h)))


def _output(rates: Rates) -> Decimal:
    return max(rates.output, rates.thinking or _ZERO)


def _over(bid: CallEstimate, tightest: Remaining, needed: Decimal) -> OverBudget:
    period = tightest.period
    remains = f"{money(tightest.amount)} of it is left" if tightest.amount > 0 else "nothing of it is left"
    raised = _round_up(needed - tightest.amount + tightest.limit)
    return OverBudget(
        f"Your budget of {money(tightest.limit)} {WHEN[period]} would be passed: {remains}, and the shortest useful "
        f"answer of {bid.model} may cost {money(needed)}.",
        f"To allow it, write `{period} = {raised}` or more under [budget] in your configuration, "
        f"as `{COMMAND} {period} {raised}` does.",
    )


def _round_up(amount: Decimal) -> str:
    """Write an amount with two digits that count, never less than it is."""
    rounded = amount.quantize(Decimal(1).scaleb(amount.adjusted() - 1), ROUND_CEILING)
    return f"{rounded.normalize():f}"
