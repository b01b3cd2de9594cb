"""Other encodings in which a text may repeat a secret that it also has in the clear."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from urllib.parse import quote, quote_plus

_LEAST = 8
"""Minimum code points of a secret and of its encoding; a shorter match may be a coincidence."""


def encodings(value: str) -> Iterator[str]:
    """Yield the URL, HTML, base64 and hexadecimal encodings of a secret, and its reverse, without duplicates."""
    if len(value) < _LEAST:
        return
    data = value.encode("utf-8", "surrogatepass")
    found = [quote(data, safe=""), quote(data), quote_plus(data), escape(value), value[::-1], data.hex()]
    found += [found[-1].upper(), *_coded(data)]
    yield from (each for each in dict.fromkeys(found) if each != value and len(each) >= _LEAST)


def _coded(data: bytes) -> Iterator[str]:
    """Yield the base64 encodings of bytes at each alignment: after a user name, for instance."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            coded = encode(b"\0" * shift + data).decode().rstrip("=")
            yield coded[(0, 2, 3)[shift] : len(coded) - ((len(data) + shift) % 3 != 0)]
