"""A language server that only asks: for the diagnostics of each document that is opened, which it writes to a file.

usage: asker.py FILE [what a server is given, ignored]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("asker", "1")
_TRIES = 6


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
async def opened(params: types.DidOpenTextDocumentParams) -> None:
    """Ask about the second line alone, and then about nothing that is open."""
    line = {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}}
    asked = {"uri": params.text_document.uri, "version": params.text_document.version, "range": line, "wait": 8000}
    found = None
    for _ in range(_TRIES):  # The editor's own server starts at its leisure.
        found = _plain(await server.protocol.send_request_async("tuppence/diagnostics", asked))
        if found["diagnostics"]:
            break
    nothing = await server.protocol.send_request_async("tuppence/diagnostics", {"uri": "file:///nowhere"})
    _note(json.dumps([found, _plain(nothing)]))


def _note(said: str) -> None:
    """Write the file so that whoever waits for it finds it whole."""
    part = Path(f"{sys.argv[1]}.part")
    part.write_text(said, encoding="utf-8")
    part.rename(sys.argv[1])


def _plain(value: Any) -> Any:
    """Return an untyped reply, which pygls gives as nested tuples with names, as JSON's own values."""
    if hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


if __name__ == "__main__":
    server.start_io()
