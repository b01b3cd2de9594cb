"""One server's session: handles to everything outside the core that a request needs.

No logic of a request is here, and no import of a heavy library.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tuppence.cache import AnswerStore
from tuppence.config import Config
from tuppence.config.project import Narrowing
from tuppence.core.billing.budget import Limits, Spent
from tuppence.core.billing.entry import Entry, Outcome, Summary
from tuppence.core.billing.token_ratio import Paces
from tuppence.core.models.model import Model
from tuppence.core.text.document import Document
from tuppence.credentials import Keys
from tuppence.engine.feedback import Experience
from tuppence.engine.prompt_cache import PromptCache
from tuppence.engine.provider_queue import ProviderHealth, ProviderQueues
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger
from tuppence.upstream import ModelClient
from tuppence.workspace import Workspace

_log = logging.getLogger(__name__)
UNWRITTEN = 1000
"""So many changes to the accounts are kept for a ledger that cannot be written now; the oldest are lost first."""


async def _nobody(_question: str, _answers: tuple[str, ...]) -> str | None:
    return None


@dataclass(kw_only=True)
class Session:
    """The dependencies of a run; one per server."""

    config: Callable[[], Config]
    """The configuration as it stands now."""
    keys: Keys
    upstream: ModelClient
    ledger: Ledger
    answer_store: AnswerStore
    workspace: Workspace
    find_local_models: Callable[[], Awaitable[tuple[Model, ...]]]
    """Rows of model servers on the user's own machine that the user said yes to."""
    embedded: Callable[[], Awaitable[tuple[Model, ...]]]
    """The row of the embedded model, which this starts; empty where it is not installed."""
    open_document: Callable[[str], Document | None]
    """The document that the editor has open at an absolute path, or None."""
    id: str
    """Names this server's life in the ledger."""
    now: Callable[[], datetime]
    """The time, with the user's time zone."""
    known_local_models: Callable[[], tuple[Model, ...]] = tuple
    """The neighbours' rows as far as they are known by now, without looking for anybody."""
    installed_embedded_model: Callable[[], tuple[Model, ...]] = tuple
    """The embedded model's row as it would be, to reckon with and not to ask; empty where it is not installed."""
    ask_user: Callable[[str, tuple[str, ...]], Awaitable[str | None]] = _nobody
    """Asks the person a question with these answers, and gives the one that was picked; None for no answer."""
    approved_models: set[str] = field(default_factory=set)
    """Names of the models that the person agreed to once and for all, until this server ends."""
    project_budget: Narrowing | None = None
    """What the project says of the budget."""
    provider_health: ProviderHealth = field(default_factory=ProviderHealth)
    provider_queues: ProviderQueues = field(default_factory=ProviderQueues)
    prompt_cache: PromptCache = field(default_factory=PromptCache)
    feedback: Experience = field(default_factory=Experience)
    """What became of earlier answers on this machine."""
    token_ratios: Paces = field(default_factory=Paces)
    """How each model's tokens run, as far as its provider has counted."""
    _troubles: list[str] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)
    _errands: set[asyncio.Task[None]] = field(default_factory=set)
    _unwritten: deque[Callable[[], object]] = field(default_factory=lambda: deque(maxlen=UNWRITTEN))

    def offline(self) -> Session:
        """Return a session for estimates: it looks for no server and starts no model."""

        async def neighbours() -> tuple[Model, ...]:
            return self.known_local_models()

        async def embedded() -> tuple[Model, ...]:
            return await asyncio.to_thread(self.installed_embedded_model)

        return replace(self, find_local_models=neighbours, embedded=embedded)

    def limits(self) -> Limits:
        """Return the budget that holds now."""
        limits = self.config().budget
        return limits if self.project_budget is None else self.project_budget.of(limits)

    def pace(self, model: Model, language: str) -> float | None:
        """Return how many code points of a language make one of a model's tokens; None where nobody has counted."""
        return self.token_ratios.of(model.row, language)

    async def spent(self, run: str) -> Spent | None:
        """Return what counts against the budget for a run; None where the ledger fails, which the reservation says."""
        with contextlib.suppress(TuppenceError):
            return await asyncio.wrap_future(self.ledger.queue(lambda: self.ledger.spent(self.id, run, self.now())))
        return None

    def accounts(self) -> tuple[Summary, Spent]:
        """Return the accounts as they stand, and what counts against the budget; it waits for the ledger.

        :raises TuppenceError: the ledger could not be read.
        """
        now = self.now()
        return self.ledger.summary(self.id, now), self.ledger.spent(self.id, "", now)

    def recover(self) -> None:
        """Settle what servers that are gone had reserved, and read how tokens run; do not wait for it."""

        def work() -> None:
            self.ledger.recover(self.now())
            self.token_ratios.add(self.ledger.paces())

        self._write(work)

    def record(self, entry: Entry, holds: Sequence[str] = ()) -> None:
        """Write an entry to the ledger, soon; a ledger that fails never costs the user an answer.

        :param holds: the reservations that were made for it.
        """

        def work() -> None:
            for hold in holds[1:]:
                self.ledger.release(hold)
            if holds:
                self.ledger.settle(holds[0], entry)
            else:
                self.ledger.add(entry)

        self.token_ratios.learn(entry)
        self._write(work)

    def correct(self, hold: str, truth: Callable[[Entry], Entry]) -> None:
        """Put the truth in place of the estimate that a reservation became, soon."""
        self._write(lambda: self.ledger.correct(hold, truth))

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run something in the background that ends with this session."""
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def close(self) -> None:
        """End what is still done beside; what is not there yet comes with the next server."""
        errands = tuple(self._errands)
        for task in errands:
            task.cancel()
        await asyncio.gather(*errands, return_exceptions=True)
        if self._unwritten:
            self._write(lambda: None)

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Correct how a run ended, in the ledger."""
        self._write(lambda: self.ledger.outcome(run, outcome))

    def warn(self, sentence: str) -> None:
        """Note what the person is to be told of the accounts; once, until they can be written again."""
        if sentence not in self._told:
            self._told.add(sentence)
            self._troubles.append(sentence)

    def take_warnings(self) -> tuple[str, ...]:
        """Return what the person is yet to be told."""
        told = tuple(self._troubles)
        self._troubles.clear()
        return told

    def _write(self, work: Callable[[], object]) -> None:
        def told() -> None:
            # What could not be written is written before what comes now: a database that is away comes back.
            self._unwritten.append(work)
            try:
                while self._unwritten:
                    self._unwritten[0]()
                    self._unwritten.popleft()
            except TuppenceError as error:
                self.warn(str(error))
            except Exception:  # noqa: BLE001 - a fault of ours must not end the thread that keeps the accounts
                # Nobody waits for what is written, so nobody else would hear of it.
                self._unwritten.popleft()
                _log.exception("The accounts could not be written")
                self.warn(
                    "tuppence could not write its accounts, by a fault of its own. Please report it with its log."
                )
            else:
                self._told.clear()
            for warning in self.ledger.warnings():
                self.warn(warning)

        self.ledger.queue(told)
