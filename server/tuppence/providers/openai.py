"""OpenAI's Chat Completions API, also spoken by most vendors, gateways and local servers.

Its prompt count includes cached and written tokens. Vendors put these counts, and their reasoning, into different
fields; all known ones are read. xAI and Google do not include reasoning in the answer's count, only in the total. The
reason to stop is held back until the counts, which come after it, have arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Literal

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import Broken, TuppenceError
from tuppence.providers._errors import answer_part, from_object, from_status
from tuppence.providers._json import amount, attempt, count, model_name, money, part, parts, text
from tuppence.providers._think_tags import InlineThinking
from tuppence.providers.wire import CALLED, Awaited, HttpRequest, ProviderEvent, Stop, Thinking, UsageReport

warms = False
_DONE = "[DONE]"
_TICK = -10
"""The power of ten of a tick, USD."""
_REASONS: Mapping[str, Literal["end", "length", "refused"]] = {
    "length": "length",
    "model_length": "length",  # Mistral
    "model_context_window_exceeded": "length",  # z.ai
    "content_filter": "refused",
    "sensitive": "refused",  # z.ai
}
_BREAKDOWNS = frozenset({"error", "network_error", "insufficient_system_resource"})
# OpenRouter, z.ai and DeepSeek (https://api-docs.deepseek.com/api/create-chat-completion) report a failure with status
# 200 as a reason to stop.


def request(prompt: Prompt, model: Model, key: str | None) -> HttpRequest:
    """Translate a prompt into an HTTP request."""
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
    if quirks.cache_header:
        headers[quirks.cache_header] = _key(prompt)
    return HttpRequest(
        f"{model.provider.base_url.rstrip('/')}/chat/completions", headers, {**body, **quirks.thinking_off}
    )


def decoder() -> _OpenAIDecoder:
    """Return a decoder for one answer."""
    return _OpenAIDecoder()


def failure(status: int, headers: Mapping[str, str], body: str) -> TuppenceError:
    """Return the error for an HTTP status of 400 or more; header names must be in lower case."""
    return from_status(status, headers, body)


class _OpenAIDecoder:
    """Decodes one answer: text and counts as they arrive, and at the end the reason to stop."""

    def __init__(self) -> None:
        self.identity = self.served = ""
        self._inline = InlineThinking()
        self._reason: str | None = None
        self._is_counted = False
        """Whether counts came with or after the reason to stop."""
        self._index: int | None = None
        self._stopped = self._spoke = self._called = False

    @property
    def awaits(self) -> Awaited:
        """What of the answer is still awaited."""
        if self._reason is None:
            return "words"
        return "mark" if self._is_counted else "counts"

    def feed(self, event: str, data: str) -> Iterable[ProviderEvent]:
        """Take one server-sent event; on this wire its name matters only for errors."""
        data = data.strip()
        if not data:
            return
        if data == _DONE:
            yield from self._stop()
            return
        payload = answer_part(event, data)
        self.identity = self.identity or text(payload, "id")
        if not self.served and not self._spoke:
            self.served = model_name(payload)
        choices = self._mine(parts(payload, "choices"))
        for choice in choices:
            yield from self._choice(choice)
        timed = _timed(part(payload, "timings"))
        for holder in (payload, *choices):  # Moonshot puts the counts into the choice.
            if counts := part(holder, "usage"):
                self._is_counted = self._reason is not None
                yield UsageReport(_usage({**timed, **counts}), _charge(counts))
                break
        else:
            if timed:
                self._is_counted = self._reason is not None
                yield UsageReport(_usage(timed))

    def is_whole(self, data: str) -> bool:
        """Report whether a text is a completion with a message and its reason to stop."""
        first = sorted(parts(attempt(data), "choices"), key=_index)[:1]
        return any(part(each, "message") and text(each, "finish_reason") for each in first)

    def finish(self) -> Iterable[ProviderEvent]:
        """Take the end of the stream; a reason to stop without ``[DONE]`` still means a complete answer."""
        if not self._stopped and self._reason is None:
            raise Broken("{provider} ended before the answer did.", "Ask again, or choose another model.")
        yield from self._stop()

    def _mine(self, choices: tuple[Mapping[str, object], ...]) -> tuple[Mapping[str, object], ...]:
        """Return the one choice that is read; a server may send several although one was requested.

        It is the first that arrived; of those that arrived together, the one with the lowest index.
        """
        known = sorted(choices, key=_index)
        if self._index is None and known:
            self._index = _index(known[0])
        return tuple(each for each in known if _index(each) == self._index)[:1]

    def _choice(self, choice: Mapping[str, object]) -> Iterable[ProviderEvent]:
        # Some servers send an answer as one whole message, and some repeat all of it with each piece.
        delta = part(choice, "delta") or ({} if self._spoke else part(choice, "message"))
        if thought := text(delta, "reasoning_content", "reasoning") or _parts_text(delta, "thinking"):
            yield Thinking(thought)
        said = text(delta, "content") or _parts_text(delta, "text")
        self._spoke = self._spoke or bool(said)
        self._called = self._called or bool(delta.get("tool_calls") or delta.get("function_call"))
        yield from self._inline.feed(said)
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
            reason = self._reason or ""
            yield Stop(_REASONS.get(reason, "end"), CALLED if self._called and reason not in _REASONS else reason)


def _index(choice: Mapping[str, object]) -> int:
    return count(choice, "index") or 0


def _parts_text(delta: Mapping[str, object], kind: str) -> str:
    """Return the text, or the thinking, of a content that is a list of parts, as Mistral sends it."""
    found = [each for each in parts(delta, "content") if text(each, "type") == kind]
    # The text of a thinking part is itself a list of parts.
    return "".join(text(each, kind) or "".join(text(piece, "text") for piece in parts(each, kind)) for each in found)


def _usage(counts: Mapping[str, object]) -> Usage:
    """Convert the counts to disjoint categories; a prompt with more cached tokens than tokens is not counted."""
    details = part(counts, "prompt_tokens_details")
    places = (details, counts)
    read = _first(places, "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens")
    written = _first(places, "cache_write_tokens", "cache_creation_input_tokens") or 0
    answer = count(counts, "completion_tokens") or 0
    thinking = count(part(counts, "completion_tokens_details"), "reasoning_tokens") or 0
    prompt = count(counts, "prompt_tokens") or 0
    beside = _beside(counts, prompt, answer, thinking, (read or 0) + written)
    if prompt < (read or 0) + written:
        prompt, read, written = 0, None, 0
    if beside:
        output, thinking = answer, beside
    else:
        output = answer - thinking if thinking <= answer else answer
    return Usage(
        fresh=prompt - (read or 0) - written, cache_read=read, cache_write=written, output=output, thinking=thinking
    )


def _beside(counts: Mapping[str, object], prompt: int, answer: int, thinking: int, cached: int) -> int:
    """Return the tokens of reasoning that are counted in the total and not in the answer; 0 where there are none.

    xAI gives their number, and Google gives none. A total that is greater for another reason says nothing: some
    gateways count cached tokens beside the prompt's.
    """
    more = (count(counts, "total_tokens") or 0) - prompt - answer
    if more <= 0 or not prompt:
        return 0
    if thinking:
        return thinking if more == thinking else 0
    return 0 if more == cached else more


def _charge(counts: Mapping[str, object]) -> Decimal | None:
    """Return what the provider says that the answer costs, USD; None where it does not say.

    xAI says it in ticks, of which a dollar has 10**10; a 0 is what others report who serve its models.
    """
    charge = money(counts, "cost")
    if charge is not None:
        return charge
    ticks = counts.get("cost_in_usd_ticks")
    return amount(Decimal(ticks).scaleb(_TICK)) if type(ticks) is int and ticks > 0 else None


def _timed(timings: Mapping[str, object]) -> Mapping[str, object]:
    """Return llama.cpp's timings as counts: only they report its cache hits."""
    if not timings:
        return {}
    read, fresh, answer = (count(timings, name) for name in ("cache_n", "prompt_n", "predicted_n"))
    if fresh is None or answer is None:
        return {}
    prompt = {"prompt_tokens": fresh + (read or 0), "completion_tokens": answer}
    return prompt if read is None else {**prompt, "cached_tokens": read}


def _first(places: Iterable[Mapping[str, object]], *keys: str) -> int | None:
    return next((found for place in places if (found := count(place, *keys)) is not None), None)


def _messages(prompt: Prompt, model: Model) -> list[dict[str, object]]:
    """Return the messages: plain texts, or parts with cache marks if the row needs them."""
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
    """Return the cache key of a prefix, from its beginning only, so that later edits do not change it."""
    return sha256("".join((prompt.system, *prompt.shared[:1])).encode("utf-8", "surrogatepass")).hexdigest()[:32]
