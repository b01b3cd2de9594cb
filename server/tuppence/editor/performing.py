"""One run as the person sees it: its steps become progress, edits, findings, a text to read and a closing message.

The run itself is run.py's. Here is decided only where each step shows and what is said at the end. A run that was
stopped says so too, and leaves the text as it was; one whose target the user typed in leaves all text as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path

from lsprotocol import types

from tuppence.account import Account
from tuppence.core.accounts import money
from tuppence.core.actions import thing
from tuppence.core.adding import added
from tuppence.core.languages import language
from tuppence.core.route import Route
from tuppence.core.steps import Answer, Done, Drafted, Found, Piece, Progress, PutBack, Routed, Step, Written
from tuppence.core.text import Document, Edit, Span, shift
from tuppence.editor import convert
from tuppence.editor.board import Board
from tuppence.editor.desk import Desk
from tuppence.editor.latest import Finished
from tuppence.editor.reading import Reading
from tuppence.editor.runs import Running
from tuppence.editor.writer import Writer
from tuppence.errors import Stale, TuppenceError
from tuppence.plan import Ask
from tuppence.run import run


class Performance:
    """One run, from its first step to its closing message."""

    def __init__(self, desk: Desk, board: Board, reading: Reading, running: Running) -> None:
        self._desk = desk
        self._board = board
        self._reading = reading
        self._running = running
        self._report: Callable[[str], None] = lambda _line: None
        self._route: Route | None = None
        self._cut: tuple[str, ...] = ()
        self._shown = Shown()

    async def perform(self, ask: Ask) -> Finished | None:
        """Carry out a question; return what is remembered of its answer, None where there is none."""
        desk = self._desk
        account = Account(run=ask.run, session=desk.house.session, action=ask.action.id, language=ask.document.language)
        writer = Writer(desk, ask.document, ask.target.span, ask.run) if ask.action.shape == "replacement" else None
        unwatch = desk.documents.watch(ask.document.uri, lambda _now, edits: self._shown.moved.extend(edits))
        guard = asyncio.create_task(_guard(writer, self._running)) if writer else None
        done: Done | None = None
        try:
            async with desk.progress(self._running.title, self._running.stop) as self._report:
                async with aclosing(run(ask, desk.house, account)) as steps:
                    async for step in steps:
                        if isinstance(step, Done):
                            done = step
                        else:
                            await self._show(step, ask, writer)
                return await self._end(done, ask, writer) if done else None
        except asyncio.CancelledError:
            await self._stopped(ask, writer, account)
            raise
        finally:
            if guard is not None:
                guard.cancel()
            if writer is not None:
                writer.close()
            unwatch()
            await self._settle()

    async def _show(self, step: Step, ask: Ask, writer: Writer | None) -> None:
        match step:
            case Routed():
                self._route, self._cut = step.route, step.cut or self._cut
                self._report(f"{step.route.model.id}: {step.route.reason}")
                self._desk.log(f"{self._running.title}: {step.route.model.name}. {step.route.reason}.")
            case Progress():
                self._report(step.text)
            case Piece():
                self._reading.stream(ask.run, self._running.title, step.markdown)
            case Drafted() if writer is not None and self._desk.house.config().edits == "live":
                writer.draft(step.edits)
            case Found():
                if not self._shown.findings:
                    self._board.clear(ask.document.uri)
                self._shown.findings.append(step)
                self._board.pin(ask.document, step.finding, self._shown.moved)
            case PutBack():
                await self._put_back(step, ask, writer)
            case _:
                pass

    async def _put_back(self, step: PutBack, ask: Ask, writer: Writer | None) -> None:
        self._report(step.why)
        self._board.clear(ask.document.uri, [found.finding for found in self._shown.findings])
        self._shown.findings.clear()
        if writer is not None:
            await writer.restore()

    async def _end(self, done: Done, ask: Ask, writer: Writer | None) -> Finished | None:
        """Bring the answer to where it belongs, and say what happened and what it cost."""
        if done.answer is None:
            self._desk.say(f"{_could_not(ask)}. {done.why}{_paid(done)}", types.MessageType.Warning)
            return None
        try:
            await self._deliver(done.answer, ask, writer)
        except Stale as stale:
            self._desk.house.outcome(ask.run, "stale")
            self._desk.say(f"{_could_not(ask)}. {stale}{_paid(done)}", types.MessageType.Warning)
            return None
        self._close(_closing(done, ask) + "".join(f" {sentence}" for sentence in self._cut))
        span: Span | None = ask.target.span
        for edit in self._shown.moved:
            span = shift(span, edit) if span is not None else None
        return Finished(ask, writer.target if writer else span, None if done.kept else self._route, done.kept)

    async def _deliver(self, answer: Answer, ask: Ask, writer: Writer | None) -> None:
        if writer is not None:
            await writer.keep(answer.edits, self._running.title)
        elif answer.written is not None:
            await self._write(answer.written, ask)
        elif ask.action.shape == "markdown":
            await self._reading.finish(ask.run, self._running.title, answer.markdown)

    async def _write(self, written: Written, ask: Ask) -> None:
        """Add tests to their file as it is now, whether it is open, on disk or still to be created."""
        uri = ask.document.uri if Path(written.path) == ask.path else Path(written.path).as_uri()
        known = language(ask.document.language)
        document = self._desk.documents.get(uri)
        if document is not None:
            edits = added(document, known, written)
            writer = Writer(self._desk, document, edits[-1].span, ask.run)
            try:
                await writer.keep(edits, self._running.title)
            finally:
                writer.close()
        else:
            text = await asyncio.to_thread(_stored, Path(written.path))
            document = Document(uri, ask.document.language, None, text)
            edit = convert.to_workspace_edit(
                document, added(document, known, written), self._desk.encoding, self._desk.client
            )
            if not await self._desk.apply(edit, self._running.title):
                raise Stale(f"The editor would not write {Path(written.path).name}.", "Is the folder writable?")
        await self._desk.show(uri)

    async def _stopped(self, ask: Ask, writer: Writer | None, account: Account) -> None:
        """Leave the text right after a cancellation: as the user left it, or as it was."""
        if writer is not None and writer.touched.is_set() and not self._running.stopped:
            self._close(f"You typed in {thing(ask.target.name)}, so the text stays as you left it.")
            return
        if writer is not None:
            with suppress(TuppenceError):
                await asyncio.shield(writer.restore())
        paid = f" ({'about ' if account.estimated else ''}{money(account.total)})" if account.total != 0 else ""
        self._close(f"Stopped: {self._running.title}{paid}.")

    def _close(self, message: str) -> None:
        """Say how it ended; quietly where a status item shows it."""
        if self._desk.client.status:
            self._desk.log(message)
        else:
            self._desk.say(message)

    async def _settle(self) -> None:
        """Send the accounts, and what could not be written to them."""
        house = self._desk.house
        for sentence in house.trouble:
            self._desk.say(sentence, types.MessageType.Warning)
        house.trouble.clear()
        try:
            await self._desk.show_cost()
        except TuppenceError as error:
            self._desk.say(str(error), types.MessageType.Warning)


class Shown:
    """What a run has put before the person so far."""

    def __init__(self) -> None:
        self.findings: list[Found] = []
        self.moved: list[Edit] = []
        """The edits to the document since the question, in order."""


async def _guard(writer: Writer, running: Running) -> None:
    """End the run when the user types in its target."""
    await writer.touched.wait()
    if running.task is not None:
        running.task.cancel()


def _stored(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Stale(f"{path.name} cannot be read.", "Is it a readable UTF-8 file?") from error


def _could_not(ask: Ask) -> str:
    return f"Could not {ask.action.verb[0].lower()}{ask.action.verb[1:]} {thing(ask.target.name)}"


def _paid(done: Done) -> str:
    if done.cost == 0:
        return ""
    return f" It cost {'about ' if done.estimated else ''}{money(done.cost)}."


def _closing(done: Done, ask: Ask) -> str:
    """Return what happened and what it cost, in one line: ``Fixed `mean`: kimi-k2.6, $0.0011 (parses).``."""
    assert done.answer is not None
    parts = [f"{ask.action.past} {thing(ask.target.name)}: {done.model}"]
    if ask.action.shape == "findings":
        count = len(done.answer.findings)
        parts.append("no finding" if not count else f"{count} finding{'s' * (count > 1)}")
    parts.append("kept, $0" if done.kept else f"{'about ' if done.estimated else ''}{money(done.cost)}")
    proved = done.answer.verdict.proved
    return f"{', '.join(parts)}{f' ({proved})' if proved else ''}."
