"""What the founding comparison says of models and kinds of task, and what follows from it: figures of 2026-02-07.

Its ``select_model`` returns the first of a kind's candidates for "high", the second for "medium" and the last, which it
calls the cheapest, for "low", for any other word and in budget mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tuppence.core.models.model import Model
from tuppence.core.models.pricing import Rates

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "architecture": ("claude-opus-4.6", "gpt-4-turbo"),
    "code_generation": ("deepseek-coder-v2.5", "claude-sonnet-4.5", "qwen-2.5-coder-32b"),
    "refactoring": ("claude-sonnet-4.5", "deepseek-v3", "gpt-4o"),
    "testing": ("claude-haiku-4.5", "deepseek-coder-v2.5", "gpt-4o"),
    "code_review": ("claude-opus-4.6", "gpt-4-turbo", "claude-sonnet-4.5"),
    "documentation": ("claude-haiku-4.5", "gpt-3.5-turbo", "deepseek-v3"),
    "debugging": ("claude-sonnet-4.5", "deepseek-coder-v2.5", "qwen-2.5-coder-32b"),
    "optimization": ("claude-opus-4.6", "deepseek-v3", "gpt-4-turbo"),
    "boilerplate": ("claude-haiku-4.5", "gpt-3.5-turbo", "qwen-2.5-coder-7b"),
    "research": ("claude-opus-4.6", "claude-sonnet-4.5", "gpt-4-turbo"),
}
"""Its ``task_model_mapping``."""
FIGURES: Mapping[str, tuple[str, str, int]] = {
    "claude-opus-4.6": ("15", "75", 92),
    "claude-sonnet-4.5": ("3", "15", 88),
    "claude-haiku-4.5": ("0.80", "4", 75),
    "gpt-4-turbo": ("10", "30", 88),
    "gpt-4o": ("2.50", "10", 85),
    "gpt-3.5-turbo": ("0.50", "1.50", 48),
    "deepseek-v3": ("0.14", "0.28", 81),
    "deepseek-coder-v2.5": ("0.14", "0.28", 84),
    "qwen-2.5-coder-32b": ("0.40", "0.80", 83),  # In the middle of its range.
    "qwen-2.5-coder-7b": ("0.20", "0.40", 70),  # Likewise.
}
"""By its name of a model: USD per million tokens of input and output, and percent of HumanEval, as it states them."""
ROWS: Mapping[str, str] = {
    "claude-opus-4.6": "anthropic/claude-opus-4-6",
    "claude-sonnet-4.5": "anthropic/claude-sonnet-4-5",
    "claude-haiku-4.5": "anthropic/claude-haiku-4-5",
    "gpt-4-turbo": "openai/gpt-4-turbo-2024-04-09",
    "gpt-4o": "openai/gpt-4o-2024-11-20",
    "gpt-3.5-turbo": "openai/gpt-3.5-turbo",
    "deepseek-v3": "deepseek/deepseek-chat",
    "deepseek-coder-v2.5": "deepseek/deepseek-coder",
    "qwen-2.5-coder-32b": "openrouter/qwen/qwen-2.5-coder-32b-instruct",
    "qwen-2.5-coder-7b": "openrouter/qwen/qwen2.5-coder-7b-instruct",
}
"""The row of the built-in table by its name of a model."""


def select_model(kind: str, complexity: str) -> str:
    """Return what its code returns for a kind of task."""
    candidates = CANDIDATES[kind]
    if complexity == "high":
        return candidates[0]
    return candidates[1] if complexity == "medium" and len(candidates) > 1 else candidates[-1]


def stated(name: str) -> Decimal:
    """Return what three tokens of input and one of output cost by its own prices, USD per million tokens."""
    price, output, _ = FIGURES[name]
    return _mixed(Rates(Decimal(price), Decimal(output)))


def listed(row: Model) -> Decimal:
    """Return what they cost by a row of the built-in table, which must have a price."""
    assert row.price is not None, row.name
    return _mixed(row.price.base)


def cheapest(kind: str) -> str:
    """Return the cheapest of a kind's candidates by its own prices."""
    return min(CANDIDATES[kind], key=stated)


def best(kind: str) -> str:
    """Return the candidate with the highest HumanEval that it states."""
    return max(CANDIDATES[kind], key=lambda name: FIGURES[name][2])


def _mixed(rates: Rates) -> Decimal:
    return (3 * rates.input + rates.output) / 4
