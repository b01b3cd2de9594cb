"""Markdown that a model wrote, made safe to show.

Invariants, for any text and any way of cutting it into chunks:

- Outside code nothing is a link, an image or HTML to a CommonMark reader, whatever its extensions link by themselves:
  a link becomes its text, an image its alternative text, a bare address a code span, a tag visible text.
- Code spans and fenced blocks are as they were. (Code by indentation alone is treated as text: whether it is code
  depends on the list around it, and a wrong guess would let HTML through.)
- Characters that reorder text or show nothing (bidirectional controls, zero width, tags, other controls) are gone,
  from code too.
- Joined, the pieces of a ``Cleaner`` are ``clean`` of the whole.

How: no inline construct is let across the end of a line (an unmatched run of backticks is escaped), so a line can be
read on its own; and what is written is guarded once more, so that no two safe pieces make an unsafe whole.
"""

from __future__ import annotations

import re

from tuppence.core.answer.markdown_inline import Inline

_LEAD = re.compile(r"[ \t]*(?:`+|~+)?")
_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})(.*)", re.DOTALL)
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s[^()]*)?\)")
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*)>")
_STRONG = re.compile(r"(?<![\w*])\*\*(?=\S)([^*]+)(?<=\S)\*\*(?![\w*])")
_CAP = 3
"""Columns that a fence may be indented and be a fence in every reading."""


def clean(markdown: str) -> str:
    """Return the Markdown without anything that loads, links, runs or hides."""
    cleaner = Cleaner()
    return cleaner.feed(markdown) + cleaner.finish()


def plain(markdown: str) -> str:
    """Return one line of plain text: links as their text, no emphasis; backticks stay, as compilers use them."""
    text = visible(markdown)
    before = ""
    while before != text:
        before, text = text, _LINK.sub(r"\1", text)
    return " ".join(_STRONG.sub(r"\1", _AUTOLINK.sub(r"\1", text)).split())


def visible(text: str) -> str:
    """Return the text without characters that reorder it or show nothing."""
    return _HIDDEN.sub("", text)


class Cleaner:
    """Cleans Markdown as it arrives; what is not yet known to be safe is held back."""

    def __init__(self) -> None:
        self._inline = Inline()
        self._line: list[str] = []
        """What has come of this line, while it may still be a fence."""
        self._inside = False
        """Whether this line is known to be text, and goes to the inline reader as it comes."""
        self._fence = ""
        self._indent = 0
        self._strip = 0
        self._return = False

    def feed(self, chunk: str) -> str:
        """Take the next chunk; return what is safe by now."""
        text = self._newlines(visible(chunk))
        out: list[str] = []
        *complete, rest = text.split("\n")
        for piece in complete:
            out += (self._piece(piece), self._end("\n"))
        out.append(self._piece(rest))
        return "".join(out)

    def finish(self) -> str:
        """Take the end; return the rest, a fence that was left open closed."""
        rest = self._end("") if self._line or self._inside else ""
        if not self._fence:
            return rest
        close = f"{' ' * self._indent}{self._fence}"
        self._fence = ""
        return rest + close if not rest or rest.endswith("\n") else f"{rest}\n{close}"

    def _newlines(self, text: str) -> str:
        """Make every line ending a line feed; a CRLF may be cut in two."""
        if not text:
            return text
        if self._return and text.startswith("\n"):
            text = text[1:]
            self._return = False
            if not text:
                return text
        self._return = text.endswith("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _piece(self, piece: str) -> str:
        if self._inside:
            return self._inline.feed(piece)
        if not piece:
            return ""
        self._line.append(piece)
        if self._fence:
            return ""
        line = "".join(self._line)
        lead = _LEAD.match(line)
        marks = lead.group().strip() if lead else ""
        if (lead and lead.end() == len(line)) or len(marks) >= len("```"):
            return ""
        self._line = []
        self._inside = True
        return self._inline.feed(line)

    def _end(self, newline: str) -> str:
        line = "".join(self._line)
        self._line = []
        if self._inside:
            self._inside = False
            return self._inline.end() + newline
        if self._fence:
            return self._in_fence(line, newline)
        found = _FENCE.fullmatch(line)
        if found and not (found[2].startswith("`") and "`" in found[3]):
            return self._open(*found.groups()) + newline
        return self._inline.feed(line) + self._inline.end() + newline

    def _open(self, indent: str, marks: str, info: str) -> str:
        columns = len(indent.expandtabs(4))
        self._fence, self._strip = marks, columns
        self._indent = min(columns, _CAP)
        return f"{' ' * self._indent}{marks}{info}"

    def _in_fence(self, line: str, newline: str) -> str:
        marks = line.strip()
        if set(marks) == {self._fence[0]} and len(marks) >= len(self._fence):
            self._fence = ""
            return f"{' ' * self._indent}{marks}{newline}"
        columns = len(line) - len(line.lstrip(" \t"))
        columns = len(line[:columns].expandtabs(4))
        if marks and columns < self._strip:
            # To some readers a list item, and the fence in it, ends here; this makes it end for all of them.
            close, self._fence = f"{' ' * self._indent}{self._fence}\n", ""
            return close + self._piece(line) + self._end(newline)
        if self._strip > _CAP and marks:
            line = " " * (columns - self._strip + self._indent) + line.lstrip(" \t")
        return line + newline
