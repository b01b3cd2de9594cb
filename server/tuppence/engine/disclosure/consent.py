"""A person's word before a source file is sent whose name says that it may hold secrets.

What is known to be a secret in it is replaced all the same. A yes holds for the file and the provider until the server
ends; without one nothing is sent. Whatever no person asked for, a hover or a renewal, never asks.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tuppence.core.models.model import Model
from tuppence.engine.request import Request
from tuppence.engine.session import Session
from tuppence.errors import Unfit

PATIENCE = 120.0
"""Seconds that the question waits for its answer; no answer is no yes."""
SEND, KEEP = "Send", "Don't send"


def is_asked_first(request: Request, model: Model, session: Session) -> bool:
    """Report whether the person has to be asked before a model's provider is sent a request."""
    return (
        session.workspace.asks_first(_path(request)) and _subject(request, model) not in session.disclosures.consented
    )


def refuse_unasked(request: Request, model: Model, session: Session) -> None:
    """Pass a request that no question is needed for.

    :raises Unfit: one is needed, and no person is there to answer it.
    """
    if is_asked_first(request, model, session):
        raise Unfit(f"{_name(request)} may hold secrets, so it is sent only after a person says so.")


async def consent(request: Request, model: Model, session: Session) -> None:
    """Ask where a question is needed.

    :raises Unfit: the person did not agree.
    """
    if not is_asked_first(request, model, session):
        return
    question = f"`{_name(request)}` may hold secrets. Send it to {model.provider.name} (what was detected is replaced)?"
    picked: str | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            picked = await session.approvals.ask_user(question, (SEND, KEEP))
    except TimeoutError:
        pass
    if picked != SEND:
        raise Unfit(f"{_name(request)} was not sent: it may hold secrets, and you did not agree.")
    session.disclosures.consented.add(_subject(request, model))


def _subject(request: Request, model: Model) -> tuple[str, str]:
    return str(_path(request).resolve()), model.provider.name


def _name(request: Request) -> str:
    return _path(request).name


def _path(request: Request) -> Path:
    """Return the file that a request's document is, or is a version of (``git:``)."""
    if request.path is not None:
        return request.path
    try:
        return Path(unquote(urlsplit(request.document.uri).path).replace("\0", "") or "/")
    except ValueError:
        return Path("/")
