"""What was asked, what it cost, and how money is written.

Sums here are exact: Decimal is added at a precision that no ledger reaches, and rounding happens only in ``money``. A
price that nobody knows stays unknown (None) and is counted as such, never as zero. This file does not store anything
(ledger/ does), does not price tokens (core/models/usage.py does) and does not reckon what was saved
(core/billing/totals.py does).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import reduce
from typing import Any, Literal, get_args

from tuppence.core.models.usage import Usage

Outcome = Literal["kept", "failed check", "cancelled", "failed", "stale", "undone", "planned", "warmed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

SCHEMA = 1
"""The version of ``payload``; a field may be added without changing it, none may go or change its meaning."""
_SHOWN = Decimal("0.0001")
_ZERO = Decimal(0)
_DIGITS = 200
"""Significant digits of a sum: the default of 28 would round a sum of long decimals."""
_EXACT = Context(prec=_DIGITS)
_QUOTATION = re.compile("“.*”|“.*$", re.DOTALL)
_CODE = re.compile(r"`(?P<name>[\w.]+`)?(?(name)|[^`]*`)")
"""Between backticks, a plain name or a piece of code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model request: one HTTP answer, or the lack of one."""

    run: str
    """The run that it belongs to; a climb to a better model is a second entry of the same run."""
    session: str
    """The server process's own name for its life."""
    at: datetime
    """When it began, with a time zone."""
    action: str
    """The action's id, such as ``fix``."""
    language: str
    """The language's id, such as ``python``."""
    provider: str
    """The provider's name in the tier table."""
    model: str
    """The model's id, as sent."""
    tier: str
    """The row's tier."""
    usage: Usage | None
    """None: nothing was sent (cancelled while queued), or the counts are unknown."""
    cost: Decimal | None
    """USD, exact; None is unknown."""
    estimated: bool
    """Usage and cost are our estimate: the answer was cut, cancelled, or came without usage."""
    difficulty: float | None
    """0 (easy) to 1 (hard), as judged before routing."""
    outcome: Outcome
    best_cost: Decimal | None
    """USD that the best model of the table would have cost for the same tokens; None is unknown."""
    reason: str
    """The route's one line, without any code that it quotes: see ``unquoted``."""
    seconds: float
    """From sending to the end of the answer."""
    project: str = ""
    """The name of the workspace folder, without its path; empty outside any."""
    charged: Decimal | None = None
    """USD that the provider itself says it charges, which ``cost`` then is; None where it does not say."""
    listed: Decimal | None = None
    """USD by the tier table for the same tokens, kept beside the provider's word; None is unknown."""
    characters: int | None = None
    """Code points of the prompt; with the provider's count they tell how its tokens run."""
    served: str = ""
    """The model that answered, as the answer names it, where that is another one than ``model``; else empty."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an entry's time needs a time zone")
        for amount in (self.cost, self.best_cost, self.charged, self.listed):
            if amount is not None and not (amount.is_finite() and amount >= 0):
                raise ValueError(f"not an amount of money: {amount}")


@dataclass(frozen=True, slots=True)
class Last:
    """The last run of a session: what the person asked for, and its whole price."""

    action: str
    model: str
    """The model of the run's last request."""
    tier: str
    cost: Decimal | None
    """USD of all requests of the run, failed checks included; None where one of them is unknown."""
    cached_tokens: int | None
    """Prompt tokens that the provider read from its cache; None where it did not say."""
    reason: str
    outcome: Outcome
    estimated: bool
    """Whether any part of the cost is an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The accounts as a person sees them after a request; all but ``id`` and ``month`` are of today."""

    session: Decimal
    """USD since this server started."""
    today: Decimal
    """USD since the user's midnight."""
    month: Decimal
    """USD since the first of the user's month."""
    saved: Decimal
    """USD saved today against always using the best model; negative where it cost more."""
    requests: int
    """Requests today."""
    estimated: Decimal
    """The part of ``today`` that is an estimate, USD."""
    unknown: int
    """Requests of today whose price is unknown, and which no sum holds."""
    by_model: Mapping[str, Decimal | None]
    """USD of today by ``provider/id``, dearest first; None where no request of it has a known cost."""
    by_tier: Mapping[str, Decimal | None]
    """USD of today by tier, likewise."""
    last: Last | None
    """The session's last run; None before the first."""


