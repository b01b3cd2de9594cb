"""What providers report, as each of them does it, and what that costs: exact, worked out by hand beside each row.

Every body goes through a real HTTP answer, its wire, and the account. Prices are written out here, so that a price that
changes in the tier table changes nothing in this table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from scripted_provider import ScriptedUpstream, raw, sse

from tuppence.config import load
from tuppence.core.billing.entry import Entry
from tuppence.core.models.model import Model, Provider
from tuppence.core.models.pricing import Peak, Price, PriceTier, Rates, batched
from tuppence.core.models.usage import Usage, estimate
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.router import Route
from tuppence.engine.receipt import Attempt, Receipt
from tuppence.upstream import ModelClient, RetryScheduled

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # A Friday.
PROMPT = Prompt(system="s" * 300, shared=("f" * 680,), tail="t" * 20, max_output=1000)
WORDS = "It is the answer to everything."


def rates(*usd: str | None) -> Rates:
    """Return rates: input, output, cache read, cache write, an hour's write, thinking."""
    return Rates(*(None if each is None else Decimal(each) for each in usd))  # type: ignore[arg-type]  # the first two are given


SONNET = Price(rates("2", "10", "0.10", "2.50", "4"))
TERRA = Price(rates("1", "5", "0.05", "1.25"))
GPT = Price(rates("5", "30", "0.50"), (PriceTier(272_000, rates("10", "45")),))
FLASH = Price(
    rates("0.15", "0.60", "0.003"),
    peaks=(Peak(frozenset(range(5)), time(1), time(4), rates("0.30", "1.20", "0.006")),),
)
QWEN = Price(rates("0.40", "1.20", "0.04", "0.50", None, "4"))
KIMI = Price(rates("0.95", "4", "0.16", "0.95", "1.90"))
GLM = Price(rates("0.60", "2.20", "0.11"))
MINIMAX = Price(rates("0.3", "1.2", "0.06", "0.375"))
HUNYUAN = Price(rates("0.417", "1.2505", "0.021"))
GROK = Price(rates("2", "6", "0.5"))
GEMINI = Price(rates("0.75", "3.75", "0.075"))
MISTRAL = Price(rates("0.7", "2.1", "0.07"))
FREE = Price(rates("0", "0"))


@dataclass(frozen=True)
class Bill:
    """What one answer reports, and what is to come of it."""

    name: str
    price: Price | None
    events: Sequence[Any]
    """What is sent beside the text; on the anthropic wire with the event's name."""
    usage: Usage
    listed: str | None
    """USD by the price."""
    charged: str | None = None
    """USD by the provider."""
    wire: str = "openai"
    headers: Mapping[str, str] = field(default_factory=dict)
    when: datetime = NOON
    estimated: bool = False


def chat(counts: Mapping[str, Any] | None, **more: Any) -> list[Any]:
    """Return an answer on the openai wire: text, the end, the counts."""
    said: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": WORDS}, "finish_reason": None}]}
    end: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    last = [{"choices": [], **({} if counts is None else {"usage": counts}), **more}]
    return [said, end, *(last if counts is not None or more else []), "[DONE]"]


def messages(start: Mapping[str, Any], *deltas: Mapping[str, Any]) -> list[Any]:
    """Return an answer on the anthropic wire: its first counts, text, and one or more cumulative counts."""
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": WORDS}}
    ends = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": each} for each in deltas]
    return [{"type": "message_start", "message": {"usage": start}}, text, *ends, {"type": "message_stop"}]


