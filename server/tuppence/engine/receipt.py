"""The receipt of one run: what each call to a model sent, received and cost, and the total.

If a provider gave no token counts, or implausible ones (core/billing/credibility.py), they are estimated from the text
sent and received, never above what was reserved, and marked as estimates. A request that was not sent, or that the
server rejected, costs exactly nothing. Each attempt becomes one ledger entry when it ends, however it ends. This module
does not write to the ledger; :mod:`tuppence.engine.ledger_writer` does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import reduce

from tuppence.core.billing.answer_length import BEYOND, TokenFloor
from tuppence.core.billing.credibility import FRAME, CallBound
from tuppence.core.billing.entry import Entry, Outcome, add, unquoted
from tuppence.core.models.model import Model
from tuppence.core.models.pricing import cost
from tuppence.core.models.usage import PACE, Usage, estimate, merge, split
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.router import Route
from tuppence.providers import ProviderEvent, Stop, Text, Thinking, UsageReport
from tuppence.upstream import RequestSent

LONGEST_TOKEN = 50
"""Code points per token that no answer exceeds on average."""


@dataclass(kw_only=True)
class Attempt:
    """What one model was sent, perhaps repeatedly, and what it returned."""

    model: Model
    prompt: Prompt
    at: datetime
    """The time when it began, with a time zone; its prices apply."""
    began: float = field(default_factory=time.monotonic)
    sent: list[RequestSent] = field(default_factory=list)
    """The requests; each further one is a retry."""
    metered: UsageReport | None = None
    stop: Stop | None = None
    received: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    chars_per_token: float = PACE
    """Code points of this language per token of the model, as counted by its provider."""
    expected_cache: Usage = field(default_factory=Usage)
    """The prompt tokens that will probably be read from and written to the provider's cache."""
    reservations: list[str] = field(default_factory=list)
    """The ids of its reservations in the ledger, one for each request that was sent."""
    bound: CallBound | None = None
    """The maximum of one of its requests; None before it was reserved."""
    ended_here: bool = False
    """Whether tuppence ended the answer because it exceeded its limit."""
    contradicted: bool = False
    """Whether a later count of the answer was lower than an earlier one."""
    floors: dict[type[Text | Thinking], TokenFloor] = field(
        default_factory=lambda: {Text: TokenFloor(), Thinking: TokenFloor()}
    )
    """Lower bounds of the tokens of its answer and its thinking."""

    def begin(self, at: datetime, prompt: Prompt, expected_cache: Usage | None = None) -> None:
        """Set the time, the prompt and the expected cache use of the call, after its turn in the queue has come."""
        self.at, self.prompt = at, prompt
        if expected_cache is not None:
            self.expected_cache = expected_cache

    def limit_output(self, tokens: int) -> None:
        """Lower the output limit to what the budget allows."""
        self.prompt = replace(self.prompt, max_output=tokens)

    def note(self, piece: ProviderEvent | RequestSent) -> None:
        """Record one piece of the answer."""
        match piece:
            case RequestSent():
                self.sent.append(piece)
            case Text():
                self.received.append(piece.text)
                self.floors[Text].feed(piece.text)
            case Thinking():
                self.thought.append(piece.text)
                self.floors[Thinking].feed(piece.text)
            case UsageReport():
                self.contradicted = self.contradicted or _falls(self.metered, piece)
                self.metered = _latest(self.metered, piece)
            case Stop():
                self.stop = piece

    def end_if_too_long(self) -> bool:
        """End the answer as cut off if it has exceeded its limit; return whether it was ended."""
        limit = min(self.prompt.max_output, self.model.max_output)
        if sum(floor.tokens for floor in self.floors.values()) <= BEYOND * limit:
            return False
        self.stop, self.ended_here = Stop("length", "ended here"), True
        return True

    @property
    def answering(self) -> bool:
        """Whether any text or thinking arrived."""
        return bool(self.received or self.thought)

    @property
    def identity(self) -> str:
        """The provider's id of the answer to the last request; empty if it gave none."""
        return self.sent[-1].identity() if self.sent else ""

    @property
    def tokens(self) -> int:
        """The approximate number of answer tokens received so far, thinking included."""
        return -int(-sum(map(len, (*self.received, *self.thought))) // self.chars_per_token)

    @property
    def can_reconcile(self) -> bool:
        """Whether the provider can be asked afterwards what the whole attempt cost."""
        return self.estimated and self._lost == 0 and bool(self.identity) and self.model.provider.bill is not None

    @property
    def rejected(self) -> bool:
        """Whether the server responded, but rejected the last request."""
        return bool(self.sent) and self.sent[-1].fate() == "turned away"

    @property
    def billed(self) -> bool:
        """Whether the attempt may be charged for."""
        return self.answering or self.metered is not None or self._open(self.sent) > 0

    @property
    def estimated(self) -> bool:
        """Whether the counts are estimates: the attempt may be charged for, and not all counts arrived."""
        return self.billed and (not self._counted or self._lost > 0)

    @property
    def usage(self) -> Usage | None:
        """The tokens, as counted by the provider if complete; None if nothing can be charged."""
        if not self.billed:
            return None
        prompt = estimate("x" * self.prompt.characters, self.chars_per_token)
        if self.bound:
            prompt = min(prompt, self.bound.prompt)
        asked = split(prompt, self.expected_cache.cache_read or 0, self.expected_cache)
        given = self._believed or asked
        output, thinking = given.output, given.thinking
        if not given.prompt:
            given = asked
        if not self._counted:
            output = max(output, estimate("".join(self.received), self.chars_per_token))
            thinking = max(thinking, estimate("".join(self.thought), self.chars_per_token))
            if self.bound:
                if given.prompt > self.bound.prompt:
                    given = split(self.bound.prompt, given.cache_read or 0, given)
                output = min(output, self.bound.answer)
                thinking = min(thinking, self.bound.answer - output)
        return reduce(merge, [asked] * self._lost, replace(given, output=output, thinking=thinking))

    def price(self, model: Model | None = None) -> Decimal | None:
        """Return the cost in USD; for another model, what it would have cost for these tokens. None if unknown."""
        usage = self.usage
        if usage is None:
            return Decimal(0)
        if model is None or model.name == self.model.name:
            return self.listed if self.charged is None else self.charged
        return cost(usage, model.price, self.at) if model.price else None

    @property
    def charged(self) -> Decimal | None:
        """USD that the provider reports to charge; None if it does not say so, or not for everything."""
        return self.metered.cost if self.metered is not None and not self.estimated else None

    @property
    def listed(self) -> Decimal | None:
        """The cost of the tokens by the tier table in USD; None if unknown."""
        usage = self.usage
        if usage is None:
            return Decimal(0)
        return cost(usage, self.model.price, self.at) if self.model.price else None

    @property
    def counted_characters(self) -> int | None:
        """Code points of the prompt; None if it was not sent, or if it cannot have the counted number of tokens."""
        usage, characters = self.usage, self.prompt.characters
        if usage is None:
            return None
        if self.estimated or self.bound is None or usage.prompt <= characters + FRAME:
            return characters
        # A token has at least one byte.
        return characters if usage.prompt <= len(self.prompt.text.encode("utf-8", "replace")) + FRAME else None

    @property
    def doubt(self) -> str:
        """A clause on an implausible report or behavior of the provider; empty if there is none."""
        provider = self.model.provider.name
        if self.bound and self.metered and (doubt := self.bound.doubt(provider, self.metered.usage, self.metered.cost)):
            return doubt
        if self.ended_here:
            limit = min(self.prompt.max_output, self.model.max_output)
            return f"{provider} wrote on beyond the limit of {limit:,} tokens, so the answer was ended here"
        if self.contradicted:
            return f"{provider} reported fewer answer tokens than it had reported before"
        return f"{provider} reported no count of {what} that could be one" if (what := self._uncounted) else ""

    @property
    def _uncounted(self) -> str:
        """What a complete report does not count although it costs money; empty if nothing is missing."""
        if self.metered is None or self.stop is None or self.model.price is None or self.model.price.free:
            return ""
        if not self.metered.usage.prompt:
            return "prompt tokens"
        return "answer tokens" if self.received and not _answer(self.metered.usage) else ""

    @property
    def _believed(self) -> Usage | None:
        """The provider's counts without implausible ones; None if it gave none."""
        if self.metered is None:
            return None
        return self.bound.believed(self.metered.usage) if self.bound else self.metered.usage

    @property
    def _counted(self) -> bool:
        """Whether the provider's final counts arrived: some gateways pass on only those at the start of an answer.

        Implausible or contradictory counts count as none.
        """
        if self.metered is None or self.stop is None or not self.metered.usage.prompt:
            return False
        if self.doubt:
            return False
        tokens = self.metered.usage.output + self.metered.usage.thinking
        return sum(map(len, self.received)) <= tokens * LONGEST_TOKEN

    @property
    def _lost(self) -> int:
        """The number of earlier requests that were abandoned without an answer: each may be charged for."""
        return self._open(self.sent[:-1])

    @staticmethod
    def _open(sendings: list[RequestSent]) -> int:
        return sum(sending.fate() == "with the server" for sending in sendings)


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
    notes: list[str] = field(default_factory=list)
    """Sentences for the user on the entries, apart from their cost."""

    def rate(self, difficulty: float) -> None:
        """Set the request's difficulty, 0 to 1, for the following entries."""
        self.difficulty = difficulty

    def add_attempt(self, attempt: Attempt, route: Route, outcome: Outcome) -> Entry:
        """Add and return the entry for an attempt that ended.

        :param route: why this model was asked, and to which model its cost is compared.
        """
        doubt = attempt.doubt
        if doubt and (note := f"{doubt}; its cost is an estimate. Compare it with your bill.") not in self.notes:
            self.notes.append(note)
        entry = replace(
            self._entry(attempt.at, attempt.model.provider.name, attempt.model.id, attempt.model.tier),
            usage=attempt.usage,
            cost=attempt.price(),
            estimated=attempt.estimated,
            outcome=outcome,
            best_cost=attempt.price(route.best),
            reason=unquoted("; ".join(filter(None, (route.reason, doubt)))),
            seconds=round(time.monotonic() - attempt.began, 3),
            charged=attempt.charged,
            listed=attempt.listed,
            characters=attempt.counted_characters,
        )
        self.entries.append(entry)
        return entry

    def worst_case(self, attempt: Attempt, route: Route, prompt: int) -> Entry:
        """Return the entry for the ledger in case this process ends during an attempt.

        :param prompt: the maximum number of prompt tokens; the ledger adds those of the answer, and the cost.
        """
        return replace(
            self._entry(attempt.at, attempt.model.provider.name, attempt.model.id, attempt.model.tier),
            usage=Usage(fresh=prompt),
            cost=None,
            estimated=True,
            reason=f"the server ended in the middle, so this is about the most that it cost; {unquoted(route.reason)}",
        )

    def add_free(self, provider: str, model: str, when: datetime, outcome: Outcome) -> Entry:
        """Add and return the entry for a result without cost: a linter's fix, a cached answer, or a canceled start."""
        entry = replace(
            self._entry(when, provider, model, "none"),
            outcome=outcome,
            reason="no model was needed" if outcome == "kept" else "",
            listed=Decimal(0),
        )
        self.entries.append(entry)
        return entry

    def _entry(self, at: datetime, provider: str, model: str, tier: str) -> Entry:
        """Return an entry of this run that failed and cost nothing; callers replace fields that they know."""
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
        """The cost of the run so far in USD; None if a part is unknown."""
        costs = [entry.cost for entry in self.entries]
        return None if None in costs else add(each for each in costs if each is not None)

    @property
    def estimated(self) -> bool:
        """Whether any part is an estimate."""
        return any(entry.estimated for entry in self.entries)


def _falls(before: UsageReport | None, now: UsageReport) -> bool:
    """Report whether the answer's cumulative count is lower than the one before."""
    return before is not None and _answer(now.usage) < _answer(before.usage)


def _latest(before: UsageReport | None, now: UsageReport) -> UsageReport:
    """Return the valid counts: they are cumulative, and a count or cost stays until a newer one arrives.

    Of two counts of the answer, the greater is used.
    """
    if before is None:
        return now
    usage = now.usage
    if not usage.prompt:
        usage = replace(before.usage, output=usage.output, thinking=usage.thinking)
    if _falls(before, now):
        usage = replace(usage, output=before.usage.output, thinking=before.usage.thinking)
    return UsageReport(usage, before.cost if now.cost is None else now.cost)


def _answer(usage: Usage) -> int:
    return usage.output + usage.thinking
