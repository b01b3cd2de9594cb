"""Map error objects and statuses of both wires to tuppence's errors.

A wire does not know the provider, so messages contain ``{provider}``, ``{address}``, ``{model}`` and ``{key}``, which
``named`` fills in. A message consists of tuppence's own words and the provider's short code. The provider's free text
is only in the remedy, where upstream/ can remove it if it quotes the prompt or the key. This module does not retry;
Busy marks errors for which a retry makes sense.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from tuppence.core.models.model import Model
from tuppence.core.text.shown_text import quoted
from tuppence.errors import Broken, Busy, Refused, TuppenceError
from tuppence.providers._json import count, parse, part, text

QUOTING = "It says: "
"""The start of a remedy that quotes a provider."""
_NEVER = frozenset({400, 401, 402, 403, 404, 413, 422})
_MAYBE_SPENT = frozenset({400, 403, 429})
_TIMING = frozenset({408, 409, 425, 429})
_SPENT = re.compile(
    r"credit balance|insufficient (?:account )?(?:balance|credits?|funds|quota)|(?:billing hard|spend(?:ing)?) limit",
    re.IGNORECASE,
)
"""Matches the free text of an error about an empty account whose code does not say so."""
_CODE = re.compile(r"[A-Za-z][\w.-]{0,59}")
_QUOTED = 200
_ANY_REFUSAL = HTTPStatus.BAD_REQUEST
_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
_ERRORS = range(400, 600)
_ANSWERING = frozenset({"choices", "usage", "delta", "content_block", "timings"})
"""Keys of an event that is part of an answer."""
_LATER = "Try again in a moment, or choose another model."
_ROW = "Check the model's row in the configuration."
_REFUSALS: Mapping[int, tuple[str, str]] = {
    401: ("{provider} refused {key}", "Set a valid key, then ask again."),
    402: ("{provider} will not serve this account", "Check its credit or its spending limit."),
    403: ("{provider} does not let {key} use {model}", "Check what the key may be used for."),
    404: ("{provider} does not know {model}", "Check its id and the provider's base_url."),
    407: (
        "The proxy before {provider} wants a name and a password",
        "Write them into HTTPS_PROXY: http://name:password@host:port is understood.",
    ),
    413: ("The request is too long for {model} at {provider}", "Select less, or choose a model with a larger context."),
    511: (
        "The network wants you to sign in before {provider} can be reached",
        "Sign in with a browser, then ask again.",
    ),
}
_STATUS = {
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "insufficient_balance": 402,
    "billing_hard_limit_reached": 402,
    "billing_not_active": 402,
    "enforced_spend_limit_reached": 402,
    "exceeded_current_quota_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "context_length_exceeded": 413,
    "exceed_context_size_error": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "unavailable_error": 503,
    "engine_overloaded_error": 503,
    "insufficient_system_resource": 503,
    "network_error": 503,
    "timeout_error": 504,
    "overloaded_error": 529,
    "invalid_request_error": 400,
}
"""Codes by the equivalent status, most specific first; if status and code disagree, the code is used."""


def from_status(status: int, headers: Mapping[str, str], body: str) -> TuppenceError:
    """Return the error for an HTTP status of 400 or more and its body."""
    try:
        payload = parse(body)
    except TuppenceError:
        payload = {}
    codes = _codes(payload)
    told = _meaning(codes)
    if (
        status in _MAYBE_SPENT
        and not {"retry-after", "retry-after-ms"} & headers.keys()
        and _SPENT.search(_words(payload))
    ):
        told = int(HTTPStatus.PAYMENT_REQUIRED)
    if told in _NEVER and told != _ANY_REFUSAL:
        return _error(told, _note(status, codes), _said(payload))  # For example a 429 that means an empty account.
    if headers.get("x-should-retry") == "true" and status not in _NEVER | _TIMING:
        return _error(_UNAVAILABLE, _note(status, codes), _said(payload))
    return _error(status, _note(status, codes), _said(payload))


def answer_part(event: str, data: str) -> Mapping[str, object]:
    """Return the object of a server-sent event that is part of an answer.

    :raises TuppenceError: it is an error in any server's form, or not a JSON object.
    """
    if event == "error":
        raise _from_text(data)
    payload = parse(data)
    if payload.get("error") or "error" in (payload.get("type"), payload.get("object")) or _is_bare_error(payload):
        raise from_object(payload)
    return payload


def from_object(payload: Mapping[str, object]) -> TuppenceError:
    """Return the error for an error object inside a stream with HTTP status 200."""
    codes = _codes(payload)
    number = _number(_inner(payload))
    meaning = _meaning(codes) or (number if number in _ERRORS else 0)
    return _error(meaning, _note(meaning, codes), _said(payload))


def named(error: TuppenceError, model: Model) -> TuppenceError:
    """Fill in the provider's names; the error itself is changed and returned."""
    key = f"the key in {model.provider.key_env}" if model.provider.key_env else "the request, which carried no key"
    provider = model.provider
    words = {"{provider}": provider.name, "{address}": provider.base_url, "{model}": model.id, "{key}": key}
    for mark, word in words.items():
        error.message = error.message.replace(mark, word)
    error.args = (error.message,)
    return error


