"""The cost of an answer that did not arrive completely, in the form of OpenRouter's "get a generation" request.

See https://openrouter.ai/docs/api-reference/get-a-generation. The path is that of the provider's row (``bill``), always
below its ``base_url``.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.errors import Broken
from tuppence.providers._json import count, money, parse, part
from tuppence.providers.wire import HttpRequest, UsageReport

_LONGEST = 200
"""Maximum number of characters of an answer's id."""


def request(model: Model, key: str | None, identity: str) -> HttpRequest | None:
    """Return the request for an answer's cost; None if the provider supports none."""
    provider = model.provider
    if provider.bill is None or not identity or len(identity) > _LONGEST:
        return None
    path = provider.bill.replace("{id}", quote(identity, safe=""))
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return HttpRequest(f"{provider.base_url.rstrip('/')}/{path}", headers, {})


def read(body: str) -> UsageReport | None:
    """Return what the provider counted and charged; None if it does not say so, or not yet."""
    try:
        data = part(parse(body), "data")
    except Broken:
        return None
    prompt, answer, cost = count(data, "native_tokens_prompt"), _answer(data), money(data, "total_cost")
    read = count(data, "native_tokens_cached")
    if prompt is None or answer is None or cost is None or (read or 0) > prompt:
        return None
    thinking = min(count(data, "native_tokens_reasoning") or 0, answer)
    fresh = prompt - (read or 0)
    return UsageReport(Usage(fresh=fresh, cache_read=read, output=answer - thinking, thinking=thinking), cost)


def _answer(data: Mapping[str, object]) -> int | None:
    """Return the number of answer tokens; an answer cancelled before its first token has none."""
    given = count(data, "native_tokens_completion")
    return 0 if given is None and data.get("cancelled") is True else given
