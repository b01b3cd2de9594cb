"""Code in a JSON string: a model that is used to structured output may answer ``{"code": "..."}``.

The string is extracted only if the whole text is JSON and no other string in it may be code. Broken JSON is not
repaired. The extracted string may itself contain a Markdown fence.
"""

from __future__ import annotations

import json
import re
from typing import Any

_LARGEST = 1_000_000
"""Maximum length in code points of a text that is parsed."""
_CODE = re.compile(
    r"(?:[a-z]+[ _-]?)?code|code[ _-]?(?:block|snippet)|replacement|replace|target|source|snippet|content"
    r"|implementation|solution|output|result|answer",
    re.IGNORECASE,
)
"""Keys whose string may be code."""
_PROSE = re.compile(
    r"explanation|reason(?:ing)?|description|comments?|summary|message|notes?|thoughts?|analysis|rationale|changes?"
    r"|(?:programming[ _-]?)?lang(?:uage)?|file(?:[ _-]?(?:name|path))?|path|type|kind|format|title|name|id|status",
    re.IGNORECASE,
)
"""Keys whose string is not code."""
_LANGUAGES = frozenset({"json", "jsonc", "json5", "jsonl", "jsonlines"})
_LONE = re.compile("[\ud800-\udfff]")


def code_in_json(text: str, original: str = "", language: str = "") -> str | None:
    """Return the code that a reply or a fence holds in a JSON string; None if it is not JSON, or not certain.

    :param original: the text that the reply replaces. None is returned if it is JSON too, or contains the key in
        quotes.
    :param language: the ``languageId`` of the document; for JSON itself, None is returned.
    """
    text = text.strip()
    if language.lower() in _LANGUAGES or text[:1] not in ("{", "[") or len(text) > _LARGEST:
        return None
    value = _read(text)
    if value is None or (original.strip()[:1] in ("{", "[") and _read(original.strip()[:_LARGEST]) is not None):
        return None
    candidates = _strings(value)
    if len(candidates) != 1:
        return None
    key, code = candidates[0]
    if not _CODE.fullmatch(key) or not code.strip() or _LONE.search(code):
        return None
    return None if f'"{key}"' in original or f"'{key}'" in original else code


class _Pairs(list[tuple[str, Any]]):
    """The key-value pairs of a JSON object, including duplicate keys."""


def _read(text: str) -> Any:
    """Return a JSON object or list without its numbers; None for any other text, or if it is nested too deeply."""
    try:
        return json.loads(text, object_pairs_hook=_Pairs, parse_int=_skip, parse_float=_skip)
    except (ValueError, RecursionError):
        return None


def _skip(_number: str) -> None:
    """Discard a number: parsing one takes time quadratic in its digits."""


def _strings(value: Any) -> list[tuple[str, str]]:
    """Return each string that may be code, with its key: one whose key says so, or one that has several lines."""
    found: list[tuple[str, str]] = []
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        key, each = waiting.pop()
        if isinstance(each, _Pairs):
            waiting += each
        elif isinstance(each, list):
            waiting += ((key, item) for item in each)
        elif isinstance(each, str) and not _PROSE.fullmatch(key) and (_CODE.fullmatch(key) or "\n" in each):
            found.append((key, each))
    return found