FIRST = {
    "input_tokens": 25,
    "cache_read_input_tokens": 10_000,
    "cache_creation_input_tokens": 3000,
    "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000},
    "output_tokens": 1,
}
BILLS = (
    Bill(
        # 25 x 2 + 10,000 x 0.10 + 1,000 x 2.50 + 2,000 x 4 + 503 x 10 = 16,580
        "anthropic, writes for five minutes and an hour",
        SONNET, messages(FIRST, {"output_tokens": 503}),
        Usage(25, 10_000, 1000, 2000, 503), "0.01658", wire="anthropic",
    ),
    Bill(
        # 25 x 2 + 10,000 x 0.10 + 1,000 x 2.50 + 2,000 x 4 + 37 x 10 = 11,920: the last count replaces, nothing adds up
        "anthropic, several cumulative counts",
        SONNET, messages(FIRST, {"output_tokens": 10}, {"output_tokens": 20}, {"output_tokens": 37}),
        Usage(25, 10_000, 1000, 2000, 37), "0.01192", wire="anthropic",
    ),
    Bill(
        # 1,200 x 2 + 40 x 10 = 2,800
        "anthropic, no cache",
        SONNET, messages({"input_tokens": 1200, "output_tokens": 1}, {"output_tokens": 40}),
        Usage(1200, None, 0, 0, 40), "0.0028", wire="anthropic",
    ),
    Bill(
        # 500 x 1 + 3,000 x 0.05 + 1,500 x 1.25 + (80 + 120) x 5 = 3,525
        "openai, cached, written and reasoned",
        TERRA,
        chat({
            "prompt_tokens": 5000, "completion_tokens": 200, "total_tokens": 5200,
            "prompt_tokens_details": {"cached_tokens": 3000, "cache_write_tokens": 1500},
            "completion_tokens_details": {"reasoning_tokens": 120},
        }),
        Usage(500, 3000, 1500, 0, 80, 120), "0.003525",
    ),
    Bill(
        # The whole request at the higher step: 300,000 x 10 + 100 x 45 = 3,004,500
        "openai, above a step",
        GPT, chat({"prompt_tokens": 300_000, "completion_tokens": 100}), Usage(300_000, None, output=100), "3.0045",
    ),
    Bill(
        # 272,000 x 5 + 100 x 30 = 1,363,000
        "openai, at a step",
        GPT, chat({"prompt_tokens": 272_000, "completion_tokens": 100}), Usage(272_000, None, output=100), "1.363",
    ),
    Bill(
        # 26 x 2 + 6 x 0.5 + (9 + 94) x 6 = 673, of which xAI itself says another price in ticks
        "xai, reasoning beside the answer's tokens",
        GROK,
        chat({
            "prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135,
            "prompt_tokens_details": {"text_tokens": 32, "cached_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 94},
            "num_sources_used": 0, "cost_in_usd_ticks": 37_756_000,
        }),
        Usage(26, 6, output=9, thinking=94), "0.000673", "0.0037756",
    ),
    Bill(
        # (100 - 20) x 2 + 20 x 0.5 + 10 x 6 = 230: here the answer's tokens hold the reasoning; 0 ticks are no price
        "xai through another, reasoning among the answer's tokens",
        GROK,
        chat({
            "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
            "prompt_tokens_details": {"cached_tokens": 20},
            "completion_tokens_details": {"reasoning_tokens": 3}, "cost_in_usd_ticks": 0,
        }),
        Usage(80, 20, output=7, thinking=3), "0.00023",
    ),
    Bill(
        # 70 x 0.75 + (20 + 860) x 3.75 = 3,352.5: the total alone holds the reasoning
        "google, reasoning in the total alone",
        GEMINI, chat({"prompt_tokens": 70, "completion_tokens": 20, "total_tokens": 950}),
        Usage(70, None, output=20, thinking=860), "0.0033525",
    ),
    Bill(
        # 36 x 0.7 + 64 x 0.07 + 46 x 2.1 = 126.28
        "mistral, cached",
        MISTRAL,
        chat({
            "prompt_tokens": 100, "total_tokens": 146, "completion_tokens": 46,
            "prompt_tokens_details": {"cached_tokens": 64}, "service_tier": "standard",
        }),
        Usage(36, 64, output=46), "0.00012628",
    ),
    Bill(
        # 36 x 0.7 + 64 x 0.07 + 46 x 2.1 = 126.28: what is in the total a second time is no reasoning
        "a gateway, the cached tokens in the total again",
        MISTRAL,
        chat({
            "prompt_tokens": 100, "total_tokens": 210, "completion_tokens": 46,
            "prompt_tokens_details": {"cached_tokens": 64},
        }),
        Usage(36, 64, output=46), "0.00012628",
    ),
    Bill(
        # 464 x 0.15 + 1,536 x 0.003 + 300 x 0.60 = 254.208
        "deepseek, hit and miss",
        FLASH,
        chat({
            "prompt_tokens": 2000, "completion_tokens": 300, "prompt_cache_hit_tokens": 1536,
            "prompt_cache_miss_tokens": 464, "prompt_tokens_details": {"cached_tokens": 1536},
        }),
        Usage(464, 1536, output=300), "0.000254208",
    ),
    Bill(
        # 464 x 0.30 + 1,536 x 0.006 + 300 x 1.20 = 508.416
        "deepseek, in its peak",
        FLASH,
        chat({"prompt_tokens": 2000, "completion_tokens": 300, "prompt_cache_hit_tokens": 1536}),
        Usage(464, 1536, output=300), "0.000508416", when=NOON.replace(hour=2),
    ),
    Bill(
        # 254.208 again: on a Saturday there is no peak
        "deepseek, the peak's hours on a Saturday",
        FLASH,
        chat({"prompt_tokens": 2000, "completion_tokens": 300, "prompt_cache_hit_tokens": 1536}),
        Usage(464, 1536, output=300), "0.000254208", when=NOON.replace(day=21, hour=2),
    ),
    Bill(
        # By the price 600 x 0.60 + 400 x 0.11 + 50 x 2.20 = 514, but OpenRouter says what it took
        "openrouter, its own cost",
        GLM,
        chat({
            "prompt_tokens": 1000, "completion_tokens": 50, "cost": 0.00123456,
            "prompt_tokens_details": {"cached_tokens": 400},
        }),
        Usage(600, 400, output=50), "0.000514", "0.00123456",
    ),
    Bill(
        # By the price 1,000 x 0.60 + 50 x 2.20 = 710
        "litellm, its cost in a header",
        GLM, chat({"prompt_tokens": 1000, "completion_tokens": 50}),
        Usage(1000, None, output=50), "0.00071", "0.0004321",
        headers={"x-litellm-response-cost": "0.0004321"},
    ),
    Bill(
        "litellm, a header that does not know",
        GLM, chat({"prompt_tokens": 1000, "completion_tokens": 50}), Usage(1000, None, output=50), "0.00071",
        headers={"x-litellm-response-cost": "0.0"},
    ),
    Bill(
        "ollama, no word of a cache",
        FREE, chat({"prompt_tokens": 120, "completion_tokens": 33}), Usage(120, None, output=33), "0",
    ),
    Bill(
        "llama.cpp, counts and timings",
        FREE,
        chat(
            {"prompt_tokens": 123, "completion_tokens": 40},
            timings={"cache_n": 100, "prompt_n": 23, "predicted_n": 40, "prompt_ms": 70.4},
        ),
        Usage(23, 100, output=40), "0",
    ),
    Bill(
        # 23 x 0.60 + 100 x 0.11 + 40 x 2.20 = 112.8
        "llama.cpp, timings alone",
        GLM, chat(None, timings={"cache_n": 100, "prompt_n": 23, "predicted_n": 40}),
        Usage(23, 100, output=40), "0.0001128",
    ),
    Bill(
        # As without counts: 295 x 0.60 + 10 x 2.20 = 199. What is not reported is unknown, and not 0.
        "llama.cpp, timings without the answer's",
        GLM, chat(None, timings={"cache_n": 100, "prompt_n": 23}),
        Usage(295, None, output=10), "0.000199", estimated=True,
    ),
    Bill(
        # 300 x 0.40 + 1,200 x 0.50 + 20 x 1.20 + 50 x 4 = 944: thinking has a price of its own
        "qwen, created, and thinking at its own price",
        QWEN,
        chat({
            "prompt_tokens": 1500, "completion_tokens": 70,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_input_tokens": 1200},
            "completion_tokens_details": {"reasoning_tokens": 50},
        }),
        Usage(300, 0, 1200, 0, 20, 50), "0.000944",
    ),
    Bill(
        # 200 x 0.95 + 600 x 0.16 + 400 x 0.95 + 90 x 4 = 1,026
        "kimi, cached and written beside the counts",
        KIMI,
        chat({"prompt_tokens": 1200, "completion_tokens": 90, "cached_tokens": 600, "cache_write_tokens": 400}),
        Usage(200, 600, 400, 0, 90), "0.001026",
    ),
    Bill(
        # 100 x 0.60 + 900 x 0.11 + 10 x 2.20 = 181
        "glm, cached",
        GLM,
        chat({"prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 900}}),
        Usage(100, 900, output=10), "0.000181",
    ),
    Bill(
        # 1,000 x 0.60 + 10 x 2.20 = 622
        "vllm, without its option for details",
        GLM,
        chat({"prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": None}),
        Usage(1000, None, output=10), "0.000622",
    ),
    Bill(
        # Half of the rates: 25 x 1 + 10,000 x 0.05 + 1,000 x 1.25 + 2,000 x 2 + 503 x 5 = 8,290
        "anthropic, a batch",
        batched(replace(SONNET, batch=Decimal("0.5"))), messages(FIRST, {"output_tokens": 503}),
        Usage(25, 10_000, 1000, 2000, 503), "0.00829", wire="anthropic",
    ),
    Bill(
        # Half of the rates: 500 x 0.5 + 3,000 x 0.025 + 1,500 x 0.625 + 200 x 2.5 = 1,762.5
        "openai, a batch",
        batched(replace(TERRA, batch=Decimal("0.5"))),
        chat({
            "prompt_tokens": 5000, "completion_tokens": 200,
            "prompt_tokens_details": {"cached_tokens": 3000, "cache_write_tokens": 1500},
        }),
        Usage(500, 3000, 1500, 0, 200), "0.0017625",
    ),
    Bill(
        # 400 x 0.3 + 600 x 0.06 + 50 x 1.2 = 216
        "minimax, cached",
        MINIMAX,
        chat({
            "total_tokens": 1050, "total_characters": 0, "prompt_tokens": 1000, "completion_tokens": 50,
            "prompt_tokens_details": {"cached_tokens": 600},
        }),
        Usage(400, 600, output=50), "0.000216",
    ),
    Bill(
        # 1,000 x 0.417 + 2,000 x 0.021 + (60 + 40) x 1.2505 = 584.05
        "tencent, cached and reasoned",
        HUNYUAN,
        chat({
            "prompt_tokens": 3000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 2000},
            "completion_tokens_details": {"reasoning_tokens": 40},
        }),
        Usage(1000, 2000, output=60, thinking=40), "0.00058405",
    ),
    Bill(
        # 1,000 x 0.95 + 1,000 x 0.16 + 10 x 4 = 1,150
        "moonshot, counts in the choice",
        KIMI,
        [
            {"choices": [{"index": 0, "delta": {"content": WORDS}, "finish_reason": None}]},
            {"choices": [{
                "index": 0, "delta": {}, "finish_reason": "stop",
                "usage": {"prompt_tokens": 2000, "completion_tokens": 10, "cached_tokens": 1000},
            }]},
            "[DONE]",
        ],
        Usage(1000, 1000, output=10), "0.00115",
    ),
    Bill(
        "global-api, whose price nobody knows",
        None, chat({"prompt_tokens": 1000, "completion_tokens": 10}), Usage(1000, None, output=10), None,
    ),
    Bill(
        "a price that nobody knows",
        None, chat({"prompt_tokens": 1000, "completion_tokens": 10}), Usage(1000, None, output=10), None,
    ),
    Bill(
        "a price that only the provider knows",
        None, chat({"prompt_tokens": 1000, "completion_tokens": 10, "cost": 0.25}), Usage(1000, None, output=10),
        None, "0.25",
    ),
    Bill(
        # The prompt's 1,000 characters at 3.4 each are 295 tokens, the answer's 31 are 10: 295 x 2 + 10 x 10 = 690
        "no counts at all",
        SONNET, chat(None), Usage(295, None, output=10), "0.00069", estimated=True,
    ),
    Bill(
        "no counts at all on the anthropic wire",
        SONNET, messages({}, {}), Usage(295, None, output=10), "0.00069", wire="anthropic", estimated=True,
    ),
)  # fmt: skip


@pytest.mark.parametrize("bill", BILLS, ids=[each.name for each in BILLS])
async def test_what_a_provider_reports_costs_what_the_hand_says(bill: Bill) -> None:
    entry = await entered(bill)
    assert entry.usage == bill.usage
    assert entry.listed == (None if bill.listed is None else Decimal(bill.listed))
    assert entry.charged == (None if bill.charged is None else Decimal(bill.charged))
    assert entry.cost == (entry.listed if bill.charged is None else entry.charged), "the provider's word wins"
    assert entry.estimated is bill.estimated
    assert entry.characters == PROMPT.characters


async def entered(bill: Bill) -> Entry:
    """Return what stands in the account after an answer with these counts."""
    async with ScriptedUpstream() as server:
        body = [sse(each, each["type"]) if bill.wire == "anthropic" else sse(each) for each in bill.events]
        server.script(raw(body, headers=bill.headers))
        base = server.anthropic if bill.wire == "anthropic" else server.openai
        model = Model(provider=Provider("mine", bill.wire, base), id="m", tier="budget", price=bill.price)
        attempt = Attempt(model=model, prompt=PROMPT, at=bill.when)
        upstream = ModelClient()
        async for piece in upstream.answer(PROMPT, model, None):
            assert not isinstance(piece, RetryScheduled)
            attempt.note(piece)
        await upstream.close()
    account = Receipt(run="r", session="s", action="fix", language="python")
    return account.add_attempt(attempt, Route(model, 0.8, None, (model,), (), model, "because"), "kept")


def test_every_provider_of_the_tier_table_has_a_bill() -> None:
    known_as = {"dashscope": "qwen", "zai": "glm"}
    named = {bill.name.split(",")[0] for bill in BILLS}
    assert {known_as.get(name, name) for name in load().providers} <= named


def test_the_table_is_json_that_a_provider_could_send() -> None:
    for bill in BILLS:
        assert json.loads(json.dumps(bill.events)) == list(bill.events)


def test_an_estimate_follows_how_the_models_tokens_run() -> None:
    model = Model(provider=Provider("mine", "openai", "http://127.0.0.1:1"), id="m", tier="budget", price=SONNET)
    attempt = Attempt(model=model, prompt=PROMPT, at=NOON, chars_per_token=2.0)
    attempt.received.append(WORDS)
    assert attempt.usage == Usage(fresh=500, output=16)
    assert estimate("x" * 1000, 2.0) == 500
