from __future__ import annotations

import enum
import json
import random
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union

import attrs
import pytest
from client_messages import INITIALIZE, ODD, diagnostic, odd_message, samples
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import converters, types, validators

from tuppence.lsp.protocol.json_values import Malformed
from tuppence.lsp.protocol.typed_json import identity, read

URI = "file:///a.py"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
TYPED = [(each["method"], each["params"]) for each in samples(URI) if each.get("method") in types.METHOD_TO_TYPES]


def fits(value: Any, kind: Any, bounds: Any = None) -> bool:
    """Report whether a value is of a type, to the last field; written from the types' annotations alone."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or kind is types.LSPObject:
        return True
    if origin is Union:
        return any(fits(value, each, bounds) for each in arguments)
    if origin is Literal:
        return value in arguments
    if origin is Sequence:
        return type(value) is tuple and all(fits(each, arguments[0]) for each in value)
    if origin is Mapping:
        return type(value) is dict and all(type(key) is str and fits(each, arguments[1]) for key, each in value.items())
    if isinstance(kind, type) and attrs.has(kind):
        return type(value) is kind and all(
            fits(getattr(value, each.name), each.type, getattr(each.validator, "validator", each.validator))
            for each in attrs.fields(kind)
        )
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return isinstance(value, kind)
    low = {validators.uinteger_validator: 0, validators.integer_validator: -(2**31)}.get(bounds, -(2**53))
    return type(value) is kind and (kind is not int or low <= value <= (2**31 - 1 if bounds in _BOUNDED else 2**53))


_BOUNDED = (validators.uinteger_validator, validators.integer_validator)


@pytest.mark.parametrize(("method", "params"), TYPED)
def test_what_an_editor_sends_becomes_what_cattrs_makes_of_it(method: str, params: Any) -> None:
    kind: Any = types.METHOD_TO_TYPES[method][2]
    if method == "initialize":  # What is newer than lsprotocol makes cattrs refuse the whole of it.
        params = json.loads(json.dumps(params).replace(", 99]", "]").replace(', "asciidoc"', ""))
        params["capabilities"]["textDocument"]["codeAction"]["tagSupport"]["valueSet"] = [1]
    assert read(params, kind) == converters.get_converter().structure(params, kind)


@settings(max_examples=60)
@given(method=st.sampled_from([method for method, _ in TYPED]), value=JSON)
def test_any_json_is_typed_or_refused(method: str, value: Any) -> None:
    check(method, value)


def test_any_field_with_any_value_is_typed_or_refused() -> None:
    dice = random.Random(3)  # noqa: S311 - a seeded test
    counts = {True: 0, False: 0}
    for _ in range(3000):
        method, params = dice.choice(TYPED)
        message = odd_message(dice, {"params": params})
        counts[check(method, message.get("params"))] += 1
    assert min(counts.values()) > 300


def check(method: str, value: Any) -> bool:
    """See that a value becomes what its type says, or is refused by a sentence; return whether it became it."""
    kind: Any = types.METHOD_TO_TYPES[method][2]
    refused, made = "", None
    try:
        made = read(value, kind, "params")
    except Malformed as error:
        refused = error.sentence
    if refused:
        assert refused.startswith("`params")
        assert refused.endswith(".")
        assert len(refused) < 250
        return False
    assert fits(made, kind), made
    return True


def test_what_is_newer_or_not_read_counts_as_absent() -> None:
    found = read(INITIALIZE, types.InitializeParams)
    symbol, actions = found.capabilities.workspace, found.capabilities.text_document
    assert symbol is not None
    assert symbol.symbol is not None
    assert symbol.symbol.symbol_kind is not None
    assert len(symbol.symbol.symbol_kind.value_set or ()) == 26
    assert actions is not None
    assert actions.code_action is not None
    assert actions.code_action.tag_support is not None
    assert actions.code_action.tag_support.value_set == (types.CodeActionTag.LlmGenerated,)
    wrong = read(diagnostic() | {"severity": "x", "code": [], "tags": [9], "data": ["kept"]}, types.Diagnostic)
    assert (wrong.severity, wrong.code, wrong.tags, wrong.data) == (None, None, (), ["kept"])


def test_a_change_with_a_range_that_is_none_never_replaces_the_whole_text() -> None:
    change = types.DidChangeTextDocumentParams
    ranges: tuple[Any, ...] = ({}, [], 5, "x", {"start": {"line": 0, "character": 0}})
    for given_range in ranges:
        with pytest.raises(Malformed) as caught:
            read(
                {
                    "textDocument": {"uri": URI, "version": 1},
                    "contentChanges": [{"range": given_range, "text": "x"}],
                },
                change,
            )
        assert "`contentChanges[0].range" in caught.value.sentence


@pytest.mark.parametrize("value", [0, 5, -1, "", "a", 2**53])
def test_an_identity_is_a_text_or_a_whole_number(value: Any) -> None:
    assert identity(value) == value
    assert identity(5.0) == 5


@pytest.mark.parametrize("value", [None, True, False, 1.5, [], {}, "\ud800", "\0", "x" * 40_000, 10**400, float("inf")])
def test_anything_else_is_no_identity(value: Any) -> None:
    assert identity(value) is None
