"""The model that answered, where the answer names another one than was asked: from the wire to the accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from scripted_provider import ScriptedUpstream, raw, sse

from tuppence.core.models.model import Model, Provider
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.router import Route
from tuppence.core.text.key_scan import KeyScan
from tuppence.engine.receipt import Attempt, Receipt
from tuppence.upstream import ModelClient, RetryScheduled

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
PROMPT = Prompt("s", ("f",), "t", 100)
KEY = "sk-0123456789abcdefghijklmnop"


async def served(wire: str, asked: str, named: Any, *, key: str | None = None, like: str | None = None) -> str:
    """Return what the account says after an answer that names a model."""
    if wire == "openai":
        choice = {"index": 0, "delta": {"content": "Yes"}, "finish_reason": "stop"}
        body = [sse({"id": "1", "model": named, "choices": [choice]}), sse("[DONE]")]
    else:
        start = {"id": "1", "model": named, "usage": {"input_tokens": 3}}
        text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Yes"}}
        end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}
        every: tuple[Any, ...] = ({"type": "message_start", "message": start}, text, end, {"type": "message_stop"})
        body = [sse(each, each["type"]) for each in every]
    async with ScriptedUpstream() as server:
        server.script(raw(body))
        provider = Provider("mine", wire, server.openai if wire == "openai" else server.anthropic)
        model = Model(provider=provider, id=asked, tier="budget", price=Price(Rates(1, 2)), like=like)  # type: ignore[arg-type]  # whole dollars
        attempt = Attempt(model=model, prompt=PROMPT, at=NOON)
        upstream = ModelClient(scan=lambda: KeyScan([("ANY_KEY", KEY)]))
        async for piece in upstream.answer(PROMPT, model, key):
            assert not isinstance(piece, RetryScheduled)
            attempt.note(piece)
        await upstream.close()
    account = Receipt(run="r", session="s", action="fix", language="python")
    return account.add_attempt(attempt, Route(model, 0.8, None, (model,), (), model, "because"), "kept").served


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("asked", "named", "found"),
    [
        ("ga-standard", "deepseek-v4-flash", "deepseek-v4-flash"),
        ("openrouter/auto", "anthropic/claude-opus-5-5", "anthropic/claude-opus-5-5"),
        ("gpt-6.1-sol", "gpt-6.1-terra", "gpt-6.1-terra"),
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", ""),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001", ""),
        ("MiniMax-M3", "minimax-m3", ""),
        ("anthropic/claude-sonnet-4.6", "claude-sonnet-4-6", ""),
        ("openai/gpt-oss-120b:free", "openai/gpt-oss-120b", ""),
        ("deepseek-r1:7b", "deepseek-r1:70b", "deepseek-r1:70b"),
        ("deepseek-r1:7b", "deepseek-r1:7B", ""),
        ("small", "", ""),
        ("small", None, ""),
        ("small", 7, ""),
        ("small", ["large"], ""),
        ("small", "def f(): return secret", ""),
        ("small", "large\n", ""),
        ("small", "[large](command:x)", ""),
        ("small", "l" * 200, "l" * 200),
        ("small", "l" * 201, ""),
    ],
)
async def test_another_model_is_named_and_nothing_else(wire: str, asked: str, named: Any, found: str) -> None:
    assert await served(wire, asked, named) == found


async def test_a_row_that_is_like_another_may_be_answered_by_its_name() -> None:
    assert await served("openai", "my-deployment", "gpt-5.5-2026-04-23", like="openai/gpt-5.5") == ""
    assert await served("openai", "my-deployment", "gpt-5.4", like="openai/gpt-5.5") == "gpt-5.4"
    assert await served("openai", "my-deployment", "gpt-5.5") == "gpt-5.5"


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_a_key_in_a_name_is_not_kept(wire: str) -> None:
    assert KEY not in await served(wire, "small", KEY)
    mine = "another-key-of-mine-0123456789"
    assert mine not in await served(wire, "small", mine, key=mine)


def test_what_was_never_sent_names_no_model() -> None:
    model = Model(provider=Provider("mine", "openai", "http://127.0.0.1:1"), id="m", tier="budget")
    assert Attempt(model=model, prompt=PROMPT, at=NOON).served == ""
    assert replace(model, like="a/b").figures_id == "b"
