"""Signs that a reply is not the code itself: code left out, a diff, conflict markers.

Code left out is found by shape, in any language: a short comment, bare dots or a few words that are no code, at a place
where several lines of the old code vanished (:func:`gap_in`). A few English phrases are a sign without that
(:func:`elision_in`). What the document says already is no sign: a file with "# existing code" in it may get it back.
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
"""How the lines begin that mark a conflict, in their order."""

_SHORT = 80
"""Code points of a comment that may be a placeholder; a longer one explains something."""
_LONG = 400
"""Code points of a line, single spaces between its words, beyond which it is not looked at."""
_AROUND = 200
"""Lines around a line of dots in which code is looked for."""
_WORDS = 12
"""Words of a line of prose that may be one."""
_SEVERAL = 2
"""Lines of code that must have vanished; one is enough where the new text ends with the placeholder."""
_DOTTED = re.compile(r"\.{3,}|…|⋯|\u30fb{3}|[\[(<{\xab\uff08\u3010]\W*\w[^\])>}]*[\])>}\xbb\uff09\u3011]\W*$")
_MARK = re.compile(r"^[^\w.…(\[<{]+|(?:\*+/\}?|-->)$")
_FILLER = re.compile(r"pass|\.\.\.|(?:todo|unimplemented)!\(\)|;")
"""A statement that does nothing."""
_CODE_ENDS = re.compile(r"[;{}]$|\w\(.*\):?$")
_STATEMENT = re.compile(
    r"(?:return|raise|throw|yield|del|delete|import|from|use|goto|break|continue|await|async|new|let|var|const|defer|go"
    r"|assert|not)\b"
)
_PROSE = re.compile(r"[^=+*%^|~!@#$\\{}\"`;?]*")
"""What holds no sign that only code has."""
_CODED = re.compile(r"[:,]$|\w[(\[<]|\d|\w\.\w")
_KEYWORD = re.compile(
    r"pass|break|continue|return|else|try|finally|do|end|begin|fi|done|esac|then|fallthrough|default|yield|loop|null|nil"
    r"|none|true|false|undefined|self|this|super|unreachable|ellipsis",
    re.IGNORECASE,
)
"""Words that are a statement, or a value, by themselves."""
_OPENING = re.compile(r"\b(?:def|class|func|fn|function)\b")


@dataclass(frozen=True, slots=True)
class Gap:
    """A place at which an answer puts a placeholder."""

    line: str
    """The placeholder, without white space around it."""
    count: int
    """How many lines of code vanished there."""


def gap_in(old: Sequence[CodeLine], new: Sequence[CodeLine], before: str) -> Gap | None:
    """Return the first placeholder in the new lines of a target, None where there is none.

    :param before: the document's text before the edit.
    """
    there = {line.text.strip() for line in old}
    marks = {index: line for index, line in _marks(old, new, before) if line.text.strip() not in there}
    if not marks:
        return None
    # What only fills a block below a placeholder is no code in the place of what vanished.
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
    """Return the gap at a run of lines that may be placeholders, None where enough of the code is there.

    :param at: how many new lines of code are above it.
    """
    lost, above, below = aligned.around(at)
    line = run[0].text.strip()
    is_dotted = any(_DOTTED.search(each.text.strip()) for each in run)
    # Several lines of comment explain something.
    if not is_dotted and len(run) > 1:
        return None
    least = 1 if at == len(aligned.new) and not above else _SEVERAL
    # New code right below: the comment is about it. New code above has taken the place of some.
    if below or len(lost) < least + 2 * above:
        return None
    return Gap(line, len(lost))


def _marks(old: Sequence[CodeLine], new: Sequence[CodeLine], before: str) -> Iterator[tuple[int, CodeLine]]:
    """Yield the new lines, by index, that may be placeholders."""
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
    """Report whether the document does not say a comment; dots alone are a part of many others."""
    return note not in before or not re.search(r"\w", note)


def _is_code(note: str, codes: set[str]) -> bool:
    """Report whether a comment is code that was commented out, which has a check of its own."""
    said = _MARK.sub("", _MARK.sub("", note)).strip()
    return "".join(said.split()).rstrip(";:{},") in codes or _CODE_ENDS.search(said) is not None


def _is_bare_dots(new: Sequence[CodeLine], index: int) -> bool:
    """Report whether a line is dots alone, and not the whole body of a definition."""
    text = new[index].bare.strip()
    if not re.search(_DOTS, text) or re.search(r"\w", text):
        return False
    above = next((line for line in reversed(new[max(0, index - _AROUND) : index]) if line.is_code), None)
    below = next((line for line in new[index + 1 : index + 1 + _AROUND] if line.is_code), None)
    opens = above is not None and _OPENING.search(above.bare) and above.bare.rstrip().endswith((":", "{"))
    ends = below is None or _depth(below) < _depth(new[index])
    return not (opens and ends)


def _is_prose(line: CodeLine, before: str) -> bool:
    """Report whether a line is a few words that are no code: some of them stand nowhere in the document."""
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
    if any(sign.search(text) and not sign.search(before.text) for sign in (_HUNK, _HEADERS)):
        return True
    if _has_conflict(text) and not _has_conflict(before.text):
        return True
    lines = [line for line in text.split("\n") if line]
    # No language writes every line of a piece of code with a sign or a space before it, and both signs among them.
    first = {line[0] for line in lines}
    return first <= {"+", "-", " "} and {"+", "-"} <= first and before.language not in ("diff", "markdown", "yaml")


def _has_conflict(text: str) -> bool:
    """Report whether a text holds the three marks of a conflict, one after the other."""
    found = 0
    for line in text.split("\n"):
        if found < len(_CONFLICT) and _CONFLICT[found].match(line):
            found += 1
    return found == len(_CONFLICT)


def _stands_for_more(line: str) -> bool:
    # Space by space these patterns would try every way to divide a long gap.
    line = " ".join(line.split())[:_LONG]
    comment = _COMMENT.fullmatch(line)
    if comment and comment[1] and len(comment[1]) < len("x") * 100:
        return any(said.fullmatch(comment[1]) for said in _SAID)
    return bool(_BARE.fullmatch(line))
