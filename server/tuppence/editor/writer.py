"""Edits out to the editor, so that nothing that the user typed is lost and nothing lands in the wrong place.

Invariants:
- An edit is sent only for the version of the document that it was computed for; the editor refuses it otherwise.
- The user's edits outside the target shift it. A user's edit that reaches into the target ends the writing: from then
  on this writer sends nothing more, and all text stays as it is.
- What the editor says of an edit is not believed until the document shows it (Neovim says ``applied`` of an edit that
  it refused; eglot says it before the document has changed).

Two ways out. *Final*: one versioned edit at the end. *Live*, for a client that announced it: the target's text so far,
as small edits while the answer streams (docs/protocol.md), at most one on its way at a time. Once the user has typed
elsewhere in the file, the rest comes as one final edit, because an editor's undo is linear.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

from lsprotocol import types

from tuppence.core.text import Document, Edit, Span, apply, shift
from tuppence.editor import convert
from tuppence.editor.clients import Client
from tuppence.editor.documents import Documents
from tuppence.errors import Stale

TRIES = 5
"""How often an edit that the editor refused, because the user typed meanwhile, is made anew."""
SECONDS = 3.0
"""How long the editor may take to show an edit that it said it applied."""


class Editor(Protocol):
    """The part of a connection that a writer needs."""

    @property
    def client(self) -> Client:
        """What the editor can do."""
        ...

    @property
    def documents(self) -> Documents:
        """The open documents."""
        ...

    @property
    def encoding(self) -> convert.Encoding:
        """The position encoding that was agreed on."""
        ...

    async def apply(self, edit: types.WorkspaceEdit, label: str) -> bool:
        """Ask the editor to apply an edit; return what it says."""
        ...

    async def draft(self, params: dict[str, object]) -> bool:
        """Ask a live client to apply one streamed edit; return what it says."""
        ...


class Writer:
    """Writes one answer into one target of one document."""

    def __init__(self, editor: Editor, document: Document, target: Span, run: str) -> None:
        self._editor = editor
        self._asked = document
        self._asked_target = target
        self._run = run
        self.target: Span | None = target
        """Where the target lies now; None once the user typed in it."""
        self.touched = asyncio.Event()
        """Set when the user typed in the target, or closed the document."""
        self._since: list[Edit] = []
        self._text = document.text
        self._expected: tuple[str, Span] | None = None
        self._settled = asyncio.Event()
        self._landed = False
        self._wanted = document.slice(target)
        self._sent = 0
        self._alone = True
        self._flushing: asyncio.Task[None] | None = None
        now = editor.documents.get(document.uri)
        if now is None or now.text != document.text:
            self._lose()
        self._unwatch = editor.documents.watch(document.uri, self._changed)

    def close(self) -> None:
        """Stop watching the document and drafting."""
        self._unwatch()
        if self._flushing is not None:
            self._flushing.cancel()

    def draft(self, edits: Sequence[Edit]) -> None:
        """Take streamed edits, each relative to the asked document after the ones before; send them when possible."""
        for edit in edits:
            start = edit.span.start - self._asked_target.start
            self._wanted = self._wanted[:start] + edit.text + self._wanted[start + len(edit.span) :]
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())

    async def restore(self) -> None:
        """Put the target's text back as it was when it was asked about.

        :raises Stale: the user typed in the target meanwhile.
        """
        self._wanted = self._asked.slice(self._asked_target)
        await self._settle()
        if self.target is not None and self._current(self.target) != self._wanted:
            await self._replace((), (), "Put back")

    async def keep(self, edits: Sequence[Edit], label: str) -> None:
        """Bring an answer's edits, which are relative to the asked document, into the document as it is now.

        :raises Stale: the user typed in the target, or the editor would not take the edit.
        """
        inside = [
            Edit(_by(edit.span, -self._asked_target.start), edit.text)
            for edit in edits
            if self._asked_target.covers(edit.span)
        ]
        outside = [edit for edit in edits if not self._asked_target.covers(edit.span)]
        self._wanted = apply(self._asked.slice(self._asked_target), inside)
        await self._settle()
        await self._replace(inside, outside, label)

    async def _replace(self, inside: Sequence[Edit], outside: Sequence[Edit], label: str) -> None:
        """Bring the wanted text into the target, and the edits outside it to where they belong now.

        :param inside: how the wanted text comes from the asked one, relative to the target's start: finer than what
            can be told from the two texts, and used as long as nothing of them was drafted.
        """
        text = self._wanted
        for _ in range(TRIES):
            document, target = self._editor.documents.get(self._asked.uri), self.target
            if document is None or target is None:
                break
            as_asked = self._current(target) == self._asked.slice(self._asked_target)
            fine = [Edit(_by(edit.span, target.start), edit.text) for edit in inside]
            edits = [*(fine if as_asked else _lines(document, target, text)), *self._moved(outside)]
            if not edits:
                return
            before = sum(len(edit.text) - len(edit.span) for edit in edits if edit.span.end <= target.start)
            start = target.start + before
            landed = Span(start, start + len(text))
            self._expect(apply(document.text, edits), landed)
            edit = convert.to_workspace_edit(document, edits, self._editor.encoding, self._editor.client)
            if await self._editor.apply(edit, label) and await self._appeared():
                return
            self._expected = None
            if self._editor.documents.get(self._asked.uri) == document:
                raise Stale("The editor did not take the edit.", "Is the document read-only?")
        raise Stale("You changed the text meanwhile, so it was left as it is.", "Ask again if you still want it.")

    async def _flush(self) -> None:
        """Send what is wanted, one edit at a time, while the user types nothing else in the file."""
        while self._alone and self._editor.client.streams:
            document, target = self._editor.documents.get(self._asked.uri), self.target
            if document is None or target is None or self._current(target) == self._wanted:
                return
            wanted = self._wanted
            edits = _lines(document, target, wanted)
            self._expect(apply(document.text, edits), Span(target.start, target.start + len(wanted)))
            params: dict[str, object] = {
                "run": self._run,
                "uri": document.uri,
                "version": document.version,
                "first": self._sent == 0,
                "edits": [convert.to_text_edit(document, edit, self._editor.encoding) for edit in edits],
            }
            self._sent += 1
            if not (await self._editor.draft(params) and await self._appeared()):
                self._expected = None
                self._alone = False

    async def _settle(self) -> None:
        """Wait until everything that was drafted is in the document, or will not come."""
        if self._flushing is None:
            return
        self.draft(())
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(self._flushing)

    def _expect(self, text: str, target: Span) -> None:
        self._settled.clear()
        self._landed = False
        self._expected = (text, target)

    async def _appeared(self) -> bool:
        """Wait until the document shows our edit, or can't any more because the user's came first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                await self._settled.wait()
        return self._landed

    def _current(self, target: Span) -> str:
        return self._text[target.start : target.end]

    def _moved(self, edits: Sequence[Edit]) -> list[Edit]:
        """Return edits outside the target where they belong now."""
        moved: list[Edit] = []
        for edit in edits:
            span: Span | None = edit.span
            for change in self._since:
                span = shift(span, change) if span is not None else None
            if span is None:
                raise Stale("You changed the imports meanwhile, so nothing was changed.", "Ask again.")
            moved.append(Edit(span, edit.text))
        return moved

    def _changed(self, document: Document | None, edits: tuple[Edit, ...]) -> None:
        """Hear of a change: our own edit, which shows the text that was expected, or the user's."""
        if document is None:
            self._lose()
            return
        pending: list[Edit] = []
        text = self._text
        for edit in edits:
            text = text[: edit.span.start] + edit.text + text[edit.span.end :]
            pending.append(edit)
            if self._expected is not None and text == self._expected[0]:
                self._land(pending)
                pending = []
        self._text = text
        for edit in pending:
            self._typed(edit)

    def _land(self, edits: Sequence[Edit]) -> None:
        assert self._expected is not None
        self.target = self._expected[1]
        self._expected = None
        self._since += edits
        self._landed = True
        self._settled.set()

    def _typed(self, edit: Edit) -> None:
        self._alone = False
        self._since.append(edit)
        # An edit of ours that is still on its way was made for the version before this one: it will be refused.
        self._settled.set()
        if self.target is not None:
            self.target = shift(self.target, edit)
            if self.target is None:
                self.touched.set()

    def _lose(self) -> None:
        self.target = None
        self.touched.set()


def _by(span: Span, offset: int) -> Span:
    return Span(span.start + offset, span.end + offset)


def _lines(document: Document, span: Span, text: str) -> list[Edit]:
    """Return the edit that gives a span a new text and touches only lines that change, none where nothing does."""
    old = document.slice(span)
    if old == text:
        return []
    olds, news = old.splitlines(keepends=True), text.splitlines(keepends=True)
    shorter = min(len(olds), len(news))
    first = next((at for at in range(shorter) if olds[at] != news[at]), shorter)
    shorter -= first
    last = next((at for at in range(shorter) if olds[-1 - at] != news[-1 - at]), shorter)
    head = sum(map(len, olds[:first]))
    tail = sum(map(len, olds[len(olds) - last :]))
    return [Edit(Span(span.start + head, span.end - tail), text[head : len(text) - tail])]
