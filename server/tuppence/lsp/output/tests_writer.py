"""Write new tests into their file, whether it is open, on disk, or new."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tuppence.core.answer.insert_tests import NewTests, added
from tuppence.core.syntax.languages import language
from tuppence.core.text.document import Document
from tuppence.engine.request import Request
from tuppence.errors import Stale, Unfit
from tuppence.lsp.documents import convert
from tuppence.lsp.output.client import EditorClient
from tuppence.lsp.output.writer import Writer


async def write(written: NewTests, request: Request, client: EditorClient, label: str) -> None:
    """Add tests to their file and show it.

    A cancel while an open file is written takes the tests back. If the file is not open, the edit cannot be taken back
    once the editor has the request.

    :raises Stale: the editor did not write them.
    """
    document = request.document if Path(written.path) == request.path else client.documents.at(written.path)
    uri = document.uri if document else Path(written.path).as_uri()
    if (now := client.documents.get(uri)) is not None:
        await _write_open(now, written, request, client, label)
    else:
        await _write_closed(uri, written, request, client, label)
    await client.show(uri)


async def _write_open(
    document: Document, written: NewTests, request: Request, client: EditorClient, label: str
) -> None:
    edits = await asyncio.to_thread(added, document, language(request.document.language), written)
    if not edits:
        return
    writer = Writer(client, document, edits[-1].span, request.run)
    try:
        await writer.keep(edits, label)
    except asyncio.CancelledError:
        await asyncio.shield(writer.restore())
        raise
    finally:
        writer.close()


async def _write_closed(uri: str, written: NewTests, request: Request, client: EditorClient, label: str) -> None:
    path = Path(written.path)
    text = await asyncio.to_thread(_stored, path, request, client)
    document = Document(uri, request.document.language, None, text)
    if doubt := client.documents.doubtful(document):
        raise Stale(f"The tests belong in {path.name}. {doubt}")
    edits = await asyncio.to_thread(added, document, language(request.document.language), written)
    if not await client.apply(convert.to_workspace_edit(document, edits, client.encoding, client.capabilities), label):
        raise Stale(f"The editor would not write {path.name}.", "Is the folder writable?")


def _stored(path: Path, request: Request, client: EditorClient) -> str:
    """Return the current text of the test file, which may have changed since the request, or be a link now."""
    try:
        return (client.session.workspace.stored(path, request.path or path) or b"").decode("utf-8")
    except Unfit as error:
        raise Stale(error.message, error.remedy) from error
    except UnicodeDecodeError as error:
        raise Stale(f"{path.name} cannot be read.", "Is it a readable UTF-8 file?") from error
