"""Signs that came into a reply on its way, and are no code: each repair has a name, and none touches what is text.

- *byte order mark*: one at the start of the reply, where the target has none there.
- *spaces*: non-breaking ones before a line's code become spaces, where the target has none.
- *HTML entities*: ``&lt;`` and its like become what they say, each kind only where the document does not have it.
- *quotation marks*: curly ones around a string become straight ones, a pair on one line; and all of a line that is then
  a line of the target.

A string literal never changes, nor a comment that may be documentation or is in a document that speaks of markup: what
is inside of one stays, with one exception. Where a line with an entity inside of a string says, without it, just what a
line of the document says, the reply was escaped as a whole.
Where such a string is not known to the document, whether it was meant so is open, and no entity at all is touched.
Where the marks around a string were entities or curly themselves, it was no string before.

Entities and quotation marks are repaired only in languages whose strings can be told from code, and only where the
document parses at least as well afterwards.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate

from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.parser import Tree, parse
from tuppence.core.text.document import Document, Edit, Span, apply

_MARKS = "\ufeff\u200b\u2060"
_SPACES = "\u00a0\u2007\u202f"
_LEADING = re.compile(rf"[ \t{_SPACES}]*")
_MARKUP = re.compile(r"html|xml|entit|escap|markup|svg|&#?\w+;", re.IGNORECASE)
_SAID = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'", "nbsp": " "}
_ENTITY = re.compile(
    r"&(?:(lt|gt|amp|quot|apos|nbsp)|#(?:0?(34|38|39|60|62|160)|x(22|26|27|3c|3e|a0)));", re.IGNORECASE
)
_DOUBLE, _SINGLE = "\u201c-\u201f", "\u2018-\u201b"
_CURLY = re.compile(
    "[\u201c-\u201f]([^\u201c-\u201f\n]*)[\u201c-\u201f]|[\u2018-\u201b]([^\u2018-\u201b\n]*)[\u2018-\u201b]"
)
_STRAIGHT = {**dict.fromkeys(range(0x2018, 0x201C), "'"), **dict.fromkeys(range(0x201C, 0x2020), '"')}
_PLAIN = re.compile(r'"(?:\\.|[^"\\])*"?|\'(?:\\.|[^\'\\])*\'?|`[^`]*`?')
_SCANNED = frozenset({"csharp", "kotlin", "scala", "swift", "dart"})
"""Languages without a grammar here in which quotation marks alone tell a string, apart from comments."""


def repaired(
    lines: list[str], document: Document, target: Span, language: Language
) -> tuple[list[str], tuple[str, ...]]:
    """Return a reply's lines as repaired for the place of the target, and the names of the repairs that were made."""
    names: list[str] = []
    repair = _Repair(document, target, language)
    for name, make in (
        ("byte order mark", repair.byte_order_mark),
        ("spaces", repair.spaces),
        ("HTML entities", repair.entities),
        ("quotation marks", repair.quotation_marks),
    ):
        new = make(lines)
        if new is not None and new != lines:
            lines = new
            names.append(name)
    return lines, tuple(names)


