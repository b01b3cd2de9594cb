"""Open a session: build everything a run depends on, from a configuration file and the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from tuppence import clock
from tuppence.cache import AnswerStore, Traces
from tuppence.config import Watched
from tuppence.config.project import Narrowing
from tuppence.core.text.document import Document
from tuppence.core.text.key_scan import KeyScan
from tuppence.credentials import Keys
from tuppence.engine.disclosure.disclosure import Disclosures
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.engine.prompt_cache import PromptCache
from tuppence.engine.session import OwnModels, Session
from tuppence.ledger import EDITOR, Ledger
from tuppence.local.registry import LocalModels
from tuppence.upstream import ModelClient, RetryPolicy
from tuppence.workspace import Workspace


def open_session(
    watched: Watched,
    roots: Sequence[Path],
    buffer: Callable[[str], Document | None],
    handed: dict[str, str],
) -> tuple[Session, LocalModels]:
    """Return a session and the registry of models on the user's own machine.

    :param roots: the project's folders.
    :param buffer: returns the document that is open at an absolute path.
    :param handed: keys from the editor's client, by environment variable; extended when servers start.
    """
    local_models = LocalModels(handed)
    answers, identity = AnswerStore(), uuid4().hex
    keys = Keys(os.environ, handed)

    def scan() -> KeyScan:
        return keys.scan(watched.current.providers.values(), watched.current.ledger)

    def hide(text: str) -> str:
        return scan().hide(text)

    session = Session(
        config=lambda: watched.current,
        keys=keys,
        upstream=ModelClient(RetryPolicy(), scan, lambda each: each.timeouts.over(watched.current.timeouts)),
        ledger_writer=LedgerWriter(Ledger(watched.current.ledger, EDITOR), identity, clock.now, hide),
        answer_store=answers,
        prompt_cache=PromptCache(Traces(answers.file, hide)),
        workspace=Workspace(roots),
        own_models=OwnModels(
            find_servers=local_models.rows,
            start_embedded=local_models.embedded,
            known_servers=local_models.known,
            installed_embedded=local_models.dormant,
        ),
        open_document=buffer,
        disclosures=Disclosures(_data_folder),
        id=identity,
        now=clock.now,
    )
    session.project_budget = Narrowing(roots, session.ledger_writer.warn)
    session.ledger_writer.recover()
    return session, local_models


def _data_folder() -> Path:
    """Return the folder of the user's own data."""
    from platformdirs import user_data_path

    return user_data_path("tuppence", appauthor=False)
