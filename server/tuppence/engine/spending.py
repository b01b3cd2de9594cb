"""Money before, during and after a call: reserve its maximum cost, settle the actual cost, reconcile estimates.

The answer's length limit is reduced to what the budget allows. A failing ledger does not prevent an answer, unless
there is a budget, which could then not be checked. Nothing here waits for the ledger on the event loop.

A canceled or broken answer has no counts, so its entry is an estimate. If the provider's row defines how (``bill``),
the provider is asked for the cost afterwards, in the background; if that fails, the estimate stays. The next server
asks about what a server could not ask before it ended.
"""

from __future__ import annotations

import asyncio
import shlex
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from tuppence.config import default_path
from tuppence.config.project import NAME
from tuppence.core.billing.budget import COMMAND, CallEstimate, bound
from tuppence.core.billing.credibility import FRAME, CallBound
from tuppence.core.billing.entry import Entry, exact
from tuppence.core.models.model import Model
from tuppence.core.models.pricing import Price, cost
from tuppence.core.models.usage import TokenMeasure, measure
from tuppence.core.routing.router import Route
from tuppence.engine.receipt import Attempt, Receipt
from tuppence.engine.session import Session
from tuppence.errors import OverBudget, TuppenceError
from tuppence.ledger import PendingCost, Reservation, midnight
from tuppence.providers import ProviderEvent, UsageReport
from tuppence.upstream import RequestSent

LATEST = timedelta(days=1)
"""Maximum age of an estimate that is reconciled: no provider is known to report on older answers."""
EVERY = 1.0
"""Seconds between two updates of an answer's progress."""


@dataclass
class ProgressLog:
    """Stores an answer's progress in the ledger, in case this process ends before the answer does."""

    _noted: float = 0.0
    _identity: str = ""

    def note(self, session: Session, attempt: Attempt) -> None:
        """Store the progress once a second, and at once when the provider's id of the answer becomes known."""
        identity = attempt.identity if attempt.model.provider.bill is not None else ""
        now = time.monotonic()
        if not attempt.reservations or (now - self._noted < EVERY and identity == self._identity):
            return
        self._noted, self._identity = now, identity
        session.ledger_writer.note(attempt.reservations[-1], identity, attempt.tokens)


@dataclass(frozen=True, slots=True)
class SpendGuard:
    """Reserves and settles the money of one attempt."""

    session: Session
    receipt: Receipt
    route: Route
    least: int
    """Minimum number of answer tokens that is useful."""
    measured: TokenMeasure | None = None
    """Of the prompt, where it was measured before; another prompt is measured in a thread."""
    journal: ProgressLog = field(default_factory=ProgressLog)

    async def reserve(self, attempt: Attempt) -> None:
        """Reserve the maximum cost of a request, and reduce its answer limit to what is left.

        :raises OverBudget: the budget does not allow it.
        """
        session, prompt, model = self.session, attempt.prompt, attempt.model
        size = self.measured
        if size is None or size.parts != prompt.parts:
            size = await asyncio.to_thread(measure, prompt.parts)
        tokens = size.at_most(session.ledger_writer.chars_per_token(model, self.receipt.language))
        bid = CallEstimate(
            model=model.id,
            price=model.price,
            prompt=tokens,
            least=self.least,
            most=min(prompt.max_output, model.max_output),
            when=attempt.at,
        )
        attempt.bound = CallBound(bid.prompt, bid.most, bound(bid, bid.most) if bid.price else None)
        limits = session.limits()
        lost = self.receipt.worst_case(attempt, self.route, tokens)
        claim = Reservation(id=uuid4().hex, bid=bid, limits=limits, lost=lost, midnight=midnight(session.now()))
        attempt.reservations.append(claim.id)
        try:
            granted = await session.ledger_writer.reserve(claim)
        except OverBudget as over:
            attempt.reservations.remove(claim.id)
            over.remedy = self._where(over.remedy)
            raise
        except TuppenceError as error:
            # It may have been written although the reply was lost; the final entry then replaces it.
            if limits.any:
                session.ledger_writer.note_shown(str(error))
                what = f"Your budget cannot be checked, so nothing is sent. {error.message}"
                raise OverBudget(what, error.remedy) from None
            session.ledger_writer.warn(str(error))
        else:
            attempt.limit_output(granted.tokens)
            attempt.bound = CallBound(bid.prompt, granted.tokens, granted.bound)

    async def retry(self, attempt: Attempt) -> None:
        """Reserve for a retry, because the earlier request may be charged for although it gave no answer.

        :raises OverBudget: the budget does not allow it.
        """
        if attempt.sent and attempt.sent[-1].fate() == "with the server":
            await replace(self, least=attempt.prompt.max_output).reserve(attempt)

    def _where(self, remedy: str) -> str:
        """Return how to raise a limit in the file that sets it."""
        config = self.session.config()
        if self.session.limits() != config.budget:
            return f"{remedy} The project's own {NAME} narrows your budget; look there first."
        if config.path != default_path():
            return remedy.replace(COMMAND, f"{COMMAND} --config {shlex.quote(str(config.path))}")
        return remedy

    def note(self, attempt: Attempt, piece: ProviderEvent | RequestSent) -> None:
        """Record one piece of the answer, and from time to time its progress in the ledger."""
        attempt.note(piece)
        self.journal.note(self.session, attempt)


