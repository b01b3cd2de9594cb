"""The inline half of core/answer/markdown.py: the text of one line is read, and written again.

``rewrite`` reads a line once from left to right: code spans first, then escapes and entities, links and images. What
is written differs from what was read: nothing of the model's own notation is let through but emphasis.

- Code is written between single backticks, with no backtick in it (the backticks of its content come between two
  spans), so that a renderer need not look at lengths of runs or at what is around; in a row of a table there is no
  ``|`` in it either, because a table is split before code is read.
- Outside code no ``<``, ``~`` or backtick is written as such, a ``$`` only before a digit, a ``[`` only where its ``]``
  follows with no more than a word between and nothing behind that could make a link of it, and a backslash only where
  it escapes nothing. Entities take their place: no renderer takes one for notation. (A backslash before ``<`` or ``[``
  would do for CommonMark, but marked skips what looks like a tag or a link before it looks at escapes and at code.)
- A word that a renderer might link by itself is code: what has ``://``, ``www.`` or an ``@`` in it, and a name that
  ends as a host does, such as ``main.py``.

Work is linear: every pattern here is of bounded width or one repeated class of characters
(tests/core/answer/test_markdown_steps.py), and each character is looked at a fixed number of times.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from tuppence.core.text.hidden import hidden
from tuppence.core.text.joiners import is_needed

_MARK = re.compile(r"[`\\\[\]()]|!(?=\[)|<(?=[^\s<>])|&(?=[#A-Za-z])")
_TICKS = re.compile(r"`+")
_GAP = re.compile(r"([ \t]+)")
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>`]{0,500}|[^\s<>@`]{1,64}@[^\s<>@`]{1,255})>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SPACE = frozenset(" \t\n\r")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_GROUP = re.compile(r"[\w+=,-]{0,40}| ")
"""What may be between brackets that are left as they are: an index, or the box of a list of tasks."""
_BEHIND_GROUP = frozenset(" \t.,;)+-=*/\"'")
_HOST = re.compile(
    r"(?<=[\w-])\.(?:[a-z]{2}|com|edu|gov|net|org|pro|web|xxx|aero|asia|coop|info|museum|name|shop|app|dev|page|xyz"
    r"|xn--[a-z0-9-]{1,59}|рф)(?![^\W_])(?!\.[^\W_])",
    re.IGNORECASE,
)
_SCHEMES = ("mailto:", "xmpp:", "tel:", "command:", "javascript:", "vbscript:", "data:", "file:", "vscode:")
_LONGEST_SCHEME = 11
_BEFORE, _BEHIND = frozenset("([{<\"'*>!,;:"), frozenset(".,;:!?\"'*_~&>")
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_LINKED = re.compile(r"www\.|//\w|://|[\w.+-]@\w", re.IGNORECASE)
_WRITTEN = {
    "`": "&#96;", "[": "&#91;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "\\": "&#92;", "&": "&amp;", ";": "&#59;"
}  # fmt: skip
_IN_TEXT = re.compile(r"[\\`\[<~$&]|\*{4,8}|_{4,8}")
_LITERAL = re.compile(r"[\\`\[<~$&*_#+:;>|-]")
_NO_ENTITY = re.compile(r"&(?:[A-Za-z0-9]{1,32}(?![A-Za-z0-9;])|(?![#A-Za-z0-9]))")
Kind = Literal["text", "literal", "group", "code", "open", "close", "(", ")"]


_BLANK = "\u2800"
"""The blank Braille cell: a space."""
_NEEDABLE = frozenset(
    "\u180b\u180c\u180d\u180e\u180f\u200b\u200c\u200d\ufe00\ufe01\ufe02\ufe0e\ufe0f"
    + "".join(map(chr, (*range(0xE0020, 0xE0080), *range(0xE0100, 0xE01F0))))
)
"""What emoji and words may need."""


class Piece(NamedTuple):
    """A part of a line."""

    kind: Kind
    """``literal`` is text that is no notation, ``group`` brackets that stay, ``open`` and ``close`` other brackets."""
    text: str


def visible(text: str, start: int = 0, end: int | None = None) -> str:
    """Return a part of a text without characters that reorder it or show nothing, but those that emoji and words need.

    What the text holds up to eight code points before and behind the part decides what is needed.
    """
    end = len(text) if end is None else end
    parts: list[str] = []
    for found in hidden(text):
        at = found.start()
        if start <= at < end and found[0] != _BLANK and not (found[0] in _NEEDABLE and is_needed(text, at)):
            parts.append(text[start:at])
            start = at + 1
    return "".join((*parts, text[start:end]))


def rewrite(line: str, *, row: bool = False) -> str:
    """Return the text of one line, without what introduces a block, as Markdown that is text, emphasis and code only.

    :param row: whether it may be a row of a table, so that ``|`` divides it.
    """
    return _Writer(row=row).write(_Reader(line).pieces())


def words(line: str) -> str:
    """Return what a person reads in the text of one line; code keeps its backticks, emphasis its asterisks."""
    return "".join(f"`{each.text}`" if each.kind == "code" else each.text for each in _Reader(line).pieces())


class _Reader:
    """Reads one line."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._ends: dict[int, int] = {}
        self._runs: dict[int, list[int]] = {}
        for found in _TICKS.finditer(line):
            self._ends[found.start()] = found.end()
            self._runs.setdefault(found.end() - found.start(), []).append(found.start())
        self._pieces: list[Piece] = []
        self._starts: list[int] = []

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces with what links and images say in their place, and brackets as text."""
        self._split()
        brackets, parens = self._pairs()
        targets, dropped = self._links(brackets, parens)
        groups = self._groups(brackets)
        index = 0
        while index < len(self._pieces):
            piece = self._pieces[index]
            if index in targets:
                index = targets[index]
            elif index in dropped:
                pass
            elif index in groups:
                yield groups[index]
                index = brackets[index]
            else:
                yield piece if piece.kind in ("literal", "code") else Piece("text", piece.text)
            index += 1

    def _split(self) -> None:
        line, at = self._line, 0
        while at < len(line):
            found = _MARK.search(line, at)
            if found is None or found.start() > at:
                end = found.start() if found else len(line)
                piece = Piece("text", line[at:end])
            else:
                piece, end = self._mark(at)
            self._pieces.append(piece)
            self._starts.append(at)
            at = end

    def _mark(self, at: int) -> tuple[Piece, int]:
        """Return what begins with a character of notation, and the offset behind it."""
        line = self._line
        match line[at]:
            case "`":
                return self._ticks(at)
            case "\\" if line[at + 1 : at + 2] in _PUNCTUATION:
                return Piece("literal", line[at + 1]), at + 2
            case "<" if found := _AUTOLINK.match(line, at):
                return Piece("text", found[1]), found.end()
            case "&" if found := _ENTITY.match(line, at):
                meant = visible(html.unescape(found[0]))
                meant = "\xa0" if meant in _SPACE else meant
                return Piece("literal" if meant in _PUNCTUATION else "text", meant), found.end()
            case "!" if line[at + 1 : at + 2] == "[":
                return Piece("open", "!["), at + 2
            case "[":
                return Piece("open", "["), at + 1
            case "]":
                return Piece("close", "]"), at + 1
            case "(":
                return Piece("(", "("), at + 1
            case ")":
                return Piece(")", ")"), at + 1
            case other:
                return Piece("text", other), at + 1

    def _ticks(self, at: int) -> tuple[Piece, int]:
        """Read a run of backticks, perhaps the rest of one whose first is escaped: code, or else what it says."""
        length = (self._ends.get(at) or self._ends[at - 1]) - at
        starts = self._runs.get(length, [])
        index = bisect_left(starts, at + length)
        if index == len(starts):
            return Piece("literal", "`" * length), at + length
        code = self._line[at + length : starts[index]]
        if code[0] == code[-1] == " " and code.strip(" "):
            code = code[1:-1]
        return Piece("code", code), starts[index] + length

    def _pairs(self) -> tuple[dict[int, int], dict[int, int]]:
        """Return which bracket closes which, and which parenthesis, by the indexes of their pieces."""
        brackets: dict[int, int] = {}
        parens: dict[int, int] = {}
        open_brackets: list[int] = []
        open_parens: list[int] = []
        for index, piece in enumerate(self._pieces):
            match piece.kind:
                case "open":
                    open_brackets.append(index)
                case "close" if open_brackets:
                    brackets[open_brackets.pop()] = index
                case "(":
                    open_parens.append(index)
                case ")" if open_parens:
                    parens[open_parens.pop()] = index
                case _:
                    pass
        return brackets, parens

    def _links(self, brackets: dict[int, int], parens: dict[int, int]) -> tuple[dict[int, int], set[int]]:
        """Return the ends of the links' targets by their beginnings, and the brackets around the links' texts."""
        gaps = [found.start() for found in _GAP.finditer(self._line)]
        targets: dict[int, int] = {}
        dropped: set[int] = set()
        for opening, close in brackets.items():
            end = parens.get(close + 1)
            if end is not None and self._is_target(gaps, self._starts[close + 1] + 1, self._starts[end]):
                dropped.update((opening, close))
                targets[close + 1] = end
        return targets, dropped

    def _is_target(self, gaps: list[int], start: int, end: int) -> bool:
        """Report whether what is between parentheses is where a link leads: without a gap but before a title."""
        line = self._line
        index = bisect_left(gaps, start + 1)
        if line.startswith("<", start) or index == len(gaps) or gaps[index] >= end:
            return True
        behind = _GAP.match(line, gaps[index])
        return behind is None or behind.end() >= end or line[behind.end()] in "\"'("

    def _groups(self, brackets: dict[int, int]) -> dict[int, Piece]:
        """Return the brackets that may stay as they are, each as one piece: a renderer can see no more in them."""
        groups: dict[int, Piece] = {}
        for index in sorted(brackets, reverse=True):
            close = brackets[index]
            between = self._pieces[index + 1]
            text = between.text if close == index + 2 else ""
            if self._pieces[index].text != "[" or close > index + 2 or (text and between.kind != "text"):
                continue
            behind = self._pieces[close + 1].text[:1] if close + 1 < len(self._pieces) else " "
            if _GROUP.fullmatch(text) and (behind in _BEHIND_GROUP or behind.isalnum() or close + 1 in groups):
                groups[index] = Piece("group", f"[{text}]")
        return groups


class _Writer:
    """Writes pieces, a word at a time, because what a renderer links by itself may come in several."""

    def __init__(self, *, row: bool) -> None:
        self._row = row
        self._out: list[str] = []
        self._code: list[str] = []
        self._word: list[Piece] = []

    def write(self, pieces: Iterable[Piece]) -> str:
        for piece in pieces:
            if piece.kind == "code":
                self._end_word()
                self._code.append(piece.text)
            elif piece.kind == "text":
                self._text(piece.text)
            else:
                self._word.append(piece)
        self._end_word()
        self._end_code()
        return "".join(self._out)

    def _text(self, text: str) -> None:
        for index, part in enumerate(_GAP.split(text)):
            if index % 2:
                self._end_word()
                self._put(part)
            elif part:
                self._word.append(Piece("text", part))

    def _put(self, written: str) -> None:
        self._end_code()
        self._out.append(written)

    def _end_code(self) -> None:
        """Write code that is complete; two spans of code that meet become one."""
        if not self._code:
            return
        code, self._code = "".join(self._code), []
        parts = re.split(r"([`|])", code.replace("\\|", "|")) if self._row else re.split(r"(`)", code)
        for part in parts:
            if part in ("`", "|"):
                self._out.append(_WRITTEN[part])
            elif part:
                pad = " " if part[-1] == "\\" or (part[0] == part[-1] == " " and part.strip(" ")) else ""
                self._out.append(f"`{pad}{part}{pad}`")

    def _end_word(self) -> None:
        """Write a word that is complete: what a renderer might link as code, the rest as text."""
        if not self._word:
            return
        word, self._word = list(_joined(self._word)), []
        plain = "".join(piece.text for piece in word)
        address = _address(plain)
        if address is None:
            self._put("".join(map(_written, word)))
            return
        start, end = address
        before, behind = _cut(word, 0, start), _cut(word, end, len(plain))
        if before:
            self._put("".join(map(_written, before)))
        self._code.append(plain[start:end])
        if behind:
            self._put("".join(map(_written, behind)))


def _joined(word: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces of a word, neighbors of one kind as one."""
    texts: list[str] = []
    kind: Kind = "text"
    for piece in word:
        if piece.kind != kind and texts:
            yield Piece(kind, "".join(texts))
            texts = []
        kind = piece.kind
        texts.append(piece.text)
    yield Piece(kind, "".join(texts))


