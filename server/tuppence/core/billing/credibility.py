"""Compare a provider's usage report to the maximum that a request can use.

The maximum is computed before the call, for its reservation. A report several times above it is a mistake of the
provider or of a gateway: booking it would use up a day's budget with money that is not owed. Any report below that is
believed, because the maximum is based on list prices and an estimated count of the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from tuppence.core.billing.entry import money
from tuppence.core.models.pricing import MILLION
from tuppence.core.models.usage import Usage

SEVERAL = 3
"""A report is not believed above this multiple of the maximum."""
FRAME = 64
"""Number of tokens that a provider may count in addition to a prompt or an answer, even if none was requested."""
_DEAREST = Decimal(2_000)
"""USD per million tokens that no model costs; used for a model without a known price."""


@dataclass(frozen=True, slots=True)
class CallBound:
    """The maximum that one request can use, as in its reservation."""

    prompt: int
    """Number of prompt tokens."""
    answer: int
    """Number of answer tokens including thinking: the limit that is sent."""
    cost: Decimal | None
    """USD; None if the model's price is unknown."""

    def believes_prompt(self, usage: Usage) -> bool:
        """Report whether the prompt can have this many tokens."""
        return usage.prompt <= SEVERAL * self.prompt

    def believes_answer(self, usage: Usage) -> bool:
        """Report whether the answer can have this many tokens."""
        return usage.output + usage.thinking <= SEVERAL * self.answer + FRAME

    def believes_cost(self, cost: Decimal | None) -> bool:
        """Report whether a provider can charge this amount of USD; None, for no charge, is believed."""
        most = self.cost or (self.prompt + self.answer) * _DEAREST / MILLION
        return cost is None or cost <= SEVERAL * most

    def believed(self, usage: Usage) -> Usage:
        """Return the counts that are believed; others become zero, which means not counted."""
        if not self.believes_prompt(usage):
            usage = Usage(output=usage.output, thinking=usage.thinking)
        return usage if self.believes_answer(usage) else replace(usage, output=0, thinking=0)

    def doubt(self, provider: str, usage: Usage, cost: Decimal | None) -> str:
        """Return a clause on what is not believed in a report; empty if all of it is."""
        if not self.believes_prompt(usage):
            return f"{provider} reported {usage.prompt:,} prompt tokens, where there are {self.prompt:,} at most"
        if not self.believes_answer(usage):
            answer = usage.output + usage.thinking
            return f"{provider} reported {answer:,} answer tokens, where {self.answer:,} were allowed"
        if cost is not None and not self.believes_cost(cost):
            most = "" if self.cost is None else f", where it costs {money(self.cost)} at most"
            return f"{provider} reported a charge of {money(cost)} for one request{most}"
        return ""
