"""The account of one run: each attempt's tokens and money, as they will stand in the ledger.

An attempt is entered once, when it ends, however it ends: kept, failed its check, cancelled, refused. Where the
provider gave no counts although it was asked, they are estimated from what was sent and received, and marked so.
Nothing was sent: nothing is owed, and that too is an entry.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tuppence.core.accounts import Entry, Outcome
from tuppence.core.models import Model
from tuppence.core.prompt import Prompt
from tuppence.core.route import Route
from tuppence.core.usage import Usage, cost, estimate
from tuppence.providers import Event, Metered, Stop, Text, Thinking


@dataclass
class Attempt:
    """What one model was asked and gave."""

    model: Model
    prompt: Prompt
    began: float = field(default_factory=time.monotonic)
    sent: bool = False
    """Whether a request went out at all."""
    refused: bool = False
    """Whether the provider turned it away with an error before any answer: such a request is not billed."""
    metered: Metered | None = None
    stop: Stop | None = None
    received: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)

    def note(self, event: Event) -> None:
        """Take one event of the answer into account."""
        match event:
            case Text():
                self.received.append(event.text)
            case Thinking():
                self.thought.append(event.text)
            case Metered():
                self.metered = _latest(self.metered, event)
            case Stop():
                self.stop = event

    @property
    def estimated(self) -> bool:
        """Report whether the counts are ours: the provider was asked, and gave none or not its last ones."""
        return self.sent and not self.refused and (self.metered is None or self.stop is None)

    @property
    def usage(self) -> Usage | None:
        """The tokens, the provider's own where it gave them all; None where nothing was sent or billed."""
        if not self.sent or self.refused:
            return None
        given = self.metered.usage if self.metered else Usage(fresh=estimate("x" * self.prompt.characters))
        if self.metered is not None and self.stop is not None:
            return given
        output = max(given.output, estimate("".join(self.received)))
        thinking = max(given.thinking, estimate("".join(self.thought)))
        return Usage(given.fresh, given.cache_read, given.cache_write, given.cache_write_1h, output, thinking)

    def price(self, when: datetime, model: Model | None = None) -> Decimal | None:
        """Return what it cost, USD; or what it would have cost at another model for the same tokens."""
        usage = self.usage
        if usage is None:
            return Decimal(0)
        if model is None and self.metered is not None and self.metered.cost is not None and self.stop is not None:
            return self.metered.cost
        row = model or self.model
        return cost(usage, row.price, when) if row.price else None


@dataclass(kw_only=True)
class Account:
    """All attempts of one run."""

    run: str
    session: str
    action: str
    language: str
    difficulty: float | None = None
    entries: list[Entry] = field(default_factory=list)

    def enter(self, attempt: Attempt, route: Route, outcome: Outcome, when: datetime) -> Entry:
        """Return the entry for an attempt that ended, and remember it."""
        entry = Entry(
            run=self.run,
            session=self.session,
            at=when,
            action=self.action,
            language=self.language,
            provider=attempt.model.provider.name,
            model=attempt.model.id,
            tier=attempt.model.tier,
            usage=attempt.usage,
            cost=attempt.price(when),
            estimated=attempt.estimated,
            difficulty=self.difficulty,
            outcome=outcome,
            best_cost=attempt.price(when, route.best),
            reason=route.reason,
            seconds=round(time.monotonic() - attempt.began, 3),
        )
        self.entries.append(entry)
        return entry

    def enter_free(self, provider: str, model: str, when: datetime, outcome: Outcome) -> Entry:
        """Return the entry for an end that cost nothing: the linter's fix, a kept answer, a run that never began."""
        entry = Entry(
            run=self.run,
            session=self.session,
            at=when,
            action=self.action,
            language=self.language,
            provider=provider,
            model=model,
            tier="none",
            usage=None,
            cost=Decimal(0),
            estimated=False,
            difficulty=self.difficulty,
            outcome=outcome,
            best_cost=None,
            reason="no model was needed" if outcome == "kept" else "",
            seconds=0.0,
        )
        self.entries.append(entry)
        return entry

    @property
    def total(self) -> Decimal | None:
        """What the run cost so far, USD; None where a part is unknown."""
        costs = [entry.cost for entry in self.entries]
        return None if None in costs else sum((each for each in costs if each is not None), Decimal(0))

    @property
    def estimated(self) -> bool:
        """Report whether any part is an estimate."""
        return any(entry.estimated for entry in self.entries)


def _latest(before: Metered | None, now: Metered) -> Metered:
    """Return the counts that hold: they are cumulative, and a cost stays until a newer one comes."""
    if before is None or now.cost is not None:
        return now
    return Metered(now.usage, before.cost)
