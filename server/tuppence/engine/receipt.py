"""The receipt of one run: a ledger entry for each attempt, and their total.

Nothing here writes to the ledger; :mod:`tuppence.engine.spending` does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from tuppence.core.billing.entry import Entry, Outcome, add, exact, unquoted
from tuppence.core.models.pricing import Price, cost
from tuppence.core.models.usage import Usage
from tuppence.core.routing.router import Route
from tuppence.engine.attempt import Attempt
from tuppence.providers import UsageReport


@dataclass(kw_only=True)
class Receipt:
    """All attempts of one run."""

    run: str
    session: str
    action: str
    language: str
    difficulty: float | None = None
    project: str = ""
    """The name of the workspace folder."""
    entries: list[Entry] = field(default_factory=list)

    def add_attempt(self, attempt: Attempt, route: Route, outcome: Outcome) -> Entry:
        """Return the entry for an attempt that ended, and remember it.

        :param route: why this model was asked, and against which its cost is held.
        """
        entry = replace(
            self._entry(attempt.at, attempt.model.provider.name, attempt.model.id, attempt.model.tier),
            usage=attempt.usage,
            cost=attempt.price(),
            estimated=attempt.estimated,
            outcome=outcome,
            best_cost=attempt.price(route.best),
            reason=unquoted(route.reason),
            seconds=round(time.monotonic() - attempt.began, 3),
            charged=attempt.charged,
            listed=attempt.listed,
            characters=attempt.prompt.characters if attempt.billed else None,
        )
        self.entries.append(entry)
        return entry

    def worst_case(self, attempt: Attempt, route: Route, prompt: int) -> Entry:
        """Return what stands in the ledger should this process end in the middle of an attempt.

        :param prompt: tokens that the prompt has at most; the ledger knows the answer's, and the cost.
        """
        return replace(
            self._entry(attempt.at, attempt.model.provider.name, attempt.model.id, attempt.model.tier),
            usage=Usage(fresh=prompt),
            cost=None,
            estimated=True,
            reason=f"the server ended in the middle, so this is about the most that it cost; {unquoted(route.reason)}",
        )

    def add_free(self, provider: str, model: str, when: datetime, outcome: Outcome) -> Entry:
        """Return the entry for an end that cost nothing: the linter's fix, a kept answer, a run that never began."""
        entry = replace(
            self._entry(when, provider, model, "none"),
            outcome=outcome,
            reason="no model was needed" if outcome == "kept" else "",
            listed=Decimal(0),
        )
        self.entries.append(entry)
        return entry

    def _entry(self, at: datetime, provider: str, model: str, tier: str) -> Entry:
        """Return an entry of this run that failed and cost nothing; whoever calls replaces what it knows better."""
        return Entry(
            run=self.run,
            session=self.session,
            at=at,
            action=self.action,
            language=self.language,
            provider=provider,
            model=model,
            tier=tier,
            usage=None,
            cost=Decimal(0),
            estimated=False,
            difficulty=self.difficulty,
            outcome="failed",
            best_cost=None,
            reason="",
            seconds=0.0,
            project=self.project,
        )

    @property
    def total(self) -> Decimal | None:
        """What the run cost so far, USD; None where a part is unknown."""
        costs = [entry.cost for entry in self.entries]
        return None if None in costs else add(each for each in costs if each is not None)

    @property
    def estimated(self) -> bool:
        """Report whether any part is an estimate."""
        return any(entry.estimated for entry in self.entries)


def reconciled(entry: Entry, truth: UsageReport, price: Price | None, best: Price | None) -> Entry:
    """Return an estimated entry as the provider has it; what it was estimated at stays in its reason.

    :param price: the model's own.
    :param best: the best model's; None leaves what it would have cost as it was estimated.
    """
    listed = cost(truth.usage, price, entry.at) if price else None
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


def _figure(cost: Decimal | None) -> str:
    return "nothing known" if cost is None else f"${exact(cost)}"
