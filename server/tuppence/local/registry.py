"""Models on this machine: servers that were found and allowed, and the embedded model.

The embedded model is started only if no other model may answer. This module does not ask the user.
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
"""Seconds for which a search result stays valid."""


class LocalModels:
    """The models on this machine."""

    def __init__(
        self,
        handed: dict[str, str],
        find: Callable[[], Awaitable[tuple[local.DiscoveredServer, ...]]] = local.find_servers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Search for servers with ``find``; ``clock`` returns seconds."""
        self._handed = handed
        self._find = find
        self._clock = clock
        self._consent = local.Consent()
        self._embedded = local.Embedded()
        self._found: tuple[local.DiscoveredServer, ...] = ()
        self._looked: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self._answers: dict[str, bool] = {}
        """Answers of this session, by base URL, in case they cannot be stored."""

    async def unapproved(self) -> tuple[local.DiscoveredServer, ...]:
        """Search the usual ports now; return the servers that have a model and for which the user was not asked."""
        await self._look()
        return tuple(each for each in self._found if each.models and self._given(each) is None)

    def allow(self, found: local.DiscoveredServer) -> None:
        """Store the user's consent.

        :raises Broken: it cannot be stored; it is valid until this process ends.
        """
        self._answers[found.base_url] = True
        self._consent.remember(found, "yes")

    def refuse(self, found: local.DiscoveredServer) -> None:
        """Store the user's refusal.

        :raises Broken: it cannot be stored; it is valid until this process ends.
        """
        self._answers[found.base_url] = False
        self._consent.remember(found, "no")

    async def rows(self) -> tuple[Model, ...]:
        """Return the rows of the servers that the user allowed.

        The servers are known from an earlier search, which is repeated from time to time in the background: a server
        that started or ended in the meantime is noticed by the next request.
        """
        if self._looked is None:
            await self._look()
        elif self._clock() - self._looked > LOOK_AGAIN and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look())
        return self.known()

    def known(self) -> tuple[Model, ...]:
        """Return the rows of allowed servers found by an earlier search; none before the first search."""
        allowed = [each for each in self._found if self._given(each)]
        return tuple(model for each in allowed for model in local.rows(each))

    async def _look(self) -> None:
        self._looked = self._clock()
        self._found = await self._find()

    def _given(self, found: local.DiscoveredServer) -> bool | None:
        kept = self._consent.given(found)
        return self._answers.get(found.base_url) if kept is None else kept

    async def embedded(self) -> tuple[Model, ...]:
        """Start or join the embedded model and return its row; empty if it is not installed."""
        if not self._embedded.installed():
            return ()
        endpoint = await self._embedded.start()
        self._handed[local.KEY_ENV] = endpoint.key
        return (self._embedded.row(endpoint),)

    def dormant(self) -> tuple[Model, ...]:
        """Return the embedded model's row without starting it; it cannot be used for requests."""
        if not self._embedded.installed():
            return ()
        row = self._embedded.row(local.Endpoint("http://127.0.0.1/v1", "", local.MODEL))
        return (replace(row, provider=replace(row.provider, key_env=None)),)

    async def close(self) -> None:
        """Release the embedded model's server, which ends with its last client, and stop searching."""
        self._embedded.release()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
