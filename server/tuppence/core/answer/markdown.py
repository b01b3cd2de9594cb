"""Markdown that a model wrote, rewritten so that no renderer can do more with it than show it.

Invariants, for any text, any way of cutting it into chunks, and any renderer of Markdown (held against markdown-it,
with everything on, and marked, VS Code's own, in tests/core/answer/test_markdown_renderers.py):

- Nothing is a link, an image or HTML: a link becomes its text, an image its alternative text, an address code, a tag
  visible text.
- Fenced code is as it was, byte for byte. (Code by indentation alone is treated as text: whether it is code depends on
  the list around it, and a renderer may decide otherwise.)
- Characters that reorder text or show nothing (:mod:`tuppence.core.text.hidden`) are gone, from code too, and by no
  entity do they come back; those stay that an emoji or a word is written with (:mod:`tuppence.core.text.joiners`).
- Joined, the pieces of a ``Cleaner`` are ``clean`` of the whole, and work grows with the length of the text only.

How: the text is read by the line and written again in a subset of Markdown that leaves nothing to interpret, instead
of being corrected where it looks dangerous; renderers differ in what they take for code, and whatever one of them does
not take for code is live. A parse by a library (markdown-it-py) would know its own reading only, needs the whole text,
which is still arriving, and nests as deep as a hostile text wants.

- A line's text becomes text, emphasis and code in one form that no renderer reads otherwise
  (core/answer/markdown_inline.py), on which the lines around it have no bearing.
- A fenced block comes after an empty line, its fences and lines all behind the same number of spaces: so it is either a
  fenced block or, where a renderer sees no list around it, code by indentation; there is no third reading. A line in it
  that a renderer could take for its end is put into another block with a longer fence.
- What introduces a block stays: indentation, ``>``, list markers, hashes; at most eight of them on a line.
- A row under which a table begins stays only below a line that begins with ``|`` and was written as a row.
"""

from __future__ import annotations

import re
from typing import Literal

from tuppence.core.answer.markdown_blocks import (
    CAP,
    CodeBlock,
    Line,
    dedented,
    introduced,
    is_under_header,
    opened,
    rule_of,
    split,
)
from tuppence.core.answer.markdown_inline import rewrite, visible, words
from tuppence.core.text.hidden import is_hidden

__all__ = ["LONGEST", "Cleaner", "clean", "plain", "visible"]

LONGEST = 200_000
"""Code points of a text that are read; the panels of our clients keep as many."""
LONGEST_LINE = 60_000
"""Code points of a line that are read."""
_AROUND = 8
"""Code points before and behind a hidden character that say whether it is needed."""
_QUOTE = re.compile(r"[ \t]{0,3}>[ \t]?")
_BEGINNING = re.compile(r"([0-9]{1,9})(?=[.)](?:[ \t]|\Z))|(?=>|(?:#{1,6}|[-+*])(?:[ \t]|\Z))")
_WORD = re.compile(r"[^\W_]")
_STOP = re.compile(r"`+|[\[\\]|[ \t]+")
_STRONG = re.compile(r"(?<![\w*])\*\*(?=\S)([^*]{1,600})(?<=\S)\*\*(?![\w*])")


def clean(markdown: str) -> str:
    """Return the Markdown without anything that loads, links, runs or hides."""
    cleaner = Cleaner()
    return cleaner.feed(markdown) + cleaner.finish()


def plain(markdown: str) -> str:
    """Return one line of plain text: links as their text, no emphasis; backticks stay, as compilers use them."""
    text = " ".join(visible(markdown[:LONGEST_LINE]).split())
    return " ".join(_STRONG.sub(r"\1", words(text)).split())