def _cut(word: list[Piece], start: int, end: int) -> list[Piece]:
    """Return a part of a word; brackets that stayed as they were are text in it."""
    at = 0
    found: list[Piece] = []
    for piece in word:
        text = piece.text[max(start - at, 0) : max(end - at, 0)]
        at += len(piece.text)
        if text:
            found.append(Piece("text" if piece.kind == "group" else piece.kind, text))
    return found


def _written(piece: Piece) -> str:
    if piece.kind == "group":
        return piece.text
    pattern, write = (_IN_TEXT, _in_text) if piece.kind == "text" else (_LITERAL, _literal)
    return pattern.sub(write, piece.text)


def _literal(found: re.Match[str]) -> str:
    return _WRITTEN.get(found[0], f"\\{found[0]}")


def _in_text(found: re.Match[str]) -> str:
    marks, text = found[0], found.string
    match marks[0]:
        case "&":
            return "&" if _NO_ENTITY.match(text, found.start()) else "&amp;"
        case "$":
            behind = text[found.end() : found.end() + 1]
            # An amount stays as it is: no reader of math takes a mark before a digit for the end of a formula.
            return "$" if behind.isdigit() and behind.isascii() else "&#36;" if behind == "(" else "\\$"
        case "\\":
            behind = text[found.end() : found.end() + 1]
            return "\\" if behind and behind not in _PUNCTUATION else "&#92;"
        case "*" | "_":
            return f"\\{marks[0]}" * len(marks)
        case other:
            return _WRITTEN.get(other, f"\\{other}")


def _address(word: str) -> tuple[int, int] | None:
    """Return where in a word the part is that a renderer might link by itself; None where there is none."""
    if not any(each in word for each in ".:@/"):
        return None
    before = _BEFORE | {"_"} if word[-1] in "_*" else _BEFORE
    start = next((at for at, each in enumerate(word) if each not in before), len(word))
    scheme = word[start : start + _LONGEST_SCHEME].lower().startswith(_SCHEMES)
    if not (scheme or _LINKED.search(word) or _HOST.search(word)):
        return None
    end = _end(word, start)
    return (start, end) if start < end else None


def _end(word: str, start: int) -> int:
    """Return where an address ends: before punctuation, and before what closes a parenthesis that is not in it."""
    end = len(word)
    counts = {each: word.count(each, start) for each in "()[]{}"}
    while end > start:
        last = word[end - 1]
        opener = _CLOSERS.get(last)
        if last not in _BEHIND and (opener is None or counts[last] <= counts[opener]):
            break
        if opener is not None:
            counts[last] -= 1
        end -= 1
    return end
