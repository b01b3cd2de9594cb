"""Anthropic's Messages API, also spoken by DeepSeek, Kimi, LM Studio, Ollama and llama.cpp.

Its prompt counts exclude cached tokens. Each ``message_delta`` repeats the counts cumulatively, so the latest replaces
the earlier ones (https://platform.claude.com/docs/en/build-with-claude/streaming). Requests use no tools, images or
prefilled answers. A prompt without an answer (``max_output`` 0) only warms the cache: it has no tail, and its response
is one JSON object, because such a request cannot be streamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import Broken, TuppenceError
from tuppence.providers._errors import answer_part, from_status
from tuppence.providers._json import attempt, count, model_name, part, parts, text
from tuppence.providers.wire import CALLED, Awaited, HttpRequest, ProviderEvent, Stop, Text, Thinking, UsageReport

warms = True
_VERSION = "2023-06-01"
# Every server with this format supports this version (https://platform.claude.com/docs/en/api/versioning). The next
# one, 2026-10-21, changes nothing in these requests except that it rejects any temperature, which older models and
# other vendors' rows may still need.
_REASONS: Mapping[str, Literal["end", "length", "refused"]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}
_CALLS = frozenset({"tool_use", "input_json_delta", "server_tool_use", "mcp_tool_use"})
_DONE = "[DONE]"


def request(prompt: Prompt, model: Model, key: str | None) -> HttpRequest:
    """Translate a prompt into an HTTP request."""
    system, *shared = (_block(each) for each in (prompt.system, *prompt.shared))
    mark = {"type": "ephemeral", **({"ttl": prompt.life} if prompt.life else {})}
    for at in prompt.marks:
        (system, *shared)[at]["cache_control"] = mark
    tail = [_block(prompt.tail)] if prompt.tail else []
    body: dict[str, object] = {
        "model": model.id,
        "max_tokens": min(prompt.max_output, model.max_output),
        "stream": prompt.max_output > 0,
        "system": [system],
        "messages": [{"role": "user", "content": [*shared, *tail]}],
    }
    if model.quirks.temperature is not None:
        body["temperature"] = model.quirks.temperature
    headers = {"anthropic-version": _VERSION, **({"x-api-key": key} if key else {})}
    url = f"{model.provider.base_url.rstrip('/')}/v1/messages"
    return HttpRequest(url, headers, {**body, **model.quirks.cache_options, **model.quirks.thinking_off})


def decoder() -> _AnthropicDecoder:
    """Return a decoder for one answer."""
    return _AnthropicDecoder()


def failure(status: int, headers: Mapping[str, str], body: str) -> TuppenceError:
    """Return the error for an HTTP status of 400 or more; header names must be in lower case."""
    return from_status(status, headers, body)


class _AnthropicDecoder:
    """Decodes one answer: text as it arrives, counts as they grow, and at the end the reason to stop."""

    def __init__(self) -> None:
        self.identity = self.served = ""
        self._counts: dict[str, object] = {}
        self._reason: str | None = None
        self._is_counted = False
        """Whether counts came with or after the reason to stop."""
        self._stopped = self._spoke = self._called = False

    @property
    def awaits(self) -> Awaited:
        """What of the answer is still awaited."""
        if self._reason is None:
            return "words"
        return "mark" if self._is_counted else "counts"

    def feed(self, event: str, data: str) -> Iterable[ProviderEvent]:
        """Take one server-sent event; gateways may end a stream with OpenAI's mark."""
        if data.strip() in ("", _DONE):
            return
        payload = answer_part(event, data)
        match text(payload, "type") or event:
            case "message_start":
                self.identity = text(part(payload, "message"), "id")
                self.served = model_name(part(payload, "message"))
                counts = part(part(payload, "message"), "usage")
                # Its count of answer tokens covers only what exists at that time, which is almost nothing.
                yield from self._metered({name: value for name, value in counts.items() if name != "output_tokens"})
            case "content_block_start":
                yield from self._said(part(payload, "content_block"))
            case "content_block_delta":
                yield from self._said(part(payload, "delta"))
            case "message_delta":
                self._reason = text(part(payload, "delta"), "stop_reason") or self._reason
                yield from self._metered(part(payload, "usage"))
            case "message_stop":
                yield from self._stop(self._reason or "")
            case "message" if text(payload, "type"):  # The whole response in one object.
                self.identity = self.identity or text(payload, "id")
                for each in () if self._spoke else parts(payload, "content"):
                    yield from self._said(each)
                yield from self._metered(part(payload, "usage"))
                yield from self._stop(text(payload, "stop_reason"))

    def is_whole(self, data: str) -> bool:
        """Report whether a text is a message with its reason to stop."""
        payload = attempt(data)
        is_message = text(payload, "type") == "message" and isinstance(payload.get("content"), list)
        return is_message and bool(text(payload, "stop_reason"))

    def finish(self) -> Iterable[ProviderEvent]:
        """Take the end of the stream; a stop reason without ``message_stop`` still means a complete answer."""
        if self._stopped:
            return
        if self._reason is None:
            raise Broken("{provider} ended before the answer did.", "Ask again, or choose another model.")
        yield from self._stop(self._reason)

    def _stop(self, reason: str) -> Iterable[ProviderEvent]:
        if not self._stopped:
            self._stopped = True
            yield Stop(_REASONS.get(reason, "end"), CALLED if self._called and reason not in _REASONS else reason)

    def _said(self, part_of_it: Mapping[str, object]) -> Iterable[ProviderEvent]:
        self._called = self._called or text(part_of_it, "type") in _CALLS
        for event in _content(part_of_it):
            self._spoke = True
            yield event

    def _metered(self, counts: Mapping[str, object]) -> Iterable[ProviderEvent]:
        known = {name: value for name, value in counts.items() if value is not None}
        if known:
            self._counts |= known
            self._is_counted = self._reason is not None
            yield UsageReport(_usage(self._counts))


def _content(part_of_it: Mapping[str, object]) -> Iterable[ProviderEvent]:
    """Return what a block's start or delta adds; signatures and unknown kinds add nothing."""
    match text(part_of_it, "type"):
        case "text" | "text_delta":
            piece = text(part_of_it, "text")
            return (Text(piece),) if piece else ()
        case "thinking" | "thinking_delta":
            piece = text(part_of_it, "thinking")
            return (Thinking(piece),) if piece else ()
    return ()


def _usage(counts: Mapping[str, object]) -> Usage:
    written = count(counts, "cache_creation_input_tokens")
    split = part(counts, "cache_creation")
    hour = count(split, "ephemeral_1h_input_tokens") or 0
    if written is None:
        written = hour + (count(split, "ephemeral_5m_input_tokens") or 0)
    hour = min(hour, written)
    return Usage(
        fresh=count(counts, "input_tokens") or 0,
        cache_read=count(counts, "cache_read_input_tokens"),
        cache_write=written - hour,
        cache_write_1h=hour,
        output=count(counts, "output_tokens") or 0,
    )


def _block(content: str) -> dict[str, Any]:
    return {"type": "text", "text": content}
