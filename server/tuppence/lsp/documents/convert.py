"""Convert between lsprotocol and core: positions, ranges, edits, diagnostics.

The rest of the server does not use UTF-16, UTF-8 or UTF-32 columns. ``from_x`` takes the protocol's value, ``to_x``
creates one. A position beyond the end of its line means the end of the line, one beyond the last line the end of the
text, and one inside a character the start of the character. No position is between the CR and the LF of one line
ending. This module does not know which documents are open or the name of the client.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from tuppence.core.text.document import Document, Edit, Span
from tuppence.lsp.documents.capabilities import ClientCapabilities

if TYPE_CHECKING:
    from tuppence.core.text.diagnostic import Diagnostic, Severity

Encoding = types.PositionEncodingKind

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_CONTINUATION = bytes(range(0x80, 0xC0))
_SEVERITIES: dict[types.DiagnosticSeverity, Severity] = {
    types.DiagnosticSeverity.Error: "error",
    types.DiagnosticSeverity.Warning: "warning",
    types.DiagnosticSeverity.Information: "information",
    types.DiagnosticSeverity.Hint: "hint",
}
_TO_SEVERITIES = {core: protocol for protocol, core in _SEVERITIES.items()}


def from_position(document: Document, position: types.Position, encoding: Encoding) -> int:
    """Return the offset of a position in code points."""
    if position.line >= document.line_count:
        return len(document.text)
    span = document.line_span(position.line)
    return span.start + _code_points(document.slice(span), position.character, encoding)


def from_range(document: Document, range_: types.Range, encoding: Encoding) -> Span:
    """Return the span of a range, in whichever order its ends are given."""
    start = from_position(document, range_.start, encoding)
    end = from_position(document, range_.end, encoding)
    return Span(min(start, end), max(start, end))


def from_selection(document: Document, range_: types.Range, encoding: Encoding, client: ClientCapabilities) -> Span:
    """Return the span that a user selected; empty for a bare cursor, also where the editor's cursor is a character.

    Of such an editor, one character (with what combines with it) or one line break is taken for the cursor.
    """
    span = from_range(document, range_, encoding)
    if not client.block_cursor:
        return span
    selected = document.slice(span)
    base = [each for each in selected if not _combines(each)]
    is_cursor = len(base) <= 1 or selected in ("\r\n", "\n", "\r")
    return Span(span.start, span.start) if is_cursor else span


def to_position(document: Document, offset: int, encoding: Encoding) -> types.Position:
    """Return the position of a code point; one between CR and LF is at the end of its line."""
    offset = min(max(offset, 0), len(document.text))
    line = document.line_at(offset)
    span = document.line_span(line)
    before = document.text[span.start : min(offset, span.end)]
    return types.Position(line, _units(before, encoding))


def to_range(document: Document, span: Span, encoding: Encoding) -> types.Range:
    """Return the range of a span."""
    return types.Range(to_position(document, span.start, encoding), to_position(document, span.end, encoding))


def to_text_edit(document: Document, edit: Edit, encoding: Encoding) -> types.TextEdit:
    """Return an edit that has exactly the effect of ``edit``."""
    whole = _with_whole_line_endings(document.text, edit)
    return types.TextEdit(to_range(document, whole.span, encoding), whole.text)


def to_workspace_edit(
    document: Document, edits: Sequence[Edit], encoding: Encoding, capabilities: ClientCapabilities
) -> types.WorkspaceEdit:
    """Return the edits of one document, held to its version where the client can do that.

    A document without a version and without text is a file that is still to be created.
    """
    ordered = sorted(edits, key=lambda each: (each.span.start, each.span.end))
    text_edits = [to_text_edit(document, edit, encoding) for edit in ordered]
    if not capabilities.document_changes:
        return types.WorkspaceEdit(changes={document.uri: text_edits})
    version = document.version
    if version is not None and capabilities.unchecked_zero:
        version = max(version, 1)
    is_new = version is None and not document.text
    if is_new and capabilities.blank_line and text_edits:
        text_edits[-1].range.end = types.Position(1, 0)
    change = types.TextDocumentEdit(
        types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=version), text_edits
    )
    if not (is_new and capabilities.create_files):
        return types.WorkspaceEdit(document_changes=[change])
    # Somebody may have created the file since it was looked for: then its text stays.
    create = types.CreateFile(uri=document.uri, options=types.CreateFileOptions(ignore_if_exists=True))
    return types.WorkspaceEdit(document_changes=[create, change])


def from_diagnostic(document: Document, diagnostic: types.Diagnostic, encoding: Encoding) -> Diagnostic:
    """Return a diagnostic that the editor sent along."""
    from tuppence.core.text.diagnostic import Diagnostic

    return Diagnostic(
        span=from_range(document, diagnostic.range, encoding),
        message=diagnostic.message,
        severity=from_severity(diagnostic.severity),
        source=diagnostic.source or "",
        code="" if diagnostic.code is None else str(diagnostic.code),
    )


def from_severity(severity: types.DiagnosticSeverity | None) -> Severity:
    """Return the severity; a diagnostic that gives none is an error."""
    return "error" if severity is None else _SEVERITIES[severity]


def to_severity(severity: Severity) -> types.DiagnosticSeverity:
    """Return the protocol's severity."""
    return _TO_SEVERITIES[severity]


def _units(text: str, encoding: Encoding) -> int:
    """Return how many code units a text has; a lone surrogate counts as the client counts it."""
    if encoding == Encoding.Utf32 or text.isascii():
        return len(text)
    if encoding == Encoding.Utf8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(1 for _ in _ASTRAL.finditer(text))


def _code_points(line: str, units: int, encoding: Encoding) -> int:
    """Return how many whole code points the first units of a line hold."""
    if encoding == Encoding.Utf32 or line.isascii():
        return min(units, len(line))
    if encoding == Encoding.Utf8:
        return _code_points_in_utf8(line, units)
    return _code_points_in_utf16(line, units)


def _code_points_in_utf8(line: str, units: int) -> int:
    encoded = line.encode("utf-8", "surrogatepass")
    if units >= len(encoded):
        return len(line)
    started = len(encoded[:units].translate(None, _CONTINUATION))
    return started - 1 if encoded[units] in _CONTINUATION else started


def _code_points_in_utf16(line: str, units: int) -> int:
    # Only characters outside the Basic Multilingual Plane have two units, and they are rare.
    pairs = 0
    for found in _ASTRAL.finditer(line):
        if units <= found.start() + pairs:
            break
        pairs += 1
    return min(units - pairs, len(line))


def _combines(character: str) -> bool:
    """Report whether a character joins the one before it: an accent, a variation selector, a joiner, a skin tone."""
    return unicodedata.category(character) in ("Mn", "Me", "Mc", "Sk", "Cf")


def _with_whole_line_endings(text: str, edit: Edit) -> Edit:
    """Widen an edit that begins or ends between CR and LF, which no position can say."""
    start, end, new = edit.span.start, edit.span.end, edit.text
    if text[start - 1 : start + 1] == "\r\n":
        start, new = start - 1, "\r" + new
    if text[end - 1 : end + 1] == "\r\n":
        end, new = end + 1, new + "\n"
    return Edit(Span(start, end), new)
