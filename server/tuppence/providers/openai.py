"""OpenAI's Chat Completions, and everything that speaks it: most vendors, gateways and local servers.

Its prompt count includes cached and written tokens; vendors differ in where they put these and their reasoning, and
all known places are read. The reason to stop is held back until the counts, which come after it, have arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Literal

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import Broken, TuppenceError
from tuppence.providers._errors import from_object, from_status
from tuppence.providers._json import count, money, parse, part, parts, text
from tuppence.providers._think_tags import InlineThinking
from tuppence.providers.wire import Awaited, HttpRequest, ProviderEvent, Stop, Thinking, UsageReport

warms = False
_DONE = "[DONE]"
_REASONS: Mapping[str, Literal["end", "length", "refused"]] = {
    "length": "length",
    "model_context_window_exceeded": "length",  # z.ai
    "content_filter": "refused",
    "sensitive": "refused",  # z.ai
}
_BREAKDOWNS = frozenset({"error", "network_error", "insufficient_system_resource"})
# OpenRouter, z.ai and DeepSeek report a breakdown under HTTP 200 as a reason to stop.


def request(prompt: Prompt, model: Model, key: str | None) -> HttpRequest:
    """Put a prompt into the wire's words."""
    quirks = model.quirks
    body: dict[str, object] = {
        "model": model.id,
        quirks.limit: min(prompt.max_output, model.max_output),
        "stream": True,
        "messages": _messages(prompt, model),
        **quirks.cache_options,
    }
    if quirks.cache_key:
        body[quirks.cache_key] = _key(prompt)
    if quirks.stream_usage:
        body["stream_options"] = {"include_usage": True}
    if quirks.temperature is not None:
        body["temperature"] = quirks.temperature
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return HttpRequest(
        f"{model.provider.base_url.rstrip('/')}/chat/completions", headers, {**body, **quirks.thinking_off}
    )


def decoder() -> _OpenAIDecoder:
    """Return a decoder for one answer."""
    return _OpenAIDecoder()


def failure(status: int, headers: Mapping[str, str], body: str) -> TuppenceError:
    """Return the error that an HTTP status of 400 or more stands for; headers have lower-case names."""
    return from_status(status, headers, body)


class _OpenAIDecoder:
    """One answer: text as it comes, counts when they come, and at the end the reason to stop."""

    def __init__(self) -> None:
        self.identity = ""
        self._inline = InlineThinking()
        self._reason: str | None = None
        self._is_counted = False
        """Whether counts came with the reason to stop, or after it."""
        self._stopped = False

    @property
    def awaits(self) -> Awaited:
        """What of the answer is still to come."""
        if self._reason is None:
            return "words"
        return "mark" if self._is_counted else "counts"

    def feed(self, event: str, data: str) -> Iterable[ProviderEvent]:
        """Take one server-sent event; its name says nothing on this wire."""
        del event
        data = data.strip()
        if not data:
            return
        if data == _DONE:
            yield from self._stop()
            return
        payload = parse(data)
        if payload.get("error"):
            raise from_object(payload)
        self.identity = self.identity or text(payload, "id")
        choices = parts(payload, "choices")
        for choice in choices[:1]:
            yield from self._choice(choice)
        timed = _timed(part(payload, "timings"))
        for holder in (payload, *choices[:1]):  # Moonshot puts the counts into the choice.
            if counts := part(holder, "usage"):
                self._is_counted = self._reason is not None
                yield UsageReport(_usage({**timed, **counts}), money(counts, "cost"))
                break
        else:
            if timed:
                self._is_counted = self._reason is not None
                yield UsageReport(_usage(timed))

    def finish(self) -> Iterable[ProviderEvent]:
        """Take the end of the stream; a reason to stop without ``[DONE]`` is still a whole answer."""
        if not self._stopped and self._reason is None:
            raise Broken("{provider} ended before the answer did.", "Ask again, or choose another model.")
        yield from self._stop()

    def _choice(self, choice: Mapping[str, object]) -> Iterable[ProviderEvent]:
        delta = part(choice, "delta")
        if thought := text(delta, "reasoning_content", "reasoning"):
            yield Thinking(thought)
        yield from self._inline.feed(text(delta, "content"))
        if refusal := text(delta, "refusal"):
            self._reason = "content_filter"
            yield from self._inline.feed(refusal)
        reason = text(choice, "finish_reason")
        if reason in _BREAKDOWNS:
            raise from_object({"error": part(choice, "error") or {"code": reason}})
        self._reason = self._reason or reason or None

    def _stop(self) -> Iterable[ProviderEvent]:
        if not self._stopped:
            self._stopped = True
            yield from self._inline.finish()
            yield Stop(_REASONS.get(self._reason or "", "end"), self._reason or "")


def _usage(counts: Mapping[str, object]) -> Usage:
    """Put the counts into disjoint buckets."""
    details = part(counts, "prompt_tokens_details")
    places = (details, counts)
    read = _first(places, "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens")
    written = _first(places, "cache_write_tokens", "cache_creation_input_tokens") or 0
    answer = count(counts, "completion_tokens") or 0
    thinking = count(part(counts, "completion_tokens_details"), "reasoning_tokens") or 0
    return Usage(
        fresh=max((count(counts, "prompt_tokens") or 0) - (read or 0) - written, 0),
        cache_read=read,
        cache_write=written,
        output=answer - thinking if thinking <= answer else answer,
        thinking=thinking,
    )


def _timed(timings: Mapping[str, object]) -> Mapping[str, object]:
    """Return llama.cpp's timings as counts: they alone tell what its cache held."""
    read, fresh, answer = (count(timings, name) for name in ("cache_n", "prompt_n", "predicted_n"))
    if fresh is None or answer is None:
        return {}
    prompt = {"prompt_tokens": fresh + (read or 0), "completion_tokens": answer}
    return prompt if read is None else {**prompt, "cached_tokens": read}


def _first(places: Iterable[Mapping[str, object]], *keys: str) -> int | None:
    return next((found for place in places if (found := count(place, *keys)) is not None), None)


def _messages(prompt: Prompt, model: Model) -> list[dict[str, object]]:
    """Return the messages: texts, or parts with marks between them where the row's cache wants marks."""
    if model.cache.mode == "explicit" and model.quirks.cache_mark:
        system, *user = _parts(prompt, model.quirks.cache_mark)
        return [_message("system", [system]), _message("user", user)]
    shared = "".join(prompt.shared)
    said = (shared, prompt.tail) if model.quirks.file_message and shared else (shared + prompt.tail,)
    return [_message("system", prompt.system), *(_message("user", each) for each in said)]


def _message(role: str, content: object) -> dict[str, object]:
    return {"role": role, "content": content}


def _parts(prompt: Prompt, mark: Mapping[str, object]) -> list[dict[str, object]]:
    if prompt.life and isinstance(control := mark.get("cache_control"), Mapping):
        mark = {**mark, "cache_control": {**control, "ttl": prompt.life}}
    pieces: list[dict[str, object]] = [
        {"type": "text", "text": each} for each in (prompt.system, *prompt.shared, prompt.tail)
    ]
    return [{**piece, **mark} if at in prompt.marks else piece for at, piece in enumerate(pieces)]


def _key(prompt: Prompt) -> str:
    """Return the word for a prefix: of its beginning alone, which an edit further down leaves as it is."""
    return sha256("".join((prompt.system, *prompt.shared[:1])).encode("utf-8", "surrogatepass")).hexdigest()[:32]
