"""Commands that arrive while a stopped run still restores its text: they wait, and their positions follow the edits.

A command's positions are those of the text that the user saw, which may hold a part of the stopped answer. They move
with each edit until the text is restored. A position inside an edit moves to the text that the edit inserted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lsprotocol import types

from tuppence.core.text.document import Document, Edit, Span
from tuppence.errors import Stale
from tuppence.lsp.documents import convert
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.documents.tracked_span import follow
from tuppence.lsp.output.active_runs import Runs
from tuppence.lsp.output.client import EditorClient
from tuppence.lsp.protocol import typed_json
from tuppence.lsp.protocol.json_values import Malformed

_TAKEN_BACK = ("The diagnostic was about text that was taken back.", "Open the menu again.")


async def settled(arguments: Any, uri: str, client: EditorClient, runs: Runs) -> Any:
    """Wait until every stopped run in a document has restored its text; return a command's arguments, moved to match.

    Returns at once if no run in the document was stopped. Arguments that do not fit the protocol, or are for another
    version than the document's, are returned unchanged; the caller refuses them.

    :param arguments: JSON, as the client sent it.
    :raises Stale: the diagnostic that the command is about was in text that was removed.
    """
    document = client.documents.get(uri)
    if document is None or not runs.cleans_up(uri):
        return arguments
    edits: list[Edit] = []
    unwatch = client.documents.watch(uri, lambda _now, more: edits.extend(more))
    try:
        await runs.cleaned_up(uri)
    finally:
        unwatch()
    now = client.documents.get(uri)
    if now is None or not edits or not isinstance(arguments, Mapping):
        return arguments
    if arguments.get("version") not in (None, document.version):
        return arguments
    try:
        return _Moved(document, now, edits, client.encoding).arguments(arguments)
    except Malformed:
        return arguments


class _Moved:
    """The places of one command, moved from one version of its document to another."""

    def __init__(self, before: Document, after: Document, edits: Sequence[Edit], encoding: Encoding) -> None:
        """:param edits: what leads from one to the other, each relative to the text after the one before."""
        self._before = before
        self._after = after
        self._edits = edits
        self._encoding = encoding

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments with each place moved; a diagnostic of text that was taken back is left out.

        :raises Malformed: a place is none.
        :raises Stale: the diagnostic that was chosen would have to be left out.
        """
        moved = dict(given)
        if moved.get("version") is not None:
            moved["version"] = self._after.version
        if moved.get("range") is not None:
            span = self._span(moved["range"])
            moved["range"] = self._range(Span(_land(span.start, self._edits), _land(span.end, self._edits)))
        if isinstance(others := moved.get("diagnostics"), list):
            moved["diagnostics"] = [each for each in map(self._diagnostic, others) if each is not None]
        if moved.get("diagnostic") is not None:
            moved["diagnostic"] = self._diagnostic(moved["diagnostic"])
            if moved["diagnostic"] is None:
                raise Stale(*_TAKEN_BACK)
        return moved

    def _diagnostic(self, given: Any) -> dict[str, Any] | None:
        """Return a diagnostic where it is now, without the fix that its tool made for another text."""
        diagnostic = typed_json.read(given, types.Diagnostic, "diagnostic")
        span = follow(convert.from_range(self._before, diagnostic.range, self._encoding), self._edits)
        if span is None:
            return None
        return {name: each for name, each in given.items() if name != "data"} | {"range": self._range(span)}

    def _span(self, given: Any) -> Span:
        return convert.from_range(self._before, typed_json.read(given, types.Range, "range"), self._encoding)

    def _range(self, span: Span) -> dict[str, Any]:
        """Return a span's range as JSON."""
        found = convert.to_range(self._after, span, self._encoding)
        return {
            name: {"line": at.line, "character": at.character}
            for name, at in (("start", found.start), ("end", found.end))
        }


def _land(offset: int, edits: Iterable[Edit]) -> int:
    """Return where an offset is after successive edits; one inside an edit is not beyond the end of its new text."""
    for edit in edits:
        if edit.span.end <= offset:
            offset += len(edit.text) - len(edit.span)
        elif edit.span.start < offset:
            offset = min(offset, edit.span.start + len(edit.text))
    return offset
