"""Code in a string of JSON: taken out where it is the only one, never out of code that is JSON or has such keys."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EXAMPLES
from work import lines as lines_run

from tuppence.core.answer.forms.json_code import code_in_json

CODE = 'def f(a):\n\treturn "é\\n"\n'


@pytest.mark.parametrize(
    "value",
    [
        {"code": CODE},
        {"language": "python", "code": CODE},
        {"code": CODE, "explanation": "It returns.\nSo it does."},
        {"result": {"code": CODE}},
        [{"code": CODE}],
        {"result": [{"file": "a.py", "line": 3, "fixed_code": CODE, "ok": True, "next": None}]},
        {"fixedCode": CODE},
        {"replacement": CODE},
        {"code": ["code", CODE][1:]},
    ],
)
def test_the_forms_that_models_write(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2), f"\n{json.dumps(value, ensure_ascii=False)}\n "):
        assert code_in_json(text, "def f(a):\n    return b\n", "python") == CODE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "{",
        '"x = 1"',
        "def f(): ...",
        '{"code": "a", "code": "b"}',
        '{"code": "a", "tests": "b\\nc"}',
        '{"code": "a", "replacement": "b"}',
        '[{"code": "a"}, {"code": "b"}]',
        '{"code": ["a", "b"]}',
        '{"code": ""}',
        '{"code": " \\n"}',
        '{"code": 1}',
        '{"code": {"a": "b"}}',
        '{"text": "a\\nb"}',
        '{"explanation": "a\\nb"}',
        '{"code": "a\nb"}',
        '{"code": "a",}',
        "{'code': 'a'}",
        '{"code": "a"} and more',
        '{"code": "\\ud800"}',
        '{"code": "a"',
        "[" * 100_000,
        '{"a":' * 100_000,
        "[" * 5_000 + "]" * 5_000,
        '{"code": "a", "n": ' + "9" * 5_000 + "e",
        '{"code": "' + "x" * 1_000_001 + '"}',
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert code_in_json(text, "x = 1") is None


def test_a_figure_of_many_digits_costs_nothing() -> None:
    assert code_in_json('{"n": ' + "9" * 100_000 + ', "code": "a"}') == "a"


def test_code_that_is_json_or_has_such_keys_is_code() -> None:
    text = '{"code": "b"}'
    assert code_in_json(text) == "b"
    assert code_in_json(text, '{"code": "a"}') is None
    assert code_in_json(text, '[\n  {"name": "a"}\n]\n') is None
    assert code_in_json(text, '    {"code": "a"},') is None
    assert code_in_json(text, "rows = [{'code': 'a'}]") is None
    assert code_in_json(text, "{", "JSON") is None
    assert code_in_json(text, "{", "jsonc") is None
    assert code_in_json(text, "{\n  return a;\n}", "c") == "b"


@settings(max_examples=EXAMPLES or 300)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.booleans())
def test_any_code_comes_out_as_it_went_in(code: str, ascii_only: bool) -> None:  # noqa: FBT001
    expected = code if code.strip() else None
    assert code_in_json(json.dumps({"language": "c", "code": code}, ensure_ascii=ascii_only)) == expected


def test_a_long_text_is_read_once() -> None:
    def cost(count: int) -> int:
        text = json.dumps([{"line": 1, "name": "a"}] * count + [{"code": "a"}])
        found, many = lines_run(lambda: code_in_json(text))
        assert found == "a"
        return many

    assert cost(4000) < 2.2 * cost(2000)
