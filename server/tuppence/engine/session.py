"""One server's session: access to everything outside the core that a request needs.

This module contains no logic of a request, and imports no heavy library.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime

from tuppence.cache import AnswerStore
from tuppence.config import Config
from tuppence.config.project import Narrowing
from tuppence.core.billing.budget import Limits
from tuppence.core.models.model import Model
from tuppence.core.text.document import Document
from tuppence.core.text.key_scan import KeyScan
from tuppence.credentials import Keys
from tuppence.engine.admission import Providers
from tuppence.engine.admission.fair_share import FairShare
from tuppence.engine.disclosure.disclosure import Disclosures
from tuppence.engine.feedback import Experience
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.engine.prompt_cache import PromptCache
from tuppence.ledger import Ledger
from tuppence.upstream import ModelClient
from tuppence.workspace import Workspace

Rows = Callable[[], tuple[Model, ...]]
RowsSoon = Callable[[], Awaitable[tuple[Model, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModels:
    """Models on this machine, as functions that return their rows."""

    find_servers: RowsSoon
    """Search for model servers that the user allowed."""
    start_embedded: RowsSoon
    """Start the embedded model; no row if it is not installed."""
    known_servers: Rows = tuple
    """The servers found by an earlier search."""
    installed_embedded: Rows = tuple
    """The embedded model for estimates, not started; no row if it is not installed. Reads files."""

    def offline(self) -> OwnModels:
        """Return the models for estimates: no server is searched, and none is started."""

        async def known() -> tuple[Model, ...]:
            return self.known_servers()

        async def installed() -> tuple[Model, ...]:
            return await asyncio.to_thread(self.installed_embedded)

        return replace(self, find_servers=known, start_embedded=installed)


async def _no_answer(_question: str, _answers: tuple[str, ...]) -> str | None:
    return None


@dataclass(slots=True)
class ModelApprovals:
    """How the user is asked about an expensive model, and the consent given so far."""

    ask_user: Callable[[str, tuple[str, ...]], Awaitable[str | None]] = _no_answer
    """Ask a question with these answers; return the chosen one, or None."""
    approved_models: set[str] = field(default_factory=set)
    """Names of the models that need no further consent until the server ends."""


@dataclass(kw_only=True)
class Session:
    """The dependencies of a run; one per server."""

    id: str
    """Id of the server's lifetime in the ledger."""
    now: Callable[[], datetime]
    """Returns the time, in the user's time zone."""
    config: Callable[[], Config]
    """Returns the current configuration."""
    keys: Keys
    upstream: ModelClient
    ledger_writer: LedgerWriter
    answer_store: AnswerStore
    workspace: Workspace
    own_models: OwnModels
    open_document: Callable[[str], Document | None]
    """Returns the document that the editor has open at an absolute path, or None."""
    project_budget: Narrowing | None = None
    """The budget in the project's own file."""
    approvals: ModelApprovals = field(default_factory=ModelApprovals)
    providers: Providers = field(default_factory=Providers)
    fair_share: FairShare = field(default_factory=FairShare)
    """How answers that stream give way to one another and to what a person waits for."""
    prompt_cache: PromptCache = field(default_factory=PromptCache)
    feedback: Experience = field(default_factory=Experience)
    """Outcomes of earlier answers on this machine."""
    disclosures: Disclosures = field(default_factory=Disclosures)
    """The secrets found in the texts of requests."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def ledger(self) -> Ledger:
        """The ledger itself, for reading."""
        return self.ledger_writer.ledger

    def offline(self) -> Session:
        """Return a session for estimates: it searches no server and starts no model."""
        return replace(self, own_models=self.own_models.offline())

    def key_scan(self) -> KeyScan:
        """Return a scanner for the keys in use."""
        config = self.config()
        return self.keys.scan(config.providers.values(), config.ledger)

    def limits(self) -> Limits:
        """Return the budget that currently applies."""
        limits = self.config().budget
        return limits if self.project_budget is None else self.project_budget.of(limits)

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run a coroutine in the background until this session ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop background work; the next server does what is missing."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.ledger_writer.close()
