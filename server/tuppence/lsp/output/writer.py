"""Write an answer into the editor so that no typed text is lost and no edit is applied in the wrong place.

Invariants:
- Edits are sent one at a time, each for the document version for which it was computed; the editor refuses it for any
  other version.
- The user's edits outside the target shift it. A user's edit inside the target ends the writing: afterwards this writer
  sends nothing, and all text stays as it is. If the complete answer was there before that edit, it counts as delivered.
- The editor's reply to an edit is not believed until the document shows the edit. Neovim replies ``applied`` for an
  edit that it refused (https://github.com/neovim/neovim/blob/v0.10.4/runtime/lua/vim/lsp/handlers.lua); eglot 1.9
  replies before it sends the change (lsp/documents/capabilities.py).

A writer has regions, each with the text that it is to contain: the draft so far, the answer, or the text that was
found. One task edits the document step by step until it has these texts. A cancel only sets other texts: an edit that
was sent is awaited, and then taken back.

There are two modes. *Final*: one versioned edit at the end. *Live*, for a client that supports it: the target's text so
far, as small edits while the answer streams (docs/protocol.md). If the user types elsewhere in the file, the rest is
one final edit, because an editor's undo is linear.

If the answer replaces an earlier one (core/answer/earlier.py), its edits are relative to the original, which no editor
has. Each region then begins with the earlier answer's text, which a failure restores, and changes to the new text by
the lines that differ. While the draft equals the earlier answer, nothing is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tuppence.core.answer.earlier import EarlierAnswer, without
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.errors import Stale
from tuppence.lsp.documents import convert
from tuppence.lsp.documents.tracked_span import follow
from tuppence.lsp.output.edit_sink import EditSink
from tuppence.lsp.output.regions import Change, PendingEdits, Region, difference, held, line_changes, rewritten
from tuppence.lsp.output.stream_pace import StreamPace
from tuppence.lsp.output.unchanged_ends import UnchangedEnds

TRIES = 10
"""Maximum number of attempts for an edit that the editor refuses because the user is typing."""
APPEAR = 30.0
"""Seconds that the editor may take to show an edit after replying that it was applied; an unresponsive editor is
slow."""
OVERTAKEN = 0.5
"""The limit if the user's own edit came first: the edit was probably refused."""
MOVE = 1.0
"""Seconds within which the change must arrive that made the editor refuse an edit."""
MOVE_LAGGING = 5.0
"""The limit for an editor that sends changes only when its user pauses."""


