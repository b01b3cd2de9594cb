"""Ask the user whether a model server found on this machine may be given code.

The user is asked only if no other model may answer, once for all runs that wait, and nothing is sent before consent. If
a waiting run is stopped, the question stays open, and its answer is stored.
"""

from __future__ import annotations

import asyncio

from lsprotocol import types

from tuppence import local
from tuppence.config import Config
from tuppence.config.policy import routing_policy
from tuppence.config.settings import FOUND
from tuppence.core.models.model import Provider
from tuppence.engine.request import Request
from tuppence.errors import TuppenceError
from tuppence.local.registry import LocalModels
from tuppence.lsp.output.client import EditorClient

YES = "Use it"
NO = "Never"
_NAMED = 3
"""Maximum number of a server's models that the question names."""


class LocalModelConsent:
    """The model servers for which the user was not asked yet."""

    def __init__(self, client: EditorClient, neighbourhood: LocalModels) -> None:
        self._client = client
        self._neighbourhood = neighbourhood
        self._asking: asyncio.Task[None] | None = None

    async def meet(self, request: Request) -> None:
        """Ask the user about each server that might answer this question, if no other model may."""
        session = self._client.session
        # Reading the keyring may take a while; keys that were read before need no thread.
        is_known = all(map(session.keys.is_known, _providers(session.config()).values()))
        if not (self._wanted(request) if is_known else await asyncio.to_thread(self._wanted, request)):
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._introduce())
        await asyncio.shield(self._asking)

    def close(self) -> None:
        """Stop waiting for answers."""
        if self._asking is not None:
            self._asking.cancel()

    def _wanted(self, request: Request) -> bool:
        """Report whether a found server is the user's pinned model, or the only one that may answer."""
        session = self._client.session
        config = session.config()
        if pin := routing_policy(config, request.action, request.document.language, request.better_than).pin:
            return pin.partition("/")[0] in FOUND
        ready = {name for name, each in _providers(config).items() if session.keys.ready(each)}
        today = session.now().date()
        may = (model for model in config.models if model.provider.name in ready and model.name not in config.exclude)
        return all(model.retired(today) for model in may)

    async def _introduce(self) -> None:
        for found in await self._neighbourhood.unapproved():
            answer = await self._client.choose(_question(found), (YES, NO))
            try:
                if answer == YES:
                    self._neighbourhood.allow(found)
                elif answer == NO:
                    self._neighbourhood.refuse(found)
            except TuppenceError as error:
                self._client.say(str(error), types.MessageType.Warning)


def _providers(config: Config) -> dict[str, Provider]:
    """Return the providers of the models, by name."""
    return {model.provider.name: model.provider for model in config.models}


def _question(found: local.DiscoveredServer) -> str:
    more = len(found.models) - _NAMED
    models = ", ".join(found.models[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return (
        f"{found.title} listens at {found.base_url} ({models}). May tuppence send it the code that you ask about? "
        "Whoever holds that port would get it."
    )
