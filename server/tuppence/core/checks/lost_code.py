"""Find what the new text of a target leaves out: code behind placeholders, a tail, checks, calls, many lines.

Only losses that cannot be intended are refused: a placeholder instead of code
(:mod:`tuppence.core.checks.placeholders`), and a text that equals the beginning of the old one, ends there, and
replaces the rest by nothing. Other losses are doubts that name the lost code, because people remove code for good
reasons. A check, call or exit is lost if it does not occur in the new text and nothing replaced it: no new condition
with its words, and fewer new lines than old ones. A diagnostic about unused, unreachable or duplicate code justifies
any removal. New security risks are doubts too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuppence.core.checks import hunks, placeholders
from tuppence.core.checks.doubts.security import security_doubts
from tuppence.core.pauses import pause
from tuppence.core.syntax.code_lines import CodeLine
from tuppence.core.syntax.line_alignment import Alignment
from tuppence.core.syntax.tree import Tree

_TAIL, _TAIL_SHARE, _TAIL_LONG = 3, 0.3, 8
"""Minimum number of lines of a missing tail that is refused, the minimum share of the target's lines, and the number
of lines from which the share does not matter."""
_BEGINS = 0.6
"""Minimum share of the new lines that must equal old ones for the new text to count as the beginning of the old one."""
_SHARE, _LEAST, _ADDED = 0.25, 4, 3
"""Minimum share and number of lost lines for a doubt; and the number of lost lines that one added line offsets."""
_CANDIDATES = 4
"""Maximum number of places in the old text that are tried for a last line that occurs more than once."""
_NAMED = 3
"""Maximum number of losses named in one verdict."""
_SHOWN = 60
"""Maximum number of code points of a line that a doubt shows."""
_GUARD = re.compile(
    r"\s*+(?:[})]\s*)?(?:(?:else\s+)?if|elif|elsif|elseif|unless|guard|assert|debug_assert\w*!|assert\w*!|while|case|when)"
    r"\b[\s(!]*(?P<condition>.*)"
)
_EXIT = re.compile(
    r"(?:^|[\s;{:])(?P<word>return|raise|throw|yield|panic!?|bail!|abort|exit|goto|break|continue)\b(?P<rest>.*)"
)
_IDLE_EXIT = re.compile(r"return(?:\s+(?:None|null|undefined))?;?|break;?|continue;?")
_CALL = re.compile(r"(?<!\w)(?P<name>[^\W\d]\w*+)\s*+!?(?:::)?(?:<[\w\s,:<>]{0,200}>)?\(")
_NO_CALL = re.compile(
    r"if|for|while|switch|catch|return|def|func|fn|function|elif|match|and|or|not|in|is|await|with|except|assert|sizeof"
    r"|typeof|super|lambda|print|when|unless|case|throw|raise|new|constructor"
)
_DEFINES = re.compile(r"\b(?:def|func|fn|function|class|struct|impl|import|from|use|package)\b")
_IMPORTS = re.compile(r"\s*+(?:import|from|use|using|#\s*include|package)\b")


@dataclass(frozen=True, slots=True)
class Loss:
    """The code that an answer leaves out."""

    reasons: tuple[str, ...] = ()
    """Sentences on why the answer must be rejected."""
    doubts: tuple[str, ...] = ()
    """Other losses: clauses whose subject is the answer."""


def lost(before: Tree, old: Sequence[CodeLine], new: Sequence[CodeLine], *, unused: bool) -> Loss:
    """Return the code that an answer removed from a target.

    :param before: the text before.
    :param old: the target's lines in it.
    :param new: the lines in their place.
    :param unused: whether a diagnostic justifies removing code.
    """
    if gap := placeholders.gap_in(old, new, before.text):
        lines = "a line" if gap.count == 1 else f"{gap.count} lines"
        return Loss((f"The answer leaves code out: “{_short(gap.line)}” in place of {lines}.",))
    insecure = security_doubts(old, new, before.language.id)
    if unused:
        return Loss((), insecure)
    pause()
    aligned = Alignment([line for line in old if line.is_code], [line for line in new if line.is_code])
    if tail := _tail(aligned, before.language.id):
        total = len(aligned.old)
        return Loss((f"The answer ends early: the last {tail} of {total} lines are missing.",))
    named: list[str] = []
    for search in (_guards(aligned), _exits(aligned), _calls(aligned)):
        pause()
        named += search
    return Loss((), (*insecure, *named[:_NAMED], *_share(aligned)))


def _tail(aligned: Alignment, language: str) -> int:
    """Return the number of lines of code missing at the end, 0 if the new text has an end of its own."""
    if not aligned.new or not aligned.old:
        return 0
    # If the last line occurs in the old text more than once, it may be an earlier occurrence.
    last = aligned.new[-1].key
    earlier = [index for index, line in enumerate(aligned.old[:-1]) if line.key == last]
    for index in earlier[-_CANDIDATES:]:
        beginning = Alignment(aligned.old[: index + 1], aligned.new)
        if len(beginning.equal) >= len(aligned.equal) and (tail := _missing(beginning, aligned.old, language)):
            return tail
    return _missing(aligned, aligned.old, language)


def _missing(aligned: Alignment, old: Sequence[CodeLine], language: str) -> int:
    """Return the number of old lines missing at the end if the new text aligns with the beginning of the old text."""
    if not aligned.pairs:
        return 0
    last_old, last_new = aligned.pairs[-1]
    tail = [*aligned.lost(range(last_old + 1, len(aligned.old))), *old[len(aligned.old) :]]
    ends_there = last_new == len(aligned.new) - 1 and len(tail) == len(old) - last_old - 1
    # A return after the last equal line is an end of its own.
    below = max((j + 1 for _, j in aligned.equal), default=0)
    if any(_EXIT.search(line.bare) for line in aligned.new[below:]):
        return 0
    begins = len(aligned.equal) >= _BEGINS * len(aligned.new)
    is_much = len(tail) >= _TAIL and (len(tail) >= _TAIL_SHARE * len(old) or len(tail) >= _TAIL_LONG)
    has_result = bool(tail) and _gives_result(old[-1], language) and not _gives_result(aligned.new[-1], language)
    return len(tail) if ends_there and begins and (is_much or has_result) else 0


def _gives_result(line: CodeLine, language: str) -> bool:
    """Report whether a line returns a value or raises; in Rust, an expression without a semicolon does."""
    text = line.bare.strip()
    found = _EXIT.search(text)
    if found and not _IDLE_EXIT.fullmatch(text) and found["word"] not in ("break", "continue", "goto"):
        return True
    return language == "rust" and not text.endswith((";", "{", ",", "("))


def _share(aligned: Alignment) -> Iterator[str]:
    text = "".join(line.key for line in aligned.new)
    gone = [line for index in aligned.gone() if _core(line := aligned.old[index]) not in text]
    is_large = len(gone) >= _LEAST and len(gone) >= _SHARE * len(aligned.old)
    if is_large and len(aligned.come()) * _ADDED <= len(gone):
        yield f"drops {len(gone)} of {len(aligned.old)} lines"


def _guards(aligned: Alignment) -> Iterator[str]:
    """Yield clauses about lost conditions; a condition whose words are in a new line counts as rewritten."""
    text = "".join(line.key for line in aligned.new)
    was = "".join(line.key for line in aligned.old)
    equal = {j for _, j in aligned.equal}
    fresh = [line for index, line in enumerate(aligned.new) if index not in equal]
    for line in _unequal(aligned):
        found = _GUARD.match(line.bare)
        if not found:
            continue
        words = hunks.words([found["condition"]])
        key = _core(line)
        if not words or (key in text and text.count(key) >= was.count(key)):
            continue
        if not any(_took_place(words, each) for each in fresh):
            yield f"drops the check “{_short(_shown(line))}”"


def _took_place(words: set[str], line: CodeLine) -> bool:
    there = hunks.words([line.bare])
    share = 2 if _GUARD.match(line.bare) else 1
    return len(words & there) * share >= len(words)


def _exits(aligned: Alignment) -> Iterator[str]:
    """Yield clauses about lost returns and raises that no new one of the same kind replaces."""
    come = Counter(found["word"] for line in _unpaired(aligned) if (found := _EXIT.search(line.bare)))
    text = "".join(line.key for line in aligned.new)
    was = "".join(line.key for line in aligned.old)
    for index in aligned.gone():
        line = aligned.old[index]
        found = _EXIT.search(line.bare)
        if not found or _IDLE_EXIT.fullmatch(line.bare.strip()) or _GUARD.match(line.bare):
            continue
        key = _core(line)
        if key in text and text.count(key) >= was.count(key):
            continue
        if come[found["word"]] > 0:
            come[found["word"]] -= 1
        else:
            yield f"drops “{_short(line.code.strip())}”"


def _calls(aligned: Alignment) -> Iterator[str]:
    """Yield clauses about lost calls where fewer lines were added than removed."""
    was, now = _called(aligned.old), _called(aligned.new)
    words = hunks.words(line.bare for line in aligned.new)
    paired = {0, *(j + 1 for _, j in aligned.pairs)}
    for index in aligned.gone():
        line = aligned.old[index]
        names = [name for name in _names(line) if was[name] > now[name]]
        if not names or _EXIT.search(line.bare) or _GUARD.match(line.bare):
            continue
        at = max((j + 1 for i, j in aligned.pairs if i < index), default=0)
        lost_lines, above, below = aligned.around(at)
        pure = at in paired and above + below == 0
        is_nowhere = names[0] not in words
        if pure or (is_nowhere and len(lost_lines) > 2 * (above + below)):
            yield f"drops the call “{_short(line.code.strip().rstrip(';'))}”"


def _unequal(aligned: Alignment) -> Iterator[CodeLine]:
    equal = {i for i, _ in aligned.equal}
    yield from (line for index, line in enumerate(aligned.old) if index not in equal)


def _unpaired(aligned: Alignment) -> Iterator[CodeLine]:
    yield from (aligned.new[index] for index in aligned.come())


def _called(lines: Sequence[CodeLine]) -> Counter[str]:
    return Counter(name for line in lines for name in _names(line))


def _names(line: CodeLine) -> list[str]:
    """Return the names that a line calls."""
    if _DEFINES.search(line.bare):
        return []
    return [found["name"] for found in _CALL.finditer(line.bare) if not _NO_CALL.fullmatch(found["name"])]


def _core(line: CodeLine) -> str:
    """Return a line's code without white space and the trailing punctuation that formatting can change."""
    return line.key.rstrip(",;:{}()[]")


def _shown(line: CodeLine) -> str:
    return line.code.strip().lstrip("}").strip().rstrip("{:").strip()


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
