"""A session for a command that plans a request and sends none: it starts no model and looks for no server."""

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
    """Give a session whose project is the current folder, as if an editor had that folder open.

    :param when: the moment whose prices hold, with a time zone; None is now.
    """
    opened, neighbourhood = open_session(Watched(config.path), (Path.cwd(),), lambda _path: None, {})
    session = replace(opened.offline(), config=lambda: config)
    try:
        yield session if when is None else replace(session, now=lambda: when)
    finally:
        await neighbourhood.close()
