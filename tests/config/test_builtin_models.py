"""The built-in tier table: every model of the founding documents is in it, with the figures that are right."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest
from benchmarks.routing.data import MODELS
from paths import PACKAGE
from work import lines

from tuppence import local
from tuppence.config import config, list_prices, load
from tuppence.config.shipped import shipped
from tuppence.core.models.model import Model
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.quality import canonical
from tuppence.providers import find_wire

TODAY = date(2026, 11, 21)
TABLE = {model.name: model for model in load(today=TODAY).models}

# The founding documents' names, and the rows that stand for them.
FOUNDING = {
    "GPT-5.5": ["openai/gpt-5.5"],
    "Claude 4.7": ["anthropic/claude-opus-4-7"],
    "DeepSeek V4": ["deepseek/deepseek-v4-pro"],
    "Kimi K2.6": ["moonshot/kimi-k2.6"],
    "GPT-4o-mini": ["openai/gpt-4o-mini"],
    "Ga-Standard": ["global-api/ga-standard"],
    "DeepSeek V4 Flash": ["deepseek/deepseek-v4-flash", "deepseek/deepseek-flash"],
    "DeepSeek Coder": ["deepseek/deepseek-coder"],
    "Qwen3-32B": ["openrouter/qwen/qwen3-32b"],
    "Qwen3-Coder-30B": ["openrouter/qwen/qwen3-coder-30b-a3b-instruct"],
    "Hunyuan-Turbo": ["tencent/hunyuan-turbo", "openrouter/tencent/hy3-preview", "openrouter/tencent/hy4"],
    "DeepSeek V4 Pro": ["deepseek/deepseek-v4-pro"],
    "GLM-5": ["zai/glm-5", "zai/glm-5.3"],
    "DeepSeek-R1": ["deepseek/deepseek-reasoner", "openrouter/deepseek/deepseek-r1"],
    "Kimi K2.5": ["moonshot/kimi-k2.5", "openrouter/moonshotai/kimi-k2.5"],
    "Claude Opus 4.6": ["anthropic/claude-opus-4-6", "anthropic/claude-opus-5-5"],
    "Claude Sonnet 4.5": ["anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-5-5"],
    "Claude Haiku 4.5": ["anthropic/claude-haiku-4-5", "anthropic/claude-haiku-5-5"],
    "GPT-4 Turbo": ["openai/gpt-4-turbo-2024-04-09"],
    "GPT-4o": ["openai/gpt-4o-2024-11-20"],
    "GPT-3.5 Turbo": ["openai/gpt-3.5-turbo", "openai/gpt-6-luna"],
    "DeepSeek Coder V2.5": ["deepseek/deepseek-coder"],
    "DeepSeek V3": ["deepseek/deepseek-chat", "openrouter/deepseek/deepseek-chat-v3-0324"],
    "Qwen 2.5-Coder-32B": ["openrouter/qwen/qwen-2.5-coder-32b-instruct"],
    "Qwen 2.5-Coder-7B": ["openrouter/qwen/qwen2.5-coder-7b-instruct"],
    "GLM-4.7": ["zai/glm-4.7", "zai/glm-5.3-flash"],
    "Kimi-K2": ["moonshot/kimi-k2-0905-preview", "moonshot/kimi-k3.1-pro"],
}


def asked(name: str, life: str = "") -> Mapping[str, Any]:
    """Return the body of a request to a row, with the marks that its cache takes."""
    prompt = Prompt("Be brief.", ("a", "b"), "c", 100, marks=(1, 2), life=life)
    model = TABLE[name]
    return find_wire(model.provider.wire).request(prompt, model, "k").body


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_rows_cache_is_asked_for_in_its_providers_words(name: str) -> None:
    model, body = TABLE[name], asked(name)
    said = json.dumps({**body})
    marked = (said.count("cache_control"), said.count("prompt_cache_breakpoint"))
    match model.provider.name:
        case "anthropic":
            assert (model.cache.mode, model.cache.ttl, marked) == ("explicit", ("5m", "1h"), (2, 0))
        case "openai" if name.partition("/gpt-")[2].startswith("6"):
            assert (model.cache.mode, model.cache.ttl, marked) == ("explicit", ("30m",), (0, 2))
            assert body["prompt_cache_options"] == {"mode": "explicit"}
        case "openai" if model.cache.mode != "none":
            assert (model.cache.mode, marked) == ("automatic", (0, 0))
            assert len(body["prompt_cache_key"]) == 32
        case "dashscope" if "3.8" in name:
            assert (model.cache.ready, model.cache.ttl, marked) == ("end", ("5m",), (2, 0))
        case "mistral":
            assert (model.cache.mode, marked) == ("automatic", (0, 0))
            assert len(body["prompt_cache_key"]) == 32
            assert "stream_options" not in body
        case "xai":
            assert (model.cache.mode, marked) == ("automatic", (0, 0))
            assert "prompt_cache_key" not in body
            assert model.quirks.cache_header == "x-grok-conv-id"
        case "google":
            assert (model.cache.mode, model.cache.minimum, marked) == ("automatic", 4096, (0, 0))
            assert [each["content"] for each in body["messages"]] == ["Be brief.", "abc"]
        case "deepseek":
            assert marked == (0, 0)
            assert [each["content"] for each in body["messages"]] == ["Be brief.", "ab", "c"], "the file by itself"
        case _:
            assert marked == (0, 0)
            assert "prompt_cache_key" not in body
            assert [each["content"] for each in body["messages"]] == ["Be brief.", "abc"]


def test_an_hour_is_asked_for_where_the_marks_want_it() -> None:
    assert json.dumps({**asked("anthropic/claude-sonnet-5-5", "1h")}).count('"ttl": "1h"') == 2


def test_ones_own_llama_is_told_to_keep_prompts() -> None:
    found = local.rows(local.DiscoveredServer("llamacpp", "http://127.0.0.1:8080/v1", ("m",), 8192))
    body = find_wire("openai").request(Prompt("s", ("a",), "c", 9), found[0], None).body
    assert body["cache_prompt"] is True
    endpoint = local.Endpoint("http://127.0.0.1:9/v1", "k", "m")
    assert local.Embedded().row(endpoint).quirks.cache_options == {"cache_prompt": True}


@pytest.mark.parametrize("name", FOUNDING)
def test_every_model_of_the_founding_documents_has_its_row(name: str) -> None:
    for row in FOUNDING[name]:
        assert row in TABLE


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("anthropic/claude-opus-4-6", "5 25 0.5 6.25 10"),
        ("anthropic/claude-opus-4-7", "5 25 0.5 6.25 10"),
        ("anthropic/claude-opus-5-5", "4 20 0.2 5 8"),
        ("anthropic/claude-sonnet-4-5", "3 15 0.3 3.75 6"),
        ("anthropic/claude-sonnet-5-5", "2 10 0.1 2.5 4"),
        ("anthropic/claude-haiku-4-5", "1 5 0.1 1.25 2"),
        ("anthropic/claude-haiku-5-5", "0.1 0.5 0.01 0.125 0.2"),
        ("openai/gpt-4-turbo-2024-04-09", "10 30 - - -"),
        ("openai/gpt-4o-2024-11-20", "2.5 10 1.25 - -"),
        ("openai/gpt-3.5-turbo", "0.5 1.5 - - -"),
        ("openai/gpt-5.5", "5 30 0.5 - -"),
        ("anthropic/claude-fable-5-2", "8 40 0.2 10 16"),
        ("anthropic/claude-opus-5", "5 25 0.5 6.25 10"),
        ("anthropic/claude-opus-4-8", "5 25 0.5 6.25 10"),
        ("anthropic/claude-sonnet-5", "2 10 0.2 2.5 4"),
        ("openai/gpt-6-astra", "10 50 1 12.5 25"),
        ("openai/gpt-6-sol", "2 10 0.2 2.5 5"),
        ("google/gemini-4-argon", "4 20 0.2 - -"),
        ("google/gemini-4-hydrogen", "1.5 7.5 0.075 - -"),
        ("google/gemini-3.8-flash", "0.75 3.75 0.075 - -"),
        ("google/gemini-3.5-flash-lite", "0.3 2.5 0.03 - -"),
        ("xai/grok-4.7", "2 6 0.5 - -"),
        ("xai/grok-4.3", "1.25 2.5 0.2 - -"),
        ("xai/grok-build-0.1", "1 2 0.2 - -"),
        ("mistral/mistral-large-4-0", "0.7 2.1 0.07 - -"),
        ("mistral/codestral-2508", "0.3 0.9 0.03 - -"),
        ("moonshot/kimi-k3", "3 15 0.3 3 6"),
        ("zai/glm-5.2", "1.4 4.4 0.26 - -"),
        ("minimax/MiniMax-M3", "0.3 1.2 0.06 - -"),
        ("tencent/hy4", "0.834 2.501 0.042 - -"),
        ("openrouter/inception/mercury-3", "0.1 0.35 0.01 - -"),
        ("openai/gpt-6-luna", "0.1 0.5 0.01 0.125 0.25"),
        ("openai/gpt-6.1-terra", "1 5 0.05 1.25 2.5"),
        ("openai/gpt-6.1-sol", "2 10 0.1 2.5 5"),
        ("deepseek/deepseek-chat", "0.27 1.1 0.07 - -"),
        ("deepseek/deepseek-reasoner", "0.55 2.19 0.14 - -"),
        ("deepseek/deepseek-flash", "0.15 0.6 0.003 - -"),
        ("deepseek/deepseek-v4-pro", "0.66 1.98 0.022 - -"),
        ("zai/glm-4.7", "0.6 2.2 0.11 - -"),
        ("zai/glm-5", "1 3.2 0.2 - -"),
        ("moonshot/kimi-k2.5", "0.6 3 0.1 - -"),
        ("moonshot/kimi-k2.6", "0.95 4 0.16 - -"),
        ("openrouter/qwen/qwen3-32b", "0.14 0.4 0.09 - -"),
        ("openrouter/qwen/qwen-2.5-coder-32b-instruct", "0.66 1 - - -"),
    ],
)
def test_the_price_is_the_right_one(name: str, figures: str) -> None:
    price = TABLE[name].price
    assert price is not None
    rates = price.base
    every = (rates.input, rates.output, rates.cache_read, rates.cache_write, rates.cache_write_1h)
    assert every == tuple(None if each == "-" else Decimal(each) for each in figures.split())


@pytest.mark.parametrize(
    ("name", "minimum"),
    [
        ("claude-opus-5-5", 512),
        ("claude-sonnet-5-5", 512),
        ("claude-haiku-5-5", 512),
        ("claude-sonnet-4-5", 1024),
        ("claude-sonnet-4-6", 1024),
        ("claude-opus-4-7", 2048),
        ("claude-opus-4-6", 4096),
        ("claude-haiku-4-5", 4096),
    ],
)
def test_claudes_caches_have_their_minimum(name: str, minimum: int) -> None:
    cache = TABLE[f"anthropic/{name}"].cache
    assert (cache.mode, cache.minimum, cache.ttl) == ("explicit", minimum, ("5m", "1h"))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("openai/gpt-4-turbo-2024-04-09", "2026-10-23"),
        ("openai/gpt-3.5-turbo", "2026-10-23"),
        ("openai/gpt-4o-2024-11-20", "2027-01-14"),
        ("anthropic/claude-sonnet-4-5", "2026-11-30"),
        ("deepseek/deepseek-chat", "2026-07-24"),
        ("deepseek/deepseek-reasoner", "2026-07-24"),
        ("deepseek/deepseek-v4-flash", "2026-09-10"),
        ("moonshot/kimi-k2-0905-preview", "2026-05-25"),
        ("moonshot/kimi-k2.5", "2026-08-31"),
        ("tencent/hunyuan-turbo", "2026-06-22"),
    ],
)
def test_what_retires_says_when(name: str, day: str) -> None:
    model = TABLE[name]
    assert model.retires_on == date.fromisoformat(day)
    assert model.retired(TODAY) == (date.fromisoformat(day) <= TODAY)


def test_every_row_says_when_and_where_its_figures_were_read() -> None:
    for model in TABLE.values():
        assert model.as_of, model.name
        assert model.source.endswith("."), model.name


@pytest.mark.parametrize(
    ("name", "share", "day"),
    [
        ("openai/gpt-4o-2024-11-20", 0.951, "2024-12-30"),
        ("openrouter/deepseek/deepseek-r1", 0.969, "2025-01-20"),
        ("openrouter/deepseek/deepseek-chat-v3-0324", 0.996, "2025-03-24"),
    ],
)
def test_who_may_be_asked_for_blocks_by_which_run(name: str, share: float, day: str) -> None:
    model = TABLE[name]
    assert (model.edit, model.edit_adherence) == ("blocks", share)
    assert "Aider" in (run := model.source.partition(" Edit adherence: ")[2])
    assert f" of {day}" in run


def test_nobody_else_is_asked_for_blocks_and_none_for_a_poor_share() -> None:
    asked = [model for model in TABLE.values() if model.edit != "whole" or model.edit_adherence is not None]
    assert len(asked) == 3
    assert all(model.edit == "blocks" and (model.edit_adherence or 0) >= 0.95 for model in asked)


def test_what_was_measured_stands_with_the_weights() -> None:
    measured = {model.id for model in TABLE.values() if canonical(model.id) in shipped().models}
    assert {identity.removeprefix("moonshotai/").casefold() for identity in measured} == {
        name.casefold() for name in MODELS
    }
    assert not any(model.ability for model in TABLE.values())


def test_no_price_is_better_than_an_unverifiable_one() -> None:
    assert {name for name, model in TABLE.items() if model.price is None} == {
        "global-api/ga-standard",
        "openai/gpt-6.2-astra",
        "openai/gpt-6.2-sol",
        "tencent/hunyuan-turbo",
    }
    assert TABLE["global-api/ga-standard"].public_only


def test_each_key_has_a_variable_of_its_own_and_goes_over_https() -> None:
    wire = load(today=TODAY).providers.values()
    names = [provider.key_env for provider in wire]
    assert None not in names
    assert len(set(names)) == len(names)
    assert all(provider.base_url.startswith("https://") for provider in wire)


def test_temperature_is_sent_to_nobody() -> None:
    assert {model.quirks.temperature for model in TABLE.values()} == {None}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_dearer_bucket_never_costs_less(name: str) -> None:
    price = TABLE[name].price
    if price is None:
        return
    for rates in (price.base, *(step.rates for step in price.steps), *(peak.rates for peak in price.peaks)):
        assert 0 < (rates.cache_read or rates.input) <= rates.input <= rates.output
        assert rates.cache_write is None or rates.cache_write >= rates.input
        assert rates.cache_write_1h is None or rates.cache_write_1h > (rates.cache_write or 0)
        assert rates.input >= price.base.input


# DeepSeek's two prices are one in the dataset; of the others it knows nothing.
UNLISTED = {"deepseek", "dashscope", "tencent", "global-api"}
UNLISTED_ROWS = {"google/gemini-4-hydrogen", "openai/gpt-6.2-astra", "openai/gpt-6.2-sol"}
LISTED = sorted({name for name, model in TABLE.items() if model.provider.name not in UNLISTED} - UNLISTED_ROWS)


@pytest.mark.skipif(version("genai-prices") != "0.2.3", reason="another state of the dataset than the table's")
@pytest.mark.parametrize("name", sorted(UNLISTED_ROWS))
def test_what_the_dataset_does_not_know_it_does_not_take_for_another(name: str) -> None:
    assert list_prices.look_up(TABLE[name].id, TABLE[name].provider.base_url, TODAY) is None


@pytest.mark.skipif(version("genai-prices") != "0.2.3", reason="another state of the dataset than the table's")
@pytest.mark.parametrize("name", LISTED)
def test_the_table_agrees_with_the_list_prices(name: str) -> None:
    model = TABLE[name]
    assert model.as_of is not None
    listed = list_prices.look_up(model.id, model.provider.base_url, max(TODAY, model.as_of))
    assert listed is not None
    assert model.price is not None
    assert (model.price.base.input, model.price.base.output) == (listed.base.input, listed.base.output)
    assert model.price.base.cache_read in (listed.base.cache_read, None)
    # The dataset has a step at 200,000 tokens for Sonnet 4.5, whose context is no longer.
    steps = [step.above for step in listed.steps if step.above < model.context]
    assert [step.above for step in model.price.steps] == steps


def test_the_table_is_read_quickly() -> None:
    config.builtin.cache_clear()
    table, first = lines(lambda: load(today=TODAY))
    _, again = lines(lambda: load(today=TODAY))
    print(f"{first / len(table.models):.0f} lines a model, {again} where it was read before")
    assert first / len(table.models) < 600
    assert again < 1000


def test_the_header_says_where_ability_stands() -> None:
    text = (PACKAGE / "models.toml").read_text()
    assert "weights.json" in text
    assert len(tomllib.loads(text)["models"]) == len(TABLE)


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("openai/gpt-6.1-sol", 922_000 + 128_000),
        ("openai/gpt-6.1-terra", 922_000 + 128_000),
        ("openai/gpt-6-luna", 922_000 + 128_000),
        ("openai/gpt-6-sol", 922_000 + 128_000),
        ("openai/gpt-5.5", 1_050_000),
        ("openai/gpt-5.4-mini", 272_000 + 128_000),
        ("dashscope/qwen3.8-max", 1_000_000),
        ("dashscope/qwen3-max", 262_144),
        ("google/gemini-3.8-flash", 1_048_576),
    ],
)
def test_a_context_is_prompt_and_answer_together(name: str, context: int) -> None:
    assert TABLE[name].context == context


def test_no_answer_is_longer_than_prompt_and_answer_together() -> None:
    assert all(model.max_output <= model.context for model in TABLE.values())


def line(name: str) -> list[str]:
    """Return a row and those that it follows, newest first."""
    found: list[str] = []
    row: Model | None = TABLE[name]
    while row is not None:
        found.append(row.name)
        row = row.predecessor
    return found


@pytest.mark.parametrize(
    ("newest", "earlier"),
    [
        ("anthropic/claude-fable-5-2", "claude-fable-5-1 claude-opus-4-8 claude-opus-4-7 claude-opus-4-6"),
        ("anthropic/claude-opus-5-5", "claude-opus-5 claude-opus-4-8 claude-opus-4-7 claude-opus-4-6"),
        ("anthropic/claude-sonnet-5-5", "claude-sonnet-5 claude-sonnet-4-6 claude-sonnet-4-5"),
        ("anthropic/claude-haiku-5-5", "claude-haiku-4-5"),
        ("openai/gpt-6.2-sol", "gpt-6.1-sol gpt-6-sol gpt-5.5 gpt-5.4"),
        ("openai/gpt-6.2-astra", "gpt-6-astra gpt-5.5 gpt-5.4"),
        ("openai/gpt-6.1-terra", "gpt-5.4"),
        ("openai/gpt-6-luna", "gpt-5.4-mini gpt-4o-mini gpt-3.5-turbo"),
        ("moonshot/kimi-k3.1-pro", "kimi-k3 kimi-k2.6 kimi-k2.5"),
        ("zai/glm-5.3", "glm-5.2 glm-5"),
        ("dashscope/qwen3.8-max", "qwen3-max"),
        ("minimax/MiniMax-M3", "MiniMax-M2.7"),
    ],
)
def test_a_successor_follows_its_line(newest: str, earlier: str) -> None:
    provider = newest.partition("/")[0]
    names = [f"{provider}/{each}" for each in earlier.split()]
    assert line(newest)[: len(names) + 1] == [newest, *names]


def test_every_line_ends_and_stays_with_one_maker() -> None:
    for name, model in TABLE.items():
        assert (model.follows is None) == (model.predecessor is None), name
        assert len(line(name)) < 10
        if model.provider.name != "openrouter":
            assert {each.partition("/")[0] for each in line(name)} == {model.provider.name}