def settle_cost(session: Session, entry: Entry, attempt: Attempt, best: Price | None) -> None:
    """Write the entry of an attempt; if it is an estimate, ask the provider for the actual cost.

    :param best: the price of the model to which it is compared.
    """
    session.ledger_writer.record(entry, attempt.reservations)
    if attempt.can_reconcile and attempt.reservations:
        owed = PendingCost(attempt.reservations[0], entry.provider, entry.model, attempt.identity)
        session.spawn(_seek(session, owed, attempt.model, best))


def reconcile_pending(session: Session) -> None:
    """Ask providers for the actual cost of earlier servers' estimates."""
    session.spawn(_resume(session))


async def _resume(session: Session) -> None:
    models = {(each.provider.name, each.id): each for each in session.config().models if each.provider.bill}
    since = session.now() - LATEST
    with suppress(TuppenceError):
        for owed in await asyncio.wrap_future(session.ledger.read(lambda: session.ledger.owed(since))):
            if model := models.get((owed.provider, owed.model)):
                await _seek(session, owed, model, None)


async def _seek(session: Session, owed: PendingCost, model: Model, best: Price | None) -> None:
    truth = await session.upstream.bill(model, session.keys.of(model.provider), owed.identity)
    if truth is not None:
        _correct(session, owed, model, truth, best)


def _correct(session: Session, owed: PendingCost, model: Model, truth: UsageReport, best: Price | None) -> None:
    session.ledger_writer.correct(owed.hold, lambda estimate: reconciled(estimate, truth, model, best))


def reconciled(entry: Entry, truth: UsageReport, model: Model, best: Price | None) -> Entry:
    """Return an estimated entry with the provider's numbers; its reason still mentions the estimate.

    If the provider's report is implausible, the estimate stays, and the reason says why.

    :param best: the price of the best model; None leaves its estimated cost unchanged.
    """
    if doubt := _bound_of(entry, model).doubt(entry.provider, truth.usage, truth.cost):
        return replace(entry, reason=f"{entry.reason}; {doubt}")
    listed = cost(truth.usage, model.price, entry.at) if model.price else None
    return replace(
        entry,
        usage=truth.usage,
        cost=listed if truth.cost is None else truth.cost,
        estimated=False,
        best_cost=cost(truth.usage, best, entry.at) if best else entry.best_cost,
        charged=truth.cost,
        listed=listed,
        reason=f"{entry.reason}; estimated at {_figure(entry.cost)} until its provider was asked",
    )


def _bound_of(entry: Entry, model: Model) -> CallBound:
    """Return the maximum of an estimated entry's request, as far as the entry allows."""
    prompt = entry.usage.prompt if entry.usage else 0
    prompt = max(prompt, entry.characters or 0) + FRAME
    bid = CallEstimate(model=model.id, price=model.price, prompt=prompt, least=0, most=model.max_output, when=entry.at)
    return CallBound(prompt, model.max_output, bound(bid, model.max_output) if model.price else None)


def _figure(amount: Decimal | None) -> str:
    return "nothing known" if amount is None else f"${exact(amount)}"