class Cleaner:
    """Cleans Markdown as it arrives; what is not yet known to be safe is held back, at most to the end of its line."""

    def __init__(self) -> None:
        self._line = _Pending()
        self._begun = False
        """Whether a part of this line is written."""
        self._fence: CodeBlock | None = None
        self._table: Literal["", "header", "rows"] = ""
        self._blank = True
        """Whether the line written last is empty."""
        self._list = 0
        """Columns at which the text of the last list item begins; 0 outside lists."""
        self._read = 0
        self._return = False
        self._near = ""
        """The last code points that were taken, as they came, and behind them those that are held back."""
        self._held = 0
        """How many hidden characters are held back, until what follows says whether they are needed."""

    def feed(self, chunk: str) -> str:
        """Take the next chunk; return what is safe by now."""
        if self._read > LONGEST:
            return ""
        return self._take(self._visible(chunk))

    def _visible(self, chunk: str, *, is_last: bool = False) -> str:
        """Return what shows of the held back characters and a chunk, but for hidden ones at its end."""
        text = self._near + chunk
        start, end = len(self._near) - self._held, len(text)
        if not is_last:
            while end > start and len(text) - end < _AROUND and is_hidden(text[end - 1]):
                end -= 1
        self._held = len(text) - end
        self._near = text[max(0, end - _AROUND) :]
        return visible(text, start, end)

    def _take(self, seen: str) -> str:
        text = self._newlines(seen)
        room = LONGEST - self._read
        self._read += len(text)
        written = self._lines(text[:room])
        if self._read <= LONGEST:
            return written
        written += self._finish()
        end = "" if written.endswith("\n") else "\n"
        return f"{written}{end}\n… The rest is left out: this text is longer than {LONGEST:,} characters."

    def finish(self) -> str:
        """Take the end; return the rest, a fence that was left open closed."""
        if self._read > LONGEST:
            return ""
        written = self._take(self._visible("", is_last=True)) if self._held else ""
        return written if self._read > LONGEST else written + self._finish()

    def _finish(self) -> str:
        rest = self._end("") if self._line.size or self._begun else ""
        fence, self._fence = self._fence, None
        if fence is None:
            return rest
        return f"{rest}{'' if not rest or rest.endswith(chr(10)) else chr(10)}{fence.spaces}{fence.written}"

    def _newlines(self, text: str) -> str:
        """Make every line ending a line feed; a CRLF may be cut in two."""
        if self._return and text.startswith("\n"):
            text = text[1:]
            self._return = False
        if text:
            self._return = text.endswith("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _lines(self, text: str) -> str:
        out: list[str] = []
        *complete, rest = text.split("\n")
        for piece in complete:
            out += (self._piece(piece), self._end("\n"))
        out.append(self._piece(rest))
        return "".join(out)

    def _piece(self, piece: str) -> str:
        """Take a part of a line; return what of it can be written before its end."""
        line = self._line
        line.add(piece, is_text=self._fence is None and self._table != "rows")
        if not line.can_be_cut:
            return ""
        if self._begun:
            return rewrite(line.cut())
        read = introduced(line.part)
        if read.text.startswith(("|", "```", "~~~")):
            line.is_whole = True
        elif _WORD.search(read.text):
            if _WORD.search(written := rewrite(read.text)):
                self._begun = True
                line.cut()
                return self._text(read, written)
            line.is_whole = True
        return ""

    def _end(self, newline: str) -> str:
        """Take the end of a line; return the rest of it."""
        line, self._line = self._line, _Pending()
        begun, self._begun = self._begun, False
        if begun:
            written = rewrite(line.text)
        elif self._fence is not None:
            written = self._in_fence(self._fence, line.text)
        else:
            written = self._whole(line.text)
        more = f" … This line is longer than {LONGEST_LINE:,} characters." if line.is_cut else ""
        return f"{written}{more}{newline}"

    def _whole(self, line: str) -> str:
        """Write a line of which nothing is written yet, outside fences."""
        if not line.strip(" \t"):
            self._table, self._blank = "", True
            return ""
        if rule := rule_of(line):
            self._table, self._blank = "", False
            return rule
        read = introduced(line)
        if not read.is_heading and (fence := opened(read, self._list)):
            return self._open(read, fence)
        is_row = read.text.startswith("|") or self._table == "rows"
        written = rewrite(read.text, row=is_row)
        table = self._table
        text = self._text(read, written)
        if is_under_header(written):
            self._table = "rows" if table in ("header", "rows") else ""
            return text if self._table else text.replace("-", "\\-", 1)
        self._table = "rows" if table == "rows" else "header" if is_row else ""
        return text

    def _text(self, read: Line, written: str) -> str:
        """Write a line's beginning and its text, which does not introduce a block by itself."""
        self._table, self._blank = "", False
        if read.has_marker:
            self._list = read.columns
        elif not read.columns:
            self._list = 0
        text = written.lstrip(" \t")
        if not read.is_heading and (found := _BEGINNING.match(text)):
            text = f"{text[: found.end()]}\\{text[found.end() :]}"
        return read.before + text

    def _open(self, read: Line, fence: CodeBlock) -> str:
        gap = "" if self._blank else "\n"
        self._fence, self._table, self._blank = fence, "", False
        if read.has_marker and not read.quotes and fence.spaces:
            self._list = len(fence.spaces)
            return f"{gap}{read.before.expandtabs(4).rstrip()} {fence.written}{fence.info}"
        return f"{gap}{fence.spaces}{fence.written}{fence.info}"

    def _in_fence(self, fence: CodeBlock, line: str) -> str:
        """Write a line of code, or the end of the block."""
        at = 0
        for _ in range(fence.quotes):
            found = _QUOTE.match(line, at)
            if found is None:
                self._fence = None
                return f"{fence.spaces}{fence.written}\n{self._whole(line)}"
            at = found.end()
        columns, text = split(line[at:])
        behind = text.rstrip(" \t")
        is_near = columns <= fence.indent + CAP
        if is_near and len(behind) >= len(fence.marks) and behind == fence.marks[0] * len(behind):
            self._fence = None
            return f"{fence.spaces}{fence.written}"
        code = dedented(line[at:], fence.indent)
        run = len(text) - len(text.lstrip("`"))
        end = ""
        if is_near and run >= len(fence.written):
            end = f"{fence.spaces}{fence.written}\n\n"
            fence.written = "`" * (run + 1)
            end += f"{fence.spaces}{fence.written}{fence.info}\n"
        return f"{end}{fence.spaces if code else ''}{code}"


class _Pending:
    """The part of a line that is not written yet, and where it can be cut so that both parts read as the whole."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._behind = 0
        """Where the pending text can be cut; 0 where it cannot."""
        self._length = 0
        self._is_odd = False
        """Whether a code span is open."""
        self._has_word = False
        self.size = 0
        """Code points of the line that were read."""
        self._is_held = False
        """Whether what comes may change how the rest of the line reads."""
        self.is_whole = False
        """Whether the line is to be written whole."""
        self.is_cut = False
        """Whether the line is too long, and its end left out."""

    @property
    def text(self) -> str:
        """What is pending."""
        return "".join(self._pieces)

    @property
    def part(self) -> str:
        """What can be written; to be asked where ``can_be_cut``."""
        self._pieces = [self.text]
        self._has_word = False
        return self._pieces[0][: self._behind]

    @property
    def can_be_cut(self) -> bool:
        """Whether a part can be written that holds a word which was not asked about before."""
        return bool(self._behind) and self._has_word and not self.is_whole

    def add(self, piece: str, *, is_text: bool) -> None:
        """Take more of the line."""
        room = LONGEST_LINE - self.size
        self.is_cut = self.is_cut or len(piece) > room
        piece = piece[:room]
        if not piece:
            return
        before, last = self._length, self._pieces[-1][-1] if self._pieces else ""
        self._pieces.append(piece)
        self._length += len(piece)
        self.size += len(piece)
        self.is_whole = self.is_whole or not is_text
        if self.is_whole or self._is_held:
            return
        self._has_word = self._has_word or _WORD.search(piece) is not None
        for found in _STOP.finditer(piece):
            match piece[found.start()]:
                case "`" if found.end() - found.start() == 1 and not (found.start() == 0 and last == "`"):
                    self._is_odd = not self._is_odd
                case " " | "\t":
                    self._behind = self._behind if self._is_odd else before + found.end()
                case _:
                    self._is_held = True
                    return

    def cut(self) -> str:
        """Return the part that can be written, and keep the rest."""
        text, at = self.text, self._behind
        self._pieces = [text[at:]] if at < len(text) else []
        self._length -= at
        self._behind = 0
        self._has_word = _WORD.search(text, at) is not None
        return text[:at]
