from __future__ import annotations

import pytest

from tuppence.config import builtin
from tuppence.config.pasted_keys import without_keys, without_logins


@pytest.mark.parametrize(
    "key",
    [
        "sk-live-51Hx9Qq7ZtYpLw3RbVn8KdMc2",
        "sk-ant-api03-AAbbCCdd1122334455667788-xyz",
        "sk-or-v1-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
        "9f86d081884c7d659a2feaa0c55ad015",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzz9KEY1",
        "550e8400-e29b-41d4-a716-446655440000",
        "xai-abcdEFGH1234ijklMNOP",
    ],
)
@pytest.mark.parametrize(
    "sentence", ['"tier" cannot be "{}".', "Unknown key {}.", '"https://h.example/v1?key={}" is wrong.']
)
def test_what_looks_like_a_key_is_taken_out(key: str, sentence: str) -> None:
    said = without_keys(sentence.format(key))
    assert key not in said
    assert "…" in said


@pytest.mark.parametrize("login", ["ada:pw@", "ada:p@ss/w@", "ada@", ":secret@"])
def test_the_login_in_an_address_is_taken_out(login: str) -> None:
    said = without_logins(f'"htp://{login}host.example/v1" is not a web address.')
    assert said == '"htp://…@host.example/v1" is not a web address.'


def test_a_models_name_stays() -> None:
    names = [model.name for model in builtin().models]
    names += ["openrouter/qwen3-coder-30b-a3b-instruct", "claude-haiku-4-5-20251001", "Qwen/Qwen3-VL-235B-A22B-FP8"]
    for name in names:
        assert without_keys(f'There is no model "{name}".') == f'There is no model "{name}".'


@pytest.mark.parametrize(
    "sentence",
    [
        '"seconds_to_first_token" must be a number from 0 to 3600, not "x".',
        'Write "https://api.acme.example/v1".',
        "Write it bare: 2026-11-21.",
        'Write a name such as "MINE_API_KEY", and put the key into that variable.',
        'Write "postgresql://user@host/database", or leave it out for a file of your own.',
    ],
)
def test_an_ordinary_sentence_stays(sentence: str) -> None:
    assert without_keys(sentence) == sentence


def test_a_long_name_that_is_none_is_judged_without_trying_each_division_of_it() -> None:
    words = "-".join(["abcDEFghi12x"] * 60)
    assert without_keys(f'Unknown key "{words}-$".')  # Each division of each word would take longer than any test may.
