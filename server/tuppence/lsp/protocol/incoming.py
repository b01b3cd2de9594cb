"""Parse what an editor sent into a message of the protocol's types, or say in one sentence why it is invalid.

Every message passes ``call`` or ``answer`` before a handler sees it, so no handler receives a value of a wrong type.
This module does not act on a message; lsp/protocol/json_rpc.py passes it on or answers it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import attrs
from lsprotocol import types
from pygls.protocol.json_rpc import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    RPCMessage,
)

from tuppence.core.text.shown_text import quoted
from tuppence.lsp.protocol.in_flight import MsgId
from tuppence.lsp.protocol.json_values import Malformed
from tuppence.lsp.protocol.typed_json import identity, read

_VERSION = "2.0"
_DEEPEST = 200
"""The deepest nesting of lists and objects; deeper values can be read, but not written again."""


class NotAMessage(Exception):
    """The data is not a message of the protocol. Holds the error for the answer."""

    def __init__(self, code: int, sentence: str, request: MsgId | None = None) -> None:
        super().__init__(sentence)
        self.code = int(code)
        self.sentence = sentence
        self.request = request
        """The message's id; None if it has none that can be read."""


def parsed(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a message.

    :raises NotAMessage: the data is not a JSON-RPC 2.0 message.
    """
    try:
        data = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise NotAMessage(types.ErrorCodes.ParseError, "The message is not JSON.") from None
    request = identity(data.get("id")) if isinstance(data, dict) else None
    if not isinstance(data, dict) or data.get("jsonrpc") != _VERSION:
        sentence = "The message is not one of JSON-RPC 2.0."
        raise NotAMessage(types.ErrorCodes.InvalidRequest, sentence, request)
    if _is_too_deep(data):
        raise NotAMessage(types.ErrorCodes.InvalidRequest, "The message has too many levels.", request)
    return data


def call(data: dict[str, Any], handles: Callable[[str], bool]) -> RPCMessage:
    """Return a request or a notification.

    :param handles: whether the server handles a method; the parameters of other methods are not checked.
    :raises NotAMessage: it is neither, or its parameters have wrong types.
    """
    request, method = identity(data.get("id")), data["method"]
    if "id" in data and request is None:
        sentence = "The request has no `id` that can be used: it has to be a text or a whole number."
        raise NotAMessage(types.ErrorCodes.InvalidParams, sentence)
    if not isinstance(method, str):
        raise NotAMessage(types.ErrorCodes.InvalidRequest, "`method` has to be a text.", request)
    whole, answered, params, _ = types.METHOD_TO_TYPES.get(method, (None, None, None, None))
    if whole is None or not handles(method):
        given = data.get("params") if handles(method) else None
        if request is None:
            return JsonRPCNotification(method, _VERSION, given)
        return JsonRPCRequestMessage(request, method, _VERSION, given)
    if method == types.EXIT:  # An `exit` in any form is obeyed.
        return cast("RPCMessage", types.ExitNotification())
    if (answered is not None) != (request is not None):
        kind = "request" if answered is not None else "notification"
        raise NotAMessage(types.ErrorCodes.InvalidRequest, f"{_named(method)} is a {kind}.", request)
    fields: dict[str, Any] = {} if request is None else {"id": request}
    try:
        if params is not None:
            fields["params"] = read(data.get("params"), cast("type", params))
    except Malformed as error:
        raise NotAMessage(types.ErrorCodes.InvalidParams, _misfit(method, error), request) from None
    return cast("RPCMessage", whole(**fields))


def answer(data: dict[str, Any], request: MsgId, kind: type | None) -> RPCMessage:
    """Return the editor's answer to one of our requests.

    :param kind: the protocol's type of the answer; None if it has no type.
    :raises NotAMessage: it is not an answer, or its result has a wrong type.
    """
    try:
        if (error := data.get("error")) is not None:
            typed = read(error, types.ResponseError, "error")
            return cast("RPCMessage", types.ResponseErrorMessage(id=request, error=typed))
        result = data.get("result")
        if kind is None:
            return JsonRPCResponseMessage(request, _VERSION, result)
        attrs.resolve_types(kind, types.ALL_TYPES_MAP, {})
        # Some answers have no result in the protocol. What an editor sends there is ignored.
        wanted: Any = attrs.fields_dict(kind)["result"].type or type(None)
        return cast("RPCMessage", kind(id=request, result=read(result, wanted, "result")))
    except Malformed as error:
        sentence = f"The editor's answer is malformed: {error.sentence}"
        raise NotAMessage(types.ErrorCodes.InternalError, sentence, request) from None


def _misfit(method: str, error: Malformed) -> str:
    if not error.path:
        error.path.append("params")
    return f"The parameters of {_named(method)} do not have the form that the protocol gives them: {error.sentence}"


def _named(method: str) -> str:
    return quoted(method, mark="`")


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _is_too_deep(data: object) -> bool:
    """Return whether lists and objects are nested too deeply."""
    level: list[Any] = [data]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
