"""Opens the house: makes everything that a run stands on, from a configuration file and the environment.

Models of the user's own are looked after here too: servers that were found and allowed, and the embedded one, which is
started when nothing else may answer. Nothing is asked of a person in this file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from tuppence import local
from tuppence.cache import Answers
from tuppence.config import Watched
from tuppence.core.models import Model
from tuppence.core.text import Document
from tuppence.house import House
from tuppence.keys import Keys
from tuppence.ledger import Ledger
from tuppence.stream import Patience, Upstream
from tuppence.workspace import Workspace

FIRST_EVENT = 60.0
"""Seconds that a person at an editor waits for a first sign; a small model on two cores reads 6,000 tokens in 25."""


class Neighbourhood:
    """The models on the user's own machine."""

    def __init__(self, handed: dict[str, str]) -> None:
        self._handed = handed
        self._consent = local.Consent()
        self._embedded = local.Embedded()
        self._found: tuple[local.Found, ...] | None = None

    async def found(self) -> tuple[local.Found, ...]:
        """Return the servers that listen at the usual ports; they are looked for once."""
        if self._found is None:
            self._found = await local.find()
        return self._found

    async def strangers(self) -> tuple[local.Found, ...]:
        """Return the found servers that the user was never asked about."""
        return tuple(each for each in await self.found() if self._consent.given(each) is None)

    def allow(self, found: local.Found) -> None:
        """Remember the user's yes."""
        self._consent.remember(found, "yes")

    def refuse(self, found: local.Found) -> None:
        """Remember the user's no."""
        self._consent.remember(found, "no")

    async def rows(self) -> tuple[Model, ...]:
        """Return the rows of the servers that the user said yes to."""
        allowed = [each for each in await self.found() if self._consent.given(each)]
        return tuple(model for each in allowed for model in local.rows(each))

    async def embedded(self) -> tuple[Model, ...]:
        """Start or join the embedded model and return its row; nothing where it is not installed."""
        if not self._embedded.installed():
            return ()
        endpoint = await self._embedded.start()
        self._handed[local.KEY_ENV] = endpoint.key
        return (self._embedded.row(endpoint),)

    def release(self) -> None:
        """Give up the embedded model's server; it ends with its last client."""
        self._embedded.release()


def open_house(
    watched: Watched,
    roots: Sequence[Path],
    buffer: Callable[[str], Document | None],
    handed: dict[str, str],
) -> tuple[House, Neighbourhood]:
    """Return everything that runs stand on, and the models on the user's own machine.

    :param roots: the project's folders.
    :param buffer: gives the document that is open at an absolute path.
    :param handed: keys that the editor's client handed over, by the variable's name; filled further as servers start.
    """
    neighbourhood = Neighbourhood(handed)
    house = House(
        config=lambda: watched.current,
        keys=Keys(os.environ, handed),
        upstream=Upstream(Patience(first_event=FIRST_EVENT)),
        ledger=Ledger(),
        answers=Answers(),
        workspace=Workspace(roots),
        neighbours=neighbourhood.rows,
        embedded=neighbourhood.embedded,
        buffer=buffer,
        session=uuid4().hex,
        now=lambda: datetime.now().astimezone(),
    )
    return house, neighbourhood
