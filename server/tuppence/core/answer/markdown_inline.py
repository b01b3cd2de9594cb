"""Inline Markdown for core/answer/markdown.py: parse the text of one line, and write it again.

``rewrite`` reads a line once from left to right: code spans first, then escapes and entities, links and images. It then
writes the line in its own notation; of the model's notation only emphasis is passed through.

- Code is written between single backticks, with no backtick inside (backticks in the content are written between two
  spans), so that a renderer need not count backticks or look at the surrounding text. In a table row there is no ``|``
  in code either, because a table is split into cells before code is parsed.
- Outside code, ``<``, ``~`` and backticks are never written as such. A ``$`` is written only before a digit, a ``[``
  only if its ``]`` follows with at most one word between and nothing after it that could make a link, and a backslash
  only if it escapes nothing. Otherwise entities are written: no renderer takes an entity for notation. (A backslash
  before ``<`` or ``[`` is enough for CommonMark, but marked skips text that looks like a tag or a link before it looks
  at escapes and code.)
- A word that a renderer might turn into a link by itself is written as code: one that contains ``://``, ``www.`` or
  ``@``, and a name that ends like a host name, such as ``main.py``.

Work is linear: every pattern is of bounded width or one repeated class of characters
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
"""Matches what may be between brackets that are left unchanged: an index, or the box of a task list."""
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
"""The blank Braille cell, which looks like a space."""
_NEEDABLE = frozenset(
    "\u180b\u180c\u180d\u180e\u180f\u200b\u200c\u200d\ufe00\ufe01\ufe02\ufe0e\ufe0f"
    + "".join(map(chr, (*range(0xE0020, 0xE0080), *range(0xE0100, 0xE01F0))))
)
"""Characters that emoji and words may need."""


class Piece(NamedTuple):
    """A part of a line."""

    kind: Kind
    """``literal`` is text without notation, ``group`` is brackets that stay, ``open`` and ``close`` are other
    brackets."""
    text: str


def visible(text: str, start: int = 0, end: int | None = None) -> str:
    """Return a part of a text without invisible and reordering characters, except those that emoji and words need.

    Up to eight code points of the text before and after the part decide which are needed.
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
    """Return the text of one line, without block markers, as Markdown with only text, emphasis and inline code.

    :param row: whether the line may be a table row, in which ``|`` separates cells.
    """
    return _Writer(row=row).write(_Reader(line).pieces())


def words(line: str) -> str:
    """Return the plain text of one line; code keeps its backticks, emphasis its asterisks."""
    return "".join(f"`{each.text}`" if each.kind == "code" else each.text for each in _Reader(line).pieces())


class _Reader:
    """Splits one line into pieces."""

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
        """Yield the pieces, with links and images replaced by their text, and unmatched brackets as text."""
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
        """Return the piece that begins with a notation character, and the offset after it."""
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
        """Return the code span that a run of backticks opens, or the backticks as text; the first may be escaped."""
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
        """Return matching brackets and matching parentheses, each as a map from opening to closing piece index."""
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
        """Return the link targets, as a map from first to last piece index, and the indexes of link brackets."""
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
        """Report whether the text between parentheses is a link target: no gap, except before a title."""
        line = self._line
        index = bisect_left(gaps, start + 1)
        if line.startswith("<", start) or index == len(gaps) or gaps[index] >= end:
            return True
        behind = _GAP.match(line, gaps[index])
        return behind is None or behind.end() >= end or line[behind.end()] in "\"'("

    def _groups(self, brackets: dict[int, int]) -> dict[int, Piece]:
        """Return the brackets that can stay unchanged, each as one piece, because no renderer gives them a meaning."""
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
    """Writes pieces one word at a time, because text that a renderer turns into a link may span several pieces."""

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
        """Write the pending code; adjacent code spans become one."""
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
        """Write the pending word: a part that a renderer might turn into a link as code, the rest as text."""
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
    """Yield the pieces of a word, with adjacent pieces of one kind joined."""
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
    """Return a part of a word, in which unchanged brackets are text."""
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
            # An amount stays unchanged: no math extension accepts a delimiter before a digit as the end of a formula.
            return "$" if behind.isdigit() and behind.isascii() else "&#36;" if behind == "(" else "\\$"
        case "\\":
            behind = text[found.end() : found.end() + 1]
            return "\\" if behind and behind not in _PUNCTUATION else "&#92;"
        case "*" | "_":
            return f"\\{marks[0]}" * len(marks)
        case other:
            return _WRITTEN.get(other, f"\\{other}")


def _address(word: str) -> tuple[int, int] | None:
    """Return the start and end of the part of a word that a renderer might turn into a link; None if there is none."""
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
    """Return the end of an address: before punctuation, and before a closing bracket that is not opened inside it."""
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
