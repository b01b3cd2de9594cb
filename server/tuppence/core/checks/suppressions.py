"""What new lines say beside their code: comments that repeat it, comments that silence a tool, handlers that swallow.

Told from the text, line by line, and only of what an edit adds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile

from tuppence.core.checks.hunks import Hunk
from tuppence.core.syntax.languages import Language

_SILENCE = re.compile(
    r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore|pylint:\s*disable|mypy:\s*ignore|nosec)\b[^#\n]*"
    r"|//\s*(?:@ts-(?:ignore|expect-error|nocheck)|eslint-disable|tslint:disable|nolint|NOLINT|NOSONAR)[^\n]*"
    r"|/\*\s*eslint-disable[^\n]*|#\[allow\([^\n]*|@SuppressWarnings\b[^\n]*",
)
_GENERAL = re.compile(
    r"#\s*(?:noqa|(?:type|pyright):\s*ignore)\s*$|//\s*@ts-(?:ignore|nocheck)|//\s*nolint\s*$|/[/*]\s*eslint-disable\W*$"
)
_BROAD = re.compile(r"except\s*:|except\s*\(?[^:\n]*\b(?:Base)?Exception\b[^:\n]*:")
_SUPPRESS = re.compile(r"\bsuppress\([^()#]*\b(?:Base)?Exception\b")
_SWALLOW = re.compile(
    r"(?:pass|continue|break|\.\.\.|return(?:\s+(?:None|False|True|\[\]|\{\}|\(\)|-?\d+|''|\"\"))?)\s*(?:#.*)?$"
)
_EMPTY_CATCH = re.compile(r"catch\s*(?:\([^()]*\))?\s*\{\s*(?:\}|$)")
_NARRATED = re.compile(r"\W*(?:fix|fixed|changed|added|updated|corrected|modified|new)\b\s*[:\-(]", re.IGNORECASE)
_IDLE = (
    "a an and the this that it its is are be to of in on for from with by as at or if we us our now here then so each "
    "every all set sets get gets return returns returned check checks call calls create creates make makes loop loops "
    "iterate iterates over through initialize initialise init define defines function method variable value values "
    "assign add adds increment compute calculate new whether into using use uses"
)
"""Words that say nothing about code, with spaces between."""
_LEAST = 2
"""Words with a meaning that a comment must have to be held against the code below it."""
_WORD = re.compile(r"[A-Za-z]+")


def repeating(hunk: Hunk, known: Language) -> Iterator[str]:
    """Yield the new comments that repeat the code that they stand at, or tell what was edited."""
    old = Counter(_comment(line, known)[1].strip() for line in hunk.old)
    lines = (*hunk.new, hunk.below)
    for index, line in enumerate(hunk.new):
        own, comment = _comment(line, known)
        if not comment or old[comment.strip()] or _SILENCE.search(comment):
            continue
        at = own if own.strip() else next((_comment(each, known)[0] for each in lines[index + 1 :] if each.strip()), "")
        if _NARRATED.match(comment) or _repeats(comment, at):
            yield comment.strip()


def silencing(hunk: Hunk) -> Iterator[str]:
    """Yield the new comments and attributes that silence a tool."""
    old = Counter(found.group().strip() for line in hunk.old for found in _SILENCE.finditer(line))
    for line in hunk.new:
        for found in _SILENCE.finditer(line):
            if not old[found.group().strip()]:
                yield found.group().strip()


def is_general(silence: str) -> bool:
    """Report whether a comment silences a tool altogether, not one rule of it."""
    return _GENERAL.search(silence) is not None


def swallowing(hunk: Hunk, known: Language) -> Iterator[str]:
    """Yield the new handlers, and suppressors, that catch everything and do nothing with it."""
    old = Counter(line.strip() for line in hunk.old)
    lines = (*hunk.new, hunk.below)
    for index, line in enumerate(hunk.new):
        text = line.strip()
        if old[text]:
            continue
        if known.import_style.is_python:
            found = _BROAD.match(text)
            silent = found is not None and _swallows(text[found.end() :], lines[index + 1 :], _depth(line))
            if silent or _SUPPRESS.search(_comment(text, known)[0]):
                yield text
        elif (caught := _EMPTY_CATCH.search(text)) and _is_empty(caught.group(), lines[index + 1 :]):
            yield text


def catching(hunk: Hunk, known: Language) -> Iterator[str]:
    """Yield the new handlers in Python that catch everything and raise nothing, those that swallow it aside."""
    if not known.import_style.is_python:
        return
    swallowed, old = set(swallowing(hunk, known)), {line.strip() for line in hunk.old}
    for index, line in enumerate(hunk.new):
        text = line.strip()
        if text in old or text in swallowed or not _BROAD.match(text):
            continue
        body = takewhile(lambda each: not each.strip() or _depth(each) > _depth(line), hunk.new[index + 1 :])  # noqa: B023 - it is used up here
        if not any(each.strip().startswith("raise") for each in body):
            yield text


def commented(hunk: Hunk, known: Language) -> Iterator[str]:
    """Yield the old lines of code that are only a comment now."""
    there = Counter("".join(_comment(line, known)[1].split()) for line in hunk.new)
    for line in hunk.old:
        own = "".join(_comment(line, known)[0].split())
        if len(own) > _LEAST and there[own] > 0:
            there[own] -= 1
            yield line.strip()


def code(lines: Sequence[str], known: Language) -> list[str]:
    """Return the lines' code, without comments and white space; lines of nothing else are left out."""
    bare = ("".join(_comment(line, known)[0].split()) for line in lines)
    return [line for line in bare if line]


def _swallows(rest: str, below: Sequence[str], depth: int) -> bool:
    """Report whether a handler's body is one statement that loses what was caught."""
    if rest.strip() and not rest.strip().startswith("#"):
        return _SWALLOW.match(rest.strip()) is not None
    body: list[str] = []
    for line in below:
        if line.strip() and _depth(line) <= depth:
            break
        if line.strip() and not line.strip().startswith("#"):
            body.append(line.strip())
    return len(body) == 1 and _SWALLOW.match(body[0]) is not None


def _is_empty(opening: str, below: Sequence[str]) -> bool:
    closed = opening.rstrip().endswith("}")
    return closed or next((line.strip().startswith("}") for line in below if line.strip()), False)


def _repeats(comment: str, at: str) -> bool:
    said = {_stem(word) for word in _parts(comment) if word not in _IDLE.split()}
    there = {_stem(word) for word in _parts(at)}
    return len(said) >= _LEAST and said <= there


def _parts(text: str) -> list[str]:
    """Return the words of a text in lower case, a name's parts each for itself."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return [word.lower() for word in _WORD.findall(apart.replace("_", " "))]


def _stem(word: str) -> str:
    return re.sub(r"(?:ing|ed|es|s)$", "", word) or word


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _comment(line: str, known: Language) -> tuple[str, str]:
    """Return a line's code and its comment, which may each be empty."""
    mark, quote, at = known.line_comment, "", 0
    while at < len(line):
        character = line[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif line.startswith(mark, at):
            return line[:at], line[at + len(mark) :]
        at += 1
    return line, ""
