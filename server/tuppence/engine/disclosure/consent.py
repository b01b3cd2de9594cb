"""Ask the user before sending a source file whose name suggests that it holds secrets.

Secrets that are found in it are replaced as usual. Consent is valid for one file and one provider until the server
ends; without it nothing is sent. Requests that the user did not start, such as hovers and cache renewals, never ask.
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
"""Seconds to wait for the user; no answer means no consent."""
SEND, KEEP = "Send", "Don't send"


def is_asked_first(request: Request, model: Model, session: Session) -> bool:
    """Return whether the user must be asked before a request is sent to a model's provider."""
    return (
        session.workspace.asks_first(_path(request)) and _subject(request, model) not in session.disclosures.consented
    )


def refuse_unasked(request: Request, model: Model, session: Session) -> None:
    """Check that a request needs no consent.

    :raises Unfit: it needs consent, and the user cannot be asked here.
    """
    if is_asked_first(request, model, session):
        raise Unfit(f"{_name(request)} may hold secrets, so it is sent only after a person says so.")


async def consent(request: Request, model: Model, session: Session) -> None:
    """Ask the user if the request needs consent.

    :raises Unfit: the user did not agree.
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
    """Return the path of a request's document, also for another version of it (``git:``)."""
    if request.path is not None:
        return request.path
    try:
        return Path(unquote(urlsplit(request.document.uri).path).replace("\0", "") or "/")
    except ValueError:
        return Path("/")
