"""What a provider may report of one request, held against what the request comes to at most.

The bound is made before the call, for its reservation. A report that is several times above it is a mistake of the
provider or of a gateway: to book it would fill a day's budget with money that is not owed. A report below that is
believed, however high: the bound is made of list prices and of our own count of the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from tuppence.core.billing.entry import money
from tuppence.core.models.pricing import MILLION
from tuppence.core.models.usage import Usage

SEVERAL = 3
"""So many times the bound, and a report is not believed."""
FRAME = 64
"""Tokens that a provider may count beside a prompt or an answer, even where none was asked for."""
_DEAREST = Decimal(2_000)
"""USD per million tokens that no model costs, for a model without a price of its own."""


@dataclass(frozen=True, slots=True)
class CallBound:
    """What one request comes to at most, as its reservation has it."""

    prompt: int
    """Tokens."""
    answer: int
    """Tokens, thinking included: the limit that is sent."""
    cost: Decimal | None
    """USD; None where the model's price is unknown."""

    def believes_prompt(self, usage: Usage) -> bool:
        """Report whether the prompt can have so many tokens."""
        return usage.prompt <= SEVERAL * self.prompt

    def believes_answer(self, usage: Usage) -> bool:
        """Report whether the answer can have so many tokens."""
        return usage.output + usage.thinking <= SEVERAL * self.answer + FRAME

    def believes_cost(self, cost: Decimal | None) -> bool:
        """Report whether a provider can charge so much, USD; None, which is no charge, is believed."""
        most = self.cost or (self.prompt + self.answer) * _DEAREST / MILLION
        return cost is None or cost <= SEVERAL * most

    def believed(self, usage: Usage) -> Usage:
        """Return the counts without those that are not believed; zero means not counted."""
        if not self.believes_prompt(usage):
            usage = Usage(output=usage.output, thinking=usage.thinking)
        return usage if self.believes_answer(usage) else replace(usage, output=0, thinking=0)

    def doubt(self, provider: str, usage: Usage, cost: Decimal | None) -> str:
        """Return a clause that says what is not believed of a report; empty where all of it is."""
        if not self.believes_prompt(usage):
            return f"{provider} reported {usage.prompt:,} prompt tokens, where there are {self.prompt:,} at most"
        if not self.believes_answer(usage):
            answer = usage.output + usage.thinking
            return f"{provider} reported {answer:,} answer tokens, where {self.answer:,} were allowed"
        if cost is not None and not self.believes_cost(cost):
            most = "" if self.cost is None else f", where it costs {money(self.cost)} at most"
            return f"{provider} reported a charge of {money(cost)} for one request{most}"
        return ""
