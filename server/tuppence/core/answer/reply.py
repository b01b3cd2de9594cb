"""Split a model's reply into prose and fenced code as it arrives.

A reply without a fence is one implicit fence; :mod:`tuppence.core.checks.structure` judges whether it is code. Code is
not repaired here (:mod:`tuppence.core.answer.patch` does that).

These rules decide where Markdown leaves the end of a fence open; each has a test:

1. A fence is closed by a bare line of its own character, at least as long, at most three columns deeper than its
   opening. So a longer outer fence holds shorter ones.
2. Inside an open triple-quoted string such a line is text: it belongs to a docstring.
3. A line that opens another fence (```` ```js ````) inside a fence nests; the next bare line closes the inner one.
   There are two exceptions: directly after the opening line it repeats the opening, and a fence marked ``imports``
   always starts the imports, whatever was left open.
4. In a Markdown fence, bare lines pair up: of an odd number the last one closes.
5. A reply that ends inside a fence is cut off, unless its last line contains the closing fence, too deep or directly
   after code.
6. A model's thoughts, between ``<think>`` and ``</think>`` at the start of the reply, are prose, whatever they contain.

If a stray quotation mark misled rule 2, :class:`Reply` reads the reply again without that rule.
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
"""Matches the start of a reply with its model's thoughts, as models served without a parser for thoughts write them."""
_THOUGHT = re.compile(rf"{_THINKS.pattern}.*?</\1>", re.IGNORECASE | re.DOTALL)
_MARKDOWN = frozenset({"markdown", "md", "mdx", "rst", "quarto", "qmd"})
_BLANK = " \t\r\n"
_DEEPER = 3


class Reply:
    """Splits the chunks of one reply: yields lines as they complete, and the final parts at the end.

    The lines yielded are a preliminary reading. Only a reply that ends inside a fence may turn out to have other parts.
    """

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._is_new = True
        self._reading = FenceReader()
        self._lines: list[tuple[str, str]] = []
        self._parts: Parts | None = None

    def feed(self, chunk: str) -> tuple[ReplyLine, ...]:
        """Take the next chunk; return the lines that it completes, except fence lines."""
        lines = self._splitter.feed(chunk.removeprefix("\ufeff") if self._is_new else chunk)
        self._is_new = self._is_new and not chunk
        if not lines:
            return ()
        self._lines += lines
        return tuple(each for text, ending in lines for each in self._reading.take(text, ending))

    def finish(self) -> Parts:
        """Take the end of the reply and return its parts; later calls return them again."""
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
    """Return the first code fence and the first imports fence; :mod:`.select_fence` leaves only one code fence."""
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
    """The info string after the opening fence, such as ``python``; empty if there is none."""
    text: str
    """The content exactly as sent, without the line ending before the closing fence."""
    closed: bool
    """Whether the reply closed the fence."""
    indent: str = ""
    """The white space before the opening fence."""
    implicit: bool = False
    """Whether the reply had no fence, so that this is all of it."""
    caption: str = field(default="", compare=False)
    """The last line of prose before the fence that is not blank; it does not count in comparisons."""

    @property
    def imports(self) -> bool:
        """Whether the fence is marked as lines for the file's import block."""
        return "imports" in words(self.info)


@dataclass(frozen=True, slots=True)
class Parts:
    """A whole reply, split into parts."""

    prose: str
    """Everything outside the fences."""
    fences: tuple[Fence, ...]
    """The fences in order."""
    unclear: bool = False
    """Whether none of several code fences was certainly the one meant; no code fence is left then."""
    form: str = ""
    """The form of the code if it was not plain code: ``blocks``, ``diff``, ``JSON`` or ``line numbers``."""
    refused: str = ""
    """A sentence that says why no code can replace the target; empty if some can."""
    notes: tuple[str, ...] = ()
    """What was not applied, or which version was chosen: one clause each, with the answer as its implied subject."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The opening line of a fence."""

    number: int
    """Index among the reply's fences."""
    info: str
    indent: str

    @property
    def imports(self) -> bool:
        """Whether the fence is marked as lines for the file's import block."""
        return "imports" in words(self.info)


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """One complete line of a reply, as it streams."""

    text: str
    """The line without its ending."""
    ending: str
    """LF, CRLF, CR, or empty at the end of the reply."""
    fence: Opening | None
    """The fence that contains the line; None for prose."""


@dataclass(slots=True)
class _OpenFence:
    """A fence that is still open."""

    opening: Opening
    marker: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0
    """Number of nested fences that are open in it."""
    quote: str | None = ""
    """The triple quotation mark of the open string; empty outside strings, None if strings are not tracked."""
    caption: str = ""
    """The last line of prose before the fence."""
    after: list[tuple[str, str]] | None = None
    """In a Markdown fence: a bare line that may have closed it, and the lines since then."""


class FenceReader:
    """One way of reading a reply, line by line; with ``quotes`` None, rule 2 does not apply."""

    def __init__(self, quotes: str | None = "") -> None:
        self._quotes = quotes
        self._open: _OpenFence | None = None
        self._prose: list[str] = []
        self._fences: list[Fence] = []
        self._caption = ""
        self._has_begun = False
        self._thinks = ""
        """The closing tag of the thoughts at the start of the reply; empty outside them."""
        self.suppressed = False
        """Whether rule 2 ever prevented a fence from closing."""

    def take(self, text: str, ending: str) -> Iterator[ReplyLine]:
        """Take the next line and yield the lines that it completes; the iterator must be exhausted."""
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
        """Take the end of the reply and return its parts."""
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
        """End a fence that the reply left open; a closing fence that is too deep, or after code, counts."""
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
