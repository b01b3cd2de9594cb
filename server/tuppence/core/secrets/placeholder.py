"""A placeholder for a secret: of its length and shape, derived by a keyed hash, so that it says nothing of it.

Without the key a placeholder can be neither recomputed nor undone; with it, the same secret has the same placeholder
in every request, so that the start of a prompt stays the same bytes.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from hashlib import blake2b

_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
_HEX = frozenset("0123456789abcdefABCDEF")
_MARKS = "!#%*+=~"
_FEW = 6
"""Letters and digits below which marks are replaced too: too little would be hidden otherwise."""
_TRIES = 64


class Unsearchable(Exception):
    """A text that no one can say of that it holds no secret."""


def placeholder(value: str, keep: int, salt: bytes, is_taken: Callable[[str], bool]) -> str:
    """Return what takes the place of a secret.

    :param keep: how many of its first code points are public and stay.
    :param salt: the key, 16 to 64 bytes.
    :param is_taken: whether a text must not be chosen.
    :raises Unsearchable: nothing of its shape is free.
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
            found.append(each)  # An escape stays one.
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
    """Yield numbers that depend on a value and the key alone."""
    seed = blake2b(b"%d:" % attempt + value.encode("utf-8", "surrogatepass"), key=salt).digest()
    count = 0
    while True:
        block = blake2b(b"%d:" % count + seed, key=salt).digest()
        for at in range(0, len(block), 2):
            yield int.from_bytes(block[at : at + 2])
        count += 1
