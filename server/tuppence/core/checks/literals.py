"""Find literals that an edit changes on an otherwise unchanged line: constants, and names of language models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tuppence.core.checks import hunks, suppressions
from tuppence.core.checks.hunks import Hunk
from tuppence.core.syntax.languages import Language
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span

_LITERAL = re.compile(r"""(['"`])((?:\\.|(?!\1)[^\\\n]){0,2000}+)\1|\b\d[\w.]*""")
_OWNER = r"(?:[\w.-]+/)*(?:[a-z]{2,}\.)*"
_MODEL = re.compile(
    rf"{_OWNER}(?:(?:(?:chat)?gpt|o[1345]|claude|sonnet|haiku|gemini|gemma|llama|qwen|qwq|deepseek|kimi|glm|mistral"
    r"|ministral|magistral|devstral|pixtral|mixtral|codestral|grok|minimax|jamba|nemotron|ernie|hunyuan|text-embedding"
    r"|text-davinci)[-.\d]|command-(?:r|a|light|nightly)\b)[\w.:-]*",
    re.IGNORECASE,
)
_MAYBE = re.compile(
    rf"{_OWNER}(?:o[1345]|(?:opus|nova|phi|yi|sonar|granite|palm|titan|step)[-.\d][\w.:-]*)", re.IGNORECASE
)
"""Matches names that are a model's only if their line is about models."""
_OF_MODELS = re.compile(r"model|llm|engine|deployment|completion|\bchat|agent", re.IGNORECASE)
_NEAR = 300
"""Number of code points on each side of a literal that are searched for words about models."""
_RETIRED = re.compile(r"model|deprecat|retire|obsolete|sunset|outdated|no longer", re.IGNORECASE)


def swapped(hunk: Hunk, diagnostics: Sequence[Diagnostic]) -> Iterator[tuple[str, str]]:
    """Yield the first changed literal of each line, unless a diagnostic mentions the new value."""
    said = " ".join(each.message for each in diagnostics)
    for old, new in zip(hunk.old, hunk.new, strict=False):
        if old != new and _LITERAL.sub("0", old).split() == _LITERAL.sub("0", new).split():
            both = zip(_literals(old), _literals(new), strict=False)
            was, now = next(((a, b) for a, b in both if a != b), ("", ""))
            # Different quotation marks around the same text are a formatting matter, and counted with the stray lines.
            if was.strip("\"'`") != now.strip("\"'`") and now.strip("\"'`") not in said:
                yield was, now


def beside(
    code: Sequence[Hunk],
    stray: Sequence[Hunk],
    before: Document,
    known: Language,
    diagnostics: Sequence[Diagnostic],
) -> list[tuple[str, str]]:
    """Return the changed literals on lines that are neither stray nor marked or mentioned by a diagnostic.

    Strings that interpolate values count as code, and changed model names are reported by :func:`models`.
    """
    aside = {hunk.first for hunk in stray}
    for each in diagnostics:
        aside.update(range(before.line_at(each.span.start), before.line_at(each.span.end) + 1))
    named = hunks.named(before, diagnostics)
    found: list[tuple[str, str]] = []
    for hunk in (line for each in code for line in hunks.singly(each)):
        is_named = bool(hunks.words((*hunk.old, *hunk.new)) & named)
        is_comment = suppressions.code(hunk.old, known) == suppressions.code(hunk.new, known)
        if hunk.old and hunk.first not in aside and not is_named and not is_comment and not all(models(hunk)):
            found += [(was, now) for was, now in swapped(hunk, diagnostics) if "{" not in was + now]
    return found


def models(hunk: Hunk) -> tuple[str, str]:
    """Return the removed and the added name of a model in a hunk; each is empty if there is none."""
    old, new = _model_names(hunk.old), _model_names(hunk.new)
    return min(old - new, default=""), min(new - old, default="")


def is_asked(gone: str, come: str, before: Document, diagnostics: Sequence[Diagnostic]) -> bool:
    """Report whether a diagnostic mentions one of two model names, marks the old one, or calls it old on its line."""
    if any(gone in each.message or come in each.message for each in diagnostics):
        return True
    for found in re.finditer(re.escape(gone), before.text):
        place = Span(max(0, found.start() - 1), found.end() + 1)
        for each in diagnostics:
            if place.covers(each.span) or (each.span.touches(place) and _RETIRED.search(each.message)):
                return True
    return False


def _model_names(lines: Sequence[str]) -> set[str]:
    literals = (found for line in lines for found in _LITERAL.finditer(line) if found[2])
    return {
        found[2]
        for found in literals
        if _MODEL.fullmatch(found[2]) or (_MAYBE.fullmatch(found[2]) and _OF_MODELS.search(_around(found)))
    }


def _around(literal: re.Match[str]) -> str:
    """Return the text near a literal on its line."""
    near = literal.string[max(0, literal.start() - _NEAR) : literal.end() + _NEAR]
    return near.replace(literal[2], "")


def _literals(line: str) -> list[str]:
    return [found.group() for found in _LITERAL.finditer(line)]
