"""Code in a JSON object: some models answer with ``{"code": "..."}``, whatever they were asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator

_KEYS = frozenset(
    [
        "code",
        "new_code",
        "newcode",
        "fixed_code",
        "fixedcode",
        "replacement",
        "content",
        "text",
        "result",
        "answer",
        "fix",
    ]
)
"""Keys, in lower case, whose string is the code."""
_LARGEST = 2_000_000
"""Code points of a reply above which it is not read as JSON."""
_DEEPEST = 6
"""Objects and lists around the code, at most."""


def code_in_json(text: str, original: str) -> str | None:
    """Return the code of a reply that is one JSON value with one string of code in it.

    :param original: the target's present text; where it is JSON itself, so is a right answer, and nothing is taken out.
    :returns: None where the text is no such value, or where several strings may be the code.
    """
    bare = text.strip()
    if bare[:1] not in ("{", "[") or len(bare) > _LARGEST or original.strip()[:1] in ("{", "["):
        return None
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    found = list(_codes(value, 0))
    return found[0] if len(found) == 1 else None


def _codes(value: object, depth: int) -> Iterator[str]:
    """Yield the strings under a key that names code."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from _codes(each, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str):
                if str(key).lower() in _KEYS:
                    yield each
            else:
                yield from _codes(each, depth + 1)
