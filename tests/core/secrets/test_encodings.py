"""A secret is known in the encodings in which a text may hold it beside its plain form."""

from __future__ import annotations

import base64
from html import escape
from typing import Any
from urllib.parse import quote

import pytest

from tuppence.core.secrets.encodings import encodings

VALUE = "k9#Ab7&x/Q2!é"


@pytest.mark.attack("what leaves", "a secret in another encoding beside it")
def test_nothing_of_its_encodings_is_left(record_property: Any) -> None:
    data = VALUE.encode()
    texts = [quote(VALUE, safe=""), quote(VALUE), escape(VALUE), VALUE[::-1], data.hex(), data.hex().upper()]
    texts += [base64.b64encode(before + data + b"@host").decode() for before in (b"", b"a:", b"bob:", b"alice:")]
    record_property("cases", len(texts))
    known = sorted(encodings(VALUE), key=len, reverse=True)
    for text in texts:
        assert any(each in text for each in known), text
    assert VALUE not in known


def test_a_word_has_none_but_itself_backwards_and_coded() -> None:
    assert list(encodings("short")) == []
    assert "Ab7xQ2k9" not in list(encodings("Ab7xQ2k9"))