class _Repair:
    """Repairs for one target."""

    def __init__(self, document: Document, target: Span, language: Language) -> None:
        self._document = document
        self._target = target
        self._language = language
        self._original = document.slice(target)
        self._newline = document.newline
        self._is_code = language.grammar is not None or language.id in _SCANNED

    def byte_order_mark(self, lines: list[str]) -> list[str] | None:
        """Return the lines without a mark at the start."""
        if not lines or not lines[0].startswith(tuple(_MARKS)) or self._original.startswith(tuple(_MARKS)):
            return None
        return [lines[0].lstrip(_MARKS), *lines[1:]]

    def spaces(self, lines: list[str]) -> list[str] | None:
        """Return the lines indented by spaces that break."""
        if not self._is_code or not any(sign in line for line in lines for sign in _SPACES):
            return None
        if any(sign in self._original for sign in _SPACES):
            return None
        leads = [_LEADING.match(line) for line in lines]
        new = [
            re.sub(f"[{_SPACES}]", " ", lead[0]) + line[lead.end() :] if lead else line
            for line, lead in zip(lines, leads, strict=True)
        ]
        tree, place = self._placed(new)
        starts = _starts(new, len(self._newline), place.start)
        texts = _Texts((*tree.strings(place), *tree.comments(place)))
        return [line if texts.inside(at) else other for line, other, at in zip(lines, new, starts, strict=True)]

    def entities(self, lines: list[str]) -> list[str] | None:
        """Return the lines with entities as what they say."""
        if not self._is_code or not any("&" in line for line in lines):
            return None
        known = {found[0].lower() for found in _ENTITY.finditer(self._document.text)}
        new = [_unescaped(line, known) for line in lines]
        if all(not places for _, places in new):
            return None
        tree, place = self._placed([line for line, _ in new])
        strings, comments = _Texts(tree.strings(place)), _Texts(tree.comments(place))
        theirs = {line.strip() for line in self._document.text.splitlines()}
        starts = _starts([line for line, _ in new], len(self._newline), place.start)
        at = {start + each for (_, places), start in zip(new, starts, strict=True) for each in places}
        result: list[str] = []
        in_code = False
        for line, (other, places), start in zip(lines, new, starts, strict=True):
            is_theirs = other.strip() in theirs
            said = [each for each in places if self._is_meant(tree, comments.around(start + each), known)]
            held = [each for each in places if _is_held(strings.around(start + each), tree.text, at)]
            in_code = in_code or len(said) + len(held) < len(places)
            if not is_theirs and any(not self._has_string(tree, strings.around(start + each)) for each in held):
                return None
            result.append(other if is_theirs or not said else _unescaped(line, known, said)[0])
        return result if in_code and self._faults(result) <= self._faults(lines) else None

    def _has_string(self, tree: Tree, string: Span | None) -> bool:
        """Report whether the document has a string literal that the reply has without its entities."""
        return string is not None and tree.text[string.start : string.end] in self._document.text

    def _is_meant(self, tree: Tree, comment: Span | None, known: Collection[str]) -> bool:
        """Report whether an entity may be meant because it is in a comment.

        In a comment to the end of a line that is no documentation, it is not, unless the document speaks of markup.
        """
        if comment is None:
            return False
        mark, text = self._language.line_comment, tree.text[comment.start : comment.end]
        is_plain = text.startswith(mark) and not text.startswith((f"{mark}/", f"{mark}!"))
        return not is_plain or bool(known) or _MARKUP.search(self._document.text) is not None

    def quotation_marks(self, lines: list[str]) -> list[str] | None:
        """Return the lines with straight marks around their strings."""
        if not self._is_code or not any(_CURLY.search(line) for line in lines):
            return None
        tree, place = self._placed(lines)
        texts = _Texts((*tree.strings(place), *tree.comments(place)))
        starts = _starts(lines, len(self._newline), place.start)
        theirs = {line.strip() for line in self._original.splitlines()}
        new = [
            plain if (plain := line.translate(_STRAIGHT)).strip() in theirs else _straightened(line, start, texts)
            for line, start in zip(lines, starts, strict=True)
        ]
        # No language of these has such marks outside of its strings; some grammars read them as a part of a name.
        return new if self._faults(new) <= tree.faults() else None

    def _placed(self, lines: Sequence[str]) -> tuple[Tree, Span]:
        """Return the document with the lines in the target's place, and where they are."""
        text = self._newline.join(lines)
        tree = parse(apply(self._document.text, [Edit(self._target, text)]), self._language)
        return tree, Span(self._target.start, self._target.start + len(text))

    def _faults(self, lines: Sequence[str]) -> int:
        return self._placed(lines)[0].faults()


class _Texts:
    """The spans of strings or comments, and which of them contains an offset."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = sorted(spans)
        self._starts = [span.start for span in self._spans]

    def around(self, offset: int) -> Span | None:
        """Return the text that a code point stands in, its marks included."""
        at = bisect_right(self._starts, offset) - 1
        return self._spans[at] if at >= 0 and offset < self._spans[at].end else None

    def inside(self, offset: int) -> bool:
        """Report whether a text begins before the offset and ends behind it."""
        span = self.around(offset)
        return span is not None and span.start < offset


def _starts(lines: Sequence[str], newline: int, start: int) -> list[int]:
    """Return where each line begins."""
    return list(accumulate((len(line) + newline for line in lines[:-1]), initial=start))


def _unescaped(line: str, known: Collection[str], left: Collection[int] = ()) -> tuple[str, list[int]]:
    """Return a line with entities as what they say, and where in it all of that is.

    Entities that are known stay, and so do those that would be in one of the places that are left.
    """
    parts: list[str] = []
    places: list[int] = []
    done = length = 0
    for found in _ENTITY.finditer(line):
        if found[0].lower() in known:
            continue
        length += found.start() - done
        parts += (line[done : found.start()], found[0] if length in left else _meant(found))
        places.append(length)
        length += 1
        done = found.end()
    return "".join((*parts, line[done:])), places


def _meant(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return _SAID[name.lower()]
    sign = chr(int(decimal) if decimal else int(hexadecimal, 16))
    return " " if sign in _SPACES else sign


def _is_held(string: Span | None, text: str, entities: Collection[int]) -> bool:
    """Report whether a string was one before the entities were read: its opening mark is none of them."""
    if string is None:
        return False
    opening = re.compile("[\"'`<]").search(text, string.start, string.end)
    return opening is None or opening.start() not in entities


def _straightened(line: str, start: int, texts: _Texts) -> str:
    """Return a line with each pair of curly marks straight that is in no string or comment.

    What is a string is not certain where a straight mark or a backslash is in such a pair: the line stays.
    """
    if any(set("\"'`\\") & set(found[1] or "") or set("'\\") & set(found[2] or "") for found in _CURLY.finditer(line)):
        return line
    plain = [Span(*found.span()) for found in _PLAIN.finditer(_CURLY.sub(_covered, line))]

    def straight(found: re.Match[str]) -> str:
        ends = (found.start(), found.end() - 1)
        inside = any(texts.around(start + at) is not None for at in ends)
        if inside or any(span.start <= at < span.end for span in plain for at in ends):
            return found[0]
        mark = '"' if found[1] is not None else "'"
        return f"{mark}{found[1] or found[2] or ''}{mark}"

    return _CURLY.sub(straight, line)


def _covered(found: re.Match[str]) -> str:
    """Return a pair of curly marks with nothing between them that could be a straight one."""
    return found[0][0] + "x" * (len(found[0]) - 2) + found[0][-1]
