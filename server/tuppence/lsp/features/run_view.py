"""Show one run to the user: progress, edits, findings, a text to read and a closing message.

engine/run.py performs the run; this module decides only where each event is shown and what is said at the end. A
stopped run says so and leaves the text as it was; if the user or another run changed its target, all text stays as it
is. A run that does not replace an earlier answer restores that answer's Keep and Put back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress

from lsprotocol import types

from tuppence.core.events import (
    Answer,
    EditsDrafted,
    Event,
    FindingAdded,
    MarkdownChunk,
    ModelChosen,
    Retracted,
    RunFinished,
    StatusLine,
)
from tuppence.core.routing.router import Route
from tuppence.core.text.document import Document, Edit, Span
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import Request, open_receipt
from tuppence.engine.run import run
from tuppence.errors import Stale, TuppenceError, Unfit
from tuppence.lsp.documents.tracked_span import SpanTracker, TrackedSpan
from tuppence.lsp.features import messages
from tuppence.lsp.features.history import AnswerHistory, Finished
from tuppence.lsp.features.other_servers import OtherServers, shown
from tuppence.lsp.output import tests_writer
from tuppence.lsp.output.active_runs import Running
from tuppence.lsp.output.client import EditorClient
from tuppence.lsp.output.explanations import ExplanationView
from tuppence.lsp.output.findings import ReviewFindings
from tuppence.lsp.output.regions import difference
from tuppence.lsp.output.run_progress import NoProgress
from tuppence.lsp.output.writer import Writer

_CHANGED = "Its text changed meanwhile and stays as you left it."
_CLOSED = "Its document was closed."


class RunView:
    """One run, from its first event to its closing message."""

    def __init__(
        self,
        client: EditorClient,
        board: ReviewFindings,
        reading: ExplanationView,
        running: Running,
        latest: AnswerHistory,
    ) -> None:
        self._client = client
        self._latest = latest
        self._board = board
        self._reading = reading
        self._running = running
        self._report: Callable[[str], None] = lambda _line: None
        self._shown: Callable[[], Awaitable[None]] = NoProgress().shown
        self._route: Route | None = None
        self._turns: list[str] = []
        self._cut: tuple[str, ...] = ()
        self._findings: list[FindingAdded] = []
        self._moved: list[Edit] = []
        self._is_read = False
        self._witness: OtherServers | None = None
        self._last_words: tuple[str, types.MessageType | None] | None = None
        self._outcome = "failed"
        self._span: Span | None = None
        self._restored: Finished | None = None

    async def perform(self, request: Request) -> None:
        """Perform a request, and remember its answer.

        :raises Unfit: the request cannot be run here; nothing was asked.
        """
        try:
            self._refuse(request)
        except Unfit:
            self._announce_end()
            raise
        try:
            await self._carry_out(request)
        finally:
            # The user may start another run of this code as soon as the closing message is there.
            self._running.over.set()
            self._speak()
            self._announce_end()
            await self._client.show_cost()

    async def _carry_out(self, request: Request) -> None:
        client = self._client
        receipt = open_receipt(request, client.session)
        writer = (
            Writer(client, request.document, request.target.span, request.run, request.earlier)
            if request.action.shape == "replacement"
            else None
        )
        if writer is not None:
            writer.pace = client.pace
        self._running.writes = lambda: writer.target if writer else None
        self._witness = self._call(request, writer) if writer else None
        self._span = _place(request)
        target = TrackedSpan(self._span)
        tracker = self._follow(request, target)
        guard = asyncio.create_task(self._guard(writer)) if writer else None
        done: RunFinished | None = None
        finished: Finished | None = None
        findings = self._board.within(request.document.uri, request.target.span)
        self._announce("started", request.action.past)
        try:
            async with client.progress(self._running.title, self._running.stop) as progress:
                self._report, self._shown = self._reported(progress.report), progress.shown
                inspect = self._witness.inspect if self._witness else None
                async with aclosing(run(request, client.session, receipt, inspect)) as steps:
                    async for step in steps:
                        if isinstance(step, RunFinished):
                            done = step
                        else:
                            await self._show(step, request, writer)
                finished = await self._end(done, request, writer, target) if done else None
        except asyncio.CancelledError:
            await self._stopped(request, writer, receipt)
            raise
        except Exception:
            await _put_back(writer)
            raise
        finally:
            if guard is not None:
                guard.cancel()
            if self._witness is not None:
                self._witness.close()
            if writer is not None and finished is None:
                self._leave(request, writer)
            tracker.close()
        if finished is not None:
            self._remember(finished, findings)

    def _remember(self, finished: Finished, findings: Sequence[str]) -> None:
        """Remember an answer; a review replaces the findings of earlier reviews of its target.

        :param findings: the ids of those earlier findings.
        """
        self._latest.remember(finished)
        if finished.request.action.shape == "findings":
            self._board.dismiss(finished.request.document.uri, findings)

    def _announce_end(self) -> None:
        """Send the end of this run to a client that follows runs, after everything is in place.

        A client forgets an answer when another run begins, so an earlier answer that is valid again is announced first.
        """
        if (answer := self._restored) is not None:
            before = Running(self._running.uri, self._running.title, answer.request.run)
            self._client.announce(before, "ended", answer.line, "kept", answer.span)
        self._announce("ended", self._last_words[0] if self._last_words else "")

    def _leave(self, request: Request, writer: Writer) -> None:
        """Release the text; an earlier answer that is there again can be put back and asked again as before."""
        if request.earlier is not None:
            self._restored = self._latest.hand_back(request.earlier.runs[-1], writer)
        if self._restored is None or self._restored.writer is not writer:
            writer.close()

    def _refuse(self, request: Request) -> None:
        """Refuse to write where another run is writing, before anything is spent."""
        if request.action.shape != "replacement":
            return
        for other in self._running.beside():
            span = other.writes()
            if span is not None and span.touches(_place(request)):
                raise Unfit(f"{other.title} is still at work on this code.", "Wait for its end, or stop it first.")

    def _call(self, request: Request, writer: Writer) -> OtherServers | None:
        """Return the checker of answers in the editor; None if the client does not support it or edits are not live."""
        client = self._client.capabilities
        if not (client.diagnoses and client.streams and self._client.session.config().edits == "live"):
            return None
        return OtherServers(self._client, request, writer, self._running.title)

    def _follow(self, request: Request, target: TrackedSpan) -> SpanTracker:
        """Track the target and collect the edits since the request.

        A review of a document that is closed is stopped: there is nowhere to show it.
        """
        uri = request.document.uri
        now = self._client.documents.get(uri)
        if now is not None:
            self._moved += difference(shown(request), now.text)
            target.follow(self._moved)

        def changed(document: Document | None, edits: tuple[Edit, ...]) -> None:
            self._moved.extend(edits)
            if document is None and request.action.shape == "findings":
                self._running.stop(_CLOSED)

        tracker = SpanTracker(self._client.documents, uri, changed)
        tracker.add(target)
        return tracker

    async def _guard(self, writer: Writer) -> None:
        """Stop the run when the user or another run changes its target."""
        await writer.touched.wait()
        if writer.arrived or (self._witness is not None and self._witness.landed):
            return  # The complete answer was in the document and was then edited: it belongs to the user now.
        self._running.stop(_CLOSED if writer.closed else _CHANGED)

    async def _show(self, step: Event, request: Request, writer: Writer | None) -> None:
        match step:
            case ModelChosen():
                turn = step.route.told or ("" if self._route is None else step.route.reason)
                self._turns += [turn] if turn else []
                self._route, self._cut = step.route, step.cut or self._cut
                self._report(step.route.line)
                self._client.log(f"{self._running.title}: {step.route.model.name}. {step.route.reason}.")
            case StatusLine():
                self._report(step.text)
            case MarkdownChunk():
                self._is_read = True
                self._reading.stream(request.run, self._running.title, step.markdown)
            case EditsDrafted() if writer is not None and self._client.session.config().edits == "live":
                writer.draft(step.edits)
            case FindingAdded():
                self._findings.append(step)
                self._board.pin(request.document, step.finding, self._moved, request.action.id)
            case Retracted():
                await self._take_back(step, request, writer)
            case _:
                pass

    async def _take_back(self, step: Retracted, request: Request, writer: Writer | None) -> None:
        """Take back what was shown of a rejected answer."""
        self._report(step.why)
        await self._shown()  # Why it is taken back is to be read before it is gone.
        if self._findings:
            self._board.clear(request.document.uri, [found.finding for found in self._findings])
            self._findings.clear()
        if self._is_read:
            self._reading.restart(request.run, self._running.title)
        if writer is not None:
            with suppress(Stale):  # The user has changed the text, and the guard stops the run.
                await writer.restore()

    async def _end(
        self, done: RunFinished, request: Request, writer: Writer | None, target: TrackedSpan
    ) -> Finished | None:
        """Deliver the answer, and set the closing message with its cost."""
        client = self._client
        if done.answer is None:
            self._abandon(request)
            as_it_was = " The text is as it was." if writer else ""
            self._close(messages.could_not(request, f"{done.why}{as_it_was}", done), types.MessageType.Warning)
            return None
        try:
            text = await self._deliver(done.answer, request, writer)
        except Stale as stale:
            client.session.ledger_writer.outcome(request.run, "stale")
            await _put_back(writer)
            self._outcome = "stale"
            self._close(messages.could_not(request, str(stale), done), types.MessageType.Warning)
            return None
        self._outcome = "kept"
        told = messages.agrees if done.answer.agrees else messages.done
        last = " ".join((told(done, request, tuple(self._turns)), *self._cut))
        # An echo area shows one message, so a second one would replace the first.
        self._close(f"{text}\n\n{last}" if text else last, types.MessageType.Info if text else None)
        self._span = writer.target if writer else target.span
        route = None if done.kept else self._route
        return Finished(request, TrackedSpan(self._span), route, done.kept, writer, last)

    async def _deliver(self, answer: Answer, request: Request, writer: Writer | None) -> str:
        """Deliver an answer; return a text that can only be shown in the closing message, else an empty string."""
        if writer is not None and answer.agrees:
            await writer.restore()
        elif writer is not None:
            if self._witness is not None and self._witness.stale is not None:
                raise self._witness.stale
            if self._witness is None or not self._witness.landed:
                await writer.keep(answer.edits, self._running.title)
        elif answer.written is not None:
            await tests_writer.write(answer.written, request, self._client, self._running.title)
        elif request.action.shape == "markdown":
            return await self._reading.finish(request.run, self._running.title, answer.markdown)
        return ""

    async def _stopped(self, request: Request, writer: Writer | None, receipt: Receipt) -> None:
        """Restore the text after a cancellation, unless the user changed it."""
        session = self._client.session
        if not receipt.entries:
            session.ledger_writer.record(receipt.add_free("", "", session.now(), "cancelled"))
        elif receipt.entries[-1].outcome == "kept":
            session.ledger_writer.outcome(request.run, "cancelled")
        self._outcome = "stopped"
        self._abandon(request)
        left = await _put_back(writer)
        because = self._running.because
        if writer is not None and not because and writer.touched.is_set():
            because = _CHANGED
        self._close(messages.stopped(self._running.title, receipt, because or left))

    def _abandon(self, request: Request) -> None:
        """Tell a streaming client that an explanation ends here."""
        if self._is_read:
            self._reading.abandon(request.run, self._running.title)

    def _close(self, message: str, kind: types.MessageType | None = None) -> None:
        """Set the closing message; without a kind it is logged only, if a status item shows it."""
        self._last_words = (message, kind)

    def _speak(self) -> None:
        """Show the closing message after the progress has ended, because Helix then clears its status line."""
        if self._last_words is None:
            return
        message, kind = self._last_words
        if kind is None and self._client.capabilities.status:
            self._client.log(message)
        else:
            self._client.say(message, kind or types.MessageType.Info)

    def _reported(self, report: Callable[[str], None]) -> Callable[[str], None]:
        """Return a function that sends each status line to the progress and to a client that follows runs."""

        def both(line: str) -> None:
            report(line)
            self._announce("working", line)

        return both

    def _announce(self, state: str, line: str) -> None:
        self._client.announce(self._running, state, line, self._outcome if state == "ended" else "", self._span)


def _place(request: Request) -> Span:
    """Return the target's span in the document as the editor had it when the request was made."""
    return request.target.span if request.earlier is None else request.earlier.target.span


async def _put_back(writer: Writer | None) -> str:
    """Restore the text, unless the user or another run changed it; return why that failed, empty if it did not."""
    if writer is None:
        return ""
    try:
        await asyncio.shield(writer.restore())
    except TuppenceError as error:
        return str(error)
    return ""
