"""What a writer needs of the editor side: the open documents, and two ways out for edits."""

from __future__ import annotations

from typing import Protocol

from lsprotocol import types

from tuppence.lsp.documents.capabilities import ClientCapabilities
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.documents.store import Documents


class EditSink(Protocol):
    """The way out to an editor."""

    @property
    def capabilities(self) -> ClientCapabilities:
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
