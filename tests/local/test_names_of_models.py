"""The names that a program on this machine gives its models: only such as can be shown as they are."""

from __future__ import annotations

import pytest

from tuppence.local.discovery import _found


@pytest.mark.attack("local surfaces", "a model's name from a server on this machine")
@pytest.mark.parametrize("name", ["a\x1b[2J", "a\u202eb", "a\nb", "a\x9b", "a\u200bb", "x" * 201, "\x00", " \u2028"])
def test_a_name_that_hides_something_is_no_model(name: str) -> None:
    assert _found("ollama", "http://127.0.0.1:11434", [name, "good:7b"], []).models == ("good:7b",)


@pytest.mark.parametrize("name", ["qwen3:8b", "hf.co/org/model-GGUF:Q4_K_M", "größe", "模型", "/models/a b.gguf"])
def test_an_ordinary_name_is_one(name: str) -> None:
    assert _found("ollama", "http://127.0.0.1:11434", [name], []).models == (name,)
