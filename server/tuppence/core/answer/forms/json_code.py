"""Code in a string of JSON: a model that is used to structured output may answer ``{"code": "..."}``.

The one string that is code is taken out where the whole text is JSON and nothing else in it may be code. Nothing is
repaired: broken JSON holds no code. What is taken out may be a fence of Markdown itself.
"""

from __future__ import annotations

import json
import re
from typing import Any

_LARGEST = 1_000_000
"""Code points above which a text is not read."""
_CODE = re.compile(
    r"(?:[a-z]+[ _-]?)?code|code[ _-]?(?:block|snippet)|replacement|replace|target|source|snippet|content"
    r"|implementation|solution|output|result|answer",
    re.IGNORECASE,
)
"""Keys of strings that may be code."""
_PROSE = re.compile(
    r"explanation|reason(?:ing)?|description|comments?|summary|message|notes?|thoughts?|analysis|rationale|changes?"
    r"|(?:programming[ _-]?)?lang(?:uage)?|file(?:[ _-]?(?:name|path))?|path|type|kind|format|title|name|id|status",
    re.IGNORECASE,
)
"""Keys of strings that are none."""
_LANGUAGES = frozenset({"json", "jsonc", "json5", "jsonl", "jsonlines"})
_LONE = re.compile("[\ud800-\udfff]")


def code_in_json(text: str, original: str = "", language: str = "") -> str | None:
    """Return the code that a reply or a fence holds as one string of JSON; None where it is not JSON, or not certain.

    ``original`` is the text that the reply replaces and ``language`` its languageId: where the language is JSON, the
    original is JSON, or it has the key of the string in quotation marks itself, the answer is None.
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
    """An object of JSON with all its keys, also those that are there twice."""


def _read(text: str) -> Any:
    """Return an object or a list of JSON without its numbers; None for anything else, or where it is too deep."""
    try:
        return json.loads(text, object_pairs_hook=_Pairs, parse_int=_skip, parse_float=_skip)
    except (ValueError, RecursionError):
        return None


def _skip(_number: str) -> None:
    """Read no number: one of many digits takes time in proportion to their square."""


def _strings(value: Any) -> list[tuple[str, str]]:
    """Return each string that may be code, with its key: by what the key says, or because it has several lines."""
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
