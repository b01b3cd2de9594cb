"""What a writer needs of a connection; lsp/output/client.py is one, and tests bring their own."""

from __future__ import annotations

from typing import Protocol

from lsprotocol import types

from tuppence.lsp.documents.capabilities import Client
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.documents.store import Documents


class Outlet(Protocol):
    """The way out to an editor."""

    @property
    def client(self) -> Client:
        """What the editor can do."""
        ...

    @property
    def documents(self) -> Documents:
        """The open documents."""
        ...

    @property
    def encoding(self) -> Encoding:
        """The position encoding that was agreed on."""
        ...

    async def apply(self, edit: types.WorkspaceEdit, label: str) -> bool:
        """Ask the editor to apply an edit; return what it says."""
        ...

    async def draft(self, params: dict[str, object]) -> bool:
        """Ask a live client to apply one streamed edit; return what it says."""
        ...
