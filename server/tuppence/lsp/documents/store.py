"""The open documents, as the editor describes them: opened, changed, closed.

pygls has its own store, but it splits lines as ``str.splitlines`` does, also at form feeds and U+2028, and so corrupts
such documents on the first incremental change. This one splits them where the protocol does. It holds text, versions
and parsed trees; it reads no files, and it does not know how a document is used.

Invariants: a version is replaced as a whole, never changed in place; the edits passed to a listener, applied in order
to the text that it last received, give the document that it receives with them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.uris import to_fs_path

from tuppence.core.text.document import Document, Edit, line_starts
from tuppence.errors import Stale
from tuppence.lsp.documents.convert import Encoding, from_range

if TYPE_CHECKING:
    from tuppence.core.syntax.tree import Tree
    from tuppence.core.text.line_index import MovedLines
    from tuppence.lsp.documents.lanes import Lanes

Listener = Callable[[Document | None, tuple[Edit, ...]], None]
"""Called at each change with the new document and the edits that led to it, and at the close with None and no edits."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(slots=True, eq=False)
class _OpenDocument:
    """The state of one open document."""

    document: Document
    """The newest version."""
    listeners: list[Listener] = field(default_factory=list)
    """Called in the order in which they were added."""
    tree: Tree | None = None
    """The newest parse; it lags behind by ``since``."""
    since: list[Edit] = field(default_factory=list)
    """The edits since ``tree``, each relative to the text after the one before."""
    parsing: asyncio.Task[None] | None = None
    """The parse under way: one at a time."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by what reads the tree in a thread: one at a time."""
    is_lost: bool = False
    """Whether a change of it could not be read, so that the editor has another text."""
    is_slow: bool = False
    """Whether it takes more work than code of its size usually does, or is large."""
    is_asked: bool = False
    """Whether its tree was asked for: only such a document is read ahead."""
    reading_ahead: asyncio.TimerHandle | None = None
    """What will read the newest version ahead, once the document has not changed for a moment."""


