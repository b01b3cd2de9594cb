"""Run one request through the engine without an editor: a session with scripted models, and the result."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scenario import SRC
from scripted_provider import ScriptedUpstream, WireName
from server import CONFIG

from tuppence.cache import AnswerStore
from tuppence.config import config as configs
from tuppence.core.actions import FIX
from tuppence.core.billing.entry import Entry
from tuppence.core.events import Event, RunFinished
from tuppence.core.models.model import Model
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span, apply
from tuppence.credentials import Keys
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import Request
from tuppence.engine.run import run
from tuppence.engine.session import OwnModels, Session
from tuppence.ledger import Ledger
from tuppence.lsp.features import messages
from tuppence.upstream import ModelClient, RetryPolicy
from tuppence.workspace import Workspace


@dataclass(frozen=True)
class Ran:
    """The result of one request."""

    text: str
    """The document with the answer's edits applied; unchanged if there is no answer."""
    said: str
    """The closing message."""
    entries: tuple[Entry, ...]
    """The ledger entries of the run."""
    events: tuple[Event, ...]


@dataclass
class Engine:
    """A session and the server of its models."""

    session: Session
    server: ScriptedUpstream

    async def fix(self, run_id: str = "r", **how: Any) -> Ran:
        """Run "Fix" on the example's first function, bypassing the cache; ``how`` replaces fields of the request."""
        document = Document("file:///stats.py", "python", 1, SRC)
        tree = parse(SRC, language("python"))
        target = find_target(document, tree, Span(5, 5))
        assert target is not None
        request = Request(run=run_id, action=FIX, document=document, tree=tree, target=target, path=None)
        request = replace(request, bypass_cache=True, **how)
        receipt = Receipt(run=run_id, session="session", action=request.action.id, language="python")
        events = [event async for event in run(request, self.session, receipt)]
        done = events[-1]
        assert isinstance(done, RunFinished)
        entries = tuple(each for each in self.session.ledger.entries() if each.run == run_id)
        if done.answer is None:
            return Ran(SRC, messages.could_not(request, done.why, done), entries, tuple(events))
        text = apply(SRC, done.answer.edits)
        return Ran(text, messages.done(done, request, ()), entries, tuple(events))


@asynccontextmanager
async def engine(tmp_path: Path, config: str = CONFIG, wire: WireName = "openai") -> AsyncIterator[Engine]:
    """Open a session with scripted models and a ledger in ``tmp_path``."""
    async with ScriptedUpstream() as server:
        path = tmp_path / "config.toml"
        path.write_text(config.format(wire=wire, base=getattr(server, wire)), encoding="utf-8")
        watched = configs.Watched(path)
        session = Session(
            config=lambda: watched.current,
            keys=Keys({}, {}),
            upstream=ModelClient(RetryPolicy(base=0.001)),
            ledger_writer=LedgerWriter(Ledger(tmp_path / "ledger.sqlite3"), "session", lambda: datetime.now(UTC)),
            answer_store=AnswerStore(tmp_path / "answers.sqlite3"),
            workspace=Workspace(()),
            own_models=OwnModels(find_servers=_nobody, start_embedded=_nobody),
            open_document=lambda _path: None,
            id="session",
            now=lambda: datetime.now(UTC),
        )
        yield Engine(session, server)
        await session.upstream.close()
        session.ledger.close()
        session.answer_store.close()


async def _nobody() -> tuple[Model, ...]:
    return ()
