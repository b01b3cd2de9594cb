"""A model's reply, taken apart into prose and fenced code as it arrives.

A reply with no fence is one implicit fence; :mod:`tuppence.core.checks.structure` judges whether it is code. Nothing
here repairs code (:mod:`tuppence.core.answer.patch` does).

What ends a fence, where Markdown leaves it open (each rule has its test):

1. A fence is closed by a bare line of its own character, at least as long, at most three columns deeper than it was
   opened. So a longer outer fence holds shorter ones.
2. Inside an open triple-quoted string such a line is text: it belongs to a docstring.
3. A line that opens another fence (```` ```js ````) inside a fence nests; the next bare line closes the inner one. Two
   exceptions: right after the opening it is the same opening said twice, and one marked ``imports`` always starts the
   imports, whatever was left open.
4. In a fence of Markdown, bare lines pair up: of an odd number the last one closes.
5. A reply that ends inside a fence is cut off, unless its last words are the closing fence after all: too deep, or
   glued to the last line of code.

6. What a model thought, between ``<think>`` and ``</think>`` at the start of the reply, is prose, whatever it holds.

Where rule 2 was misled by a stray quotation mark, :class:`Reply` reads the reply again without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tuppence.core.text.lines import Splitter

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*(.*?)[ \t]*")
_GLUED = re.compile(r"(.*:[ \t]*)(`{3,})([\w+#.-]*)[ \t]*")
_TRIPLE = re.compile(r'"""|\'\'\'')
_WORD = re.compile(r"[\w+#-]+")
_THINKS = re.compile(r"\s*<(think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad)>", re.IGNORECASE)
"""How a reply begins that holds its model's thoughts: models served without a parser for them write them so."""
_THOUGHT = re.compile(rf"{_THINKS.pattern}.*?</\1>", re.IGNORECASE | re.DOTALL)
_MARKDOWN = frozenset({"markdown", "md", "mdx", "rst", "quarto", "qmd"})
_BLANK = " \t\r\n"
_DEEPER = 3


class Reply:
    """Takes the chunks of one reply; yields complete lines at once and the whole truth at the end.

    The lines yielded so far are what the reply looks like so far; only one that ends inside a fence may turn
    out to have other parts.
    """

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._is_new = True
        self._reading = FenceReader()
        self._lines: list[tuple[str, str]] = []
        self._parts: Parts | None = None

    def feed(self, chunk: str) -> tuple[ReplyLine, ...]:
        """Take the next chunk; return the lines that it completes, fence lines aside."""
        lines = self._splitter.feed(chunk.removeprefix("\ufeff") if self._is_new else chunk)
        self._is_new = self._is_new and not chunk
        if not lines:
            return ()
        self._lines += lines
        return tuple(each for text, ending in lines for each in self._reading.take(text, ending))

    def finish(self) -> Parts:
        """Take the end of the reply; return its parts. Asking again returns the same."""
        if self._parts is None:
            rest = self._splitter.finish()
            self._lines += rest
            self._parts = self._read(rest)
        return self._parts

    def _read(self, rest: list[tuple[str, str]]) -> Parts:
        for text, ending in rest:
            self._exhaust(self._reading, text, ending)
        parts = self._reading.finish()
        if self._reading.suppressed and not all(fence.closed for fence in parts.fences):
            again = FenceReader(quotes=None)
            for text, ending in self._lines:
                self._exhaust(again, text, ending)
            other = again.finish()
            parts = other if all(fence.closed for fence in other.fences) else parts
        return parts if parts.fences else _implicit(parts.prose)

    @staticmethod
    def _exhaust(reading: FenceReader, text: str, ending: str) -> None:
        for _ in reading.take(text, ending):
            pass


def replacement(parts: Parts) -> tuple[Fence | None, Fence | None]:
    """Return the first fence of code and the first fence of imports; :mod:`.select_fence` leaves one of code."""
    code = next((fence for fence in parts.fences if not fence.imports), None)
    return code, next((fence for fence in parts.fences if fence.imports), None)