class Documents:
    """The open documents by URI; to be used on the event loop's thread only."""

    def __init__(self) -> None:
        self._open: dict[str, _OpenDocument] = {}
        self.breaks_at_cr = True
        """Whether a line ends at a lone CR in the editor too; where not, its positions are read as it means them."""
        self.on_excess: Callable[[str, str], None] = lambda _uri, _why: None
        """Called once for a document whose grammar does not read it: with its URI, and why, as a clause."""
        self.on_read_ahead: Callable[[Tree], object] = lambda _tree: None
        """Called in a thread with the tree of a version that did not change for a moment: for what else depends on the
        version alone, and is remembered."""
        self._explained: set[str] = set()

    @cached_property
    def _lanes(self) -> Lanes:
        """The threads that read documents; loaded with the first document, not before ``initialize``."""
        from tuppence.lsp.documents.lanes import Lanes

        return Lanes()

    def doubtful(self, document: Document) -> str:
        """Return why no position of ours is safe in a document, a sentence; empty where each is."""
        known = self._open.get(document.uri)
        if known is not None and known.is_lost:
            return (
                "The editor sent a change of this document that cannot be read: close the document and open it again."
            )
        if not self._counts_differently(document):
            return ""
        line = document.text.count("\n", 0, document.lone_cr) + 1
        return (
            f"Line {line} holds a lone carriage return, and editors count lines differently there: "
            "take it out, or write it as an escape."
        )

    def _counts_differently(self, document: Document) -> bool:
        return not self.breaks_at_cr and document.lone_cr is not None

    def open(self, uri: str, language: str, version: int, text: str) -> None:
        """Take in a document that the editor opened; opening it once more replaces its text."""
        document = Document(uri, language, version, text)
        known = self._open.get(uri)
        if known is None:
            self._open[uri] = _OpenDocument(document)
            return
        known.is_lost = False
        from tuppence.core.text.diff import single_edit

        edits = single_edit(known.document.text, text)
        if known.document.language != language:
            known.tree = None
        self._replace(known, document, edits)

    def change(
        self, uri: str, version: int, changes: Sequence[types.TextDocumentContentChangeEvent], encoding: Encoding
    ) -> tuple[Edit, ...]:
        """Apply the editor's changes in their order and return them, each relative to the text after the one before.

        A change of the whole text becomes the one edit between what both texts begin and end with, so that spans
        elsewhere survive it. A change to a document that is not open has nothing to apply to and is dropped.
        """
        known = self._open.get(uri)
        if known is None:
            return ()
        document, edits = known.document, []
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangeWholeDocument):
                known.is_lost = False
            meant = document if not self._counts_differently(document) else _Fed(**_fields(document))
            for edit in _edits(meant, change, encoding):
                document = _after(document, edit)
                edits.append(edit)
        self._replace(known, _with_version(document, version), tuple(edits))
        return tuple(edits)

    def lose(self, uri: str) -> None:
        """Take note of a change that cannot be read; for those who watch the document it is closed.

        Its text stays as it is, and ``doubtful`` until the editor opens it again or sends all of it.
        """
        known = self._open.get(uri)
        if known is not None and not known.is_lost:
            known.is_lost = True
            _tell(known, None, ())

    def close(self, uri: str) -> None:
        """Forget a document, telling those who watch it."""
        known = self._open.pop(uri, None)
        if known is not None:
            _stop_reading_ahead(known)
            _tell(known, None, ())

    def get(self, uri: str) -> Document | None:
        """Return the newest version, None where the document is not open."""
        known = self._open.get(uri)
        return known.document if known else None

    def at(self, path: str) -> Document | None:
        """Return the newest version of the document that is stored at a path, None where it is not open.

        Editors encode a path's characters in their own ways (``%40`` or ``@``), so URIs cannot be compared.
        """
        found = (
            each.document for uri, each in self._open.items() if uri.startswith("file:") and to_fs_path(uri) == path
        )
        return next(found, None)

    async def tree(self, uri: str) -> Tree:
        """Return the parse of the newest version, which is the one that ``get`` returns until the next await.

        It is parsed off the event loop and incrementally, one parse at a time. Changes that arrive during a parse are
        parsed before this returns.

        :raises Stale: the document is not open, or was closed in the meantime.
        """
        while known := self._open.get(uri):
            known.is_asked = True
            if known.tree is not None and not known.since:
                return known.tree
            if is_own := known.parsing is None:
                known.parsing = asyncio.create_task(self._parse(known))
            try:
                # A caller may be cancelled; the other callers still want the parse.
                await asyncio.shield(known.parsing)
            except Exception:
                # A parse that began before this call, as one that reads ahead, is tried once more.
                if is_own:
                    raise
            self._explain(uri, known)
        raise Stale("The document is not open any more.", "Open it and try again.")

    async def in_turn(self, uri: str, work: Callable[..., _T], *arguments: object) -> _T:
        """Return what some work on a document's tree gives, done in a thread, one work on a document at a time.

        So a document that takes long leaves the other threads to the other documents; those that take long have
        threads of their own.
        """
        known = self._open.get(uri)
        if known is None:
            return await asyncio.to_thread(work, *arguments)
        async with known.turn:
            return await self._lanes.run(work, *arguments, is_slow=known.is_slow)

    def _explain(self, uri: str, known: _OpenDocument) -> None:
        if known.tree is not None and known.tree.excess and uri not in self._explained:
            self._explained.add(uri)
            self.on_excess(uri, known.tree.excess)

    def watch(self, uri: str, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` at each change and at the close; return a function that ends this.

        If the document is not open, the listener is never called.
        """
        known = self._open.get(uri)
        if known is None:
            return lambda: None
        known.listeners.append(listener)

        def unwatch() -> None:
            if listener in known.listeners:
                known.listeners.remove(listener)

        return unwatch

    async def wait_version(self, uri: str, version: int, timeout: float) -> bool:  # noqa: ASYNC109 - it is no error
        """Wait until the document has at least that version, at most ``timeout`` seconds; report whether it has."""
        changed = asyncio.Event()
        unwatch = self.watch(uri, lambda _document, _edits: changed.set())
        try:
            async with asyncio.timeout(timeout):
                while self._is_before(uri, version):
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return False
        finally:
            unwatch()
        return self.get(uri) is not None

    def _is_before(self, uri: str, version: int) -> bool:
        document = self.get(uri)
        return document is not None and (document.version is None or document.version < version)

    def _replace(self, known: _OpenDocument, document: Document, edits: tuple[Edit, ...]) -> None:
        known.document = document
        known.since += edits
        if known.is_asked:
            self._read_ahead_soon(known)
        _tell(known, document, edits)

    async def _parse(self, known: _OpenDocument) -> None:
        """Bring the tree up to the version that is the newest when the parse begins."""
        document, old = known.document, known.tree
        edits = tuple(known.since) if old is not None else ()
        known.since.clear()
        # Until it is done there is no tree, so that a failed parse is followed by a whole one.
        known.tree = None
        try:
            tree = await self._lanes.parse(document, old, edits, is_slow=known.is_slow)
            if known.document.language == document.language:
                known.tree = tree
                known.is_slow = self._lanes.is_slow(tree)
                self._read_ahead_soon(known)
        finally:
            known.parsing = None

    def _read_ahead_soon(self, known: _OpenDocument) -> None:
        """Read a document ahead once it has not changed for a moment, unless it is closed before."""
        from tuppence.lsp.documents.lanes import PAUSE

        _stop_reading_ahead(known)
        if self._open.get(known.document.uri) is known:
            known.reading_ahead = asyncio.get_running_loop().call_later(PAUSE, self._read_ahead, known)

    def _read_ahead(self, known: _OpenDocument) -> None:
        known.reading_ahead = None
        if known.tree is not None and not known.since:
            self._lanes.outline(known.tree, self.on_read_ahead)
        elif known.parsing is None:
            known.parsing = asyncio.create_task(self._parse(known))
            known.parsing.add_done_callback(_noted)


class _Fed(Document):
    """A document as an editor has it whose lines end at LF and CRLF only."""

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The offset of each line's first code point."""
        return (0, *(at for at, each in enumerate(self.text, 1) if each == "\n"))


def _fields(document: Document) -> dict[str, Any]:
    return {each.name: getattr(document, each.name) for each in fields(document)}


def _tell(known: _OpenDocument, document: Document | None, edits: tuple[Edit, ...]) -> None:
    for listener in tuple(known.listeners):
        try:
            listener(document, edits)
        except Exception:  # noqa: BLE001 - one listener's fault must not keep the change from the others
            _log.exception("A listener failed on a change of %s", known.document.uri)


def _stop_reading_ahead(known: _OpenDocument) -> None:
    if known.reading_ahead is not None:
        known.reading_ahead.cancel()
        known.reading_ahead = None


def _noted(parsing: asyncio.Task[None]) -> None:
    """Note the fault of a parse that nobody may wait for; the next question parses again."""
    if not parsing.cancelled() and (error := parsing.exception()) is not None:
        _log.debug("A document could not be read ahead", exc_info=error)


def _edits(document: Document, change: types.TextDocumentContentChangeEvent, encoding: Encoding) -> tuple[Edit, ...]:
    if isinstance(change, types.TextDocumentContentChangePartial):
        return (Edit(from_range(document, change.range, encoding), change.text),)
    from tuppence.core.text.diff import single_edit

    return single_edit(document.text, change.text)


def _after(document: Document, edit: Edit) -> Document:
    """Return the document after an edit; lines are recounted only where the edit touched them."""
    text = document.text[: edit.span.start] + edit.text + document.text[edit.span.end :]
    return _with_lines(replace(document, text=text), _moved_lines(document, edit, text))


def _with_version(document: Document, version: int) -> Document:
    return _with_lines(replace(document, version=version), document.line_index)


def _with_lines(document: Document, starts: tuple[int, ...] | MovedLines) -> Document:
    # This is where a cached property keeps its value: counting 10,000 lines anew costs more than all the rest.
    vars(document)["line_index"] = starts
    return document


def _moved_lines(document: Document, edit: Edit, text: str) -> tuple[int, ...] | MovedLines:
    """Return the line starts of ``text``, which is the text of the document after the edit.

    Lines are recounted from the start of the line before the edit (the edit may put an LF after a CR) to the first line
    that starts after it. That start remains one, because the edit did not touch the end of the line before it.
    """
    from tuppence.core.text.line_index import replaced

    starts = document.line_index
    first = document.line_at(max(0, edit.span.start - 1))
    last = document.line_at(edit.span.end) + 1
    moved = len(edit.text) - len(edit.span)
    begin = starts[first]
    end = starts[last] + moved if last < len(starts) else len(text)
    fresh = tuple(begin + start for start in line_starts(text[begin:end]))
    # The slice ends where the line at `last` starts, so its last start is that one.
    return replaced(starts, first, fresh, min(last + 1, len(starts)), moved)
