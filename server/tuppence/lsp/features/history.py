"""The latest answer in each document, so that the same question can be asked again on the same target.

The target moves with the edits elsewhere in the document; once it is changed itself, or the document is closed, there
is nothing to ask again about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuppence.core.routing.router import Route
from tuppence.core.text.document import Document, Edit, Span, shift
from tuppence.engine.request import Request
from tuppence.errors import Stale
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.output.writer import Writer


@dataclass(slots=True)
class Finished:
    """An answer that was given."""

    request: Request
    span: Span | None
    """Where the target lies now; None once it was changed."""
    route: Route | None
    """The choice that it came from; None for one that needed no model."""
    kept: bool
    """Whether it was an earlier answer, given again."""
    writer: Writer | None = None
    """Who wrote it into the document, and can put back what stood there; None where nothing was written."""


class AnswerHistory:
    """The latest answers by document."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._finished: dict[str, Finished] = {}
        self._written: dict[str, Finished] = {}
        self._unwatch: dict[str, Callable[[], None]] = {}

    def remember(self, finished: Finished) -> None:
        """Take an answer in place of the document's former one."""
        uri = finished.request.document.uri
        self._finished[uri] = finished
        if finished.writer is not None:
            self._drop(uri)
            self._written[uri] = finished
        if uri not in self._unwatch:
            self._unwatch[uri] = self._documents.watch(uri, lambda now, edits: self._changed(uri, now, edits))

    def at(self, uri: str) -> Finished | None:
        """Return a document's latest answer, None where there is none that can be asked again."""
        finished = self._finished.get(uri)
        return finished if finished is not None and finished.span is not None else None

    def by_run(self, run: str) -> Finished | None:
        """Return the answer of a run while it is the latest in its document."""
        return next((each for uri in self._finished if (each := self.at(uri)) and each.request.run == run), None)

    async def put_back(self, run: str) -> Finished:
        """Put back what stood where a run wrote, whatever was edited elsewhere since; return what is forgotten.

        :raises Stale: it is not the latest answer any more, or the text that it wrote was changed.
        """
        finished = next((each for each in self._written.values() if each.request.run == run), None)
        if finished is None or finished.writer is None or finished.writer.target is None:
            raise Stale("That answer cannot be put back any more.", "Use your editor's undo.")
        await finished.writer.restore_later()
        uri = finished.request.document.uri
        self._drop(uri)
        if self._finished.get(uri) is finished:
            del self._finished[uri]
        return finished

    def written(self, uri: str) -> Finished | None:
        """Return the latest answer that was written into a document, None where it cannot be put back any more."""
        finished = self._written.get(uri)
        return finished if finished and finished.writer and finished.writer.target is not None else None

    def _drop(self, uri: str) -> None:
        former = self._written.pop(uri, None)
        if former is not None and former.writer is not None:
            former.writer.close()

    def _changed(self, uri: str, document: Document | None, edits: tuple[Edit, ...]) -> None:
        if document is None:
            self._drop(uri)
            self._finished.pop(uri, None)
            self._unwatch.pop(uri)()
            return
        if uri not in self._finished:
            return
        finished = self._finished[uri]
        for edit in edits:
            finished.span = shift(finished.span, edit) if finished.span is not None else None
