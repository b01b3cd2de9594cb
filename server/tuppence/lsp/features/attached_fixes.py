"""Read the fix that a tool attaches to its diagnostic in ``data``, a field whose content each tool defines.

Two forms are known: ``edits``, a list of text edits (from ruff's server, squawk and others that copy it), and ``fixed``
or ``fixers``, new text for the diagnostic's own range (ast-grep). Other forms, and several alternative fixes, are
ignored. linters/quick_fix.py decides whether a fix may be used.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from tuppence.core.text.document import Document, Edit
from tuppence.lsp.documents.convert import Encoding, from_range
from tuppence.lsp.protocol.json_values import Malformed
from tuppence.lsp.protocol.typed_json import read


def edits(document: Document, diagnostic: types.Diagnostic, encoding: Encoding) -> tuple[Edit, ...]:
    """Return the edits of a diagnostic's only attached fix; none if it has no fix or several."""
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
    # The other server may use another position encoding. In ASCII text all encodings agree.
    lines = {place.line for each in found for place in (each.range.start, each.range.end)}
    if any(line >= document.line_count or not _is_ascii(document, line) for line in lines):
        return ()
    return tuple(Edit(from_range(document, each.range, encoding), each.new_text) for each in found)


def _is_ascii(document: Document, line: int) -> bool:
    return document.slice(document.line_span(line)).isascii()
