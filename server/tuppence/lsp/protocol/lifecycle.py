"""The Language Server Protocol's life cycle: initialization, documents, progress, shutdown.

The differences from pygls, with reasons: documents go to ``Documents``, because pygls' store would corrupt some of them
and do the work twice (its workspace folders stay in use); a progress token is removed when its progress ends, while
pygls keeps it forever; a message that arrives too early or too late is refused as the protocol requires; ``exit`` ends
the conversation, not the process from inside a callback.

This module does not know what a command does. lsp/protocol/json_rpc.py answers and cancels requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.progress import Progress
from pygls.protocol import lsp_method
from pygls.protocol.json_rpc import RPCMessage

from tuppence.core.text.shown_text import quoted
from tuppence.lsp.documents.capabilities import ClientCapabilities, recognize
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.protocol.in_flight import Callback, Callbacks
from tuppence.lsp.protocol.json_rpc import Rpc, Steps, explain

if TYPE_CHECKING:
    from tuppence.lsp.documents.change_order import ChangeReorderer

_log = logging.getLogger(__name__)
_NOTEBOOKS = (
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
)


class Protocol(Rpc):
    """One conversation with one editor."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        self.documents = Documents()
        """The open documents."""
        self._reorderer: ChangeReorderer | None = None
        """Puts changes in the order in which they were made; loaded with the first document."""
        self.client = ClientCapabilities(name="")
        """The connected client; known from ``initialize`` on."""
        self.experimental: dict[str, Any] = {}
        """The experimental capabilities in the answer to ``initialize``."""
        self.began = asyncio.Event()
        """Set by ``initialize``."""
        self.ended = asyncio.Event()
        """Set by ``exit``."""
        super().__init__(server, converter)
        for method in _NOTEBOOKS:  # They are not offered, and pygls' own store of them is not used.
            self.fm.builtin_features.pop(method, None)
        self._progress_callbacks = Callbacks()
        self.progress = _Progress(self, self._progress_callbacks)

    @property
    def encoding(self) -> Encoding:
        """The client's unit for columns; known from ``initialize`` on."""
        return Encoding(self._workspace.position_encoding) if self._workspace else Encoding.Utf16

    @property
    def exit_code(self) -> int:
        """The process's exit code if it ends now: ending without ``shutdown`` is a failure."""
        return 0 if self._shutdown else 1

    def on_progress_cancel(self, token: types.ProgressToken, callback: Callback) -> None:
        """Call ``callback`` when the user cancels that progress, unless it ends before."""
        self._progress_callbacks.add(token, callback)

    def handle_message(self, message: RPCMessage) -> None:
        """Pass a message on, unless it arrives before ``initialize`` or after ``shutdown``."""
        method = getattr(message, "method", "")
        too_early = not self.began.is_set() and method not in (types.INITIALIZE, types.EXIT, "")
        too_late = self._shutdown or (self.began.is_set() and method == types.INITIALIZE)
        request = getattr(message, "id", None) if method else None
        if request is not None and too_early:
            self.refuse(request, types.ErrorCodes.ServerNotInitialized, "`initialize` has to come first.")
        elif request is not None and too_late:
            self.refuse(request, types.ErrorCodes.InvalidRequest, f"It is too late for {quoted(method, mark='`')}.")
        elif not too_early:
            super().handle_message(message)

    def ignored(self, data: dict[str, Any]) -> None:
        """Mark a document as lost if a change could not be read, because the editor's text now differs from ours."""
        if data["method"] in (types.TEXT_DOCUMENT_DID_CHANGE, types.TEXT_DOCUMENT_DID_OPEN):
            params = data.get("params")
            item = params.get("textDocument") if isinstance(params, dict) else None
            uri = item.get("uri") if isinstance(item, dict) else None
            if isinstance(uri, str):
                self.documents.lose(uri)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Steps:
        """Record the client's capabilities, and return those of the server."""
        params = _rooted(params)
        self.client = recognize(params)
        self.documents.breaks_at_cr = self.client.breaks_at_cr
        result = yield from super().lsp_initialize(params)
        result.capabilities.experimental = self.experimental or None
        self.began.set()
        return result

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Steps:
        """Take in a document."""
        item = params.text_document
        self._arrivals().forget(item.uri)
        self.documents.open(item.uri, str(item.language_id), item.version, item.text)
        yield from self._own(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Steps:
        """Take in a document's changes."""
        uri, version = params.text_document.uri, params.text_document.version

        def take() -> None:
            self.documents.change(uri, version, params.content_changes, self.encoding)

        if self.client.overtakes:
            self._arrivals().arrive(uri, version, take)
        else:
            take()
        yield from self._own(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Steps:
        """Forget a document."""
        self._arrivals().forget(params.text_document.uri)
        self.documents.close(params.text_document.uri)
        yield from self._own(types.TEXT_DOCUMENT_DID_CLOSE, params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Steps:
        """Run a command, if one with that name exists."""
        if params.command not in self.fm.commands:
            raise JsonRpcInvalidParams(f"There is no command {quoted(params.command, mark='`')} here.")
        return (yield from super().lsp_workspace__execute_command(params))

    @lsp_method(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def lsp_work_done_progress_cancel(self, params: types.WorkDoneProgressCancelParams) -> Steps:
        """Call the callbacks for a cancel by the user. A progress that has already ended is ignored."""
        self._progress_callbacks.call(params.token)
        if (future := self.progress.tokens.get(params.token)) is not None:
            future.cancel()
        yield from self._own(types.WINDOW_WORK_DONE_PROGRESS_CANCEL, params)

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Steps:
        """Let all running work clean up, then answer. Requests are refused from now on."""
        self._shutdown = True
        yield from self._own(types.SHUTDOWN, *args)
        yield self.wind_up, (), None

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Steps:
        """Mark the conversation as ended; the transport ends it."""
        yield from self._own(types.EXIT, *args)
        self.ended.set()

    def _arrivals(self) -> ChangeReorderer:
        from tuppence.lsp.documents.change_order import ChangeReorderer

        if self._reorderer is None:
            self._reorderer = ChangeReorderer(self._version)
        return self._reorderer

    def _version(self, uri: str) -> int | None:
        document = self.documents.get(uri)
        return document.version if document is not None else None

    def _own(self, method: str, *args: Any) -> Steps:
        """Run the handler, if any, that the server registered for a method that is also built in."""
        if (handler := self.fm.features.get(method)) is not None:
            yield handler, args, None


class Server(LanguageServer):
    """A language server that speaks ``Protocol``."""

    protocol: Protocol

    def __init__(self, name: str, version: str) -> None:
        super().__init__(name, version, protocol_cls=Protocol)
        self.at_end: list[Callable[[], Awaitable[None]]] = []
        """Awaited in turn when the conversation is over, however it ended."""
        self._shown: set[str] = set()

    async def tidy_up(self) -> None:
        """Run all clean-up work at the end, even if part of it fails."""
        for step in self.at_end:
            try:
                await step()
            except Exception:  # noqa: BLE001 - the others still have to be done
                _log.exception("A part of the clean-up failed")

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Show one sentence, and each only once: a bug in ``didChange`` would recur at every key."""
        sentence = explain(error)
        # The answer to the request already contains the error.
        if source is FeatureRequestError or sentence in self._shown:
            return
        self._shown.add(sentence)
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, sentence))


def _rooted(params: types.InitializeParams) -> types.InitializeParams:
    """Return the parameters with the root only as a URI, because pygls fails on some paths."""
    path, uri = params.root_path, params.root_uri
    if not uri and path:
        with contextlib.suppress(ValueError):  # The path is not absolute.
            uri = Path(path).as_uri()
    return attrs.evolve(params, root_path=None, root_uri=uri or None)


class _Progress(Progress):
    """pygls' progress, which forgets a token when its progress ends."""

    def __init__(self, protocol: Protocol, callbacks: Callbacks) -> None:
        super().__init__(protocol)
        self._callbacks = callbacks

    def end(self, token: types.ProgressToken, value: types.WorkDoneProgressEnd) -> None:
        """Tell the client that the work has ended."""
        super().end(token, value)
        self.tokens.pop(token, None)
        self._callbacks.forget(token)
