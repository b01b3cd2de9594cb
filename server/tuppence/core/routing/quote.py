"""What a hover offers where no explanation is kept: in one line the code's size, how hard it is, and what asking costs.

And who may be asked without a person's word: the cheapest model of the cheapest tier, if the most that it could cost
is known and within the cap. Everything here is told; nothing is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tuppence.core.billing.entry import about
from tuppence.core.models.model import TIERS, Model
from tuppence.core.models.pricing import MILLION
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.candidates import Candidate
from tuppence.core.routing.difficulty import LINES, Difficulty

_CHEAPEST_FIRST = ("local", "budget", "specialised", "workhorse", "premium")
assert set(_CHEAPEST_FIRST) == set(TIERS)
_SHORTEST_TOKEN = 2
"""Bytes of UTF-8 that no prompt has fewer of for each of its tokens; code has about 3.4, Chinese a little under 3."""
_FRAME = 64
"""Tokens that a provider's own template may add around a prompt."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What is known before anybody is asked."""

    lines: int
    """Lines of the code that are not blank."""
    difficulty: Difficulty
    model: str = ""
    """The id of the model that would be asked; empty where nobody is known who may answer."""
    cost: Decimal | None = None
    """USD that its answer is expected to cost; None is unknown."""

    @property
    def size(self) -> str:
        """Size and difficulty: ``12 lines, moderate (2 loops, nested 2 deep)``."""
        # The number of lines is said already.
        why = ", ".join(reason for reason in self.difficulty.reasons if not reason.endswith((" line", " lines")))
        size = f"{LINES.shown(self.lines)}, {self.difficulty.level}"
        return f"{size} ({why})" if why else size

    @property
    def price(self) -> str:
        """What asking would cost: ``about $0.0011 at kimi-k2.6``."""
        if not self.model:
            return "no model is known yet that may answer"
        if self.cost is None:
            return f"at an unknown price at {self.model}"
        return f"{about(self.cost)} at {self.model}"


def frugal(table: Sequence[Candidate]) -> Model | None:
    """Return the cheapest eligible model of the cheapest tier; None where there is none of a known price."""
    fit = [(row.cost, row.model) for row in table if not row.why_not and row.cost is not None]
    if not fit:
        return None
    return min(fit, key=lambda each: (_CHEAPEST_FIRST.index(each[1].tier), each[0], each[1].name))[1]


def dearest(prompt: Prompt, model: Model, sendings: int, when: datetime) -> Decimal | None:
    """Return the most that a request could cost, USD; None where the price is unknown.

    :param sendings: how often it may be sent: each may be charged its prompt, one of them its answer.
    :param when: now, with its time zone.
    """
    if model.price is None:
        return None
    size = sum(len(part.encode(errors="replace")) for part in (prompt.system, *prompt.shared, prompt.tail))
    tokens = _FRAME + size // _SHORTEST_TOKEN
    rates = model.price.rates(tokens, when)
    dear = max(rate for rate in (rates.input, rates.cache_write, rates.cache_write_1h) if rate is not None)
    answer = max(rates.output, rates.thinking or Decimal(0))
    return (sendings * tokens * dear + prompt.max_output * answer) / MILLION
