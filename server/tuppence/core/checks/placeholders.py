"""Detect replies that are not the code itself: omitted code, a diff, conflict markers.

Omitted code is detected by shape, in any language: a short comment, bare dots or a few words of prose at a place where
several lines of the old code disappeared (:func:`gap_in`). Some English phrases are a sign by themselves
(:func:`elision_in`). Text that the document already contains is no sign: a file with "# existing code" in it may
contain it afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuppence.core.answer.reply import Fence, words
from tuppence.core.syntax.code_lines import CodeLine
from tuppence.core.syntax.line_alignment import Alignment
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
_CONFLICT = (re.compile(r"<{5}"), re.compile(r"={5,100}[ \t\r]{0,100}\Z"), re.compile(r">{5}"))
"""Patterns of the lines that mark a conflict, in order."""

_SHORT = 80
"""Maximum number of code points of a placeholder comment; a longer comment explains something."""
_LONG = 400
"""Maximum number of code points of a line that is examined, with white space collapsed."""
_AROUND = 200
"""Number of lines around a line of dots that are searched for code."""
_WORDS = 12
"""Maximum number of words of a line of prose that may be a placeholder."""
_SEVERAL = 2
"""Minimum number of lines of code that must have disappeared; one is enough if the new text ends with the
placeholder."""
_DOTTED = re.compile(r"\.{3,}|…|⋯|\u30fb{3}|[\[(<{\xab\uff08\u3010]\W*\w[^\])>}]*[\])>}\xbb\uff09\u3011]\W*$")
_MARK = re.compile(r"^[^\w.…(\[<{]+|(?:\*+/\}?|-->)$")
_FILLER = re.compile(r"pass|\.\.\.|(?:todo|unimplemented)!\(\)|;")
"""Matches a statement that does nothing."""
_CODE_ENDS = re.compile(r"[;{}]$|\w\(.*\):?$")
_STATEMENT = re.compile(
    r"(?:return|raise|throw|yield|del|delete|import|from|use|goto|break|continue|await|async|new|let|var|const|defer|go"
    r"|assert|not)\b"
)
_PROSE = re.compile(r"[^=+*%^|~!@#$\\{}\"`;?]*")
"""Matches text without any character that occurs only in code."""
_CODED = re.compile(r"[:,]$|\w[(\[<]|\d|\w\.\w")
_KEYWORD = re.compile(
    r"pass|break|continue|return|else|try|finally|do|end|begin|fi|done|esac|then|fallthrough|default|yield|loop|null|nil"
    r"|none|true|false|undefined|self|this|super|unreachable|ellipsis",
    re.IGNORECASE,
)
"""Words that are a statement or a value by themselves."""
_OPENING = re.compile(r"\b(?:def|class|func|fn|function)\b")


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where an answer has a placeholder instead of code."""

    line: str
    """The placeholder, without surrounding white space."""
    count: int
    """Number of lines of code that disappeared there."""


def gap_in(old: Sequence[CodeLine], new: Sequence[CodeLine], before: str) -> Gap | None:
    """Return the first placeholder in the new lines of a target, None if there is none.

    :param before: the text of the document before the edit.
    """
    there = {line.text.strip() for line in old}
    marks = {index: line for index, line in _marks(old, new, before) if line.text.strip() not in there}
    if not marks:
        return None
    # A statement that only fills a block below a placeholder does not replace the lost code.
    filled = {index + 1 for index in marks if index + 1 < len(new) and _FILLER.fullmatch(new[index + 1].bare.strip())}
    skipped = {*marks, *filled}
    rest = [line for index, line in enumerate(new) if index not in skipped and line.is_code]
    aligned = Alignment([line for line in old if line.is_code], rest)
    run: list[int] = []
    for index in (*marks, len(new)):
        if run and (index == len(new) or any(new[each].is_code for each in range(run[-1] + 1, index))):
            at = sum(1 for each in range(run[0]) if each not in skipped and new[each].is_code)
            if gap := _gap(aligned, at, [new[each] for each in run]):
                return gap
            run = []
        run.append(index)
    return None


def _gap(aligned: Alignment, at: int, run: Sequence[CodeLine]) -> Gap | None:
    """Return the gap at a run of possible placeholder lines, None if enough of the code is there.

    :param at: number of new lines of code above the run.
    """
    lost, above, below = aligned.around(at)
    line = run[0].text.strip()
    is_dotted = any(_DOTTED.search(each.text.strip()) for each in run)
    # A comment of several lines explains something.
    if not is_dotted and len(run) > 1:
        return None
    least = 1 if at == len(aligned.new) and not above else _SEVERAL
    # New code directly below: the comment is about it. New code above replaced some lines.
    if below or len(lost) < least + 2 * above:
        return None
    return Gap(line, len(lost))


