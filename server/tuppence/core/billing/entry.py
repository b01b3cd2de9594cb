"""Ledger entries: what was asked, what it cost, and how money is formatted.

Sums are exact: Decimal is added at a precision that no ledger reaches, and only ``money`` rounds. An unknown price
stays unknown (None) and is counted as such, never as zero. This module does not store entries (ledger/ does), price
tokens (core/models/usage.py does) or compute savings (core/billing/totals.py does).
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
"""The version of ``payload``. A field may be added without a new version; none may be removed or change its meaning."""
_SHOWN = Decimal("0.0001")
_ZERO = Decimal(0)
_DIGITS = 200
"""Significant digits of a sum: Decimal's default of 28 would round a sum of long decimals."""
_EXACT = Context(prec=_DIGITS)
_QUOTATION = re.compile("“.*”|“.*$", re.DOTALL)
_CODE = re.compile(r"`(?P<name>[\w.]+`)?(?(name)|[^`]*`)")
"""Matches text between backticks: a plain name or a piece of code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model request: one HTTP response, or its absence."""

    run: str
    """Id of its run; a retry with a better model is a second entry of the run."""
    session: str
    """Id of the server process."""
    at: datetime
    """The time when it began, with a time zone."""
    action: str
    """The action's id, such as ``fix``."""
    language: str
    """The language id, such as ``python``."""
    provider: str
    """The provider's name in the tier table."""
    model: str
    """The model's id, as sent."""
    tier: str
    """The tier of the model's row."""
    usage: Usage | None
    """None if nothing was sent (cancelled while queued), or if the counts are unknown."""
    cost: Decimal | None
    """Exact USD; None if unknown."""
    estimated: bool
    """Whether usage and cost are estimates: the answer was cut off, cancelled, or came without usage."""
    difficulty: float | None
    """From 0 (easy) to 1 (hard), as estimated before routing."""
    outcome: Outcome
    best_cost: Decimal | None
    """USD that the best model of the table would have cost for the same tokens; None if unknown."""
    reason: str
    """The router's one-line reason, without quoted code: see ``unquoted``."""
    seconds: float
    """Seconds from sending to the end of the answer."""
    project: str = ""
    """Name of the workspace folder, without its path; empty outside any."""
    charged: Decimal | None = None
    """USD that the provider reports to charge, which is then ``cost``; None if it reports none."""
    listed: Decimal | None = None
    """USD by the tier table for these tokens, stored beside the provider's charge; None if unknown."""
    characters: int | None = None
    """Code points of the prompt; with the provider's token count they give the model's token ratio."""
    served: str = ""
    """Name of the model that answered, as the answer states it, if it is not ``model``; otherwise empty."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an entry's time needs a time zone")
        for amount in (self.cost, self.best_cost, self.charged, self.listed):
            if amount is not None and not (amount.is_finite() and amount >= 0):
                raise ValueError(f"not an amount of money: {amount}")


@dataclass(frozen=True, slots=True)
class Last:
    """The last run of a session, with its total cost."""

    action: str
    model: str
    """The model of the run's last request."""
    tier: str
    cost: Decimal | None
    """USD of all requests of the run, failed checks included; None if the cost of one is unknown."""
    cached_tokens: int | None
    """Prompt tokens that the provider read from its cache; None if it did not report them."""
    reason: str
    outcome: Outcome
    estimated: bool
    """Whether a part of the cost is an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The totals that are shown after a request; those without another period are for today."""

    session: Decimal
    """USD since this server started."""
    today: Decimal
    """USD since the user's midnight."""
    month: Decimal
    """USD since the first of the user's month."""
    saved: Decimal
    """USD saved today compared to always using the best model; negative if more was spent."""
    requests: int
    """Number of requests today."""
    estimated: Decimal
    """The estimated part of ``today`` in USD."""
    unknown: int
    """Number of today's requests with an unknown price, which no sum includes."""
    by_model: Mapping[str, Decimal | None]
    """Today's USD by ``provider/id``, highest first; None if no request has a known cost."""
    by_tier: Mapping[str, Decimal | None]
    """Today's USD by tier, highest first; None if no request has a known cost."""
    last: Last | None
    """The session's last run; None before the first."""


def money(amount: Decimal | None) -> str:
    """Format USD to four decimal places; only an exact zero is written ``$0``, and None is ``unknown``."""
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


def about(amount: Decimal | None) -> str:
    """Format an estimate as ``money`` does, with ``about`` before it unless it is exact, unknown or only bounded."""
    text = money(amount)
    return f"about {text}" if amount and text.startswith(("$", "-$")) else text


def exact(amount: Decimal) -> str:
    """Format an amount with all of its digits, without an exponent or trailing zeros."""
    text = format(amount, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if amount else "0"


def unquoted(reason: str) -> str:
    """Return a reason without quoted code or answers, for the ledger, which a team may share."""
    told = _CODE.sub(lambda found: found[0] if found["name"] else "`…`", _QUOTATION.sub("“…”", reason))
    return f"{told.rpartition('`')[0]}`…`" if told.count("`") % 2 else told  # A reason that was cut ends in its code.


def add(amounts: Iterable[Decimal | None]) -> Decimal:
    """Return the exact sum of the known amounts."""
    return reduce(_EXACT.add, (amount for amount in amounts if amount is not None), _ZERO)


def last(run: Sequence[Entry]) -> Last | None:
    """Return one run's entries, in the order of sending, as a summary; None without entries."""
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
    """Return the parameters of the ``tuppence/cost`` notification; docs/protocol.md has the schema for clients.

    An *amount* is ``{"usd": string | null, "display": string}``: every digit in plain decimal notation (null if
    unknown), and a formatted amount for people. A *row* is an amount with a ``name``; rows are in descending order.

    - ``schema``: 1
    - ``session``, ``today``, ``month``, ``saved``, ``estimated``: amount (``saved`` and ``estimated`` are of today)
    - ``requests``, ``unknown``: integer, today's requests and the number of those without a known price
    - ``byModel``, ``byTier``: list of rows, today's
    - ``last``: null, or ``action``, ``model``, ``tier``, ``reason``, ``outcome`` (strings), ``cost`` (amount),
      ``cachedTokens`` (integer, null if the provider did not report them), ``estimated`` (boolean)
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
    """Return an amount as JSON: ``usd`` with all digits as a string or null, and ``display`` formatted."""
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
