"""The language server: each handler converts what came in, asks the rest of the house, and converts what goes out.

The house is opened when the editor has introduced itself, so that the start costs no more than it must.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.uris import to_fs_path

from tuppence import __version__
from tuppence.editor import menu
from tuppence.editor.protocol import Server
from tuppence.editor.service import Service

_log = logging.getLogger(__name__)

OFFERED = types.CodeActionOptions(
    code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.RefactorRewrite, types.CodeActionKind.Source]
)


def create_server(config: Path | None) -> Server:
    """Return a server that reads its configuration from a file, the platform's usual one by default."""
    server = Server("tuppence", __version__)
    service = Service(server, config)

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        service.introduce(params.initialization_options, _roots(params))

    @server.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        await service.begin()

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, OFFERED)
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction] | None:
        return await service.menu(params)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        return await service.hover(params)

    @server.command(menu.RUN)
    async def run(arguments: Any) -> None:
        await service.run(arguments)

    @server.command(menu.STOP)
    async def stop(arguments: Any) -> None:
        service.stop(arguments)

    @server.command(menu.DISMISS)
    async def dismiss(arguments: Any) -> None:
        service.dismiss(arguments)

    @server.command(menu.CLEAR)
    async def clear(arguments: Any) -> None:
        service.clear(arguments)

    server.at_end.append(service.close)
    return server


def _roots(params: types.InitializeParams) -> list[Path]:
    """Return the project's folders: those that the editor names, an older editor's single root, or none."""
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and params.root_uri:
        uris = [params.root_uri]
    paths = [path for uri in uris if (path := to_fs_path(uri)) is not None]
    if not paths and params.root_path:
        paths = [params.root_path]
    return [Path(path) for path in paths]
