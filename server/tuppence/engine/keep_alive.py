"""Keep providers' prompt caches warm: just before they expire (setting ``keep_alive``), and once on demand.

Each renewal is a request without an answer: its cost is reserved and entered in the ledger, and it is made only if it
is expected to save more than it costs (core/prompt_cache/renewal.py). Renewals stop if the document was changed or
closed, after MOST renewals without a request by the user, at the daily limit of the setting, and when the server ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from tuppence.core.billing.entry import Outcome, add, money
from tuppence.core.models.model import Model
from tuppence.core.models.usage import PACE
from tuppence.core.prompt_cache.prefix import chain
from tuppence.core.prompt_cache.renewal import Prefix, Renewal, weigh
from tuppence.core.prompt_cache.state import KEEP_ALIVE, PRE_WARM, WARMING, lifetime
from tuppence.core.routing.router import Route
from tuppence.core.text.document import Document
from tuppence.engine.disclosure.consent import refuse_unasked
from tuppence.engine.prepare import prepare
from tuppence.engine.prepare import prompt as prompt_for
from tuppence.engine.prompt_cache import Sent, Subject
from tuppence.engine.receipt import Attempt, Receipt
from tuppence.engine.request import Request
from tuppence.engine.session import Session
from tuppence.engine.spending import SpendGuard
from tuppence.errors import TuppenceError
from tuppence.ledger import midnight
from tuppence.providers import find_wire
from tuppence.upstream import RequestSent, RetryScheduled

_log = logging.getLogger(__name__)
MOST = 10
"""Maximum number of renewals for a document about which the user asks nothing more."""
MARGIN = timedelta(seconds=10)
"""How long before its expiry an entry is renewed, at most a tenth of its lifetime."""


class KeepAlive:
    """The scheduled renewals; one object per server."""

    def __init__(self, session: Session, opened: Callable[[str], Document | None]) -> None:
        """Keep the prefixes of a session's requests warm.

        :param opened: returns the open document with a URI.
        """
        self._session = session
        self._opened = opened
        self._sleeping: dict[tuple[str, str], asyncio.Task[None]] = {}
        """The tasks that wait for the expiry of an entry, by document and model."""
        self._tasks: set[asyncio.Task[None]] = set()
        session.prompt_cache.told = self.track

    def track(self, sent: Sent) -> None:
        """Take a request that has left its prefix in a cache, which is renewed from now on."""
        if sent.subject.action in WARMING:
            return
        if (former := self._sleeping.pop(_place(sent), None)) is not None:
            former.cancel()
        if not self._session.config().keep_alive or not sent.prompt.marks or why_not(sent.model):
            return
        task = asyncio.create_task(self._keep(sent))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._sleeping[_place(sent)] = task

    async def warm(self, request: Request) -> str:
        """Warm the prefix of a request if that pays; return a sentence on what was done, or why nothing was.

        :raises TuppenceError: the request failed.
        """
        session = self._session
        prepared = await prepare(request, session.offline())
        model = prepared.route.model
        refuse_unasked(request, model, session)
        name = request.document.uri.rpartition("/")[2]
        if why := why_not(model):
            return f"{name} was not warmed: {why}."
        about = Subject(
            uuid4().hex, PRE_WARM, request.document.uri, request.document.language, request.document.version
        )
        prompt = session.prompt_cache.marked(prompt_for(prepared, model), model, about, session.now())
        sent = Sent(prompt, model, about, session.now())
        renewal = self._weighed(sent)
        if not prompt.marks or renewal is None:
            return f"{name} was not warmed: {model.id} would keep nothing of it, or caching it does not pay."
        if not renewal.pays:
            cold = " What is cold costs as much to warm as to ask." if not renewal.warm else ""
            return (
                f"{name} was not warmed: it would cost {money(renewal.cost)} at {model.id}, "
                f"and may be expected to save {money(renewal.saving)}.{cold}"
            )
        cost = await self._renew(sent, renewal)
        paid = "price unknown" if cost is None else money(cost)
        return f"{name} is warm at {model.id}: about {renewal.tokens} tokens, {paid}."

    async def close(self) -> None:
        """Stop all renewals."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, sent: Sent) -> None:
        """Renew a prefix each time that it is about to expire, while that pays."""
        life = lifetime(sent.model.cache, sent.prompt.life)
        about = replace(sent.subject, run=uuid4().hex, action=KEEP_ALIVE)
        for _ in range(MOST):
            wait = sent.at + life - min(MARGIN, life / 10) - self._session.now()
            await asyncio.sleep(wait.total_seconds())
            # From here on a request of the user must not cancel this task, which would be billed anyway.
            working = self._sleeping.pop(_place(sent))
            sent = Sent(sent.prompt, sent.model, about, self._session.now())
            renewal = self._weighed(sent)
            if renewal is None or not await self._allowed(sent, renewal):
                break
            try:
                await self._renew(sent, renewal)
            except TuppenceError as error:
                _log.info("%s was not kept warm: %s", sent.subject.uri.rpartition("/")[2], error.message)
                break
            if self._sleeping.setdefault(_place(sent), working) is not working:
                return
        else:
            del self._sleeping[_place(sent)]

    def _weighed(self, sent: Sent) -> Renewal | None:
        """Return the cost and benefit of renewing a prefix now; None if the model has no price."""
        model = sent.model
        if model.price is None:
            return None
        prefix = Prefix(chain(sent.prompt), sent.prompt.life, model, model.price, sent.subject.place)
        return weigh(prefix, self._session.prompt_cache.traces, sent.at)

    async def _allowed(self, sent: Sent, renewal: Renewal) -> bool:
        """Report whether a prefix should be renewed: unchanged document, worth it, and within the daily limit."""
        document = self._opened(sent.subject.uri)
        if document is None or document.version != sent.subject.version or not renewal.pays:
            return False
        day, ledger = midnight(sent.at), self._session.ledger
        try:
            entries = await asyncio.wrap_future(ledger.read(lambda: ledger.entries(day)))
        except TuppenceError:
            return False
        spent = add(entry.cost for entry in entries if entry.action == KEEP_ALIVE)
        return spent + renewal.cost <= self._session.config().keep_alive

    async def _renew(self, sent: Sent, renewal: Renewal) -> Decimal | None:
        """Send the prefix without requesting an answer, enter the cost in the ledger, and return it.

        :raises TuppenceError: the request failed.
        """
        session, model, about = self._session, sent.model, sent.subject
        receipt = Receipt(run=about.run, session=session.id, action=about.action, language=about.language)
        route = _route(model, renewal)
        prompt = replace(sent.prompt, tail="", max_output=0)
        attempt = Attempt(
            model=model,
            prompt=prompt,
            at=session.now(),
            chars_per_token=session.ledger_writer.chars_per_token(model, about.language) or PACE,
        )
        guard = SpendGuard(session, receipt, route, 0)
        lease = session.prompt_cache.lease(prompt, model, about, session.now())
        outcome: Outcome = "cancelled"
        try:
            async with lease, session.providers.queue(model).turn("keeping a prompt warm"):
                now = session.now()
                attempt.begin(now, lease.marked(now))
                await guard.reserve(attempt)
                async for piece in session.upstream.answer(attempt.prompt, model, session.keys.of(model.provider)):
                    if isinstance(piece, RetryScheduled):
                        continue
                    if isinstance(piece, RequestSent):
                        await guard.retry(attempt)
                    attempt.note(piece)
                    lease.note(piece)
            outcome = "warmed"
        except TuppenceError:
            outcome = "failed"
            raise
        finally:
            entry = receipt.add_attempt(attempt, route, outcome)
            session.ledger_writer.record(entry, attempt.reservations)
        return entry.cost


def why_not(model: Model) -> str:
    """Return why a model's cache cannot be warmed without an answer; empty if it can."""
    thinking = model.quirks.thinking_off.get("thinking")
    if not model.cache.renew or model.cache.mode != "explicit":
        return f"the cache of {model.id} cannot be warmed without asking for an answer"
    if not find_wire(model.provider.wire).warms:
        return f"the wire of {model.provider.name} has no words for warming a cache"
    if isinstance(thinking, dict) and thinking.get("type") == "enabled":
        return f"{model.id} cannot be asked for nothing while it thinks"
    return ""


def _route(model: Model, renewal: Renewal) -> Route:
    reason = (
        f"about {renewal.tokens} tokens, {renewal.warm} of them warm; "
        f"expected to save {money(renewal.saving)} for {money(renewal.cost)}"
    )
    return Route(
        model=model,
        quality=0.0,
        expected_cost=renewal.cost,
        ladder=(model,),
        spare=(),
        best=model,
        reason=reason,
    )


def _place(sent: Sent) -> tuple[str, str]:
    return sent.subject.place, sent.model.name
