"""Restore secrets in an answer: a placeholder becomes its secret only where that secret was before.

An altered placeholder is never restored. A model may repeat the whole file, so each placeholder of the document is
first read as its secret. The resulting edits are then checked: inside the target each secret may occur at most as often
as before, outside of it not at all.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import unquote

from tuppence.core.secrets.replacements import Replacement, Replacements, occurrences
from tuppence.core.text.document import Document, Edit, Span, apply

_ADDRESS, _CALL, _FAR = 200, 600, 4_000
"""Code points before a secret that are searched for an address and for the call that takes it as an argument. The
last number includes quoted text."""
_STRING = re.compile(r"""(["'`])(?:\\.|(?!\1)[^\\\r\n])*\1""")
_SLASHES = re.compile(r"""[:"'`]\\?/\\?/""")
"""What an address has before its host, also where it names no scheme."""
_BEYOND = re.compile(r"@[\w.-]*\w|(?:\.[\w-]*\w)+")
"""A host that a secret is the login of, or the end of one that it is the beginning of."""
_LOCAL = ("@localhost", "@127.0.0.1")
_SETTING = re.compile(
    r"(?:^|[^a-z])(?:env|environ|environment|conf|config|configuration|cfg|settings?|options?|opts|defaults|secrets)"
    r"\.get\s?$",
    re.IGNORECASE,
)
"""Names of what looks a setting up, where a secret is what holds if it is not set."""
_NAME = re.compile(r"[\w.:!>-]{1,80}\s?$")
_SINK = re.compile(
    r"(?:^|[^a-z])(?:print\w*|echo|puts?|log\w*|warn\w*|debug|info|error|trace|write\w*|send\w*|post|fetch|request\w*|urlopen|"
    r"urllib\w*|exec\w*|eval|system|popen|run|call|open|dump\w*|emit|publish|upload|save\w*|raise|throw|exception|"
    r"\w*error|format|console[.\w]*|fmt[.\w]*|get|patch|delete|head)!?\s?$",
    re.IGNORECASE,
)
"""Names of what shows, stores or sends what it is given."""
LONGEST = 200_000
"""The longest line of an answer, in code points. An answer with a longer line is refused unchecked."""
_TOO_LONG = f"The answer has more than {LONGEST:,} characters in a line, where no secret can be put back."
_ESCAPE = re.compile(
    r"\\u\{(?P<braced>[0-9a-fA-F]{1,6})\}|\\u(?P<u>[0-9a-fA-F]{2,4})|\\U(?P<wide>00[01][0-9a-fA-F]{5})"
    r"|\\x(?P<x>[0-9a-fA-F]{2})|\\(?P<octal>[0-3][0-7]{2})"
)
_EVERYWHERE = "The answer puts a value that was replaced before it was sent where that value was not."
_ALTERED = "The answer alters the placeholder of a secret, so the secret cannot be put back."


@dataclass(slots=True)
class ReturningText:
    """A reply as it streams, with the placeholders of the document turned back into its secrets, line by line."""

    replacements: Replacements
    """The secrets that the document holds."""
    others: Replacements
    """Those that it does not hold: their placeholders may not come back."""
    _open: list[str] = field(default_factory=list)
    _length: int = 0
    """Code points since the last end of a line, as far as they are held back."""

    def feed(self, chunk: str) -> tuple[str, str]:
        """Take a chunk; return the lines that it completes, and why they may not be used, empty where they may."""
        end = max(chunk.rfind("\n"), chunk.rfind("\r")) + 1
        self._length += len(chunk)
        if self._length > LONGEST:
            return "", _TOO_LONG
        if not end:
            self._open.append(chunk)
            return "", ""
        whole = "".join((*self._open, chunk[:end]))
        self._open = [chunk[end:]]
        self._length = len(chunk) - end
        return self._restored(whole)

    def finish(self) -> tuple[str, str]:
        """Take the end; return what was held back, and why it may not be used."""
        whole = "".join(self._open)
        self._open = []
        return self._restored(whole)

    def _restored(self, text: str) -> tuple[str, str]:
        if not text:
            return "", ""
        if self.others.has_piece(text):
            return "", _EVERYWHERE
        restored = self.replacements.restored(text)
        return ("", _ALTERED) if self.replacements.has_piece(restored) else (restored, "")


def wrong(document: Document, target: Span, edits: Sequence[Edit], secrets: Replacements) -> str:
    """Return why edits may not be made, in a sentence; empty where they may.

    :param edits: of the document, with the secrets restored.
    :param secrets: all that the request replaced.
    """
    written = "\n".join(edit.text for edit in edits)
    if is_altered(written, secrets):
        return _ALTERED
    inside = [edit for edit in edits if target.covers(edit.span)]
    before = document.slice(target)
    after = apply(before, (Edit(_moved(edit.span, target), edit.text) for edit in inside))
    for each in secrets.all:
        if any(
            _count(edit.text, each) > _count(document.slice(edit.span), each) for edit in edits if edit not in inside
        ):
            return _EVERYWHERE
        if _count(after, each) > _count(before, each):
            return _EVERYWHERE
    return _EVERYWHERE if _is_given_away(before, after, secrets) else ""


def foreign(document: Document, target: Span, edits: Iterable[Edit], secrets: Replacements) -> bool:
    """Report whether a draft holds a secret that the target does not hold."""
    before = document.slice(target)
    strange = [each for each in secrets.all if not _count(before, each)]
    return any(_count(edit.text, each) for edit in edits for each in strange)


def doubts(document: Document, target: Span, edits: Iterable[Edit], secrets: Replacements) -> tuple[str, ...]:
    """Return the doubts about the target's secrets after an edit: one is missing, or its line has changed."""
    before = document.slice(target)
    after = apply(before, (Edit(_moved(edit.span, target), edit.text) for edit in edits if target.covers(edit.span)))
    found: list[str] = []
    for each in secrets.all:
        places = list(occurrences(before, each.value))
        if not places:
            continue
        line = document.line_at(target.start + places[0]) + 1
        if _count(after, each) < len(places):
            found.append(f"the {_called(each)} of line {line} is no longer there")
        elif _lines(before, each) != _lines(after, each):
            found.append(f"the line with the {_called(each)}, line {line}, was changed")
    return tuple(dict.fromkeys(found))


def is_altered(text: str, secrets: Replacements) -> bool:
    """Return whether a text holds a placeholder, a part of one, or one in another spelling."""
    if secrets.has_piece(text):
        return True
    decoded = _decoded(text)
    return secrets.has_piece(decoded) or secrets.is_disguised(decoded)


def _decoded(text: str) -> str:
    """Return a text with the escapes of HTML, URLs and string literals decoded."""
    return unquote(unescape(_ESCAPE.sub(_char, text)))


def _char(found: re.Match[str]) -> str:
    code = int(found[0][1:], 8) if found["octal"] else int(found[found.lastgroup or "x"], 16)
    return chr(code) if code <= sys.maxunicode else found[0]


@dataclass(frozen=True, slots=True)
class _Place:
    """What is around an occurrence of a secret."""

    lead: str
    """Its line so far."""
    callee: str
    """What it is passed to; empty where that is nothing."""
    is_address: bool
    beyond: str
    """The host right behind it, as ``@db.example`` or ``.example``; empty where there is none."""


def _is_given_away(before: str, after: str, secrets: Replacements) -> bool:
    """Report whether a secret came to be in an address, in what is printed or sent, or in another secret's place."""
    was = {each: _surroundings(before, each) for each in secrets.all}
    for each, old in was.items():
        for place in _surroundings(after, each):
            if place in old:
                continue
            if place.is_address and not any(other.is_address for other in old):
                return True
            if place.beyond and place.beyond not in before and place.beyond not in _LOCAL:
                return True
            is_sink = _SINK.search(place.callee) and not _SETTING.search(place.callee)
            if is_sink and not any(other.callee == place.callee for other in old):
                return True
            lead = place.lead
            if lead.strip() and any(lead == other.lead for mate in was if mate != each for other in was[mate]):
                return True
    return False


def _surroundings(text: str, each: Replacement) -> list[_Place]:
    """Return what is around each occurrence of a secret."""
    found = []
    for at in occurrences(text, each.value):
        start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
        lead = text[start:at].strip()
        beyond = _BEYOND.match(text, at + len(each.value))
        is_address = _SLASHES.search(lead[-_ADDRESS:]) is not None
        found.append(_Place(lead, _callee(text, at), is_address, beyond[0] if beyond else ""))
    return found


def _callee(text: str, at: int) -> str:
    """Return the name of what an innermost open parenthesis before a place calls, empty where none is open."""
    start = max(text.rfind("\n", 0, max(0, at - _FAR)), text.rfind("\r", 0, max(0, at - _FAR)), 0, at - 2 * _FAR)
    text = _STRING.sub('""', text[start:at])
    depth, at = 0, len(text)
    for back in range(at - 1, max(-1, at - _CALL), -1):
        if text[back] == ")":
            depth += 1
        elif text[back] == "(":
            depth -= 1
            if depth < 0:
                found = _NAME.search(text[max(0, back - _ADDRESS) : back])
                return found[0] if found else ""
    return ""


def _called(each: Replacement) -> str:
    return each.kind.removeprefix("your ")


def _count(text: str, each: Replacement) -> int:
    return sum(1 for _ in occurrences(text, each.value))


def _lines(text: str, each: Replacement) -> list[str]:
    """Return the lines that hold a secret, white space around them aside, in order of the alphabet."""
    return sorted(line.strip() for line in text.splitlines() if _count(line, each))


def _moved(span: Span, target: Span) -> Span:
    return Span(span.start - target.start, span.end - target.start)