def _implicit(prose: str) -> Parts:
    thought = _THOUGHT.match(prose)
    said = prose[thought.end() :] if thought else prose
    blank = len(said) - len(said.lstrip(_BLANK))
    first = max(said.rfind("\n", 0, blank), said.rfind("\r", 0, blank)) + 1
    text = said[first:].rstrip(_BLANK)
    return Parts("", (Fence("", text, closed=True, implicit=True),)) if text else Parts(prose, ())


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block of a reply."""

    info: str
    """What stands after the opening fence, such as ``python``; empty where nothing does."""
    text: str
    """The content exactly as sent, without the line ending that precedes the closing fence."""
    closed: bool
    """Whether the reply closed it."""
    indent: str = ""
    """The white space before the opening fence."""
    implicit: bool = False
    """Whether the reply had no fence and this is all of it."""
    caption: str = field(default="", compare=False)
    """The last line of prose before it that is not blank; no part of what the fence says."""

    @property
    def imports(self) -> bool:
        """Whether it is marked as lines for the file's import block."""
        return "imports" in words(self.info)


@dataclass(frozen=True, slots=True)
class Parts:
    """A whole reply, taken apart."""

    prose: str
    """Everything outside the fences."""
    fences: tuple[Fence, ...]
    """In the order of the reply."""
    unclear: bool = False
    """Whether it held several fences of code, none of which was certain to be the one meant: none is left then."""
    form: str = ""
    """The form of its code where that was not the code itself: ``blocks``, ``diff``, ``JSON`` or ``line numbers``."""
    refused: str = ""
    """Why nothing of the code can be put in the target's place, a sentence; empty where something can."""
    notes: tuple[str, ...] = ()
    """What of the code was not applied, or chosen between, a clause each whose subject is the answer."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a fence began."""

    number: int
    """Its place among the reply's fences, from 0."""
    info: str
    indent: str

    @property
    def imports(self) -> bool:
        """Whether it is marked as lines for the file's import block."""
        return "imports" in words(self.info)


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """One complete line of a reply, as it streams."""

    text: str
    """Without its line ending."""
    ending: str
    """LF, CRLF, CR, or nothing at the end of the reply."""
    fence: Opening | None
    """The fence that it stands in; None for prose."""


@dataclass(slots=True)
class _OpenFence:
    """The fence that is open."""

    opening: Opening
    marker: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0
    """How many nested fences are open in it."""
    quote: str | None = ""
    """The triple quotation mark of the string that is open; None where strings are not heeded."""
    caption: str = ""
    """The last line of prose before it."""
    after: list[tuple[str, str]] | None = None
    """In Markdown: the lines since a bare line that may or may not have closed the fence, that line first."""


