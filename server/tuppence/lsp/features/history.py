"""The latest answer in each document, so that its question can be asked again on its target.

The target moves with edits elsewhere in the document. Once the target itself is changed, or the document is closed, the
question can no longer be asked again.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuppence.core.routing.router import Route
from tuppence.core.text.document import Document, Span
from tuppence.engine.request import Request
from tuppence.errors import Stale
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.documents.tracked_span import SpanTracker, TrackedSpan
from tuppence.lsp.output.writer import Writer


@dataclass(slots=True)
class Finished:
    """An answer that was given."""

    request: Request
    target: TrackedSpan
    """The target of the request, tracked while this is the latest answer of its document."""
    route: Route | None
    """The routing decision; None if no model was needed."""
    kept: bool
    """Whether it came from the answer cache."""
    writer: Writer | None = None
    """The writer that can restore the text before the answer; None if nothing was written."""
    line: str = ""
    """The text of its closing message."""

    @property
    def span(self) -> Span | None:
        """The current span of the target; None once it was changed."""
        return self.target.span

    @property
    def runs(self) -> tuple[str, ...]:
        """The ids of the runs whose answers replaced one another in its target, its own last."""
        earlier = self.request.earlier
        return (*(earlier.runs if earlier is not None else ()), self.request.run)


class AnswerHistory:
    """The latest answers by document."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._finished: dict[str, Finished] = {}
        self._written: dict[str, Finished] = {}
        self._trackers: dict[str, SpanTracker] = {}

    def remember(self, finished: Finished) -> None:
        """Store an answer as its document's latest."""
        uri = finished.request.document.uri
        self._forget(uri)
        self._finished[uri] = finished
        if finished.writer is not None:
            self._drop(uri)
            self._written[uri] = finished
        if uri not in self._trackers:
            self._trackers[uri] = SpanTracker(self._documents, uri, lambda now, _edits: self._changed(uri, now))
        self._trackers[uri].add(finished.target)

    def at(self, uri: str) -> Finished | None:
        """Return a document's latest answer, None if none can be asked again."""
        finished = self._finished.get(uri)
        return finished if finished is not None and finished.span is not None else None

    def by_run(self, run: str) -> Finished | None:
        """Return the answer of a run if it is the latest in its document."""
        return next((each for uri in self._finished if (each := self.at(uri)) and each.request.run == run), None)

    def uri_of(self, run: str) -> str | None:
        """Return the document whose latest answer is that of a run, also where its target was changed since."""
        return next((uri for uri, each in self._finished.items() if each.request.run == run), None)

    async def put_back(self, run: str) -> Finished:
        """Restore the text before any answer, regardless of edits elsewhere; return the removed answer.

        :param run: the run whose answer is in the document, or one whose answer that one replaced.
        :raises Stale: the answer is no longer the latest, or the text that it wrote was changed.
        """
        finished = next((each for each in self._written.values() if run in each.runs), None)
        if finished is None or finished.writer is None or finished.writer.target is None:
            raise Stale("That answer cannot be put back any more.", "Use your editor's undo.")
        await finished.writer.restore_later()
        uri = finished.request.document.uri
        self._drop(uri)
        if self._finished.get(uri) is finished:
            self._forget(uri)
        return finished

    def written(self, uri: str) -> Finished | None:
        """Return the latest answer that was written into a document, None if it can no longer be put back."""
        finished = self._written.get(uri)
        return finished if finished and finished.writer and finished.writer.target is not None else None

    def hand_back(self, run: str, writer: Writer) -> Finished | None:
        """Return the latest written answer if it belongs to a run, and a later run left its text unchanged.

        :param writer: the later run's writer. If it wrote meanwhile, the answer's own writer has lost the target,
            because each writer takes the other's edits for the user's; then this writer replaces it. Otherwise the
            caller closes it.
        :return: the answer; None if it is no longer the latest, or if the user changed its text.
        """
        finished = next((each for each in self._written.values() if each.request.run == run), None)
        if finished is None or finished.writer is None:
            return None
        if finished.writer.target is None:
            if writer.target is None:
                return None
            finished.writer.close()
            finished.writer = writer
            finished.target.span = writer.target  # The tracker also took the later run's edits for the user's.
        return finished

    def _drop(self, uri: str) -> None:
        former = self._written.pop(uri, None)
        if former is not None and former.writer is not None:
            former.writer.close()

    def _forget(self, uri: str) -> None:
        """Stop tracking the target of a document's latest answer."""
        former = self._finished.pop(uri, None)
        if former is not None:
            self._trackers[uri].discard(former.target)

    def _changed(self, uri: str, document: Document | None) -> None:
        if document is None:
            self._drop(uri)
            self._finished.pop(uri, None)
            del self._trackers[uri]
