"""Repair characters of a reply that changed in transit; each repair has a name, and none changes text in strings.

- *byte order mark*: removed from the start of the reply, if the target does not start with one.
- *spaces*: non-breaking spaces before a line's code become spaces, if the target has none.
- *HTML entities*: ``&lt;`` and similar become their character, if the document does not contain that entity.
- *quotation marks*: a pair of curly marks around a string on one line becomes straight marks; all curly marks of a line
  do if that makes it a line of the target.

A string literal never changes, nor does a comment that may be documentation or is in a document that mentions markup,
with one exception: if a line with an entity in a string equals a line of the document once the entity is replaced, the
reply was escaped as a whole. If the document does not have such a string, the intent is unknown, and no entity is
replaced. If the marks around a string were themselves entities or curly, it was not a string before.

Entities and quotation marks are repaired only in languages whose strings can be told from code, and only if the
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
"""Languages without a grammar in which quotation marks alone identify strings, apart from comments."""


def repaired(
    lines: list[str], document: Document, target: Span, language: Language
) -> tuple[list[str], tuple[str, ...]]:
    """Return the repaired lines of a reply, and the names of the repairs that were made."""
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
    """The repairs for one target."""

    def __init__(self, document: Document, target: Span, language: Language) -> None:
        self._document = document
        self._target = target
        self._language = language
        self._original = document.slice(target)
        self._newline = document.newline
        self._is_code = language.grammar is not None or language.id in _SCANNED

    def byte_order_mark(self, lines: list[str]) -> list[str] | None:
        """Return the lines without a byte order mark at the start, or None."""
        if not lines or not lines[0].startswith(tuple(_MARKS)) or self._original.startswith(tuple(_MARKS)):
            return None
        return [lines[0].lstrip(_MARKS), *lines[1:]]

    def spaces(self, lines: list[str]) -> list[str] | None:
        """Return the lines indented with ordinary spaces, or None."""
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
        """Return the lines with entities replaced by their characters, or None."""
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
        """Report whether the document contains the string literal that results from replacing entities."""
        return string is not None and tree.text[string.start : string.end] in self._document.text

    def _is_meant(self, tree: Tree, comment: Span | None, known: Collection[str]) -> bool:
        """Report whether an entity may be intended because it is in a comment.

        In a line comment that is not documentation it is not, unless the document mentions markup.
        """
        if comment is None:
            return False
        mark, text = self._language.line_comment, tree.text[comment.start : comment.end]
        is_plain = text.startswith(mark) and not text.startswith((f"{mark}/", f"{mark}!"))
        return not is_plain or bool(known) or _MARKUP.search(self._document.text) is not None

    def quotation_marks(self, lines: list[str]) -> list[str] | None:
        """Return the lines with straight marks around their strings, or None."""
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
        # None of these languages has curly marks outside strings; some grammars parse them as part of a name.
        return new if self._faults(new) <= tree.faults() else None

    def _placed(self, lines: Sequence[str]) -> tuple[Tree, Span]:
        """Return the parse of the document with the lines in the target's place, and their span."""
        text = self._newline.join(lines)
        tree = parse(apply(self._document.text, [Edit(self._target, text)]), self._language)
        return tree, Span(self._target.start, self._target.start + len(text))

    def _faults(self, lines: Sequence[str]) -> int:
        return self._placed(lines)[0].faults()


class _Texts:
    """The spans of strings or comments, with a search by offset."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = sorted(spans)
        self._starts = [span.start for span in self._spans]

    def around(self, offset: int) -> Span | None:
        """Return the span that contains a code point, marks included; None if there is none."""
        at = bisect_right(self._starts, offset) - 1
        return self._spans[at] if at >= 0 and offset < self._spans[at].end else None

    def inside(self, offset: int) -> bool:
        """Report whether a span begins before the offset and ends after it."""
        span = self.around(offset)
        return span is not None and span.start < offset


def _starts(lines: Sequence[str], newline: int, start: int) -> list[int]:
    """Return the offset at which each line begins."""
    return list(accumulate((len(line) + newline for line in lines[:-1]), initial=start))


def _unescaped(line: str, known: Collection[str], left: Collection[int] = ()) -> tuple[str, list[int]]:
    """Return a line with its entities replaced, and the columns of all entities in the new line.

    :param known: entities in lower case that stay and are not listed.
    :param left: columns of entities that stay but are listed.
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
    """Report whether a string was one before its entities were replaced: its opening mark is not one of them."""
    if string is None:
        return False
    opening = re.compile("[\"'`<]").search(text, string.start, string.end)
    return opening is None or opening.start() not in entities


def _straightened(line: str, start: int, texts: _Texts) -> str:
    """Return a line with straight marks for each curly pair that is outside strings and comments.

    If a pair contains a straight mark or a backslash, the extent of the string is uncertain, and the line stays.
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
    """Return a curly pair with its content masked, so that it holds no straight mark."""
    return found[0][0] + "x" * (len(found[0]) - 2) + found[0][-1]
