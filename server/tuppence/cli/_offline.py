"""A session for a command that plans a request without sending it: no model is started, no server searched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tuppence.config import Config, Watched
from tuppence.engine.open_session import open_session
from tuppence.engine.session import Session


@asynccontextmanager
async def offline_session(config: Config, when: datetime | None = None) -> AsyncIterator[Session]:
    """Yield a session for the current folder, as if an editor had that folder open.

    :param when: the time whose prices apply, with a time zone; None for now.
    """
    opened, neighbourhood = open_session(Watched(config.path), (Path.cwd(),), lambda _path: None, {})
    session = replace(opened.offline(), config=lambda: config)
    try:
        yield session if when is None else replace(session, now=lambda: when)
    finally:
        await neighbourhood.close()