class FenceReader:
    """One way of reading a reply, line by line; ``quotes`` None does without rule 2."""

    def __init__(self, quotes: str | None = "") -> None:
        self._quotes = quotes
        self._open: _OpenFence | None = None
        self._prose: list[str] = []
        self._fences: list[Fence] = []
        self._caption = ""
        self._has_begun = False
        self._thinks = ""
        """The closing tag of the thoughts that the reply begins with; empty outside of them."""
        self.suppressed = False
        """Whether rule 2 ever kept a fence open."""

    def take(self, text: str, ending: str) -> Iterator[ReplyLine]:
        """Take the next line and yield what it completes; it has to be exhausted."""
        if self._thinks or not self._has_begun:
            self._has_begun = self._has_begun or bool(text.strip())
            begins = None if self._thinks else _THINKS.match(text)
            self._thinks = f"</{begins[1].lower()}>" if begins else self._thinks
            if self._thinks:
                self._thinks = "" if self._thinks in text.lower() else self._thinks
                yield self._prose_line(text, ending)
                return
        found = _FENCE.fullmatch(text)
        if found and "`" in found[2] and "`" in found[3]:
            found = None
        if self._open is None:
            yield from self._outside(text, ending, found)
        elif self._open.after is not None:
            yield from self._undecided(self._open, text, ending)
        elif found is None:
            yield self._content(self._open, text, ending)
        else:
            yield from self._fence_inside(self._open, text, ending, found)

    def finish(self) -> Parts:
        """Take the end of the reply and return what it holds."""
        while self._open and self._open.after is not None:
            for _ in self._close_before(self._open.after):
                pass
        if self._open:
            self._abandon(self._open, last=True)
        return Parts("".join(self._prose), tuple(self._fences))

    def _outside(self, text: str, ending: str, found: re.Match[str] | None) -> Iterator[ReplyLine]:
        if found is None and (found := _GLUED.fullmatch(text)):
            yield self._prose_line(found[1], ending)
            self._start("", found[2], found[3])
        elif found:
            self._start(*found.groups())
        else:
            yield self._prose_line(text, ending)

    def _prose_line(self, text: str, ending: str) -> ReplyLine:
        self._prose.append(text + ending)
        self._caption = text.strip() or self._caption
        return ReplyLine(text, ending, None)

    def _start(self, indent: str, marker: str, info: str) -> None:
        opening = Opening(len(self._fences), info, indent)
        self._open = _OpenFence(opening, marker, quote=self._quotes, caption=self._caption)
        self._caption = ""

    def _content(self, fence: _OpenFence, text: str, ending: str) -> ReplyLine:
        fence.lines.append((text, ending))
        if fence.quote is not None and ('"""' in text or "'''" in text):
            for mark in _TRIPLE.findall(text):
                if fence.quote in ("", mark):
                    fence.quote = "" if fence.quote else mark
        return ReplyLine(text, ending, fence.opening)

    def _fence_inside(self, fence: _OpenFence, text: str, ending: str, found: re.Match[str]) -> Iterator[ReplyLine]:
        indent, marker, info = found.groups()
        same = marker[0] == fence.marker[0] and len(marker) >= len(fence.marker)
        deep = _columns(indent) > _columns(fence.opening.indent) + _DEEPER
        if same and "imports" in words(info):
            self._abandon(fence, last=False)
            self._start(indent, marker, info)
        elif same and not deep and not fence.quote:
            yield from self._fence_at_level(fence, text, ending, info)
        else:
            self.suppressed = self.suppressed or (same and not deep)
            yield self._content(fence, text, ending)

    def _fence_at_level(self, fence: _OpenFence, text: str, ending: str, info: str) -> Iterator[ReplyLine]:
        if info and not fence.lines:
            fence.opening = Opening(fence.opening.number, info, fence.opening.indent)
        elif info or fence.depth:
            fence.depth += 1 if info else -1
            yield self._content(fence, text, ending)
        elif words(fence.opening.info) & _MARKDOWN:
            fence.after = [(text, ending)]
        else:
            self._close(fence)

    def _undecided(self, fence: _OpenFence, text: str, ending: str) -> Iterator[ReplyLine]:
        held = fence.after or []
        found = _FENCE.fullmatch(text)
        if found and found[2][0] == fence.marker[0] and len(found[2]) >= len(fence.marker):
            if found[3]:
                yield from self._close_before([*held, (text, ending)])
                return
            fence.after = None
            for each in (*held, (text, ending)):
                yield self._content(fence, *each)
            return
        held.append((text, ending))

    def _close_before(self, held: list[tuple[str, str]]) -> Iterator[ReplyLine]:
        assert self._open is not None
        self._close(self._open)
        for text, ending in held[1:]:
            yield from self.take(text, ending)

    def _close(self, fence: _OpenFence) -> None:
        self._keep(fence, fence.lines, closed=True)

    def _abandon(self, fence: _OpenFence, *, last: bool) -> None:
        """Close a fence that the reply left open, honouring a closing fence that stands too deep or glued on."""
        lines = list(fence.lines)
        while lines and not lines[-1][0].strip():
            lines.pop()
        if not lines:
            if last and fence.opening.number:
                self._open = None
            else:
                self._keep(fence, fence.lines, closed=not last)
            return
        text = lines[-1][0].rstrip()
        body = text.rstrip(fence.marker[0])
        if len(text) - len(body) < len(fence.marker):
            self._keep(fence, fence.lines, closed=not last)
            return
        self._keep(fence, [*lines[:-1], (body, "\n")] if body.strip() else lines[:-1], closed=True)

    def _keep(self, fence: _OpenFence, lines: list[tuple[str, str]], *, closed: bool) -> None:
        text = "".join(text + ending for text, ending in lines)
        if lines and lines[-1][1]:
            text = text[: -len(lines[-1][1])]
        opening = fence.opening
        self._fences.append(Fence(opening.info, text, closed, opening.indent, caption=fence.caption))
        self._open = None


def words(info: str) -> frozenset[str]:
    """Return the lower-case words of an info string; ``python:imports`` has two."""
    return frozenset(_WORD.findall(info.lower()))


def _columns(indent: str) -> int:
    return len(indent.expandtabs(4))
