"""The receipt of one run: what each call to a model sent, brought back and cost, and the total.

Where a provider gave no token counts, or counts that are not believed (core/billing/credibility.py), they are estimated
from the text sent and received, never above what was reserved, and marked as estimates. A request that never left, or
that the server turned away, costs exactly nothing. Each attempt becomes one ledger entry when it ends, however it ends.
Nothing here writes to the ledger; :mod:`tuppence.engine.ledger_writer` does.
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
from tuppence.core.routing.quality import canonical
from tuppence.core.routing.router import Route
from tuppence.providers import ProviderEvent, Stop, Text, Thinking, UsageReport
from tuppence.upstream import RequestSent

LONGEST_TOKEN = 50
"""Code points of a token that no answer reaches on average."""


@dataclass(kw_only=True)
class Attempt:
    """What one model was asked, perhaps more than once, and gave."""

    model: Model
    prompt: Prompt
    at: datetime
    """When it began, with a time zone; the prices of this moment hold."""
    began: float = field(default_factory=time.monotonic)
    sent: list[RequestSent] = field(default_factory=list)
    """The requests: a further one is a retry of the one before."""
    metered: UsageReport | None = None
    stop: Stop | None = None
    received: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    chars_per_token: float = PACE
    """Code points of this language to one of the model's tokens, as far as its provider has counted."""
    expected_cache: Usage = field(default_factory=Usage)
    """What of the prompt will probably be read from and written to the provider's cache."""
    reservations: list[str] = field(default_factory=list)
    """The reservations that it made in the ledger, one for each request that went out."""
    bound: CallBound | None = None
    """What one of its requests comes to at most; None before it was reserved."""
    ended_here: bool = False
    """Whether the answer was ended here, because it went on beyond its limit."""
    contradicted: bool = False
    """Whether a later count of the answer was below an earlier one."""
    floors: dict[type[Text | Thinking], TokenFloor] = field(
        default_factory=lambda: {Text: TokenFloor(), Thinking: TokenFloor()}
    )
    """The fewest tokens of its answer and its thinking."""

    def begin(self, at: datetime, prompt: Prompt, expected_cache: Usage | None = None) -> None:
        """Take the moment, the prompt and the expected cache use of the call, once its turn in the queue has come."""
        self.at, self.prompt = at, prompt
        if expected_cache is not None:
            self.expected_cache = expected_cache

    def limit_output(self, tokens: int) -> None:
        """Lower the output limit to what the budget affords."""
        self.prompt = replace(self.prompt, max_output=tokens)

    def note(self, piece: ProviderEvent | RequestSent) -> None:
        """Take one piece of the answer into account."""
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
        """End the answer as cut off where it has gone on beyond its limit; return whether it was ended."""
        limit = min(self.prompt.max_output, self.model.max_output)
        if sum(floor.tokens for floor in self.floors.values()) <= BEYOND * limit:
            return False
        self.stop, self.ended_here = Stop("length", "ended here"), True
        return True

    @property
    def answering(self) -> bool:
        """Report whether any word of an answer came."""
        return bool(self.received or self.thought)

    @property
    def identity(self) -> str:
        """The provider's own id of the answer to the last request; empty where it said none."""
        return self.sent[-1].identity() if self.sent else ""

    @property
    def served(self) -> str:
        """The model that answered, as the answer names it, where that is another one than was asked; else empty."""
        named = self.sent[-1].served() if self.sent else ""
        return "" if not named or _is_named(self.model, named) else named

    @property
    def tokens(self) -> int:
        """About how many tokens of an answer came so far, thinking included."""
        return -int(-sum(map(len, (*self.received, *self.thought))) // self.chars_per_token)

    @property
    def can_reconcile(self) -> bool:
        """Report whether the provider can be asked afterwards what all of it cost."""
        return self.estimated and self._lost == 0 and bool(self.identity) and self.model.provider.bill is not None

    @property
    def rejected(self) -> bool:
        """Report whether the server is there, but would not answer the last request."""
        return bool(self.sent) and self.sent[-1].fate() == "turned away"

    @property
    def billed(self) -> bool:
        """Report whether somebody may charge for it."""
        return self.answering or self.metered is not None or self._open(self.sent) > 0

    @property
    def estimated(self) -> bool:
        """Report whether the counts are ours: it may be charged for, and not all counts came."""
        return self.billed and (not self._counted or self._lost > 0)

    @property
    def usage(self) -> Usage | None:
        """The tokens, the provider's own where it gave them all; None where nothing can be charged for."""
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
        """Return what it cost, USD; or what it would have cost at another model for the same tokens."""
        usage = self.usage
        if usage is None:
            return Decimal(0)
        if model is None or model.name == self.model.name:
            return self.listed if self.charged is None else self.charged
        return cost(usage, model.price, self.at) if model.price else None

    @property
    def charged(self) -> Decimal | None:
        """What the provider itself says that it charges, USD; None where it does not say, or not of all of it."""
        return self.metered.cost if self.metered is not None and not self.estimated else None

    @property
    def listed(self) -> Decimal | None:
        """What the tokens cost by the tier table, USD; None is unknown."""
        usage = self.usage
        if usage is None:
            return Decimal(0)
        return cost(usage, self.model.price, self.at) if self.model.price else None

    @property
    def counted_characters(self) -> int | None:
        """Code points of the prompt; None where it went nowhere, or cannot have the tokens that are counted for it."""
        usage, characters = self.usage, self.prompt.characters
        if usage is None:
            return None
        if self.estimated or self.bound is None or usage.prompt <= characters + FRAME:
            return characters
        # No token is shorter than a byte.
        return characters if usage.prompt <= len(self.prompt.text.encode("utf-8", "replace")) + FRAME else None

    @property
    def doubt(self) -> str:
        """A clause that says what the provider reported or did that cannot be right; empty where there is nothing."""
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
        """What a report with a whole answer does not count, although it costs money; empty where there is nothing."""
        if self.metered is None or self.stop is None or self.model.price is None or self.model.price.free:
            return ""
        if not self.metered.usage.prompt:
            return "prompt tokens"
        return "answer tokens" if self.received and not _answer(self.metered.usage) else ""

    @property
    def _believed(self) -> Usage | None:
        """The provider's counts, without those that are not believed; None where it gave none."""
        if self.metered is None:
            return None
        return self.bound.believed(self.metered.usage) if self.bound else self.metered.usage

    @property
    def _counted(self) -> bool:
        """Report whether the provider's last counts came: some gateways pass on only those of an answer's beginning.

        Counts that are not believed, or that contradict each other, count as none.
        """
        if self.metered is None or self.stop is None or not self.metered.usage.prompt:
            return False
        if self.doubt:
            return False
        tokens = self.metered.usage.output + self.metered.usage.thinking
        return sum(map(len, self.received)) <= tokens * LONGEST_TOKEN

    @property
    def _lost(self) -> int:
        """How many requests before the last one were given up on and not answered: each may be charged for."""
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
    """What the user has to know of the entries beside their cost, a sentence each."""

    def rate(self, difficulty: float) -> None:
        """Take the request's difficulty, 0 to 1, for the entries to come."""
        self.difficulty = difficulty

    def add_attempt(self, attempt: Attempt, route: Route, outcome: Outcome) -> Entry:
        """Return the entry for an attempt that ended, and remember it.

        :param route: why this model was asked, and against which its cost is held.
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
            served=attempt.served,
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


def _falls(before: UsageReport | None, now: UsageReport) -> bool:
    """Report whether the answer's count, which is cumulative, is below the one before."""
    return before is not None and _answer(now.usage) < _answer(before.usage)


def _latest(before: UsageReport | None, now: UsageReport) -> UsageReport:
    """Return the counts that hold: they are cumulative, and a count or a cost stays until a newer one comes.

    Of two counts of the answer the greater holds.
    """
    if before is None:
        return now
    usage = now.usage
    if not usage.prompt:
        usage = replace(before.usage, output=usage.output, thinking=usage.thinking)
    if _falls(before, now):
        usage = replace(usage, output=before.usage.output, thinking=before.usage.thinking)
    return UsageReport(usage, before.cost if now.cost is None else now.cost)


def _is_named(model: Model, named: str) -> bool:
    """Report whether an answer names the model that was asked: a date, the maker and the case may differ."""
    for known in (model.id, model.figures_id):
        tags = {each.partition(":")[2].casefold() for each in (known, named)} - {""}
        if canonical(known) == canonical(named) and len(tags) <= 1:
            return True
    return False


def _answer(usage: Usage) -> int:
    return usage.output + usage.thinking