def _meaning(codes: tuple[str, ...]) -> int:
    """Return the status that the codes mean; 0 if none is known."""
    return next((status for code, status in _STATUS.items() if code in codes), 0)


def _error(meaning: int, note: str, said: str) -> TuppenceError:
    """Return the error for a status, with the provider's own text if that helps."""
    if meaning in _REFUSALS:
        sentence, remedy = _REFUSALS[meaning]
        own = meaning in {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED}  # Their text adds nothing here.
        return Refused(f"{sentence} ({note}).", remedy if own else said or remedy)
    if meaning == HTTPStatus.TOO_MANY_REQUESTS:
        return Busy(f"{{provider}} limits how often it may be asked ({note}).", _LATER)
    if meaning in _TIMING or meaning >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Busy(f"{{provider}} cannot answer now ({note}).", _LATER)
    if meaning >= _ANY_REFUSAL:
        return Refused(f"{{provider}} does not accept the request for {{model}} ({note}).", said or _ROW)
    return Broken(f"{{provider}} broke off with an error ({note}).", said or "Ask again, or choose another model.")


def _is_bare_error(payload: Mapping[str, object]) -> bool:
    """Report whether an object has the fields of an error without ``error`` around them, as some servers send it."""
    if _ANSWERING.intersection(payload):
        return False
    is_known = bool(_meaning(_codes(payload))) or _number(payload) in _ERRORS
    return isinstance(payload.get("detail"), str) or (isinstance(payload.get("message"), str) and is_known)


def _from_text(data: str) -> TuppenceError:
    """Return the error for an event named ``error``, whatever its data."""
    try:
        return from_object(parse(data))
    except Broken:
        return from_object({"error": data})


def _inner(payload: Mapping[str, object]) -> Mapping[str, object]:
    """Return the object that describes the error: the one under ``error``, else the whole."""
    return part(payload, "error") or payload


def _number(error: Mapping[str, object]) -> int:
    """Return the status in an error object, as a number or as digits; 0 if there is none."""
    written = text(error, "code", "status")
    if written.isascii() and written.isdigit() and len(written) == len("500"):
        return int(written)
    return count(error, "code", "status") or 0


def _codes(payload: Mapping[str, object]) -> tuple[str, ...]:
    """Return the short codes in an error object, most specific first; free text is left out."""
    error = _inner(payload)
    found = (text(part(error, "details"), "error_code"), text(error, "code"), text(error, "type"))
    return tuple(code for code in found if _CODE.fullmatch(code) and code != "error")


def _note(status: int, codes: tuple[str, ...]) -> str:
    return ", ".join((*([str(status)] if status else []), *codes[:1])) or "it does not say which"


def _said(payload: Mapping[str, object]) -> str:
    """Return the provider's own text as a remedy: one line, shortened, without hidden characters."""
    message = _words(payload)
    return f"{QUOTING}{quoted(message, _QUOTED)}" if message.strip() else ""


def _words(payload: Mapping[str, object]) -> str:
    return text(part(payload, "error"), "message") or text(payload, "error", "message", "detail")
