"""Budgets: what the user allows to be spent, what is left of it, and the maximum cost of one call.

The maximum uses the highest rates that may apply to the call, so the actual cost is never more. Sums come from the
ledger; nothing is stored here.
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
"""The phrase for each period, used after an amount."""
THRIFTY = 0.85
"""The quality of the preset with that name, which is the maximum once a budget's soft share is used up."""
COMMAND = "tuppence budget"
"""The command that changes a limit; period and amount follow."""
_SOON = timedelta(hours=1)
"""Maximum time that a request waits for its turn: a peak that begins within it may apply when the request is billed."""
_DIGITS = 200
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits that the user sets, in USD; None is no limit."""

    request: Decimal | None = None
    """For one question, including retries with better models."""
    session: Decimal | None = None
    """For the lifetime of one server."""
    day: Decimal | None = None
    """From the user's midnight, for all servers that share the ledger."""
    month: Decimal | None = None
    """From the first of the user's month, for all servers that share the ledger."""
    soft: Decimal = Decimal("0.8")
    """The share of a limit from which the router prefers cheaper models."""

    @property
    def any(self) -> bool:
        """Whether there is any limit."""
        return any(getattr(self, period) is not None for period in PERIODS)

    def narrowed(self, other: Limits) -> Limits:
        """Return the lower of each pair of limits."""
        tighter: dict[str, Any] = {}
        for each in fields(self):
            known = [found for of in (self, other) if (found := getattr(of, each.name)) is not None]
            tighter[each.name] = min(known, default=None)
        return Limits(**tighter)


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """USD spent or reserved, by period."""

    request: Decimal = _ZERO
    session: Decimal = _ZERO
    day: Decimal = _ZERO
    month: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of one limit."""

    amount: Decimal
    """USD; negative if more was spent, for example after a limit was lowered."""
    limit: Decimal
    """The limit in USD."""
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEstimate:
    """A call that is about to be made."""

    model: str
    """The model's name as shown to the user."""
    price: Price | None
    """The model's price; None if unknown."""
    prompt: int
    """Maximum number of prompt tokens."""
    least: int
    """Minimum number of answer tokens that is useful."""
    most: int
    """Maximum number of answer tokens without a budget."""
    when: datetime
    """The current time, with a time zone."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a call may use."""

    tokens: int
    """Maximum number of answer tokens."""
    bound: Decimal | None
    """Maximum cost in USD; None if the price is unknown."""


def left(limits: Limits, spent: Spent) -> tuple[Remaining, ...]:
    """Return what is left of each limit, least first."""
    found = []
    for period in PERIODS:
        limit: Decimal | None = getattr(limits, period)
        if limit is not None:
            found.append(Remaining(add((limit, getattr(spent, period).copy_negate())), limit, period))
    return tuple(sorted(found, key=lambda each: each.amount))


def thrifty(limits: Limits, spent: Spent) -> bool:
    """Report whether the soft share of a limit is used up; the limit for a single request has no soft share."""
    return any(
        each.limit - each.amount >= limits.soft * each.limit for each in left(limits, spent) if each.period != "request"
    )


def payload(limits: Limits, spent: Spent) -> dict[str, Any] | None:
    """Return ``budget`` of the ``tuppence/cost`` notification: the limit with the least left, None without limits."""
    tightest = next((each for each in left(limits, spent) if each.period != "request"), None)
    if tightest is None:
        return None
    remains = max(tightest.amount, _ZERO)
    return {"left": amount(remains), "limit": amount(tightest.limit), "period": WHEN[tightest.period]}


def offer(bid: CallEstimate, limits: Limits, spent: Spent) -> Grant:
    """Return the answer length that the budget allows, and the maximum cost of the call.

    :raises OverBudget: the budget allows less than the action needs, or there is a limit and the price is unknown.
    """
    if bid.price is None:
        if limits.any:
            raise OverBudget(
                f"The price of {bid.model} is unknown, so your budget cannot cover it.",
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
    """Return the maximum cost in USD of a call with ``tokens`` answer tokens.

    :raises ValueError: the price is unknown.
    """
    into, out = _dearest(bid)
    with localcontext() as context:
        context.prec = _DIGITS
        return (bid.prompt * into + tokens * out) / MILLION


def _affordable(bid: CallEstimate, amount: Decimal) -> int:
    into, out = _dearest(bid)
    return int((amount * MILLION - bid.prompt * into) // out) if out else bid.most


def _dearest(bid: CallEstimate) -> tuple[Decimal, Decimal]:
    """Return the highest rates per million prompt tokens and answer tokens that may apply to this call."""
    if bid.price is None:
        raise ValueError("the price is unknown")
    price = bid.price
    may_hold = [price.base, *(step.rates for step in price.steps if step.above < bid.prompt)]
    may_hold += [peak.rates for peak in price.peaks if peak.holds(bid.when) or _begins(peak, bid.when)]
    return max(map(_input, may_hold)), max(map(_output, may_hold))


def _begins(peak: Peak, when: datetime) -> bool:
    """Report whether a peak begins while a request made at ``when`` may still wait for its turn."""
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
    """Format an amount rounded up to two significant digits."""
    rounded = amount.quantize(Decimal(1).scaleb(amount.adjusted() - 1), ROUND_CEILING)
    return f"{rounded.normalize():f}"
