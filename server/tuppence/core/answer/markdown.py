"""Rewrite a model's Markdown so that every renderer can only display it.

Invariants, for any text, any division into chunks, and any Markdown renderer (tested with markdown-it with all options
on, and with marked, which VS Code uses, in tests/core/answer/test_markdown_renderers.py):

- The output has no link, image or HTML. A link becomes its text, an image its alternative text, a URL inline code, and
  a tag visible text.
- Fenced code is unchanged, byte for byte. (Indented code is treated as text, because renderers disagree about what is
  code inside a list.)
- Invisible and bidirectional control characters (:mod:`tuppence.core.text.hidden`) are removed, from code too, and
  cannot return as entities. Those that an emoji or a word needs stay (:mod:`tuppence.core.text.joiners`).
- The pieces from a ``Cleaner``, joined, equal ``clean`` of the whole text, and the work is linear in its length.

The text is not corrected where it looks dangerous, because renderers disagree about what is code, and a link that one
of them does not see as code is live. Instead, it is read line by line and written in a subset of Markdown that all
renderers read alike. A parser library (markdown-it-py) knows only its own reading, needs the whole text although it is
still streaming, and nests without a limit.

- The text of a line becomes text, emphasis and inline code in one canonical form (core/answer/markdown_inline.py),
  which does not depend on the lines around it.
- A fenced block follows an empty line, and its fences and lines have equal indentation. So each renderer sees a fenced
  block or, if it sees no list around it, indented code. A line in it that could close the block goes into another block
  with a longer fence.
- Block markers stay: indentation, ``>``, list markers and hashes, at most eight on a line.
- The delimiter row of a table stays only below a line that begins with ``|`` and was written as a row.
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
"""Maximum code points of a text; the panels of our clients have this limit too."""
LONGEST_LINE = 60_000
"""Maximum code points of a line."""
_AROUND = 8
"""Code points on each side of a hidden character that decide whether it is needed."""
_QUOTE = re.compile(r"[ \t]{0,3}>[ \t]?")
_BEGINNING = re.compile(r"([0-9]{1,9})(?=[.)](?:[ \t]|\Z))|(?=>|(?:#{1,6}|[-+*])(?:[ \t]|\Z))")
_WORD = re.compile(r"[^\W_]")
_STOP = re.compile(r"`+|[\[\\]|[ \t]+")
_STRONG = re.compile(r"(?<![\w*])\*\*(?=\S)([^*]{1,600})(?<=\S)\*\*(?![\w*])")


def clean(markdown: str) -> str:
    """Return the Markdown without links, images, HTML and hidden characters."""
    cleaner = Cleaner()
    return cleaner.feed(markdown) + cleaner.finish()


def plain(markdown: str) -> str:
    """Return one line of plain text: links as their text, no emphasis. Backticks stay, because compilers use them."""
    text = " ".join(visible(markdown[:LONGEST_LINE]).split())
    return " ".join(_STRONG.sub(r"\1", words(text)).split())


class Cleaner:
    """Cleans streamed Markdown. Text that is not yet known to be safe is held back, at most until its line ends."""

    def __init__(self) -> None:
        self._line = _Pending()
        self._begun = False
        """Whether a part of the current line has been written."""
        self._fence: CodeBlock | None = None
        self._table: Literal["", "header", "rows"] = ""
        self._blank = True
        """Whether the last line written is empty."""
        self._list = 0
        """Column at which the text of the last list item begins; 0 outside lists."""
        self._read = 0
        self._return = False
        self._near = ""
        """The last code points of the input, followed by those that are held back."""
        self._held = 0
        """Number of hidden characters that are held back until the following text shows whether they are needed."""

    def feed(self, chunk: str) -> str:
        """Take the next chunk; return the text that is safe so far."""
        if self._read > LONGEST:
            return ""
        return self._take(self._visible(chunk))

    def _visible(self, chunk: str, *, is_last: bool = False) -> str:
        """Return the visible text of the held-back characters and a chunk, except hidden characters at its end."""
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
        """Take the end of the text; return the rest, with an open fence closed."""
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
        """Convert line endings to LF; a CRLF may be split between chunks."""
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
        """Take a part of a line; return what can be written before the line ends."""
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
        """Take the end of a line; return the rest of the line."""
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
        """Return a whole line outside fences, of which nothing has been written."""
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
        """Return a line's markers and its text, written so that the text starts no block."""
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
        """Return a line of fenced code, or the end of the block."""
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
    """The unwritten part of a line, and where it can be split without changing how either part reads."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._behind = 0
        """Offset at which the pending text can be split; 0 if it cannot."""
        self._length = 0
        self._is_odd = False
        """Whether a code span is open."""
        self._has_word = False
        self.size = 0
        """Code points of the line so far."""
        self._is_held = False
        """Whether later text may change how the pending text reads."""
        self.is_whole = False
        """Whether the line must be written as a whole."""
        self.is_cut = False
        """Whether the line was too long and its end was dropped."""

    @property
    def text(self) -> str:
        """The pending text."""
        return "".join(self._pieces)

    @property
    def part(self) -> str:
        """The part that can be written. Valid only if ``can_be_cut``."""
        self._pieces = [self.text]
        self._has_word = False
        return self._pieces[0][: self._behind]

    @property
    def can_be_cut(self) -> bool:
        """Whether a part with a new complete word can be written."""
        return bool(self._behind) and self._has_word and not self.is_whole

    def add(self, piece: str, *, is_text: bool) -> None:
        """Append a part of the line."""
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
        """Remove and return the part that can be written."""
        text, at = self.text, self._behind
        self._pieces = [text[at:]] if at < len(text) else []
        self._length -= at
        self._behind = 0
        self._has_word = _WORD.search(text, at) is not None
        return text[:at]
