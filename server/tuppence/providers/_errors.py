"""Error objects and statuses, on either wire, put into our tree of errors.

A wire does not know who speaks it, so the sentences hold ``{provider}``, ``{address}``, ``{model}`` and ``{key}``;
``named`` fills them in. A message is made of our own words and a provider's short code. A provider's free text stands
only in the remedy, where upstream/ can remove it should it quote the prompt or the key. No status and no code is
retried here; Busy is what may be tried again.
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
"""How a remedy begins that quotes a provider's own words."""
_NEVER = frozenset({400, 401, 402, 403, 404, 413, 422})
_MAYBE_SPENT = frozenset({400, 403, 429})
_TIMING = frozenset({408, 409, 425, 429})
_SPENT = re.compile(
    r"credit balance|insufficient (?:account )?(?:balance|credits?|funds|quota)|(?:billing hard|spend(?:ing)?) limit",
    re.IGNORECASE,
)
"""What the free text of an error says where an account is empty, and its code says nothing of that."""
_CODE = re.compile(r"[A-Za-z][\w.-]{0,59}")
_QUOTED = 200
_ANY_REFUSAL = HTTPStatus.BAD_REQUEST
_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
_ERRORS = range(400, 600)
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
"""Codes by the status that means the same, most telling first: a status that disagrees with its code yields to it."""


def from_status(status: int, headers: Mapping[str, str], body: str) -> TuppenceError:
    """Return the error for an HTTP status of 400 or more and the body that came with it."""
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
        return _error(told, _note(status, codes), _said(payload))  # Such as a 429 that means an empty account.
    if headers.get("x-should-retry") == "true" and status not in _NEVER | _TIMING:
        return _error(_UNAVAILABLE, _note(status, codes), _said(payload))
    return _error(status, _note(status, codes), _said(payload))


def from_object(payload: Mapping[str, object]) -> TuppenceError:
    """Return the error for an error object that came inside a stream, under HTTP 200."""
    codes = _codes(payload)
    number = count(part(payload, "error"), "code", "status") or 0
    meaning = _meaning(codes) or (number if number in _ERRORS else 0)
    return _error(meaning, _note(meaning, codes), _said(payload))


def named(error: TuppenceError, model: Model) -> TuppenceError:
    """Fill in who speaks; the error itself is changed and returned."""
    key = f"the key in {model.provider.key_env}" if model.provider.key_env else "the request, which carried no key"
    provider = model.provider
    words = {"{provider}": provider.name, "{address}": provider.base_url, "{model}": model.id, "{key}": key}
    for mark, word in words.items():
        error.message = error.message.replace(mark, word)
    error.args = (error.message,)
    return error


def _meaning(codes: tuple[str, ...]) -> int:
    """Return the status that the codes stand for; 0 where none is known."""
    return next((status for code, status in _STATUS.items() if code in codes), 0)


def _error(meaning: int, note: str, said: str) -> TuppenceError:
    """Return the error for a status, with what the provider said where that helps."""
    if meaning in _REFUSALS:
        sentence, remedy = _REFUSALS[meaning]
        own = meaning in {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED}  # Their words add nothing here.
        return Refused(f"{sentence} ({note}).", remedy if own else said or remedy)
    if meaning == HTTPStatus.TOO_MANY_REQUESTS:
        return Busy(f"{{provider}} limits how often it may be asked ({note}).", _LATER)
    if meaning in _TIMING or meaning >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Busy(f"{{provider}} cannot answer now ({note}).", _LATER)
    if meaning >= _ANY_REFUSAL:
        return Refused(f"{{provider}} does not accept the request for {{model}} ({note}).", said or _ROW)
    return Broken(f"{{provider}} broke off with an error ({note}).", said or "Ask again, or choose another model.")


def _codes(payload: Mapping[str, object]) -> tuple[str, ...]:
    """Return the short codes that an error object carries, most telling first; free text is left out."""
    error = part(payload, "error")
    found = (text(part(error, "details"), "error_code"), text(error, "code"), text(error, "type"))
    return tuple(code for code in found if _CODE.fullmatch(code))


def _note(status: int, codes: tuple[str, ...]) -> str:
    return ", ".join((*([str(status)] if status else []), *codes[:1])) or "it does not say which"


def _said(payload: Mapping[str, object]) -> str:
    """Return the provider's own words as a remedy: one line, cut short, nothing hidden in it."""
    message = _words(payload)
    return f"{QUOTING}{quoted(message, _QUOTED)}" if message.strip() else ""


def _words(payload: Mapping[str, object]) -> str:
    return text(part(payload, "error"), "message") or text(payload, "error", "message", "detail")
