"""The other ways in which a text may hold a secret that it holds in the clear as well."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from urllib.parse import quote, quote_plus

_LEAST = 8
"""Code points of a secret, and of what is written in its place, from which on it is no accident."""


def encodings(value: str) -> Iterator[str]:
    """Yield a secret as URLs, HTML, base64 and hexadecimal digits write it, and backwards; each is another text."""
    if len(value) < _LEAST:
        return
    data = value.encode("utf-8", "surrogatepass")
    found = [quote(data, safe=""), quote(data), quote_plus(data), escape(value), value[::-1], data.hex()]
    found += [found[-1].upper(), *_coded(data)]
    yield from (each for each in dict.fromkeys(found) if each != value and len(each) >= _LEAST)


def _coded(data: bytes) -> Iterator[str]:
    """Yield what base64 makes of some bytes, wherever in it they begin: behind a user's name, for instance."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            coded = encode(b"\0" * shift + data).decode().rstrip("=")
            yield coded[(0, 2, 3)[shift] : len(coded) - ((len(data) + shift) % 3 != 0)]
