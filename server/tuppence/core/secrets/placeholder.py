"""Derive a placeholder for a secret by a keyed hash; it has the secret's length and shape and reveals nothing else.

Without the key, a placeholder can be neither computed nor reversed. With it, a secret has one placeholder in all
requests, so the cached prefix of a prompt does not change.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from hashlib import blake2b

_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
_HEX = frozenset("0123456789abcdefABCDEF")
_MARKS = "!#%*+=~"
_FEW = 6
"""If a secret has fewer letters and digits than this, its symbols are replaced too."""
_TRIES = 64


class Unsearchable(Exception):
    """A text cannot be searched for secrets reliably, so it must not be sent."""


def placeholder(value: str, keep: int, salt: bytes, is_taken: Callable[[str], bool]) -> str:
    """Return the placeholder for a secret.

    :param keep: number of leading code points that are public and unchanged.
    :param salt: the key, 16 to 64 bytes.
    :param is_taken: returns whether a candidate must not be used.
    :raises Unsearchable: every candidate is taken.
    """
    if sum(each.isalnum() for each in value[keep:]) < _FEW:
        keep = 0
    for attempt in range(_TRIES):
        found = _shaped(value, keep, _stream(value, salt, attempt))
        if found != value and not is_taken(found):
            return found
    raise Unsearchable("a value in it has no replacement of its shape")


def _shaped(value: str, keep: int, stream: Iterator[int]) -> str:
    rest = value[keep:]
    is_hex = len(rest) >= _FEW and all(each in _HEX or not each.isalnum() for each in rest)
    lower, upper = (_LOWER[:6], _UPPER[:6]) if is_hex else (_LOWER, _UPPER)
    marks = sum(each.isalnum() for each in rest) < _FEW
    found = list(value[:keep])
    for at, each in enumerate(rest):
        if each in "\\\r\n" or (at and rest[at - 1] in "\\%" and each.isascii()):
            found.append(each)  # An escape sequence stays intact.
        elif each.isdigit():
            found.append(_pick(_DIGITS, stream))
        elif each.isupper():
            found.append(_pick(upper, stream))
        elif each.isalnum():
            found.append(_pick(lower, stream))
        else:
            found.append(_pick(_MARKS, stream) if marks and not each.isspace() and each not in "\"'`" else each)
    return "".join(found)


def _pick(alphabet: str, stream: Iterator[int]) -> str:
    return alphabet[next(stream) % len(alphabet)]


def _stream(value: str, salt: bytes, attempt: int) -> Iterator[int]:
    """Yield numbers that depend on the value, the key and the attempt only."""
    seed = blake2b(b"%d:" % attempt + value.encode("utf-8", "surrogatepass"), key=salt).digest()
    count = 0
    while True:
        block = blake2b(b"%d:" % count + seed, key=salt).digest()
        for at in range(0, len(block), 2):
            yield int.from_bytes(block[at : at + 2])
        count += 1
