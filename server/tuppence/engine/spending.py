"""Money before and after a call: the ledger reserves what it costs at most, and is told what it came to.

The answer that is allowed is shortened to what the budget affords. A ledger that fails costs nobody an answer, unless
there is a budget: then nobody could say whether it is kept. Nothing here waits for the ledger on the event loop.
"""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass, field, replace
from uuid import uuid4

from tuppence.config import default_path
from tuppence.config.project import NAME
from tuppence.core.billing.budget import COMMAND, Bid
from tuppence.core.models.usage import at_most
from tuppence.core.routing.router import Route
from tuppence.engine.attempt import Attempt
from tuppence.engine.receipt import Account
from tuppence.engine.session import House
from tuppence.engine.truth import Journal
from tuppence.errors import OverBudget, TuppenceError
from tuppence.ledger import Claim, midnight
from tuppence.providers import Event
from tuppence.upstream import Sending


@dataclass(frozen=True, slots=True)
class Till:
    """Where one attempt gets its money."""

    house: House
    account: Account
    route: Route
    least: int
    """Answer tokens below which asking is pointless."""
    journal: Journal = field(default_factory=Journal)

    async def reserve(self, attempt: Attempt) -> None:
        """Reserve what a request costs at most, and shorten the answer that it allows to what is left.

        :raises OverBudget: the budget does not allow it.
        """
        house, prompt, model = self.house, attempt.prompt, attempt.model
        tokens = await asyncio.to_thread(at_most, prompt.text, house.pace(model, self.account.language))
        bid = Bid(
            model=model.id,
            price=model.price,
            prompt=tokens,
            least=self.least,
            most=min(prompt.max_output, model.max_output),
            when=attempt.at,
        )
        limits = house.limits()
        lost = self.account.lost(attempt, self.route, tokens)
        claim = Claim(id=uuid4().hex, bid=bid, limits=limits, lost=lost, midnight=midnight(house.now()))
        attempt.holds.append(claim.id)
        try:
            granted = await asyncio.wrap_future(house.ledger.queue(lambda: house.ledger.reserve(claim)))
        except OverBudget as over:
            attempt.holds.remove(claim.id)
            over.remedy = self._where(over.remedy)
            raise
        except TuppenceError as error:
            # It may have been written all the same, as where the word of it was lost: what is entered takes its place.
            house.trouble(str(error))
            if limits.any:
                what = f"Your budget cannot be checked, so nothing is sent. {error.message}"
                raise OverBudget(what, error.remedy) from None
        else:
            attempt.prompt = replace(prompt, max_output=granted.tokens)

    async def retry(self, attempt: Attempt) -> None:
        """Reserve for a further request, where the one before may be charged for although nobody got its answer.

        :raises OverBudget: the budget does not allow it.
        """
        if attempt.sendings and attempt.sendings[-1].fate() == "with the server":
            await replace(self, least=attempt.prompt.max_output).reserve(attempt)

    def _where(self, remedy: str) -> str:
        """Return how to raise a limit, for the file that holds it."""
        config = self.house.config()
        if self.house.limits() != config.budget:
            return f"{remedy} The project's own {NAME} narrows your budget; look there first."
        if config.path != default_path():
            return remedy.replace(COMMAND, f"{COMMAND} --config {shlex.quote(str(config.path))}")
        return remedy

    def note(self, attempt: Attempt, piece: Event | Sending) -> None:
        """Take one piece of the answer into account, here and, now and then, in the ledger."""
        attempt.note(piece)
        self.journal.note(self.house, attempt)
