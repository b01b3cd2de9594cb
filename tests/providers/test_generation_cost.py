"""A provider's later report of an answer's cost becomes a ledger entry, so it is accepted completely or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tuppence.core.models.model import Model, Provider
from tuppence.core.models.usage import Usage
from tuppence.providers import UsageReport, _generation_cost

MODEL = Model(
    provider=Provider("acme", "openai", "https://api.acme.example/v1/", None, bill="generation?id={id}"),
    id="m-1",
    tier="budget",
)
SAID = {
    "total_cost": 0.0012,
    "native_tokens_prompt": 1000,
    "native_tokens_cached": 400,
    "native_tokens_completion": 70,
    "native_tokens_reasoning": 20,
}


def read(**other: Any) -> UsageReport | None:
    """Read what the provider says, but for these fields; one that is ... is left out."""
    return _generation_cost.read(json.dumps({"data": {k: v for k, v in (SAID | other).items() if v is not ...}}))


def test_the_question_goes_below_the_base_url_with_the_identity_as_one_word() -> None:
    asked = _generation_cost.request(MODEL, "key", "gen/../../1?x=1&y#z")
    assert asked is not None
    assert asked.url == "https://api.acme.example/v1/generation?id=gen%2F..%2F..%2F1%3Fx%3D1%26y%23z"
    assert asked.headers == {"authorization": "Bearer key"}
    without = _generation_cost.request(MODEL, None, "gen-1")
    assert without is not None
    assert without.headers == {}


def test_nothing_is_asked_without_a_path_or_an_identity() -> None:
    assert _generation_cost.request(replace(MODEL, provider=replace(MODEL.provider, bill=None)), "key", "gen-1") is None
    assert _generation_cost.request(MODEL, "key", "") is None
    assert _generation_cost.request(MODEL, "key", "x" * 200) is not None
    assert _generation_cost.request(MODEL, "key", "x" * 201) is None


def test_the_buckets_are_disjoint() -> None:
    usage = Usage(fresh=600, cache_read=400, output=50, thinking=20)
    assert read() == UsageReport(usage, Decimal("0.0012"))
    assert usage.prompt == 1000
    assert usage.output + usage.thinking == 70


def test_what_it_does_not_say_of_the_cache_stays_unknown() -> None:
    assert read(native_tokens_cached=...) == UsageReport(Usage(1000, None, output=50, thinking=20), Decimal("0.0012"))


def test_all_of_a_prompt_may_come_from_the_cache_and_no_more_than_all() -> None:
    assert read(native_tokens_cached=1000) == UsageReport(Usage(0, 1000, output=50, thinking=20), Decimal("0.0012"))
    assert read(native_tokens_cached=1001) is None


@pytest.mark.parametrize(("said", "thinking"), [(..., 0), (0, 0), (70, 70), (71, 70), (10**9, 70)])
def test_thinking_is_a_part_of_the_answer(said: Any, thinking: int) -> None:
    found = read(native_tokens_reasoning=said)
    assert found is not None
    assert (found.usage.output, found.usage.thinking) == (70 - thinking, thinking)


def test_an_answer_that_was_cancelled_before_its_first_token_has_none() -> None:
    found = read(native_tokens_completion=..., native_tokens_reasoning=..., cancelled=True)
    assert found == UsageReport(Usage(600, 400, output=0), Decimal("0.0012"))
    assert read(native_tokens_completion=..., cancelled=False) is None
    assert read(native_tokens_completion=..., cancelled="yes") is None
    assert read(native_tokens_completion=...) is None


@pytest.mark.parametrize("field", ["total_cost", "native_tokens_prompt", "native_tokens_completion"])
@pytest.mark.parametrize("value", [..., None, -1, "many", [], {}, True, float("nan"), float("inf")])
def test_without_a_figure_that_counts_it_says_nothing(field: str, value: Any) -> None:
    assert read(**{field: value}) is None


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{", '{"data": null}', '{"data": [1]}', '{"data": {}}', "<html>", "1"]
)
def test_a_body_in_another_form_says_nothing(body: str) -> None:
    assert _generation_cost.read(body) is None


def test_a_cost_of_nothing_is_a_cost() -> None:
    found = read(total_cost=0)
    assert found is not None
    assert found.cost == 0