class Writer:
    """Writes one answer into one target of one document."""

    def __init__(
        self, editor: EditSink, document: Document, target: Span, run: str, earlier: EarlierAnswer | None = None
    ) -> None:
        """Begin to track the document.

        :param document: the document of the request; with an earlier answer, its original.
        :param target: the span to replace in it.
        :param earlier: the answer that this one replaces.
        """
        self.touched = asyncio.Event()
        """Set when the user or another run changed the target, or when the document was closed."""
        self.arrived = False
        """Whether a final answer was completely in the document: text typed into it afterwards is the user's work on
        it."""
        self.pace = StreamPace()
        """Schedules the drafts; shared by all writers of one editor."""
        self._editor = editor
        self._asked = document
        self._run = run
        self._asked_target = target
        self._earlier = earlier
        self._target = Region(target, document.slice(target), document.slice(target))
        self._others: list[Region] = []
        began = document
        if earlier is not None:
            began = earlier.document
            self._target, *self._others = (held(document, part) for part in (earlier.target, *earlier.others))
        self._draft = self._target.asked
        self._ends = UnchangedEnds(len(self._draft))
        self._since: list[Edit] = []
        self._text = began.text
        self._typed_elsewhere = earlier is not None and earlier.has_imports
        self._fine: tuple[Edit, ...] = ()
        self._label = ""
        self._flights: list[PendingEdits] = []
        self._keeping = False
        self._last: PendingEdits | None = None
        self._drafts = 0
        self._alone = True
        self._working: asyncio.Task[None] | None = None
        now = editor.documents.get(document.uri)
        if now is None:
            self._lose()
        else:
            self._changed(now, difference(began, now.text))
        self._unwatch = editor.documents.watch(document.uri, self._changed)

    @property
    def target(self) -> Span | None:
        """The current span of the target; None once the user or another run changed it."""
        return self._target.span

    @property
    def closed(self) -> bool:
        """Whether the document was closed."""
        return self._editor.documents.get(self._asked.uri) is None

    def close(self) -> None:
        """Stop tracking the document and writing."""
        self._unwatch()
        if self._working is not None:
            self._working.cancel()

    def draft(self, edits: Sequence[Edit]) -> None:
        """Take streamed edits, each relative to the requested document after the ones before; send them soon."""
        text, reached = self._draft, 0
        for edit in edits:
            start = edit.span.start - self._asked_target.start
            text = text[:start] + edit.text + text[start + len(edit.span) :]
            reached = start + len(edit.text)
            self._ends.edited(start, reached, len(text))
        self._draft = self._target.wanted = text
        # A draft may end with the line ending after the target's last line, which is not part of the target.
        found = f"{self._target.found}{self._asked.newline}"
        if self._earlier is not None and not self._drafts and found.startswith(text[:reached]):
            self._target.wanted = self._target.found
        if self._editor.capabilities.streams:
            self._work_on()

    async def restore(self) -> None:
        """Restore the text as it was when the run began.

        :raises Stale: the user or another run changed the text, or the editor refused the edit.
        """
        self._take_back()
        for region in (self._target, *self._others):
            region.wanted = region.found
        if self._working is not None and self.target is not None:
            await self._arrive()
        self._label = ""
        self._others = [region for region in self._others if region.earlier is not None]

    async def restore_later(self) -> None:
        """Restore the text before any answer, as an edit of its own and not as part of the answer's undo step.

        :raises Stale: as for ``restore``.
        """
        self._alone = False
        self._take_back()
        for region in (self._target, *self._others):
            region.wanted = region.first
        await self._arrive()
        self._label = ""

    def _take_back(self) -> None:
        self._label, self._fine, self._draft = "Put back", (), self._target.asked
        self._ends = UnchangedEnds()
        self.arrived = self._keeping = False
        self._others = [region for region in self._others if region.span is not None]

    def earlier(self, runs: tuple[str, ...]) -> EarlierAnswer | None:
        """Return the document with and without what was written; None if the target was changed since.

        :param runs: the ids of the runs whose answers it contains, the latest last.
        """
        document = self._editor.documents.get(self._asked.uri)
        if document is None or self._target.span is None:
            return None
        others = [
            (region.span, region.first)
            for region in self._others
            if region.span is not None and document.slice(region.span) != region.first
        ]
        target = (self._target.span, self._target.first)
        return without(document, target, others, runs=runs, has_imports=self._typed_elsewhere)

    async def keep(self, edits: Sequence[Edit], label: str) -> None:
        """Apply an answer's edits, which are relative to the requested document, to the current document.

        :raises Stale: the user or another run changed the target, or the editor refused the edit.
        """
        asked = self._widened(edits)
        inside = [edit for edit in edits if asked.covers(edit.span)]
        self._fine = tuple(Edit(_by(edit.span, -asked.start), edit.text) for edit in inside)
        self._target.wanted = apply(self._target.asked, self._fine)
        self._place([edit for edit in edits if not asked.covers(edit.span)])
        self._label, self._keeping = label, True
        await self._arrive()
        self.arrived = True

    def _place(self, edits: Sequence[Edit]) -> None:
        """Add regions for an answer's edits outside its target.

        :raises Stale: the text around an edit was changed since.
        """
        now = self._editor.documents.get(self._asked.uri) or self._asked
        found = rewritten(self._others, edits, self._asked, now)
        fresh: list[Region] = []
        for edit in found[1] if found else ():
            span = edit.span if self._earlier is None else self._earlier.landing(edit.span)
            fresh.append(Region(follow(span, self._since), self._asked.slice(edit.span), edit.text))
        if found is None or any(each.span is None for each in fresh):
            raise Stale("The lines around it changed meanwhile, so nothing was changed.", "Ask again.")
        self._others = [*found[0], *fresh]

    def _widened(self, edits: Sequence[Edit]) -> Span:
        """Extend the target to edits that reach beyond it, as a linter's own fix may; return its span."""
        asked = self._asked_target
        across = [edit.span for edit in edits if edit.span.start < asked.end and asked.start < edit.span.end]
        whole = Span(
            min([asked.start, *(each.start for each in across)]), max([asked.end, *(each.end for each in across)])
        )
        if whole != asked:
            text = self._asked.slice(whole)
            self._asked_target = whole
            self._target = Region(follow(whole, self._since) if self.target is not None else None, text, text)
        return whole

    async def _arrive(self) -> None:
        """Wait until the document has the wanted text; the caller may be cancelled, the edit in progress is not."""
        await asyncio.shield(self._work_on())

    def _work_on(self) -> asyncio.Task[None]:
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
            self._working.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._working

    async def _work(self) -> None:
        """Edit the document until it has the wanted texts."""
        refused = 0
        while changes := self._missing():
            if not self._label and await self.pace.turn(self._run):
                changes = self._missing()  # More text may have arrived, or everything may have been taken back.
                if not changes:
                    return
            document = self._editor.documents.get(self._asked.uri)
            assert document is not None, "where the document was closed nothing is missing"
            drafting = self._alone and self._editor.capabilities.streams and (not self._label or self._drafts > 0)
            if not drafting and not self._label:
                return
            flight = PendingEdits(changes)
            self._last = flight if self._keeping else None
            # An unresponsive editor may still apply an edit that was given up.
            self._flights = [*(each for each in self._flights if not each.overtaken), flight]
            edits = sorted((change.edit for change in changes), key=lambda each: (each.span.start, each.span.end))
            ends = self._ends
            ends.sent(len(self._draft))
            says_applied = await (self._send_draft(document, edits) if drafting else self._send(document, edits))
            if says_applied:
                await _appeared(flight)
            ends.settle(landed=flight.landed and self._target.wanted is self._draft)
            if flight.landed:
                refused = 0
            elif drafting:
                self._alone = False
            else:
                refused += 1
                if refused == TRIES or not await self._moved_on(document):
                    raise Stale("The editor did not take the edit.", "Is the document read-only?")

    def _missing(self) -> tuple[Change, ...]:
        """Return the changes that remain to be made.

        :raises Stale: they can't be made any more.
        """
        document = self._editor.documents.get(self._asked.uri)
        target = self._target
        if self.arrived:
            return ()
        if target.span is None or document is None:
            if not self._label:
                return ()
            raise Stale("The text changed meanwhile and stays as it is.", "Ask again if you still want it.")
        if doubt := self._editor.documents.doubtful(document):
            raise Stale(doubt)
        start = target.span.start
        if self._fine and document.slice(target.span) == target.asked:
            # These edits are finer than a comparison of the two texts.
            edits = tuple(Edit(_by(edit.span, start), edit.text) for edit in self._fine)
        else:
            edits = line_changes(document, target.wanted, target.span, target.found_lines, self._known(target.span))
        changes = [Change(target, edit) for edit in edits]
        for region in self._others:
            if region.span is None and region.wanted == region.found:
                continue  # The text belongs to the user now.
            if region.span is None:
                raise Stale("The lines around it changed meanwhile.", "Ask again if you still want it.")
            if document.slice(region.span) != region.wanted:
                changes.append(Change(region, Edit(region.span, region.wanted)))
        return tuple(changes)

    def _known(self, span: Span) -> tuple[int, int]:
        """Return how much of the target is certain to be as the draft has it, at its start and at its end."""
        is_draft = not self._label and self._earlier is None and self._target.wanted is self._draft
        return self._ends.known(len(span)) if is_draft else (0, 0)

    async def _send(self, document: Document, edits: Sequence[Edit]) -> bool:
        edit = convert.to_workspace_edit(document, edits, self._editor.encoding, self._editor.capabilities)
        return await self._editor.apply(edit, self._label)

    async def _send_draft(self, document: Document, edits: Sequence[Edit]) -> bool:
        first, self._drafts = self._drafts == 0, self._drafts + 1
        return await self._editor.draft(
            {
                "run": self._run,
                "uri": document.uri,
                "version": document.version,
                "first": first,
                "edits": [convert.to_text_edit(document, edit, self._editor.encoding) for edit in edits],
            }
        )

    async def _moved_on(self, document: Document) -> bool:
        """Wait for the change that made the editor refuse an edit; report whether it arrived."""
        seconds = MOVE_LAGGING if self._editor.capabilities.lagging_version else MOVE
        version = (document.version or 0) + 1
        moved = await self._editor.documents.wait_version(document.uri, version, seconds)
        return moved or self.closed

    def _changed(self, document: Document | None, edits: tuple[Edit, ...]) -> None:
        """Handle a change: this writer's edits, if the text is the expected one, or other edits."""
        if document is None:
            self._lose()
            return
        found = ((each, each.find(self._text, edits)) for each in reversed(self._flights))
        flight, ours = next((each for each in found if each[1]), (None, None))
        for edit in edits[: ours.start] if ours else edits:
            self._typed(edit)
        if ours and flight is not None:
            flight.land((self._target, *self._others))
            self._flights = [] if flight.landed else self._flights
            self.arrived = self.arrived or (flight.landed and flight is self._last and self._keeping)
            self._since += edits[ours.start : ours.stop]
            for edit in edits[ours.stop :]:
                self._typed(edit)
        self._text = document.text

    def _typed(self, edit: Edit) -> None:
        """Adjust the regions to an edit that is not this writer's.

        A SpanTracker is not used, because one change may also contain the writer's own edits, in any order; those are
        inside the regions, which grow with them (``land``).
        """
        self._alone = self._alone and not self._drafts
        self._typed_elsewhere = True
        self._since.append(edit)
        for flight in self._flights:
            flight.overtake(edit)
        for region in (self._target, *self._others):
            region.span = follow(region.span, (edit,))
        if self._target.span is None:
            self.touched.set()

    def _lose(self) -> None:
        self._target.span = None
        for flight in self._flights:
            flight.give_up()
        self.touched.set()


async def _appeared(flight: PendingEdits) -> None:
    """Wait until the document shows an edit that the editor reported as applied, or probably never will."""
    for seconds in (APPEAR, OVERTAKEN):
        await flight.wait(seconds)
        if flight.landed or not flight.overtaken:
            return


def _by(span: Span, offset: int) -> Span:
    return Span(span.start + offset, span.end + offset)
