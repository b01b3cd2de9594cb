"""The language server: each handler converts what came in, calls the service, and converts what goes out.

Everything behind the handlers is loaded after the answer to ``initialize``, so that an editor's start waits for no
more than pygls itself.
"""

from __future__ import annotations

import asyncio
import gc
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.uris import to_fs_path

from tuppence import __version__
from tuppence.lsp.features import commands
from tuppence.lsp.features.advertise import advertised
from tuppence.lsp.protocol.lifecycle import Server

if TYPE_CHECKING:
    from tuppence.lsp.service import Service

STEPS = (
    *("tuppence.core.models.pricing", "tuppence.config.model_table", "tuppence.config"),
    *("tuppence.core.text.document", "tuppence.core.syntax.parser", "tuppence.core.checks.structure"),
    *("tuppence.core.answer.extract_target", "tuppence.core.answer.markdown", "tuppence.core.answer_builder"),
    *("tuppence.core.routing.features", "tuppence.core.routing.quality", "tuppence.ledger", "tuppence.workspace"),
    *("tuppence.providers", "tuppence.upstream", "tuppence.sandbox", "tuppence.engine.session"),
    *("tuppence.engine.run", "tuppence.engine.disclosure.preview", "tuppence.lsp.features.code_actions"),
    "tuppence.lsp.service",
)
"""The modules to load after ``initialize``, in this order; the last one needs all the others."""
OFFERED = types.CodeActionOptions(
    code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.Refactor, types.CodeActionKind.Source]
)


def create_server(config: Path | None) -> Server:
    """Return a server that reads its configuration from a file, by default the platform's usual one."""
    server = Server("tuppence", __version__)
    server.protocol.experimental = advertised()
    reception = _LazyService(server, config)

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        reception.introduced = (params.initialization_options, _roots(params))

    @server.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        await (await reception.ready()).begin()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(_params: types.DidOpenTextDocumentParams) -> None:
        (await reception.ready()).opened()

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, OFFERED)
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction | types.Command] | None:
        return await (await reception.ready()).menu(params)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        return await (await reception.ready()).hover(params)

    @server.feature("tuppence/about")
    async def about(_params: Any) -> dict[str, Any]:
        return (await reception.ready()).about()

    _take_commands(server, reception)
    _take_questions(server, reception)
    server.at_end.append(reception.close)
    return server


def _take_commands(server: Server, reception: _LazyService) -> None:
    @server.command(commands.RUN)
    async def run(*arguments: Any) -> None:
        await (await reception.ready()).run(_first(arguments))

    @server.command(commands.STOP)
    async def stop(*arguments: Any) -> None:
        (await reception.ready()).stop(_first(arguments))

    @server.command(commands.APPLY)
    async def apply(*arguments: Any) -> None:
        await (await reception.ready()).apply(_first(arguments))

    @server.command(commands.PUT_BACK)
    async def put_back(*arguments: Any) -> None:
        await (await reception.ready()).put_back(_first(arguments))

    @server.command(commands.DISMISS)
    async def dismiss(*arguments: Any) -> None:
        (await reception.ready()).dismiss(_first(arguments))

    @server.command(commands.FORGET)
    async def forget(*_arguments: Any) -> None:
        await (await reception.ready()).forget()

    @server.command(commands.PREWARM)
    async def prewarm(*arguments: Any) -> None:
        await (await reception.ready()).prewarm(_first(arguments))

    @server.command(commands.CLEAR)
    async def clear(*arguments: Any) -> None:
        (await reception.ready()).clear(_first(arguments))


def _take_questions(server: Server, reception: _LazyService) -> None:
    """Register the commands that return their result in the reply."""

    @server.command(commands.COST)
    async def cost(*arguments: Any) -> dict[str, Any] | None:
        return await (await reception.ready()).cost(_first(arguments))

    @server.command(commands.PREVIEW)
    async def preview(*arguments: Any) -> dict[str, Any] | None:
        return await (await reception.ready()).preview(_first(arguments))


class _LazyService:
    """Keeps the editor's introduction until the service is loaded."""

    def __init__(self, server: Server, config: Path | None) -> None:
        self._server = server
        self._config = config
        self.introduced: tuple[Any, list[Path]] = (None, [])
        self._loading: asyncio.Task[None] | None = None

    @cached_property
    def service(self) -> Service:
        """The service; loading it takes some hundred milliseconds, once."""
        from tuppence.lsp.service import Service

        service = Service(self._server, self._config)
        service.introduce(*self.introduced)
        return service

    async def ready(self) -> Service:
        """Return the service, which is loaded beside the event loop; only requests that need it wait."""
        if "service" not in vars(self):
            if self._loading is None:
                self._loading = asyncio.create_task(_load())
            try:
                await asyncio.shield(self._loading)
            finally:
                if self._loading is not None and self._loading.done():
                    self._loading = None
        return self.service

    async def close(self) -> None:
        """Close what was opened."""
        if "service" in vars(self):
            await self.service.close()


def _first(arguments: tuple[Any, ...]) -> Any:
    """Return a command's only argument, or None if it has none; the service reports what is wrong with it."""
    return arguments[0] if arguments else None


async def _load() -> None:
    """Import the service and its dependencies, yielding to the event loop after each step."""
    for name in STEPS:
        await asyncio.to_thread(import_module, name)
    await asyncio.to_thread(_read_tables)
    gc.freeze()  # As in lsp/features/warm_up.py.


def _read_tables() -> None:
    """Read the tables of models and of their quality, which are remembered."""
    from tuppence import config
    from tuppence.config.shipped import shipped

    config.builtin(), shipped()


def _roots(params: types.InitializeParams) -> list[Path]:
    """Return the project's folders: the ones that the editor names, an older editor's single root, or none.

    lsp/protocol/lifecycle.py has already converted a root path to a URI.
    """
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and params.root_uri:
        uris = [params.root_uri]
    return [Path(path) for uri in uris if (path := to_fs_path(uri))]
