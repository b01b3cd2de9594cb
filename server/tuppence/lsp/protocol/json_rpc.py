"""JSON-RPC as tuppence implements it: every request is answered exactly once, and a cancel ends its request's work.

The differences from pygls, with reasons:

- ``$/cancelRequest`` also ends the coroutine of a command. pygls answers the request but lets the coroutine continue.
- If we cancel a coroutine ourselves, its request is answered; in pygls that request would stay open forever.
- A message that is not JSON or has wrong fields, and an answer that cannot be written as JSON, are answered with
  errors; in pygls the sender waits forever. No handler receives a value of a wrong type (lsp/protocol/incoming.py).
- A request whose id is already in use, and an answer that matches no request of ours, do not affect pending requests.
- The text of an error is one plain sentence. Tracebacks go only to the log. The messages themselves are never logged,
  because they contain the user's source.
- The futures of inner calls are removed when they are done.
- Text shown to the user is made safe before it is sent, whatever its origin (lsp/protocol/outgoing.py).

This module knows nothing about documents or the source of the bytes.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any
from uuid import uuid4

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import FeatureNotificationError, JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import RPCMessage

from tuppence.core.text.shown_text import quoted
from tuppence.errors import TuppenceError
from tuppence.lsp.protocol import incoming
from tuppence.lsp.protocol.framing import frame
from tuppence.lsp.protocol.in_flight import Callback, MsgId, Requests
from tuppence.lsp.protocol.incoming import NotAMessage
from tuppence.lsp.protocol.outgoing import Outgoing
from tuppence.lsp.protocol.typed_json import identity

Steps = Generator[tuple[Callable[..., Any], tuple[Any, ...], None], Any, Any]
"""A built-in handler of pygls: it yields the handlers that are to run before it goes on."""

_log = logging.getLogger(__name__)
_LOGGED = 200
"""Sentences about what an editor sent that are logged, each once."""
_PATIENCE = 2.0
"""Seconds that cancelled requests get to clean up."""


class Rpc(LanguageServerProtocol):
    """The message layer of one conversation."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        # At INFO it logs each message that goes out, at ERROR each that it could not handle.
        logging.getLogger("pygls.protocol.json_rpc").setLevel(logging.CRITICAL)
        self._requests = Requests()
        self._name = f"edit-{uuid4()}"
        self._asked = 0
        self._logged: set[str] = set()
        self.outgoing = Outgoing()
        """Makes what goes out safe to show."""
        super().__init__(server, converter)

    @property
    def cancelled(self) -> dict[MsgId, bool]:
        """The requests that were cancelled and for which something still runs."""
        return self._requests.cancelled

    def current_request(self) -> MsgId | None:
        """Return the id of the request that the calling handler answers, None for a notification's."""
        return self.msg_id

    def on_cancel(self, request: MsgId, callback: Callback) -> None:
        """Call ``callback`` when the request is cancelled; at once if it was, never if it was answered."""
        self._requests.on_cancel(request, callback)

    def ask_plain(self, method: str, params: dict[str, object]) -> asyncio.Future[Any]:
        """Send a request of ours and return what gives its reply as JSON has it; the fast way, for streamed edits.

        :param params: values of JSON, without a word for a person: they are written as they are.
        """
        self._asked += 1
        request = f"{self._name}-{self._asked}"
        future = self._request_futures[request] = asyncio.get_running_loop().create_future()  # type: ignore[assignment]  # pygls sets a result, as of its own
        self._result_types[request] = None
        self._send_data({"jsonrpc": "2.0", "id": request, "method": method, "params": params})
        return future

    async def wind_up(self) -> None:
        """Cancel what runs for any request but the current one, and wait for it to clean up."""
        running = self._requests.running(apart_from=self.current_request())
        for future in running:
            future.cancel()
        tasks = [future for future in running if isinstance(future, asyncio.Task)]
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)

    def receive(self, body: bytes) -> None:
        """Process one message. An invalid one is answered as far as possible, and dropped."""
        try:
            data = incoming.parsed(body)
        except NotAMessage as error:
            self.refuse(error.request, error.code, error.sentence)
            return
        try:
            message = self._read(data)
        except NotAMessage as error:
            self._reject(data, error)
            return
        if message is None:
            return
        try:
            self.handle_message(message)
        except Exception:  # noqa: BLE001 - one message must not end the conversation
            _log.exception("A message could not be handled: %s", getattr(message, "method", "an answer"))

    def _read(self, data: dict[str, Any]) -> RPCMessage | None:
        """Return a message, or None for a response to an unknown request.

        :raises NotAMessage: it is invalid, or its id is already in use.
        """
        request = identity(data.get("id"))
        if "method" in data:
            # Our own requests' ids are in there too, so that no request can take the place of one that waits.
            if request is not None and request in self._request_futures:
                sentence = "A request with this `id` is under way already."
                raise NotAMessage(types.ErrorCodes.InvalidRequest, sentence, request)
            return incoming.call(data, self.handles)
        if request is None or request not in self._result_types:
            self._log_once("An answer to no request of ours was dropped.")
            return None
        return incoming.answer(data, request, self._result_types.pop(request))

    def handles(self, method: str) -> bool:
        """Return whether a handler exists that reads a method's parameters."""
        return method in self.fm.builtin_features or method in self.fm.features or method == types.CANCEL_REQUEST

    def handle_message(self, message: RPCMessage) -> None:
        """Pass a message on, in its own context.

        pygls checks by name which of four protocols each message implements, which takes longer than most handlers.
        """
        context = contextvars.copy_context()
        method: str | None = getattr(message, "method", None)
        request: Any = getattr(message, "id", None)
        if method is None:
            result, error = getattr(message, "result", None), getattr(message, "error", None)
            context.run(self._handle_response, request, result, error)
        elif request is not None:
            context.run(self._handle_request, request, method, getattr(message, "params", None))
        else:
            context.run(self._handle_notification, method, getattr(message, "params", None))

    def refuse(self, request: MsgId | None, code: int, sentence: str) -> None:
        """Answer a request with an error; None where its id could not be read."""
        error = types.ResponseErrorMessage(id=request, error=types.ResponseError(code=int(code), message=sentence))
        self._send_data(error)

    def _reject(self, data: dict[str, Any], why: NotAMessage) -> None:
        """Answer a message with wrong fields; if it is itself an answer, fail the request that it belongs to."""
        if "method" not in data and why.request is not None:
            self._handle_response(why.request, None, types.ResponseError(code=why.code, message=why.sentence))
        elif "id" in data:
            self.refuse(why.request, why.code, why.sentence)
        else:
            self._log_once(f"A notification was ignored. {why.sentence}")
            self.ignored(data)

    def ignored(self, data: dict[str, Any]) -> None:
        """Handle a notification that was ignored because its fields are wrong. Subclasses override this."""

    def _log_once(self, sentence: str) -> None:
        """Log a sentence once, because it may occur a thousand times, for example at every key."""
        if sentence not in self._logged and len(self._logged) < _LOGGED:
            self._logged.add(sentence)
            _log.warning("%s", sentence)

    def _handle_request(self, msg_id: MsgId, method_name: str, params: Any) -> None:
        """Run a request's handler, if there is one."""
        if self.handles(method_name):
            super()._handle_request(msg_id, method_name, params)
        else:
            sentence = f"There is no method {quoted(method_name, mark='`')} here."
            self.refuse(msg_id, types.ErrorCodes.MethodNotFound, sentence)

    def _execute_handler(
        self,
        msg_id: MsgId,
        handler: Callable[..., Any],
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Run a handler, noting the request that it runs for: a command's coroutine has an id of its own."""
        request = self.current_request()

        def finished(future: Future[Any]) -> None:
            self._request_futures.pop(msg_id, None)
            if request is not None:
                self._requests.ended(request, future)
            callback(future)

        super()._execute_handler(msg_id, handler, finished, args, kwargs)
        future = self._request_futures.get(msg_id)
        if request is not None and future is not None:
            self._requests.started(request, future)

    def _run_generator(self, future: Future[Any] | None, *, gen: Steps, result_future: Future[Any]) -> None:
        """Continue after an inner handler. If we cancelled that one ourselves, its request also ends as cancelled."""
        if future is not None and future.cancelled():
            gen.close()
            result_future.cancel()
            return
        super()._run_generator(future, gen=gen, result_future=result_future)

    def _handle_cancel_notification(self, msg_id: MsgId) -> None:
        """End the work for a request. One that was already answered is ignored, and so is the id of one of ours."""
        outer = self._request_futures.get(msg_id)
        if outer is None or msg_id in self._result_types:
            return
        for inner in self._requests.cancel(msg_id):
            if inner is not outer:
                inner.cancel()
        super()._handle_cancel_notification(msg_id)

    def _handle_response(self, msg_id: MsgId, result: Any = None, error: types.ResponseError | None = None) -> None:
        """Pass the editor's answer on, unless the request was cancelled or is unknown."""
        future = self._request_futures.get(msg_id)
        if future is None or future.cancelled():
            self._request_futures.pop(msg_id, None)
            return
        super()._handle_response(msg_id, result, error)

    def _send_handler_result(self, future: Future[Any], *, msg_id: MsgId) -> None:
        """Answer a request."""
        error = None if future.cancelled() else future.exception()
        if error is None or isinstance(error, JsonRpcException):
            super()._send_handler_result(future, msg_id=msg_id)
        elif isinstance(error, TuppenceError):
            self.refuse(msg_id, types.LSPErrorCodes.RequestFailed, explain(error))
        else:
            self.refuse(msg_id, types.ErrorCodes.InternalError, explain(error))

    def _check_handler_result(self, future: Future[Any]) -> None:
        """Report an error in a notification, because a notification has no answer that could carry it."""
        if not future.cancelled() and isinstance(error := future.exception(), Exception):
            self._server._report_server_error(error, FeatureNotificationError)  # noqa: SLF001 - pygls' own seam

    def _send_response(self, msg_id: MsgId, result: Any = None, error: types.ResponseError | None = None) -> None:
        """Send an answer; pygls puts a traceback into the data of its errors, which stays here."""
        if error is not None:
            error = types.ResponseError(code=error.code, message=error.message)
        super()._send_response(msg_id, result, error)

    def _send_data(self, data: Any) -> None:
        """Send a message; one that can't be written as JSON fails the request that it belongs to."""
        if self.writer is None:
            return
        try:
            body = json.dumps(self.outgoing.cleaned(data), default=self._serialize_message).encode("ascii")
        except Exception as error:  # noqa: BLE001 - converters raise what they like
            self._fail(data, error)
            return
        self.writer.write(frame(body))

    def _serialize_message(self, data: Any) -> Any:
        """Return a message as JSON has it; an error's id is there even where it is null, as JSON-RPC asks."""
        made = super()._serialize_message(data)
        return {"id": None, **made} if isinstance(data, types.ResponseErrorMessage) else made

    def _fail(self, data: Any, error: Exception) -> None:
        request, asked = getattr(data, "id", None), hasattr(data, "method")
        if request is not None and asked:
            self._request_futures.pop(request).set_exception(error)
        elif request is not None:
            self.refuse(request, types.ErrorCodes.InternalError, explain(error))
        else:
            self._server._report_server_error(error, FeatureNotificationError)  # noqa: SLF001 - pygls' own seam


def explain(error: BaseException) -> str:
    """Return one sentence for the user. If the error is a bug in tuppence, its traceback goes to the log."""
    if isinstance(error, TuppenceError | JsonRpcException):
        return str(error)
    _log.error("An error that tuppence did not expect", exc_info=error)
    return f"tuppence made a mistake ({type(error).__name__}); its log says more."
