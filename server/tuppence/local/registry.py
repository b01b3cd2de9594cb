"""Models on the user's own machine: servers that were found and allowed, and the embedded model.

The embedded model is started only when no other model may answer. Nothing here asks the user a question.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tuppence import local
from tuppence.core.models.model import Model

LOOK_AGAIN = 30.0
"""Seconds for which it is taken for granted who listens on this machine."""


class LocalModels:
    """The models on the user's own machine."""

    def __init__(
        self,
        handed: dict[str, str],
        find: Callable[[], Awaitable[tuple[local.DiscoveredServer, ...]]] = local.find_servers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look for servers by ``find``; ``clock`` gives seconds."""
        self._handed = handed
        self._find = find
        self._clock = clock
        self._consent = local.Consent()
        self._embedded = local.Embedded()
        self._found: tuple[local.DiscoveredServer, ...] = ()
        self._looked: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self._answers: dict[str, bool] = {}
        """What the user said in this session, should it not be possible to keep it."""

    async def unapproved(self) -> tuple[local.DiscoveredServer, ...]:
        """Look who listens at the usual ports now; return those that have a model and were never asked about."""
        await self._look()
        return tuple(each for each in self._found if each.models and self._given(each) is None)

    def allow(self, found: local.DiscoveredServer) -> None:
        """Remember the user's yes.

        :raises Broken: it cannot be kept; it holds until the end of this process.
        """
        self._answers[found.base_url] = True
        self._consent.remember(found, "yes")

    def refuse(self, found: local.DiscoveredServer) -> None:
        """Remember the user's no.

        :raises Broken: it cannot be kept; it holds until the end of this process.
        """
        self._answers[found.base_url] = False
        self._consent.remember(found, "no")

    async def rows(self) -> tuple[Model, ...]:
        """Return the rows of the servers that the user said yes to.

        Who listens is known from an earlier look, which is repeated now and then beside the request: a server that was
        started or ended meanwhile is noticed by the request after.
        """
        if self._looked is None:
            await self._look()
        elif self._clock() - self._looked > LOOK_AGAIN and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look())
        return self.known()

    def known(self) -> tuple[Model, ...]:
        """Return those of these rows that an earlier look found; without one there are none."""
        allowed = [each for each in self._found if self._given(each)]
        return tuple(model for each in allowed for model in local.rows(each))

    async def _look(self) -> None:
        self._looked = self._clock()
        self._found = await self._find()

    def _given(self, found: local.DiscoveredServer) -> bool | None:
        kept = self._consent.given(found)
        return self._answers.get(found.base_url) if kept is None else kept

    async def embedded(self) -> tuple[Model, ...]:
        """Start or join the embedded model and return its row; nothing where it is not installed."""
        if not self._embedded.installed():
            return ()
        endpoint = await self._embedded.start()
        self._handed[local.KEY_ENV] = endpoint.key
        return (self._embedded.row(endpoint),)

    def dormant(self) -> tuple[Model, ...]:
        """Return the embedded model's row without starting it; nobody can be asked by it."""
        if not self._embedded.installed():
            return ()
        row = self._embedded.row(local.Endpoint("http://127.0.0.1/v1", "", local.MODEL))
        return (replace(row, provider=replace(row.provider, key_env=None)),)

    async def close(self) -> None:
        """Give up the embedded model's server, which ends with its last client, and look for no other any more."""
        self._embedded.release()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
