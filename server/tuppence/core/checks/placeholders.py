"""Signs that a reply is not the code itself: code left out, a diff, conflict markers.

What the document says already is no sign: whoever has "# existing code" in a file may get it back.
"""

from __future__ import annotations

import re

from tuppence.core.answer.reply import Fence, words
from tuppence.core.text.document import Document

_COMMENT = re.compile(r"\s*(?:#+|//+|/\*+|--+|<!--|;+|%+|\{/\*|\"{3}|'{3})\s*(.*?)\s*(?:\*+/\}?|-->|\"{3}|'{3})?\s*")
_DOTS = r"(?:\.{3,}|…)"
_KEPT = r"(?:rest|existing|remaining|previous|unchanged|same|other|original|omitted|remains?|unmodified)"
_CODE = (
    r"(?:code|file|function|class|method|implementation|module|body|logic|content|script|program|methods|functions|lines"
    r"|imports|tests|cases|fields|definitions)"
)
_STAYS = (
    r"(?:\s+(?:here|goes|go|remains?|stays?|is|are|unchanged|continues?|the same|as before|omitted|follows?|below|above"
    r")){0,4}\W*"
)
_SAID = (
    re.compile(rf"\W*{_DOTS}\W*"),
    re.compile(rf"{_DOTS}.*\b{_KEPT}\b.*|.*\b{_KEPT}\b.*{_DOTS}", re.IGNORECASE),
    re.compile(
        rf"\W*(?:the\s+|your\s+|all\s+)?(?:rest|remainder)\s+of\s+(?:the|your|this|that)?\s*(?:\w+\s+)?{_CODE}"
        + _STAYS,
        re.IGNORECASE,
    ),
    re.compile(
        rf"\W*(?:the\s+|your\s+|all\s+)?(?:existing|remaining|previous|unchanged|original|other)\s+(?:\w+\s+)?{_CODE}"
        + _STAYS,
        re.IGNORECASE,
    ),
    re.compile(
        rf"\W*(?:add\s+|put\s+|insert\s+|write\s+)?your\s+(?:\w+\s+)?{_CODE}\s+(?:goes\s+)?here\W*", re.IGNORECASE
    ),
    re.compile(rf"\W*{_CODE}\s+(?:remains?|stays?|is|are)\s+(?:unchanged|the same|as before)\W*", re.IGNORECASE),
)
_BARE = re.compile(rf"\s*[\[<(]?\s*{_DOTS}\s*[\[<(]?.*\b{_KEPT}\b.*", re.IGNORECASE)
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@", re.MULTILINE)
_HEADERS = re.compile(r"^--- \S.*\n\+\+\+ \S", re.MULTILINE)
_CONFLICT = re.compile(r"^<{5,} ?\w*.*\n(?:.*\n)*?={5,}\s*\n(?:.*\n)*?>{5,} ?\w*", re.MULTILINE)


def elision_in(code: str, before: str) -> str | None:
    """Return the first line that stands for code left out, None where there is none."""
    for line in code.splitlines():
        text = line.strip()
        if text and _stands_for_more(line) and text not in before:
            return text
    return None


def diff_in(code: Fence, before: Document) -> bool:
    """Report whether the fence holds a diff or conflict markers, which the document does not."""
    if words(code.info) & {"diff", "patch", "udiff"} and before.language not in ("diff", "patch"):
        return True
    text = code.text.replace("\r\n", "\n")
    if any(sign.search(text) and not sign.search(before.text) for sign in (_HUNK, _HEADERS, _CONFLICT)):
        return True
    lines = [line for line in text.split("\n") if line]
    # No language writes every line of a piece of code with a sign or a space before it, and both signs among them.
    first = {line[0] for line in lines}
    return first <= {"+", "-", " "} and {"+", "-"} <= first and before.language not in ("diff", "markdown", "yaml")


def _stands_for_more(line: str) -> bool:
    comment = _COMMENT.fullmatch(line)
    if comment and comment[1] and len(comment[1]) < len("x") * 100:
        return any(said.fullmatch(comment[1]) for said in _SAID)
    return bool(_BARE.fullmatch(line))