def money(amount: Decimal | None) -> str:
    """Write an amount of USD to a hundredth of a cent; only an exact zero is written ``$0``."""
    if amount is None:
        return "unknown"
    if not amount:
        return "$0"
    if amount.copy_abs() < _SHOWN:
        return f"<${_SHOWN}" if amount > 0 else f">-${_SHOWN}"
    with localcontext() as context:
        context.prec = _DIGITS
        rounded = amount.copy_abs().quantize(_SHOWN, ROUND_HALF_UP)
    return f"{'-' if amount < 0 else ''}${rounded:,f}"


def exact(amount: Decimal) -> str:
    """Write an amount with every digit it has, without an exponent and without idle zeros."""
    text = format(amount, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if amount else "0"


def unquoted(reason: str) -> str:
    """Return a reason as it may be written down: a ledger, which a team may share, holds no code and no answer."""
    told = _CODE.sub(lambda found: found[0] if found["name"] else "`…`", _QUOTATION.sub("“…”", reason))
    return f"{told.rpartition('`')[0]}`…`" if told.count("`") % 2 else told  # A reason that was cut ends in its code.


def add(amounts: Iterable[Decimal | None]) -> Decimal:
    """Return the exact sum of the known amounts."""
    return reduce(_EXACT.add, (amount for amount in amounts if amount is not None), _ZERO)


def last(run: Sequence[Entry]) -> Last | None:
    """Return the entries of one run, in the order of their sending, as one; None for no entries."""
    if not run:
        return None
    final = run[-1]
    read = [entry.usage.cache_read for entry in run if entry.usage and entry.usage.cache_read is not None]
    return Last(
        action=final.action,
        model=final.model,
        tier=final.tier,
        cost=_cost(run),
        cached_tokens=sum(read) if read else None,
        reason=final.reason,
        outcome=final.outcome,
        estimated=any(entry.estimated for entry in run),
    )


def payload(summary: Summary) -> dict[str, Any]:
    """Return the parameters of the ``tuppence/cost`` notification; docs/protocol.md holds the same schema for clients.

    An *amount* is ``{"usd": string | null, "display": string}``: every digit in plain decimal notation (null is
    unknown), and the same for a person. A *row* is an amount with a ``name``, dearest first.

    - ``schema``: 1
    - ``id``, ``today``, ``month``, ``saved``, ``estimated``: amount (``saved`` and ``estimated`` are of today)
    - ``requests``, ``unknown``: integer, today's requests and how many of them have no known price
    - ``byModel``, ``byTier``: list of rows, today's
    - ``last``: null, or ``action``, ``model``, ``tier``, ``reason``, ``outcome`` (strings), ``cost`` (amount),
      ``cachedTokens`` (integer, null where the provider did not say), ``estimated`` (boolean)
    """
    return {
        "schema": SCHEMA,
        "session": amount(summary.session),
        "today": amount(summary.today),
        "month": amount(summary.month),
        "saved": amount(summary.saved),
        "estimated": amount(summary.estimated),
        "requests": summary.requests,
        "unknown": summary.unknown,
        "byModel": rows(summary.by_model),
        "byTier": rows(summary.by_tier),
        "last": _last_payload(summary.last),
    }


def amount(usd: Decimal | None) -> dict[str, Any]:
    """Return an amount as JSON: exact as a string, and as a person reads it."""
    return {"usd": None if usd is None else exact(usd), "display": money(usd)}


def rows(table: Mapping[str, Decimal | None]) -> list[dict[str, Any]]:
    """Return a table of sums as JSON, in the table's order."""
    return [{"name": name, **amount(usd)} for name, usd in table.items()]


def _last_payload(last: Last | None) -> dict[str, Any] | None:
    if last is None:
        return None
    return {
        "action": last.action,
        "model": last.model,
        "tier": last.tier,
        "cost": amount(last.cost),
        "cachedTokens": last.cached_tokens,
        "reason": last.reason,
        "outcome": last.outcome,
        "estimated": last.estimated,
    }


def _cost(run: Sequence[Entry]) -> Decimal | None:
    return None if any(entry.cost is None for entry in run) else add(entry.cost for entry in run)
