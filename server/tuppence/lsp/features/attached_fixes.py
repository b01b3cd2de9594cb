"""The fix that a tool sends along with its diagnostic, in the protocol's field ``data``, which is each tool's own.

Two forms are known: ``edits``, text edits (ruff's server, squawk and others that follow it), and ``fixed`` or
``fixers``, new text for the diagnostic's own range (ast-grep). Anything else, and more than one fix to choose from, is
passed over. Whether a fix may be used is decided in linters/quick_fix.py.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from tuppence.core.text.document import Document, Edit
from tuppence.lsp.documents.convert import Encoding, from_range
from tuppence.lsp.protocol.json_values import Malformed
from tuppence.lsp.protocol.typed_json import read


def edits(document: Document, diagnostic: types.Diagnostic, encoding: Encoding) -> tuple[Edit, ...]:
    """Return the edits of the one fix that came with a diagnostic, none where none or several did."""
    data: Any = diagnostic.data
    if not isinstance(data, dict):
        return ()
    fixers = data.get("fixers")
    if isinstance(fixers, list) and len(fixers) == 1 and isinstance(fixers[0], dict):
        data = fixers[0]
    if isinstance(fixed := data.get("fixed"), str):
        return (Edit(from_range(document, diagnostic.range, encoding), fixed),)
    if not isinstance(sent := data.get("edits"), list):
        return ()
    try:
        found = read(sent, list[types.TextEdit])
    except Malformed:
        return ()
    # The other server may count columns in another unit than ours does; in ASCII all of them are the same.
    lines = {place.line for each in found for place in (each.range.start, each.range.end)}
    if any(line >= document.line_count or not _is_ascii(document, line) for line in lines):
        return ()
    return tuple(Edit(from_range(document, each.range, encoding), each.new_text) for each in found)


def _is_ascii(document: Document, line: int) -> bool:
    return document.slice(document.line_span(line)).isascii()
