"""Remove text that looks like a key or a password from sentences about the configuration file.

Users paste keys where names belong, and a sentence about the mistake is displayed, logged and sent to others. Model
names, which also contain digits, stay: they consist of words, some with a number after them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuppence.core.secrets.detect import SecretDetector

_TOKEN = re.compile(r"[A-Za-z0-9_+/=~.:?&%-]{12,}")
_PART = re.compile(r"[A-Za-z0-9_+~.-]{12,}")
_LOGIN = re.compile(r"(?<=//)[^\s\"`“”]*@")
_SEPARATOR = re.compile(r"[-/:_.]")
_WORD = re.compile(r"(?:[A-Z]{1,8}[a-z]{0,12}|[a-z]{1,14}){0,3}(?:\d{1,4}[A-Za-z]?){0,3}")
"""Matches a part of a model's name: ``claude``, ``20251001``, ``4``, ``8x7b``, ``MiniMax``, ``v3p2``, ``A22B``."""
_LONGEST_WORD = 75
"""Maximum number of code points that ``_WORD`` matches."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INSTEAD = "…"


def without_logins(sentence: str) -> str:
    """Return a sentence with the login in an address replaced by ``…``."""
    return _LOGIN.sub(f"{_INSTEAD}@", sentence)


def without_keys(sentence: str) -> str:
    """Return a sentence with text that looks like a key replaced by ``…``."""
    return _TOKEN.sub(_judged, sentence)


def _judged(found: re.Match[str]) -> str:
    token = found.group()
    if _is_key(token):
        return _INSTEAD
    return _PART.sub(lambda part: _INSTEAD if _is_key(part.group()) else part.group(), token)


def _is_key(token: str) -> bool:
    token = token.strip(".:?")
    if not any(each.isdigit() for each in token) or (_is_model(token) and not _UUID.fullmatch(token)):
        return False
    # A value in quotes is judged alone; after a name such as "key", weaker evidence is enough.
    return any(_detector().find(line) for line in (f'"{token}"', f'api_key = "{token}"'))


def _is_model(token: str) -> bool:
    """Return whether a token looks like a model's name: words between separators.

    Each word is matched separately, because one pattern for the whole name would try every division of each word.
    """
    words = _SEPARATOR.split(token.removeprefix("@"))
    return len(words) > 1 and all(len(word) <= _LONGEST_WORD and _WORD.fullmatch(word) for word in words)


@cache
def _detector() -> SecretDetector:
    """Return the secret detector, compiled at the first mistake in a file."""
    from tuppence.core.secrets.detect import SecretDetector

    return SecretDetector()
