"""One editor connection, as the rest of the server uses it: requests and notifications to the editor.

All output to the editor passes through this class, which respects the client's capabilities; lsp/protocol/outgoing.py
makes the text in it safe. What is said is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import unquote
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from tuppence.core.billing import budget
from tuppence.core.billing.entry import payload
from tuppence.core.text.document import Span
from tuppence.core.text.shown_text import quoted, short
from tuppence.engine.session import Session
from tuppence.errors import TuppenceError
from tuppence.lsp.documents.capabilities import ClientCapabilities
from tuppence.lsp.documents.convert import Encoding, to_range
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.output.active_runs import Running
from tuppence.lsp.output.run_progress import NoProgress, RunProgress
from tuppence.lsp.output.stream_pace import StreamPace
from tuppence.lsp.protocol.lifecycle import Protocol

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_LONGEST = 60
"""Maximum number of characters of a file name that are shown."""
REPLY = 10.0
"""Seconds that the editor may take to answer a request that does not involve the user."""
APPLY = 600.0
"""Seconds for an edit: Emacs may ask its user first (``eglot-confirm-server-edits``,
https://www.gnu.org/software/emacs/manual/html_node/eglot/Eglot-Variables.html). Stopping the run ends the wait."""


class EditorClient:
    """The connected editor."""

    def __init__(self, server: LanguageServer, session: Session) -> None:
        assert isinstance(server.protocol, Protocol)
        self._server = server
        self._protocol: Protocol = server.protocol
        self.session = session
        self.pace = StreamPace()
        """Schedules the drafts of answers that stream at one time."""
        self.documents.on_excess = self._explain_excess

    @property
    def capabilities(self) -> ClientCapabilities:
        """What the editor supports."""
        return self._protocol.client

    @property
    def documents(self) -> Documents:
        """The open documents."""
        return self._protocol.documents

    @property
    def encoding(self) -> Encoding:
        """The unit of columns."""
        return self._protocol.encoding

    async def apply(self, edit: types.WorkspaceEdit, label: str) -> bool:
        """Ask the editor to apply an edit; return its reply, False if it does not reply in time."""
        params = types.ApplyWorkspaceEditParams(edit=edit, label=label)
        result = await self._answer(self._server.workspace_apply_edit_async(params), APPLY)
        if result is not None and result.failure_reason:
            self.log(f"The editor refused an edit: {quoted(result.failure_reason)}")
        return result is not None and bool(result.applied)

    async def draft(self, params: dict[str, object]) -> bool:
        """Ask a live client to apply one streamed edit; return its reply."""
        edits = params["edits"]
        if isinstance(edits, list):
            # Field by field: pygls' converter takes longer for an edit than all other work on a line.
            params = params | {"edits": [_plain(each) for each in edits]}
        reply = await self._answer(self._protocol.ask_plain("tuppence/edit", params))
        return isinstance(reply, dict) and reply.get("applied") is True

    async def request(self, method: str, params: dict[str, object], seconds: float) -> Any:
        """Send a custom request; return its result as JSON, None if there is none in time."""
        return await self._answer(self._protocol.send_request_async(method, params), seconds)

    def notify(self, method: str, params: dict[str, object]) -> None:
        """Send a custom notification; a client that does not know it ignores it."""
        self._protocol.notify(method, params)

    def announce(self, running: Running, state: str, line: str, outcome: str, span: Span | None) -> None:
        """Notify a client that follows runs of the progress of one (docs/protocol.md)."""
        if not (self.capabilities.status or self.capabilities.streams):
            return
        params: dict[str, object] = {"run": running.id, "title": running.title, "uri": running.uri, "state": state}
        document = self.documents.get(running.uri)
        if document is not None and span is not None:
            params["range"] = to_range(document, span, self.encoding)
        if outcome:
            params["outcome"] = outcome
        self.notify("tuppence/run", params | {"line": line})

    def say(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Show one sentence to the user."""
        self._server.window_show_message(types.ShowMessageParams(type=kind, message=message))

    def without_keys(self, text: str) -> str:
        """Return a text without the API keys in use, for text that is shown in a file."""
        return self._protocol.outgoing.hide(text)

    def _explain_excess(self, uri: str, why: str) -> None:
        """Tell the user why a file is not parsed by its language's grammar."""
        name = short(unquote(uri.rpartition("/")[2]), _LONGEST)
        self.say(f"{name} {why}; it is read by indentation.")

    def log(self, message: str) -> None:
        """Write a line to the editor's log of this server."""
        self._server.window_log_message(types.LogMessageParams(type=types.MessageType.Info, message=message))

    async def choose(self, question: str, answers: tuple[str, ...]) -> str | None:
        """Ask the user a question; return the chosen answer, None if the question was dismissed."""
        # The editor returns the title as it was shown.
        by_title = {self._protocol.outgoing.text(answer, "line"): answer for answer in answers}
        actions = [types.MessageActionItem(title=title) for title in by_title]
        params = types.ShowMessageRequestParams(type=types.MessageType.Info, message=question, actions=actions)
        try:
            picked = await self._server.window_show_message_request_async(params)
        except JsonRpcException:
            return None
        return by_title.get(picked.title) if picked else None

    async def show(self, uri: str) -> bool:
        """Open a file in the editor; return whether it did."""
        return await self._show(types.ShowDocumentParams(uri=uri, external=False, take_focus=False))

    async def show_outside(self, uri: str) -> bool:
        """Open a page in the user's browser; return whether the editor did."""
        return await self._show(types.ShowDocumentParams(uri=uri, external=True))

    async def _show(self, params: types.ShowDocumentParams) -> bool:
        if not self.capabilities.show_document:
            return False
        result = await self._answer(self._server.window_show_document_async(params))
        return result is not None and bool(result.success)

    def publish(self, uri: str, version: int | None, diagnostics: list[types.Diagnostic]) -> None:
        """Replace all diagnostics of this server on a document."""
        params = types.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=diagnostics)
        self._server.text_document_publish_diagnostics(params)

    async def show_cost(self) -> None:
        """Send the current totals to clients that show them, and show pending warnings about the ledger."""
        session = self.session
        try:
            summary, spent = await session.ledger_writer.totals()
        except TuppenceError as error:
            session.ledger_writer.warn(str(error))
        else:
            self.notify("tuppence/cost", payload(summary) | {"budget": budget.payload(session.limits(), spent)})
        for sentence in session.ledger_writer.take_warnings():
            self.say(sentence, types.MessageType.Warning)

    @contextlib.asynccontextmanager
    async def progress(self, title: str, cancel: Callable[[], None]) -> AsyncIterator[RunProgress | NoProgress]:
        """Show progress during the block; yields an object that takes each new line.

        :param cancel: called when the user cancels the progress.
        """
        if not self.capabilities.progress:
            yield NoProgress()
            return
        progress = RunProgress(_EditorProgress(self._protocol, self._is_done, title, cancel))
        try:
            yield progress
        finally:
            await progress.end()

    async def _is_done(self, request: Awaitable[object]) -> bool:
        """Wait for the reply to a request; report whether it was not an error."""

        async def reply() -> bool:
            await request
            return True

        return bool(await self._answer(reply()))

    async def _answer(self, request: Awaitable[_T], seconds: float = REPLY) -> _T | None:
        """Return the editor's reply to a request; None for an error, after a timeout, or if the editor is gone."""
        asked = asyncio.ensure_future(request)
        lost = asyncio.ensure_future(self._protocol.ended.wait())
        try:
            await asyncio.wait((asked, lost), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        except JsonRpcException as error:
            _log.info("The editor answered with an error: %s", error)
            return None
        finally:
            asked.cancel()
            lost.cancel()


class _EditorProgress:
    """One progress at the editor."""

    def __init__(
        self,
        protocol: Protocol,
        is_done: Callable[[Awaitable[object]], Awaitable[bool]],
        title: str,
        cancel: Callable[[], None],
    ) -> None:
        self._protocol = protocol
        self._is_done = is_done
        self._title = title
        self._cancel = cancel
        self._token = f"tuppence-{uuid4()}"

    async def open(self) -> bool:
        """Ask the editor for it and begin it; report whether the editor agreed."""
        progress = self._protocol.progress
        if not await self._is_done(progress.create_async(self._token)):
            return False
        self._protocol.on_progress_cancel(self._token, self._cancel)
        progress.begin(self._token, types.WorkDoneProgressBegin(title=self._title, cancellable=True))
        return True

    def send(self, line: str) -> None:
        """Show a line."""
        self._protocol.progress.report(self._token, types.WorkDoneProgressReport(message=line, cancellable=True))

    def close(self) -> None:
        """End it."""
        self._protocol.progress.end(self._token, types.WorkDoneProgressEnd())


def _plain(edit: types.TextEdit) -> dict[str, object]:
    """Return an edit as the protocol writes it."""
    start, end = edit.range.start, edit.range.end
    where = {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
    return {"range": where, "newText": edit.new_text}