def _marks(old: Sequence[CodeLine], new: Sequence[CodeLine], before: str) -> Iterator[tuple[int, CodeLine]]:
    """Yield the new lines that may be placeholders, with their indexes."""
    codes = {line.key.rstrip(";:{},") for line in old}
    for index, line in enumerate(new):
        in_string = not line.bare.strip() and line.code.strip()
        note = line.note or line.code.strip()
        if line.note or (in_string and len(note) <= _LONG and _COMMENT.fullmatch(note)):
            if len(note) <= _SHORT and _is_fresh(note, before) and not _is_code(note, codes):
                yield index, line
        elif _is_bare_dots(new, index) or _is_prose(line, before):
            yield index, line


def _is_fresh(note: str, before: str) -> bool:
    """Report whether a comment is not in the document; dots alone occur in many other comments."""
    return note not in before or not re.search(r"\w", note)


def _is_code(note: str, codes: set[str]) -> bool:
    """Report whether a comment is commented-out code, which has its own check."""
    said = _MARK.sub("", _MARK.sub("", note)).strip()
    return "".join(said.split()).rstrip(";:{},") in codes or _CODE_ENDS.search(said) is not None


def _is_bare_dots(new: Sequence[CodeLine], index: int) -> bool:
    """Report whether a line is only dots, and not the whole body of a definition."""
    text = new[index].bare.strip()
    if not re.search(_DOTS, text) or re.search(r"\w", text):
        return False
    above = next((line for line in reversed(new[max(0, index - _AROUND) : index]) if line.is_code), None)
    below = next((line for line in new[index + 1 : index + 1 + _AROUND] if line.is_code), None)
    opens = above is not None and _OPENING.search(above.bare) and above.bare.rstrip().endswith((":", "{"))
    ends = below is None or _depth(below) < _depth(new[index])
    return not (opens and ends)


def _is_prose(line: CodeLine, before: str) -> bool:
    """Report whether a line is a few words of prose, some of which do not occur in the document."""
    text = line.bare.strip()
    if not _PROSE.fullmatch(text) or _STATEMENT.match(text) or _CODED.search(text):
        return False
    said = re.findall(r"[^\W\d_]+(?:_\w+)*", text)
    if len(said) > _WORDS:
        return False
    return any(word not in before and not _KEYWORD.fullmatch(word) for word in said)


def _depth(line: CodeLine) -> int:
    return len(line.text) - len(line.text.lstrip())


def elision_in(code: str, before: str) -> str | None:
    """Return the first line that replaces omitted code, None if there is none."""
    for line in code.splitlines():
        text = line.strip()
        if text and _stands_for_more(line) and text not in before:
            return text
    return None


def diff_in(code: Fence, before: Document) -> bool:
    """Report whether a fence holds a diff or conflict markers that the document does not have."""
    if words(code.info) & {"diff", "patch", "udiff"} and before.language not in ("diff", "patch"):
        return True
    text = code.text.replace("\r\n", "\n")
    if any(sign.search(text) and not sign.search(before.text) for sign in (_HUNK, _HEADERS)):
        return True
    if _has_conflict(text) and not _has_conflict(before.text):
        return True
    lines = [line for line in text.split("\n") if line]
    # In no language does every line of code begin with a sign or a space, with both signs among them.
    first = {line[0] for line in lines}
    return first <= {"+", "-", " "} and {"+", "-"} <= first and before.language not in ("diff", "markdown", "yaml")


def _has_conflict(text: str) -> bool:
    """Report whether a text has the three marks of a conflict, in order."""
    found = 0
    for line in text.split("\n"):
        if found < len(_CONFLICT) and _CONFLICT[found].match(line):
            found += 1
    return found == len(_CONFLICT)


def _stands_for_more(line: str) -> bool:
    # These patterns would try every way to divide a long run of spaces.
    line = " ".join(line.split())[:_LONG]
    comment = _COMMENT.fullmatch(line)
    if comment and comment[1] and len(comment[1]) < len("x") * 100:
        return any(said.fullmatch(comment[1]) for said in _SAID)
    return bool(_BARE.fullmatch(line))
